//! Matches the keys or certificates of a user in two snapshots, whatever their slots.

use super::cells::{Key, SlotContent};
use crate::report::cell;

/// A key before and after; none if it was created or deleted in between.
pub(super) type Pair = (Option<Key>, Option<Key>);

/// The keys or the certificates of one user in both reports.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    /// Keys in both, then those only before, then those only after.
    pub(super) all: Vec<Pair>,
    /// Whether the content of a slot is unclear, the older report first: then a key that only the other report shows may
    /// also be in this one.
    pub(super) unclear: [bool; 2],
    /// Whether two keys of one report were created in the same second, so that only their other cells differ.
    pub(super) same_second: bool,
}

impl Pairs {
    /// Whether the content of any slot is unclear.
    pub(super) fn is_unclear(&self) -> bool {
        self.unclear.contains(&true)
    }
}

/// Matches keys by creation time. Of keys created in the same second, the pair that changed least is treated as the same key.
pub(super) fn pair((old, new): ([SlotContent; 2], [SlotContent; 2])) -> Pairs {
    if [old, new] == [[SlotContent::Empty; 2]; 2] {
        return Pairs::default();
    }
    let crossed = [new[1], new[0]];
    let alike = |new: [SlotContent; 2]| likeness(old[0], new[0]) + likeness(old[1], new[1]);
    let is_crossed = alike(crossed) > alike(new);
    let new = if is_crossed { crossed } else { new };
    let mut all = Vec::new();
    let both = |&(old, new): &(SlotContent, SlotContent)| likeness(old, new) > 0;
    let slots = || old.into_iter().zip(new);
    all.extend(slots().filter(both).map(|(old, new)| (old.key(), new.key())));
    let apart = || slots().filter(|slots| !both(slots));
    all.extend(apart().filter_map(|(old, _)| Some((Some(old.key()?), None))));
    all.extend(apart().filter_map(|(_, new)| Some((None, Some(new.key()?)))));
    Pairs {
        all,
        unclear: [old, new].map(|slots| slots.contains(&SlotContent::Unclear)),
        same_second: [old, new].into_iter().any(same_second),
    }
}

fn same_second(slots: [SlotContent; 2]) -> bool {
    let [one, two] = slots.map(SlotContent::key);
    one.zip(two).is_some_and(|(one, two)| one.created == two.created)
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
    use crate::report::cell::Flag;
    use crate::report::schema::Slot;

    fn key(slot: Slot, created: i64, active: Flag, last_used: i64) -> SlotContent {
        SlotContent::Key(Key {
            slot,
            created,
            active,
            last_used,
        })
    }

    #[test]
    fn keys_match_across_slots() {
        let old = [
            key(Slot::One, 10, Flag::True, 50),
            key(Slot::Two, 20, Flag::True, 60),
        ];
        let new = [key(Slot::One, 20, Flag::False, 60), SlotContent::Empty];
        let pairs = pair((old, new));
        let slots: Vec<_> = pairs
            .all
            .iter()
            .map(|(old, new)| (old.map(|key| key.slot), new.map(|key| key.slot)))
            .collect();
        assert_eq!(
            slots,
            [(Some(Slot::Two), Some(Slot::One)), (Some(Slot::One), None)]
        );
        assert!(!pairs.same_second && !pairs.is_unclear());
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
        let pairs = pair((old, new));
        assert!(pairs.same_second);
        let used: Vec<_> = pairs
            .all
            .iter()
            .map(|(old, new)| (old.map(|key| key.last_used), new.map(|key| key.last_used)))
            .collect();
        assert_eq!(
            used,
            [(Some(50), Some(70)), (Some(cell::ABSENT), Some(cell::ABSENT))]
        );
        let one_left = pair((old, [key(Slot::One, 10, Flag::True, 55), SlotContent::Empty]));
        assert_eq!(one_left.all[0].0.map(|key| key.last_used), Some(50));
        assert_eq!(one_left.all.len(), 2);
    }
}
