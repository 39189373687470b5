//! The engine on reports in memory.

use std::io;
use std::sync::{Arc, Mutex};

use credlens::engine::{self, Account, Event, Hit, Input, Options, Program, Sink, Source, Tell};
use credlens::finding::{AsOfSource, Finding, Severity, Status, Tally};
use credlens::gsl::typed::TypedRule;
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use credlens::rule::{BoundRule, Catalogue};

/// The instant at which tests judge: 2026-01-01T00:00:00Z.
pub(crate) const AS_OF: Timestamp = Timestamp(1_767_225_600);

/// Reports in memory, each cut into blocks.
pub(crate) struct Memory(std::vec::IntoIter<(Arc<Input>, Vec<u8>, bool)>);

impl Memory {
    /// Each report is a header line and the blocks of its records.
    pub(crate) fn new(reports: &[(&str, Vec<String>)]) -> Self {
        let mut events = Vec::new();
        for (index, (header, blocks)) in reports.iter().enumerate() {
            let input = Arc::new(Input {
                index,
                path: format!("report-{index}.csv"),
                kind: "csv".to_owned(),
                header: Header::parse(header.as_bytes()).unwrap(),
                as_of: AS_OF,
                as_of_source: AsOfSource::Argument,
                generated: None,
                account: Account::default(),
            });
            for (at, block) in blocks.iter().enumerate() {
                let last = at + 1 == blocks.len();
                events.push((Arc::clone(&input), block.clone().into_bytes(), last));
            }
        }
        Self(events.into_iter())
    }
}

impl Source for Memory {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        let (input, block, last) = self.0.next()?;
        text.clear();
        text.extend_from_slice(&block);
        Some(Event::Block { input, last })
    }
}

/// Keeps all findings.
#[derive(Default)]
pub(crate) struct Collect(Mutex<Vec<Finding>>);

impl Sink for Collect {
    type Part = Vec<Finding>;

    fn part(&self) -> Self::Part {
        Vec::new()
    }

    fn hit(&self, part: &mut Self::Part, hit: &Hit<'_>) {
        part.push(hit.to_finding());
    }

    fn accept(&self, part: &mut Self::Part) -> io::Result<()> {
        self.0.lock().unwrap().append(part);
        Ok(())
    }
}

/// Judges with everything told.
pub(crate) fn judge(program: &Program, source: impl Source, threads: usize) -> (Vec<Finding>, Tally) {
    let sink = Collect::default();
    let options = Options {
        threads,
        tell: Tell::new(&Status::ALL, Severity::Informational),
        suppressions: None,
    };
    let tally = engine::assess(program, source, &sink, options).unwrap();
    (sink.0.into_inner().unwrap(), tally)
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
