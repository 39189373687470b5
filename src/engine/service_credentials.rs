//! The table of service-specific credentials, made from the details of a report and the rows of their users: one row for
//! each credential, evaluated like any block.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::due::{DueFinder, DuePlan};
use super::program::Program;
use super::registers::{Registers, Restriction};
use super::sink::{CredentialVerdicts, Sink};
use super::source::Input;
use super::verdicts::{ChunkView, EmitFilter, Owners, VerdictCounts, Verdicts, is_selected};
use crate::finding::{Code, Diagnostic};
use crate::report::chunk::Chunk;
use crate::report::details::ServiceCredential;
use crate::report::issue::RowIssue;
use crate::report::schema::{Column, ColumnSet, TextColumn};
use crate::report::split::Splitter;
use crate::rule::RuleSuppressions;

/// What a worker reuses to evaluate the service-specific credentials of every block.
#[derive(Debug, Default)]
pub(super) struct ServiceCredentials<'s> {
    table: ServiceCredentialTable,
    registers: Registers,
    due: DueFinder,
    verdicts: Verdicts<'s>,
    /// The input of the table; none if the users of the last block have no such credentials.
    evaluated: Option<Arc<Input>>,
}

/// How a run evaluates them.
pub(super) struct Evaluating<'a, 's> {
    pub(super) program: &'a Program,
    pub(super) cutoffs: &'a [i64],
    /// The columns that are decoded.
    pub(super) columns: ColumnSet,
    pub(super) suppressions: &'s [RuleSuppressions<'s>],
    pub(super) due: Option<&'a DuePlan>,
    pub(super) emit: EmitFilter,
    /// Whether the sink counts all verdicts.
    pub(super) counts: bool,
}

impl<'s> ServiceCredentials<'s> {
    /// Evaluates the credentials of the users of a block, if they have some.
    pub(super) fn evaluate(&mut self, with: &Evaluating<'_, 's>, input: &Arc<Input>, users: ChunkView<'_>) {
        let program = with.program;
        self.evaluated = self.table.read(input, users, with.columns);
        let Some(input) = &self.evaluated else { return };
        let view = self.table.view(input, users);
        self.registers.run(
            program,
            with.cutoffs,
            &self.table.chunk,
            &input.header,
            Restriction::default(),
        );
        if let Some(plan) = with.due {
            self.due
                .find((program, plan), &self.registers, view, with.suppressions);
        }
        self.verdicts.evaluate(
            program,
            &self.registers,
            view,
            with.suppressions,
            (with.emit, with.counts),
            &self.due.found,
        );
    }

    /// The verdicts on the credentials of the block that was evaluated last, if its users have some.
    pub(super) fn found<'a>(&'a self, program: &'a Program) -> Option<CredentialVerdicts<'a>> {
        self.evaluated.as_ref().map(|_| CredentialVerdicts {
            emitted: self.verdicts.emitted(program),
            verdicts: self.verdicts.all(program),
            due: self.due.found.all(),
            owners: &self.table.owners,
        })
    }

    /// The counts of each rule's verdicts on them.
    pub(super) fn counts(&self) -> Option<&[VerdictCounts]> {
        self.evaluated.as_ref().map(|_| &*self.verdicts.counts)
    }

    /// Emits the findings on them to the sink.
    pub(super) fn findings<S: Sink>(
        &self,
        program: &Program,
        users: ChunkView<'_>,
        (sink, part): (&S, &mut S::Part),
    ) {
        if let Some(input) = &self.evaluated {
            let view = self.table.view(input, users);
            self.verdicts
                .findings(program, view, &self.due.found, (sink, part));
        }
    }
}

/// The users of a report who have such credentials: details may name users who are not in the report.
#[derive(Debug, Default)]
pub(super) struct CredentialUsers(BTreeSet<String>);

impl CredentialUsers {
    /// Adds those of a block, evaluated or not.
    pub(super) fn add(&mut self, view: ChunkView<'_>) {
        let Some(details) = &view.input.account.details else {
            return;
        };
        let header = &view.input.header;
        for row in 0..view.chunk.rows.len() {
            let Some(name) = view.chunk.text(header, row, TextColumn::User) else {
                continue;
            };
            let of_user = details.user(view.chunk.account(header, row), name);
            if of_user.is_some_and(|of_user| !of_user.service_credentials.is_empty()) {
                self.0.insert(String::from_utf8_lossy(name).into_owned());
            }
        }
    }

    /// What is said of those who are not in the report, if there are such.
    pub(super) fn missing(&self, input: &Input) -> Option<Diagnostic> {
        const NAMED: usize = 3;
        let details = input.account.details.as_ref()?;
        let with_credentials = details
            .users
            .iter()
            .filter(|(_, user)| !user.service_credentials.is_empty());
        let missing = with_credentials
            .map(|(name, _)| name)
            .filter(|name| !self.0.contains(*name));
        let missing: Vec<&String> = missing.collect();
        if missing.is_empty() {
            return None;
        }
        let mut names: Vec<&str> = missing.iter().take(NAMED).map(|name| name.as_str()).collect();
        let more = format!("{} more", missing.len().saturating_sub(NAMED));
        if missing.len() > NAMED {
            names.push(&more);
        }
        let message = format!(
            "service-specific credentials of users who are not in the report are not evaluated: {}",
            names.join(", ")
        );
        Some(Diagnostic::new(Code::CredentialsOfOthers, message).in_path(&input.path))
    }
}

