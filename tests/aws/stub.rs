//! A stub of AWS in the same process: an HTTP client that follows a script, for tests with tokio's paused clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_iam::config::http::{HttpRequest, HttpResponse};
use aws_sdk_iam::config::{HttpClient, RuntimeComponents};
use aws_sdk_iam::error::ConnectorError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_types::body::SdkBody;

/// The reply to a call.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// HTTP status and body.
    Http(u16, String),
    /// The connection breaks.
    Broken,
    /// No reply.
    Silence,
}

/// A script, and the calls so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stub {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    /// The reply after the end of the script.
    last: Option<Reply>,
    calls: Arc<Mutex<Vec<String>>>,
    hosts: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub(super) fn new(replies: &[Reply]) -> Self {
        Self {
            replies: Arc::new(Mutex::new(replies.to_vec().into())),
            ..Self::default()
        }
    }

    /// Sets the reply after the end of the script.
    pub(super) fn then_always(mut self, reply: Reply) -> Self {
        self.last = Some(reply);
        self
    }

    /// The actions that were called.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// The hosts that were called.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.hosts.lock().unwrap().clone()
    }

    /// The number of unused replies.
    pub(super) fn left(&self) -> usize {
        self.replies.lock().unwrap().len()
    }
}

impl HttpClient for Stub {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stub {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let target = request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.rsplit('.').next());
        let action = body
            .split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
            .or(target);
        self.calls.lock().unwrap().push(action.unwrap_or("?").to_owned());
        let host = request.uri().split('/').nth(2).unwrap_or("").to_owned();
        self.hosts.lock().unwrap().push(host);
        let reply = self.replies.lock().unwrap().pop_front().or(self.last.clone());
        match reply.expect("more calls than the script has replies") {
            Reply::Http(status, body) => {
                let status = status.try_into().expect("a status");
                HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
            }
            Reply::Broken => {
                let broken = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
                HttpConnectorFuture::ready(Err(ConnectorError::io(broken.into())))
            }
            Reply::Silence => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}
