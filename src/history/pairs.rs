//! Which key of one row is which of the other, whatever their slots.

use super::cells::{Held, Key};
use crate::report::cell;

/// A key before and after; one of them is none where it was made or deleted in between.
pub(super) type Pair = (Option<Key>, Option<Key>);

/// The keys, or the certificates, of one user in both reports.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    /// Keys in both, then those only before, then those only after.
    pub(super) all: Vec<Pair>,
    /// Whether a slot does not tell what it holds: then a key of one report only may be in the other, too.
    pub(super) unclear: bool,
    /// Whether two keys of one report were made in the same second, so that only their cells tell them apart.
    pub(super) same_second: bool,
}

/// Matches by creation time. Of keys made in the same second those are taken for the same that changed least.
pub(super) fn pair(old: [Held; 2], new: [Held; 2]) -> Pairs {
    if [old, new] == [[Held::Empty; 2]; 2] {
        return Pairs::default();
    }
    let [straight, crossed] = [new, [new[1], new[0]]];
    let kept = |new: [Held; 2]| -> u32 {
        old.into_iter()
            .zip(new)
            .map(|(old, new)| likeness(old, new))
            .sum()
    };
    let new = if kept(crossed) > kept(straight) {
        crossed
    } else {
        straight
    };
    let mut all = Vec::new();
    let both = |&(old, new): &(Held, Held)| likeness(old, new) > 0;
    let slots = || old.into_iter().zip(new);
    all.extend(slots().filter(both).map(|(old, new)| (old.key(), new.key())));
    let apart = || slots().filter(|slots| !both(slots));
    all.extend(apart().filter_map(|(old, _)| Some((Some(old.key()?), None))));
    all.extend(apart().filter_map(|(_, new)| Some((None, Some(new.key()?)))));
    Pairs {
        all,
        unclear: old.into_iter().chain(new).any(|held| held == Held::Unclear),
        same_second: [old, new].into_iter().any(same_second),
    }
}

fn same_second(held: [Held; 2]) -> bool {
    let [one, two] = held.map(Held::key);
    one.zip(two).is_some_and(|(one, two)| one.created == two.created)
}

/// How alike two keys are; 0 where they are not the same.
fn likeness(old: Held, new: Held) -> u32 {
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

    fn key(slot: Slot, created: i64, active: Flag, last_used: i64) -> Held {
        Held::Key(Key {
            slot,
            created,
            active,
            last_used,
        })
    }

    #[test]
    fn slots_do_not_matter() {
        let old = [
            key(Slot::One, 10, Flag::True, 50),
            key(Slot::Two, 20, Flag::True, 60),
        ];
        let new = [key(Slot::One, 20, Flag::False, 60), Held::Empty];
        let pairs = pair(old, new);
        let slots: Vec<_> = pairs
            .all
            .iter()
            .map(|(old, new)| (old.map(|key| key.slot), new.map(|key| key.slot)))
            .collect();
        assert_eq!(
            slots,
            [(Some(Slot::Two), Some(Slot::One)), (Some(Slot::One), None)]
        );
        assert!(!pairs.same_second && !pairs.unclear);
    }

    #[test]
    fn of_one_second_the_least_changed() {
        let old = [
            key(Slot::One, 10, Flag::True, 50),
            key(Slot::Two, 10, Flag::True, cell::ABSENT),
        ];
        let new = [
            key(Slot::One, 10, Flag::True, cell::ABSENT),
            key(Slot::Two, 10, Flag::False, 70),
        ];
        let pairs = pair(old, new);
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
        let one_left = pair(old, [key(Slot::One, 10, Flag::True, 55), Held::Empty]);
        assert_eq!(one_left.all[0].0.map(|key| key.last_used), Some(50));
        assert_eq!(one_left.all.len(), 2);
    }
}
