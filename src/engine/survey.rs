//! A first pass over several inputs that only finds their accounts, so that of several snapshots of one account the
//! newest can be chosen. Evaluates no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use xxhash_rust::xxh3::Xxh3;

use super::finding_ref::FindingRef;
use super::program::Program;
use super::sink::{Block, Sink};
use super::source::{Input, Source, SourceEvent};
use super::{AssessOptions, assess};
use crate::finding::{AsOfSource, Code, Tally};
use crate::report::cell;
use crate::report::chunk::Chunk;
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet, ExtraColumn};
use crate::report::time::Timestamp;

/// One report among the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyedReport {
    /// The report, with the as-of that it has without `--as-of`.
    pub input: Arc<Input>,
    /// Its accounts.
    pub rows: ReportAccounts,
}

/// The accounts of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportAccounts {
    /// Each with what is known of its rows.
    pub accounts: BTreeMap<Vec<u8>, AccountRows>,
    /// Whether the report has rows without an account.
    pub has_other_rows: bool,
    /// If its rows give no diagnostics at any as-of from some instant on: that instant.
    pub quiet_from: Option<Timestamp>,
}

/// The rows of one account in a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountRows {
    /// Whether root's row is among them, as in every whole report.
    pub has_root: bool,
    /// When they were generated, where a merged report says it of each row: the last of these times.
    pub time: Option<Timestamp>,
    /// Equal for equal rows in any order, in a report with the same columns in any order; 0 unless it was asked for.
    pub digest: u128,
}

impl SurveyedReport {
    /// When it was generated, as the report or its path says; none where nothing says it.
    pub fn time(&self) -> Option<Timestamp> {
        match self.input.as_of_source {
            AsOfSource::Now => None,
            AsOfSource::Argument | AsOfSource::Generated | AsOfSource::FileName => Some(self.input.as_of),
        }
    }
}

/// The reports of a source that can be read to their end, in order, and the tally, whose diagnostics say what cannot.
/// `digests` says whether rows are compared, which takes longer.
///
/// # Errors
/// If the threads cannot be started.
pub fn survey(
    source: impl Source,
    threads: usize,
    digests: bool,
) -> io::Result<(Vec<SurveyedReport>, Tally)> {
    let sink = Surveying::new(Nothing, digests);
    let options = AssessOptions {
        threads,
        ..AssessOptions::default()
    };
    let mut known = Vec::new();
    let source = Unknown {
        source,
        known: (!digests).then_some(&mut known),
    };
    let tally = assess(&Program::new(Vec::new()), source, &sink, options)?;
    let (_, mut reports) = sink.finish(&tally);
    reports.append(&mut known);
    reports.sort_by_key(|report| report.input.id);
    Ok((reports, tally))
}

/// A source without the reports whose accounts are known before their rows are read.
struct Unknown<'a, S> {
    source: S,
    /// Those reports; none if all are read.
    known: Option<&'a mut Vec<SurveyedReport>>,
}

impl<S: Source> Source for Unknown<'_, S> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        loop {
            let event = self.source.next(text)?;
            if let SourceEvent::DeferredBlock { input, end, .. } = &event
                && let (Some(rows), Some(known)) = (&input.account.rows, &mut self.known)
            {
                if end.ends_report() {
                    known.push(SurveyedReport {
                        input: Arc::clone(input),
                        rows: ReportAccounts::clone(rows),
                    });
                }
                continue;
            }
            return Some(event);
        }
    }
}

/// A sink that surveys reports beside another sink, for a pass whose outputs can be thrown away: where nothing is left
/// out, it was the only one.
#[derive(Debug)]
pub struct Surveying<S> {
    inner: S,
    digests: bool,
    reports: Mutex<Vec<SurveyedReport>>,
}

impl<S> Surveying<S> {
    /// Surveys what `inner` evaluates.
    pub fn new(inner: S, digests: bool) -> Self {
        Self {
            inner,
            digests,
            reports: Mutex::default(),
        }
    }

