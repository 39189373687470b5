//! `credlens archive list`: the reports of an archive, or the accounts without a recent one.

use std::collections::BTreeMap;

use credlens::archive::list::ListedReport;
use credlens::output::archive::{Contents, StaleInArchive};

use super::args::{ArchiveListArgs, ReportFilterArgs};
use super::{existing_store, latest, listed, select};
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::span::Span;
use crate::cli::terminal::{list_options, print_warning};

pub(super) fn run(args: &ArchiveListArgs) -> Result<Exit, Failure> {
    let store = existing_store(&args.at.archive, &args.at.location)?;
    let (reports, failed) = listed(&*store)?;
    let reports = select(reports, &args.filter);
    if let Some(span) = args.stale {
        let expected = args.expected.accounts()?;
        // Whether accounts have recent reports is not known of an archive without any.
        if reports.is_empty() && args.filter.account.is_empty() && expected.is_none() {
            let message = format!("{} has no such report", store.name());
            return Err(Failure::NothingEvaluated(message));
        }
        return list_stale(args, reports, (span, expected), failed);
    }
    let list = Contents::new(reports.iter().map(ListedReport::to_output).collect());
    let table = || match &*list.reports {
        // Unless a filter or damage left out what there is.
        [] if !failed && args.filter == ReportFilterArgs::default() => {
            format!("{} has no archived report\n", store.name())
        }
        _ => list.table(list_options()),
    };
    args.format.print("the list", table, || list.json())?;
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

/// The accounts whose last report is older than the span before now, or before --until or --at.
fn list_stale(
    args: &ArchiveListArgs,
    mut reports: Vec<ListedReport>,
    (span, expected): (Span, Option<BTreeMap<String, Option<String>>>),
    failed: bool,
) -> Result<Exit, Failure> {
    let filter = &args.filter;
    let at = filter.until.or(filter.at).unwrap_or_else(now);
    let later = reports.extract_if(.., |listed| listed.report.as_of > at);
    if let Some(later) = later.last() {
        let (path, as_of) = (later.path(), later.report.as_of);
        print_warning(format_args!(
            "reports that are dated after now are left out, such as {path} of {as_of}"
        ));
    }
    let is_asked = |account: &String| filter.account.is_empty() || filter.account.contains(account);
    // An account that is asked for or expected, and has no report, is the most stale of all.
    let asked = filter.account.iter().map(|account| (account.clone(), None));
    let mut last: BTreeMap<String, Option<ListedReport>> = asked.collect();
    last.extend(
        expected
            .iter()
            .flatten()
            .map(|(account, _)| (account.clone(), None)),
    );
    for (listed, accounts) in latest(reports) {
        last.extend(
            accounts
                .into_iter()
                .map(|account| (account, Some(listed.clone()))),
        );
    }
    let stale = |report: &ListedReport| report.report.as_of < span.before(at);
    last.retain(|account, report| {
        let is_expected = expected
            .as_ref()
            .is_none_or(|expected| expected.contains_key(account));
        is_asked(account) && is_expected && report.as_ref().is_none_or(stale)
    });
    let stale = last.into_iter().map(|(account, report)| {
        let report = report.as_ref().map(ListedReport::to_output);
        let name = expected
            .as_ref()
            .and_then(|expected| expected.get(&account)?.clone());
        StaleInArchive::new(account, name, report)
    });
    let stale: Vec<_> = stale.collect();
    let exit = match (failed, stale.is_empty()) {
        (true, _) => Exit::Partial,
        (false, true) => Exit::Clean,
        (false, false) => Exit::Findings,
    };
    let list = Contents::of_stale(stale);
    let table = || list.stale_table(&span.to_string(), at, list_options());
    args.format.print("the list", table, || list.json())?;
    Ok(exit)
}
