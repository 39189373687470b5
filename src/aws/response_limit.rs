//! Limits the length of responses, so that an endless one does not fill the memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_sdk_iam::config::http::{HttpRequest, HttpResponse};
use aws_sdk_iam::config::{ConfigBag, HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_types::body::SdkBody;
use http_body::{Body, Frame, SizeHint};

/// The limit for a report: some hundred thousand users.
const REPORT_LIMIT: u64 = 256 << 20;
/// The limit for any other response.
const LIMIT: u64 = 16 << 20;

/// An HTTP client whose responses end in an error where they exceed the limit.
#[derive(Clone, Debug)]
pub(super) struct LimitedClient(SharedHttpClient);

impl LimitedClient {
    /// Limits the responses of this client.
    pub(super) fn wrapping(client: SharedHttpClient) -> Self {
        Self(client)
    }
}

impl HttpClient for LimitedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(LimitedConnector(self.0.http_connector(settings, components)))
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
struct LimitedConnector(SharedHttpConnector);

impl HttpConnector for LimitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // Objects are streamed; S3's errors are not.
        let is_object = request.uri().contains("x-id=GetObject");
        let limit = limit(request.body().bytes().unwrap_or_default());
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let response: HttpResponse = response.await?;
            let is_streamed = is_object && response.status().is_success();
            Ok(if is_streamed {
                response
            } else {
                response.map(|body| limited(body, limit))
            })
        })
    }
}

fn limit(request: &[u8]) -> u64 {
    if request.starts_with(b"Action=GetCredentialReport&") {
        REPORT_LIMIT
    } else {
        LIMIT
    }
}

fn limited(body: SdkBody, limit: u64) -> SdkBody {
    // A body that is in memory already did not come over the network.
    if body.bytes().is_some_and(|bytes| bytes.len() as u64 <= limit) {
        return body;
    }
    SdkBody::from_body_1_x(LimitedBody { body, left: limit })
}

/// A body that fails once it exceeds the limit.
struct LimitedBody {
    body: SdkBody,
    left: u64,
}

impl Body for LimitedBody {
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
                return Poll::Ready(Some(Err(io::Error::other("the response is too long").into())));
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
