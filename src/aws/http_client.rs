//! The HTTP client of all calls: the SDK's, with the certificates of a bundle where one is set, with limited responses,
//! and bound to the address of `--endpoint-url` where that is given.

use aws_sdk_iam::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};

use super::bound_client::BoundClient;
use super::ca_bundle::CaBundle;
use super::connect::ConnectSettings;
use super::error::Error;
use super::location::ProfileFacts;
use super::response_limit::LimitedClient;

/// The client for these settings.
///
/// # Errors
/// A bundle of certificates is set, but cannot be used.
pub(super) async fn http_client(
    settings: &ConnectSettings,
    profile: &ProfileFacts,
) -> Result<SharedHttpClient, Error> {
    let bundle = CaBundle::find(profile).await.map_err(Error::InvalidSettings)?;
    let trusted = bundle.map_or_else(TrustStore::default, |bundle| bundle.trust_store());
    let limited = SharedHttpClient::new(LimitedClient::wrapping(trusting(trusted)));
    Ok(match &settings.endpoint_url {
        Some(url) => SharedHttpClient::new(BoundClient::new(limited, url, profile)),
        None => limited,
    })
}

/// The SDK's default client, with these certificates and with ring.
fn trusting(trusted: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let context = context.expect("invariant: a trust store is all it has");
    Builder::new().build_with_connector_fn(move |settings, components| {
        let connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let mut connector = connector.tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}