/// The table of the credentials of a block's users.
#[derive(Debug, Default)]
struct ServiceCredentialTable {
    splitter: Splitter,
    chunk: Chunk,
    issues: Vec<RowIssue>,
    /// The index of each credential's user in the block.
    owners: Vec<u32>,
    /// All rows, as bitmaps: only those of users who are evaluated are made.
    selected: Vec<u64>,
    /// The report whose block was read last, and the input of its table.
    input: Option<(Arc<Input>, Arc<Input>)>,
}

impl ServiceCredentialTable {
    /// Makes the table for the users of a block who are evaluated. Gives its input; none if they have no such credentials.
    fn read(&mut self, input: &Arc<Input>, view: ChunkView<'_>, columns: ColumnSet) -> Option<Arc<Input>> {
        let details = input.account.details.as_ref()?;
        if details
            .users
            .values()
            .all(|user| user.service_credentials.is_empty())
        {
            return None;
        }
        self.owners.clear();
        self.chunk.rows.text_mut().clear();
        for row in 0..view.chunk.rows.len() {
            let user = view.chunk.text(&input.header, row, TextColumn::User);
            let user = user.filter(|_| is_selected(view.selected, row));
            let account = view.chunk.account(&input.header, row);
            let credentials = user.and_then(|user| details.user(account, user));
            for credential in credentials.iter().flat_map(|user| &user.service_credentials) {
                write_row((input, view), row, credential, self.chunk.rows.text_mut());
                self.owners.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        if self.owners.is_empty() {
            return None;
        }
        let table = self.input_of(input);
        self.issues.clear();
        self.splitter
            .split(self.chunk.rows.split_mut(), &table.header, &mut self.issues);
        self.mark_ragged(view.chunk);
        self.chunk.decode(&table.header, columns);
        self.selected.clear();
        self.selected.resize(self.owners.len().div_ceil(64), u64::MAX);
        let beyond = self.owners.len() % 64;
        if let (Some(last), 1..) = (self.selected.last_mut(), beyond) {
            *last = (1 << beyond) - 1;
        }
        Some(table)
    }

    /// A credential of a user whose row is ragged is unknown like that row.
    fn mark_ragged(&mut self, users: &Chunk) {
        let ragged = users.rows.ragged();
        let records = (0_u32..).zip(&self.owners);
        let records = records.filter(|(_, owner)| ragged.binary_search(owner).is_ok());
        let records: Vec<u32> = records.map(|(record, _)| record).collect();
        self.chunk.rows.split_mut().mark_ragged(&records);
    }

    /// The table beside its users.
    fn view<'a>(&'a self, input: &'a Input, users: ChunkView<'a>) -> ChunkView<'a> {
        ChunkView {
            input,
            chunk: &self.chunk,
            selected: &self.selected,
            owners: Some(Owners {
                chunk: users.chunk,
                rows: &self.owners,
            }),
            ..users
        }
    }

    /// The input of the table of this report.
    fn input_of(&mut self, report: &Arc<Input>) -> Arc<Input> {
        if let Some((known, table)) = &self.input
            && Arc::ptr_eq(known, report)
        {
            return Arc::clone(table);
        }
        let table = Arc::new(Input {
            header: report.header.with_details(),
            ..Input::clone(report)
        });
        self.input = Some((Arc::clone(report), Arc::clone(&table)));
        table
    }
}

/// Writes the row of a user, followed by one of the credentials.
fn write_row(
    (input, view): (&Input, ChunkView<'_>),
    row: usize,
    credential: &ServiceCredential,
    out: &mut Vec<u8>,
) {
    let rows = &view.chunk.rows;
    let index = u32::try_from(row).unwrap_or(u32::MAX);
    let is_ragged = rows.ragged().binary_search(&index).is_ok();
    let of_credential = Column::DETAILS.map(|column| {
        if is_ragged {
            String::from_utf8_lossy(UNCLEAR).into_owned()
        } else {
            cell_of(credential, column)
        }
    });
    let mut writer = csv::WriterBuilder::new()
        .delimiter(input.header.delimiter())
        .from_writer(out);
    let of_user = (0..input.header.width()).map(|position| {
        let is_name = input.header.position(TextColumn::User) == Some(position)
            || input.header.position(TextColumn::Arn) == Some(position);
        // A flag that is empty or missing would have a value of its own.
        if is_ragged && !is_name {
            UNCLEAR
        } else {
            rows.field(row, position)
        }
    });
    let cells = of_user.chain(of_credential.iter().map(String::as_bytes));
    writer
        .write_record(cells)
        .expect("invariant: writing into memory does not fail");
}

/// Neither a time nor a flag.
const UNCLEAR: &[u8] = b"?";

/// An absent time.
const NEVER: &str = "N/A";

/// What a column of the table has for a credential. What AWS does not say is unknown; what never expires has no time.
fn cell_of(credential: &ServiceCredential, column: Column) -> String {
    use crate::report::schema::{FlagColumn as F, TextColumn as X, TimeColumn as T};
    let unclear = || String::from_utf8_lossy(UNCLEAR).into_owned();
    match column {
        Column::Text(X::ServiceCredentialId) => credential.id.clone(),
        Column::Text(X::ServiceCredentialService) => credential.service.clone(),
        Column::Flag(F::ServiceCredentialActive) => credential
            .active
            .map_or_else(unclear, |active| active.to_string()),
        Column::Time(T::ServiceCredentialCreated) => {
            credential.created.map_or_else(unclear, |time| time.to_string())
        }
        Column::Time(T::ServiceCredentialExpires) => credential
            .expires
            .map_or_else(|| NEVER.to_owned(), |time| time.to_string()),
        Column::Text(_) | Column::Flag(_) | Column::Time(_) => {
            unreachable!("invariant: these are the columns of details")
        }
    }
}
