//! The flags for AWS: where it is, whose credentials, and which accounts.

use std::path::{Path, PathBuf};

use clap::Args;
use credlens::aws::accounts::{EXTERNAL_ID, is_external_id, is_role, is_role_arn};
use credlens::aws::{ConnectSettings, check_endpoint, check_region};
use credlens::io::remote;

use super::Objects;
use crate::cli::failure::Failure;
use crate::cli::span::Span;

/// Whose credentials are used, and where AWS is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(in crate::cli) struct LocationArgs {
    /// Profile of the AWS configuration
    ///
    /// [default: AWS's chain of credentials: environment, default profile, SSO,
    /// processes, web identity, container and instance roles]
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(super) profile: Option<String>,

    /// Region. IAM is the same in all regions of a partition, so this decides between aws, aws-cn, aws-us-gov and
    /// others; for S3, the region of the bucket; in asff, that of Security Hub [default: that of the profile or the
    /// environment, else us-east-1; in asff the usual region of the account's partition]
    #[arg(long, value_name = "REGION", help_heading = "AWS")]
    pub(super) region: Option<String>,

    /// Another address for all AWS services, such as a test server; no call leaves for another one
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    pub(super) endpoint_url: Option<String>,

    /// Longest time for each step, such as 90s or 10m: assume a role, generate and fetch a report, look up details
    /// of an account, list or read objects in S3 [default: 10m]
    #[arg(long, value_name = "TIME", help_heading = "AWS")]
    pub(super) timeout: Option<Span>,
}

/// Which accounts are fetched, with whose credentials, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(in crate::cli) struct AwsArgs {
    #[command(flatten)]
    pub(in crate::cli) location: LocationArgs,

    /// Role to assume
    #[arg(long, value_name = "ARN", help_heading = "AWS")]
    pub(super) role_arn: Option<String>,

    /// External id for --role-arn; with --org, for the roles of the accounts
    #[arg(long, value_name = "ID", help_heading = "AWS")]
    pub(super) external_id: Option<String>,

    /// Session name in AWS's logs [default: credlens]
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(super) role_session_name: Option<String>,

    /// Use a report younger than this, such as 90m, 4h or 1d, instead of requesting a new one. AWS generates a new
    /// one at most every 4 hours [default: 4h]
    #[arg(long, value_name = "AGE", help_heading = "AWS")]
    pub(super) max_report_age: Option<Span>,

    /// Every active account of the organization
    #[arg(long, help_heading = "Organization")]
    pub(super) org: bool,

    /// Role to assume in each account
    ///
    /// By name or ARN; your own account is read with your own credentials
    /// [default: `OrganizationAccountAccessRole`]
    #[arg(long, value_name = "ROLE", help_heading = "Organization")]
    pub(super) role_name: Option<String>,

    /// The accounts in this file instead
    ///
    /// Instead of the organization's: an id and a name per line, or the YAML of Cloud
    /// Custodian's c7n-org, whose roles may be chains
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(super) accounts_file: Option<PathBuf>,

    /// Let this many accounts fail without an effect on the exit status, so that it shows the findings of the others
    /// [default: 0]
    #[arg(long, value_name = "N", help_heading = "Organization")]
    pub(in crate::cli) allow_failed: Option<usize>,

    /// Accounts fetched at the same time [default: 16]
    #[arg(long, value_name = "N", help_heading = "Organization")]
    pub(super) concurrency: Option<usize>,

    /// Write each account's result to FILE
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(in crate::cli) outcomes: Option<PathBuf>,

    /// Only the accounts that failed in an earlier run, from the FILE of its --outcomes
    #[arg(long, value_name = "FILE", help_heading = "Organization")]
    pub(super) resume: Option<PathBuf>,
}

/// The flags of a live scan.
#[derive(Debug, Args)]
pub(in crate::cli) struct LiveScanArgs {
    #[command(flatten)]
    pub(super) aws: AwsArgs,

    /// Fetch what reports do not have, too
    ///
    /// The ids of access keys, the service-specific credentials of all users, and the tags of users: for `scan`, of those
    /// with findings, for `list`, of all. `--resolve-keys` is an older name of the same
    #[arg(long, visible_alias = "resolve-keys", help_heading = "AWS")]
    pub(super) details: bool,
}

impl LiveScanArgs {
    /// Reads the inputs that are in S3.
    pub(in crate::cli) fn objects(&self, inputs: &[PathBuf]) -> Result<Objects, Failure> {
        let location = &self.aws.location;
        if inputs.is_empty() {
            return Objects::at(location);
        }
        let location_only = AwsArgs {
            location: location.clone(),
            ..AwsArgs::default()
        };
        if self.details || self.aws != location_only {
            return Err(without_aws());
        }
        location.objects(inputs)
    }

    /// Reads other inputs than those that are evaluated, some of which may be in S3.
    pub(in crate::cli) fn objects_of(&self, others: &[PathBuf]) -> Result<Objects, Failure> {
        let objects = Objects::at(&self.aws.location)?;
        if others.iter().any(|input| remote::is_remote(input)) {
            objects.connect()?;
        }
        Ok(objects)
    }

    /// The region, for a format that names one. Where AWS is not called it is for the format alone.
    pub(in crate::cli) fn take_region_of_format(&mut self, inputs: &[PathBuf]) -> Option<String> {
        let region = &mut self.aws.location.region;
        let calls_aws = inputs.is_empty() || inputs.iter().any(|input| remote::is_remote(input));
        if calls_aws { region.clone() } else { region.take() }
    }

