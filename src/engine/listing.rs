//! The items of a list: the users, keys or certificates that a program lists, with the findings about each.

use std::sync::Arc;

use super::finding_ref::UserRow;
use super::lines::LinesOfBlock;
use super::program::Program;
use super::sink::{Block, CredentialVerdicts};
use super::source::Input;
use super::verdicts::ChunkView;
use crate::finding::{ListItem, Severity, Source, Status};
use crate::gsl::typed::Entity;
use crate::report::cell::{self, Flag, known};
use crate::report::chunk::Chunk;
use crate::report::schema::{
    ACCESS_KEY, CERTIFICATE, Column, ColumnSet, Credential, FlagColumn, KEY_LAST_USED, Slot, TimeColumn,
};
use crate::report::time::Timestamp;
use crate::rule::Owners;

/// A user, key or certificate that is listed: borrowed from the block, with nothing formatted yet.
#[derive(Clone, Copy, Debug)]
pub struct ItemRef<'a> {
    /// The row of its user.
    pub row: &'a UserRow<'a>,
    /// The key or certificate; none for a user.
    pub credential: Option<Credential>,
    /// When the user was created.
    pub user_created: Option<Timestamp>,
    /// See [`ListItem::active`].
    pub active: Option<bool>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Its last use.
    pub last_use: LastUse,
    /// Whether the user has a console password.
    pub password_enabled: Option<bool>,
    /// Whether the user has MFA.
    pub mfa_active: Option<bool>,
    /// Who owns the user, if that is known.
    pub owner: Option<&'a str>,
    /// How many findings are about it.
    pub findings: u64,
    /// The severity of the worst of them.
    pub severity: Option<Severity>,
    /// When the first rule will fail that does not yet.
    pub due_at: Option<Timestamp>,
}

/// When something was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUse {
    /// Cells are unknown, or a report has none about its use.
    Unknown,
    /// Never.
    Never,
    /// At this time, of the access key in this slot, or else the password.
    At(Timestamp, Option<Slot>),
}

impl<'a> ItemRef<'a> {
    /// Its input.
    pub fn input(&self) -> &'a Input {
        self.row.input()
    }

    /// The last use.
    pub fn last_used(&self) -> Option<Timestamp> {
        match self.last_use {
            LastUse::At(time, _) => Some(time),
            LastUse::Unknown | LastUse::Never => None,
        }
    }

    /// The region of the last use.
    pub fn last_used_region(&self) -> Option<&'a [u8]> {
        let slot = self.slot_of_last_use()?;
        self.row.text(KEY_LAST_USED.region[slot as usize])
    }

    /// The service of the last use.
    pub fn last_used_service(&self) -> Option<&'a [u8]> {
        let slot = self.slot_of_last_use()?;
        self.row.text(KEY_LAST_USED.service[slot as usize])
    }

    fn slot_of_last_use(&self) -> Option<Slot> {
        match self.last_use {
            LastUse::At(_, slot) => slot,
            LastUse::Unknown | LastUse::Never => None,
        }
    }

    /// The access key's id, if it is known.
    pub fn access_key_id(&self) -> Option<&'a str> {
        match self.credential {
            Some(Credential::AccessKey(slot)) => self.row.access_key_id(slot),
            Some(Credential::Password | Credential::Certificate(_) | Credential::ServiceCredential)
            | None => None,
        }
    }

    /// What the access key is for, if a tag says it.
    pub fn access_key_description(&self) -> Option<&'a str> {
        match self.credential {
            Some(Credential::AccessKey(slot)) => self.row.access_key_description(slot),
            Some(Credential::Password | Credential::Certificate(_) | Credential::ServiceCredential)
            | None => None,
        }
    }

    /// The item, with everything copied.
    pub fn to_item(&self) -> ListItem {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (row, input) = (self.row, self.input());
        let named = |text: &[u8]| !text.is_empty();
        ListItem {
            schema: ListItem::SCHEMA.to_owned(),
            account: row.account().map(text),
            account_name: row.account_name().map(str::to_owned),
            user: row.user().filter(|user| named(user)).map(text),
            path: row.path().map(text),
            arn: row.arn().map(text),
            user_created: self.user_created,
            credential: self.credential,
            active: self.active,
            created: self.created,
            age_days: self.created.and_then(|time| time.days_until(input.as_of)),
            last_used: self.last_used(),
            idle_days: self.last_used().and_then(|time| time.days_until(input.as_of)),
            last_used_region: self.last_used_region().map(text),
            last_used_service: self.last_used_service().map(text),
            password_enabled: self.password_enabled,
            mfa_active: self.mfa_active,
            access_key_id: self.access_key_id().map(str::to_owned),
            access_key_description: self.access_key_description().map(str::to_owned),
            owner: self.owner.map(str::to_owned),
            findings: self.findings,
            severity: self.severity,
            due_at: self.due_at,
            as_of: input.as_of,
            source: Source {
                path: input.path.clone(),
                row: Some(row.number()),
                line: None,
            },
            never_used: self.last_use == LastUse::Never,
        }
    }
}

