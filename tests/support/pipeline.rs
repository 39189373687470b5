//! The engine on reports in memory.

use std::sync::Arc;

use credlens::engine::{self, AssessOptions, Collect, EmitFilter, Memory, Program, Source};
use credlens::finding::{Finding, Severity, Status, Tally};
use credlens::gsl::typed::TypedRule;
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use credlens::rule::{BoundRule, Catalogue};

/// The instant at which tests judge: 2026-01-01T00:00:00Z.
pub(crate) const AS_OF: Timestamp = Timestamp(1_767_225_600);

/// Each report is a header line and the blocks of its records.
pub(crate) fn memory(reports: &[(&str, Vec<String>)]) -> Memory {
    let mut memory = Memory::default();
    for (index, (header, blocks)) in reports.iter().enumerate() {
        let header = Header::parse(header.as_bytes()).unwrap();
        let blocks = blocks.iter().map(|block| block.clone().into_bytes());
        memory.add_blocks(&format!("report-{index}.csv"), header, AS_OF, blocks);
    }
    memory
}

/// Judges with everything told.
pub(crate) fn judge(program: &Program, source: impl Source, threads: usize) -> (Vec<Finding>, Tally) {
    let sink = Collect::default();
    let options = AssessOptions {
        threads,
        emit: EmitFilter::new(&Status::ALL, Severity::Informational),
        suppressions: None,
    };
    let tally = engine::assess(program, source, &sink, options).unwrap();
    (sink.into_findings(), tally)
}

/// A rule that has this logic, and nothing else of interest.
pub(crate) fn bound(id: &str, typed: TypedRule) -> BoundRule {
    let catalogue = Catalogue::builtin();
    let mut rule = (**catalogue.rule("two-active-access-keys").unwrap()).clone();
    id.clone_into(&mut rule.id);
    BoundRule {
        rule: Arc::new(rule),
        parameters: std::collections::BTreeMap::new(),
        severity: Severity::Medium,
        typed,
        requirements: Vec::new(),
        message: "broken".to_owned(),
    }
}
