//! `diff` and `trend` agree on what was opened, unveiled and resolved between two reports, whatever columns one of them
//! lacks.

use std::collections::BTreeSet;

use credlens::engine::Workers;
use credlens::history::trend::{Trend, TrendOptions};
use credlens::history::{self, Before, Diff, DiffOptions, Move, Side};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::simulated_account::{DAY, START};
use super::{Report, assert_same_while_read, collect_snapshots, evaluate, json, program};

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

/// Keys of the same second are matched in other ways.
fn has_distinct_keys(cells: &[&str]) -> bool {
    let at = |column: &str| cells[COLUMNS.iter().position(|other| *other == column).unwrap()];
    ["access_key", "cert"].iter().all(|kind| {
        let [one, two] = [1, 2].map(|slot| at(&format!("{kind}_{slot}_last_rotated")));
        one != two || !one.starts_with('2')
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
    let both = both.prop_filter("keys of the same second", |(old, new, _)| {
        has_distinct_keys(old) && has_distinct_keys(new)
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

/// The counts of opened, unveiled and resolved findings, by rule.
fn of_trend(program: &credlens::engine::Program, reports: Vec<Report>) -> Vec<(String, [u64; 3])> {
    let trend = Trend::new(program, TrendOptions::default());
    evaluate(program, reports, &trend);
    let rules = trend.finish().rules.into_iter();
    let counts = rules.map(|rule| (rule.rule, [rule.opened, rule.unveiled, rule.resolved]));
    counts.filter(|(_, counts)| *counts != [0; 3]).collect()
}

fn of_diff(diff: &Diff<'_>) -> Vec<(String, [u64; 3])> {
    let by_rule = [Move::Opened, Move::Unveiled, Move::Resolved].map(|which| diff.findings(which).by_rule());
    let rules = diff.rules.iter().enumerate();
    let counts = rules.map(|(at, rule)| (rule.bound.rule.id.clone(), by_rule.map(|counts| counts[at])));
    let mut counts: Vec<_> = counts.filter(|(_, counts)| *counts != [0; 3]).collect();
    counts.sort();
    counts
}

fn assert_agree(old: &Report, new: &Report) {
    let program = program();
    let mut expected = of_trend(&program, vec![old.clone(), new.clone()]);
    expected.sort();
    let snapshots = collect_snapshots(&program, vec![old.clone(), new.clone()]);
    let before = Before::new(&snapshots[0], DiffOptions::default(), &Workers::one());
    let diff = history::diff(&program, before, &snapshots[1], &Workers::one()).unwrap();
    let context = format!("{old:?}\n{new:?}");
    assert_eq!(of_diff(&diff), expected, "{context}");
    let all: Vec<_> = Move::ALL.iter().map(|&which| ids(&diff, which)).collect();
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            assert_eq!(one.intersection(other).count(), 0, "{context}");
        }
    }
    let whole = Ok(json(&diff));
    assert_same_while_read(&program, (&snapshots[0], new), &whole, &[(1, 1)]);
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
