//! Users with what was found about them: those of a block, of a report, or of several.

use super::accounts::AccountsOf;
use super::packed::{Packed, Packing};
use super::users::Users;
use super::verdicts::{UserVerdicts, Verdicts};
use crate::engine::Block;
use crate::report::schema::TextColumn;
use crate::report::wide::widest;

/// The position of a rule.
pub(super) fn rule(position: usize) -> u16 {
    u16::try_from(position).expect("invariant: fewer than 65,536 rules")
}

/// Fewer rows than that has a snapshot.
pub(super) const MOST: u32 = 1 << 31;

/// The index of a user, its row, or anything of which there are fewer.
pub(super) fn index(number: usize) -> u32 {
    let number = u32::try_from(number).ok().filter(|&number| number < MOST);
    number.expect("invariant: a snapshot has fewer than 2 G rows")
}

/// Users and findings by index of the user, in the order of the report. Not all of its rows need to be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    pub(super) users: Users,
    pub(super) verdicts: Verdicts,
    /// In which row of the report each user stands, from 0; empty while all are kept.
    numbers: Vec<u32>,
    /// How many rows there are, whether or not they are kept.
    rows: u32,
    /// How many of them count as users.
    count: u32,
}

/// A row of a block that may become a user.
pub(super) struct Row<'a> {
    /// Its number in the block, from 0.
    pub(super) number: u32,
    pub(super) name: &'a [u8],
    pub(super) arn: &'a [u8],
    pub(super) cells: &'a Packed,
    pub(super) verdicts: UserVerdicts<'a>,
}

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    /// It is not kept, but counts.
    Counted,
    /// As if it were not there.
    LeftOut,
}

/// All rows of a block, by user; kept and filled again, block after block.
#[derive(Debug, Default)]
pub(super) struct Rows {
    cells: Vec<Packed>,
    verdicts: Verdicts,
}

impl Roster {
    /// Adds the users of a block, as far as they are kept, to none.
    pub(super) fn take(&mut self, block: Block<'_>, rows: &mut Rows, mut fate: impl FnMut(&Row<'_>) -> Fate) {
        let Block { input, chunk, .. } = block;
        rows.cells.clear();
        let is_odd = widest(Packing {
            chunk,
            packed: &mut rows.cells,
        });
        rows.verdicts.fill(block);
        self.rows = index(rows.cells.len());
        let mut accounts = AccountsOf::default();
        for (number, cells) in (0..).zip(&rows.cells) {
            let [name, arn] = [TextColumn::User, TextColumn::Arn].map(|column| {
                chunk
                    .text(&input.header, number as usize, column)
                    .unwrap_or_default()
            });
            let row = Row {
                number,
                name,
                arn,
                cells,
                verdicts: rows.verdicts.of(number),
            };
            let fate = fate(&row);
            if fate != Fate::LeftOut {
                self.count += 1;
                accounts.add(arn, &mut self.users.accounts);
            }
            if fate == Fate::Kept {
                self.numbers.push(number);
                self.verdicts.push(index(self.users.len()), row.verdicts);
                self.users.push(&row, is_odd.then_some(chunk));
            }
        }
        if self.numbers.len() == rows.cells.len() {
            self.numbers.clear();
        }
    }

    /// How many users there are, whether or not they are kept.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// How many rows there are, whether or not they are kept.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// The row of the report that a user stands in, from 0.
    pub(super) fn number(&self, row: u32) -> u32 {
        self.numbers.get(row as usize).copied().unwrap_or(row)
    }

    /// Moves all of the other one behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        let users = index(self.users.len());
        if users < self.rows || other.users.len() < other.rows as usize {
            if self.numbers.is_empty() {
                self.numbers.extend(0..users);
            }
            let numbers = (0..index(other.users.len())).map(|row| self.rows + other.number(row));
            self.numbers.extend(numbers);
        }
        other.numbers.clear();
        self.verdicts.append(users, &mut other.verdicts);
        self.users.append(&mut other.users);
        self.rows = index((self.rows + std::mem::take(&mut other.rows)) as usize);
        self.count += std::mem::take(&mut other.count);
    }
}
