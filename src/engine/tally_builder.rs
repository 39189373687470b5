//! Adds up the counts and diagnostics of blocks, in order, into the tally of a run.

use std::sync::Arc;

use super::finding_ref::shortened;
use super::program::Program;
use super::source::Input;
use super::verdicts::VerdictCounts;
use crate::finding::{Code, Diagnostic, DiagnosticLog, InputTally, RuleTally, Tally};
use crate::report::cell::account_of;
use crate::report::chunk::{BadCell, Chunk};
use crate::report::issue::{Issue, RowIssue};
use crate::report::schema::TextColumn;
use crate::report::time::Timestamp;

/// The tally so far.
pub(super) struct TallyBuilder {
    tally: Tally,
    diagnostics: DiagnosticLog,
    current: Option<CurrentInput>,
}

/// The input whose blocks are being added.
struct CurrentInput {
    input: Arc<Input>,
    users: u64,
    /// Its data rows so far, including those that were left out.
    rows: u64,
    /// The undetermined verdicts that fold into one finding, for each rule.
    folded: Vec<u64>,
    accounts: InputAccounts,
    /// Whether a diagnostic says that rows were left out.
    left_out: bool,
    newest: Option<i64>,
}

/// Whether an input has one account.
enum InputAccounts {
    None,
    One(Vec<u8>),
    Several,
}

/// An input that has been evaluated, and its folded findings.
pub(super) struct EndedInput {
    pub(super) input: Arc<Input>,
    /// The account, if the input has only one.
    pub(super) account: Option<Vec<u8>>,
    pub(super) folded: Vec<FoldedVerdicts>,
}

/// Verdicts of one rule that fold into one finding.
pub(super) struct FoldedVerdicts {
    pub(super) rule: usize,
    pub(super) verdicts: u64,
}

impl TallyBuilder {
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
            diagnostics: DiagnosticLog::default(),
            current: None,
        }
    }

    /// Adds a block.
    pub(super) fn add(
        &mut self,
        input: &Arc<Input>,
        chunk: &Chunk,
        counts: &[VerdictCounts],
        issues: &[RowIssue],
    ) {
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.open(input, counts.len()),
        };
        let mut of_block = current.of_issues(issues);
        of_block.extend(current.of_bad_cells(chunk, self.diagnostics.room(Code::BadCell)));
        // In the order of rows, so that the result does not depend on where blocks begin.
        of_block.sort_by_key(|diagnostic| diagnostic.row);
        let listed = of_block
            .iter()
            .filter(|diagnostic| diagnostic.code == Code::BadCell)
            .count() as u64;
        for diagnostic in of_block {
            self.diagnostics.push(diagnostic);
        }
        self.diagnostics
            .count(Code::BadCell, chunk.bad_cells().count - listed);
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

    /// Adds the diagnostic that an input, or the rest of one, could not be read.
    pub(super) fn fail(&mut self, path: &str, error: &str) {
        self.diagnostics
            .push(Diagnostic::new(Code::Unreadable, error).in_path(path));
    }

    /// The tally of the run.
    pub(super) fn finish(mut self) -> Tally {
        let mut instants = self.tally.inputs.iter().map(|input| &input.as_of);
        let first = instants.next();
        if instants.all(|as_of| Some(as_of) == first) {
            self.tally.as_of = first.cloned();
        }
        self.tally.diagnostics = self.diagnostics.finish();
        self.tally
    }

    fn open(&mut self, input: &Arc<Input>, rules: usize) -> CurrentInput {
        let width = input.header.width();
        for issue in input.header.issues() {
            self.diagnostics
                .push(Diagnostic::of_issue(issue, width).in_path(&input.path));
        }
        for diagnostic in &input.account.diagnostics {
            self.diagnostics.push(diagnostic.clone());
        }
        CurrentInput {
            input: Arc::clone(input),
            users: 0,
            rows: 0,
            folded: vec![0; rules],
            accounts: InputAccounts::None,
            left_out: false,
            newest: None,
        }
    }

    /// Ends the current input, if there is one.
    pub(super) fn end(&mut self) -> Option<EndedInput> {
        let current = self.current.take()?;
        if current
            .newest
            .is_some_and(|newest| newest > current.input.as_of.0)
        {
            self.diagnostics.push(current.newer_than_as_of());
        }
        self.diagnostics.end_input(&current.input.path);
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

impl CurrentInput {
    fn of_issues(&mut self, issues: &[RowIssue]) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for RowIssue { row, issue } in issues {
            // One diagnostic for all rows that were left out is enough.
            if *issue == Issue::LeftOut && std::mem::replace(&mut self.left_out, true) {
                continue;
            }
            let diagnostic = Diagnostic::of_issue(issue, self.input.header.width());
            let row = self.rows + u64::from(*row) + 1;
            diagnostics.push(diagnostic.in_path(&self.input.path).in_row(row));
        }
        diagnostics
    }

    fn of_bad_cells(&self, chunk: &Chunk, room: usize) -> Vec<Diagnostic> {
        let bad = chunk.bad_cells().listed.iter().take(room);
        let diagnostic = |bad: &BadCell| {
            let record = bad.row as usize;
            let value = chunk.rows.cell(&self.input.header, record, bad.column);
            Diagnostic::of_bad_cell(bad.column)
                .in_path(&self.input.path)
                .in_row(self.rows + chunk.rows.data_rows_before(record) as u64 + 1)
                .with_value(shortened(value.unwrap_or(b"")))
        };
        bad.map(diagnostic).collect()
    }

    fn add_chunk(&mut self, chunk: &Chunk) {
        self.users += chunk.rows.len() as u64;
        self.rows += chunk.rows.data_rows() as u64;
        self.newest = self.newest.max(chunk.newest());
        // Only folded findings need the account, and only a report that lacks columns has those.
        if self.input.lacks().is_empty() {
            return;
        }
        for row in 0..chunk.rows.len() {
            let arn = chunk.text(&self.input.header, row, TextColumn::Arn);
            self.accounts.add(arn.and_then(account_of));
        }
    }

    fn ended(self) -> EndedInput {
        let folded = self
            .folded
            .iter()
            .enumerate()
            .filter(|&(_, &verdicts)| verdicts > 0);
        EndedInput {
            folded: folded
                .map(|(rule, &verdicts)| FoldedVerdicts { rule, verdicts })
                .collect(),
            account: self.accounts.only(),
            input: self.input,
        }
    }

    fn newer_than_as_of(&self) -> Diagnostic {
        let newest = Timestamp(self.newest.unwrap_or(i64::MAX));
        let message = format!(
            "the report has a time ({newest}) after its as-of ({}); check the as-of",
            self.input.as_of
        );
        Diagnostic::new(Code::NewerThanAsOf, message).in_path(&self.input.path)
    }
}

impl InputAccounts {
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

fn add_counts(rule: &mut RuleTally, counts: &VerdictCounts) {
    rule.tested += counts.tested;
    rule.passed += counts.passed;
    rule.failed += counts.failed;
    rule.undetermined += counts.undetermined;
    rule.suppressed += counts.suppressed;
    rule.relevant += counts.passed + counts.failed + counts.undetermined + counts.suppressed;
}
