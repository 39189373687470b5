//! The figure of dormant users in `trend` is the number of failing findings of the rule `user-dormant`.

use credlens::history::trend::{Point, TrendOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::simulated_account::{HEADER, START};
use super::{Report, program, trend_of};

/// 90 days before [`START`].
const LIMIT: &str = "2024-10-03T00:00:00Z";
const BEFORE: &str = "2024-10-02T23:59:59Z";
const AFTER: &str = "2024-10-03T00:00:01Z";

/// The point of a report with rows of these cells. Cells that are not given are `N/A`, or `false`.
fn point(rows: &[Vec<(&str, &str)>]) -> Point {
    let columns: Vec<&str> = HEADER.split(',').map(str::trim).collect();
    let row = |(number, cells): (usize, &Vec<(&str, &str)>)| {
        let cell = |column: &&str| {
            let given = cells.iter().find(|(other, _)| other == column);
            match (given, *column) {
                (Some((_, cell)), _) => (*cell).to_owned(),
                (None, "user") => format!("u{number}"),
                (None, "arn") => format!("arn:aws:iam::111122223333:user/u{number}"),
                (None, "user_creation_time") => "2020-01-01".to_owned(),
                (None, column) if column.ends_with("_active") => "false".to_owned(),
                (None, _) => "N/A".to_owned(),
            }
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
    };
    let report = Report {
        header: columns.join(","),
        records: rows.iter().enumerate().map(row).collect(),
        as_of: START,
    };
    let program = program();
    trend_of(&program, vec![report], TrendOptions::default())
        .snapshots
        .remove(0)
}

fn failing(point: &Point) -> u64 {
    point.by_rule.get("user-dormant").copied().unwrap_or_default()
}

#[test]
fn every_sign_of_life_counts_from_one_second_after_the_limit() {
    for column in [
        "password_last_used",
        "password_last_changed",
        "access_key_1_last_rotated",
        "access_key_1_last_used_date",
        "access_key_2_last_rotated",
        "access_key_2_last_used_date",
        "cert_1_last_rotated",
        "cert_2_last_rotated",
    ] {
        for (time, dormant) in [
            (LIMIT, 1),
            (AFTER, 0),
            ("?", 0),
            ("", 1),
            ("0001-01-01T00:00:00Z", 1),
        ] {
            let point = point(&[vec![(column, time)]]);
            assert_eq!(point.dormant_users, Some(dormant), "{column} {time}");
            assert_eq!(failing(&point), dormant, "{column} {time}");
        }
    }
    for (created, dormant) in [(BEFORE, 1), (LIMIT, 0), ("N/A", 1), ("?", 0)] {
        let point = point(&[vec![("user_creation_time", created)]]);
        assert_eq!(
            (point.dormant_users, failing(&point)),
            (Some(dormant), dormant),
            "{created}"
        );
    }
}

fn cells() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let columns = HEADER.split(',').map(str::trim).skip(2);
    let cell = |column: &'static str| {
        let cells = if column.ends_with("_active") || column.ends_with("_enabled") {
            vec!["true", "false", "not_supported", "?"]
        } else {
            // Most users are old, and most cells no sign of life.
            vec![
                BEFORE,
                BEFORE,
                BEFORE,
                LIMIT,
                LIMIT,
                "N/A",
                "N/A",
                "",
                "1970-01-01T00:00:00Z",
                AFTER,
                "?",
            ]
        };
        select(cells).prop_map(move |cell| (column, cell))
    };
    columns.map(cell).collect::<Vec<_>>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_figure_is_that_of_the_rule(mut rows in vec(cells(), 1..40), root in any::<bool>()) {
        if root {
            rows[0].extend([("user", "<root_account>"), ("arn", "arn:aws:iam::111122223333:root")]);
        }
        let point = point(&rows);
        prop_assert_eq!(point.dormant_users, Some(failing(&point)));
    }
}
