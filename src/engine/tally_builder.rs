//! Adds up the counts and diagnostics of blocks, in order, into the tally of a run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::filtering::Filtering;
use super::finding_ref::shortened;
use super::program::Program;
use super::root_rows::{AccountsOfChunk, AccountsTwice, RootRows};
use super::run::SelectedRows;
use super::service_credentials::CredentialUsers;
use super::source::{BlockEnd, FileDigest, Input, ReportId};
use super::stand_ins::{StandIns, StandInsOfReport};
use super::verdicts::{ChunkView, VerdictCounts, is_selected};
use crate::finding::{
    AsOfSource, Code, Diagnostic, DiagnosticLog, InputTally, LeftOutReason, Level, PassedOver, RuleTally,
    Tally,
};
use crate::report::chunk::BadCell;
use crate::report::issue::{Issue, RowIssue};
use crate::report::not_a_report::NotAReport;
use crate::report::schema::{ExtraColumn, TextColumn};
use crate::report::time::Timestamp;

/// The tally so far.
pub(super) struct TallyBuilder {
    tally: Tally,
    diagnostics: DiagnosticLog,
    /// The reports of the entries in the tally.
    ids: Vec<ReportId>,
    /// The digests of their files.
    digests: Vec<FileDigest>,
    current: Option<CurrentInput>,
    twice: AccountsTwice,
    /// The positions of the rules that need details.
    on_details: Vec<usize>,
    /// How many evaluated reports come without details, and how many with them.
    by_details: [u64; 2],
    /// Of all reports so far.
    root_rows: RootRows,
}

/// The input whose blocks are being added.
struct CurrentInput {
    input: Arc<Input>,
    users: u64,
    stand_ins: StandInsOfReport,
    root_rows: RootRows,
    /// Whether it has a data row.
    has_rows: bool,
    /// The data rows of the file before the current block, including those that were left out.
    rows_before: u64,
    /// Whether a verdict is determined; none where there is no verdict.
    determined: Option<bool>,
    /// The undetermined verdicts that fold into one finding, for each rule.
    folded: Vec<u64>,
    accounts: BTreeSet<Vec<u8>>,
    credential_users: CredentialUsers,
    /// Whether a diagnostic says that rows were left out.
    left_out: bool,
    /// Whether an error says that a line is not a row: one is enough for the exit status.
    has_foreign_line: bool,
    newest: Option<i64>,
    /// The least and the greatest time of generation that rows have.
    generated: Option<(Timestamp, Timestamp)>,
    /// How many rows have an account that cannot be read, or another one than the ARN.
    unclear_accounts: [usize; 2],
}

/// An input that has been evaluated, and its folded findings.
pub(super) struct EndedInput {
    pub(super) input: Arc<Input>,
    /// Its accounts, in order.
    pub(super) accounts: Vec<Vec<u8>>,
    pub(super) folded: Vec<FoldedVerdicts>,
}

/// Verdicts of one rule that fold into one finding.
pub(super) struct FoldedVerdicts {
    pub(super) rule: usize,
    pub(super) verdicts: u64,
}

