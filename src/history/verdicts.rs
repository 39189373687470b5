//! The findings of users: a short list for each, and what their report cannot say because it lacks columns.

use super::users::index;
use crate::engine::Block;
use crate::finding::Status;
use crate::report::schema::{ColumnSet, Slot};

/// A finding without what its rule and its user already say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactFinding {
    /// Position of the rule in the program.
    pub rule: u16,
    /// Fail, undetermined or suppressed.
    pub status: Status,
    /// The slot of the key or certificate.
    pub slot: Slot,
}

/// The position of a rule as it is stored.
pub(super) fn rule(position: usize) -> u16 {
    u16::try_from(position).expect("invariant: fewer than 65,536 rules")
}

/// The findings of users, by index of the user.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    /// First the failing ones of each user, by rule and slot, then the others.
    found: Vec<CompactFinding>,
    /// Where those of each user end.
    ends: Vec<u32>,
    /// For which rules the report cannot say whether they fail, because it lacks columns.
    unseen: RuleMarks,
    /// By columns that earlier reports lack, which rules fail even without them.
    without: Vec<(ColumnSet, RuleMarks)>,
}

/// Rules and slots by index of the user. Almost always there are none.
#[derive(Clone, Debug, Default)]
struct RuleMarks(Vec<(u32, u16, Slot)>);

impl RuleMarks {
    /// The marks of these rows of a block. For each word of rows and each rule instance, `bitmaps` has the marked rows.
    fn of_block(block: Block<'_>, bitmaps: &[u64], stored: impl Iterator<Item = usize>) -> Self {
        let instances = instances(block);
        let words = || bitmaps.chunks_exact(instances.len().max(1));
        let is_marked = |&at: &usize| words().any(|instances| instances[at] != 0);
        let marked: Vec<usize> = (0..instances.len()).filter(is_marked).collect();
        if marked.is_empty() {
            return Self::default();
        }
        let mut marks = Vec::new();
        for (user, row) in (0..).zip(stored) {
            let of_word = &bitmaps[row / 64 * instances.len()..][..instances.len()];
            let of_row = marked.iter().filter(|&&at| of_word[at] >> (row % 64) & 1 == 1);
            marks.extend(of_row.map(|&at| (user, instances[at].0, instances[at].1)));
        }
        Self(marks)
    }

    fn of(&self, user: u32) -> impl Iterator<Item = (u16, Slot)> {
        let start = self.0.partition_point(|mark| mark.0 < user);
        let marks = self.0[start..].iter().take_while(move |mark| mark.0 == user);
        marks.map(|&(_, rule, slot)| (rule, slot))
    }

    fn has(&self, user: u32, rule: u16, slot: Slot) -> bool {
        !self.0.is_empty() && self.of(user).any(|mark| mark == (rule, slot))
    }

    /// Appends the marks of other users; `users` is the number of users before them.
    fn append(&mut self, users: u32, other: &mut Self) {
        let marks = other.0.drain(..);
        self.0
            .extend(marks.map(|(user, rule, slot)| (users + user, rule, slot)));
    }
}

/// Position of the rule, and slot, of each rule instance.
fn instances(block: Block<'_>) -> Vec<(u16, Slot)> {
    let instances = block.emitted.instances();
    instances.map(|(position, slot)| (rule(position), slot)).collect()
}

impl Verdicts {
    /// The findings of these rows of a block.
    pub(super) fn of_block(
        block: Block<'_>,
        stored: &(impl ExactSizeIterator<Item = usize> + Clone),
    ) -> Self {
        let mut of_rows = vec![0_u32; block.chunk.rows.len()];
        let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
        for status in statuses {
            for (word, _, rows) in block.emitted.rows(status) {
                ones(rows).for_each(|row| of_rows[word * 64 + row] += 1);
            }
        }
        let mut ends = Vec::with_capacity(stored.len());
        let mut end = 0;
        // From now on, where the next finding of a row goes; rows that are not stored have none.
        let mut next = vec![None; of_rows.len()];
        for row in stored.clone() {
            next[row] = Some(end);
            end += of_rows[row];
            ends.push(end);
        }
        let mut found = vec![NONE; end as usize];
        let instances = instances(block);
        for status in statuses {
            for (word, instance, rows) in block.emitted.rows(status) {
                let (rule, slot) = instances[instance];
                for row in ones(rows) {
                    if let Some(next) = &mut next[word * 64 + row] {
                        found[*next as usize] = CompactFinding { rule, status, slot };
                        *next += 1;
                    }
                }
            }
        }
        let marks = |bitmaps: &[u64]| RuleMarks::of_block(block, bitmaps, stored.clone());
        let without = block.without.iter();
        let without = without.map(|without| (without.columns, marks(&without.rows)));
        Self {
            found,
            ends,
            unseen: marks(block.unseen),
            without: without.collect(),
        }
    }

    /// The findings of a user.
    pub(super) fn of(&self, user: u32) -> &[CompactFinding] {
        let user = user as usize;
        let start = user.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.found[start as usize..self.ends[user] as usize]
    }

    /// Whether the report cannot say if a rule fails, because it lacks columns.
    pub(super) fn is_unseen(&self, user: u32, rule: u16, slot: Slot) -> bool {
        self.unseen.has(user, rule, slot)
    }

    /// Whether a rule fails even without these columns, which an earlier report lacks.
    pub(super) fn fails_without(&self, columns: ColumnSet, user: u32, (rule, slot): (u16, Slot)) -> bool {
        let without = self.without.iter();
        // What fails without more columns also fails without these.
        let with_these = without.filter(|(set, _)| columns.minus(*set).is_empty());
        let least = with_these.min_by_key(|(set, _)| set.iter().count());
        least.is_some_and(|(_, marks)| marks.has(user, rule, slot))
    }

    /// Appends the findings of other users, which are empty afterwards.
    pub(super) fn append(&mut self, other: &mut Self) {
        let (users, before) = (index(self.ends.len()), index(self.found.len()));
        self.found.append(&mut other.found);
        self.ends.extend(other.ends.drain(..).map(|end| before + end));
        self.unseen.append(users, &mut other.unseen);
        for (columns, mut marks) in other.without.drain(..) {
            self.without_mut(columns).append(users, &mut marks);
        }
    }

    /// Appends the findings of a user of `other`.
    pub(super) fn push(&mut self, other: &Self, user: u32) {
        let new = index(self.ends.len());
        self.found.extend_from_slice(other.of(user));
        self.ends.push(index(self.found.len()));
        let renumbered = |marks: &RuleMarks| {
            let marks = marks.of(user).map(|(rule, slot)| (new, rule, slot));
            RuleMarks(marks.collect())
        };
        self.unseen.append(0, &mut renumbered(&other.unseen));
        for (columns, marks) in &other.without {
            self.without_mut(*columns).append(0, &mut renumbered(marks));
        }
    }

    fn without_mut(&mut self, columns: ColumnSet) -> &mut RuleMarks {
        let at = self.without.iter().position(|(set, _)| *set == columns);
        let at = at.unwrap_or_else(|| {
            self.without.push((columns, RuleMarks::default()));
            self.without.len() - 1
        });
        &mut self.without[at].1
    }
}

/// In the place of a finding that is not known yet.
const NONE: CompactFinding = CompactFinding {
    rule: 0,
    status: Status::Pass,
    slot: Slot::One,
};

/// The positions of set bits, ascending.
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        // Stays 0 when no bit is left.
        bits &= bits.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}
