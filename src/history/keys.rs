//! The cells of a user, the keys and certificates in its slots, and how these pair up in two snapshots, whatever their slots.

use crate::report::cell::{self, Flag};
use crate::report::chunk::Chunk;
use crate::report::schema::{
    ACCESS_KEY, BySlot, CERTIFICATE, Column, FlagColumn, KEY_LAST_USED, Slot, SlotColumns, TimeColumn,
};

/// The times and flags of a user. Cells of columns that the report lacks are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserCells {
    /// Each in [`TIME`] bytes, in the order of columns.
    times: [u8; TIME * TimeColumn::IN_REPORT],
    flags: [Flag; FlagColumn::IN_REPORT],
    pub(super) is_root: bool,
}

/// The bytes of a time cell: enough for the years 1 to 9999.
const TIME: usize = 5;
const ABSENT: [u8; TIME] = [0, 0, 0, 0, 0x80];
const UNKNOWN: [u8; TIME] = [0xff, 0xff, 0xff, 0xff, 0x7f];

impl UserCells {
    /// All cells are unknown.
    fn unknown() -> Self {
        let mut times = [0; TIME * TimeColumn::IN_REPORT];
        for time in times.as_chunks_mut().0 {
            *time = UNKNOWN;
        }
        Self {
            times,
            flags: [Flag::Unknown; FlagColumn::IN_REPORT],
            is_root: false,
        }
    }

    /// Replaces `all` by the users of a chunk.
    pub(super) fn read(chunk: &Chunk, all: &mut Vec<Self>) {
        let (mut times, mut flags) = (Vec::new(), Vec::new());
        for column in Column::ALL {
            match column {
                Column::Time(time) => times.push((time, &chunk.times(time).cells[..])),
                Column::Flag(flag) => flags.push((flag, &chunk.flags(flag).cells[..])),
                Column::Text(_) => {}
            }
        }
        all.clear();
        all.extend(chunk.root().iter().enumerate().map(|(row, &is_root)| {
            let mut user = Self::unknown();
            user.is_root = is_root;
            // The cells of a column that the report lacks are not there.
            for (column, cells) in &times {
                cells
                    .get(row)
                    .into_iter()
                    .for_each(|&cell| user.set(*column, cell));
            }
            for (column, cells) in &flags {
                cells
                    .get(row)
                    .into_iter()
                    .for_each(|&cell| user.flags[*column as usize] = cell);
            }
            user
        }));
    }

    /// A time: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
    pub(super) fn time(&self, column: TimeColumn) -> i64 {
        match self.times.as_chunks().0[column as usize] {
            ABSENT => cell::ABSENT,
            UNKNOWN => cell::UNKNOWN,
            low => {
                let mut high = [0; 8];
                high[8 - TIME..].copy_from_slice(&low);
                i64::from_le_bytes(high) >> (8 * (8 - TIME))
            }
        }
    }

    fn set(&mut self, column: TimeColumn, cell: i64) {
        let packed = &mut self.times.as_chunks_mut().0[column as usize];
        match cell {
            cell::ABSENT => *packed = ABSENT,
            cell::UNKNOWN => *packed = UNKNOWN,
            seconds => packed.copy_from_slice(&seconds.to_le_bytes()[..TIME]),
        }
    }

    /// A flag.
    pub(super) fn flag(&self, column: FlagColumn) -> Flag {
        self.flags[column as usize]
    }

    /// The contents of the access key slots.
    pub(super) fn keys(&self) -> BySlot<SlotContent> {
        Slot::ALL.map(|slot| self.content(&ACCESS_KEY, slot, self.time(KEY_LAST_USED.date[slot as usize])))
    }

    /// The contents of the signing certificate slots.
    pub(super) fn certificates(&self) -> BySlot<SlotContent> {
        Slot::ALL.map(|slot| self.content(&CERTIFICATE, slot, cell::UNKNOWN))
    }