/// Lists the items of blocks.
#[derive(Debug)]
pub struct Lister {
    entity: Entity,
    /// Whether it lists all that exist, and not what the program lists.
    is_of_all: bool,
    /// For each rule instance the severity of its findings, and of which items they are: those in this slot. Findings about
    /// a user are in the first slot.
    instances: Vec<(Option<Slot>, Severity)>,
    /// Findings of lower severities do not count.
    least: Severity,
    owners: Arc<Owners>,
}

/// What a worker reuses from block to block.
#[derive(Debug, Default)]
pub struct ItemScratch {
    /// For each slot and record: how many findings there are, and the worst.
    findings: [Vec<(u64, Option<Severity>)>; 2],
    /// For each slot and record the first instant at which a verdict is due.
    due: [Vec<Option<Timestamp>>; 2],
}

/// What was found in a block, besides the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Items that are listed.
    pub items: u64,
    /// Those of which it is unknown whether they are to be listed.
    pub unknown: u64,
    /// Whether of any record it is known.
    pub determined: bool,
}

impl Lister {
    /// Lists what the program lists, users if it lists nothing, with what is due of at least this severity.
    pub fn new(program: &Program, least: Severity) -> Self {
        let entity = program
            .listing
            .as_ref()
            .map_or(Entity::IamUser, |listing| listing.entity);
        Self::of(program, (entity, false), least)
    }

    /// Lists all users, or all keys that exist, of the program of a block, with what is due of at least this severity.
    pub fn of_all(block: &Block<'_>, entity: Entity, least: Severity) -> Self {
        Self::of(block.results.0, (entity, true), least)
    }

    fn of(program: &Program, (entity, is_of_all): (Entity, bool), least: Severity) -> Self {
        let of_instance = |rule: usize, slot: Slot| {
            let rule = &program.compiled_rules()[rule];
            let of_item = match entity {
                Entity::IamUser => Some(Slot::One),
                Entity::IamAccessKey | Entity::IamSigningCertificate | Entity::IamServiceCredential => {
                    Slot::ALL
                        .into_iter()
                        .find(|&of_item| rule.credential(slot) == entity.credential(of_item))
                }
            };
            (of_item, rule.bound.severity)
        };
        let instances = program.instances.iter();
        let instances = instances.map(|it| of_instance(it.rule, it.slot));
        Self {
            entity,
            is_of_all,
            instances: instances.collect(),
            least,
            owners: Arc::clone(&program.owners),
        }
    }

    /// What it lists.
    pub fn entity(&self) -> Entity {
        self.entity
    }

    /// The columns that it reads.
    pub fn columns(&self) -> ColumnSet {
        Self::columns_of(self.entity)
    }

    /// The columns that lists of these read.
    pub fn columns_of(entity: Entity) -> ColumnSet {
        let flags = [FlagColumn::PasswordEnabled, FlagColumn::MfaActive].map(Column::Flag);
        let mut columns: ColumnSet = flags.into_iter().collect();
        columns.insert(TimeColumn::UserCreation);
        if entity == Entity::IamUser {
            columns.insert(TimeColumn::PasswordLastUsed);
            let active = ACCESS_KEY.active.into_iter().chain(CERTIFICATE.active);
            active.for_each(|column| columns.insert(column));
        }
        if entity != Entity::IamSigningCertificate {
            KEY_LAST_USED
                .date
                .into_iter()
                .for_each(|column| columns.insert(column));
        }
        if let Some(of_entity) = entity.slot_columns() {
            of_entity
                .active
                .into_iter()
                .for_each(|column| columns.insert(column));
            of_entity
                .last_rotated
                .into_iter()
                .for_each(|column| columns.insert(column));
        }
        columns
    }

