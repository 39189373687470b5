//! The users whose tags a live run fetches: those with findings, where only these are shown.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use credlens::aws::{DetailsRequest, Report};
use credlens::engine::{
    self, AccountInfo, AssessOptions, EmitFilter, FindingRef, Memory, Program, Sink, UserRow,
};
use credlens::finding::{Severity, Status};
use credlens::report::header::Header;

use crate::cli::evaluating_run::Subject;

/// Fetches details, with the tags of all users.
pub(in crate::cli) fn all_details() -> DetailsRequest {
    DetailsRequest {
        tags_of: Arc::new(|_, _| None),
    }
}

/// Fetches details, with the tags of the users who have findings of these statuses.
pub(super) fn details_of(subject: &Subject, statuses: &[Status]) -> DetailsRequest {
    let evaluation = &subject.evaluation;
    // Without a listing, which would be evaluated for nothing.
    let program = Program::new(evaluation.program.rules().cloned().collect());
    let (filters, due_within) = (evaluation.filters.clone(), evaluation.due_within);
    let (as_of, statuses) = (subject.inputs.options.as_of, statuses.to_vec());
    let tags_of = move |report: &Report, account: &AccountInfo| {
        // What is not a report is an error later on.
        let (header, rows) = Header::split(&report.csv).ok()?;
        let mut source = Memory::default();
        source.add_blocks("", header, as_of.unwrap_or(report.generated), [rows.to_vec()]);
        let sink = Names::default();
        let options = AssessOptions {
            // Accounts are fetched at the same time.
            threads: 1,
            emit: EmitFilter::new(&statuses, Severity::Informational),
            filters: Some(&filters),
            due_within,
            ..AssessOptions::default()
        };
        engine::assess(&program, source.of_account(account), &sink, options).ok()?;
        Some(sink.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    };
    DetailsRequest {
        tags_of: Arc::new(tags_of),
    }
}

/// The names of the users with findings.
#[derive(Default)]
struct Names(Mutex<BTreeSet<String>>);

impl Sink for Names {
    type Part = BTreeSet<String>;

    fn part(&self) -> Self::Part {
        BTreeSet::new()
    }

    fn finding(&self, part: &mut Self::Part, finding: &FindingRef<'_>) {
        let name = finding.row().and_then(UserRow::user);
        // Names that are not UTF-8 are not IAM's.
        let name = name.and_then(|name| str::from_utf8(name).ok());
        if let Some(name) = name.filter(|name| !part.contains(*name)) {
            part.insert(name.to_owned());
        }
    }

    fn accept(&self, part: &mut Self::Part) -> io::Result<()> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.append(part);
        Ok(())
    }
}