impl TallyBuilder {
    pub(super) fn new(program: &Program, due_within: Option<u64>) -> Self {
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
                due: due_within.map(|_| 0),
                not_run: None,
                file: bound.rule.file().map(str::to_owned),
                texts: bound.texts(),
            })
            .collect();
        Self {
            tally: Tally {
                rules,
                due_within_seconds: due_within,
                ..Tally::default()
            },
            diagnostics: DiagnosticLog::default(),
            ids: Vec::new(),
            digests: Vec::new(),
            current: None,
            twice: AccountsTwice::default(),
            on_details: program.on_details(),
            by_details: [0, 0],
            root_rows: RootRows::default(),
        }
    }

    /// Adds a block.
    pub(super) fn add(
        &mut self,
        (input, end): (&Arc<Input>, BlockEnd),
        view: ChunkView<'_>,
        counts: &[VerdictCounts],
        issues: &[RowIssue],
    ) {
        let chunk = view.chunk;
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.open(input, counts.len()),
        };
        current.rows_before = view.first_row - 1;
        let mut of_block = current.of_issues(view, issues, end);
        of_block.extend(current.of_bad_cells(view, self.diagnostics.room(Code::BadCell)));
        of_block.extend(self.twice.add(view));
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
        current.credential_users.add(view);
        self.tally.roots += current.add_chunk(view);
        current.add_counts(&mut self.tally.rules, counts);
        self.current = Some(current);
    }

    /// Adds the verdicts on service-specific credentials of the users of the block that was added last.
    pub(super) fn add_service_credentials(&mut self, counts: Option<&[VerdictCounts]>) {
        if let (Some(current), Some(counts)) = (&mut self.current, counts) {
            current.add_counts(&mut self.tally.rules, counts);
        }
    }

    /// Adds the stand-ins of the block that was added last.
    pub(super) fn add_stand_ins(&mut self, found: StandInsOfReport) {
        let Some(current) = &mut self.current else { return };
        for (key, (column, found)) in found {
            let (_, known) = current
                .stand_ins
                .entry(key)
                .or_insert_with(|| (column, StandIns::default()));
            known.counts.append(found.counts);
            known.passing.extend(found.passing);
        }
    }

    /// Adds the accounts of the block that was added last.
    pub(super) fn add_root_rows(&mut self, found: &AccountsOfChunk) {
        if let Some(current) = &mut self.current {
            current.root_rows.append(found);
        }
    }

    /// Adds the diagnostic that an input, or the rest of one, could not be read.
    pub(super) fn fail(&mut self, path: &str, error: &str) {
        self.diagnostics
            .push(Diagnostic::new(Code::Unreadable, error).in_path(path));
    }

    /// Adds a file that is not a report.
    pub(super) fn pass_over(&mut self, file: PassedOver) {
        self.tally.passed_over.push(file);
    }

    /// The tally of the run.
    pub(super) fn finish(mut self, selection: SelectedRows<'_>) -> Tally {
        let mut instants = self.tally.inputs.iter().map(|input| &input.as_of);
        let first = instants.next();
        if instants.all(|as_of| Some(as_of) == first) {
            self.tally.as_of = first.cloned();
        }
        let is_all = self.tally.inputs.is_empty() && selection.rows.left_out_inputs().is_empty();
        let passed_over = PassedOver::diagnostic(&self.tally.passed_over, is_all);
        self.tally.lacks_root = self.root_rows.is_any_missing();
        if let Some(filtering) = selection.filtering {
            self.tally.filters = filtering.filters().given();
            self.tally.is_partial = filtering.filters().is_partial();
        }
        let no_match = selection.filtering.and_then(Filtering::no_match);
        // If nothing could be read, the errors say why there is no such user.
        let no_match = no_match.filter(|_| !self.tally.inputs.is_empty());
        let not_run = self.rules_not_run();
        self.tally.diagnostics = self.diagnostics.finish();
        self.tally.diagnostics.extend(not_run);
        self.tally.diagnostics.extend(passed_over);
        self.tally
            .diagnostics
            .extend(no_match.map(|message| Diagnostic::new(Code::NoMatch, message)));
        // A file that has several reports is read to its end only now.
        for (input, digest) in self.tally.inputs.iter_mut().zip(&self.digests) {
            input.sha256 = digest.get();
        }
        let mut inputs: Vec<_> = self.ids.into_iter().zip(self.tally.inputs).collect();
        for left_out in selection.rows.left_out_inputs().values() {
            inputs.extend(left_out.reports.iter().cloned());
        }
        inputs.sort_by_key(|&(id, _)| id);
        self.tally.inputs = inputs.into_iter().map(|(_, input)| input).collect();
        self.tally
    }

    /// Marks the rules that no report had the details for, and says on how many reports rules were not run.
    fn rules_not_run(&mut self) -> Option<Diagnostic> {
        let [without, with] = self.by_details;
        self.tally.has_details = with > 0;
        if self.on_details.is_empty() || without == 0 {
            return None;
        }
        for &rule in &self.on_details {
            self.tally.rules[rule].not_run = Some(without);
        }
        let mut ids: Vec<&str> = self
            .on_details
            .iter()
            .map(|&rule| &*self.tally.rules[rule].id)
            .collect();
        ids.dedup();
        let reports = match (without, with) {
            (_, 0) => String::new(),
            (1, _) => " on 1 report".to_owned(),
            (without, _) => format!(" on {without} reports"),
        };
        let were = if ids.len() == 1 { "was" } else { "were" };
        let message = format!(
            "{} {were} not run{reports}: service-specific credentials are not in a report",
            ids.join(", ")
        );
        Some(Diagnostic::new(Code::RulesNotRun, message))
    }

    fn open(&mut self, input: &Arc<Input>, rules: usize) -> CurrentInput {
        let width = input.header.width();
        self.diagnostics.begin_input();
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
            stand_ins: StandInsOfReport::new(),
            root_rows: RootRows::default(),
            has_rows: false,
            rows_before: 0,
            determined: None,
            folded: vec![0; rules],
            accounts: BTreeSet::new(),
            credential_users: CredentialUsers::default(),
            left_out: false,
            has_foreign_line: false,
            newest: None,
            generated: None,
            unclear_accounts: [0, 0],
        }
    }

    /// Ends the current input, if there is one.
    pub(super) fn end(&mut self, selection: SelectedRows<'_>) -> Option<EndedInput> {
        let mut current = self.current.take()?;
        let is_filtered = current.has_rows && current.users == 0 && selection.filtering.is_some();
        if is_filtered {
            self.diagnostics.take_back_input();
            let left_out = selection.rows.left_out_of(&current.input).map(|rows| rows.reason);
            self.list_input(&current, left_out.or(Some(LeftOutReason::Filtered)));
            return Some(current.ended());
        }
        if current
            .newest
            .is_some_and(|newest| newest > current.input.as_of.0)
        {
            self.diagnostics.push(current.newer_than_as_of());
        }
        if let Some(missing) = current.credential_users.missing(&current.input) {
            self.diagnostics.push(missing);
        }
        for diagnostic in current.of_columns() {
            self.diagnostics.push(diagnostic);
        }
        if !current.has_rows {
            let empty = NotAReport::NoUsers.to_string();
            self.fail(&current.input.path, &empty);
            return Some(current.ended());
        }
        if current.determined == Some(false) {
            let message = "every verdict on this report is undetermined, so it counts as not evaluated";
            self.diagnostics
                .push(Diagnostic::new(Code::NothingDetermined, message).in_path(&current.input.path));
        } else {
            self.tally.evaluated += 1;
        }
        let details = current.input.account.details.as_ref();
        let has_details = details.is_some_and(|details| details.service_credentials_listed);
        self.by_details[usize::from(has_details)] += 1;
        for diagnostic in current.of_stand_ins(&self.tally.rules) {
            self.diagnostics.push(diagnostic);
        }
        // Where users of an account are left out by filters, root may be one of them.
        let is_partial = selection.filtering.is_some_and(|it| it.filters().is_partial());
        let root_rows = current.root_rows.note();
        if let Some(note) = root_rows.filter(|_| !is_partial) {
            self.diagnostics.push(note.in_path(&current.input.path));
        }
        self.root_rows
            .append_report(std::mem::take(&mut current.root_rows));
        self.diagnostics.end_input(&current.input.path);
        let left_out = selection.rows.left_out_of(&current.input).map(|rows| rows.reason);
        self.list_input(&current, left_out);
        Some(current.ended())
    }

    /// Adds the entry of an input.
    fn list_input(&mut self, current: &CurrentInput, left_out: Option<LeftOutReason>) {
        let input = &current.input;
        self.ids.push(input.id);
        self.digests.push(input.file.digest.clone());
        self.tally.inputs.push(InputTally {
            path: input.path.clone(),
            account_name: input.account.name.clone(),
            kind: input.kind.clone(),
            users: Some(current.users).filter(|&users| users > 0 || left_out.is_none()),
            left_out,
            as_of: input.as_of.to_string(),
            as_of_source: input.as_of_source,
            generated: input.generated.map(|time| time.to_string()),
            sha256: None,
        });
    }
}