    pub(in crate::cli) fn several(&self) -> bool {
        self.aws.several()
    }

    /// The files that a live run reads. Its --outcomes may replace those that it resumes from.
    pub(in crate::cli) fn reads(&self) -> Vec<PathBuf> {
        let files = self.aws.accounts_file.iter().chain(&self.aws.resume);
        files.cloned().collect()
    }
}

fn without_aws() -> Failure {
    let message = "saved reports are evaluated without AWS; leave out the inputs, or the flags for AWS";
    Failure::Usage(message.to_owned())
}

impl AwsArgs {
    /// Whether it is not only the account of the credentials.
    pub(in crate::cli) fn several(&self) -> bool {
        self.org || self.accounts_file.is_some() || self.resume.is_some()
    }

    /// Whether each flag is valid, and of use with the others.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let is_stdout = |path: &Path| path.as_os_str() == "-";
        let has_role = self.several() || self.role_arn.is_some();
        let first = |flags: &[(&'static str, bool)]| {
            let mut given = flags.iter().filter(|(_, given)| *given);
            given.next().map(|(flag, _)| *flag)
        };
        let for_several = first(&[
            ("--role-name", self.role_name.is_some()),
            ("--allow-failed", self.allow_failed.is_some()),
            ("--concurrency", self.concurrency.is_some()),
            ("--outcomes", self.outcomes.is_some()),
        ]);
        let for_roles = first(&[
            ("--external-id", self.external_id.is_some()),
            ("--role-session-name", self.role_session_name.is_some()),
        ]);
        let wrong = if self.outcomes.as_deref().is_some_and(is_stdout) {
            "--outcomes needs a file, which --resume can read".to_owned()
        } else if let (false, Some(flag)) = (self.several(), for_several) {
            format!("{flag} is for several accounts; add --org, --accounts-file FILE or --resume FILE")
        } else if let (false, Some(flag)) = (has_role, for_roles) {
            format!(
                "{flag} is for roles; add --role-arn ARN, or --org, --accounts-file FILE or --resume FILE"
            )
        } else if self.concurrency == Some(0) {
            "--concurrency must be at least 1".to_owned()
        } else {
            self.location.check()?;
            return self.check_roles();
        };
        Err(Failure::Usage(wrong))
    }

    fn check_roles(&self) -> Result<(), Failure> {
        let in_session_name = |char: char| char.is_ascii_alphanumeric() || "+=,.@_-".contains(char);
        let is_session_name =
            |name: &str| (2..=64).contains(&name.len()) && name.chars().all(in_session_name);
        let is_wrong = |value: &Option<String>, is_valid: &dyn Fn(&str) -> bool| {
            value.as_deref().is_some_and(|value| !is_valid(value))
        };
        let wrong = if is_wrong(&self.role_arn, &is_role_arn) {
            "--role-arn must be the ARN of a role, such as arn:aws:iam::111122223333:role/Audit".to_owned()
        } else if is_wrong(&self.role_name, &is_role) {
            "--role-name must be the name of a role, with its path if it has one, or its ARN".to_owned()
        } else if is_wrong(&self.role_session_name, &is_session_name) {
            "--role-session-name must be 2 to 64 letters, digits or any of +=,.@_-".to_owned()
        } else if is_wrong(&self.external_id, &is_external_id) {
            format!("--external-id must be {EXTERNAL_ID}")
        } else {
            return Ok(());
        };
        Err(Failure::Usage(wrong))
    }
}

impl LocationArgs {
    /// The same as settings of AWS's libraries.
    pub(in crate::cli) fn settings(&self) -> Result<ConnectSettings, Failure> {
        self.check()?;
        Ok(ConnectSettings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            timeout: self.timeout.map(Span::duration),
            ..ConnectSettings::default()
        })
    }

    /// The same as words of a command.
    pub(in crate::cli) fn words(&self) -> Vec<String> {
        let flag = |name: &str, value: Option<String>| value.map(|value| format!("--{name}={value}"));
        let flags = [
            flag("profile", self.profile.clone()),
            flag("region", self.region.clone()),
            flag("endpoint-url", self.endpoint_url.clone()),
        ];
        flags.into_iter().flatten().collect()
    }

    /// Reads the inputs that are in S3.
    pub(in crate::cli) fn objects(&self, inputs: &[PathBuf]) -> Result<Objects, Failure> {
        let in_s3 = inputs.iter().any(|input| remote::is_remote(input));
        if !in_s3 && *self != Self::default() {
            return Err(without_aws());
        }
        let objects = Objects::at(self)?;
        if in_s3 {
            objects.connect()?;
        }
        Ok(objects)
    }

    /// Whether each flag is valid.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.profile.as_deref() == Some("") {
            return Err(Failure::Usage(
                "--profile must be the name of a profile; leave it out for AWS's chain of credentials"
                    .to_owned(),
            ));
        }
        if self.timeout.is_some_and(|span| span.seconds() == 0) {
            return Err(Failure::Usage("--timeout must be longer than 0".to_owned()));
        }
        if let Some(region) = &self.region {
            check_region(region).map_err(|wrong| Failure::Usage(format!("--region: {wrong}")))?;
        }
        if let Some(url) = &self.endpoint_url {
            check_endpoint(url).map_err(|wrong| Failure::Usage(format!("--endpoint-url: {wrong}")))?;
        }
        Ok(())
    }
}
