//! A finding as the engine emits it: borrowed from the chunk, with nothing formatted yet.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128, xxh3_128_with_seed};

use super::lines::LinesOfBlock;
use super::program::CompiledRule;
use super::source::Input;
use super::verdicts::ChunkView;
use crate::finding::{Finding, FindingId, Source, Status, Suppression};
use crate::report::cell;
use crate::report::chunk::Chunk;
use crate::report::details::UserDetails;
use crate::report::records::Records;
use crate::report::schema::{
    BySlot, Column, ColumnSet, Credential, ExtraColumn, Slot, TextColumn, TimeColumn,
};
use crate::report::time::Timestamp;
use crate::rule::{Owners, Subject, UserToFilter};

/// One data row of one input.
#[derive(Debug)]
pub struct UserRow<'a> {
    input: &'a Input,
    chunk: &'a Chunk,
    index: usize,
    number: u64,
    lines: &'a LinesOfBlock,
    /// Where the row stands in its report.
    place: (&'a Records, usize),
    key: OnceCell<u128>,
}

impl<'a> UserRow<'a> {
    /// The row at this index of the chunk.
    pub(super) fn new(view: ChunkView<'a>, index: usize) -> Self {
        let place = match view.owners {
            Some(owners) => (&owners.chunk.rows, owners.rows[index] as usize),
            None => (&view.chunk.rows, index),
        };
        Self {
            input: view.input,
            chunk: view.chunk,
            index,
            number: view.first_row + place.0.data_rows_before(place.1) as u64,
            lines: view.lines,
            place,
            key: OnceCell::new(),
        }
    }

    /// Identifies the user in the ids of findings; a user who was deleted and created again is another one.
    fn key(&self) -> u128 {
        *self.key.get_or_init(|| {
            let created = self.time(TimeColumn::UserCreation);
            let account = || {
                self.chunk
                    .account_in_columns(&self.input.header, self.index)
                    .unwrap_or_default()
            };
            user_key(
                self.user().unwrap_or_default(),
                self.arn().unwrap_or_default(),
                account,
                created,
            )
        })
    }

    /// Whether it is root's.
    pub fn is_root(&self) -> bool {
        self.chunk.root().get(self.index).is_some_and(|&is_root| is_root)
    }

    /// Index of the record in its block, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Number of the data row in its input, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The line of the file on which the row starts, from 1; none if rows are not lines of it, or the sink shows none.
    pub fn line(&self) -> Option<u64> {
        self.lines.line(self.place.0, self.place.1)
    }

    /// The user's name; `<root_account>` for root.
    pub fn user(&self) -> Option<&'a [u8]> {
        self.chunk.text(&self.input.header, self.index, TextColumn::User)
    }

    /// The user's ARN as written.
    pub fn arn(&self) -> Option<&'a [u8]> {
        self.chunk
            .text(&self.input.header, self.index, TextColumn::Arn)
            .filter(|arn| !arn.is_empty())
    }

    /// The account that the ARN names, or else a column of the report.
    pub fn account(&self) -> Option<&'a [u8]> {
        self.chunk.account(&self.input.header, self.index)
    }

    /// The account's name, if it is known from the organization, or a column has it.
    pub fn account_name(&self) -> Option<&'a str> {
        let of_row = || {
            let name = self.chunk.account_name(&self.input.header, self.index)?;
            str::from_utf8(name).ok()
        };
        self.input.account.name.as_deref().or_else(of_row)
    }

    /// The IAM path that the ARN names; root has none.
    pub fn path(&self) -> Option<&'a [u8]> {
        self.chunk.path(&self.input.header, self.index)
    }

    /// What AWS says about the user beside the report.
    pub fn details(&self) -> Option<&'a UserDetails> {
        let details = self.input.account.details.as_ref()?;
        details.user(self.account(), self.user()?)
    }

    /// The id of the access key in this slot, if it is known.
    pub fn access_key_id(&self, slot: Slot) -> Option<&'a str> {
        let header = &self.input.header;
        let known = self.details().and_then(|details| details.access_key_id(slot));
        known.or_else(|| {
            let id = self
                .chunk
                .extra(header, self.index, ExtraColumn::KEY_ID[slot as usize])?;
            str::from_utf8(id).ok()
        })
    }

    /// Who owns the user, if that is known.
    pub(super) fn owner(&self, owners: &'a Owners) -> Option<&'a str> {
        let details = self.details();
        if details.is_none() && owners.is_of_tags_only() {
            return None;
        }
        let user = UserToFilter {
            user: self.user().filter(|user| !user.is_empty()),
            path: self.path(),
            account: self.account(),
            account_name: self.account_name().map(str::as_bytes),
        };
        owners.owner_of(&user, details)
    }

    /// What the access key in this slot is for, if a tag says it: the console writes one that is named by the key's id.
    pub fn access_key_description(&self, slot: Slot) -> Option<&'a str> {
        let tags = self.details()?.tags.as_ref()?;
        let description = tags.get(self.access_key_id(slot)?)?;
        Some(description.as_str()).filter(|text| !text.is_empty())
    }

    /// The id of the service-specific credential that the row is about.
    pub fn service_credential_id(&self) -> Option<&'a [u8]> {
        self.text(TextColumn::ServiceCredentialId)
    }

    /// Its text in this column; none where it is absent, or the report lacks the column.
    pub(super) fn text(&self, column: TextColumn) -> Option<&'a [u8]> {
        let text = self.chunk.text(&self.input.header, self.index, column);
        text.filter(|text| !text.is_empty())
    }

    /// Its input.
    pub(super) fn input(&self) -> &'a Input {
        self.input
    }

    /// A cell as written; none where the report lacks the column.
    pub fn cell(&self, column: Column) -> Option<&'a [u8]> {
        self.chunk.rows.cell(&self.input.header, self.index, column)
    }

    pub(super) fn time(&self, column: TimeColumn) -> i64 {
        self.cell(column.into()).map_or(cell::UNKNOWN, cell::time)
    }
}

