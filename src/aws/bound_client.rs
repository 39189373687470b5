//! With `--endpoint-url`, no request leaves for another service: those that the SDK would send elsewhere, as its
//! providers of credentials do, go to that address, too. Only the addresses from which a machine gets its own credentials stay.

use std::net::IpAddr;

use aws_sdk_iam::config::http::HttpRequest;
use aws_sdk_iam::config::{ConfigBag, HttpClient, RuntimeComponents, SharedHttpClient};
use aws_sdk_iam::error::ConnectorError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_types::os_shim_internal::Env;

use super::location::ProfileFacts;

/// An HTTP client that sends everything to one address.
#[derive(Clone, Debug)]
pub(super) struct BoundClient {
    client: SharedHttpClient,
    bound: Bound,
}

impl BoundClient {
    /// Sends the requests of `client` to this address.
    pub(super) fn new(client: SharedHttpClient, url: &str, profile: &ProfileFacts) -> Self {
        let variables = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        ];
        let env = Env::real();
        let set = variables.iter().filter_map(|variable| env.get(variable).ok());
        let bound = Bound::new(url, set.chain(profile.metadata_endpoint.clone()));
        Self { client, bound }
    }
}

impl HttpClient for BoundClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(BoundConnector {
            connector: self.client.http_connector(settings, components),
            bound: self.bound.clone(),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.client.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.client.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct BoundConnector {
    connector: SharedHttpConnector,
    bound: Bound,
}

impl HttpConnector for BoundConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        if let Some(url) = self.bound.elsewhere(request.uri()) {
            // The signature is of the host that the request was made for.
            let host = authority(request.uri()).to_owned();
            let is_signed = request
                .headers()
                .get("authorization")
                .is_some_and(|value| value.starts_with("AWS4-"));
            if is_signed {
                request.headers_mut().insert("host", host);
            }
            if let Err(error) = request.set_uri(url) {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        }
        self.connector.call(request)
    }
}

/// The address of all services, and the other hosts that may be called.
#[derive(Clone, Debug)]
struct Bound {
    url: String,
    /// Where the machine gets its credentials.
    local: Vec<String>,
}

impl Bound {
    fn new(url: &str, local: impl Iterator<Item = String>) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            local: local.map(|url| authority(&url).to_ascii_lowercase()).collect(),
        }
    }

    /// The address to call instead of this one; none if it may be called.
    fn elsewhere(&self, url: &str) -> Option<String> {
        let is_there = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?']);
        if url.strip_prefix(&*self.url).is_some_and(is_there) {
            return None;
        }
        let authority = authority(url);
        let is_local = is_link_local(authority) || self.local.contains(&authority.to_ascii_lowercase());
        let path = url
            .split_once("://")
            .map_or("", |(_, rest)| &rest[authority.len()..]);
        (!is_local).then(|| format!("{}{path}", self.url))
    }
}

/// Host and port of an address.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// Whether it is one of the addresses at which containers and instances get their credentials.
fn is_link_local(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => authority.split(':').next().unwrap_or(authority),
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.segments()[..2] == [0xfd00, 0x0ec2],
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_for_another_service() {
        let own = [
            "http://127.0.0.1:1338/role".to_owned(),
            "http://imds.internal".to_owned(),
        ];
        let bound = Bound::new("http://127.0.0.1:5000/aws/", own.into_iter());
        for (url, called) in [
            (
                "https://sts.us-east-1.amazonaws.com/",
                "http://127.0.0.1:5000/aws/",
            ),
            (
                "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=a",
                "http://127.0.0.1:5000/aws/federation/credentials?role_name=a",
            ),
            ("http://127.0.0.1:50001/x", "http://127.0.0.1:5000/aws/x"),
            ("https://127.0.0.1:5000/x", "http://127.0.0.1:5000/aws/x"),
            ("http://127.0.0.1:5000/awsome", "http://127.0.0.1:5000/aws/awsome"),
        ] {
            assert_eq!(bound.elsewhere(url).as_deref(), Some(called), "{url}");
        }
        for url in [
            "http://127.0.0.1:5000/aws",
            "http://127.0.0.1:5000/aws/",
            "http://127.0.0.1:5000/aws/bucket/key?x-id=GetObject",
            "http://127.0.0.1:5000/aws?list-type=2",
            "http://127.0.0.1:1338/role",
            "http://IMDS.internal/latest/api/token",
            "http://169.254.169.254/latest/api/token",
            "http://169.254.170.2/v2/credentials",
            "http://[fd00:ec2::254]/latest/api/token",
            "http://[fd00:ec2::23]:80/v1/credentials",
        ] {
            assert_eq!(bound.elsewhere(url), None, "{url}");
        }
    }
}
