//! Which reports of several accounts are compared: of each account the last one of OLD with that of NEW.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use credlens::engine::{self, Instants, SurveyedReport};
use credlens::finding::{Code, Diagnostic, Level};
use credlens::history::{StaleAccount, stale_phrase};
use credlens::report::time::Timestamp;

use super::{Compared, Sides};
use crate::cli::aws::Objects;
use crate::cli::diagnostics::has_errors;
use crate::cli::evaluate::Evaluation;
use crate::cli::failure::Failure;

/// A report, and the accounts of which it is the last one of its side.
pub(in crate::cli) struct LastReport {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) as_of: Timestamp,
    /// The name of its one account, if it is known before the report is read.
    pub(in crate::cli) name: Option<String>,
    /// Empty for rows that name no account.
    pub(in crate::cli) accounts: BTreeSet<String>,
}

/// Pairs the last reports of accounts. Accounts that OLD lacks are left out, with a diagnostic; those that have no newer report
/// are not compared. `at` is how messages name a side: `in` a directory, `as of` an instant.
pub(in crate::cli) fn pair(old: &[LastReport], new: &[LastReport], at: &str) -> Result<Sides, Failure> {
    let [as_of_old, as_of_new] = [old, new].map(by_account);
    let left_out = as_of_new
        .keys()
        .filter(|account| !as_of_old.contains_key(*account));
    let notes = left_out.map(|account| {
        let message = match *account {
            "" => format!("reports that name no account are not compared: there are none {at} OLD"),
            account => format!(
                "account {} has no report {at} OLD, so it is not compared",
                named(account, new)
            ),
        };
        Diagnostic::new(Code::AccountNotCompared, message)
    });
    let notes: Vec<_> = notes.collect();
    let newer = |account: &String| {
        let [old, new] = [&as_of_old, &as_of_new].map(|side| side.get(&**account));
        old.zip(new).is_some_and(|(old, new)| new != old)
    };
    let stale = |account: &String| as_of_old.contains_key(&**account) && !newer(account);
    if !as_of_new.keys().any(|account| newer(&(*account).to_owned())) {
        return Err(nothing_newer(old, stale, at));
    }
    Ok(Sides {
        old: compared(old, newer),
        new: compared(new, newer),
        stale: compared(old, stale),
        unpaired: compared(new, |account| !as_of_old.contains_key(&**account)),
        notes,
    })
}

/// The as-of of the last report of each account.
fn by_account(side: &[LastReport]) -> BTreeMap<&str, Timestamp> {
    let reports = side.iter();
    reports
        .flat_map(|report| report.accounts.iter().map(|account| (&**account, report.as_of)))
        .collect()
}

/// The reports of the accounts that are wanted, each path once with all of these accounts that it has.
fn compared(side: &[LastReport], is_wanted: impl Fn(&String) -> bool) -> Vec<Compared> {
    let mut paths: Vec<(&Path, BTreeSet<Vec<u8>>)> = Vec::new();
    for report in side {
        let accounts = report.accounts.iter().filter(|account| is_wanted(account));
        let accounts: BTreeSet<_> = accounts.map(|account| account.clone().into_bytes()).collect();
        if accounts.is_empty() {
            continue;
        }
        match paths.last_mut().filter(|(path, _)| *path == report.path) {
            Some((_, known)) => known.extend(accounts),
            None => paths.push((&report.path, accounts)),
        }
    }
    paths
        .into_iter()
        .map(|(path, accounts)| (path.to_owned(), Some(accounts)))
        .collect()
}

/// No account can be compared: they have no report in OLD, or none since.
fn nothing_newer(old: &[LastReport], is_stale: impl Fn(&String) -> bool, at: &str) -> Failure {
    let stale = old.iter().flat_map(|report| {
        let accounts = report.accounts.iter().filter(|account| is_stale(account));
        accounts.map(|account| StaleAccount::new(account.as_bytes(), report.name.as_deref(), report.as_of, 0))
    });
    let mut stale: Vec<_> = stale.collect();
    stale.sort_by(|one, other| (&one.as_of, &one.account).cmp(&(&other.as_of, &other.account)));
    Failure::NothingEvaluated(stale_phrase(&stale).map_or_else(
        || format!("no account has a report {at} OLD and one {at} NEW"),
        |stale| format!("no account has a newer report than {at} OLD: {stale}"),
    ))
}

/// The account, with its name if a report has it.
fn named(account: &str, reports: &[LastReport]) -> String {
    let mut reports = reports.iter().filter(|report| report.accounts.contains(account));
    let name = reports.find_map(|report| report.name.as_ref());
    name.map_or_else(|| account.to_owned(), |name| format!("{account} ({name})"))
}

/// Of each account that the filters admit the newest report of a directory or file.
pub(super) fn newest(
    evaluation: &Evaluation,
    path: &Path,
    objects: &Objects,
) -> Result<Vec<LastReport>, Failure> {
    let reader = evaluation
        .reader(vec![path.to_owned()], None, objects.clone())
        .compared();
    let survey = |digests| engine::survey(evaluation.progress(reader.open()), evaluation.threads, digests);
    let instants = Instants {
        now: evaluation.now,
        as_of: None,
    };
    let (mut reports, tally) = survey(false)?;
    if has_errors(&tally.diagnostics) {
        evaluation.verbosity.print(&tally.diagnostics, Level::Error);
        return Err(Failure::NothingEvaluated(format!(
            "which reports in {} are the newest ones is unknown while some of them cannot be read",
            path.display()
        )));
    }
    let mut newest = engine::newest_snapshots(&reports, instants, false);
    if newest.is_none() {
        (reports, _) = survey(true)?;
        newest = engine::newest_snapshots(&reports, instants, true);
    }
    let newest = newest.unwrap_or_default();
    let last = |report: &SurveyedReport| {
        let input = &report.input;
        let left_out = newest.rows.left_out_of(input);
        let counts = |account: &&Vec<u8>| left_out.is_none_or(|rows| !rows.accounts.contains(*account));
        let name = input.account.name.as_deref();
        // The names in rows are not known yet.
        let may_be_named = name.is_none();
        let is_admitted = |account: &&Vec<u8>| {
            may_be_named
                || evaluation
                    .filters
                    .admits_account(Some(account), name.map(str::as_bytes))
        };
        let accounts = report.rows.accounts.keys().filter(counts).filter(is_admitted);
        let accounts = accounts.map(|account| String::from_utf8_lossy(account).into_owned());
        let others = report.rows.has_other_rows && report.rows.accounts.is_empty();
        LastReport {
            path: PathBuf::from(&input.path),
            as_of: input.as_of,
            name: name.map(str::to_owned),
            accounts: accounts.chain(others.then(String::new)).collect(),
        }
    };
    let mut last: Vec<LastReport> = reports.iter().map(last).collect();
    // Reports without ARNs are treated as those of one account, of which the last one counts.
    let others = last.iter().filter(|report| report.accounts.contains(""));
    let newest = others.map(|report| report.as_of).max();
    for report in &mut last {
        if Some(report.as_of) != newest {
            report.accounts.remove("");
        }
    }
    last.retain(|report| !report.accounts.is_empty());
    Ok(last)
}
