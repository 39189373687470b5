//! The users of a report in little memory: a column of times or flags each, and one text for all names.

use std::collections::BTreeSet;

use super::accounts::AccountsOf;
use super::cells::{Cells, Held};
use super::names::Names;
use crate::engine::Block;
use crate::report::cell::{self, Flag};
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};

/// All users of one report, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// By column; one without cells is one that the report lacks.
    times: [Times; TimeColumn::COUNT],
    flags: [Vec<Flag>; FlagColumn::COUNT],
    root: Vec<bool>,
    names: Names,
    accounts: BTreeSet<Vec<u8>>,
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
        self.times[column as usize].get(row).unwrap_or(cell::UNKNOWN)
    }

    /// A flag.
    pub fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        let cell = self.flags[column as usize].get(row);
        cell.copied().unwrap_or(Flag::Unknown)
    }

    /// Whether it is the root user.
    pub fn is_root(&self, row: usize) -> bool {
        self.root[row]
    }

    /// The user's name; `<root_account>` for root; empty where the report does not say.
    pub fn name(&self, row: usize) -> &[u8] {
        self.names.name(row)
    }

    /// The user's ARN; empty where the report does not say.
    pub fn arn(&self, row: usize) -> &[u8] {
        self.names.arn(row)
    }

    /// The account that the ARN names.
    pub fn account(&self, row: usize) -> Option<&[u8]> {
        cell::account_of(self.arn(row))
    }

    /// The accounts that the ARNs name.
    pub fn accounts(&self) -> &BTreeSet<Vec<u8>> {
        &self.accounts
    }

    /// What the slots for access keys hold.
    pub fn keys(&self, row: usize) -> [Held; 2] {
        Cells::keys(self, row)
    }

    /// What the slots for signing certificates hold.
    pub fn certificates(&self, row: usize) -> [Held; 2] {
        Cells::certificates(self, row)
    }

    /// Whether all times and flags of a user are those of this other one.
    pub(super) fn is_same(&self, row: usize, other: &Self, other_row: usize) -> bool {
        let mut times = self.times.iter().zip(&other.times);
        let mut flags = self.flags.iter().zip(&other.flags);
        self.root[row] == other.root[other_row]
            && flags.all(|(mine, others)| mine.get(row) == others.get(other_row))
            && times.all(|(mine, others)| match (mine, others) {
                (Times::Narrow(mine), Times::Narrow(others)) => mine.get(row) == others.get(other_row),
                _ => mine.get(row) == others.get(other_row),
            })
    }

    /// Adds the rows of a block.
    pub(super) fn push(&mut self, block: Block<'_>) {
        let Block { input, chunk, .. } = block;
        for column in Column::ALL {
            match column {
                Column::Time(time) => self.times[time as usize].extend(&chunk.times(time).cells),
                Column::Flag(flag) => self.flags[flag as usize].extend_from_slice(&chunk.flags(flag).cells),
                Column::Text(_) => {}
            }
        }
        self.root.extend_from_slice(chunk.root());
        let mut accounts = AccountsOf::default();
        for row in 0..chunk.rows.len() {
            let [name, arn] = [TextColumn::User, TextColumn::Arn]
                .map(|column| chunk.text(&input.header, row, column).unwrap_or_default());
            self.names.push(name, arn);
            accounts.add(arn, &mut self.accounts);
        }
    }

    /// Adds these users of another report.
    pub(super) fn extend(&mut self, other: &Self, rows: &[usize]) {
        for (mine, others) in self.times.iter_mut().zip(&other.times) {
            let times: Vec<i64> = rows.iter().filter_map(|&row| others.get(row)).collect();
            mine.extend(&times);
        }
        for (mine, others) in self.flags.iter_mut().zip(&other.flags) {
            mine.extend(rows.iter().filter_map(|&row| others.get(row)));
        }
        self.root.extend(rows.iter().map(|&row| other.root[row]));
        let mut accounts = AccountsOf::default();
        for &row in rows {
            self.names.push(other.name(row), other.arn(row));
            accounts.add(other.arn(row), &mut self.accounts);
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
        self.names.append(&mut other.names);
        self.accounts.extend(std::mem::take(&mut other.accounts));
    }
}

impl Cells for Users {
    fn time(&self, row: usize, column: TimeColumn) -> i64 {
        self.time(row, column)
    }

    fn flag(&self, row: usize, column: FlagColumn) -> Flag {
        self.flag(row, column)
    }

    fn is_root(&self, row: usize) -> bool {
        self.is_root(row)
    }
}

/// A column of times. Almost all lie between 1970 and 2106, and so take half the room.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Times {
    Narrow(Vec<u32>),
    Wide(Vec<i64>),
}

const NARROW_ABSENT: u32 = u32::MAX - 1;
const NARROW_UNKNOWN: u32 = u32::MAX;

impl Default for Times {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Times {
    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Narrow(times) => times.get(row).map(|&time| widened(time)),
            Self::Wide(times) => times.get(row).copied(),
        }
    }

    fn extend(&mut self, cells: &[i64]) {
        // Without a way out, so that many are looked at at once.
        if !cells.iter().fold(true, |all, &cell| all & is_narrow(cell)) {
            self.widen();
        }
        match self {
            Self::Narrow(times) => times.extend(cells.iter().map(|&cell| narrowed(cell))),
            Self::Wide(times) => times.extend_from_slice(cells),
        }
    }

    fn widen(&mut self) {
        if let Self::Narrow(times) = self {
            *self = Self::Wide(times.iter().map(|&time| widened(time)).collect());
        }
    }

    fn append(&mut self, other: &mut Self) {
        if matches!(other, Self::Wide(_)) {
            self.widen();
        }
        match (self, other) {
            (Self::Narrow(mine), Self::Narrow(others)) => mine.append(others),
            (Self::Wide(mine), Self::Wide(others)) => mine.append(others),
            (Self::Wide(mine), Self::Narrow(others)) => mine.extend(others.drain(..).map(widened)),
            (Self::Narrow(_), Self::Wide(_)) => unreachable!("invariant: it was widened"),
        }
    }
}

#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a jump")]
fn is_narrow(cell: i64) -> bool {
    (0 <= cell) & (cell < i64::from(NARROW_ABSENT)) | (cell == cell::ABSENT) | (cell == cell::UNKNOWN)
}

fn narrowed(cell: i64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is narrow"
    )]
    let time = cell as u32;
    match cell {
        cell::ABSENT => NARROW_ABSENT,
        cell::UNKNOWN => NARROW_UNKNOWN,
        _ => time,
    }
}

fn widened(time: u32) -> i64 {
    match time {
        NARROW_ABSENT => cell::ABSENT,
        NARROW_UNKNOWN => cell::UNKNOWN,
        _ => i64::from(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_year_come_back() {
        let parts: [&[i64]; 5] = [
            &[0, cell::ABSENT, 1_780_272_000],
            &[cell::UNKNOWN],
            &[i64::from(u32::MAX) - 2, i64::from(u32::MAX) - 1],
            &[-62_135_596_800, i64::from(u32::MAX), 253_402_300_799],
            &[1, cell::ABSENT, cell::UNKNOWN],
        ];
        let (mut pushed, mut appended) = (Times::default(), Times::default());
        for part in parts {
            pushed.extend(part);
            let mut one = Times::default();
            one.extend(part);
            appended.append(&mut one);
        }
        for (row, &time) in parts.concat().iter().enumerate() {
            assert_eq!((pushed.get(row), appended.get(row)), (Some(time), Some(time)));
        }
        assert_eq!(pushed.get(parts.concat().len()), None);
    }
}
