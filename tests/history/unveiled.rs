//! Findings that only became visible because the newer report has more columns: `diff` and `trend` count them apart from
//! those opened. What a report lacks resolves nothing.

use credlens::engine::Program;
use credlens::finding::Status;
use credlens::history::trend::{TrendDocument, TrendOptions};
use credlens::history::{self, Diff, Move};
use credlens::report::time::Timestamp;

use super::{COLUMNS, Report, assert_same_however_read, collect_snapshots, diff_of, json, program, trend_of};

const ADDITIONAL: &str = "additional_credentials_info";
const KEY_2: [&str; 3] = [
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
];
pub(super) const OLD: &str = "2026-10-01";
pub(super) const NEW: &str = "2026-11-01";

const NO_MFA: &str = "console-user-without-mfa";
pub(super) const OLD_KEY: &str = "access-key-not-rotated";
const TWO_KEYS: &str = "two-active-access-keys";
pub(super) const ROOT_KEY: &str = "root-access-key-active";
pub(super) const CERTIFICATE: &str = "signing-certificate-active";
const HIDDEN: &str = "hidden-credentials";

/// A row by column. Cells that are not given are those of a user without credentials.
pub(super) type Row<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// A report of this day without these columns, but with the column of additional credentials if that is not one of them.
pub(super) fn report(day: &str, lacks: &[&str], rows: &[Row<'_>]) -> Report {
    let columns: Vec<&str> = COLUMNS.into_iter().chain([ADDITIONAL]).collect();
    let columns: Vec<&str> = columns
        .into_iter()
        .filter(|column| !lacks.contains(column))
        .collect();
    let line = |(name, cells): &Row<'_>| {
        let cell = |column: &&str| {
            let given = cells.iter().find(|(other, _)| other == column);
            match (given, *column) {
                (Some((_, cell)), _) => (*cell).to_owned(),
                (None, "user") => (*name).to_owned(),
                (None, "arn") if *name == "<root_account>" => "arn:aws:iam::111122223333:root".to_owned(),
                (None, "arn") => format!("arn:aws:iam::111122223333:user/{name}"),
                (None, "user_creation_time") => "2020-01-01".to_owned(),
                (None, column) if column.ends_with("_active") || column.ends_with("_enabled") => {
                    "false".to_owned()
                }
                (None, _) => "N/A".to_owned(),
            }
        };
        columns.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"
    };
    Report {
        header: columns.join(","),
        records: rows.iter().map(line).collect(),
        as_of: Timestamp::parse(day.as_bytes()).unwrap().0,
    }
}

/// The users and rules of findings that moved like this.
pub(super) fn moved(diff: &Diff<'_>, which: Move) -> Vec<String> {
    let found = diff.findings(which).iter().map(|moved| {
        let snapshot = match moved.side {
            history::Side::Old => diff.old,
            history::Side::New => diff.new,
        };
        let user = String::from_utf8_lossy(snapshot.users().name(moved.row as usize)).into_owned();
        format!(
            "{user} {}",
            diff.rules[usize::from(moved.found.rule)].bound.rule.id
        )
    });
    let mut found: Vec<String> = found.collect();
    found.sort();
    found
}

