//! Chooses the rows that are evaluated where several snapshots of one account are among the inputs: those of the newest
//! one, with diagnostics about what was left out.

use std::collections::{BTreeMap, BTreeSet};

use super::newest::{Candidate, Choice, Instants, LeftOut, OfAccount, choose};
use super::selection::{LeftOutInput, LeftOutRows, RowSelection};
use super::survey::{AccountRows, SurveyedReport};
use crate::finding::{AsOfSource, Code, Diagnostic, DiagnosticLog, InputTally, LeftOutReason};
use crate::report::time::Timestamp;

/// What is evaluated, and what is said about the rest.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// The rows that are evaluated.
    pub rows: RowSelection,
    /// What was left out, and what is doubtful about it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Chooses the newest snapshot of each account. `None` if that needs digests, and the reports were surveyed without.
pub fn newest_snapshots(reports: &[SurveyedReport], instants: Instants, digests: bool) -> Option<Snapshots> {
    let candidates: Vec<Candidate> = reports.iter().map(candidate).collect();
    let mut needs_digests = false;
    let choice = choose(&candidates, instants, |one, other, account| {
        needs_digests |= !digests;
        reports[one].rows.accounts[account].digest == reports[other].rows.accounts[account].digest
    });
    (!needs_digests).then(|| Snapshots {
        rows: selection(reports, &choice),
        diagnostics: diagnostics(reports, &choice, instants),
    })
}

fn candidate(report: &SurveyedReport) -> Candidate {
    let accounts = report.rows.accounts.iter();
    let of_account = |rows: &AccountRows| OfAccount {
        root: rows.has_root,
        time: rows.time,
    };
    Candidate {
        input: report.input.id.input,
        time: report.time(),
        accounts: accounts
            .map(|(id, rows)| (id.clone(), of_account(rows)))
            .collect(),
    }
}

fn selection(reports: &[SurveyedReport], choice: &Choice) -> RowSelection {
    let mut selection = RowSelection::default();
    let mut inputs: BTreeMap<usize, Option<LeftOutInput>> = BTreeMap::new();
    for (report, left_out) in reports.iter().zip(&choice.left_out) {
        let input = inputs.entry(report.input.id.input).or_insert_with(|| {
            Some(LeftOutInput {
                path: report.input.path.clone(),
                reports: Vec::new(),
            })
        });
        let is_whole = left_out.len() == report.rows.accounts.len() && !report.rows.has_other_rows;
        match (left_out.values().next(), &mut *input) {
            (Some(why), Some(input)) if is_whole => {
                input
                    .reports
                    .push((report.input.id, entry(report, why.reason().0)));
            }
            _ => *input = None,
        }
        if let Some(why) = left_out.values().next() {
            selection.leave_out(
                report.input.id,
                LeftOutRows {
                    path: report.input.path.clone(),
                    accounts: left_out.keys().cloned().collect(),
                    reason: why.reason().0,
                },
            );
        }
    }
    for (number, input) in inputs {
        if let Some(input) = input {
            selection.leave_out_input(number, input);
        }
    }
    selection
}

/// The entry in the tally of a report of which nothing is evaluated.
fn entry(report: &SurveyedReport, reason: LeftOutReason) -> InputTally {
    let input = &report.input;
    InputTally {
        path: input.path.clone(),
        account_name: input.account.name.clone(),
        kind: input.kind.clone(),
        users: None,
        left_out: Some(reason),
        as_of: input.as_of.to_string(),
        as_of_source: input.as_of_source,
        generated: input.generated.map(|time| time.to_string()),
        sha256: None,
    }
}

