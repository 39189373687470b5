//! Time: what changed between reports of simulated accounts, held against what truly happened.

mod cli;
mod diff;
mod garbage;
mod odd;
mod simulation;
mod trend;
mod truth;
mod unclear;

use std::sync::Arc;

use credlens::engine::{self, Account, Event, Input, Program, Sink, Source, Tell};
use credlens::finding::{AsOfSource, Severity, Status};
use credlens::history::{Collector, Snapshot};
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use credlens::rule::{Catalogue, Selection, select};

/// A report in memory: its header, its records, and its as-of.
#[derive(Clone)]
pub(crate) struct Report {
    pub(crate) header: String,
    pub(crate) records: String,
    pub(crate) as_of: i64,
}

struct Memory {
    reports: std::vec::IntoIter<Report>,
    index: usize,
}

impl Source for Memory {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<Event> {
        let report = self.reports.next()?;
        text.clear();
        text.extend_from_slice(report.records.as_bytes());
        let input = Arc::new(Input {
            index: self.index,
            path: format!("report-{}.csv", self.index),
            kind: "csv".to_owned(),
            header: Header::parse(report.header.as_bytes()).unwrap(),
            as_of: Timestamp(report.as_of),
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: Account::default(),
        });
        self.index += 1;
        Some(Event::Block { input, last: true })
    }
}

/// The default rules.
pub(crate) fn program() -> Program {
    let selected = select(&Catalogue::builtin(), &Selection::default()).unwrap();
    Program::new(selected.rules)
}

/// Judges reports into snapshots, one after the other.
pub(crate) fn snapshots(program: &Program, reports: Vec<Report>, take: impl FnMut(Snapshot) + Send) {
    judge(program, reports, &Collector::new(take));
}

/// Judges reports one after the other.
pub(crate) fn judge(program: &Program, reports: Vec<Report>, sink: &impl Sink) {
    let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
    let options = engine::Options {
        threads: 2,
        tell: Tell::new(&statuses, Severity::Informational),
        suppressions: None,
    };
    let source = Memory {
        reports: reports.into_iter(),
        index: 0,
    };
    engine::assess(program, source, sink, options).unwrap();
}
