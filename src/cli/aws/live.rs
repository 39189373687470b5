//! What live scans and `fetch` share: from flags to reports that arrive, and what is printed at the end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use credlens::aws::accounts::{self, Account, UNKNOWN_STATE};
use credlens::aws::{
    self, ConnectSettings, DetailsRequest, Error, FetchJob, FetchOptions, FetchedAccounts, ListedAccounts,
    Outcomes, ReportOrder, RunRecord, Runtime, Session,
};
use credlens::output::{escape, escape_lines};
use credlens::report::time::Timestamp;
use credlens::rule::Filters;

use super::args::AwsArgs;
use super::outcomes::{Done, OutcomesWriter};
use super::table;
use crate::cli::failure::{Attempt as _, Failure};
use crate::cli::outputs::is_read;
use crate::cli::signals;
use crate::cli::span::Span;
use crate::cli::terminal::{print_message, print_warning};

const ROLE: &str = "OrganizationAccountAccessRole";
const SESSION: &str = "credlens";
/// AWS generates no report more often than this, so asking for a younger one has no effect.
const MAX_REPORT_AGE: u64 = 4 * 3_600;
const TIMEOUT: u64 = 600;
const CONCURRENCY: usize = 16;

/// Reports that arrive.
pub(in crate::cli) struct Started {
    /// Listens for signals: keep it until the end.
    pub(in crate::cli) runtime: Runtime,
    pub(in crate::cli) arrivals: FetchedAccounts,
    /// The result of each account: to be filled.
    pub(in crate::cli) record: Arc<Mutex<RunRecord>>,
    pub(in crate::cli) outcomes: OutcomesWriter,
}

/// How reports are fetched, besides the flags for AWS.
#[derive(Clone)]
pub(in crate::cli) struct FetchRequest {
    pub(in crate::cli) details: Option<DetailsRequest>,
    pub(in crate::cli) verbose: bool,
    pub(in crate::cli) quiet: bool,
    pub(in crate::cli) order: ReportOrder,
    /// Of several accounts, those that are fetched.
    pub(in crate::cli) filters: Filters,
    /// How long the run may take to end at a signal.
    pub(in crate::cli) grace: Duration,
}

impl FetchRequest {
    /// The time to end where what delays the end is most often a pipe that no one reads.
    pub(in crate::cli) const SHORT: Duration = Duration::from_secs(2);
    /// The time to save what was fetched. Docker kills a container ten seconds after SIGTERM, others later.
    pub(in crate::cli) const LONG: Duration = Duration::from_secs(8);
}

/// Starts fetching, if `check` finds that the reports can be saved. From here on, a signal leaves no temporary file.
pub(in crate::cli) fn start(
    aws: &AwsArgs,
    now: Timestamp,
    request: &FetchRequest,
    check: impl FnOnce() -> Result<(), Failure>,
) -> Result<Started, Failure> {
    aws.check()?;
    if let (Some(outcomes), Some(accounts)) = (&aws.outcomes, &aws.accounts_file)
        && is_read(outcomes, std::slice::from_ref(accounts))
    {
        return Err(Failure::Usage(format!(
            "{} is the accounts file; give --outcomes another one",
            outcomes.display()
        )));
    }
    let earlier = aws.resume.as_deref().map(read_outcomes).transpose()?;
    let options = options(aws, now, request.verbose);
    let settings = ConnectSettings {
        role_arn: aws.role_arn.clone(),
        // With several accounts it is for their roles.
        external_id: aws.external_id.clone().filter(|_| !aws.several()),
        role_session_name: aws.role_session_name.clone(),
        timeout: Some(options.timeout),
        ..aws.location.settings()?
    };
    let outcomes = OutcomesWriter::new(match request.order {
        ReportOrder::ByAccount => Done::None,
        ReportOrder::InBatches => Done::Archived,
        ReportOrder::AsFetched => Done::Recorded,
    });
    let at_signal = outcomes.at_signal();
    let end_run = move |signal| {
        signals::end_run(signal, || {
            at_signal();
            signals::say_interrupted(signal);
        });
    };
    let runtime = Runtime::new(&signals::heeded(), request.grace, end_run)
        .attempt(|| "cannot start threads for calls to AWS".to_owned())?;
    runtime.exiting_at_once(|| outcomes.open(aws.outcomes.as_deref()).and_then(|()| check()))?;
    let by_signal = |failure| match (failure, runtime.interrupted()) {
        (Failure::Signal(_, text), Some(signal)) => Failure::Signal(signal, text),
        (failure, _) => failure,
    };
    let session = runtime.wait(Session::open(&settings));
    let session =
        session.map_err(|error| by_signal(refused(aws, &error, "aws", request.details.is_some())))?;
    let record = Arc::new(Mutex::new(RunRecord {
        has_details: request.details.is_some(),
        ..RunRecord::default()
    }));
    let listed = if aws.several() {
        let mut several = several(aws, &runtime, &session, earlier.as_ref(), request).map_err(by_signal)?;
        outcomes.plan(&several.accounts, earlier, &record);
        skip_inactive(&request.filters, &mut several.accounts, &record, request.quiet);
        if several.accounts.is_empty() {
            conclude(aws, &record, &outcomes, request.quiet)?;
            let message = "no account was fetched: none of the chosen accounts is active";
            return Err(Failure::NothingEvaluated(message.to_owned()));
        }
        Some(several)
    } else {
        None
    };
    let job = FetchJob {
        session,
        listed,
        options,
        details: request.details.clone(),
    };
    let arrivals = runtime.fetch_all(job, request.order);
    Ok(Started {
        runtime,
        arrivals,
        record,
        outcomes,
    })
}

