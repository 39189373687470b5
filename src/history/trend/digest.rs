//! Extracts from one block of a report what a trend needs. Workers do this in parallel, so that little more than comparing
//! rows with the previous snapshot is left to do in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::figures::{Facts, Figures, idle_since};
use super::row::{Mark, UserState, is_known_time};
use crate::engine::{Block, FindingRef, Input, user_key};
use crate::finding::Status;
use crate::history::account_names::AccountNames;
use crate::history::accounts::AccountOfRow;
use crate::history::cells::Cells as _;
use crate::history::instance_bits::{InstanceBits, has};
use crate::history::names::Names;
use crate::history::roster;
use crate::report::chunk::Chunk;
use crate::report::schema::{ACCESS_KEY, CERTIFICATE, ColumnSet, TextColumn, TimeColumn};

/// The users of one block with their findings and figures. It is cleared and reused for the next block.
#[derive(Debug, Default)]
pub struct Digest {
    pub(super) input: Option<Arc<Input>>,
    pub(super) rows: Vec<UserState>,
    /// Creation times of the users; time cells.
    created: Vec<i64>,
    /// The number of rows of the report before this block.
    pub(super) before: u64,
    /// The findings, in the order of rows.
    marks: Vec<Mark>,
    names: Names,
    pub(super) groups: Vec<AccountGroup>,
    pub(super) account_names: AccountNames,
    /// Positions of the rules whose undetermined findings fold into one, because the report lacks columns.
    pub(super) folded: Vec<u16>,
    /// What the report cannot say, because it lacks columns.
    unseen: InstanceBits,
    /// By columns, what fails even without them.
    without: Vec<(ColumnSet, InstanceBits)>,
    pub(super) last: bool,
}

/// The users of one account in a block.
#[derive(Debug)]
pub(super) struct AccountGroup {
    pub(super) account: Vec<u8>,
    /// Their rows.
    pub(super) rows: Vec<Range<usize>>,
    pub(super) figures: Figures,
}

/// The groups of a block, by account.
#[derive(Default)]
struct AccountGroups<'a> {
    groups: BTreeMap<&'a [u8], usize>,
    /// The last account, since consecutive rows mostly have the same.
    last: Option<(&'a [u8], usize)>,
}

impl<'a> AccountGroups<'a> {
    fn group_of(
        &mut self,
        account: &'a [u8],
        groups: &mut Vec<AccountGroup>,
        new: impl Fn() -> Figures,
    ) -> usize {
        if let Some((_, group)) = self.last.filter(|&(last, _)| last == account) {
            return group;
        }
        let group = *self.groups.entry(account).or_insert_with(|| {
            groups.push(AccountGroup {
                account: account.to_owned(),
                rows: Vec::new(),
                figures: new(),
            });
            groups.len() - 1
        });
        self.last = Some((account, group));
        group
    }
}

/// A row of a block.
#[derive(Clone, Copy)]
pub(super) struct RowRef<'a> {
    digest: &'a Digest,
    row: usize,
}

impl<'a> RowRef<'a> {
    pub(super) fn row(self) -> &'a UserState {
        &self.digest.rows[self.row]
    }

    pub(super) fn marks(self) -> &'a [Mark] {
        self.row().marks(&self.digest.marks)
    }

    /// Number of the row in its report, from 1.
    pub(super) fn number(self) -> u64 {
        self.digest.before + self.row as u64 + 1
    }

    /// Creation time of the user; a time cell.
    pub(super) fn created(self) -> i64 {
        self.digest.created[self.row]
    }

    /// What identifies the user in its account: the ARN, or the name of a user without one.
    pub(super) fn identifier(self) -> &'a [u8] {
        identifier(self.name(), self.arn())
    }

    /// The user's name; empty if the report has none.
    pub(super) fn name(self) -> &'a [u8] {
        self.digest.names.name(self.row)
    }

    /// The user's ARN; empty if the report has none.
    pub(super) fn arn(self) -> &'a [u8] {
        self.digest.names.arn(self.row)
    }

    /// The rule instances for which the report cannot say whether they fail, because it lacks columns.
    pub(super) fn unseen(self) -> &'a [u64] {
        self.digest.unseen.of(self.row)
    }

    /// Whether a rule instance fails even without these columns, which earlier reports lack.
    pub(super) fn fails_without(self, columns: ColumnSet, instance: usize) -> bool {
        let mut sets = self.digest.without.iter();
        let of_columns = sets.find(|(set, _)| *set == columns);
        of_columns.is_some_and(|(_, bits)| has(bits.of(self.row), instance))
    }

    /// Whether nothing changed from this row with these marks.
    pub(super) fn is_like(self, row: &UserState, marks: &[Mark]) -> bool {
        self.row().is_like(row) && self.marks() == marks
    }
}

