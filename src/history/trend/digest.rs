//! What a trend takes from one block of a report. Made in the workers, so that what remains to be done in the
//! order of time is little more than to hold rows against those of the snapshot before.

use std::collections::BTreeMap;
use std::ops::Range;

use super::figures::{Figures, Now};
use crate::engine::{Block, Hit, Id, Input, Judged, user_key};
use crate::finding::Status;
use crate::gsl::typed::Entity;
use crate::history::accounts::AccountOf;
use crate::history::cells::{Cells as _, Held};
use crate::history::event::known;
use crate::history::names::Names;
use crate::history::snapshot;
use crate::report::cell::Flag;
use crate::report::chunk::Chunk;
use crate::report::schema::{Slot, TextColumn, TimeColumn};

/// One block of a report, as a trend sees it. Empty, it keeps its memory for the next block.
#[derive(Debug, Default)]
pub struct Digest {
    pub(super) input: Option<Input>,
    pub(super) rows: Vec<Row>,
    /// What was found, in the order of rows.
    marks: Vec<Mark>,
    names: Names,
    pub(super) groups: Vec<Group>,
    /// Rules, by position, that are undetermined for many users at once, since the report lacks columns.
    pub(super) folded: Vec<u16>,
    pub(super) last: bool,
}

/// A user: all that decides which findings and keys there are.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// [`user_key`].
    pub(super) user: u128,
    /// When the access keys were made, by slot; a time cell.
    keys: [i64; 2],
    /// When the certificates were made, by slot; a time cell.
    certificates: [i64; 2],
    /// Where its marks begin, and how many they are.
    first: u32,
    count: u32,
    /// Whose it is, in its block.
    group: u32,
    /// Whether the access keys are surely there and active, by slot.
    active: [bool; 2],
    /// Whether a slot does not tell which access key it holds.
    pub(super) unclear: bool,
}

/// A finding that fails or is undetermined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Position of the rule.
    pub(super) rule: u16,
    slot: Slot,
    pub(super) fails: bool,
}

/// The users of one account in a block.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) account: Vec<u8>,
    /// Where they stand.
    pub(super) rows: Vec<Range<usize>>,
    pub(super) figures: Figures,
}

impl Row {
    fn of(chunk: &Chunk, row: usize, (who, keys): (&[u8], [Held; 2]), group: usize) -> Self {
        let times = |columns: [TimeColumn; 2]| columns.map(|column| chunk.time(row, column));
        Self {
            user: user_key(who, chunk.time(row, TimeColumn::UserCreation)),
            keys: times([TimeColumn::Key1LastRotated, TimeColumn::Key2LastRotated]),
            certificates: times([TimeColumn::Cert1LastRotated, TimeColumn::Cert2LastRotated]),
            first: 0,
            count: 0,
            group: u32::try_from(group).expect("invariant: a block has fewer than 4 G rows"),
            active: keys.map(|held| held.key().is_some_and(|key| key.active == Flag::True)),
            unclear: keys.contains(&Held::Unclear),
        }
    }

    /// Whether nothing changed but, perhaps, marks.
    fn is_like(&self, other: &Self) -> bool {
        self.user == other.user
            && self.keys == other.keys
            && self.certificates == other.certificates
            && (self.active, self.unclear) == (other.active, other.unclear)
    }

    /// The same, with its marks there.
    pub(super) fn with_marks_at(&self, first: usize) -> Self {
        Self {
            first: u32::try_from(first).expect("invariant: an account has fewer than 4 G findings"),
            ..self.clone()
        }
    }

    /// When the active access keys were made, as far as that is known.
    pub(super) fn active_keys(&self) -> impl Iterator<Item = i64> {
        let keys = self.keys.into_iter().zip(self.active);
        keys.filter(|&(created, active)| active && known(created).is_some())
            .map(|(created, _)| created)
    }

    /// Its marks, with the names of their findings.
    pub(super) fn ids(&self, rules: &[Judged], marks: &[Mark]) -> impl Iterator<Item = (Mark, u128)> {
        marks.iter().map(|&mark| {
            let judged = &rules[usize::from(mark.rule)];
            let created = match judged.bound.typed.entity {
                Entity::IamUser => None,
                Entity::IamAccessKey => Some(self.keys),
                Entity::IamSigningCertificate => Some(self.certificates),
            };
            (mark, Id::of(judged, self.user, mark.slot, created).0)
        })
    }
}

/// The groups of a block, by account.
#[derive(Default)]
struct Known<'a> {
    accounts: AccountOf<'a>,
    groups: BTreeMap<&'a [u8], usize>,
    last: Option<(&'a [u8], usize)>,
}

impl<'a> Known<'a> {
    fn group_of(&mut self, arn: &'a [u8], groups: &mut Vec<Group>, rules: usize) -> usize {
        let account = self.accounts.arn(arn).unwrap_or_default();
        if let Some((_, group)) = self.last.filter(|&(last, _)| last == account) {
            return group;
        }
        let group = *self.groups.entry(account).or_insert_with(|| {
            groups.push(Group {
                account: account.to_owned(),
                rows: Vec::new(),
                figures: Figures::of_rules(rules),
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
        marks_of(&self.digest.marks, self.row())
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

/// The marks of one row.
pub(super) fn marks_of<'a>(marks: &'a [Mark], row: &Row) -> &'a [Mark] {
    &marks[row.first as usize..][..row.count as usize]
}

impl Digest {
    /// The rows of one of its groups.
    pub(super) fn of_group<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = At<'a>> {
        let rows = group.rows.iter().cloned().flatten();
        rows.map(|row| At { digest: self, row })
    }

    /// Takes the rows of a block, with so many rules.
    pub(super) fn take(&mut self, block: Block<'_>, rules: usize) {
        let Block { input, chunk, last } = block;
        self.input = Some(input.clone());
        self.last = last;
        let now = Now::new(input.as_of);
        let mut known = Known::default();
        for row in 0..chunk.rows.len() {
            let [name, arn] = [TextColumn::User, TextColumn::Arn]
                .map(|column| chunk.text(&input.header, row, column).unwrap_or_default());
            self.names.push(name, arn);
            let group = known.group_of(arn, &mut self.groups, rules);
            let whose = &mut self.groups[group];
            match whose.rows.last_mut().filter(|rows| rows.end == row) {
                Some(rows) => rows.end += 1,
                None => whose.rows.push(row..row + 1),
            }
            let keys = chunk.keys(row);
            whose.figures.user(chunk, row, keys, now);
            let who = if arn.is_empty() { name } else { arn };
            self.rows.push(Row::of(chunk, row, (who, keys), group));
        }
    }

    /// Takes a finding in those rows.
    pub(super) fn hit(&mut self, hit: &Hit<'_>) {
        let rule = snapshot::rule(hit);
        let Some(row) = hit.row() else {
            return self.folded.push(rule);
        };
        let fails = match hit.status {
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
            slot: hit.slot(),
            fails,
        });
        if fails {
            self.groups[row.group as usize].figures.failing(rule);
        }
    }

    pub(super) fn clear(&mut self) {
        self.input = None;
        self.rows.clear();
        self.marks.clear();
        self.names.clear();
        self.groups.clear();
        self.folded.clear();
    }
}
