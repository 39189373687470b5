//! `diff` and `trend` agree on what was opened, unveiled and resolved between two reports, whatever columns one of them
//! lacks.

use std::collections::{BTreeMap, BTreeSet};

use credlens::engine::Program;
use credlens::finding::{Code, Diagnostic};
use credlens::history::trend::TrendOptions;
use credlens::history::{self, Diff, Move, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::simulated_account::{DAY, START};
use super::{Report, assert_same_however_read, collect_snapshots, diff_of, json, program, trend_of};

const COLUMNS: [&str; 15] = [
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
    "additional_credentials_info",
];
const USERS: [&str; 3] = ["<root_account>", "a", "b"];

/// The cells of a user; none if the report does not have it.
type Cells = Option<Vec<&'static str>>;

fn cell(column: &str) -> impl Strategy<Value = &'static str> + use<> {
    select(match column {
        "additional_credentials_info" => vec!["", "2 more access keys"],
        _ if column.ends_with("_active") || column.ends_with("_enabled") => {
            vec!["true", "true", "true", "false", "?"]
        }
        // Before the first report, and between both.
        _ if column.ends_with("_last_rotated") => {
            vec!["2020-01-01", "2021-01-01", "2024-12-31", "2025-01-02", "N/A", "?"]
        }
        _ => vec!["2023-01-01", "2024-12-31", "2025-01-02", "N/A", "?"],
    })
}

/// The users of two reports: mostly the same cells, one of them changed.
fn users() -> impl Strategy<Value = [Cells; 2]> {
    let changes = vec((0..COLUMNS.len(), any::<bool>()), 0..3);
    let presence = select(vec![
        [true, true],
        [true, true],
        [true, true],
        [true, false],
        [false, true],
    ]);
    let cells = || Vec::from(COLUMNS.map(cell));
    let both = (cells(), cells(), changes, presence).prop_map(|(old, other, changes, presence)| {
        let mut new = old.clone();
        for (column, is_move) in changes {
            new[column] = other[column];
            if is_move {
                for (one, two) in [(4, 7), (5, 8), (6, 9), (10, 12), (11, 13)] {
                    new.swap(one, two);
                }
            }
        }
        (old, new, presence)
    });
    both.prop_map(|(old, new, [was, is])| [was.then_some(old), is.then_some(new)])
}

fn report(users: &[Cells], lacks: &[&str], as_of: i64) -> Report {
    let has = |column: &&str| !lacks.contains(column);
    let columns: Vec<_> = COLUMNS.into_iter().filter(has).collect();
    let row = |(name, cells): (&&str, &Cells)| {
        let resource = match *name {
            "<root_account>" => "root".to_owned(),
            name => format!("user/{name}"),
        };
        let cells = COLUMNS.iter().zip(cells.as_ref()?);
        let cells: Vec<_> = cells
            .filter(|(column, _)| has(column))
            .map(|(_, cell)| *cell)
            .collect();
        let cells = cells.join(",");
        Some(format!(
            "{name},arn:aws:iam::111122223333:{resource},2020-01-01,{cells}\n"
        ))
    };
    Report {
        header: format!("user,arn,user_creation_time,{}", columns.join(",")),
        records: USERS.iter().zip(users).filter_map(row).collect(),
        as_of,
    }
}

/// What is lost or gained: some columns, or all of a kind.
fn lacking() -> impl Strategy<Value = Vec<&'static str>> {
    let of_kind = |ends: &'static str| {
        COLUMNS
            .into_iter()
            .filter(|column| column.ends_with(ends))
            .collect()
    };
    prop_oneof![
        1 => Just(Vec::new()),
        2 => subsequence(COLUMNS.to_vec(), 0..8),
        2 => select(vec!["_last_rotated", "_active", "_last_used_date", "_info"]).prop_map(of_kind),
    ]
}

/// The ids of findings that moved like this.
fn ids(diff: &Diff<'_>, which: Move) -> BTreeSet<String> {
    let id = |moved: history::Moved| {
        let snapshot = match moved.side {
            Side::Old => diff.old,
            Side::New => diff.new,
        };
        snapshot.id(diff.rules, moved.row, moved.found).to_string()
    };
    diff.findings(which).iter().map(id).collect()
}

/// By rule, how many findings were opened, unveiled and resolved, and how many are open afterwards.
pub(super) fn of_trend(program: &Program, reports: Vec<Report>) -> BTreeMap<String, [u64; 4]> {
    let document = trend_of(program, reports, TrendOptions::default());
    let counts = document.rules.into_iter().map(|rule| {
        let open = rule.open + rule.of_stale_accounts;
        (rule.rule, [rule.opened, rule.unveiled, rule.resolved, open])
    });
    counts.collect()
}

/// The same of a diff.
pub(super) fn of_diff(diff: &Diff<'_>) -> BTreeMap<String, [u64; 4]> {
    let [opened, unveiled, resolved, open] = [Move::Opened, Move::Unveiled, Move::Resolved, Move::Open]
        .map(|which| diff.findings(which).by_rule());
    let counts = diff.rules.iter().enumerate().map(|(at, rule)| {
        let open = open[at] + opened[at] + unveiled[at];
        let counts = [opened[at], unveiled[at], resolved[at], open];
        (rule.bound.rule.id.clone(), counts)
    });
    counts.filter(|(_, counts)| *counts != [0; 4]).collect()
}

/// No finding has moved in two ways.
fn assert_no_finding_twice(diff: &Diff<'_>, context: &str) {
    let all: Vec<_> = Move::ALL.iter().map(|&which| ids(diff, which)).collect();
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            assert_eq!(one.intersection(other).count(), 0, "{context}");
        }
    }
}

fn assert_agree(old: &Report, new: &Report) {
    let program = program();
    let expected = of_trend(&program, vec![old.clone(), new.clone()]);
    let snapshots = collect_snapshots(&program, vec![old.clone(), new.clone()]);
    let diff = diff_of(&program, [&snapshots[0], &snapshots[1]]).unwrap();
    let context = format!("{old:?}\n{new:?}");
    assert_eq!(of_diff(&diff), expected, "{context}");
    // The ids of such keys have their slots, which may be exchanged.
    let is_same_second = |note: &Diagnostic| note.code == Code::SameSecondKeys;
    if !diff.diagnostics.iter().any(is_same_second) {
        assert_no_finding_twice(&diff, &context);
    }
    let whole = Ok(json(&diff));
    assert_same_however_read(&program, (&snapshots[0], new), &whole, &[(1, 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn diff_and_trend_count_the_same_moves(
        users in [users(), users(), users()],
        lacks in [lacking(), lacking()],
        days in select(vec![2, 100]),
    ) {
        let [old, new] = [0, 1].map(|side| users.each_ref().map(|user| user[side].clone()));
        // A report without users is of no account.
        prop_assume!([&old, &new].iter().all(|users| users.iter().any(Option::is_some)));
        let [old_lacks, new_lacks] = lacks;
        assert_agree(&report(&old, &old_lacks, START), &report(&new, &new_lacks, START + days * DAY));
    }
}
