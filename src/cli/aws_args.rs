//! Flags of live scans and of `fetch`, as typed.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

/// Which accounts, with whose credentials, and how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Aws {
    /// A profile of the AWS configuration; without it, AWS's usual chain: environment, default profile, SSO,
    /// processes, web identity, container and instance roles
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// A region: IAM is the same in all of a partition, so this decides between aws, aws-cn and aws-us-gov
    /// [default: that of the profile or the environment, else us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Another address for all AWS services, such as that of a test server
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,

    /// Act in this role
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,

    /// What --role-arn asks for; with --org, what the roles of the accounts ask for
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,

    /// How sessions are called in AWS's logs [default: credlens]
    #[arg(long, value_name = "NAME")]
    pub(crate) role_session_name: Option<String>,

    /// Use a report younger than this, such as 90m, 4h or 1d, rather than have a new one made. AWS makes none
    /// younger than 4 hours [default: 4h]
    #[arg(long, value_name = "AGE")]
    pub(crate) max_report_age: Option<Span>,

    /// How long to wait for a report, such as 90s or 10m; each account has its own [default: 10m]
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<Span>,

    /// Every active account of the organization
    #[arg(long, help_heading = "Organization")]
    pub(crate) org: bool,

    /// The role to act in in each account, by name or ARN; your own account is read with your own credentials
    /// [default: `OrganizationAccountAccessRole`]
    #[arg(long, value_name = "ROLE", help_heading = "Organization")]
    pub(crate) role_name: Option<String>,

    /// Only these accounts, by id or name
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        help_heading = "Organization"
    )]
    pub(crate) accounts: Vec<String>,

    /// Not these accounts
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        help_heading = "Organization"
    )]
    pub(crate) exclude_accounts: Vec<String>,

    /// The accounts of this file in place of the organization's: an id and a name a line, or the YAML of
    /// Cloud Custodian's c7n-org
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(crate) accounts_file: Option<PathBuf>,

    /// How many accounts at a time [default: 16]
    #[arg(long, value_name = "N", help_heading = "Organization")]
    pub(crate) concurrency: Option<usize>,

    /// Keep how every account came out
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(crate) outcomes: Option<PathBuf>,

    /// Only the accounts that failed in an earlier run, by what its --outcomes kept
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(crate) resume: Option<PathBuf>,
}

impl Aws {
    /// Whether more accounts than that of the credentials are meant.
    pub(crate) fn several(&self) -> bool {
        self.org || self.accounts_file.is_some() || self.resume.is_some()
    }
}

/// A length of time: `90s`, `10m`, `4h`, `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no length of time such as 90s, 10m, 4h or 1d");
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: u32 = text
            .strip_suffix(unit)
            .unwrap_or("")
            .parse()
            .map_err(|_| wrong())?;
        Ok(Self(Duration::from_secs(u64::from(count) * seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let seconds = |text: &str| text.parse::<Span>().map(|span| span.0.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("10m"), Ok(600));
        assert_eq!(seconds("4h"), Ok(14_400));
        assert_eq!(seconds("1d"), Ok(86_400));
        for wrong in ["", "4", "h", "-1h", "1.5h", "4 h", "9999999999s", "4é"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
