//! Reports of any cells, under any header: nothing panics, and nothing changes from a report to itself.

use credlens::engine::Workers;
use credlens::history::trend::{Trend, TrendOptions};
use credlens::history::{self, Before, Move, Options};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::simulation::{HEADER, START};
use super::{Report, assert_same_while_read, json, judge, program, snapshots};

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

/// Rows of few users, mostly sound, so that users stand there twice.
fn doubles() -> impl Strategy<Value = (Vec<&'static str>, Vec<Vec<&'static str>>)> {
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

fn written((header, rows): &(Vec<&str>, Vec<Vec<&str>>), as_of: i64) -> Report {
    let lines = rows.iter().map(|cells| cells.join(",") + "\n");
    Report {
        header: header.join(","),
        records: lines.collect(),
        as_of,
    }
}

/// What may become of a row: it moves, perhaps stays where it was as well, and one of its cells may change.
fn edit() -> impl Strategy<Value = (Index, Index, bool, Option<(Index, &'static str)>)> {
    (
        any::<Index>(),
        any::<Index>(),
        any::<bool>(),
        option::of((any::<Index>(), cell())),
    )
}

/// Found by chance once: neither report tells which certificate there is, so that its slot stands for it.
#[test]
fn a_certificate_that_no_cell_tells_is_still_the_same() {
    let header = vec![
        "user",
        "access_key_2_active",
        "access_key_2_last_rotated",
        "cert_2_active",
    ];
    let old = (header, vec![vec!["", "", "", "true"]]);
    let (program, mut evaluated) = (program(), Vec::new());
    let reports = vec![written(&old, START), written(&old, START)];
    snapshots(&program, reports, |snapshot| evaluated.push(snapshot));
    let before = Before::new(&evaluated[0], Options::default(), &Workers::one());
    let diff = history::diff(&program, before, &evaluated[1], &Workers::one()).unwrap();
    assert_eq!(
        Move::ALL.map(|which| diff.findings(which).count() > 0),
        [false, false, true]
    );
}

proptest! {
    #[test]
    fn anything_can_be_compared(old in table(), new in table()) {
        let program = program();
        let reports = vec![written(&old, START), written(&old, START), written(&new, START + 86_400)];
        let mut evaluated = Vec::new();
        snapshots(&program, reports.clone(), |snapshot| evaluated.push(snapshot));
        let trend = Trend::new(&program, TrendOptions::default());
        judge(&program, reports.clone(), &trend);
        let document = trend.finish();
        let resolved: u64 = document.rules.iter().map(|rule| rule.resolved).sum();
        let of_points: u64 = document.snapshots.iter().map(|point| point.resolved).sum();
        prop_assert_eq!(resolved, of_points);
        for rule in &document.rules {
            prop_assert_eq!(rule.open + rule.resolved, rule.at_start + rule.opened);
        }
        let diff = |old, new| {
            let before = Before::new(&evaluated[old], Options::default(), &Workers::one());
            history::diff(&program, before, &evaluated[new], &Workers::one())
        };
        if let Ok(diff) = diff(0, 1) {
            prop_assert_eq!(&diff.events, &[]);
            prop_assert!([Move::Opened, Move::Resolved].iter().all(|&which| diff.findings(which).count() == 0), "{:?}", diff);
        }
        for (old, new) in [(0, 1), (0, 2), (2, 0)] {
            let whole = diff(old, new).map(|diff| json(&diff));
            assert_same_while_read(&program, (&evaluated[old], &reports[new]), &whole, &[(2, 3)]);
        }
    }

    /// Whatever few rows change, stand there twice, or move: those that are left out while it is read change nothing.
    #[test]
    fn little_changes(old in prop_oneof![1 => table(), 3 => doubles()], edits in vec(edit(), 0..5), days in select(vec![1, 100])) {
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
        let new = written(&new, START + days * 86_400);
        let mut evaluated = Vec::new();
        snapshots(&program, vec![written(&old, START), new.clone()], |snapshot| evaluated.push(snapshot));
        let before = Before::new(&evaluated[0], Options::default(), &Workers::one());
        let whole = history::diff(&program, before, &evaluated[1], &Workers::one());
        let whole = whole.map(|diff| json(&diff));
        assert_same_while_read(&program, (&evaluated[0], &new), &whole, &[(1, usize::MAX), (3, 1)]);
    }
}
