//! Property tests of `diff` and `trend` with random cells under random headers: nothing panics, and nothing changes between
//! equal reports.

use credlens::history::trend::TrendOptions;
use credlens::history::{Move, Snapshot};
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::diff_and_trend::{of_diff, of_trend};
use super::simulated_account::{HEADER, START};
use super::{Report, assert_same_however_read, collect_snapshots, diff_of, json, program, trend_of};

fn cell() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "N/A",
        "no_information",
        "not_supported",
        "true",
        "FALSE",
        "maybe",
        "a",
        "b",
        "<root_account>",
        "arn:aws:iam::111111111111:user/a",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::222222222222:user/b",
        "2020-01-01",
        "2024-06-01T00:00:00Z",
        "2024-12-31T23:59:59+00:00",
        "9999-12-31",
        "0001-01-01",
    ])
}

/// A header, and the cells of some rows.
fn table() -> impl Strategy<Value = (Vec<&'static str>, Vec<Vec<&'static str>>)> {
    let names: Vec<&str> = HEADER.split(',').map(str::trim).collect();
    let columns = subsequence(names[1..].to_vec(), 8..=21);
    columns.prop_flat_map(|columns| {
        let header: Vec<_> = std::iter::once("user").chain(columns).collect();
        let rows = vec(vec(cell(), header.len()), 0..8);
        (Just(header), rows)
    })
}

/// Mostly valid rows of few users, so that users are repeated.
fn repeated_users() -> impl Strategy<Value = (Vec<&'static str>, Vec<Vec<&'static str>>)> {
    let header: Vec<&str> = HEADER.split(',').map(str::trim).collect();
    let user = select(vec![
        ("a", "arn:aws:iam::111111111111:user/a"),
        ("b", "arn:aws:iam::111111111111:user/b"),
        ("b", "arn:aws:iam::222222222222:user/b"),
    ]);
    let created = select(vec!["2020-01-01", "2020-01-01", "2021-01-01", "garbage"]);
    let used = select(vec![
        "N/A",
        "2024-12-20",
        "2024-12-20",
        "1890-01-01",
        "0001-01-01",
    ]);
    let names = header.clone();
    let row = (user, created, select(vec!["true", "false"]), used);
    let row = row.prop_map(move |((name, arn), created, mfa, used)| {
        let cell = |column: &&str| match *column {
            "user" => name,
            "arn" => arn,
            "user_creation_time" => created,
            "mfa_active" => mfa,
            "password_enabled" => "true",
            "password_last_used" => used,
            "access_key_1_active" | "access_key_2_active" | "cert_1_active" | "cert_2_active" => "false",
            _ => "N/A",
        };
        names.iter().map(cell).collect()
    });
    (Just(header), vec(row, 0..8))
}

fn report((header, rows): &(Vec<&str>, Vec<Vec<&str>>), as_of: i64) -> Report {
    let lines = rows.iter().map(|cells| cells.join(",") + "\n");
    Report {
        header: header.join(","),
        records: lines.collect(),
        as_of,
    }
}

/// An edit of a row: it is moved or copied, and one of its cells may change.
fn edit() -> impl Strategy<Value = (Index, Index, bool, Option<(Index, &'static str)>)> {
    (
        any::<Index>(),
        any::<Index>(),
        any::<bool>(),
        option::of((any::<Index>(), cell())),
    )
}

/// A regression: if neither report has the creation time of a certificate, its slot identifies it.
#[test]
fn a_certificate_without_creation_time_is_matched_by_its_slot() {
    let header = vec![
        "user",
        "access_key_2_active",
        "access_key_2_last_rotated",
        "cert_2_active",
    ];
    let old = (header, vec![vec!["", "", "", "true"]]);
    let program = program();
    let reports = vec![report(&old, START), report(&old, START)];
    let snapshots = collect_snapshots(&program, reports);
    let diff = diff_of(&program, [&snapshots[0], &snapshots[1]]).unwrap();
    assert_eq!(
        Move::ALL.map(|which| diff.findings(which).count() > 0),
        [false, false, false, true]
    );
}

/// Whether the same accounts are in both; a trend follows each by itself, and users without an account, too.
fn have_same_accounts(snapshots: [&Snapshot; 2]) -> bool {
    let [old, new] = snapshots.map(|snapshot| {
        let users = snapshot.users();
        let accounts = (0..users.len()).map(|row| users.account_or_name(row));
        accounts.collect::<BTreeSet<_>>()
    });
    old == new && !old.is_empty()
}

proptest! {
    #[test]
    fn random_reports_can_be_compared(old in table(), new in table()) {
        let program = program();
        let reports = vec![report(&old, START), report(&old, START), report(&new, START + 86_400)];
        let snapshots = collect_snapshots(&program, reports.clone());
        let document = trend_of(&program, reports.clone(), TrendOptions::default());
        let resolved: u64 = document.rules.iter().map(|rule| rule.resolved).sum();
        let of_points: u64 = document.snapshots.iter().map(|point| point.resolved).sum();
        prop_assert_eq!(resolved, of_points);
        for rule in &document.rules {
            prop_assert_eq!(rule.open + rule.of_stale_accounts + rule.resolved, rule.at_start + rule.opened + rule.unveiled);
        }
        let diff = |old, new| {
            diff_of(&program, [&snapshots[old], &snapshots[new]])
        };
        if let Ok(diff) = diff(0, 1) {
            prop_assert_eq!(&diff.events, &[]);
            prop_assert!([Move::Opened, Move::Resolved].iter().all(|&which| diff.findings(which).count() == 0), "{:?}", diff);
        }
        for (old, new) in [(0, 1), (0, 2), (2, 0)] {
            let whole = diff(old, new).map(|diff| json(&diff));
            assert_same_however_read(&program, (&snapshots[old], &reports[new]), &whole, &[(2, 3)]);
        }
    }

    /// A diff does not depend on blocks and threads, and is the trend of its two reports, whatever rows are edited, repeated
    /// or moved.
    #[test]
    fn edited_reports_compare_the_same_however_read_and_as_a_trend(old in prop_oneof![1 => table(), 3 => repeated_users()], edits in vec(edit(), 0..5), days in select(vec![1, 100])) {
        let program = program();
        let mut new = old.clone();
        for (from, to, stays, cell) in edits {
            if new.1.is_empty() {
                break;
            }
            let from = from.index(new.1.len());
            let mut row = if stays { new.1[from].clone() } else { new.1.remove(from) };
            if let Some((column, cell)) = cell {
                let column = column.index(row.len());
                row[column] = cell;
            }
            new.1.insert(to.index(new.1.len() + 1), row);
        }
        let new = report(&new, START + days * 86_400);
        let reports = vec![report(&old, START), new.clone()];
        let snapshots = collect_snapshots(&program, reports.clone());
        let whole = diff_of(&program, [&snapshots[0], &snapshots[1]]);
        if let (Ok(diff), true) = (&whole, have_same_accounts([&snapshots[0], &snapshots[1]])) {
            prop_assert_eq!(of_trend(&program, reports), of_diff(diff));
        }
        let whole = whole.map(|diff| json(&diff));
        assert_same_however_read(&program, (&snapshots[0], &new), &whole, &[(1, usize::MAX), (3, 1)]);
    }
}
