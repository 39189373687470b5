//! Access to the cells of users, and to the keys and certificates in their slots.

use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{FlagColumn, Slot, TimeColumn};

/// Times and flags by row and column.
pub(super) trait Cells {
    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    fn time(&self, row: usize, column: TimeColumn) -> i64;

    /// A flag.
    fn flag(&self, row: usize, column: FlagColumn) -> Flag;

    /// Whether it is the root user.
    fn is_root(&self, row: usize) -> bool;

    /// The contents of the access key slots.
    fn keys(&self, row: usize) -> [SlotContent; 2] {
        use FlagColumn::{Key1Active, Key2Active};
        use TimeColumn::{Key1LastRotated, Key1LastUsed, Key2LastRotated, Key2LastUsed};
        let columns = [
            (Slot::One, Key1Active, Key1LastRotated, Key1LastUsed),
            (Slot::Two, Key2Active, Key2LastRotated, Key2LastUsed),
        ];
        columns.map(|(slot, active, created, used)| {
            let [created, last_used] = [created, used].map(|column| self.time(row, column));
            slot_content(slot, self.flag(row, active), created, last_used)
        })
    }

    /// The contents of the signing certificate slots.
    fn certificates(&self, row: usize) -> [SlotContent; 2] {
        let columns = [
            (Slot::One, FlagColumn::Cert1Active, TimeColumn::Cert1LastRotated),
            (Slot::Two, FlagColumn::Cert2Active, TimeColumn::Cert2LastRotated),
        ];
        columns.map(|(slot, active, created)| {
            let created = self.time(row, created);
            slot_content(slot, self.flag(row, active), created, cell::UNKNOWN)
        })
    }
}

/// The cells of a column that the report lacks are unknown.
impl Cells for Chunk {
    fn time(&self, row: usize, column: TimeColumn) -> i64 {
        let cell = self.times(column).cells.get(row);
        cell.copied().unwrap_or(cell::UNKNOWN)
    }

    fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        let cell = self.flags(column).cells.get(row);
        cell.copied().unwrap_or(Flag::Unknown)
    }

    fn is_root(&self, row: usize) -> bool {
        self.root()[row]
    }
}

/// An access key or a signing certificate, as one report shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its slot in this report.
    pub slot: Slot,
    /// `last_rotated`, which is the creation time; a time cell.
    pub created: i64,
    /// Whether it is active.
    pub active: Flag,
    /// The last use; unknown for a certificate.
    pub last_used: i64,
}

/// The content of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotContent {
    /// No key or certificate.
    Empty,
    /// This key or certificate.
    Key(Key),
    /// Unknown: the cells do not say whether there is one, or which.
    Unclear,
}

impl SlotContent {
    /// The key, if it is identified.
    pub fn key(self) -> Option<Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::Empty | Self::Unclear => None,
        }
    }
}

fn slot_content(slot: Slot, active: Flag, created: i64, last_used: i64) -> SlotContent {
    match holds_key(created, active) {
        None => SlotContent::Unclear,
        Some(false) => SlotContent::Empty,
        Some(true) => SlotContent::Key(Key {
            slot,
            created,
            active,
            last_used,
        }),
    }
}

/// Whether a slot has a key: it is active or has a creation time. None if the cells do not say.
#[inline]
pub(super) fn holds_key(created: i64, active: Flag) -> Option<bool> {
    match (created, active) {
        (cell::UNKNOWN, _) | (cell::ABSENT, Flag::Unknown) => None,
        (cell::ABSENT, Flag::False | Flag::NotSupported) => Some(false),
        _ => Some(true),
    }
}