pub(super) fn compare(old: Report, new: &Report, check: impl FnOnce(&Diff<'_>)) {
    let program: Program = program();
    let snapshots = collect_snapshots(&program, vec![old, new.clone()]);
    let [old, newer] = &snapshots[..] else {
        panic!("two reports")
    };
    let diff = diff_of(&program, [old, newer]).unwrap();
    check(&diff);
    let whole = Ok(json(&diff));
    assert_same_however_read(&program, (old, new), &whole, &[(1, 1), (2, 2)]);
}

/// Whether a finding of this user and rule moved like this.
pub(super) fn assert_moved(diff: &Diff<'_>, which: Move, user: &str, rule: &str) {
    let finding = format!("{user} {rule}");
    let found: Vec<Move> = Move::ALL
        .into_iter()
        .filter(|&which| moved(diff, which).contains(&finding))
        .collect();
    assert_eq!(found, [which], "{finding}");
}

const CONSOLE: [(&str, &str); 3] = [
    ("password_enabled", "true"),
    ("password_last_changed", "2026-09-01"),
    ("password_last_used", "2026-09-30"),
];
/// Used lately, created long ago.
const FIRST_KEY: [(&str, &str); 3] = [
    ("access_key_1_active", "true"),
    ("access_key_1_last_rotated", "2024-01-01"),
    ("access_key_1_last_used_date", "2026-09-30"),
];
const SECOND_KEY: [(&str, &str); 3] = [
    ("access_key_2_active", "true"),
    ("access_key_2_last_rotated", "2025-01-01"),
    ("access_key_2_last_used_date", "2026-09-30"),
];

#[test]
fn opened_and_unveiled_findings_in_one_diff() {
    let lacks = [&KEY_2[..], &["mfa_active"]].concat();
    let both_keys = [FIRST_KEY, SECOND_KEY].concat();
    let later_key = [
        &FIRST_KEY[..],
        &[
            ("access_key_2_active", "true"),
            ("access_key_2_last_rotated", "2026-10-15"),
        ],
    ]
    .concat();
    let all = [&CONSOLE[..], &both_keys].concat();
    let old = report(
        OLD,
        &lacks,
        &[
            ("<root_account>", &[]),
            ("console", &CONSOLE),
            ("enabled", &[]),
            ("both", &FIRST_KEY),
            ("later", &FIRST_KEY),
            ("moved", &FIRST_KEY),
        ],
    );
    let moved_key = [
        ("access_key_2_active", "true"),
        ("access_key_2_last_rotated", "2024-01-01"),
        ("access_key_2_last_used_date", "2026-09-30"),
    ];
    let root = [
        ("access_key_1_active", "true"),
        ("access_key_1_last_rotated", "2020-01-01"),
    ];
    let new = report(
        NEW,
        &[],
        &[
            ("<root_account>", &root),
            ("console", &CONSOLE),
            ("enabled", &CONSOLE),
            ("both", &both_keys),
            ("later", &later_key),
            ("moved", &moved_key),
            ("new", &all),
        ],
    );
    compare(old, &new, |diff| {
        assert_moved(diff, Move::Unveiled, "console", NO_MFA);
        // The password is new: the older report had said that there was none.
        assert_moved(diff, Move::Opened, "enabled", NO_MFA);
        assert_moved(diff, Move::Unveiled, "both", TWO_KEYS);
        let of_both = moved(diff, Move::Unveiled);
        assert!(of_both.contains(&format!("both {OLD_KEY}")), "{of_both:?}");
        // The older report could not have had the second key.
        assert_moved(diff, Move::Opened, "later", TWO_KEYS);
        assert_moved(diff, Move::Open, "moved", OLD_KEY);
        // Whatever the second key was, the first one was activated.
        assert_moved(diff, Move::Opened, "<root_account>", ROOT_KEY);
        for rule in [NO_MFA, TWO_KEYS, OLD_KEY] {
            assert_moved(diff, Move::Opened, "new", rule);
        }
        let unveiled = diff.findings(Move::Unveiled).iter();
        let before: Vec<_> = unveiled.map(|moved| (moved.before, moved.after)).collect();
        assert!(
            before
                .iter()
                .all(|statuses| *statuses == (Some(Status::Undetermined), Some(Status::Fail))),
            "{before:?}"
        );
        let opened = diff.findings(Move::Opened).iter();
        let enabled = opened.filter(|moved| diff.new.users().name(moved.row as usize) == b"enabled");
        assert_eq!(enabled.map(|moved| moved.before).collect::<Vec<_>>(), [None]);
    });
}

#[test]
fn certificates_that_a_report_before_2015_lacks() {
    let lacks = [
        "cert_1_active",
        "cert_1_last_rotated",
        "cert_2_active",
        "cert_2_last_rotated",
    ];
    let old_one = [("cert_1_active", "true"), ("cert_1_last_rotated", "2020-01-01")];
    let later = [("cert_1_active", "true"), ("cert_1_last_rotated", "2026-10-15")];
    let old = report(OLD, &lacks, &[("a", &[]), ("b", &[])]);
    let new = report(NEW, &[], &[("a", &old_one), ("b", &later)]);
    compare(old, &new, |diff| {
        assert_moved(diff, Move::Unveiled, "a", CERTIFICATE);
        assert_moved(diff, Move::Opened, "b", CERTIFICATE);
    });
}

/// A change in columns that both reports have is no less real because there are more columns now.
#[test]
fn a_change_in_other_columns_is_opened() {
    let old = report(
        OLD,
        &["cert_1_active", "cert_1_last_rotated"],
        &[("a", &[]), ("b", &FIRST_KEY)],
    );
    let new = report(NEW, &[], &[("a", &FIRST_KEY), ("b", &FIRST_KEY)]);
    compare(old, &new, |diff| {
        assert_eq!(moved(diff, Move::Unveiled), [""; 0]);
        assert_moved(diff, Move::Opened, "a", OLD_KEY);
        assert_moved(diff, Move::Open, "b", OLD_KEY);
    });
}

/// The column of additional credentials may be missing: then it is empty in verdicts, but shows nothing.
#[test]
fn an_optional_column_that_one_report_lacks() {
    let more = [(ADDITIONAL, "2 more access keys")];
    let without = |day| report(day, &[ADDITIONAL], &[("a", &[]), ("b", &[])]);
    let with = |day| report(day, &[], &[("a", &more), ("b", &[]), ("c", &more)]);
    compare(without(OLD), &with(NEW), |diff| {
        assert_moved(diff, Move::Unveiled, "a", HIDDEN);
        assert_moved(diff, Move::Opened, "c", HIDDEN);
    });
    compare(with(OLD), &without(NEW), |diff| {
        assert_moved(diff, Move::Open, "a", HIDDEN);
        let resolved = moved(diff, Move::Resolved);
        assert!(
            resolved.iter().all(|finding| finding.starts_with("c ")),
            "{resolved:?}"
        );
    });
}

#[test]
fn fewer_columns_resolve_nothing() {
    let rows: [Row<'_>; 2] = [("a", &CONSOLE), ("b", &SECOND_KEY)];
    let new = report(NEW, &[&KEY_2[..], &["mfa_active"]].concat(), &rows);
    compare(report(OLD, &[], &rows), &new, |diff| {
        assert_eq!(moved(diff, Move::Resolved), [""; 0]);
        assert_moved(diff, Move::Open, "a", NO_MFA);
        assert_moved(diff, Move::Open, "b", OLD_KEY);
    });
}

fn trend(reports: Vec<Report>) -> TrendDocument {
    let program = program();
    trend_of(&program, reports, TrendOptions::default())
}

/// At start, opened, unveiled, resolved and open at the end.
fn counts(document: &TrendDocument, id: &str) -> [u64; 5] {
    let rule = document.rules.iter().find(|rule| rule.rule == id).unwrap();
    [
        rule.at_start,
        rule.opened,
        rule.unveiled,
        rule.resolved,
        rule.open,
    ]
}

#[test]
fn trend_with_a_column_from_the_second_report_on() {
    let mfa = [&CONSOLE[..], &[("mfa_active", "true")]].concat();
    let with_key = [&CONSOLE[..], &SECOND_KEY].concat();
    let later = [
        ("access_key_2_active", "true"),
        ("access_key_2_last_rotated", "2026-01-15"),
    ];
    let lacks = [&KEY_2[..], &["mfa_active", ADDITIONAL]].concat();
    let document = trend(vec![
        report(
            "2026-01-01",
            &lacks,
            &[("a", &CONSOLE), ("b", &[]), ("d", &[]), ("e", &[])],
        ),
        report(
            "2026-06-01",
            &[],
            &[
                ("a", &with_key),
                ("b", &CONSOLE),
                ("c", &CONSOLE),
                ("d", &later),
                ("e", &[(ADDITIONAL, "more")]),
            ],
        ),
        report(
            "2026-07-01",
            &[],
            &[("a", &mfa), ("b", &CONSOLE), ("c", &mfa), ("d", &[]), ("e", &[])],
        ),
    ]);
    // a is unveiled and later resolved; b and c, who is new, are opened.
    assert_eq!(counts(&document, NO_MFA), [0, 2, 1, 2, 1]);
    // The key of d was created after the first report.
    assert_eq!(counts(&document, OLD_KEY), [0, 1, 1, 2, 0]);
    assert_eq!(counts(&document, HIDDEN), [0, 0, 1, 1, 0]);
    let unveiled: Vec<u64> = document.snapshots.iter().map(|point| point.unveiled).collect();
    let of_rules: u64 = document.rules.iter().map(|rule| rule.unveiled).sum();
    assert_eq!((unveiled[0], unveiled[2]), (0, 0));
    assert_eq!(unveiled[1], of_rules);
    // The age of an unveiled finding is unknown.
    let days = |id: &str| {
        let rule = document.rules.iter().find(|rule| rule.rule == id).unwrap();
        rule.median_days_to_resolve
    };
    assert_eq!((days(NO_MFA), days(HIDDEN)), (Some(30.0), None));
}

/// What a column showed stays open while reports lack it, and is neither opened nor unveiled again.
#[test]
fn trend_with_a_column_that_the_second_report_lacks() {
    let rows: [Row<'_>; 3] = [
        ("a", &CONSOLE),
        ("b", &SECOND_KEY),
        ("e", &[(ADDITIONAL, "more")]),
    ];
    let lacks = [&KEY_2[..], &["mfa_active", ADDITIONAL]].concat();
    let [first, second, third] = [
        ("2026-01-01", &[][..]),
        ("2026-02-01", &lacks),
        ("2026-03-01", &[]),
    ]
    .map(|(day, lacks)| report(day, lacks, &rows));
    let document = trend(vec![first.clone(), second.clone(), third]);
    for rule in [NO_MFA, OLD_KEY, HIDDEN] {
        assert_eq!(counts(&document, rule), [1, 0, 0, 0, 1], "{rule}");
    }
    // They are resolved when a report shows it.
    let gone: [Row<'_>; 3] = [("a", &[]), ("b", &[]), ("e", &[])];
    let document = trend(vec![first, second, report("2026-03-01", &[], &gone)]);
    for rule in [NO_MFA, OLD_KEY, HIDDEN] {
        assert_eq!(counts(&document, rule), [1, 0, 0, 1, 0], "{rule}");
    }
}