impl CurrentInput {
    /// Adds the counts of each rule's verdicts.
    fn add_counts(&mut self, rules: &mut [RuleTally], counts: &[VerdictCounts]) {
        for ((rule, counts), folded) in rules.iter_mut().zip(counts).zip(&mut self.folded) {
            add_counts(rule, counts);
            if counts.tested > 0 {
                let before = self.determined == Some(true);
                self.determined = Some(before || counts.tested > counts.undetermined);
            }
            *folded += counts.folded;
        }
    }

    fn of_issues(&mut self, view: ChunkView<'_>, issues: &[RowIssue], end: BlockEnd) -> Vec<Diagnostic> {
        let chunk = view.chunk;
        let mut diagnostics = Vec::new();
        let mut ragged = chunk.rows.ragged().iter();
        for RowIssue { row, issue } in issues {
            // One diagnostic for all rows that were left out is enough.
            if *issue == Issue::LeftOut && std::mem::replace(&mut self.left_out, true) {
                continue;
            }
            let width = self.input.header.width();
            let diagnostic = match (issue, ragged.clone().next()) {
                (Issue::Ragged(fields), Some(&record)) => {
                    ragged.next();
                    let is_last = end.ends_input() && record as usize + 1 == chunk.rows.len();
                    let text = |column| {
                        chunk
                            .text(&self.input.header, record as usize, column)
                            .unwrap_or_default()
                    };
                    let who = (text(TextColumn::User), text(TextColumn::Arn));
                    Diagnostic::of_ragged_row((*fields, width), who, is_last)
                }
                _ => Diagnostic::of_issue(issue, width),
            };
            let is_error = diagnostic.level == Level::Error && *issue != Issue::LeftOut;
            let diagnostic = if is_error && std::mem::replace(&mut self.has_foreign_line, true) {
                diagnostic.with_level(Level::Warning)
            } else {
                diagnostic
            };
            // What was not made a record is not on the line of the next one.
            let is_of_record = !matches!(issue, Issue::RepeatedHeader | Issue::LeftOut);
            let record = is_of_record.then(|| chunk.rows.record_of_data_row(*row as usize));
            let line = record
                .flatten()
                .and_then(|record| view.lines.line(&chunk.rows, record));
            let row = self.rows_before + u64::from(*row) + 1;
            let diagnostic = diagnostic.in_path(&self.input.path).in_row(row);
            diagnostics.push(diagnostic.on_line(line));
        }
        diagnostics
    }

