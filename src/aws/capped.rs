//! Answers that are not longer than they can be: whoever sends without end must not fill the memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_config::BehaviorVersion;
use aws_sdk_iam::config::http::{HttpRequest, HttpResponse};
use aws_sdk_iam::config::{ConfigBag, HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin as _;
use aws_smithy_types::body::SdkBody;
use http_body::{Body, Frame, SizeHint};

/// The longest report as it is sent: one of some hundred thousands of users.
const REPORT: u64 = 256 << 20;
/// The longest answer otherwise.
const OTHER: u64 = 16 << 20;

/// Another client, whose answers end in an error where they are too long.
#[derive(Clone, Debug)]
pub(super) struct Capped(SharedHttpClient);

impl Capped {
    /// Around the client that the SDK would take by itself.
    pub(super) fn usual() -> Option<Self> {
        let plugin = default_http_client_plugin_v2(BehaviorVersion::latest())?;
        let components = plugin
            .runtime_components(&RuntimeComponentsBuilder::new("credlens"))
            .into_owned();
        Some(Self(components.http_client()?))
    }
}

impl HttpClient for Capped {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(CappedConnector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct CappedConnector(SharedHttpConnector);

impl HttpConnector for CappedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Objects are streamed; S3's errors are not.
        let is_object = request.uri().contains("x-id=GetObject");
        let most = most(request.body().bytes().unwrap_or_default());
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer: HttpResponse = answer.await?;
            let is_streamed = is_object && answer.status().is_success();
            Ok(if is_streamed {
                answer
            } else {
                answer.map(|body| capped(body, most))
            })
        })
    }
}

fn most(asked: &[u8]) -> u64 {
    if asked.starts_with(b"Action=GetCredentialReport&") {
        REPORT
    } else {
        OTHER
    }
}

fn capped(body: SdkBody, most: u64) -> SdkBody {
    // What is in memory already comes from no network.
    if body.bytes().is_some_and(|bytes| bytes.len() as u64 <= most) {
        return body;
    }
    SdkBody::from_body_1_x(Counted { body, left: most })
}

/// A body that fails once it is longer than it may be.
struct Counted {
    body: SdkBody,
    left: u64,
}

impl Body for Counted {
    type Data = <SdkBody as Body>::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = self.left.checked_sub(length) else {
                return Poll::Ready(Some(Err(io::Error::other("the answer is too long").into())));
            };
            self.left = left;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}
