//! Regions, partitions and endpoints, and the role of a profile.

use std::error::Error as _;
use std::path::PathBuf;

use aws_config::profile::ProfileFileLoadError;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::error::Error;
use crate::report::partition::{PARTITIONS, is_region_name};

/// The variable with the file of a token for web identity.
const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";

/// Checks the form of a region's name.
///
/// # Errors
/// The form that is expected.
pub fn check_region(region: &str) -> Result<(), String> {
    if region.len() <= 63 && is_region_name(region) {
        return Ok(());
    }
    Err(format!(
        "'{region}' is not a region; use lower-case letters, digits and hyphens, such as us-east-1, cn-north-1 or \
         us-gov-west-1"
    ))
}

/// Checks the form of an endpoint's address.
///
/// # Errors
/// The form that is expected; the address itself may contain a password and is not shown.
pub fn check_endpoint(url: &str) -> Result<(), &'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split('/').next()).unwrap_or("");
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], Some(&authority[at + 1..])),
        Some(_) | None => (authority, None),
    };
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host_char = |char: char| char.is_ascii_alphanumeric() || "-._".contains(char);
    let is_name = !host.is_empty() && host.chars().all(is_host_char);
    let is_host = inner.map_or(is_name, |address| address.parse::<std::net::Ipv6Addr>().is_ok());
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    let is_path = !url.contains(['?', '#', '@', '\\']) && url.chars().all(|char| char.is_ascii_graphic());
    if is_host && is_port && is_path {
        return Ok(());
    }
    Err(
        "not an endpoint address; use http:// or https://, a host, and optionally a port and a path, such as \
         http://127.0.0.1:5000",
    )
}

/// Checks that a region is of a known partition. Services with an address of their own may have any region.
///
/// # Errors
/// The partitions, with the beginnings of their regions.
pub(super) fn check_partition(region: &str) -> Result<(), String> {
    if PARTITIONS.iter().any(|partition| partition.has(region)) {
        return Ok(());
    }
    let (last, others) = PARTITIONS.split_last().expect("invariant: there are partitions");
    let known = std::iter::once(last).chain(others);
    let known = known.map(|known| format!("{} ({})", known.name, known.prefixes.join(", ")));
    Err(format!(
        "'{region}' is not a region of a known partition; check --region, AWS_REGION and the profile. The partitions, \
         and how their regions begin: {}",
        known.collect::<Vec<_>>().join(", ")
    ))
}

/// What a session knows of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProfileFacts {
    /// The ARN of the role that it assumes.
    pub(super) role: Option<String>,
    /// The files with tokens for web identity that credentials may come from.
    pub(super) token_files: Vec<PathBuf>,
    /// The path of the certificates to trust.
    pub(super) ca_bundle: Option<String>,
    /// The address from which an instance gets its credentials.
    pub(super) metadata_endpoint: Option<String>,
}

/// What the named profile, or else the default one and the environment, say.
///
/// # Errors
/// The named profile does not exist, or the profile files cannot be read.
pub(super) async fn profile_facts(name: Option<&str>) -> Result<ProfileFacts, Error> {
    let env = Env::real();
    let requested = name.map(|name| name.to_owned().into());
    let profiles = aws_config::profile::load(&Fs::real(), &env, &EnvConfigFiles::default(), requested).await;
    let in_environment = match name {
        None => env.get(TOKEN_FILE).ok().map(PathBuf::from),
        Some(_) => None,
    };
    let mut facts = ProfileFacts {
        token_files: in_environment.into_iter().collect(),
        ..ProfileFacts::default()
    };
    let profiles = match (profiles, name) {
        (Ok(profiles), _) => profiles,
        // Credentials may come from elsewhere.
        (Err(_), None) => return Ok(facts),
        (Err(error), Some(_)) => return Err(Error::InvalidSettings(unreadable(&error))),
    };
    let selected = profiles.get_profile(profiles.selected_profile());
    if let (None, Some(name)) = (selected, name) {
        let config = file(&env, "AWS_CONFIG_FILE", "~/.aws/config");
        let credentials = file(&env, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
        let files = format!("{config} or {credentials}");
        return Err(Error::NoProfile(name.to_owned(), files));
    }
    let get = |key| selected.and_then(|profile| profile.get(key)).map(str::to_owned);
    facts.role = get("role_arn");
    facts.ca_bundle = get("ca_bundle").filter(|path| !path.is_empty());
    facts.metadata_endpoint = get("ec2_metadata_service_endpoint");
    let mut next = selected;
    // A chain that is longer than its profiles is a loop.
    for _ in profiles.profiles() {
        let Some(profile) = next else { break };
        facts
            .token_files
            .extend(profile.get("web_identity_token_file").map(PathBuf::from));
        let source = profile.get("source_profile");
        next = source.and_then(|name| profiles.get_profile(name));
    }
    Ok(facts)
}

/// The path, the line and what is expected there. These texts repeat nothing else of a file, which may hold secrets.
fn unreadable(error: &ProfileFileLoadError) -> String {
    let cause = error.source().map_or_else(String::new, ToString::to_string);
    format!(
        "{error}: {}",
        cause.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}

fn file(env: &Env, variable: &str, default: &str) -> String {
    match env.get(variable) {
        Ok(path) => format!("{path} (from {variable})"),
        Err(_) => default.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        for region in [
            "us-east-1",
            "cn-north-1",
            "us-gov-west-1",
            "eusc-de-east-1",
            "auto",
        ] {
            assert_eq!(check_region(region), Ok(()));
        }
        for region in [
            "",
            "us east",
            "US-EAST-1",
            "us_east_1",
            "-us",
            "us-",
            "a.b",
            "us-east-1/x",
            "é",
        ] {
            assert!(check_region(region).is_err(), "{region}");
        }
    }

    #[test]
    fn regions_of_known_partitions() {
        for region in [
            "us-east-1",
            "ap-southeast-12",
            "mx-central-1",
            "ca-somewhere-7",
            "cn-north-1",
            "us-gov-west-1",
            "us-iso-east-1",
            "eu-isoe-west-1",
            "eusc-de-east-1",
            "aws-global",
            "aws-us-gov-global",
        ] {
            assert_eq!(check_partition(region), Ok(()), "{region}");
        }
        for region in [
            "mars-1",
            "mars-east-1",
            "us-east",
            "us-1",
            "useast-1",
            "eu-west-1a",
            "us-east-west-1",
            "cn-1-1",
            "eusc-east-1",
            "auto",
            "global",
        ] {
            let error = check_partition(region).unwrap_err();
            assert!(error.contains("aws-us-gov (us-gov-)"), "{error}");
        }
    }

    #[test]
    fn endpoints() {
        for url in [
            "http://127.0.0.1:5000",
            "https://iam.example.org/",
            "http://[::1]:80/path",
            "https://vpce-0_1.sts.us-east-1.vpce.amazonaws.com",
        ] {
            assert_eq!(check_endpoint(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "nonsense",
            "http://",
            "https:///path",
            "ftp://a",
            "http://a:b",
            "http://a:99999",
            "http://a b",
            "http://user:secret@host",
            "http://[::1",
            "http://[nonsense]",
            "http://host?x",
        ] {
            let error = check_endpoint(url).unwrap_err();
            assert!(error.contains("such as http://127.0.0.1:5000"));
        }
    }
}
