//! What was found about users in little memory: a bit a judgement for what fails, a list for the little else.

use super::roster::{index, rule};
use crate::engine::Block;
use crate::finding::Status;
use crate::report::schema::Slot;

/// One finding about a user in little memory: the rest of it is the rule's and the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Position of the rule in its program.
    pub rule: u16,
    /// Fail, undetermined or suppressed.
    pub status: Status,
    /// The slot of the key or certificate that it is about.
    pub slot: Slot,
}

/// What was found about users, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    /// Position of the rule, and slot, of each judgement.
    instances: Vec<(u16, Slot)>,
    /// Of each user so many words that there is a bit a judgement: whether it fails.
    fails: Vec<u64>,
    /// What is undetermined or suppressed, by user.
    others: Vec<Other>,
}

#[derive(Clone, Copy, Debug)]
struct Other {
    user: u32,
    instance: u32,
    status: Status,
}

/// What was found about one user.
#[derive(Clone, Copy)]
pub(super) struct UserVerdicts<'a> {
    instances: &'a [(u16, Slot)],
    fails: &'a [u64],
    others: &'a [Other],
}

impl Verdicts {
    /// What is told of a block, and nothing else.
    pub(super) fn fill(&mut self, block: Block<'_>) {
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
                self.others.extend(ones(rows).map(|row| Other {
                    user: index(word * 64 + row),
                    instance: index(instance),
                    status,
                }));
            }
        }
        self.others
            .sort_unstable_by_key(|other| (other.user, other.instance));
    }

    pub(super) fn clear(&mut self) {
        self.fails.clear();
        self.others.clear();
    }

    /// Words of a user.
    fn words(&self) -> usize {
        self.instances.len().div_ceil(64)
    }

    /// How many judgements there are.
    pub(super) fn instances(&self) -> usize {
        self.instances.len()
    }

    /// Position of the rule that a judgement is of.
    pub(super) fn rule(&self, instance: usize) -> u16 {
        self.instances[instance].0
    }

    /// Of a user a bit a judgement, in words: whether it fails.
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
        }
    }

    /// Adds what was found about the next user, who has this index.
    pub(super) fn push(&mut self, user: u32, told: UserVerdicts<'_>) {
        if self.instances.is_empty() {
            self.instances.extend_from_slice(told.instances);
        }
        self.fails.extend_from_slice(told.fails);
        self.others
            .extend(told.others.iter().map(|&other| Other { user, ..other }));
    }

    /// Moves all of the other ones behind those of so many users.
    pub(super) fn append(&mut self, users: u32, other: &mut Self) {
        if self.instances.is_empty() {
            // All are of one program.
            self.instances.clone_from(&other.instances);
        }
        self.fails.append(&mut other.fails);
        let others = other.others.drain(..);
        self.others.extend(others.map(|other| Other {
            user: other.user + users,
            ..other
        }));
    }
}

impl<'a> UserVerdicts<'a> {
    /// Whether the same was found, by the same program.
    pub(super) fn is_like(self, other: UserVerdicts<'_>) -> bool {
        let said = |other: &Other| (other.instance, other.status);
        self.fails == other.fails && self.others.iter().map(said).eq(other.others.iter().map(said))
    }

    /// What fails, in (rule, slot) order.
    pub(super) fn failing(self) -> impl Iterator<Item = Found> + 'a {
        let words = self.fails.iter().enumerate();
        let instances = words.flat_map(|(word, &bits)| ones(bits).map(move |bit| word * 64 + bit));
        instances.map(move |instance| self.found(instance, Status::Fail))
    }

    /// A bit a judgement, in words: whether it fails.
    pub(super) fn fails(self) -> &'a [u64] {
        self.fails
    }

    /// Position of the rule that a judgement is of.
    pub(super) fn rule(self, instance: usize) -> u16 {
        self.instances[instance].0
    }

    /// What is said of a judgement, if anything but that it passes.
    pub(super) fn status(self, instance: usize) -> Option<Status> {
        if self.fails[instance / 64] >> (instance % 64) & 1 == 1 {
            return Some(Status::Fail);
        }
        let mut others = self.others.iter();
        let other = others.find(|other| other.instance as usize == instance);
        other.map(|other| other.status)
    }

    /// What was found: what fails, and then what else.
    pub(super) fn all(self) -> impl Iterator<Item = Found> + 'a {
        let others = self.others.iter();
        let others = others.map(move |other| self.found(other.instance as usize, other.status));
        self.failing().chain(others)
    }

    pub(super) fn found(self, instance: usize, status: Status) -> Found {
        let (rule, slot) = self.instances[instance];
        Found { rule, status, slot }
    }
}

/// The positions of ones, ascending.
#[inline]
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        // Of none, all bits are zeros.
        bits &= bits.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}
