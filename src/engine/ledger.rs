//! Adds up the outcome of blocks, in order, into the tally of a run.

use std::sync::Arc;

use super::hit::shortened;
use super::program::Program;
use super::source::Input;
use super::verdicts::Counts;
use crate::finding::{Diagnostic, InputTally, Level, RuleTally, Tally};
use crate::report::cell::account_of;
use crate::report::chunk::Chunk;
use crate::report::schema::{Column, TextColumn};
use crate::report::split::{Oddity, OddityKind};
use crate::report::time::Timestamp;

/// How many diagnostics of a kind an input tells; the rest is only counted.
const TOLD: u64 = 100;

/// How many diagnostics a run tells, errors apart; the rest is only counted.
const TOLD_IN_ALL: usize = 2_000;

/// What has been added up so far.
pub(super) struct Ledger {
    tally: Tally,
    /// Diagnostics that were only counted.
    untold: usize,
    current: Option<Current>,
}

/// The input whose blocks are being added.
struct Current {
    input: Arc<Input>,
    users: u64,
    /// Its data rows so far, those that were left out included.
    rows: u64,
    /// Undetermined verdicts to be folded, one a rule.
    folded: Vec<u64>,
    accounts: Accounts,
    bad_cells: u64,
    odd_rows: u64,
    /// Whether it was told that rows were left out.
    left_out: bool,
    newest: Option<i64>,
}

/// Which accounts an input holds, as far as that matters.
enum Accounts {
    None,
    One(Vec<u8>),
    Several,
}

/// An input that is through, and what folds into one finding a rule.
pub(super) struct Ended {
    pub(super) input: Arc<Input>,
    /// The account, where the input holds one only.
    pub(super) account: Option<Vec<u8>>,
    pub(super) folded: Vec<Folded>,
}

/// Verdicts of one rule that fold into one finding.
pub(super) struct Folded {
    pub(super) rule: usize,
    pub(super) verdicts: u64,
}

impl Ledger {
    pub(super) fn new(program: &Program) -> Self {
        let rules = program
            .rules()
            .map(|bound| RuleTally {
                id: bound.rule.id.clone(),
                parameters: bound.parameters.clone(),
                severity: bound.severity,
                tested: 0,
                relevant: 0,
                passed: 0,
                failed: 0,
                undetermined: 0,
                suppressed: 0,
            })
            .collect();
        Self {
            tally: Tally {
                rules,
                ..Tally::default()
            },
            untold: 0,
            current: None,
        }
    }

