//! Flags of live scans and of `fetch`, as typed.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::Args;
use credlens::aws::accounts::{EXTERNAL_ID, is_external_id, is_role, is_role_arn};
use credlens::aws::{ConnectSettings, check_endpoint, check_region};

/// Whose credentials are used, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Place {
    /// A profile of the AWS configuration; without it, AWS's usual chain: environment, default profile, SSO,
    /// processes, web identity, container and instance roles
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// A region: IAM is the same in all of a partition, so this decides between aws, aws-cn, aws-us-gov and others;
    /// for inputs in S3, that of the bucket [default: that of the profile or the environment, else us-east-1]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,

    /// Another address for all AWS services, such as that of a test server
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

impl Place {
    /// What AWS's libraries make of it.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn settings(&self) -> anyhow::Result<ConnectSettings> {
        self.check()?;
        Ok(ConnectSettings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            ..ConnectSettings::default()
        })
    }
}

/// Which accounts, with whose credentials, and how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Aws {
    #[command(flatten)]
    pub(crate) place: Place,

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

    /// How long each step of an account may take, such as 90s or 10m: its role assumed, its report made and
    /// fetched, its keys looked up [default: 10m]
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
    /// Cloud Custodian's c7n-org, whose roles may be chains
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

    /// Whether each flag can mean something, and is of use with the others.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let given = [
            ("--role-name", self.role_name.is_some()),
            ("--accounts", !self.accounts.is_empty()),
            ("--exclude-accounts", !self.exclude_accounts.is_empty()),
            ("--concurrency", self.concurrency.is_some()),
            ("--outcomes", self.outcomes.is_some()),
        ];
        if self
            .outcomes
            .as_deref()
            .is_some_and(|path| path.as_os_str() == "-")
        {
            bail!("--outcomes wants a file, which --resume can read");
        }
        if let (false, Some((flag, _))) = (self.several(), given.iter().find(|(_, given)| *given)) {
            bail!("{flag} is for several accounts; add --org, --accounts-file FILE or --resume FILE");
        }
        let of_roles = [
            ("--external-id", self.external_id.is_some()),
            ("--role-session-name", self.role_session_name.is_some()),
        ];
        let has_role = self.several() || self.role_arn.is_some();
        if let (false, Some((flag, _))) = (has_role, of_roles.iter().find(|(_, given)| *given)) {
            bail!("{flag} is for roles; add --role-arn ARN, or --org and others that mean several accounts");
        }
        if self.concurrency == Some(0) {
            bail!("--concurrency 0 would fetch nothing");
        }
        if self.timeout == Some(Span(Duration::ZERO)) {
            bail!("--timeout 0 would leave no time for anything");
        }
        self.place.check()?;
        self.check_roles()
    }

    fn check_roles(&self) -> anyhow::Result<()> {
        if self.role_arn.as_deref().is_some_and(|arn| !is_role_arn(arn)) {
            bail!("--role-arn wants the ARN of a role, such as arn:aws:iam::111122223333:role/Audit");
        }
        if self.role_name.as_deref().is_some_and(|name| !is_role(name)) {
            bail!("--role-name wants the name of a role, with its path if it has one, or its ARN");
        }
        let of_name = |char: char| char.is_ascii_alphanumeric() || "+=,.@_-".contains(char);
        let is_name = |name: &str| (2..=64).contains(&name.len()) && name.chars().all(of_name);
        if self
            .role_session_name
            .as_deref()
            .is_some_and(|name| !is_name(name))
        {
            bail!("--role-session-name wants 2 to 64 letters, digits or any of +=,.@_-");
        }
        if self.external_id.as_deref().is_some_and(|id| !is_external_id(id)) {
            bail!("--external-id wants {EXTERNAL_ID}");
        }
        Ok(())
    }
}

impl Place {
    /// Whether each flag can mean something.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.profile.as_deref() == Some("") {
            bail!("--profile wants the name of a profile; leave it out for AWS's usual chain of credentials");
        }
        if let Some(region) = &self.region {
            check_region(region).map_err(|wrong| anyhow!("--region: {wrong}"))?;
        }
        if let Some(url) = &self.endpoint_url {
            check_endpoint(url).map_err(|wrong| anyhow!("--endpoint-url: {wrong}"))?;
        }
        Ok(())
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