    /// Calls `each` for the items of a block, in the order of rows and slots.
    pub fn list(
        &self,
        block: &Block<'_>,
        scratch: &mut ItemScratch,
        mut each: impl FnMut(&ItemRef<'_>),
    ) -> Listed {
        self.count_findings(block, scratch);
        // Lists show rows, not lines.
        let lines = LinesOfBlock::new(None);
        let view = ChunkView {
            lines: &lines,
            input: block.input,
            chunk: block.chunk,
            selected: block.selected,
            first_row: block.first_row,
            owners: None,
        };
        let mut listed = Listed::default();
        for word in 0..block.selected.len() {
            let slots = if self.is_of_all {
                self.all_of_word(block, word)
            } else {
                listed_of_word(block, word)
            };
            for (_, yes, unknown) in &slots {
                listed.items += u64::from(yes.count_ones());
                listed.unknown += u64::from(unknown.count_ones());
                listed.determined |= block.selected[word] & !unknown != 0;
            }
            let mut rows = slots.iter().fold(0, |rows, (_, yes, _)| rows | yes);
            while rows != 0 {
                let bit = rows.trailing_zeros();
                rows &= rows - 1;
                let index = word * 64 + bit as usize;
                let row = UserRow::new(view, index);
                for &(slot, yes, _) in &slots {
                    if yes >> bit & 1 == 1 {
                        each(&self.item(block.chunk, &row, slot, scratch));
                    }
                }
            }
        }
        listed
    }

    /// For each slot the records of a word that are selected, and have the entity there.
    fn all_of_word(&self, block: &Block<'_>, word: usize) -> Vec<(Slot, u64, u64)> {
        let mask = block.selected[word];
        if self.entity.slot_columns().is_none() {
            return vec![(Slot::One, mask, 0)];
        }
        let exists = |slot: Slot, bit: u32| {
            let row = word * 64 + bit as usize;
            self.entity.existence(slot).is_some_and(|(active, created)| {
                flag_of(block.chunk, active, row) == Some(true)
                    || time_of(block.chunk, created, row) != cell::ABSENT
            })
        };
        let of_slot = |slot: Slot| {
            let bits = (0..64).filter(|bit| mask >> bit & 1 == 1 && exists(slot, *bit));
            (slot, bits.fold(0, |all, bit| all | 1 << bit), 0)
        };
        Slot::ALL.map(of_slot).to_vec()
    }

    fn count_findings(&self, block: &Block<'_>, scratch: &mut ItemScratch) {
        for findings in &mut scratch.findings {
            findings.clear();
            findings.resize(block.chunk.rows.len(), (0, None));
        }
        for due in &mut scratch.due {
            due.clear();
            due.resize(block.chunk.rows.len(), None);
        }
        for due in block.due {
            if let (Some(slot), severity) = self.instances[due.instance]
                && severity >= self.least
            {
                let first = &mut scratch.due[slot as usize][due.row];
                *first = Some(first.map_or(due.due_at, |first| first.min(due.due_at)));
            }
        }
        if let Some(credentials) = block.credentials {
            self.count_service_credentials(credentials, scratch);
        }
        for (word, instance, mut rows) in block.emitted.rows(Status::Fail) {
            let (Some(slot), severity) = self.instances[instance] else {
                continue;
            };
            while rows != 0 {
                let row = word * 64 + rows.trailing_zeros() as usize;
                rows &= rows - 1;
                let (count, worst) = &mut scratch.findings[slot as usize][row];
                *count += 1;
                *worst = (*worst).max(Some(severity));
            }
        }
    }

    /// Adds the findings on service-specific credentials to those of their users.
    fn count_service_credentials(&self, credentials: &CredentialVerdicts<'_>, scratch: &mut ItemScratch) {
        let CredentialVerdicts {
            emitted, due, owners, ..
        } = credentials;
        for (word, instance, mut rows) in emitted.rows(Status::Fail) {
            let (Some(slot), severity) = self.instances[instance] else {
                continue;
            };
            while rows != 0 {
                let owner = owners[word * 64 + rows.trailing_zeros() as usize];
                rows &= rows - 1;
                let (count, worst) = &mut scratch.findings[slot as usize][owner as usize];
                *count += 1;
                *worst = (*worst).max(Some(severity));
            }
        }
        for due in *due {
            if let (Some(slot), severity) = self.instances[due.instance]
                && severity >= self.least
            {
                let first = &mut scratch.due[slot as usize][owners[due.row] as usize];
                *first = Some(first.map_or(due.due_at, |first| first.min(due.due_at)));
            }
        }
    }

    fn item<'a>(
        &'a self,
        chunk: &Chunk,
        row: &'a UserRow<'a>,
        slot: Slot,
        scratch: &ItemScratch,
    ) -> ItemRef<'a> {
        let index = row.index();
        let time = |column: TimeColumn| time_of(chunk, column, index);
        let flag = |column: FlagColumn| flag_of(chunk, column, index);
        let user_created = known(time(TimeColumn::UserCreation));
        let (created, active) = match self.entity.existence(slot) {
            Some((active, created)) => (known(time(created)), flag(active)),
            None => (user_created, user_is_active(chunk, index)),
        };
        let last_use = match self.entity {
            Entity::IamUser => user_last_use(chunk, index),
            Entity::IamAccessKey => last_use(time(KEY_LAST_USED.date[slot as usize]), Some(slot)),
            Entity::IamSigningCertificate | Entity::IamServiceCredential => LastUse::Unknown,
        };
        let (findings, severity) = scratch.findings[slot as usize][index];
        ItemRef {
            row,
            credential: self.entity.credential(slot),
            user_created,
            active,
            created,
            last_use,
            password_enabled: flag(FlagColumn::PasswordEnabled),
            mfa_active: flag(FlagColumn::MfaActive),
            owner: row.owner(&self.owners),
            findings,
            severity,
            due_at: scratch.due[slot as usize][index],
        }
    }
}

