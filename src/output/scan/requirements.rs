//! `requirements`: one requirement of a selected framework per record of CSV, for the sheet that an auditor asks for.

use super::{ScanView, ScanWriter, compliance};
use crate::finding::{Decided, FrameworkTally, RequirementTally};
use crate::output::csv_text::write_record;
use crate::output::format::{FormatSpec, Readers};

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "requirements",
    "csv of a framework's requirements",
    Readers::Program,
    ScanWriter::RenderRequirements(render),
);

const HEADER: [&str; 10] = [
    "requirement",
    "title",
    "decided",
    "status",
    "passed",
    "failed",
    "undetermined",
    "accounts_passing",
    "accounts_failing",
    "note",
];

fn render(view: &ScanView<'_>) -> String {
    let mut out = Vec::new();
    write_record(HEADER.into_iter().map(str::to_owned), &mut out);
    for framework in &view.tally.compliance {
        for requirement in &framework.requirements {
            write_record(record(framework, requirement).into_iter(), &mut out);
        }
    }
    String::from_utf8(out).expect("invariant: cells are text")
}

/// Where a report decides nothing there is no count: a 0 would read as a result.
fn record(framework: &FrameworkTally, requirement: &RequirementTally) -> [String; 10] {
    let count = |count: u64| match requirement.decided {
        Decided::No => String::new(),
        Decided::Yes | Decided::Partly => count.to_string(),
    };
    let accounts = requirement.accounts.unwrap_or_default();
    [
        format!("{}/{}", framework.framework, requirement.id),
        requirement.title.clone(),
        requirement.decided.to_string(),
        requirement.outcome.to_string(),
        count(requirement.passed),
        count(requirement.failed),
        count(requirement.undetermined),
        count(accounts.passing),
        count(accounts.failing),
        compliance::note(requirement).unwrap_or_default(),
    ]
}
