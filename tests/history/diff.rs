//! `diff` of simulated accounts gives exactly the events and findings that are expected.

use std::collections::BTreeSet;

use credlens::engine::{Program, Workers};
use credlens::finding::Status;
use credlens::history::{self, Diff, DiffOptions, Move, Moved, Side, Snapshot};
use proptest::prelude::*;

use super::expected_events::{ExpectedEvent, expected_events};
use super::simulated_account::{Account, DAY, HEADER, START};
use super::{Report, assert_same_however_read, collect_snapshots, diff_of, json, program};

fn report(account: &Account) -> Report {
    Report {
        header: HEADER.to_owned(),
        records: account.report(),
        as_of: account.now,
    }
}

fn events(diff: &Diff<'_>) -> Vec<ExpectedEvent> {
    let name = |snapshot: &Snapshot, row: u32| {
        String::from_utf8(snapshot.users().name(row as usize).to_vec()).unwrap()
    };
    let events = diff.events.iter().map(|event| {
        let user = match (event.old_row, event.new_row) {
            (_, Some(row)) => name(diff.new, row),
            (Some(row), None) => name(diff.old, row),
            (None, None) => panic!("an event without a user"),
        };
        let key = event.key_created.map(|time| time.to_string());
        (
            event.kind.name().to_owned(),
            user,
            key,
            event.old.text(),
            event.new.text(),
        )
    });
    let mut events: Vec<ExpectedEvent> = events.collect();
    events.sort();
    events
}

fn failing(program: &Program, snapshot: &Snapshot) -> BTreeSet<u128> {
    let rows = 0..u32::try_from(snapshot.users().len()).unwrap();
    let found = rows.flat_map(|row| {
        snapshot
            .found_of(row)
            .iter()
            .copied()
            .map(move |found| (row, found))
    });
    found
        .filter(|(_, found)| found.status == Status::Fail)
        .map(|(row, found)| snapshot.id(program.compiled_rules(), row, found).0)
        .collect()
}

fn ids(diff: &Diff<'_>, moved: impl IntoIterator<Item = Moved>) -> BTreeSet<u128> {
    let snapshot = |side| match side {
        Side::Old => diff.old,
        Side::New => diff.new,
    };
    let ids = moved
        .into_iter()
        .map(|moved| snapshot(moved.side).id(diff.rules, moved.row, moved.found).0);
    ids.collect()
}

/// Simulates a year with a snapshot about every `every` days, and compares each with the one before.
fn check_a_year(program: &Program, seed: u64, users: u64, every: u64) {
    let mut account = Account::new(seed, users);
    let mut states = vec![account.clone()];
    while account.now < START + 365 * DAY {
        let pause = 1 + account.random.below(2 * every * 86_400);
        account.live_until(account.now + i64::try_from(pause).unwrap());
        states.push(account.clone());
    }
    let snapshots = collect_snapshots(program, states.iter().map(report).collect());
    for (number, (states, snapshots)) in states.windows(2).zip(snapshots.windows(2)).enumerate() {
        let diff = diff_of(program, [&snapshots[0], &snapshots[1]]).unwrap();
        assert_eq!(
            events(&diff),
            expected_events(&states[0], &states[1]),
            "seed {seed}"
        );
        assert!(diff.diagnostics.is_empty(), "{:?}", diff.diagnostics);
        let (before, after) = (failing(program, &snapshots[0]), failing(program, &snapshots[1]));
        let opened = ids(&diff, diff.findings(Move::Opened).iter());
        assert_eq!(opened, &after - &before, "seed {seed}");
        let resolved = ids(&diff, diff.findings(Move::Resolved).iter());
        assert_eq!(resolved, &before - &after, "seed {seed}");
        let open = ids(&diff, diff.findings(Move::Open).iter());
        assert_eq!(open, &before & &after, "seed {seed}");
        let mut open = diff.findings(Move::Open).iter();
        assert!(open.all(|moved| moved.side == Side::New));
        if number % 8 == 0 {
            let (newer, whole) = (report(&states[1]), Ok(json(&diff)));
            assert_same_however_read(program, (&snapshots[0], &newer), &whole, &[(2, 7)]);
        }
        let mut resolved = diff.findings(Move::Resolved).iter();
        assert!(resolved.all(|moved| !moved.by.is_empty()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn simulated_accounts_give_exactly_the_expected_changes(seed in 1..u64::from(u32::MAX), users in 1..25_u64, every in 1..60_u64) {
        check_a_year(&program(), seed, users, every);
    }
}

/// More users than a thread takes at a time, in another order, and a few of them twice.
#[test]
fn many_users_in_another_order() {
    const USERS: usize = 40_000;
    let line = |user: usize| {
        let created = if user.is_multiple_of(1_000) {
            "2021"
        } else {
            "2020"
        };
        format!("u{user},arn:aws:iam::111122223333:user/u{user},{created}-01-01T00:00:00Z,false\n")
    };
    let report = |users: &mut dyn Iterator<Item = usize>| Report {
        header: "user,arn,user_creation_time,mfa_active\n".to_owned(),
        records: users.map(line).collect(),
        as_of: START,
    };
    let old = report(&mut (0..USERS));
    let mut moved = (USERS / 2..USERS + 7).chain(3..USERS / 2).chain([5, 39_999]);
    let mut new = report(&mut moved);
    new.records = new.records.replace(
        "u1000,arn:aws:iam::111122223333:user/u1000,2021",
        "u1000,arn:aws:iam::111122223333:user/u1000,2022",
    );
    let program = program();
    let snapshots = collect_snapshots(&program, vec![old, new.clone()]);
    for threads in [1, 2, 7] {
        let workers = Workers::new(threads).unwrap();
        let diff = history::diff(
            &program,
            [&snapshots[0], &snapshots[1]],
            (DiffOptions::default(), &credlens::rule::Filters::default()),
            &workers,
        )
        .unwrap();
        let mut expected: Vec<(String, String)> = (USERS..USERS + 7)
            .map(|user| ("user-created".to_owned(), format!("u{user}")))
            .chain((0..3).map(|user| ("user-deleted".to_owned(), format!("u{user}"))))
            .chain([("user-recreated".to_owned(), "u1000".to_owned())])
            .collect();
        expected.sort();
        let kinds: Vec<_> = events(&diff)
            .into_iter()
            .map(|event| (event.0, event.1))
            .collect();
        assert_eq!(kinds, expected, "{threads} threads");
        let duplicates = diff
            .diagnostics
            .iter()
            .filter(|note| note.code.name().contains("duplicate"));
        assert_eq!(duplicates.count(), 1, "{:?}", diff.diagnostics);
        if threads == 1 {
            let whole = Ok(json(&diff));
            assert_same_however_read(
                &program,
                (&snapshots[0], &new),
                &whole,
                &[(1, usize::MAX), (7, 999)],
            );
        }
    }
}
