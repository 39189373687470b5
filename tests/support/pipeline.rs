//! Runs the engine on reports in memory.

use std::sync::{Arc, LazyLock};

use credlens::engine::{self, AssessOptions, Collect, EmitFilter, Memory, Program, Source};
use credlens::finding::{Finding, Severity, Status, Tally};
use credlens::gsl::typed::TypedRule;
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use credlens::rule::{BoundRule, Catalogue};

/// The as-of of tests: 2026-01-01T00:00:00Z.
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

/// Evaluates the reports and emits all findings.
pub(crate) fn evaluate(program: &Program, source: impl Source, threads: usize) -> (Vec<Finding>, Tally) {
    let options = AssessOptions {
        threads,
        emit: EmitFilter::new(&Status::ALL, Severity::Informational),
        suppressions: None,
        ..AssessOptions::default()
    };
    evaluate_with(program, source, options)
}

/// Evaluates the reports with these options.
pub(crate) fn evaluate_with(
    program: &Program,
    source: impl Source,
    options: AssessOptions<'_>,
) -> (Vec<Finding>, Tally) {
    let sink = Collect::default();
    let tally = engine::assess(program, source, &sink, options).unwrap();
    (sink.into_findings(), tally)
}

/// The built-in rules, parsed once.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);

/// A rule with this logic; the rest of it does not matter.
pub(crate) fn bound(id: &str, typed: TypedRule) -> BoundRule {
    let mut rule = (**CATALOGUE.rule("two-active-access-keys").unwrap()).clone();
    id.clone_into(&mut rule.id);
    BoundRule {
        rule: Arc::new(rule),
        parameters: std::collections::BTreeMap::new(),
        severity: Severity::Medium,
        typed,
        requirements: Vec::new(),
        related: Vec::new(),
        message: "broken".to_owned(),
    }
}