fn diagnostics(reports: &[SurveyedReport], choice: &Choice, instants: Instants) -> Vec<Diagnostic> {
    let mut log = DiagnosticLog::default();
    if let Some(diagnostic) = summary(choice) {
        log.push(diagnostic);
    }
    for (report, left_out) in reports.iter().zip(&choice.left_out) {
        for (account, why) in left_out {
            let account = String::from_utf8_lossy(account);
            let instead = &reports[why.reason().1].input.path;
            let instead = if *instead == report.input.path {
                "another report in it"
            } else {
                instead
            };
            let message = match why {
                LeftOut::SameTime(_) => format!(
                    "it has other rows of account {account} than {instead}, with the same time; only those of \
                     {instead} are evaluated"
                ),
                LeftOut::Undated(_) => format!(
                    "nothing says when it was generated, so its rows of account {account} are left out; {instead} is \
                     dated"
                ),
                LeftOut::Older(_) | LeftOut::AfterAsOf(_) | LeftOut::Identical(_) => continue,
            };
            log.push(Diagnostic::new(Code::DoubtfulSnapshot, message).in_path(&report.input.path));
        }
    }
    for &position in &choice.future {
        let report = &reports[position];
        let message = format!(
            "it is dated {}, after now ({}), so it takes the place of no other snapshot",
            report.input.as_of, instants.now
        );
        log.push(Diagnostic::new(Code::DoubtfulSnapshot, message).in_path(&report.input.path));
    }
    for (account, time) in &choice.lagging {
        log.push(lagging(account, *time));
    }
    log.finish()
}

/// Warnings about evaluated inputs that nothing dates, if others are dated: their ages count to different instants.
pub fn undated_beside_dated(inputs: &[InputTally]) -> Vec<Diagnostic> {
    let is_dated = |input: &&InputTally| match input.as_of_source {
        AsOfSource::Generated | AsOfSource::FileName => true,
        AsOfSource::Argument | AsOfSource::Now => false,
    };
    let Some(dated) = inputs.iter().find(is_dated) else {
        return Vec::new();
    };
    let undated = inputs
        .iter()
        .filter(|input| input.as_of_source == AsOfSource::Now && input.left_out.is_none());
    let warnings = undated.map(|input| {
        let message = format!(
            "nothing says when this report was generated, so its ages are counted to now; those of {} to {}",
            dated.path, dated.as_of
        );
        Diagnostic::new(Code::Undated, message).in_path(&input.path)
    });
    warnings.collect()
}

fn lagging(account: &[u8], time: Timestamp) -> Diagnostic {
    let account = String::from_utf8_lossy(account);
    let message = format!(
        "the newest snapshot of account {account} is from {time}, more than 7 days before the newest of all accounts"
    );
    Diagnostic::new(Code::LaggingAccount, message)
}

/// One line that says how many snapshots were left out.
fn summary(choice: &Choice) -> Option<Diagnostic> {
    let left_out = || choice.left_out.iter().flatten();
    let accounts: BTreeSet<&Vec<u8>> = left_out().map(|(account, _)| account).collect();
    let counts = LeftOutReason::ALL.into_iter().filter_map(|reason| {
        let count = left_out().filter(|(_, why)| why.reason().0 == reason).count();
        (count > 0).then(|| format!("{count} {}", adjective(reason)))
    });
    let counts: Vec<String> = counts.collect();
    let (snapshots, accounts) = (left_out().count(), accounts.len());
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let message = format!(
        "{snapshots} snapshot{} of {accounts} account{} left out ({}), so that nothing is counted twice; `credlens scan \
         --all-snapshots` evaluates all, `credlens trend` follows them",
        plural(snapshots),
        plural(accounts),
        counts.join(", ")
    );
    (snapshots > 0).then(|| Diagnostic::new(Code::SnapshotsLeftOut, message))
}

fn adjective(reason: LeftOutReason) -> &'static str {
    match reason {
        LeftOutReason::Older => "older",
        LeftOutReason::AfterAsOf => "after --as-of",
        LeftOutReason::Identical => "identical",
        LeftOutReason::SameTime => "of the same time",
        LeftOutReason::Undated => "undated",
        LeftOutReason::Filtered => "without a user that the filters admit",
    }
}
