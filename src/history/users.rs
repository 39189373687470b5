//! The users of a report in little memory: a column of times or flags each, and one text for all names.

use std::ops::Range;

use crate::engine::Block;
use crate::report::cell::{self, Flag};
use crate::report::schema::{Column, FlagColumn, Slot, TextColumn, TimeColumn};

/// All users of one report, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// By column; one without cells is one that the report lacks.
    times: [Vec<i64>; 10],
    flags: [Vec<Flag>; 6],
    root: Vec<bool>,
    /// Name and ARN of each user.
    texts: Vec<u8>,
    /// Where each name and each ARN ends.
    ends: Vec<usize>,
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

impl Users {
    /// Number of users.
    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    pub fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.times[column as usize]
            .get(row)
            .copied()
            .unwrap_or(cell::UNKNOWN)
    }

    /// A flag.
    pub fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        self.flags[column as usize]
            .get(row)
            .copied()
            .unwrap_or(Flag::Unknown)
    }

    /// Whether it is the root user.
    pub fn is_root(&self, row: usize) -> bool {
        self.root[row]
    }

    /// The user's name; `<root_account>` for root; empty where the report does not say.
    pub fn name(&self, row: usize) -> &[u8] {
        &self.texts[self.span(2 * row)]
    }

    /// The user's ARN; empty where the report does not say.
    pub fn arn(&self, row: usize) -> &[u8] {
        &self.texts[self.span(2 * row + 1)]
    }

    /// The account that the ARN names.
    pub fn account(&self, row: usize) -> Option<&[u8]> {
        cell::account_of(self.arn(row))
    }

    /// What the slots for access keys hold.
    pub fn keys(&self, row: usize) -> [Held; 2] {
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
    pub fn certificates(&self, row: usize) -> [Held; 2] {
        let columns = [
            (Slot::One, FlagColumn::Cert1Active, TimeColumn::Cert1LastRotated),
            (Slot::Two, FlagColumn::Cert2Active, TimeColumn::Cert2LastRotated),
        ];
        columns.map(|(slot, active, created)| {
            held(
                slot,
                self.flag(row, active),
                self.time(row, created),
                cell::UNKNOWN,
            )
        })
    }

    fn span(&self, text: usize) -> Range<usize> {
        let start = text.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[text]
    }

    /// Adds the rows of a block.
    pub(super) fn push(&mut self, block: Block<'_>) {
        let Block { input, chunk, .. } = block;
        for column in Column::ALL {
            match column {
                Column::Time(time) => self.times[time as usize].extend_from_slice(&chunk.times(time).cells),
                Column::Flag(flag) => self.flags[flag as usize].extend_from_slice(&chunk.flags(flag).cells),
                Column::Text(_) => {}
            }
        }
        self.root.extend_from_slice(chunk.root());
        for row in 0..chunk.rows.len() {
            for column in [TextColumn::User, TextColumn::Arn] {
                let text = chunk.text(&input.header, row, column);
                self.texts.extend_from_slice(text.unwrap_or_default());
                self.ends.push(self.texts.len());
            }
        }
    }

    /// Moves all users of the other one behind these; both are of one report.
    pub(super) fn append(&mut self, other: &mut Self) {
        for (mine, others) in self.times.iter_mut().zip(&mut other.times) {
            mine.append(others);
        }
        for (mine, others) in self.flags.iter_mut().zip(&mut other.flags) {
            mine.append(others);
        }
        self.root.append(&mut other.root);
        let before = self.texts.len();
        self.texts.append(&mut other.texts);
        self.ends.extend(other.ends.drain(..).map(|end| end + before));
    }
}

/// A key exists that is active or has a time at which it was made.
fn held(slot: Slot, active: Flag, created: i64, last_used: i64) -> Held {
    match (created, active) {
        (cell::UNKNOWN, _) | (cell::ABSENT, Flag::Unknown) => Held::Unclear,
        (cell::ABSENT, Flag::False | Flag::NotSupported) => Held::Empty,
        _ => Held::Key(Key {
            slot,
            created,
            active,
            last_used,
        }),
    }
}
