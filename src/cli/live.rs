//! What live scans and `fetch` share: from flags to reports on their way, and what is told at the end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use credlens::aws::accounts::{self, Account};
use credlens::aws::{
    self, AccountScope, ConnectSettings, Error, FetchJob, FetchOptions, FetchedAccounts, ListedAccounts,
    Outcome, OutcomeStatus, Outcomes, ReportOrder, RunRecord, Runtime, Session,
};
use credlens::io::temporary;
use credlens::output::{counted, escape};
use credlens::report::time::Timestamp;

use super::aws_args::{Aws, Span};
use super::outcomes::{OutcomesWriter, SavePolicy, WeakOutcomesWriter};
use super::target::is_read;
use super::{Exit, print_error, tell};

const ROLE: &str = "OrganizationAccountAccessRole";
const SESSION: &str = "credlens";
/// AWS makes no report that is younger than this, so asking for one would be in vain.
const MAX_REPORT_AGE: u64 = 4 * 3_600;
const TIMEOUT: u64 = 600;
const CONCURRENCY: usize = 16;

/// Reports on their way.
pub(super) struct Started {
    /// Hears Ctrl-C: to be kept until the end.
    pub(super) runtime: Runtime,
    pub(super) arrivals: FetchedAccounts,
    /// What becomes of the accounts: to be filled.
    pub(super) record: Arc<Mutex<RunRecord>>,
    pub(super) outcomes: OutcomesWriter,
}

/// What is wanted besides the reports, and of them.
#[derive(Clone, Copy)]
pub(super) struct FetchRequest {
    pub(super) resolve_keys: bool,
    pub(super) verbose: bool,
    pub(super) done: SavePolicy,
    pub(super) order: ReportOrder,
}

/// Starts fetching, or says why that cannot be.
///
/// # Errors
/// Those of files and flags; those of AWS are told, and become the exit status.
pub(super) fn start(
    aws: &Aws,
    now: Timestamp,
    request: FetchRequest,
) -> anyhow::Result<Result<Started, Exit>> {
    aws.check()?;
    if let (Some(outcomes), Some(accounts)) = (&aws.outcomes, &aws.accounts_file)
        && is_read(outcomes, std::slice::from_ref(accounts))
    {
        bail!(
            "{} is the accounts file; give --outcomes another one",
            outcomes.display()
        );
    }
    let earlier = aws.resume.as_deref().map(read_outcomes).transpose()?;
    let outcomes = OutcomesWriter::open(aws.outcomes.as_deref(), request.done)?;
    let at_the_end = outcomes.weak();
    let runtime = Runtime::new(move || end_at_once(&at_the_end))
        .context("threads for calls to AWS cannot be started")?;
    let options = options(aws, now, request.verbose);
    let settings = settings(aws, &options);
    let session = match runtime.wait(Session::open(&settings)) {
        Ok(session) => session,
        Err(error) if error.is_usage() => bail!("{error}"),
        Err(error) => return Ok(Err(refuse(aws, &error, "aws"))),
    };
    let record = Arc::<Mutex<RunRecord>>::default();
    let scope = if aws.several() {
        match several(aws, &runtime, &session, earlier.as_ref())? {
            Ok(several) => {
                outcomes.plan(&several.accounts, earlier, &record);
                AccountScope::Listed(several)
            }
            Err((error, partition)) => return Ok(Err(refuse(aws, &error, &partition))),
        }
    } else {
        AccountScope::Own
    };
    let job = FetchJob {
        session,
        scope,
        options,
        resolve_keys: request.resolve_keys,
    };
    let arrivals = runtime.fetch_all(job, request.order);
    Ok(Ok(Started {
        runtime,
        arrivals,
        record,
        outcomes,
    }))
}

/// Where Ctrl-C does not end a run otherwise.
#[expect(clippy::exit, reason = "what is in the way of returning cannot be ended")]
fn end_at_once(outcomes: &WeakOutcomesWriter) {
    // Nobody may be left to be told.
    drop(outcomes.upgrade().map(|outcomes| outcomes.interrupted()));
    temporary::discard();
    std::process::exit(Exit::Interrupted as i32);
}

/// Hears Ctrl-C where nothing is waited for that could be ended by itself: no temporary file is left behind then.
pub(super) fn listen() -> anyhow::Result<Runtime> {
    #[expect(clippy::exit, reason = "what is being read cannot be ended")]
    let at_once = || {
        temporary::discard();
        std::process::exit(Exit::Interrupted as i32);
    };
    let runtime = Runtime::new(at_once).context("threads for calls to AWS cannot be started")?;
    runtime.exit_immediately();
    Ok(runtime)
}

fn settings(aws: &Aws, options: &FetchOptions) -> ConnectSettings {
    ConnectSettings {
        profile: aws.place.profile.clone(),
        region: aws.place.region.clone(),
        endpoint_url: aws.place.endpoint_url.clone(),
        role_arn: aws.role_arn.clone(),
        // It is that of the accounts' roles, where there are several.
        external_id: aws.external_id.clone().filter(|_| !aws.several()),
        role_session_name: aws.role_session_name.clone(),
        timeout: Some(options.timeout),
    }
}