fn options(aws: &AwsArgs, now: Timestamp, verbose: bool) -> FetchOptions {
    let duration =
        |span: Option<Span>, seconds| span.map_or_else(|| Duration::from_secs(seconds), Span::duration);
    FetchOptions {
        max_report_age: duration(aws.max_report_age, MAX_REPORT_AGE),
        timeout: duration(aws.location.timeout, TIMEOUT),
        now,
        log: if verbose {
            Arc::new(|line: &str| print_message(escape(line)))
        } else {
            Arc::new(|_: &str| {})
        },
    }
}

/// Moves the accounts that are not active to the record. A warning says it of those that are named.
fn skip_inactive(filters: &Filters, accounts: &mut Vec<Account>, record: &Mutex<RunRecord>, quiet: bool) {
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
    for account in accounts.extract_if(.., |account| account.inactive.is_some()) {
        record.skip(&account);
        let is_named = filters.asks_for_account(&account.id, account.name.as_deref());
        if let Some(state) = account.inactive.as_deref().filter(|_| is_named && !quiet) {
            let name = account.name.map_or_else(String::new, |name| format!(" ({name})"));
            let is = if state == UNKNOWN_STATE {
                "has an unknown state".to_owned()
            } else {
                format!("is {state}")
            };
            print_warning(format_args!("account {}{name} {is}; it is skipped", account.id));
        }
    }
}

/// The accounts to fetch, and those that are not active.
fn several(
    aws: &AwsArgs,
    runtime: &Runtime,
    session: &Session,
    earlier: Option<&Outcomes>,
    request: &FetchRequest,
) -> Result<ListedAccounts, Failure> {
    let (filters, details) = (&request.filters, request.details.is_some());
    let listed = match (&aws.accounts_file, earlier) {
        (Some(path), _) => Some(read_accounts(path)?),
        (None, Some(earlier)) => Some(earlier.known()),
        (None, None) => None,
    };
    let caller = runtime.wait(session.caller());
    let caller = caller.map_err(|error| refused(aws, &error, session.partition(), details))?;
    let listed = match listed {
        Some(listed) => Ok(listed),
        None => runtime.wait(aws::organization_accounts(session)),
    };
    let accounts = listed.map_err(|error| refused(aws, &error, &caller.partition, details))?;
    let mut accounts = chosen(accounts, filters)?;
    if let Some(earlier) = earlier {
        retain_failed(aws, filters, &mut accounts, earlier)?;
    }
    let by_default = accounts
        .iter()
        .filter(|account| account.id != caller.account && account.roles.is_empty())
        .filter(|account| account.inactive.is_none());
    let is_arn = aws
        .role_name
        .as_deref()
        .is_some_and(|role| role.starts_with("arn:"));
    if is_arn && by_default.count() > 1 {
        return Err(Failure::Usage(
            "--role-name is the ARN of a role, which is in one account, and there are several; give the name of the role"
                .to_owned(),
        ));
    }
    Ok(ListedAccounts {
        caller,
        accounts,
        role: aws.role_name.clone().unwrap_or_else(|| ROLE.to_owned()),
        external_id: aws.external_id.clone(),
        session_name: aws
            .role_session_name
            .clone()
            .unwrap_or_else(|| SESSION.to_owned()),
        concurrency: aws.concurrency.unwrap_or(CONCURRENCY),
    })
}

