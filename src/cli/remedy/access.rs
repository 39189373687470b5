//! Whose credentials apply a plan: the flags, and what is connected.

use std::time::Duration;

use clap::Args;
use credlens::aws::accounts::{EXTERNAL_ID, is_external_id, is_role};
use credlens::aws::{self, Caller, ConnectSettings, RemedyAccess, RemedyIam, Runtime, Session};
use credlens::output::escape_lines;
use credlens::remedy::CallerRef;

use crate::cli::aws::LocationArgs;
use crate::cli::failure::{Attempt as _, Failure};
use crate::cli::signals;
use crate::cli::terminal::print_message;

/// How long a call may be under way when a signal arrives, with its record.
const GRACE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug, Default, Args)]
pub(super) struct AccessArgs {
    #[command(flatten)]
    pub(super) location: LocationArgs,

    /// Role to assume in each account but your own
    ///
    /// By name, with its path if it has one. There is no default: the role that scans assume may be an administrator's. docs/remedy.md
    /// has the smallest policy
    #[arg(
        id = "role_in_accounts",
        long = "role-name",
        value_name = "ROLE",
        help_heading = "Organization"
    )]
    pub(super) role_name: Option<String>,

    /// External id of these roles
    #[arg(long, value_name = "ID", help_heading = "Organization")]
    pub(super) external_id: Option<String>,
}

/// AWS, with the name of the journal.
pub(super) struct Access {
    pub(super) runtime: Runtime,
    pub(super) session: Session,
    /// None if AWS did not say.
    pub(super) caller: Option<Caller>,
}

impl AccessArgs {
    pub(super) fn check(&self) -> Result<(), Failure> {
        let wrong = if self.role_name.as_deref().is_some_and(|role| !is_role(role)) {
            "--role-name must be the name of a role, with its path if it has one, or its ARN".to_owned()
        } else if self.external_id.as_deref().is_some_and(|id| !is_external_id(id)) {
            format!("--external-id must be {EXTERNAL_ID}")
        } else {
            return Ok(());
        };
        Err(Failure::Usage(wrong))
    }

    /// Connects. `journal` is the id of the journal, which `CloudTrail` then shows.
    pub(super) fn connect(&self, journal: &str) -> Result<Access, Failure> {
        self.check()?;
        let end_run = |signal| signals::end_run(signal, || signals::say_interrupted(signal));
        let runtime = Runtime::new(&signals::heeded(), GRACE, end_run)
            .attempt(|| "cannot start threads for calls to AWS".to_owned())?;
        let settings = ConnectSettings {
            app_name: Some(name(journal)),
            ..self.location.settings()?
        };
        let session = runtime.wait(Session::open(&settings));
        let session = session.map_err(|error| refused(&runtime, &error))?;
        Ok(Access {
            runtime,
            session,
            caller: None,
        })
    }

    /// IAM in the accounts of a plan; `role` is assumed where it is not the caller's own. `partition` is the one of the accounts,
    /// where AWS did not say whose credentials these are.
    pub(super) fn iam<'a>(
        &self,
        access: &'a Access,
        journal: &str,
        role: Option<&str>,
        partition: Option<&str>,
    ) -> RemedyIam<'a> {
        let of_caller = access.caller.as_ref().map(|caller| caller.partition.clone());
        let partition = of_caller.or_else(|| partition.map(str::to_owned));
        RemedyIam::new(
            &access.runtime,
            RemedyAccess {
                session: access.session.clone(),
                caller: access.caller.clone(),
                partition: partition.unwrap_or_else(|| access.session.partition().to_owned()),
                role: role.map(str::to_owned),
                external_id: self.external_id.clone(),
                session_name: name(journal),
            },
        )
    }

    /// The same as words of a command; the role is in the journal.
    pub(super) fn words(&self) -> Vec<String> {
        let id = self.external_id.as_ref().map(|id| format!("--external-id={id}"));
        self.location.words().into_iter().chain(id).collect()
    }
}

impl Access {
    /// Asks AWS whose credentials these are, for at most this long.
    pub(super) fn ask_caller(&mut self, limit: Duration) -> Result<Caller, Failure> {
        let caller = self.runtime.wait(self.session.within(limit).caller());
        let caller = caller.map_err(|error| refused(&self.runtime, &error))?;
        self.caller = Some(caller.clone());
        Ok(caller)
    }
}

/// The name of sessions and of the user agent. An id that is not one of ours, as in a damaged journal, is not sent.
fn name(journal: &str) -> String {
    let is_id =
        !journal.is_empty() && journal.len() <= 32 && journal.bytes().all(|byte| byte.is_ascii_hexdigit());
    format!("credlens-{}", if is_id { journal } else { "unknown" })
}

pub(super) fn caller_ref(caller: &Caller) -> CallerRef {
    CallerRef {
        account: caller.account.clone(),
        arn: caller.arn.clone(),
    }
}

/// The failure for an error of AWS before anything else was asked.
fn refused(runtime: &Runtime, error: &aws::Error) -> Failure {
    match (error, runtime.interrupted()) {
        (aws::Error::Interrupted, signal) => Failure::Signal(
            signal.unwrap_or(signals::INTERRUPT),
            "interrupted: nothing was changed",
        ),
        (error, _) if error.is_usage() => Failure::Usage(error.to_string()),
        (error, _) => Failure::NothingEvaluated(error.to_string()),
    }
}

/// Prints the policy that is needed, if a permission was missing.
pub(super) fn print_policy(iam: &RemedyIam<'_>, partition: &str) {
    let mut names: Vec<&str> = iam
        .missing()
        .iter()
        .map(|missing| missing.action.name())
        .collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let policy = escape_lines(&aws::remedy_policy(partition));
        print_message(format_args!(
            "AWS denied {}. The smallest policy for the credentials or the role that apply plans:\n{policy}",
            names.join(", ")
        ));
    }
}