/// Identifies a user by ARN (which has the account in it), or else by name and the account in columns, and by creation
/// time, since a user may be deleted and created again. A text that is not known is empty. `created` is the cell
/// `user_creation_time`: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
pub fn user_key<'a>(name: &[u8], arn: &[u8], account: impl FnOnce() -> &'a [u8], created: i64) -> u128 {
    let key = |who: &[u8]| xxh3_128_with_seed(who, created.cast_unsigned());
    if !arn.is_empty() {
        return key(arn);
    }
    match account() {
        [] => key(name),
        account => key(&[account, b"/", name].concat()),
    }
}

/// The user or input that a finding is about.
#[derive(Clone, Copy, Debug)]
pub enum FindingScope<'a> {
    /// One user.
    User(&'a UserRow<'a>),
    /// All users of an input for whom a rule is undetermined, since the input lacks columns.
    Input {
        /// The accounts of the input, in order.
        accounts: &'a [Vec<u8>],
        /// The number of verdicts that are folded into this finding.
        verdicts: u64,
    },
}

/// A verdict that is emitted.
#[derive(Clone, Copy, Debug)]
pub struct FindingRef<'a> {
    pub(super) input: &'a Input,
    pub(super) compiled: &'a CompiledRule,
    pub(super) slot: Slot,
    /// The verdict.
    pub status: Status,
    /// The user or input that it is about.
    pub scope: FindingScope<'a>,
    /// The suppression that accepts it, if one does.
    pub suppression: Option<&'a Suppression>,
    /// When it fails, if it is due.
    pub due_at: Option<Timestamp>,
    /// Whether it does not say how it is fixed, though the program would.
    pub(super) is_without_fix: bool,
}

/// The id of a rule's finding on the user with this [`user_key`]. If the rule is about keys or certificates, `created`
/// has the creation times of those in both slots: such a credential is identified by its creation time, and by its slot
/// only if both were created in the same second.
pub fn finding_id(rule: &CompiledRule, user: u128, slot: Slot, created: Option<BySlot<i64>>) -> FindingId {
    // On the stack: this is done for every finding.
    let mut text = [0; 16 + 16 + 8 + 1];
    text[..16].copy_from_slice(&rule.key.to_le_bytes());
    text[16..32].copy_from_slice(&user.to_le_bytes());
    let mut length = 32;
    if let Some(created) = created {
        text[32..40].copy_from_slice(&created[slot as usize].to_le_bytes());
        text[40] = slot as u8;
        length = if created[0] == created[1] { 41 } else { 40 };
    }
    FindingId(xxh3_128(&text[..length]))
}

