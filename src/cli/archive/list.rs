//! `credlens archive list`: the reports of an archive, or the accounts without a recent one.

use std::collections::BTreeMap;

use credlens::archive::list::ListedReport;
use credlens::output::archive::{Contents, StaleInArchive};

use super::args::{ArchiveListArgs, ReportFilterArgs};
use super::{existing_store, latest, listed, select};
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::span::Span;
use crate::cli::terminal::list_options;

pub(super) fn run(args: &ArchiveListArgs) -> Result<Exit, Failure> {
    let store = existing_store(&args.at.archive, &args.at.location)?;
    let (reports, failed) = listed(&*store)?;
    let reports = select(reports, &args.filter);
    if let Some(span) = args.stale {
        // Whether accounts have recent reports is not known of an archive without any.
        if reports.is_empty() && args.filter.account.is_empty() {
            let message = format!("{} has no such report", store.name());
            return Err(Failure::NothingEvaluated(message));
        }
        return list_stale(args, reports, span, failed);
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
    reports: Vec<ListedReport>,
    span: Span,
    failed: bool,
) -> Result<Exit, Failure> {
    let filter = &args.filter;
    let at = filter.until.or(filter.at).unwrap_or_else(now);
    // An account that is asked for and has no report is the most stale of all.
    let asked = filter.account.iter().map(|account| (account.clone(), None));
    let mut last: BTreeMap<String, Option<ListedReport>> = asked.collect();
    for (listed, accounts) in latest(reports) {
        let is_asked = |account: &String| filter.account.is_empty() || filter.account.contains(account);
        let accounts = accounts.into_iter().filter(is_asked);
        last.extend(accounts.map(|account| (account, Some(listed.clone()))));
    }
    let stale = |report: &ListedReport| report.report.as_of < span.before(at);
    last.retain(|_, report| report.as_ref().is_none_or(stale));
    let stale: Vec<_> = last
        .into_iter()
        .map(|(account, report)| StaleInArchive::new(account, report.as_ref().map(ListedReport::to_output)))
        .collect();
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
