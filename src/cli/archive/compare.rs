//! `credlens diff --archive`: which reports of an archive are compared.

use std::path::{Path, PathBuf};

use credlens::archive::list::ListedReport;
use credlens::report::time::Timestamp;
use credlens::rule::Filters;

use super::args::{CompareArgs, ReportFilterArgs, until};
use super::{existing_store, latest, listed, select};
use crate::cli::aws::LocationArgs;
use crate::cli::diff::Sides;
use crate::cli::diff::sides::{LastReport, pair};
use crate::cli::failure::Failure;

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
    let [old, new] = instants.map(|at| side(archive, &reports, at, filters));
    let (old, new) = (old?, new?);
    pair(&old, &new, "as of")
}

fn at(instant: &Path) -> Result<Timestamp, Failure> {
    let text = instant.to_string_lossy();
    until(&text)
        .map_err(|error| Failure::Usage(format!("'{text}': {error}; --archive compares two instants")))
}

/// Of each account that the filters admit the last report at this instant or before.
fn side(
    archive: &Path,
    reports: &[ListedReport],
    at: Timestamp,
    filters: &Filters,
) -> Result<Vec<LastReport>, Failure> {
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
        return Err(Failure::NothingEvaluated(format!(
            "the archive has no report{} as of {at} or before",
            filters.phrase()
        )));
    }
    let last = last.into_iter().map(|(listed, accounts)| LastReport {
        path: archive.join(listed.path()),
        as_of: listed.report.as_of,
        name: listed.report.account_name,
        accounts,
    });
    Ok(last.collect())
}

fn some(account: &str) -> Option<&[u8]> {
    Some(account.as_bytes()).filter(|account| !account.is_empty())
}