    /// Adds a block.
    pub(super) fn add(&mut self, input: &Arc<Input>, chunk: &Chunk, counts: &[Counts], oddities: &[Oddity]) {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.open(input, counts.len()),
        };
        let mut told = current.tell_oddities(oddities);
        current.tell_bad_cells(chunk, &mut told);
        // In the order of rows, so that it does not matter where blocks begin.
        told.sort_by_key(|diagnostic| diagnostic.row);
        for diagnostic in told {
            self.push(diagnostic);
        }
        current.add_chunk(chunk);
        self.tally.roots += chunk
            .root()
            .iter()
            .map(|&is_root| u64::from(is_root))
            .sum::<u64>();
        for ((rule, counts), folded) in self.tally.rules.iter_mut().zip(counts).zip(&mut current.folded) {
            add_counts(rule, counts);
            *folded += counts.folded;
        }
        self.current = Some(current);
    }

    /// Notes an input, or the rest of one, that could not be read.
    pub(super) fn fail(&mut self, path: &str, error: &str) {
        self.push(Diagnostic {
            level: Level::Error,
            code: "unreadable".to_owned(),
            path: Some(path.to_owned()),
            row: None,
            column: None,
            value: None,
            message: error.to_owned(),
        });
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.level == Level::Error || self.tally.diagnostics.len() < TOLD_IN_ALL {
            self.tally.diagnostics.push(diagnostic);
        } else {
            self.untold += 1;
        }
    }

    /// The tally of the run.
    pub(super) fn finish(mut self) -> Tally {
        if self.untold > 0 {
            self.tally.diagnostics.push(Diagnostic {
                level: Level::Warning,
                code: "untold".to_owned(),
                path: None,
                row: None,
                column: None,
                value: None,
                message: format!(
                    "more was odd than is told: {} diagnostics were left out",
                    self.untold
                ),
            });
        }
        let mut instants = self.tally.inputs.iter().map(|input| &input.as_of);
        let first = instants.next();
        if instants.all(|as_of| Some(as_of) == first) {
            self.tally.as_of = first.cloned();
        }
        self.tally
    }

    fn open(&mut self, input: &Arc<Input>, rules: usize) -> Current {
        let oddities = input.header.oddities().iter();
        let diagnostics = oddities.map(|oddity| Diagnostic {
            level: if oddity.is_warning() {
                Level::Warning
            } else {
                Level::Note
            },
            code: oddity.code().to_owned(),
            path: Some(input.path.clone()),
            row: None,
            column: oddity.column().map(|column| column.name().to_owned()),
            value: None,
            message: oddity.message(),
        });
        let of_account = input.account.diagnostics.iter().cloned();
        for diagnostic in diagnostics.chain(of_account) {
            self.push(diagnostic);
        }
        Current {
            input: Arc::clone(input),
            users: 0,
            rows: 0,
            folded: vec![0; rules],
            accounts: Accounts::None,
            bad_cells: 0,
            odd_rows: 0,
            left_out: false,
            newest: None,
        }
    }

    /// Ends the present input, if there is one.
    pub(super) fn end(&mut self) -> Option<Ended> {
        let current = self.current.take()?;
        for (count, code, what) in [
            (
                current.odd_rows,
                "odd-row",
                "rows that were not read as they stand",
            ),
            (current.bad_cells, "bad-cell", "cells that say nothing"),
        ] {
            if count > TOLD {
                let message = format!("{} more {what}", count - TOLD);
                self.push(current.diagnostic(Level::Warning, code, message));
            }
        }
        if current
            .newest
            .is_some_and(|newest| newest > current.input.as_of.0)
        {
            self.push(current.newer_than_as_of());
        }
        self.tally.inputs.push(InputTally {
            path: current.input.path.clone(),
            account_name: current.input.account.name.clone(),
            kind: current.input.kind.clone(),
            users: current.users,
            as_of: current.input.as_of.to_string(),
            as_of_source: current.input.as_of_source,
            generated: current.input.generated.map(|time| time.to_string()),
        });
        Some(current.ended())
    }
}

impl Current {
    fn tell_oddities(&mut self, oddities: &[Oddity]) -> Vec<Diagnostic> {
        let mut told = Vec::new();
        for oddity in oddities {
            self.odd_rows += 1;
            let (level, code, message) = tell_oddity(oddity.kind, self.input.header.width());
            // That users were not judged is told however much was told before, and once.
            let is_known = match level {
                Level::Error => std::mem::replace(&mut self.left_out, true),
                Level::Warning | Level::Note => self.odd_rows > TOLD,
            };
            if !is_known {
                told.push(Diagnostic {
                    row: Some(self.rows + u64::from(oddity.row) + 1),
                    ..self.diagnostic(level, code, message)
                });
            }
        }
        told
    }

    fn tell_bad_cells(&mut self, chunk: &Chunk, told: &mut Vec<Diagnostic>) {
        let bad = chunk.bad_cells();
        let room = TOLD.saturating_sub(self.bad_cells);
        for cell in bad.kept.iter().take(usize::try_from(room).unwrap_or(usize::MAX)) {
            let record = cell.row as usize;
            let value = chunk.rows.cell(&self.input.header, record, cell.column);
            let kind = match cell.column {
                Column::Time(_) => "no time",
                Column::Flag(_) => "neither true nor false",
                Column::Text(_) => "no text",
            };
            let message = format!("this cell is {kind}; what depends on it is undetermined");
            told.push(Diagnostic {
                row: Some(self.rows + chunk.rows.data_rows_before(record) as u64 + 1),
                column: Some(cell.column.name().to_owned()),
                value: Some(shortened(value.unwrap_or(b""))),
                ..self.diagnostic(Level::Warning, "bad-cell", message)
            });
        }
        self.bad_cells += bad.count;
    }