/// The accounts that the filters admit, by id.
fn chosen(mut accounts: Vec<Account>, filters: &Filters) -> Result<Vec<Account>, Failure> {
    let all = accounts
        .iter()
        .map(|account| (&*account.id, account.name.as_deref()));
    if let Some(message) = filters.unmatched_account(&all) {
        return Err(Failure::Usage(message));
    }
    accounts.retain(|account| {
        let name = account.name.as_deref().map(str::as_bytes);
        filters.admits_account(Some(account.id.as_bytes()), name)
    });
    accounts.sort();
    if accounts.is_empty() {
        let message = "no account is left to fetch; check --account and --exclude-account";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(accounts)
}

/// Leaves the accounts that failed in an earlier run, and those that were skipped then and are named now.
fn retain_failed(
    aws: &AwsArgs,
    filters: &Filters,
    accounts: &mut Vec<Account>,
    earlier: &Outcomes,
) -> Result<(), Failure> {
    let has_failed = |account: &Account| earlier.failed().any(|failed| failed.account == account.id);
    accounts
        .retain(|account| has_failed(account) || account.inactive.is_some() && filters.asks_for_accounts());
    if accounts.iter().any(has_failed) {
        return Ok(());
    }
    let file = aws.resume.as_deref().unwrap_or(Path::new(""));
    Err(Failure::NothingToDo(format!(
        "none of the chosen accounts failed in {}: nothing to do",
        file.display()
    )))
}

fn read_accounts(path: &Path) -> Result<Vec<Account>, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.attempt(|| format!("cannot read the accounts file {}", path.display()))?;
    accounts::parse(&text).attempt(|| format!("the accounts file {} is invalid", path.display()))
}

fn read_outcomes(path: &Path) -> Result<Outcomes, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.attempt(|| format!("cannot read the outcomes {}", path.display()))?;
    let outcomes = Outcomes::parse(&text);
    let outcomes = outcomes.attempt(|| format!("the outcomes {} are invalid", path.display()))?;
    if outcomes.failed().next().is_none() {
        return Err(Failure::NothingToDo(format!(
            "no account failed in {}: nothing to do",
            path.display()
        )));
    }
    Ok(outcomes)
}

/// The failure for an error of AWS before any report was fetched.
fn refused(aws: &AwsArgs, error: &Error, partition: &str, details: bool) -> Failure {
    if matches!(error, Error::Interrupted) {
        return Failure::Signal(signals::INTERRUPT, "interrupted");
    }
    if error.is_usage() {
        return Failure::Usage(error.to_string());
    }
    let mut message = error.to_string();
    for policy in policies(
        error.missing_permission().as_slice(),
        &role_arn(aws, partition),
        details,
    ) {
        message = format!("{message}\n{policy}");
    }
    Failure::NothingEvaluated(message)
}

/// Prints the result of each account and what to allow, and writes the outcomes.
pub(in crate::cli) fn conclude(
    aws: &AwsArgs,
    record: &Mutex<RunRecord>,
    outcomes: &OutcomesWriter,
    quiet: bool,
) -> Result<(), Failure> {
    let mut record = record.lock().unwrap_or_else(PoisonError::into_inner).clone();
    record
        .outcomes
        .sort_by(|one, other| one.account.cmp(&other.account));
    if aws.several() {
        table::print(&record.outcomes, aws.outcomes.as_deref(), quiet);
    }
    // Listing the accounts, for which the partition would matter, was allowed.
    let role = role_arn(aws, "aws");
    policies(&record.missing, &role, record.has_details).for_each(print_message);
    outcomes.write()
}

/// The ARN of the roles in the accounts, for callers that may not even list the accounts.
fn role_arn(aws: &AwsArgs, partition: &str) -> String {
    aws::role_arn(partition, "*", aws.role_name.as_deref().unwrap_or(ROLE))
}

/// Prints a policy that would allow what AWS denied.
pub(in crate::cli) fn print_policy(remedy: &aws::SuggestedPolicy) {
    print_message(shown(remedy));
}

/// The policies that would allow what AWS denied; `role` is the ARN of the roles in the accounts.
fn policies(denied: &[aws::MissingPermission], role: &str, details: bool) -> impl Iterator<Item = String> {
    let remedies = aws::suggested_policies(denied, role, details).into_iter();
    remedies.map(|remedy| shown(&remedy))
}

fn shown(remedy: &aws::SuggestedPolicy) -> String {
    let names: Vec<_> = remedy.actions.iter().map(|action| action.name()).collect();
    let needed = match names.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last} are", others.join(", ")),
        names => format!("{} is", names.join("")),
    };
    format!(
        "{needed} needed. The smallest policy for {}:\n{}",
        remedy.principal,
        escape_lines(&remedy.policy)
    )
}
