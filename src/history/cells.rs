//! The cells of users, wherever they are kept, and what their slots hold.

use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{FlagColumn, Slot, TimeColumn};

/// Users by row, their times and flags by column.
pub(super) trait Cells {
    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    fn time(&self, row: usize, column: TimeColumn) -> i64;

    /// A flag.
    fn flag(&self, row: usize, column: FlagColumn) -> Flag;

    /// Whether it is the root user.
    fn is_root(&self, row: usize) -> bool;

    /// What the slots for access keys hold.
    fn keys(&self, row: usize) -> [Held; 2] {
        use FlagColumn::{Key1Active, Key2Active};
        use TimeColumn::{Key1LastRotated, Key1LastUsed, Key2LastRotated, Key2LastUsed};
        let columns = [
            (Slot::One, Key1Active, Key1LastRotated, Key1LastUsed),
            (Slot::Two, Key2Active, Key2LastRotated, Key2LastUsed),
        ];
        columns.map(|(slot, active, created, used)| {
            let [created, last_used] = [created, used].map(|column| self.time(row, column));
            held(slot, self.flag(row, active), created, last_used)
        })
    }

    /// What the slots for signing certificates hold.
    fn certificates(&self, row: usize) -> [Held; 2] {
        let columns = [
            (Slot::One, FlagColumn::Cert1Active, TimeColumn::Cert1LastRotated),
            (Slot::Two, FlagColumn::Cert2Active, TimeColumn::Cert2LastRotated),
        ];
        columns.map(|(slot, active, created)| {
            let created = self.time(row, created);
            held(slot, self.flag(row, active), created, cell::UNKNOWN)
        })
    }
}

/// Of a column that the report lacks, every cell is unknown.
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
    /// Where it stood in this report.
    pub slot: Slot,
    /// `last_rotated`: when it was made.
    pub created: i64,
    /// Whether it is switched on.
    pub active: Flag,
    /// When it was last used; unknown for a certificate.
    pub last_used: i64,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Empty,
    /// This key or certificate.
    Key(Key),
    /// Perhaps one: the cells do not tell which.
    Unclear,
}

impl Held {
    /// The key, where there surely is this one.
    pub fn key(self) -> Option<Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::Empty | Self::Unclear => None,
        }
    }
}

fn held(slot: Slot, active: Flag, created: i64, last_used: i64) -> Held {
    match holds(created, active) {
        None => Held::Unclear,
        Some(false) => Held::Empty,
        Some(true) => Held::Key(Key {
            slot,
            created,
            active,
            last_used,
        }),
    }
}

/// Whether a slot holds a key: one exists that is active or has a time at which it was made. None where the cells do
/// not tell.
#[inline]
pub(super) fn holds(created: i64, active: Flag) -> Option<bool> {
    match (created, active) {
        (cell::UNKNOWN, _) | (cell::ABSENT, Flag::Unknown) => None,
        (cell::ABSENT, Flag::False | Flag::NotSupported) => Some(false),
        _ => Some(true),
    }
}
