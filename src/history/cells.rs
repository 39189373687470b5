//! Access to the cells of users, and to the keys and certificates in their slots.

use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{
    ACCESS_KEY, BySlot, CERTIFICATE, FlagColumn, KEY_LAST_USED, Slot, SlotColumns, TimeColumn,
};

/// Times and flags by row and column.
pub trait Cells {
    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    fn time(&self, row: usize, column: TimeColumn) -> i64;

    /// A flag.
    fn flag(&self, row: usize, column: FlagColumn) -> Flag;

    /// Whether it is the root user.
    fn is_root(&self, row: usize) -> bool;

    /// The contents of the access key slots.
    fn keys(&self, row: usize) -> BySlot<SlotContent> {
        Slot::ALL.map(|slot| {
            let last_used = self.time(row, KEY_LAST_USED.date[slot as usize]);
            self.content(row, &ACCESS_KEY, slot, last_used)
        })
    }

    /// The contents of the signing certificate slots.
    fn certificates(&self, row: usize) -> BySlot<SlotContent> {
        Slot::ALL.map(|slot| self.content(row, &CERTIFICATE, slot, cell::UNKNOWN))
    }

    /// The content of one slot.
    fn content(&self, row: usize, columns: &SlotColumns, slot: Slot, last_used: i64) -> SlotContent {
        let active = self.flag(row, columns.active[slot as usize]);
        let created = self.time(row, columns.last_rotated[slot as usize]);
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
    /// Unknown: the cells do not say whether there is one, or which one.
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

/// Whether a slot has a key that its creation time identifies. None if the cells do not say, or if a key that is active has
/// no known creation time: nothing distinguishes it from another one then.
#[inline]
pub(super) fn holds_key(created: i64, active: Flag) -> Option<bool> {
    match (created, active) {
        (cell::UNKNOWN, _) | (cell::ABSENT, Flag::Unknown | Flag::True) => None,
        (cell::ABSENT, Flag::False | Flag::NotSupported) => Some(false),
        _ => Some(true),
    }
}
