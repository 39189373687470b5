//! `credlens diff --archive`: which reports of an archive are compared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use credlens::archive::list::ListedReport;
use credlens::report::time::Timestamp;

use super::args::{CompareArgs, ReportFilterArgs, until};
use super::{existing_store, latest, listed, select};
use crate::cli::aws::LocationArgs;
use crate::cli::diff::Compared;
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
    ) -> Result<Option<[Vec<Compared>; 2]>, Failure> {
        let sides = |archive: &PathBuf| sides(archive, location, instants, &self.account);
        self.archive.as_ref().map(sides).transpose()
    }
}

/// Of each account the last report as of each instant. Accounts with no report as of the older one are left out, with
/// a warning.
fn sides(
    archive: &Path,
    location: &LocationArgs,
    instants: [&Path; 2],
    accounts: &[String],
) -> Result<[Vec<Compared>; 2], Failure> {
    let store = existing_store(archive, location)?;
    let [old, new] = instants.map(at);
    let instants = [old?, new?];
    let (reports, failed) = listed(&*store)?;
    if failed {
        return Err(Failure::NothingEvaluated(
            "which reports are the last ones is unknown while files of the archive are damaged".to_owned(),
        ));
    }
    let [old, new] = instants.map(|at| side(&reports, at, accounts));
    let (old, new) = (old?, new?);
    let accounts_of =
        |side: &[Latest]| -> BTreeSet<String> { side.iter().flat_map(|(_, of)| of.clone()).collect() };
    let known = accounts_of(&old);
    for account in accounts_of(&new).difference(&known) {
        print_warning(match &**account {
            "" => "reports that name no account are left out: none of them is as of OLD or before".to_owned(),
            account => format!(
                "account {} has no report as of OLD, and is left out",
                named(account, &new)
            ),
        });
    }
    let compared = [old, new].map(|side| -> Vec<Compared> {
        let both = side.iter().map(|(listed, of)| {
            let of = of.intersection(&known);
            let of: BTreeSet<_> = of.map(|account| account.clone().into_bytes()).collect();
            (archive.join(listed.path()), of)
        });
        both.filter(|(_, of)| !of.is_empty())
            .map(|(path, of)| (path, Some(of)))
            .collect()
    });
    if compared[1].is_empty() {
        let message = "no account has a report as of OLD and one as of NEW";
        return Err(Failure::NothingEvaluated(message.to_owned()));
    }
    Ok(compared)
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

fn side(reports: &[ListedReport], at: Timestamp, accounts: &[String]) -> Result<Vec<Latest>, Failure> {
    let filter = ReportFilterArgs {
        account: accounts.to_vec(),
        until: Some(at),
        ..ReportFilterArgs::default()
    };
    let reports = select(reports.to_vec(), &filter);
    if reports.is_empty() {
        return Err(Failure::NothingEvaluated(format!(
            "the archive has no such report as of {at} or before"
        )));
    }
    let mut reports = latest(reports);
    for (_, of) in &mut reports {
        of.retain(|account| accounts.is_empty() || accounts.contains(account));
    }
    Ok(reports)
}