    fn add_chunk(&mut self, chunk: &Chunk) {
        self.users += chunk.rows.len() as u64;
        self.rows += chunk.rows.data_rows() as u64;
        self.newest = self.newest.max(chunk.newest());
        // Only a folded finding asks for the account, and only a report that lacks columns has any.
        if self.input.lacks().is_empty() {
            return;
        }
        for row in 0..chunk.rows.len() {
            let arn = chunk.text(&self.input.header, row, TextColumn::Arn);
            self.accounts.add(arn.and_then(account_of));
        }
    }

    fn ended(self) -> Ended {
        let folded = self
            .folded
            .iter()
            .enumerate()
            .filter(|&(_, &verdicts)| verdicts > 0);
        Ended {
            folded: folded
                .map(|(rule, &verdicts)| Folded { rule, verdicts })
                .collect(),
            account: self.accounts.only(),
            input: self.input,
        }
    }

    fn diagnostic(&self, level: Level, code: &str, message: String) -> Diagnostic {
        Diagnostic {
            level,
            code: code.to_owned(),
            path: Some(self.input.path.clone()),
            row: None,
            column: None,
            value: None,
            message,
        }
    }

    fn newer_than_as_of(&self) -> Diagnostic {
        let newest = Timestamp(self.newest.unwrap_or(i64::MAX));
        let message = format!(
            "the report holds a time ({newest}) later than the instant at which it is judged ({}); \
             is that instant right?",
            self.input.as_of
        );
        self.diagnostic(Level::Warning, "newer-than-as-of", message)
    }
}

impl Accounts {
    fn add(&mut self, account: Option<&[u8]>) {
        let Some(account) = account else { return };
        match self {
            Self::None => *self = Self::One(account.to_vec()),
            Self::One(known) if known == account => {}
            Self::One(_) => *self = Self::Several,
            Self::Several => {}
        }
    }

    fn only(self) -> Option<Vec<u8>> {
        match self {
            Self::One(account) => Some(account),
            Self::None | Self::Several => None,
        }
    }
}

fn add_counts(rule: &mut RuleTally, counts: &Counts) {
    rule.tested += counts.tested;
    rule.passed += counts.passed;
    rule.failed += counts.failed;
    rule.undetermined += counts.undetermined;
    rule.suppressed += counts.suppressed;
    rule.relevant += counts.passed + counts.failed + counts.undetermined + counts.suppressed;
}

fn tell_oddity(kind: OddityKind, width: usize) -> (Level, &'static str, String) {
    match kind {
        OddityKind::Repaired => (
            Level::Note,
            "repaired-row",
            "commas in the user name were not quoted; the row was put together again".to_owned(),
        ),
        OddityKind::GluedHeader => (
            Level::Note,
            "repaired-row",
            "the next report's header followed without a line break; it was cut off".to_owned(),
        ),
        OddityKind::RepeatedHeader => (
            Level::Note,
            "repeated-header",
            "the header is repeated before this row".to_owned(),
        ),
        OddityKind::UnclosedQuote => (
            Level::Warning,
            "unclosed-quote",
            "a quote that opens in this row is never closed; it was taken to end with the line".to_owned(),
        ),
        OddityKind::LeftOut => (
            Level::Error,
            "unreadable",
            "thousands of rows before this one have fields that cannot be told apart; this one and others \
             like it were not judged: is this one report with one header?"
                .to_owned(),
        ),
        OddityKind::LineBreak => (
            Level::Warning,
            "line-break",
            "a quoted cell of this row holds a line break: if its quote was never meant to open, it hides \
             the rows between"
                .to_owned(),
        ),
        OddityKind::Ragged(fields) => (
            Level::Warning,
            "ragged-row",
            format!(
                "this row has {fields} fields where the header has {width}, and they cannot be told apart; \
                 everything about this user is undetermined"
            ),
        ),
    }
}
