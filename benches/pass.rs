//! The time of a scan, step by step: `cargo bench --bench pass`, or `cargo bench --bench pass -- split` for one group.
//! Inputs are generated reports in blocks of one MiB, as the program reads them; a step that cannot be run alone is
//! measured as the difference of two passes.

mod synth;

use std::hint::black_box;
use std::io;
use std::sync::Arc;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

use credlens::engine::{
    self, AccountInfo, AssessOptions, BlockEnd, EmitFilter, FileFacts, Input, Program, ReportId, Source,
    SourceEvent,
};
use credlens::finding::AsOfSource;
use credlens::output::{DisplayOptions, Format, Outputs};
use credlens::report::cell;
use credlens::report::chunk::Chunk;
use credlens::report::cut::whole_records;
use credlens::report::header::Header;
use credlens::report::schema::{Column, ColumnSet, TimeColumn};
use credlens::report::split::Splitter;
use credlens::report::time::Timestamp;
use credlens::rule::{self, Catalogue, Selection};

const BLOCK: usize = 1 << 20;

/// Enough for ten blocks.
const USERS: u64 = 40_000;

/// One generated report, cut into blocks.
struct Report {
    input: Arc<Input>,
    blocks: Vec<Vec<u8>>,
    bytes: u64,
}

impl Report {
    fn generate() -> Self {
        let text = synth::Synth {
            users: USERS,
            users_per_account: 5_000,
            seed: 1,
        }
        .bytes();
        let (header, mut rest) = Header::split(&text).expect("a report");
        let bytes = rest.len() as u64;
        let mut blocks = Vec::new();
        while !rest.is_empty() {
            let whole = match rest.get(..BLOCK) {
                Some(block) => whole_records(block, header.delimiter()).expect("records are short"),
                None => rest.len(),
            };
            let (block, behind) = rest.split_at(whole);
            blocks.push(block.to_vec());
            rest = behind;
        }
        let input = Input {
            id: ReportId::first_of(0),
            path: "report.csv".to_owned(),
            kind: "csv".to_owned(),
            header,
            as_of: Timestamp(synth::GENERATED),
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: AccountInfo::default(),
            file: FileFacts::default(),
        };
        Self {
            input: Arc::new(input),
            blocks,
            bytes,
        }
    }

    /// Its first block, split.
    fn chunk(&self) -> Chunk {
        let mut chunk = Chunk::default();
        chunk.rows.text_mut().extend_from_slice(&self.blocks[0]);
        Splitter::default().split(chunk.rows.split_mut(), &self.input.header, &mut Vec::new());
        chunk
    }

    fn whole(&self) -> Throughput {
        Throughput::ElementsAndBytes {
            elements: USERS,
            bytes: self.bytes,
        }
    }

    fn first_block(&self) -> Throughput {
        Throughput::ElementsAndBytes {
            elements: self.chunk().rows.len() as u64,
            bytes: self.blocks[0].len() as u64,
        }
    }
}

/// The blocks of a report, from memory.
struct Memory<'a> {
    report: &'a Report,
    next: usize,
}

impl Source for Memory<'_> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let block = self.report.blocks.get(self.next)?;
        self.next += 1;
        text.clear();
        text.extend_from_slice(block);
        Some(SourceEvent::Block {
            input: Arc::clone(&self.report.input),
            end: BlockEnd::of_only_report(self.next == self.report.blocks.len()),
        })
    }
}

/// The rules with these names, or the default ones if there are no names.
fn program(rules: &[&str]) -> Program {
    let selection = Selection {
        rules: rules.iter().copied().map(str::to_owned).collect(),
        ..Selection::default()
    };
    let selected = rule::select(&Catalogue::builtin(), &selection).expect("rules that exist");
    Program::new(selected.rules)
}

/// Evaluates the whole report, and discards the output.
fn pass(report: &Report, program: &Program, format: &str, threads: usize) {
    let format: Format = format.parse().expect("a format");
    let emit = if format.shows_findings(false) {
        EmitFilter::default()
    } else {
        EmitFilter::nothing()
    };
    let outputs = Outputs::new(vec![(format, io::sink())], DisplayOptions::default());
    let options = AssessOptions {
        threads,
        emit,
        suppressions: None,
        ..AssessOptions::default()
    };
    let source = Memory { report, next: 0 };
    let tally = engine::assess(program, source, &outputs, options).expect("memory can be read");
    outputs.finish(&tally).expect("a sink accepts all bytes");
    black_box(tally);
}