    /// The other sink, and the reports that could be read to their end, in order.
    pub fn finish(self, tally: &Tally) -> (S, Vec<SurveyedReport>) {
        let unreadable = tally.diagnostics.iter().filter(|it| it.code == Code::Unreadable);
        let unreadable: BTreeSet<&str> = unreadable.filter_map(|it| it.path.as_deref()).collect();
        let mut reports = self.reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        reports.retain(|report| !unreadable.contains(&*report.input.path));
        (self.inner, reports)
    }
}

impl<S: Sink> Sink for Surveying<S> {
    type Part = (S::Part, Option<SurveyedReport>);

    fn part(&self) -> Self::Part {
        (self.inner.part(), None)
    }

    fn columns(&self) -> ColumnSet {
        if self.digests {
            return Column::ALL.into_iter().collect();
        }
        self.inner.columns()
    }

    fn rows(&self, (inner, surveyed): &mut Self::Part, block: Block<'_>) {
        let mut report = SurveyedReport {
            input: Arc::clone(block.input),
            rows: ReportAccounts::default(),
        };
        report.rows.add(&block.input.header, block.chunk, self.digests);
        *surveyed = Some(report);
        self.inner.rows(inner, block);
    }

    fn sees_left_out(&self) -> bool {
        true
    }

    fn counts_verdicts(&self) -> bool {
        self.inner.counts_verdicts()
    }

    fn shows_lines(&self) -> bool {
        self.inner.shows_lines()
    }

    fn takes_findings(&self) -> bool {
        self.inner.takes_findings()
    }

    fn finding(&self, (inner, _): &mut Self::Part, finding: &FindingRef<'_>) {
        self.inner.finding(inner, finding);
    }

    fn accept(&self, (inner, surveyed): &mut Self::Part) -> io::Result<()> {
        if let Some(block) = surveyed.take() {
            let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
            match reports.last_mut() {
                Some(last) if last.input.id == block.input.id => last.rows.append(block.rows),
                _ => reports.push(block),
            }
        }
        self.inner.accept(inner)
    }
}

/// A sink that takes nothing.
#[derive(Debug)]
struct Nothing;

impl Sink for Nothing {
    type Part = ();

    fn part(&self) {}

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, (): &mut (), _: &FindingRef<'_>) {}

    fn accept(&self, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}

impl ReportAccounts {
    /// Adds the rows of a block. `digests` says whether rows are compared, which takes longer.
    pub fn add(&mut self, header: &Header, chunk: &Chunk, digests: bool) {
        let has_roots = chunk.root().contains(&true);
        let dated = header.extra(ExtraColumn::GeneratedTime).is_some();
        for (records, account) in chunk.account_runs(header) {
            let Some(account) = account else {
                self.has_other_rows = true;
                continue;
            };
            let mut rows = AccountRows {
                has_root: has_roots && chunk.root()[records.clone()].contains(&true),
                time: None,
                digest: 0,
            };
            if dated {
                let times = records.clone().filter_map(|row| chunk.generated(header, row));
                rows.time = times.max();
            }
            if digests {
                for row in records {
                    rows.digest = rows.digest.wrapping_add(digest(header, chunk, row));
                }
            }
            match self.accounts.get_mut(account) {
                Some(known) => known.append(rows),
                None => {
                    self.accounts.insert(account.to_vec(), rows);
                }
            }
        }
    }

    fn append(&mut self, block: Self) {
        self.has_other_rows |= block.has_other_rows;
        for (account, rows) in block.accounts {
            self.accounts.entry(account).or_default().append(rows);
        }
    }
}

impl AccountRows {
    fn append(&mut self, other: Self) {
        self.has_root |= other.has_root;
        self.time = self.time.max(other.time);
        self.digest = self.digest.wrapping_add(other.digest);
    }
}

/// A digest of the cells of a row, in the order of [`Column::ALL`].
fn digest(header: &Header, chunk: &Chunk, row: usize) -> u128 {
    let mut hash = Xxh3::new();
    for column in Column::ALL {
        match chunk.rows.cell(header, row, column).map(cell::text) {
            Some(cell) => {
                hash.update(&[1]);
                hash.update(&cell.len().to_le_bytes());
                hash.update(cell);
            }
            None => hash.update(&[0]),
        }
    }
    hash.digest128()
}