    fn of_bad_cells(&self, view: ChunkView<'_>, room: usize) -> Vec<Diagnostic> {
        let chunk = view.chunk;
        let bad = chunk.bad_cells().listed.iter().take(room);
        let diagnostic = |bad: &BadCell| {
            let record = bad.row as usize;
            let value = chunk.rows.cell(&self.input.header, record, bad.column);
            Diagnostic::of_bad_cell(bad.column)
                .in_path(&self.input.path)
                .in_row(self.rows_before + chunk.rows.data_rows_before(record) as u64 + 1)
                .on_line(view.lines.line(&chunk.rows, record))
                .with_value(shortened(value.unwrap_or(b"")))
        };
        bad.map(diagnostic).collect()
    }

    /// Returns the number of root rows.
    fn add_chunk(&mut self, ChunkView { chunk, selected, .. }: ChunkView<'_>) -> u64 {
        self.users += selected
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum::<u64>();
        self.has_rows |= chunk.rows.data_rows() > 0;
        self.newest = self.newest.max(chunk.newest());
        let unclear = chunk.unclear_accounts(&self.input.header);
        self.unclear_accounts = [0, 1].map(|at| self.unclear_accounts[at] + unclear[at]);
        let has_times = self.input.header.extra(ExtraColumn::GeneratedTime).is_some();
        let rows = if has_times { 0..chunk.rows.len() } else { 0..0 };
        for time in rows.filter_map(|row| chunk.generated(&self.input.header, row)) {
            let (first, last) = self.generated.get_or_insert((time, time));
            (*first, *last) = (time.min(*first), time.max(*last));
        }
        // Only folded findings need the account, and only a report that lacks columns has those.
        if !self.input.lacks().is_empty() {
            for (mut rows, account) in chunk.account_runs(&self.input.header) {
                if let Some(account) = account.filter(|account| account.iter().all(u8::is_ascii_digit))
                    && !self.accounts.contains(account)
                    && rows.any(|row| is_selected(selected, row))
                {
                    self.accounts.insert(account.to_vec());
                }
            }
        }
        if !chunk.root().contains(&true) {
            return 0;
        }
        let roots = chunk.root().iter().enumerate();
        roots
            .filter(|&(row, &is_root)| is_root && is_selected(selected, row))
            .count() as u64
    }