fn times(criterion: &mut Criterion) {
    let report = Report::generate();
    let chunk = report.chunk();
    let columns = [
        TimeColumn::UserCreation,
        TimeColumn::PasswordLastUsed,
        TimeColumn::Key1LastRotated,
    ];
    let positions = columns.map(|column| report.input.header.position(column).expect("a whole header"));
    let cells: Vec<&[u8]> = positions
        .iter()
        .flat_map(|&position| chunk.rows.fields(0..chunk.rows.len(), position))
        .collect();
    let mut group = criterion.benchmark_group("time");
    group.throughput(Throughput::ElementsAndBytes {
        elements: cells.len() as u64,
        bytes: cells.iter().map(|cell| cell.len() as u64).sum(),
    });
    group.bench_function("cells", |bencher| {
        bencher.iter(|| {
            black_box(&cells)
                .iter()
                .fold(0, |all, cell| all ^ cell::time(cell))
        });
    });
    group.bench_function("cells with a fraction", |bencher| {
        let cells = vec![b"2026-01-02T03:04:05.123+00:00".as_slice(); cells.len()];
        bencher.iter(|| {
            black_box(&cells)
                .iter()
                .fold(0, |all, cell| all ^ cell::time(cell))
        });
    });
    group.finish();
}

fn splits(criterion: &mut Criterion) {
    let report = Report::generate();
    let block = &report.blocks[0];
    let mut group = criterion.benchmark_group("split");
    group.throughput(report.first_block());
    group.bench_function("ours", |bencher| {
        let mut chunk = report.chunk();
        let (mut splitter, mut issues) = (Splitter::default(), Vec::new());
        bencher.iter(|| {
            // Rewritten records are after the block.
            chunk.rows.text_mut().truncate(block.len());
            splitter.split(chunk.rows.split_mut(), &report.input.header, &mut issues);
            black_box(chunk.rows.len())
        });
    });
    group.bench_function("csv crate", |bencher| {
        let mut record = csv::ByteRecord::new();
        bencher.iter(|| {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(black_box(block.as_slice()));
            let mut records = 0_usize;
            while reader.read_byte_record(&mut record).expect("memory can be read") {
                records += 1;
            }
            records
        });
    });
    group.bench_function("newlines alone", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(block)).count());
    });
    group.finish();
}

fn decodes(criterion: &mut Criterion) {
    let report = Report::generate();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(report.first_block());
    let all: ColumnSet = Column::ALL.into_iter().collect();
    for (name, wanted) in [
        ("all columns", all),
        ("columns of default rules", program(&[]).columns()),
        ("no column", ColumnSet::default()),
    ] {
        let mut chunk = report.chunk();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                chunk.decode(&report.input.header, wanted);
                black_box(chunk.newest())
            });
        });
    }
    group.finish();
}

fn bench_pass(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    report: &Report,
    program: &Program,
    (format, threads): (&str, usize),
) {
    group.throughput(report.whole());
    group.bench_function(name, |bencher| {
        bencher.iter(|| pass(report, program, format, threads));
    });
}

/// The time of the rules is the difference between a pass with them and one without rules.
fn rules(criterion: &mut Criterion) {
    let report = Report::generate();
    let mut group = criterion.benchmark_group("evaluate");
    let how = ("summary", 1);
    let none = Program::new(Vec::new());
    bench_pass(&mut group, "no rule", &report, &none, how);
    bench_pass(&mut group, "default rules", &report, &program(&[]), how);
    bench_pass(&mut group, "every rule", &report, &program(&["*"]), how);
    group.finish();
}

/// The time of formatting is the difference between a pass with it and one that only counts.
fn formats(criterion: &mut Criterion) {
    let report = Report::generate();
    let program = program(&[]);
    let mut group = criterion.benchmark_group("format");
    for format in ["summary", "ndjson", "csv"] {
        bench_pass(&mut group, format, &report, &program, (format, 1));
    }
    group.finish();
}

fn passes(criterion: &mut Criterion) {
    let report = Report::generate();
    let program = program(&[]);
    let mut group = criterion.benchmark_group("pass");
    for (name, threads) in [("1 thread", 1), ("2 threads", 2)] {
        bench_pass(&mut group, name, &report, &program, ("summary", threads));
    }
    group.finish();
}

criterion_group!(benches, times, splits, decodes, rules, formats, passes);
criterion_main!(benches);
