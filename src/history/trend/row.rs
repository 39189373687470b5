//! What a trend stores of each user from one snapshot to the next.

use super::figures::Facts;
use crate::gsl::typed::Entity;
use crate::history::cells::SlotContent;
use crate::report::cell::{self, Flag, known};
use crate::report::schema::{ACCESS_KEY, CERTIFICATE, Slot, TimeColumn};

/// A user, as far as it decides which findings and keys there are.
#[derive(Clone, Debug)]
pub(super) struct UserState {
    /// [`crate::engine::user_key`].
    pub(super) user: u128,
    /// Creation times of access keys and of certificates, by slot; time cells.
    created: [[i64; 2]; 2],
    /// Hash of the ARN, or of the name: the same for a recreated user.
    pub(super) identifier: u64,
    /// Index of its first mark, and the number of its marks.
    first: u32,
    pub(super) count: u32,
    /// Its account, as an index of the groups of its block.
    pub(super) group: u32,
    states: [[SlotState; 2]; 2],
    /// Whether the creation time of the user is not unknown.
    pub(super) is_dated: bool,
    pub(super) facts: Facts,
}

/// The state of a slot for a key or a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotState {
    /// It is empty.
    Empty,
    Active,
    Inactive,
    /// It has a key, but whether that is active is unknown.
    Unsure,
    /// Unknown whether it has a key, or which.
    Unclear,
}

/// Both slots for keys or for certificates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    pub(super) created: [i64; 2],
    pub(super) states: [SlotState; 2],
}

/// A failing or undetermined finding of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Position of the rule.
    pub(super) rule: u16,
    pub(super) slot: Slot,
    pub(super) fails: bool,
}

impl SlotState {
    fn of(content: SlotContent) -> Self {
        match content {
            SlotContent::Empty => Self::Empty,
            SlotContent::Unclear => Self::Unclear,
            SlotContent::Key(key) => match key.active {
                Flag::True => Self::Active,
                Flag::Unknown => Self::Unsure,
                Flag::False | Flag::NotSupported => Self::Inactive,
            },
        }
    }
}

impl Slots {
    pub(super) fn is_any_unclear(self) -> bool {
        self.states.contains(&SlotState::Unclear)
    }

    /// The states of the slots that have a key with this creation time.
    pub(super) fn of(self, created: i64) -> impl Iterator<Item = SlotState> {
        let slots = self.created.into_iter().zip(self.states);
        let has_key = move |&(other, state): &(i64, SlotState)| {
            other == created && !matches!(state, SlotState::Empty | SlotState::Unclear)
        };
        slots.filter(has_key).map(|(_, state)| state)
    }

    /// The slots that have the key or certificate with this creation time, or else those that may have it. `at` is its slot
    /// in the other snapshot.
    pub(super) fn that_may_have(self, created: i64, at: Slot) -> Vec<Slot> {
        let slots = |is_it: &dyn Fn(i64, SlotState) -> bool| {
            let slots = Slot::ALL.into_iter();
            let slots = slots.filter(|&slot| is_it(self.created[slot as usize], self.states[slot as usize]));
            slots.collect::<Vec<_>>()
        };
        let is_there = |state| !matches!(state, SlotState::Empty | SlotState::Unclear);
        let with_it = slots(&|other, state| other == created && is_there(state));
        if !with_it.is_empty() {
            return with_it;
        }
        if known(created).is_none() && self.states[at as usize] == SlotState::Unclear {
            // If neither snapshot identifies it, only the slot is left to compare.
            return vec![at];
        }
        slots(&|_, state| state == SlotState::Unclear)
    }

    /// Whether both have a key, created in the same second.
    fn is_same_second(self) -> bool {
        self.of(self.created[0]).count() == 2
    }
}

impl UserState {
    /// A user without marks. `created` and `contents` are the creation times and the contents of its slots.
    pub(super) fn new(
        (user, identifier): (u128, u64),
        is_dated: bool,
        (created, contents): ([[i64; 2]; 2], [[SlotContent; 2]; 2]),
        facts: Facts,
        group: usize,
    ) -> Self {
        Self {
            user,
            created,
            identifier,
            first: 0,
            count: 0,
            group: u32::try_from(group).expect("invariant: a block has fewer than 4 G rows"),
            states: contents.map(|slots| slots.map(SlotState::of)),
            is_dated,
            facts,
        }
    }

    /// Whether nothing changed, apart from marks.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.user == other.user && self.created == other.created && self.states == other.states
    }

    /// The same user with its marks at this index.
    pub(super) fn with_marks_at(&self, first: usize) -> Self {
        Self {
            first: u32::try_from(first).expect("invariant: an account has fewer than 4 G findings"),
            ..self.clone()
        }
    }

    /// Its marks, from those of all rows.
    pub(super) fn marks<'a>(&self, marks: &'a [Mark]) -> &'a [Mark] {
        &marks[self.first as usize..][..self.count as usize]
    }

    /// The creation time of a key or certificate, by its column; a time cell.
    pub(super) fn created(&self, column: TimeColumn) -> i64 {
        let kinds = [&ACCESS_KEY, &CERTIFICATE].into_iter().zip(self.created);
        let columns = kinds.flat_map(|(kind, created)| kind.last_rotated.into_iter().zip(created));
        let mut of_column = columns.filter(|&(other, _)| other == column);
        of_column.next().map_or(cell::UNKNOWN, |(_, created)| created)
    }

    pub(super) fn keys(&self) -> Slots {
        self.slots(0)
    }

    fn slots(&self, which: usize) -> Slots {
        Slots {
            created: self.created[which],
            states: self.states[which],
        }
    }

    /// The slots that findings of this entity are about; none if they are about the user.
    pub(super) fn slots_of(&self, entity: Entity) -> Option<Slots> {
        match entity {
            // Snapshots have no details.
            Entity::IamUser | Entity::IamServiceCredential => None,
            Entity::IamAccessKey => Some(self.slots(0)),
            Entity::IamSigningCertificate => Some(self.slots(1)),
        }
    }

    /// Whether two keys or two certificates were created in the same second.
    pub(super) fn is_same_second(&self) -> bool {
        self.slots(0).is_same_second() || self.slots(1).is_same_second()
    }

    /// Creation times of the active access keys, as far as they are known.
    pub(super) fn active_keys(&self) -> impl Iterator<Item = i64> + use<> {
        let Slots { created, states } = self.keys();
        let keys = created.into_iter().zip(states);
        keys.filter(|&(created, state)| state == SlotState::Active && known(created).is_some())
            .map(|(created, _)| created)
    }

    /// Whether a key that was active may still be, although it is not shown as active.
    pub(super) fn may_be_active(&self, created: i64) -> bool {
        let keys = self.keys();
        let mut seen = keys.of(created).peekable();
        if seen.peek().is_none() {
            return keys.is_any_unclear();
        }
        seen.any(|state| state == SlotState::Unsure)
    }
}

/// Whether a time cell is not unknown.
pub(super) fn is_known_time(time: i64) -> bool {
    time != cell::UNKNOWN
}