/// For each slot the records of a word of which items are listed, and those of which it is unknown.
fn listed_of_word(block: &Block<'_>, word: usize) -> Vec<(Slot, u64, u64)> {
    let (program, registers) = block.results;
    let mask = block.selected[word];
    let of_node = |node: Option<usize>| {
        let Some(node) = node else { return (mask, 0) };
        let bits = registers.bits(node);
        let unknown = bits.unknown.map_or(0, |unknown| unknown[word]);
        (bits.yes[word] & mask, unknown & mask)
    };
    let slots = program.listing.iter().flat_map(|listing| &listing.slots);
    let slots = slots.map(|&(slot, node)| {
        let (yes, unknown) = of_node(node);
        (slot, yes, unknown)
    });
    slots.collect()
}

fn time_of(chunk: &Chunk, column: TimeColumn, row: usize) -> i64 {
    let cells = &chunk.times(column).cells;
    cells.get(row).copied().unwrap_or(cell::UNKNOWN)
}

fn flag_of(chunk: &Chunk, column: FlagColumn, row: usize) -> Option<bool> {
    match chunk.flags(column).cells.get(row)? {
        Flag::True => Some(true),
        Flag::False => Some(false),
        Flag::NotSupported | Flag::Unknown => None,
    }
}

fn last_use(time: i64, slot: Option<Slot>) -> LastUse {
    match time {
        cell::UNKNOWN => LastUse::Unknown,
        cell::ABSENT => LastUse::Never,
        time => LastUse::At(Timestamp(time), slot),
    }
}

/// The latest use of the password and the keys. One unknown cell may be later than all others.
fn user_last_use(chunk: &Chunk, row: usize) -> LastUse {
    let mut latest = (time_of(chunk, TimeColumn::PasswordLastUsed, row), None);
    for slot in Slot::ALL {
        let time = time_of(chunk, KEY_LAST_USED.date[slot as usize], row);
        if time > latest.0 {
            latest = (time, Some(slot));
        }
    }
    last_use(latest.0, latest.1)
}

/// Whether the user has anything to sign in or to sign requests with.
fn user_is_active(chunk: &Chunk, row: usize) -> Option<bool> {
    let credentials = ACCESS_KEY.active.into_iter().chain(CERTIFICATE.active);
    let flags = std::iter::once(FlagColumn::PasswordEnabled).chain(credentials);
    let mut is_active = Some(false);
    for flag in flags.map(|column| flag_of(chunk, column, row)) {
        match flag {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_active = None,
        }
    }
    is_active
}
