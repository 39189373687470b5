//! The table of service-specific credentials, made from the details of a report and the rows of their users: one row for
//! each credential, evaluated like any block.

use std::sync::Arc;

use super::due::{DueFinder, DuePlan};
use super::program::Program;
use super::registers::{Registers, Restriction};
use super::sink::{Block, CredentialVerdicts, Sink};
use super::source::Input;
use super::verdicts::{ChunkView, EmitFilter, Owners, VerdictCounts, Verdicts, is_selected};
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
}

/// How a run evaluates them.
pub(super) struct Evaluating<'a, 's, S> {
    pub(super) program: &'a Program,
    pub(super) cutoffs: &'a [i64],
    /// The columns that are decoded.
    pub(super) columns: ColumnSet,
    pub(super) suppressions: &'s [RuleSuppressions<'s>],
    pub(super) due: Option<&'a DuePlan>,
    pub(super) emit: EmitFilter,
    pub(super) sink: &'a S,
}

impl<'s> ServiceCredentials<'s> {
    /// Evaluates the credentials of the users of a block, and passes what is found to the sink. Gives the counts of each
    /// rule's verdicts; none if the users have no such credentials.
    pub(super) fn evaluate<S: Sink>(
        &mut self,
        with: &Evaluating<'_, 's, S>,
        (block, users): (Block<'_>, ChunkView<'_>),
        part: &mut S::Part,
    ) -> Option<&[VerdictCounts]> {
        let program = with.program;
        let input = self.table.read(block.input, users, with.columns)?;
        let table = &self.table;
        let header = &input.header;
        self.registers.run(
            program,
            with.cutoffs,
            &table.chunk,
            header,
            Restriction::default(),
        );
        let owners = Owners {
            chunk: users.chunk,
            rows: &table.owners,
        };
        let view = ChunkView {
            input: &input,
            chunk: &table.chunk,
            selected: &table.selected,
            owners: Some(owners),
            ..users
        };
        if let Some(plan) = with.due {
            self.due
                .find((program, plan), &self.registers, view, with.suppressions);
        }
        let due = &self.due.found;
        let counts = with.sink.counts_verdicts();
        self.verdicts.evaluate(
            program,
            &self.registers,
            view,
            with.suppressions,
            (with.emit, counts),
            due,
        );
        let verdicts = &self.verdicts;
        if counts {
            let of_credentials = CredentialVerdicts {
                verdicts: verdicts.all(program),
                owners: &table.owners,
                users: block,
            };
            with.sink.service_credentials(part, of_credentials);
        }
        if with.sink.takes_findings() {
            verdicts.findings(program, view, due, (with.sink, part));
        }
        Some(&self.verdicts.counts)
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
            let credentials = user.and_then(|user| details.user(user));
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
            .split(&mut self.chunk.rows, &table.header, &mut self.issues);
        self.chunk.decode(&table.header, columns);
        self.selected.clear();
        self.selected.resize(self.owners.len().div_ceil(64), u64::MAX);
        let beyond = self.owners.len() % 64;
        if let (Some(last), 1..) = (self.selected.last_mut(), beyond) {
            *last = (1 << beyond) - 1;
        }
        Some(table)
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
    let of_credential = Column::DETAILS.map(|column| cell_of(credential, column));
    let mut writer = csv::WriterBuilder::new()
        .delimiter(input.header.delimiter())
        .from_writer(out);
    let of_user = (0..input.header.width()).map(|position| {
        let is_name = input.header.position(TextColumn::User) == Some(position)
            || input.header.position(TextColumn::Arn) == Some(position);
        // What cannot be told of a row whose fields are unclear is not absent, but unknown.
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
