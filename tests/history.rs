//! `diff` and `trend`: simulated accounts with known events, random reports, and unusual or incomplete ones.

mod account_columns;
mod account_names;
mod cli;
mod diff;
mod diff_and_trend;
mod dormant_users;
mod expected_events;
mod random_reports;
mod simulated_account;
mod stale_accounts;
mod trend;
mod trend_incomplete_reports;
mod unidentified_keys;
mod unusual_snapshots;
mod unveiled;

use std::sync::Arc;

use credlens::engine::{
    self, AccountInfo, BlockEnd, EmitFilter, FileFacts, Input, Program, ReportId, Sink, Source, SourceEvent,
    Workers,
};
use credlens::finding::{AsOfSource, Severity, Status};
use credlens::history::trend::{Trend, TrendDocument, TrendOptions};
use credlens::history::{self, Collector, Diff, DiffOptions, Incomparable, Move, Moved, Side, Snapshot};
use credlens::output::DisplayOptions;
use credlens::output::diff::{DiffView, write_diff};
use credlens::report::header::Header;
use credlens::report::schema::ColumnSet;
use credlens::report::time::Timestamp;
use credlens::rule::{Catalogue, Filters, Selection, select};

/// Columns of reports in which keys and certificates can be followed.
const COLUMNS: [&str; 17] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

/// A report in memory: its header, its records, and its as-of.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) header: String,
    pub(crate) records: String,
    pub(crate) as_of: i64,
}

/// A source of reports in memory, in blocks of `lines` lines.
struct Memory {
    reports: std::vec::IntoIter<Report>,
    lines: usize,
    index: usize,
    /// The rest of the current report.
    rest: Option<(Arc<Input>, String)>,
}

impl Source for Memory {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let (input, records) = match self.rest.take() {
            Some(rest) => rest,
            None => self.open()?,
        };
        let mut ends = records.match_indices('\n').map(|(end, _)| end + 1);
        let end = ends.nth(self.lines - 1).unwrap_or(records.len());
        let (block, rest) = records.split_at(end);
        text.clear();
        text.extend_from_slice(block.as_bytes());
        let last = rest.is_empty();
        self.rest = (!last).then(|| (Arc::clone(&input), rest.to_owned()));
        Some(SourceEvent::Block {
            input,
            end: BlockEnd::of_only_report(last),
        })
    }
}

impl Memory {
    fn open(&mut self) -> Option<(Arc<Input>, String)> {
        let report = self.reports.next()?;
        let input = Arc::new(Input {
            id: ReportId::first_of(self.index),
            path: format!("report-{}.csv", report.as_of),
            kind: "csv".to_owned(),
            header: Header::parse(report.header.as_bytes()).unwrap(),
            as_of: Timestamp(report.as_of),
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: AccountInfo::default(),
            file: FileFacts::default(),
        });
        self.index += 1;
        Some((input, report.records))
    }
}

/// The default rules.
pub(crate) fn program() -> Program {
    let selected = select(&Catalogue::builtin(), &Selection::default()).unwrap();
    Program::new(selected.rules)
}

/// Evaluates reports and collects their snapshots.
pub(crate) fn collect_snapshots(program: &Program, reports: Vec<Report>) -> Vec<Snapshot> {
    let mut snapshots = Vec::new();
    let headers = reports
        .iter()
        .map(|report| Header::parse(report.header.as_bytes()).unwrap());
    let lacking = headers.fold(ColumnSet::default(), |lacking, header| {
        lacking.union(header.missing())
    });
    let collector = Collector::new(|snapshot| snapshots.push(snapshot)).after_lacking(lacking);
    evaluate(program, reports, &collector);
    drop(collector);
    snapshots
}

/// Evaluates reports one after the other.
pub(crate) fn evaluate(program: &Program, reports: Vec<Report>, sink: &impl Sink) {
    evaluate_in_blocks(program, reports, sink, (2, usize::MAX));
}

fn evaluate_in_blocks(
    program: &Program,
    reports: Vec<Report>,
    sink: &impl Sink,
    (threads, lines): (usize, usize),
) {
    let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
    let options = engine::AssessOptions {
        threads,
        emit: EmitFilter::new(&statuses, Severity::Informational),
        suppressions: None,
        ..engine::AssessOptions::default()
    };
    let source = Memory {
        reports: reports.into_iter(),
        lines,
        index: 0,
        rest: None,
    };
    engine::assess(program, source, sink, options).unwrap();
}

/// Whether two findings are of one user, who may have been renamed.
fn have_same_user(diff: &Diff<'_>, moved: [&Moved; 2]) -> bool {
    let [one, other] = moved.map(|moved| {
        let snapshot = match moved.side {
            Side::Old => diff.old,
            Side::New => diff.new,
        };
        let (users, row) = (snapshot.users(), moved.row as usize);
        (users.name(row), users.arn(row))
    });
    one.0 == other.0 || one.1 == other.1
}

/// The JSON of a diff. Also checks the counts of findings against the findings of each user.
pub(crate) fn json(diff: &Diff<'_>) -> String {
    for which in Move::ALL {
        let (findings, mut by_rule) = (diff.findings(which), vec![0; diff.rules.len()]);
        for user in 0..findings.users() {
            let of_user: Vec<_> = findings.of(user..user + 1, |_| true).collect();
            for moved in &of_user {
                by_rule[usize::from(moved.found.rule)] += 1;
                assert!(
                    have_same_user(diff, [&of_user[0], moved]),
                    "{which:?} {of_user:?}"
                );
            }
        }
        assert_eq!(findings.by_rule(), by_rule, "{which:?}");
    }
    let view = DiffView {
        by: None,
        stale: &[],
        diff,
        diagnostics: &diff.diagnostics,
        options: DisplayOptions::default(),
        workers: &Workers::one(),
    };
    let mut out = Vec::new();
    write_diff("json".parse().unwrap(), &view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Compares two snapshots.
pub(crate) fn diff_of<'a>(
    program: &'a Program,
    snapshots: [&'a Snapshot; 2],
) -> Result<Diff<'a>, Incomparable> {
    let options = (DiffOptions::default(), &Filters::default());
    history::diff(program, snapshots, options, &Workers::one())
}

/// The trend of reports.
pub(crate) fn trend_of(program: &Program, reports: Vec<Report>, options: TrendOptions) -> TrendDocument {
    let mut trend = Trend::new(program, options);
    let collector = Collector::new(|snapshot| trend.add(snapshot));
    evaluate(program, reports, &collector);
    drop(collector);
    trend.finish()
}

/// Checks that a newer report gives the same diff however it is read. `ways` are the numbers of threads and of lines per
/// block.
pub(crate) fn assert_same_however_read(
    program: &Program,
    (old, report): (&Snapshot, &Report),
    whole: &Result<String, Incomparable>,
    ways: &[(usize, usize)],
) {
    for &(threads, lines) in ways {
        let mut new = None;
        let collector = Collector::new(|snapshot| new = Some(snapshot)).after_lacking(old.missing_anywhere());
        evaluate_in_blocks(program, vec![report.clone()], &collector, (threads, lines));
        drop(collector);
        let new = new.unwrap();
        let workers = Workers::new(threads).unwrap();
        let options = (DiffOptions::default(), &Filters::default());
        let diff = history::diff(program, [old, &new], options, &workers);
        let read = diff.map(|diff| json(&diff));
        assert_eq!(&read, whole, "{threads} threads, blocks of {lines} lines");
    }
}
