//! Regions, partitions and endpoints, and the role of a profile.

use std::error::Error as _;

use aws_config::profile::ProfileFileLoadError;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::error::Error;

/// Checks the form of a region's name.
///
/// # Errors
/// The form that is expected.
pub fn check_region(region: &str) -> Result<(), String> {
    let is_word = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let is_name = region.len() <= 63
        && region
            .split('-')
            .all(|word| !word.is_empty() && word.chars().all(is_word));
    if is_name {
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

/// The partition of a region.
pub(super) fn partition(region: &str) -> &'static str {
    const OTHERS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let found = OTHERS.iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

/// What a profile says besides what the SDK reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ProfileSettings {
    /// The role that it assumes.
    pub(super) role: Option<String>,
    /// The path of the certificates to trust.
    pub(super) ca_bundle: Option<String>,
    /// The address from which an instance gets its credentials.
    pub(super) metadata_endpoint: Option<String>,
}

/// What the named profile says, or the one that AWS's variables name.
///
/// # Errors
/// The named profile does not exist, or the profile files cannot be read.
pub(super) async fn profile_settings(name: Option<&str>) -> Result<ProfileSettings, Error> {
    let env = Env::real();
    let requested = name.map(|name| name.to_owned().into());
    let profiles = aws_config::profile::load(&Fs::real(), &env, &EnvConfigFiles::default(), requested).await;
    let profiles = match (profiles, name) {
        (Ok(profiles), _) => profiles,
        // Credentials may come from elsewhere.
        (Err(_), None) => return Ok(ProfileSettings::default()),
        (Err(error), Some(_)) => return Err(Error::InvalidSettings(unreadable(&error))),
    };
    let selected = profiles.get_profile(profiles.selected_profile());
    match (selected, name) {
        (None, Some(name)) => {
            let config = file(&env, "AWS_CONFIG_FILE", "~/.aws/config");
            let credentials = file(&env, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
            Err(Error::NoProfile(
                name.to_owned(),
                format!("{config} or {credentials}"),
            ))
        }
        (selected, _) => {
            let get = |key| selected.and_then(|profile| profile.get(key)).map(str::to_owned);
            Ok(ProfileSettings {
                role: get("role_arn"),
                ca_bundle: get("ca_bundle").filter(|path| !path.is_empty()),
                metadata_endpoint: get("ec2_metadata_service_endpoint"),
            })
        }
    }
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
    fn partitions() {
        let regions = [
            "eu-west-1",
            "cn-north-1",
            "us-gov-east-1",
            "us-isob-east-1",
            "eusc-de-east-1",
        ];
        let partitions = ["aws", "aws-cn", "aws-us-gov", "aws-iso-b", "aws-eusc"];
        assert_eq!(regions.map(partition), partitions);
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
