//! What a trend keeps of a user from one snapshot to the next.

use super::figures::Facts;
use crate::gsl::typed::Entity;
use crate::history::cells::Held;
use crate::history::event::known;
use crate::report::cell::{self, Flag};
use crate::report::schema::Slot;

/// A user: all that decides which findings and keys there are.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// [`crate::engine::user_key`].
    pub(super) user: u128,
    /// When access keys and certificates were made, by slot; time cells.
    created: [[i64; 2]; 2],
    /// Hash of the ARN, or of the name: the user's, whenever it was made.
    pub(super) who: u64,
    /// Where its marks begin, and how many they are.
    first: u32,
    pub(super) count: u32,
    /// Whose it is, in its block.
    pub(super) group: u32,
    states: [[State; 2]; 2],
    /// Whether the report says when the user was made, or that it does not know.
    pub(super) is_dated: bool,
    pub(super) facts: Facts,
}

/// What a slot for a key or a certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It holds none.
    Empty,
    Active,
    Inactive,
    /// It holds this one, but whether that is active cannot be read.
    Unsure,
    /// It does not tell which one it holds.
    Unclear,
}

/// Both slots for keys, or for certificates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slots {
    pub(super) created: [i64; 2],
    pub(super) states: [State; 2],
}

/// A finding that fails or is undetermined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Position of the rule.
    pub(super) rule: u16,
    pub(super) slot: Slot,
    pub(super) fails: bool,
}

impl State {
    fn of(held: Held) -> Self {
        match held {
            Held::Empty => Self::Empty,
            Held::Unclear => Self::Unclear,
            Held::Key(key) => match key.active {
                Flag::True => Self::Active,
                Flag::Unknown => Self::Unsure,
                Flag::False | Flag::NotSupported => Self::Inactive,
            },
        }
    }
}

impl Slots {
    pub(super) fn is_any_unclear(self) -> bool {
        self.states.contains(&State::Unclear)
    }

    /// What the slots say that surely hold a key made then.
    pub(super) fn of(self, created: i64) -> impl Iterator<Item = State> {
        let slots = self.created.into_iter().zip(self.states);
        let holds = move |&(other, state): &(i64, State)| {
            other == created && !matches!(state, State::Empty | State::Unclear)
        };
        slots.filter(holds).map(|(_, state)| state)
    }

    /// Whether both hold one, made in the same second.
    fn is_same_second(self) -> bool {
        self.of(self.created[0]).count() == 2
    }
}

impl Row {
    /// Without marks yet. `created` are the time cells of keys and certificates, `held` what they mean.
    pub(super) fn new(
        (user, who): (u128, u64),
        is_dated: bool,
        (created, held): ([[i64; 2]; 2], [[Held; 2]; 2]),
        facts: Facts,
        group: usize,
    ) -> Self {
        Self {
            user,
            created,
            who,
            first: 0,
            count: 0,
            group: u32::try_from(group).expect("invariant: a block has fewer than 4 G rows"),
            states: held.map(|held| held.map(State::of)),
            is_dated,
            facts,
        }
    }

    /// Whether nothing changed but, perhaps, marks.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.user == other.user && self.created == other.created && self.states == other.states
    }

    /// The same, with its marks there.
    pub(super) fn with_marks_at(&self, first: usize) -> Self {
        Self {
            first: u32::try_from(first).expect("invariant: an account has fewer than 4 G findings"),
            ..self.clone()
        }
    }

    /// Its own, of the marks of many rows.
    pub(super) fn marks<'a>(&self, marks: &'a [Mark]) -> &'a [Mark] {
        &marks[self.first as usize..][..self.count as usize]
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

    /// What findings of this entity are about; none where it is the user.
    pub(super) fn slots_of(&self, entity: Entity) -> Option<Slots> {
        match entity {
            Entity::IamUser => None,
            Entity::IamAccessKey => Some(self.slots(0)),
            Entity::IamSigningCertificate => Some(self.slots(1)),
        }
    }

    /// Whether keys or certificates were made in the same second.
    pub(super) fn is_same_second(&self) -> bool {
        self.slots(0).is_same_second() || self.slots(1).is_same_second()
    }

    /// When the active access keys were made, as far as that is known.
    pub(super) fn active_keys(&self) -> impl Iterator<Item = i64> + use<> {
        let Slots { created, states } = self.keys();
        let keys = created.into_iter().zip(states);
        keys.filter(|&(created, state)| state == State::Active && known(created).is_some())
            .map(|(created, _)| created)
    }

    /// Whether a key that was active and is not shown to be so may be active nevertheless.
    pub(super) fn may_be_active(&self, created: i64) -> bool {
        let keys = self.keys();
        let mut seen = keys.of(created).peekable();
        if seen.peek().is_none() {
            return keys.is_any_unclear();
        }
        seen.any(|state| state == State::Unsure)
    }
}

/// Whether a time cell can be read.
pub(super) fn is_told(time: i64) -> bool {
    time != cell::UNKNOWN
}
