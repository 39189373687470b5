//! One report at its own as-of: its users, and what the rules found.

use super::users::Users;
use crate::engine::{Hit, Id, Input};
use crate::finding::Status;
use crate::report::schema::{Credential, Slot};

/// A report with its findings. Passes are not kept.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Where it was read, and at which instant it was judged.
    pub input: Input,
    /// Its users.
    pub users: Users,
    /// What was found, in (row, rule, slot) order.
    pub found: Vec<Found>,
    /// Rules, by position, that are undetermined for many users at once, since the report lacks columns.
    pub folded: Vec<u16>,
}

/// One finding in little memory: the rest of it is the rule's and the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its stable name.
    pub id: Id,
    /// Index of the user.
    pub row: u32,
    /// Position of the rule in its program.
    pub rule: u16,
    /// Fail, undetermined or suppressed.
    pub status: Status,
    /// The slot of the key or certificate that it is about.
    pub slot: Slot,
}

impl Found {
    /// The finding of a hit on a user; none where it stands for a whole input.
    pub(super) fn of(hit: &Hit<'_>) -> Option<Self> {
        let row = hit.row()?.number() - 1;
        Some(Self {
            id: hit.id(),
            row: u32::try_from(row).expect("invariant: a snapshot has fewer than 4 G users"),
            rule: rule(hit),
            status: hit.status,
            slot: match hit.credential() {
                Some(Credential::AccessKey(slot) | Credential::Certificate(slot)) => slot,
                Some(Credential::Password) | None => Slot::One,
            },
        })
    }
}

/// Position of the rule that a hit is of.
pub(super) fn rule(hit: &Hit<'_>) -> u16 {
    u16::try_from(hit.judged().position).expect("invariant: fewer than 65,536 rules")
}

impl Snapshot {
    /// An empty one.
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            users: Users::default(),
            found: Vec::new(),
            folded: Vec::new(),
        }
    }

    /// What was found about a user.
    pub fn found_of(&self, row: u32) -> &[Found] {
        let start = self.found.partition_point(|found| found.row < row);
        let count = self.found[start..].partition_point(|found| found.row == row);
        &self.found[start..start + count]
    }
}
