//! Benchmarks of `diff` and `trend`: `cargo bench --bench history`. Reports of 10,000 users are generated, change day by day,
//! and are in memory; throughput is in rows read.

mod synth;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use credlens::engine::{
    self, AccountInfo, AssessOptions, BlockEnd, EmitFilter, FileFacts, Input, Program, ReportId, Sink,
    Source, SourceEvent, Workers,
};
use credlens::finding::{AsOfSource, Severity, Status};
use credlens::history::trend::{Trend, TrendOptions};
use credlens::history::{self, Collector, Move, Snapshot};
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use credlens::rule::{self, Catalogue, Filters, Selection};

const USERS: u64 = 10_000;
const DAY: i64 = 86_400;
/// Snapshots of a trend.
const DAYS: usize = 10;

struct Report {
    input: Arc<Input>,
    text: Vec<u8>,
}

/// Reports of consecutive days: each day some users leave, and some lose a password, MFA or a key.
fn reports(days: usize) -> Vec<Report> {
    let synth = synth::Synth {
        users: USERS,
        users_per_account: USERS,
        seed: 1,
    };
    let bytes = synth.bytes();
    let (header, rows) = Header::split(&bytes).expect("a report");
    let mut lines: Vec<String> = String::from_utf8_lossy(rows).lines().map(str::to_owned).collect();
    let mut reports = Vec::new();
    for day in 0..days {
        for line in lines.iter_mut().skip(day + 1).step_by(211) {
            *line = line.replacen(",true,", ",false,", 1);
        }
        let mut number = 0;
        lines.retain(|_| {
            number += 1;
            number % 997 != day + 2
        });
        let index = reports.len();
        let days = i64::try_from(day).expect("a few days");
        let input = Input {
            id: ReportId::first_of(index),
            path: format!("report-{index}.csv"),
            kind: "csv".to_owned(),
            header: header.clone(),
            as_of: Timestamp(synth::GENERATED + days * DAY),
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: AccountInfo::default(),
            file: FileFacts::default(),
        };
        reports.push(Report {
            input: Arc::new(input),
            text: (lines.join("\n") + "\n").into_bytes(),
        });
    }
    reports
}

fn rows(reports: &[Report]) -> Throughput {
    let lines = |report: &Report| memchr::memchr_iter(b'\n', &report.text).count() as u64;
    Throughput::Elements(reports.iter().map(lines).sum())
}

/// Reports from memory, a block each.
struct Memory<'a>(std::slice::Iter<'a, Report>);

impl Source for Memory<'_> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let report = self.0.next()?;
        text.clear();
        text.extend_from_slice(&report.text);
        Some(SourceEvent::Block {
            input: Arc::clone(&report.input),
            end: BlockEnd::Input,
        })
    }
}

fn program() -> Program {
    let selected = rule::select(&Catalogue::builtin(), &Selection::default()).expect("rules that exist");
    Program::new(selected.rules)
}

fn evaluate(program: &Program, reports: &[Report], sink: &impl Sink, threads: usize) {
    let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
    let options = AssessOptions {
        threads,
        emit: EmitFilter::new(&statuses, Severity::Informational),
        suppressions: None,
        ..AssessOptions::default()
    };
    engine::assess(program, Memory(reports.iter()), sink, options).expect("memory can be read");
}

fn collect_snapshots(program: &Program, reports: &[Report], threads: usize) -> Vec<Snapshot> {
    let mut snapshots = Vec::new();
    let collector = Collector::new(|snapshot| snapshots.push(snapshot));
    evaluate(program, reports, &collector, threads);
    drop(collector);
    snapshots
}

fn diffs(criterion: &mut Criterion) {
    let (program, reports) = (program(), reports(2));
    let snapshots = collect_snapshots(&program, &reports, 1);
    let mut group = criterion.benchmark_group("diff");
    group.throughput(rows(&reports));
    group.bench_function("read and evaluate both", |bencher| {
        bencher.iter(|| black_box(collect_snapshots(&program, &reports, 1)));
    });
    for (name, other) in [("with itself", 0), ("with the next day", 1)] {
        group.bench_function(name, |bencher| {
            let (filters, workers) = (Filters::default(), Workers::one());
            bencher.iter(|| {
                let options = (history::DiffOptions::default(), &filters);
                let diff = history::diff(&program, [&snapshots[0], &snapshots[other]], options, &workers);
                black_box(diff.expect("one account").findings(Move::Open).iter().count())
            });
        });
    }
    group.finish();
}

fn trends(criterion: &mut Criterion) {
    let (program, reports) = (program(), reports(DAYS));
    let mut group = criterion.benchmark_group("trend");
    group.throughput(rows(&reports)).sample_size(20);
    for (name, threads) in [("1 thread", 1), ("2 threads", 2)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut trend = Trend::new(&program, TrendOptions::default());
                let collector = Collector::new(|snapshot| trend.add(snapshot));
                evaluate(&program, &reports, &collector, threads);
                drop(collector);
                black_box(trend.finish())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, diffs, trends);
criterion_main!(benches);
