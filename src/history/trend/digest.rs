//! What a trend takes from one block of a report. Made in the workers, so that what remains to be done in the
//! order of time is little more than to hold rows against those of the snapshot before.

use std::collections::BTreeMap;
use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::figures::{Facts, Figures, idle_since};
use super::row::{Mark, Row, is_told};
use crate::engine::{Block, FindingRef, Input, user_key};
use crate::finding::Status;
use crate::history::accounts::AccountOf;
use crate::history::cells::Cells as _;
use crate::history::names::Names;
use crate::history::roster;
use crate::report::chunk::Chunk;
use crate::report::schema::{ColumnSet, TextColumn, TimeColumn};

/// One block of a report, as a trend sees it. Empty, it keeps its memory for the next block.
#[derive(Debug, Default)]
pub struct Digest {
    pub(super) input: Option<Input>,
    pub(super) rows: Vec<Row>,
    /// When each user was made; time cells.
    created: Vec<i64>,
    /// How many rows of the report stand before.
    pub(super) before: u64,
    /// What was found, in the order of rows.
    marks: Vec<Mark>,
    names: Names,
    pub(super) groups: Vec<Group>,
    /// Rules, by position, that are undetermined for many users at once, since the report lacks columns.
    pub(super) folded: Vec<u16>,
    pub(super) last: bool,
}

/// The users of one account in a block.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) account: Vec<u8>,
    /// Where they stand.
    pub(super) rows: Vec<Range<usize>>,
    pub(super) figures: Figures,
}

/// The groups of a block, by account.
#[derive(Default)]
struct Known<'a> {
    accounts: AccountOf<'a>,
    groups: BTreeMap<&'a [u8], usize>,
    last: Option<(&'a [u8], usize)>,
}

impl<'a> Known<'a> {
    fn group_of(&mut self, arn: &'a [u8], groups: &mut Vec<Group>, new: impl Fn() -> Figures) -> usize {
        let account = self.accounts.arn(arn).unwrap_or_default();
        if let Some((_, group)) = self.last.filter(|&(last, _)| last == account) {
            return group;
        }
        let group = *self.groups.entry(account).or_insert_with(|| {
            groups.push(Group {
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
pub(super) struct At<'a> {
    digest: &'a Digest,
    row: usize,
}

impl<'a> At<'a> {
    pub(super) fn row(self) -> &'a Row {
        &self.digest.rows[self.row]
    }

    pub(super) fn marks(self) -> &'a [Mark] {
        self.row().marks(&self.digest.marks)
    }

    /// The number of the row in its report, from 1.
    pub(super) fn number(self) -> u64 {
        self.digest.before + self.row as u64 + 1
    }

    /// When the user was made; a time cell.
    pub(super) fn created(self) -> i64 {
        self.digest.created[self.row]
    }

    /// What tells who it is: the ARN, else the name.
    pub(super) fn who(self) -> &'a [u8] {
        who(self.name(), self.arn())
    }

    /// The user's name; empty where the report does not say.
    pub(super) fn name(self) -> &'a [u8] {
        self.digest.names.name(self.row)
    }

    /// The user's ARN; empty where the report does not say.
    pub(super) fn arn(self) -> &'a [u8] {
        self.digest.names.arn(self.row)
    }

    /// Whether it is as this row with these marks was.
    pub(super) fn is_like(self, row: &Row, marks: &[Mark]) -> bool {
        self.row().is_like(row) && self.marks() == marks
    }
}

fn who<'a>(name: &'a [u8], arn: &'a [u8]) -> &'a [u8] {
    if arn.is_empty() { name } else { arn }
}

impl Digest {
    /// The rows of one of its groups.
    pub(super) fn of_group<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = At<'a>> {
        let rows = group.rows.iter().cloned().flatten();
        rows.map(|row| At { digest: self, row })
    }

    /// Takes the rows of a block, with so many rules.
    pub(super) fn take(&mut self, block: Block<'_>, rules: usize) {
        let Block {
            input, chunk, last, ..
        } = block;
        self.input = Some(input.clone());
        self.last = last;
        let idle_since = idle_since(input.as_of);
        let lacks: ColumnSet = input.lacks();
        let new = || Figures::new(rules, lacks);
        let mut known = Known::default();
        for row in 0..chunk.rows.len() {
            let [name, arn] = [TextColumn::User, TextColumn::Arn]
                .map(|column| chunk.text(&input.header, row, column).unwrap_or_default());
            self.names.push(name, arn);
            let group = known.group_of(arn, &mut self.groups, new);
            let whose = &mut self.groups[group];
            match whose.rows.last_mut().filter(|rows| rows.end == row) {
                Some(rows) => rows.end += 1,
                None => whose.rows.push(row..row + 1),
            }
            let taken = taken(chunk, row, who(name, arn), idle_since, group);
            whose.figures.user(&taken, input.as_of);
            if chunk.is_root(row) {
                whose.figures.root(chunk, row);
            }
            self.created.push(chunk.time(row, TimeColumn::UserCreation));
            self.rows.push(taken);
        }
    }

    /// Takes a finding in those rows.
    pub(super) fn finding(&mut self, finding: &FindingRef<'_>) {
        let rule = roster::rule(finding.rule().position);
        let Some(row) = finding.row() else {
            return self.folded.push(rule);
        };
        let fails = match finding.status {
            Status::Fail => true,
            Status::Undetermined => false,
            Status::Suppressed | Status::Pass => return,
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
        self.folded.clear();
    }
}

fn taken(chunk: &Chunk, row: usize, who: &[u8], idle_since: i64, group: usize) -> Row {
    use TimeColumn::{Cert1LastRotated, Cert2LastRotated, Key1LastRotated, Key2LastRotated, UserCreation};
    let created = chunk.time(row, UserCreation);
    let slots = [
        [Key1LastRotated, Key2LastRotated],
        [Cert1LastRotated, Cert2LastRotated],
    ]
    .map(|columns| columns.map(|column| chunk.time(row, column)));
    let held = [chunk.keys(row), chunk.certificates(row)];
    let facts = Facts::of(chunk, row, idle_since);
    let who = (user_key(who, created), xxh3_64(who));
    Row::new(who, is_told(created), (slots, held), facts, group)
}