    /// One note for each column with cells that other tools wrote in place of `N/A`.
    fn of_stand_ins(&self, rules: &[RuleTally]) -> Vec<Diagnostic> {
        let notes = self.stand_ins.values().map(|(column, found)| {
            let ids: Vec<&str> = found.passing.iter().map(|&rule| &*rules[rule].id).collect();
            Diagnostic::of_stand_ins(found.counts, (*column).into(), &ids).in_path(&self.input.path)
        });
        notes.collect()
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
            accounts: self.accounts.into_iter().collect(),
            input: self.input,
        }
    }

    /// What is doubtful about the columns that merged reports have.
    fn of_columns(&self) -> impl Iterator<Item = Diagnostic> {
        let times = self
            .generated
            .filter(|(first, last)| self.input.as_of_source == AsOfSource::Generated && first != last);
        let times = times.map(|(first, last)| {
            let message = format!(
                "its rows were generated between {first} and {last}, and all ages are counted to {}, the time of the first row",
                self.input.as_of
            );
            Diagnostic::new(Code::SeveralTimes, message)
        });
        let rows = |count: usize| {
            if count == 1 {
                "1 row".to_owned()
            } else {
                format!("{count} rows")
            }
        };
        let [unreadable, other] = self.unclear_accounts;
        let unreadable = (unreadable > 0).then(|| {
            let message = format!(
                "the account of {} is not an id of 12 digits; a spreadsheet may have changed it",
                rows(unreadable)
            );
            Diagnostic::new(Code::UnclearAccount, message)
        });
        let other = (other > 0).then(|| {
            let message = format!(
                "the account of {} is another one in its column than in the ARN, which counts",
                rows(other)
            );
            Diagnostic::new(Code::UnclearAccount, message)
        });
        let all = times.into_iter().chain(unreadable).chain(other);
        all.map(|diagnostic| diagnostic.in_path(&self.input.path))
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

fn add_counts(rule: &mut RuleTally, counts: &VerdictCounts) {
    rule.tested += counts.tested;
    rule.passed += counts.passed;
    rule.failed += counts.failed;
    rule.undetermined += counts.undetermined;
    rule.suppressed += counts.suppressed;
    if let Some(due) = &mut rule.due {
        *due += counts.due;
    }
    rule.relevant += counts.passed + counts.failed + counts.undetermined + counts.suppressed;
}
