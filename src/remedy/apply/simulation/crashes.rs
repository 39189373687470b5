//! Runs that die or fail at every one of their calls and writes.

use super::place::*;
use super::world::*;

const PLANNED: [&str; 3] = ["AKIA1", "AKIA2", "AKIA4"];

/// How many calls and writes a whole run makes.
fn length() -> usize {
    let fate = Fate::default();
    let place = Place::new(world());
    assert_eq!(place.apply(&fate).unwrap().unwrap().done, 3);
    assert_eq!(place.inactive(), PLANNED);
    fate.count.get()
}

#[test]
fn a_run_that_dies_anywhere_can_go_on_and_be_undone() {
    let length = length();
    assert!(length > 20, "{length}");
    for at in 0..length {
        for what in [At::Before, At::Torn, At::After] {
            let dies = || Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            let place = Place::new(world());
            assert!(place.apply(&dies()).is_none(), "{at} {what:?}");
            place.is_whole();
            place.resume();
            place.is_whole();
            assert_eq!(place.inactive(), PLANNED, "{at} {what:?}");
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
            // What was undone is not done again.
            place.resume();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");

            let place = Place::new(world());
            place.apply(&dies());
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
        }
    }
}

#[test]
fn an_undo_that_dies_anywhere_can_be_repeated() {
    for at in 0..9 {
        for what in [At::Before, At::Torn, At::After] {
            let place = Place::new(world());
            place.apply(&Fate::default()).unwrap().unwrap();
            let dies = Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            assert!(place.undo(&dies).is_none(), "{at} {what:?}");
            place.is_whole();
            assert_eq!(place.undo(&Fate::default()).unwrap().failed, 0);
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
            assert!(place.recorded().is_empty());
        }
    }
}

#[test]
fn what_fails_anywhere_lets_nothing_through() {
    for at in 0..length() {
        for what in [At::Fails, At::Lost] {
            let fate = Fate {
                at: Some((at, what)),
                ..Fate::default()
            };
            let place = Place::new(world());
            let run = place.apply(&fate).unwrap();
            place.is_whole();
            match run {
                Ok(end) => assert_eq!((end.failed, end.done), (1, 2), "{at} {what:?}"),
                // Nothing is asked of AWS that could not be recorded.
                Err(unrecorded) => {
                    assert_eq!(place.inactive().len() as u64, {
                        unrecorded.end.done + u64::from(unrecorded.changed.is_some())
                    });
                }
            }
            place.resume();
            assert_eq!(place.inactive(), PLANNED, "{at} {what:?}");
            place.undo(&Fate::default()).unwrap();
            assert_eq!(*place.world.borrow(), world(), "{at} {what:?}");
        }
    }
}

#[test]
fn an_undo_goes_on_without_its_records_and_after_failures() {
    for at in 0..9 {
        let place = Place::new(world());
        place.apply(&Fate::default()).unwrap().unwrap();
        let fate = Fate {
            at: Some((at, At::Fails)),
            ..Fate::default()
        };
        let end = place.undo(&fate).unwrap();
        if end.unrecorded.is_some() {
            assert_eq!(*place.world.borrow(), world(), "{at}");
        }
        assert_eq!(end.active + end.failed, 3);
        assert_eq!(end.failed, place.inactive().len() as u64, "{at}");
        place.undo(&Fate::default()).unwrap();
        assert_eq!(*place.world.borrow(), world(), "{at}");
    }
}
