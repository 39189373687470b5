//! Users with their findings: of a block, of a report, or of several reports.

use super::accounts::{AccountOfRow, AccountsOf};
use super::packed::{Packed, Packing};
use super::users::Users;
use super::verdicts::{UserVerdicts, Verdicts};
use crate::engine::Block;
use crate::report::schema::{ColumnSet, TextColumn};
use crate::report::wide::widest;

/// The position of a rule as it is stored.
pub(super) fn rule(position: usize) -> u16 {
    u16::try_from(position).expect("invariant: fewer than 65,536 rules")
}

/// A snapshot has fewer rows than this.
pub(super) const ROW_LIMIT: u32 = 1 << 31;

/// A row, or the index of a user, as it is stored.
pub(super) fn index(number: usize) -> u32 {
    let number = u32::try_from(number).ok().filter(|&number| number < ROW_LIMIT);
    number.expect("invariant: a snapshot has fewer than 2 G rows")
}

/// Users and findings by index of the user, in the order of the report. Some rows of the report may not be stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    pub(super) users: Users,
    pub(super) verdicts: Verdicts,
    /// The row of each user in the report, from 0; empty while all rows are stored.
    numbers: Vec<u32>,
    /// The number of rows, stored or not.
    rows: u32,
    /// The number of users, stored or not.
    count: u32,
}

/// One row of a block.
pub(super) struct BlockRow<'a> {
    /// Number of the row in the block, from 0.
    pub(super) number: u32,
    pub(super) name: &'a [u8],
    pub(super) arn: &'a [u8],
    /// Its account, as the ARN or else a column says; empty if it is not known.
    pub(super) account: &'a [u8],
    /// The account in the columns, if the ARN names none; else empty.
    pub(super) owner: &'a [u8],
    pub(super) cells: &'a Packed,
    pub(super) verdicts: UserVerdicts<'a>,
}

/// What happens to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowFate {
    Stored,
    /// It is counted, but not stored.
    Counted,
    /// It is ignored.
    LeftOut,
}

/// All rows of a block; reused for each block.
#[derive(Debug, Default)]
pub(super) struct BlockRows {
    cells: Vec<Packed>,
    verdicts: Verdicts,
}

impl Roster {
    /// Fills an empty roster with the users of a block. `gained` are the columns that the older report lacks; `fate` decides
    /// what happens to each row.
    pub(super) fn take(
        &mut self,
        block: Block<'_>,
        rows: &mut BlockRows,
        gained: ColumnSet,
        mut fate: impl FnMut(&BlockRow<'_>) -> RowFate,
    ) {
        let Block { input, chunk, .. } = block;
        rows.cells.clear();
        let has_wide_time = widest(Packing {
            chunk,
            packed: &mut rows.cells,
        });
        rows.verdicts.fill(block, gained);
        self.rows = index(rows.cells.len());
        self.users.account_names.take(input, chunk);
        let mut accounts = AccountsOf::default();
        let mut account_of = AccountOfRow::new(chunk, &input.header);
        for (number, cells) in (0..).zip(&rows.cells) {
            let [name, arn] = [TextColumn::User, TextColumn::Arn].map(|column| {
                chunk
                    .text(&input.header, number as usize, column)
                    .unwrap_or_default()
            });
            let [account, owner] = account_of.row(number as usize, arn);
            let row = BlockRow {
                number,
                name,
                arn,
                account,
                owner,
                cells,
                verdicts: rows.verdicts.of(number),
            };
            let fate = fate(&row);
            if fate != RowFate::LeftOut {
                self.count += 1;
                accounts.add(account, &mut self.users.accounts);
            }
            if fate == RowFate::Stored {
                self.numbers.push(number);
                self.verdicts.push(index(self.users.len()), row.verdicts);
                self.users.push(&row, has_wide_time.then_some(chunk));
            }
        }
        if self.numbers.len() == rows.cells.len() {
            self.numbers.clear();
        }
    }

    /// The number of users, stored or not.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The number of rows, stored or not.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// The row of a user in the report, from 0.
    pub(super) fn number(&self, row: u32) -> u32 {
        self.numbers.get(row as usize).copied().unwrap_or(row)
    }

    /// Appends the users of `other`.
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