    fn content(&self, columns: &SlotColumns, slot: Slot, last_used: i64) -> SlotContent {
        let active = self.flag(columns.active[slot as usize]);
        let created = self.time(columns.last_rotated[slot as usize]);
        match (created, active) {
            // Nothing distinguishes an active key without a creation time from another one.
            (cell::UNKNOWN, _) | (cell::ABSENT, Flag::Unknown | Flag::True) => SlotContent::Unclear,
            (cell::ABSENT, Flag::False | Flag::NotSupported) => SlotContent::Empty,
            _ => SlotContent::Key(Key {
                slot,
                created,
                active,
                last_used,
            }),
        }
    }
}

/// An access key or a signing certificate, as one report shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Its slot in this report.
    pub(super) slot: Slot,
    /// `last_rotated`, which is the creation time: seconds.
    pub(super) created: i64,
    /// Whether it is active.
    pub(super) active: Flag,
    /// The last use, a time cell; unknown for a certificate.
    pub(super) last_used: i64,
}

/// The content of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotContent {
    /// No key or certificate.
    Empty,
    /// This key or certificate.
    Key(Key),
    /// Unknown: the cells do not say whether there is one, or which one.
    Unclear,
}

impl SlotContent {
    /// The key, if it is identified.
    pub(super) fn key(self) -> Option<Key> {
        match self {
            Self::Key(key) => Some(key),
            Self::Empty | Self::Unclear => None,
        }
    }

    /// Whether it is the key created at this time.
    pub(super) fn is(self, created: i64) -> bool {
        self.key().is_some_and(|key| key.created == created)
    }
}

/// Whether the content of any slot is unknown.
pub(super) fn is_unclear(slots: BySlot<SlotContent>) -> bool {
    slots.contains(&SlotContent::Unclear)
}

/// Whether both slots have a key, created in the same second: only their other cells distinguish them.
pub(super) fn are_of_same_second(slots: BySlot<SlotContent>) -> bool {
    slots[0].key().is_some_and(|key| slots[1].is(key.created))
}

/// A key before and after; none if it was created or deleted in between.
pub(super) type Pair = (Option<Key>, Option<Key>);

/// The keys or the certificates of one user in both snapshots.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    /// Keys in both, then those only before, then those only after.
    pub(super) all: Vec<Pair>,
    /// Whether the content of a slot is unclear, the older snapshot first: then a key that only the other one shows may also
    /// be in this one.
    pub(super) unclear: [bool; 2],
}

impl Pairs {
    /// Matches keys by creation time. Of keys created in the same second, the pair that changed least is the same key.
    pub(super) fn of(old: BySlot<SlotContent>, new: BySlot<SlotContent>) -> Self {
        if [old, new] == [[SlotContent::Empty; 2]; 2] {
            return Self::default();
        }
        let crossed = [new[1], new[0]];
        let alike = |new: BySlot<SlotContent>| likeness(old[0], new[0]) + likeness(old[1], new[1]);
        let new = if alike(crossed) > alike(new) { crossed } else { new };
        let both = |&(old, new): &(SlotContent, SlotContent)| likeness(old, new) > 0;
        let slots = || old.into_iter().zip(new);
        let apart = || slots().filter(|slots| !both(slots));
        let mut all: Vec<Pair> = slots()
            .filter(both)
            .map(|(old, new)| (old.key(), new.key()))
            .collect();
        all.extend(apart().filter_map(|(old, _)| Some((Some(old.key()?), None))));
        all.extend(apart().filter_map(|(_, new)| Some((None, Some(new.key()?)))));
        Self {
            all,
            unclear: [old, new].map(is_unclear),
        }
    }

    /// Whether the content of any slot is unclear.
    pub(super) fn is_unclear(&self) -> bool {
        self.unclear.contains(&true)
    }

    /// The slot that the key in this slot of the older snapshot has in the newer one; none if it is not there.
    pub(super) fn after(&self, slot: Slot) -> Option<Slot> {
        let mut both = self.in_both();
        both.find(|(old, _)| old.slot == slot).map(|(_, new)| new.slot)
    }

