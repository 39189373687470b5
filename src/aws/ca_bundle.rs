//! The certificates of `AWS_CA_BUNDLE`, or of `ca_bundle` in the profile: as in other AWS tools, these authorities are
//! trusted instead of the system's.

use std::env;
use std::path::PathBuf;

use aws_smithy_http_client::tls::TrustStore;
use aws_types::os_shim_internal::{Env, Fs};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::location::ProfileFacts;

const VARIABLE: &str = "AWS_CA_BUNDLE";

/// Certificates that can be trusted.
#[derive(Debug)]
pub(super) struct CaBundle(Vec<CertificateDer<'static>>);

impl CaBundle {
    /// The bundle that is set, if one is.
    ///
    /// # Errors
    /// It cannot be used. The text names its path, and where it is set.
    pub(super) async fn find(profile: &ProfileFacts) -> Result<Option<Self>, String> {
        let variable = Env::real().get(VARIABLE).ok().filter(|path| !path.is_empty());
        let (path, origin) = match (variable, &profile.ca_bundle) {
            (Some(path), _) => (PathBuf::from(path), VARIABLE),
            (None, Some(path)) => (below_home(path), "ca_bundle of the profile"),
            (None, None) => return Ok(None),
        };
        let wrong = |wrong: String| {
            format!(
                "the certificates in {} (from {origin}) cannot be used: {wrong}",
                path.display()
            )
        };
        let read = Fs::real()
            .read_to_end(&path)
            .await
            .map_err(|error| error.to_string());
        read.and_then(|pem| Self::parse(&pem)).map(Some).map_err(wrong)
    }

    /// All certificates that can be trusted; others are left out, as those of the system are.
    fn parse(pem: &[u8]) -> Result<Self, String> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let found = found.map_err(|_| "a certificate is cut off, or is not valid PEM".to_owned())?;
        if found.is_empty() {
            return Err("there is none in PEM (-----BEGIN CERTIFICATE-----)".to_owned());
        }
        let can_be_trusted =
            |certificate: &CertificateDer<'_>| RootCertStore::empty().add(certificate.clone()).is_ok();
        let trusted: Vec<_> = found
            .into_iter()
            .map(CertificateDer::into_owned)
            .filter(can_be_trusted)
            .collect();
        if trusted.is_empty() {
            return Err("none of them is a valid X.509 certificate".to_owned());
        }
        Ok(Self(trusted))
    }

    pub(super) fn trust_store(&self) -> TrustStore {
        let mut store = TrustStore::empty();
        for certificate in &self.0 {
            store.add_pem_certificate(pem(certificate));
        }
        store
    }
}

/// A certificate on its own, since the SDK panics where it cannot use one.
fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}

/// A path in a profile may begin with `~/`.
fn below_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