fn options(aws: &Aws, now: Timestamp, verbose: bool) -> FetchOptions {
    let seconds =
        |span: Option<Span>, usual| span.map_or(std::time::Duration::from_secs(usual), |span| span.0);
    FetchOptions {
        max_report_age: seconds(aws.max_report_age, MAX_REPORT_AGE),
        timeout: seconds(aws.timeout, TIMEOUT),
        now,
        log: if verbose {
            Arc::new(|line: &str| tell(escape(line)))
        } else {
            Arc::new(|_: &str| {})
        },
    }
}

/// The accounts to be scanned; an error of AWS comes with the partition that it is about.
fn several(
    aws: &Aws,
    runtime: &Runtime,
    session: &Session,
    earlier: Option<&Outcomes>,
) -> anyhow::Result<Result<ListedAccounts, (Error, String)>> {
    let listed = match (&aws.accounts_file, earlier) {
        (Some(path), _) => Some(read_accounts(path)?),
        (None, Some(earlier)) => Some(earlier.to_retry()),
        (None, None) => None,
    };
    let caller = match runtime.wait(session.caller()) {
        Ok(caller) => caller,
        Err(error) => return Ok(Err((error, session.partition().to_owned()))),
    };
    let listed = match listed {
        Some(listed) => Ok(listed),
        None => runtime.wait(aws::active_accounts(session)),
    };
    let mut accounts = match listed {
        Ok(listed) => listed,
        Err(error) => return Ok(Err((error, caller.partition))),
    };
    if let Some(earlier) = earlier {
        accounts.retain(|account| earlier.failed().any(|failed| failed.account == account.id));
    }
    Ok(Ok(ListedAccounts {
        caller,
        accounts: accounts::select(accounts, &aws.accounts, &aws.exclude_accounts)?,
        role: aws.role_name.clone().unwrap_or_else(|| ROLE.to_owned()),
        external_id: aws.external_id.clone(),
        session_name: aws
            .role_session_name
            .clone()
            .unwrap_or_else(|| SESSION.to_owned()),
        concurrency: aws.concurrency.unwrap_or(CONCURRENCY),
    }))
}

fn read_accounts(path: &Path) -> anyhow::Result<Vec<Account>> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("the accounts file {} cannot be read", path.display()))?;
    accounts::parse(&text).with_context(|| format!("the accounts file {} is wrong", path.display()))
}

fn read_outcomes(path: &Path) -> anyhow::Result<Outcomes> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("the outcomes {} cannot be read", path.display()))?;
    let outcomes = Outcomes::parse(&text);
    let outcomes = outcomes.with_context(|| format!("the outcomes {} cannot be used", path.display()))?;
    if outcomes.failed().next().is_none() {
        bail!(
            "in {} no account failed: there is nothing to go on with",
            path.display()
        );
    }
    Ok(outcomes)
}

/// Tells an error of AWS before any report was fetched.
fn refuse(aws: &Aws, error: &Error, partition: &str) -> Exit {
    if matches!(error, Error::Interrupted) {
        tell("interrupted");
        return Exit::Interrupted;
    }
    print_error(error);
    tell_policies(aws, error.missing_permission().as_slice(), partition);
    Exit::NothingEvaluated
}

/// Tells how the accounts came out and what to allow, and keeps it where that was asked for.
pub(super) fn conclude(
    aws: &Aws,
    record: &Mutex<RunRecord>,
    outcomes: &OutcomesWriter,
    quiet: bool,
) -> anyhow::Result<()> {
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner).clone();
    record
        .outcomes
        .sort_by(|one, other| one.account.cmp(&other.account));
    let any_failed = record
        .outcomes
        .iter()
        .any(|outcome| outcome.outcome == OutcomeStatus::Failed);
    if aws.several() && (any_failed || !quiet) {
        tell_outcomes(&record.outcomes);
    }
    // Listing the accounts, to which the partition would matter, has been allowed.
    tell_policies(aws, &record.missing, "aws");
    outcomes.keep()
}

/// The table of outcomes: who failed by name and why, and how many did not.
fn tell_outcomes(outcomes: &[Outcome]) {
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.outcome == OutcomeStatus::Failed)
        .collect();
    let fetched = outcomes.len() - failed.len();
    let accounts = counted(outcomes.len() as u64, "account");
    tell(format_args!(
        "{accounts}: {fetched} fetched, {} failed",
        failed.len()
    ));
    let name = |outcome: &Outcome| escape(outcome.name.as_deref().unwrap_or("-")).into_owned();
    let width = failed
        .iter()
        .map(|outcome| name(outcome).chars().count())
        .max()
        .unwrap_or(0);
    for outcome in failed {
        let why = escape(outcome.error.as_deref().unwrap_or("")).into_owned();
        tell(format_args!(
            "  {}  {:width$}  {why}",
            escape(&outcome.account),
            name(outcome)
        ));
    }
}

fn tell_policies(aws: &Aws, denied: &[aws::MissingPermission], partition: &str) {
    let role = aws.role_name.as_deref().unwrap_or(ROLE);
    tell_remedies(denied, &aws::role_arn(partition, "*", role));
}

/// Tells what to allow; `role` is the ARN of the roles in the accounts, for who may not even list them.
pub(super) fn tell_remedies(denied: &[aws::MissingPermission], role: &str) {
    for remedy in aws::suggested_policies(denied, role) {
        tell(format_args!(
            "{} is wanted. The smallest policy for {}:\n{}",
            remedy.action,
            remedy.principal,
            harmless_lines(&remedy.policy)
        ));
    }
}

fn harmless_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}
