//! Stores findings of users compactly: one bit per rule instance for failing ones, a list for the few others.

use super::instance_bits::{self, InstanceBits};
use super::roster::{index, rule};
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

/// The findings of users, by index of the user.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    /// Position of the rule and slot of each rule instance.
    instances: Vec<(u16, Slot)>,
    /// One bit per rule instance: whether it fails. [`Self::words`] words per user.
    fails: Vec<u64>,
    /// Undetermined and suppressed findings, by user.
    others: Vec<OtherStatus>,
    /// The rule instances for which the report cannot say whether they fail, because it lacks columns.
    unseen: InstanceBits,
    /// The rule instances that fail even without the columns that the older report lacks.
    without: InstanceBits,
}

#[derive(Clone, Copy, Debug)]
struct OtherStatus {
    user: u32,
    instance: u32,
    status: Status,
}

/// The findings of one user.
#[derive(Clone, Copy)]
pub(super) struct UserVerdicts<'a> {
    instances: &'a [(u16, Slot)],
    fails: &'a [u64],
    others: &'a [OtherStatus],
    unseen: &'a [u64],
    without: &'a [u64],
}

impl Verdicts {
    /// Replaces the content by the findings of a block; `gained` are the columns that the older report lacks.
    pub(super) fn fill(&mut self, block: Block<'_>, gained: ColumnSet) {
        self.instances.clear();
        self.instances.extend(
            block
                .emitted
                .instances()
                .map(|(position, slot)| (rule(position), slot)),
        );
        let words = self.words();
        self.fails.clear();
        self.fails.resize(words * block.chunk.rows.len(), 0);
        for (word, instance, rows) in block.emitted.rows(Status::Fail) {
            for row in ones(rows) {
                self.fails[(word * 64 + row) * words + instance / 64] |= 1 << (instance % 64);
            }
        }
        self.others.clear();
        for status in [Status::Undetermined, Status::Suppressed] {
            for (word, instance, rows) in block.emitted.rows(status) {
                self.others.extend(ones(rows).map(|row| OtherStatus {
                    user: index(word * 64 + row),
                    instance: index(instance),
                    status,
                }));
            }
        }
        self.others
            .sort_unstable_by_key(|other| (other.user, other.instance));
        let (rows, instances) = (block.chunk.rows.len(), self.instances.len());
        self.unseen.fill(rows, instances, block.unseen);
        let without = block.without.iter().find(|without| without.columns == gained);
        let without = without.map_or(&[][..], |without| &without.rows);
        self.without.fill(rows, instances, without);
    }

    pub(super) fn clear(&mut self) {
        self.fails.clear();
        self.others.clear();
        self.unseen.clear();
        self.without.clear();
    }

    /// The number of words per user.
    fn words(&self) -> usize {
        self.instances.len().div_ceil(64)
    }

    /// The number of rule instances.
    pub(super) fn instances(&self) -> usize {
        self.instances.len()
    }

    /// Position of the rule of a rule instance.
    pub(super) fn rule(&self, instance: usize) -> u16 {
        self.instances[instance].0
    }

    /// One bit per rule instance of this user: whether it fails.
    #[inline]
    pub(super) fn fails(&self, user: u32) -> &[u64] {
        let words = self.words();
        &self.fails[user as usize * words..][..words]
    }

    pub(super) fn of(&self, user: u32) -> UserVerdicts<'_> {
        let start = self.others.partition_point(|other| other.user < user);
        let others = &self.others[start..];
        let count = others.iter().take_while(|other| other.user == user).count();
        UserVerdicts {
            instances: &self.instances,
            fails: self.fails(user),
            others: &others[..count],
            unseen: self.unseen.of(user as usize),
            without: self.without.of(user as usize),
        }
    }

    /// Adds the findings of the next user, who has this index.
    pub(super) fn push(&mut self, user: u32, verdicts: UserVerdicts<'_>) {
        if self.instances.is_empty() {
            self.instances.extend_from_slice(verdicts.instances);
        }
        self.fails.extend_from_slice(verdicts.fails);
        self.unseen.push(user as usize, verdicts.unseen);
        self.without.push(user as usize, verdicts.without);
        self.others
            .extend(verdicts.others.iter().map(|&other| OtherStatus { user, ..other }));
    }

    /// Appends the findings of other users; `users` is the number of users before them.
    pub(super) fn append(&mut self, users: u32, other: &mut Self) {
        if self.instances.is_empty() {
            // All verdicts are of one program.
            self.instances.clone_from(&other.instances);
        }
        self.fails.append(&mut other.fails);
        self.unseen.append(users as usize, &mut other.unseen);
        self.without.append(users as usize, &mut other.without);
        let others = other.others.drain(..);
        self.others.extend(others.map(|other| OtherStatus {
            user: other.user + users,
            ..other
        }));
    }
}

impl<'a> UserVerdicts<'a> {
    /// Whether the findings are the same. Both are of the same program.
    pub(super) fn is_like(self, other: UserVerdicts<'_>) -> bool {
        let status = |other: &OtherStatus| (other.instance, other.status);
        self.fails == other.fails && self.others.iter().map(status).eq(other.others.iter().map(status))
    }

    /// The failing findings, by rule and slot.
    pub(super) fn failing(self) -> impl Iterator<Item = CompactFinding> + 'a {
        let words = self.fails.iter().enumerate();
        let instances = words.flat_map(|(word, &bits)| ones(bits).map(move |bit| word * 64 + bit));
        instances.map(move |instance| self.found(instance, Status::Fail))
    }

    /// One bit per rule instance: whether it fails.
    pub(super) fn fails(self) -> &'a [u64] {
        self.fails
    }

    /// Position of the rule of a rule instance.
    pub(super) fn rule(self, instance: usize) -> u16 {
        self.instances[instance].0
    }

    /// The status of a rule instance; none if it passes.
    pub(super) fn status(self, instance: usize) -> Option<Status> {
        if self.fails[instance / 64] >> (instance % 64) & 1 == 1 {
            return Some(Status::Fail);
        }
        let mut others = self.others.iter();
        let other = others.find(|other| other.instance as usize == instance);
        other.map(|other| other.status)
    }

    /// Whether the report cannot say if a rule instance fails, because it lacks columns.
    pub(super) fn is_unseen(self, instance: usize) -> bool {
        instance_bits::has(self.unseen, instance)
    }

    /// Whether a rule instance fails even without the columns that the older report lacks.
    pub(super) fn fails_without(self, instance: usize) -> bool {
        instance_bits::has(self.without, instance)
    }

    /// All findings: first the failing ones, then the others.
    pub(super) fn all(self) -> impl Iterator<Item = CompactFinding> + 'a {
        let others = self.others.iter();
        let others = others.map(move |other| self.found(other.instance as usize, other.status));
        self.failing().chain(others)
    }

    pub(super) fn found(self, instance: usize, status: Status) -> CompactFinding {
        let (rule, slot) = self.instances[instance];
        CompactFinding { rule, status, slot }
    }
}

/// The positions of set bits, ascending.
#[inline]
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        // Stays 0 when no bit is left.
        bits &= bits.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}