fn identifier<'a>(name: &'a [u8], arn: &'a [u8]) -> &'a [u8] {
    if arn.is_empty() { name } else { arn }
}

impl Digest {
    /// The rows of a group.
    pub(super) fn of_group<'a>(&'a self, group: &'a AccountGroup) -> impl Iterator<Item = RowRef<'a>> {
        let rows = group.rows.iter().cloned().flatten();
        rows.map(|row| RowRef { digest: self, row })
    }

    /// Takes the rows of a block; `rules` is the number of rules.
    pub(super) fn take(&mut self, block: Block<'_>, rules: usize) {
        let Block {
            input, chunk, last, ..
        } = block;
        self.input = Some(Arc::clone(input));
        self.last = last;
        self.account_names.take(input, chunk);
        let (rows, instances) = (chunk.rows.len(), block.emitted.instances().len());
        self.unseen.fill(rows, instances, block.unseen);
        self.without.extend(block.without.iter().map(|without| {
            let mut bits = InstanceBits::default();
            bits.fill(rows, instances, &without.rows);
            (without.columns, bits)
        }));
        let idle_since = idle_since(input.as_of);
        let lacks: ColumnSet = input.lacks();
        let new = || Figures::new(rules, lacks);
        let mut known = AccountGroups::default();
        let mut account_of = AccountOfRow::new(chunk, &input.header);
        for row in 0..chunk.rows.len() {
            let [name, arn] = [TextColumn::User, TextColumn::Arn]
                .map(|column| chunk.text(&input.header, row, column).unwrap_or_default());
            self.names.push(name, arn);
            let [account, owner] = account_of.row(row, arn);
            let group = known.group_of(account, &mut self.groups, new);
            let created = chunk.time(row, TimeColumn::UserCreation);
            let hashes = (
                user_key(name, arn, || owner, created),
                xxh3_64(identifier(name, arn)),
            );
            let user = user_state((chunk, row), hashes, idle_since, group);
            // A user that filters leave out is in no group: only its account counts as seen.
            if block.is_selected(row) {
                let account = &mut self.groups[group];
                match account.rows.last_mut().filter(|rows| rows.end == row) {
                    Some(rows) => rows.end += 1,
                    None => account.rows.push(row..row + 1),
                }
                account.figures.user(&user, input.as_of);
                if chunk.is_root(row) {
                    account.figures.root(chunk, row);
                }
            }
            self.created.push(created);
            self.rows.push(user);
        }
    }

    /// Takes a finding of the block.
    pub(super) fn finding(&mut self, finding: &FindingRef<'_>) {
        let rule = roster::rule(finding.rule().position);
        let Some(row) = finding.row() else {
            return self.folded.push(rule);
        };
        let fails = match finding.status {
            Status::Fail => true,
            Status::Undetermined => false,
            Status::Suppressed | Status::Pass | Status::Due => return,
        };
        let row = &mut self.rows[row.index()];
        if row.count == 0 {
            *row = row.with_marks_at(self.marks.len());
        }
        row.count += 1;
        self.marks.push(Mark {
            rule,
            slot: finding.slot(),
            fails,
        });
        if fails {
            self.groups[row.group as usize].figures.failing(rule);
        }
    }

    pub(super) fn clear(&mut self) {
        self.input = None;
        self.rows.clear();
        self.created.clear();
        self.marks.clear();
        self.names.clear();
        self.groups.clear();
        self.account_names.clear();
        self.folded.clear();
        self.unseen.clear();
        self.without.clear();
    }
}

/// The user of a row; `hashes` identify it with and without its creation time.
fn user_state(
    (chunk, row): (&Chunk, usize),
    hashes: (u128, u64),
    idle_since: i64,
    group: usize,
) -> UserState {
    let created = chunk.time(row, TimeColumn::UserCreation);
    let slots =
        [ACCESS_KEY, CERTIFICATE].map(|columns| columns.last_rotated.map(|column| chunk.time(row, column)));
    let contents = [chunk.keys(row), chunk.certificates(row)];
    let facts = Facts::of(chunk, row, idle_since);
    UserState::new(hashes, is_known_time(created), (slots, contents), facts, group)
}
