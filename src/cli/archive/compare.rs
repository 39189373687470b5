//! `credlens diff --archive`: which reports of an archive are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use credlens::archive::list::ListedReport;
use credlens::history::{StaleAccount, stale_phrase};
use credlens::report::time::Timestamp;
use credlens::rule::Filters;

use super::args::{CompareArgs, ReportFilterArgs, until};
use super::{existing_store, latest, listed, select};
use crate::cli::aws::LocationArgs;
use crate::cli::diff::{Compared, Sides};
use crate::cli::failure::Failure;
use crate::cli::terminal::print_warning;

/// A report, and the accounts of which it is the last one.
type Latest = (ListedReport, BTreeSet<String>);

impl CompareArgs {
    pub(in crate::cli) fn path(&self) -> Option<&Path> {
        self.archive.as_deref()
    }

    /// The reports that OLD and NEW stand for, if an archive is named.
    pub(in crate::cli) fn sides(
        &self,
        location: &LocationArgs,
        instants: [&Path; 2],
        filters: &Filters,
    ) -> Result<Option<Sides>, Failure> {
        let sides = |archive: &PathBuf| sides(archive, location, instants, filters);
        self.archive.as_ref().map(sides).transpose()
    }
}

/// Of each account the last report as of each instant. Accounts with no report as of the older one are left out, with
/// a warning.
fn sides(
    archive: &Path,
    location: &LocationArgs,
    instants: [&Path; 2],
    filters: &Filters,
) -> Result<Sides, Failure> {
    let store = existing_store(archive, location)?;
    let [old, new] = instants.map(at);
    let instants = [old?, new?];
    let (reports, failed) = listed(&*store)?;
    if failed {
        return Err(Failure::NothingEvaluated(
            "which reports are the last ones is unknown while files of the archive are damaged".to_owned(),
        ));
    }
    let [old, new] = instants.map(|at| side(&reports, at, filters));
    let (old, new) = (old?, new?);
    let last_of = last_reports(&old);
    for account in last_reports(&new)
        .keys()
        .filter(|account| !last_of.contains_key(*account))
    {
        print_warning(match &**account {
            "" => "reports that name no account are left out: none of them is as of OLD or before".to_owned(),
            account => format!(
                "account {} has no report as of OLD, and is left out",
                named(account, &new)
            ),
        });
    }
    let is_stale = |path: &String, account: &String| last_of.get(account) == Some(path);
    let stale = compared(archive, &new, is_stale);
    let newer = compared(archive, &new, |path, account| {
        last_of.contains_key(account) && !is_stale(path, account)
    });
    if newer.is_empty() {
        return Err(nothing_newer(&new, is_stale));
    }
    let has_newer = last_reports(&new);
    let older = compared(archive, &old, |path, account| {
        has_newer.get(account).is_some_and(|newer| newer != path)
    });
    Ok(Sides {
        old: older,
        new: newer,
        stale,
    })
}

/// The path of the last report of each account.
fn last_reports(side: &[Latest]) -> BTreeMap<String, String> {
    let reports = side.iter().map(|(listed, of)| (listed.path(), of));
    reports
        .flat_map(|(path, of)| of.iter().map(move |account| (account.clone(), path.clone())))
        .collect()
}

/// The reports of the accounts that are wanted, each with these accounts.
fn compared(archive: &Path, side: &[Latest], is_wanted: impl Fn(&String, &String) -> bool) -> Vec<Compared> {
    let reports = side.iter().map(|(listed, of)| {
        let path = listed.path();
        let of = of.iter().filter(|account| is_wanted(&path, account));
        let of: BTreeSet<_> = of.map(|account| account.clone().into_bytes()).collect();
        (archive.join(path), of)
    });
    reports
        .filter(|(_, of)| !of.is_empty())
        .map(|(path, of)| (path, Some(of)))
        .collect()
}

/// No account can be compared: they have no report as of OLD, or none since.
fn nothing_newer(new: &[Latest], is_stale: impl Fn(&String, &String) -> bool) -> Failure {
    let of_report = |(listed, of): &Latest| {
        let (path, report) = (listed.path(), &listed.report);
        let of = of.iter().filter(|account| is_stale(&path, account));
        let of = of.map(|account| StaleAccount {
            account: Some(account.clone()).filter(|account| !account.is_empty()),
            account_name: report.account_name.clone(),
            as_of: report.as_of.to_string(),
            findings: 0,
        });
        of.collect::<Vec<_>>()
    };
    let stale: Vec<_> = new.iter().flat_map(of_report).collect();
    Failure::NothingEvaluated(stale_phrase(&stale).map_or_else(
        || "no account has a report as of OLD and one as of NEW".to_owned(),
        |stale| format!("no account has a newer report than as of OLD: {stale}"),
    ))
}

/// The account, with its name if a report has it.
fn named(account: &str, reports: &[Latest]) -> String {
    let of = |(listed, of): &Latest| {
        listed
            .report
            .account_name
            .clone()
            .filter(|_| of.contains(account))
    };
    let name = reports.iter().find_map(of);
    name.map_or_else(|| account.to_owned(), |name| format!("{account} ({name})"))
}

fn at(instant: &Path) -> Result<Timestamp, Failure> {
    let text = instant.to_string_lossy();
    until(&text)
        .map_err(|error| Failure::Usage(format!("'{text}': {error}; --archive compares two instants")))
}

/// Of each account that the filters admit the last report at this instant or before.
fn side(reports: &[ListedReport], at: Timestamp, filters: &Filters) -> Result<Vec<Latest>, Failure> {
    let until = ReportFilterArgs {
        until: Some(at),
        ..ReportFilterArgs::default()
    };
    let mut last = latest(select(reports.to_vec(), &until));
    for (listed, of) in &mut last {
        let report = &listed.report;
        // The names of several accounts are only in their rows.
        let may_be_named = report.accounts.len() > 1;
        let name = report.account_name.as_deref().map(str::as_bytes);
        of.retain(|account| may_be_named || filters.admits_account(some(account), name));
    }
    last.retain(|(_, of)| !of.is_empty());
    if last.is_empty() {
        let of = match filters.phrase() {
            filters if filters.is_empty() => String::new(),
            filters => format!(" of {filters}"),
        };
        return Err(Failure::NothingEvaluated(format!(
            "the archive has no report{of} as of {at} or before"
        )));
    }
    Ok(last)
}

fn some(account: &str) -> Option<&[u8]> {
    Some(account.as_bytes()).filter(|account| !account.is_empty())
}