    /// The slot that the key in this slot of the newer snapshot has in the older one; none if it is not there.
    pub(super) fn before(&self, slot: Slot) -> Option<Slot> {
        let mut both = self.in_both();
        both.find(|(_, new)| new.slot == slot).map(|(old, _)| old.slot)
    }

    /// The keys that are in both snapshots.
    pub(super) fn in_both(&self) -> impl Iterator<Item = (Key, Key)> {
        self.all.iter().filter_map(|&(old, new)| old.zip(new))
    }
}

/// How alike two keys are; 0 if they are different keys.
fn likeness(old: SlotContent, new: SlotContent) -> u32 {
    let (Some(old), Some(new)) = (old.key(), new.key()) else {
        return 0;
    };
    if old.created != new.created {
        return 0;
    }
    // A key's last use never goes back.
    let used = match (old.last_used, new.last_used) {
        (old, new) if old == new => 2,
        (old, new) if old < new || old == cell::UNKNOWN || new == cell::UNKNOWN => 1,
        _ => 0,
    };
    8 + 2 * u32::from(old.active == new.active) + used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: Slot, created: i64, active: Flag, last_used: i64) -> SlotContent {
        SlotContent::Key(Key {
            slot,
            created,
            active,
            last_used,
        })
    }

    #[test]
    fn packed_times_come_back() {
        let first_and_last = [-62_135_596_800, 253_402_300_799];
        let cells = [
            cell::ABSENT,
            cell::UNKNOWN,
            0,
            -1,
            1,
            u32::MAX.into(),
            i32::MIN.into(),
        ];
        for cell in cells.into_iter().chain(first_and_last) {
            let mut user = UserCells::unknown();
            user.set(TimeColumn::Key2LastUsed, cell);
            assert_eq!(user.time(TimeColumn::Key2LastUsed), cell);
            assert_eq!(user.time(TimeColumn::Key1LastUsed), cell::UNKNOWN);
        }
    }

    #[test]
    fn keys_match_across_slots() {
        let old = [
            key(Slot::One, 10, Flag::True, 50),
            key(Slot::Two, 20, Flag::True, 60),
        ];
        let new = [key(Slot::One, 20, Flag::False, 60), SlotContent::Empty];
        let pairs = Pairs::of(old, new);
        let slots = |key: Option<Key>| key.map(|key| key.slot);
        let all: Vec<_> = pairs
            .all
            .iter()
            .map(|&(old, new)| (slots(old), slots(new)))
            .collect();
        assert_eq!(all, [(Some(Slot::Two), Some(Slot::One)), (Some(Slot::One), None)]);
        assert_eq!(
            [Slot::Two, Slot::One].map(|slot| pairs.after(slot)),
            [Some(Slot::One), None]
        );
        assert_eq!(
            [Slot::One, Slot::Two].map(|slot| pairs.before(slot)),
            [Some(Slot::Two), None]
        );
        assert!(!are_of_same_second(old) && !pairs.is_unclear());
    }

    #[test]
    fn keys_of_the_same_second_match_by_least_change() {
        let old = [
            key(Slot::One, 10, Flag::True, 50),
            key(Slot::Two, 10, Flag::True, cell::ABSENT),
        ];
        let new = [
            key(Slot::One, 10, Flag::True, cell::ABSENT),
            key(Slot::Two, 10, Flag::False, 70),
        ];
        assert!(are_of_same_second(old));
        let used: Vec<_> = Pairs::of(old, new)
            .all
            .iter()
            .map(|(old, new)| (old.map(|key| key.last_used), new.map(|key| key.last_used)))
            .collect();
        assert_eq!(
            used,
            [(Some(50), Some(70)), (Some(cell::ABSENT), Some(cell::ABSENT))]
        );
        let one_left = Pairs::of(old, [key(Slot::One, 10, Flag::True, 55), SlotContent::Empty]);
        assert_eq!(one_left.all[0].0.map(|key| key.last_used), Some(50));
        assert_eq!(one_left.all.len(), 2);
    }
}