impl<'a> FindingRef<'a> {
    /// A verdict on one user or one of its credentials.
    pub(super) fn of_row(
        input: &'a Input,
        compiled: &'a CompiledRule,
        slot: Slot,
        status: Status,
        row: &'a UserRow<'a>,
    ) -> Self {
        Self {
            input,
            compiled,
            slot,
            status,
            scope: FindingScope::User(row),
            suppression: None,
            due_at: None,
            is_without_fix: false,
        }
    }

    /// The properties that suppressions match.
    pub(super) fn subject(&self) -> Subject<'a> {
        let text = |bytes: &'a [u8]| str::from_utf8(bytes).ok();
        let created = self.row().and_then(|row| {
            let entity = self.compiled.bound.typed.entity;
            let of_details = || Some(TimeColumn::ServiceCredentialCreated).filter(|_| entity.needs_details());
            let of_slot = entity.existence(self.slot).map(|(_, created)| created);
            cell::known(row.time(of_slot.or_else(of_details)?))
        });
        Subject {
            account: self.account().and_then(text),
            user: self.row().and_then(UserRow::user).and_then(text),
            path: self.row().and_then(UserRow::path).and_then(text),
            credential: self.credential(),
            created,
        }
    }

    /// Its input.
    pub fn input(&self) -> &'a Input {
        self.input
    }

    /// The rule, with its parameters and what its findings have in common.
    pub fn rule(&self) -> &'a CompiledRule {
        self.compiled
    }

    /// The user's row; none if the finding is about a whole input.
    pub fn row(&self) -> Option<&'a UserRow<'a>> {
        match self.scope {
            FindingScope::User(row) => Some(row),
            FindingScope::Input { .. } => None,
        }
    }

    /// The account.
    pub fn account(&self) -> Option<&'a [u8]> {
        match self.scope {
            FindingScope::User(row) => row.account(),
            FindingScope::Input { accounts, .. } => match accounts {
                [account] => Some(account),
                _ => None,
            },
        }
    }

    /// The account's name, if it is known from the organization, or a column has it.
    pub fn account_name(&self) -> Option<&'a str> {
        match self.row() {
            Some(row) => row.account_name(),
            None => self.input.account.name.as_deref(),
        }
    }

    /// The id of the access key that it is about, if it is known.
    pub fn access_key_id(&self) -> Option<&'a str> {
        let Some(Credential::AccessKey(slot)) = self.credential() else {
            return None;
        };
        self.key_id(slot)
    }

    /// What the access key that it is about is for, if that is known.
    pub fn access_key_description(&self) -> Option<&'a str> {
        let Some(Credential::AccessKey(slot)) = self.credential() else {
            return None;
        };
        self.row()?.access_key_description(slot)
    }

    /// Who owns the user, if that is known.
    pub fn owner(&self) -> Option<&'a str> {
        self.row()?.owner(&self.compiled.owners)
    }

    /// The id of the key in a slot, if it is known.
    pub(super) fn key_id(&self, slot: Slot) -> Option<&'a str> {
        self.row()?.access_key_id(slot)
    }

    /// The slot of the key or certificate that it is about; the first one if it is about a user.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// The credential that it is about, if it is about one.
    pub fn credential(&self) -> Option<Credential> {
        self.row().and(self.compiled.credential(self.slot))
    }

    /// When its credential was created, and when it was last used; none where that is unknown or never was.
    pub fn credential_times(&self) -> [Option<Timestamp>; 2] {
        let (Some(row), Some(credential)) = (self.row(), self.credential()) else {
            return [None, None];
        };
        let known = |column: TimeColumn| cell::known(row.time(column));
        [
            known(credential.created()),
            credential.last_used().and_then(known),
        ]
    }

    /// The cells that the rule read, as written, ordered by name.
    pub fn evidence(&self) -> impl Iterator<Item = (Column, &'a [u8])> {
        let row = self.row();
        self.compiled
            .evidence(self.slot)
            .iter()
            .filter_map(move |&column| Some((column, row?.cell(column)?)))
    }

    /// One sentence for people.
    pub fn message(&self) -> Cow<'a, str> {
        match (self.status, self.scope) {
            (Status::Fail | Status::Suppressed, _) => Cow::Borrowed(&self.compiled.bound.message),
            (Status::Pass, _) => Cow::Borrowed("the rule holds"),
            (Status::Due, _) => Cow::Owned(self.later_message()),
            (Status::Undetermined, FindingScope::User(row)) => {
                Cow::Owned(format!("cannot be determined: {}", self.unknowns(row)))
            }
            (Status::Undetermined, FindingScope::Input { verdicts, .. }) => {
                let cases = if verdicts == 1 { "case" } else { "cases" };
                let missing = names(self.input.lacks().intersection(self.compiled.needs));
                Cow::Owned(format!(
                    "cannot be determined in {verdicts} {cases}: the report lacks {missing}"
                ))
            }
        }
    }

    /// What a due verdict will say, and when.
    fn later_message(&self) -> String {
        let message = &self.compiled.bound.message;
        match self.due_at {
            Some(due_at) => format!("fails at {due_at} if nothing changes: {message}"),
            None => message.clone(),
        }
    }

    fn unknowns(&self, row: &UserRow<'_>) -> String {
        let index = u32::try_from(row.index).unwrap_or(u32::MAX);
        if row.chunk.rows.ragged().binary_search(&index).is_ok() {
            return "the fields of this row cannot be matched to columns".to_owned();
        }
        let unknown: Vec<String> = self
            .evidence()
            .filter(|(column, field)| match column {
                Column::Time(_) => cell::time(field) == cell::UNKNOWN,
                Column::Flag(_) => cell::flag(field) == cell::Flag::Unknown,
                Column::Text(_) => false,
            })
            .map(|(column, field)| match field {
                [] => format!("{} is empty", column.name()),
                _ => format!("{} is '{}'", column.name(), shortened(field)),
            })
            .collect();
        unknown.join(", ")
    }

    /// Its stable id.
    pub fn id(&self) -> FindingId {
        match self.scope {
            FindingScope::User(row) => finding_id(self.compiled, row.key(), self.slot, self.created(row)),
            // The accounts do not depend on where the report is saved, as its path does.
            FindingScope::Input { accounts, .. } => {
                let key = self.compiled.key.to_le_bytes();
                FindingId(xxh3_128(&[&key[..], &accounts.join(&b',')].concat()))
            }
        }
    }

    /// The creation times of the keys or certificates in both slots, if the rule is about those. A service-specific
    /// credential has an id that never changes: its hash takes their place.
    fn created(&self, row: &UserRow<'_>) -> Option<BySlot<i64>> {
        if let Some(id) = row
            .service_credential_id()
            .filter(|_| self.credential() == Some(Credential::ServiceCredential))
        {
            return Some([xxh3_64(id).cast_signed(), cell::ABSENT]);
        }
        let columns = self.compiled.bound.typed.entity.slot_columns()?;
        Some(columns.last_rotated.map(|column| row.time(column)))
    }

    /// The finding, with everything copied and formatted.
    pub fn to_finding(&self) -> Finding {
        let bound = &self.compiled.bound;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let row = self.row();
        Finding {
            schema: Finding::SCHEMA.to_owned(),
            id: self.id(),
            rule: bound.rule.id.clone(),
            parameters: bound.parameters.clone(),
            title: bound.rule.title.clone(),
            status: self.status,
            severity: bound.severity,
            due_at: self.due_at,
            account: self.account().map(text),
            account_name: self.account_name().map(str::to_owned),
            user: row.and_then(UserRow::user).map(text),
            arn: row.and_then(UserRow::arn).map(text),
            credential: self.credential(),
            access_key_id: self.access_key_id().map(str::to_owned),
            access_key_description: self.access_key_description().map(str::to_owned),
            owner: self.owner().map(str::to_owned),
            as_of: self.input.as_of,
            source: Source {
                path: self.input.path.clone(),
                row: row.map(UserRow::number),
                line: row.and_then(UserRow::line),
            },
            message: self.message().into_owned(),
            evidence: self
                .evidence()
                .map(|(column, cell)| (column.name().to_owned(), text(cell)))
                .collect::<BTreeMap<_, _>>(),
            requirements: bound.requirements.clone(),
            related_requirements: bound.related.clone(),
            suppression: self.suppression.cloned(),
            fix: self.fix(),
        }
    }
}

/// A cell for people: the rest of a long one is cut off.
pub(super) fn shortened(cell: &[u8]) -> String {
    const MOST: usize = 100;
    match cell.get(..MOST) {
        Some(head) if cell.len() > MOST => format!("{}…", String::from_utf8_lossy(head)),
        Some(_) | None => String::from_utf8_lossy(cell).into_owned(),
    }
}

/// The columns' names, for people.
fn names(columns: ColumnSet) -> String {
    let names: Vec<_> = columns.iter().map(Column::name).collect();
    names.join(", ")
}
