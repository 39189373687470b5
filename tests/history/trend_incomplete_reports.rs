//! `trend` of reports with unreadable cells, missing columns, repeated users or ambiguous keys: no finding is wrongly opened
//! or resolved, and figures that are unknown are null.

use credlens::engine::Program;
use credlens::history::trend::{Point, RuleTrend, TrendDocument, TrendOptions};
use credlens::report::time::Timestamp;
use credlens::rule::{Catalogue, Selection, select};

use super::{COLUMNS, Report, trend_of};

const OLD_KEY: &str = "access-key-not-rotated";
const NO_MFA: &str = "console-user-without-mfa";
const FIRST: &str = "access_key_1_last_rotated";
const SECOND: &str = "access_key_2_last_rotated";

/// A user created in 2020 without credentials.
#[derive(Clone)]
struct User(Vec<String>);

fn user(name: &str) -> User {
    let arn = format!("arn:aws:iam::111122223333:user/{name}");
    let cells = COLUMNS.map(|column| match column {
        "user" => name,
        "arn" => &arn,
        "user_creation_time" => "2020-01-01",
        _ if column.ends_with("active") || column.ends_with("enabled") => "false",
        _ => "N/A",
    });
    User(cells.map(str::to_owned).to_vec())
}

impl User {
    fn cell(mut self, column: &str, cell: &str) -> Self {
        let position = COLUMNS.iter().position(|other| *other == column).unwrap();
        cell.clone_into(&mut self.0[position]);
        self
    }

    /// With an active key in the slot of this column.
    fn key(self, column: &str, created: &str) -> Self {
        self.cell(&column.replace("last_rotated", "active"), "true")
            .cell(column, created)
    }

    /// With a password and no MFA device.
    fn console(self) -> Self {
        self.cell("password_enabled", "true")
            .cell("password_last_changed", "2020-01-01")
    }

    fn mfa(self) -> Self {
        self.console().cell("mfa_active", "true")
    }
}

/// A report of this day without these columns.
fn report_without(lacks: &[&str], day: &str, users: &[User]) -> Report {
    let line = |cells: &[&str]| -> String {
        let all = COLUMNS.iter().zip(cells);
        let cells: Vec<&str> = all
            .filter(|(column, _)| !lacks.contains(column))
            .map(|(_, cell)| *cell)
            .collect();
        cells.join(",")
    };
    let records = users
        .iter()
        .map(|user| line(&user.0.iter().map(String::as_str).collect::<Vec<_>>()) + "\n");
    Report {
        header: line(&COLUMNS),
        records: records.collect(),
        as_of: Timestamp::parse(day.as_bytes()).unwrap().0,
    }
}

fn report(day: &str, users: &[User]) -> Report {
    report_without(&[], day, users)
}

fn trend(reports: Vec<Report>) -> TrendDocument {
    let selection = Selection {
        rules: [OLD_KEY, NO_MFA].map(str::to_owned).to_vec(),
        ..Selection::default()
    };
    let program = Program::new(select(&Catalogue::builtin(), &selection).unwrap().rules);
    trend_of(&program, reports, TrendOptions::default())
}

fn rule<'a>(document: &'a TrendDocument, id: &str) -> &'a RuleTrend {
    document.rules.iter().find(|rule| rule.rule == id).unwrap()
}

/// Opened, resolved, open at the end, and the median of the days to resolve.
fn moved(document: &TrendDocument, id: &str) -> (u64, u64, u64, Option<f64>) {
    let rule = rule(document, id);
    (rule.opened, rule.resolved, rule.open, rule.median_days_to_resolve)
}

fn codes(document: &TrendDocument) -> Vec<&str> {
    document
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name())
        .collect()
}

fn points<T>(document: &TrendDocument, of: impl Fn(&Point) -> T) -> Vec<T> {
    document.snapshots.iter().map(of).collect()
}

#[test]
fn a_finding_of_an_unreadable_key_stays_open() {
    let fine = user("a").key(FIRST, "2025-05-30");
    for unclear in [
        user("a").key(FIRST, "garbage"),
        user("a").cell("access_key_1_active", "garbage"),
        user("a")
            .cell("access_key_1_active", "garbage")
            .cell(FIRST, "2025-05-30"),
    ] {
        let document = trend(vec![
            report("2025-06-01", std::slice::from_ref(&fine)),
            report("2025-09-15", std::slice::from_ref(&fine)),
            report("2025-10-01", &[unclear]),
            report("2025-10-15", std::slice::from_ref(&fine)),
        ]);
        assert_eq!(moved(&document, OLD_KEY), (1, 0, 1, None));
        assert_eq!(document.rotation.never, 1);
        assert_eq!(
            document.rotation.late + document.rotation.unclear + document.rotation.in_time,
            0
        );
        let since = document.oldest.iter().map(|finding| &*finding.since);
        assert_eq!(since.collect::<Vec<_>>(), ["2025-09-15T00:00:00Z"]);
    }
}

#[test]
fn a_key_that_is_unreadable_at_first_is_matched_later() {
    let fine = user("a").key(FIRST, "2025-01-30");
    let unused = |user: User| user.cell("access_key_1_last_used_date", "2025-02-01");
    let document = trend(vec![
        report("2025-06-01", &[unused(user("a").key(FIRST, "garbage"))]),
        report("2025-07-01", &[unused(fine)]),
        report("2025-08-01", &[unused(user("a").key(SECOND, "2025-01-30"))]),
        report("2025-09-01", &[user("a")]),
    ]);
    assert_eq!(moved(&document, OLD_KEY), (1, 1, 0, Some(62.0)));
}

#[test]
fn a_finding_of_an_unreadable_key_is_resolved_when_the_key_is_deleted() {
    let both = user("a").key(FIRST, "2025-01-30").key(SECOND, "2025-05-30");
    let document = trend(vec![
        report("2025-06-01", std::slice::from_ref(&both)),
        report("2025-09-15", &[both]),
        report(
            "2025-10-01",
            &[user("a").key(FIRST, "2025-01-30").key(SECOND, "garbage")],
        ),
        report("2025-10-15", &[user("a").key(FIRST, "2025-01-30")]),
    ]);
    assert_eq!(moved(&document, OLD_KEY), (1, 1, 1, Some(30.0)));
}

#[test]
fn a_user_with_unreadable_creation_time_is_matched_by_arn() {
    let garbage = user("a").console().cell("user_creation_time", "garbage");
    let document = trend(vec![
        report("2025-06-01", &[user("a"), user("b")]),
        report("2025-07-01", &[user("a").console(), user("b")]),
        report("2025-08-01", &[user("b"), garbage.clone()]),
        report("2025-09-01", &[user("b"), user("a").console()]),
        report(
            "2025-10-01",
            &[
                user("b"),
                user("a").console().cell("user_creation_time", "2025-09-15"),
            ],
        ),
    ]);
    assert_eq!(
        points(&document, |point| (point.opened, point.resolved)),
        [(0, 0), (1, 0), (0, 0), (0, 0), (1, 1)]
    );
    assert_eq!(rule(&document, NO_MFA).median_days_to_resolve, Some(92.0));
    // Also if it is unreadable in the first snapshot: later ones identify the user.
    let document = trend(vec![
        report("2025-07-01", &[garbage]),
        report("2025-08-01", &[user("a").console()]),
        report("2025-09-01", &[user("a").mfa()]),
    ]);
    assert_eq!(
        points(&document, |point| (point.opened, point.resolved)),
        [(0, 0), (0, 0), (0, 1)]
    );
}

#[test]
fn findings_of_deleted_users_and_keys_are_resolved_despite_missing_columns() {
    let key = |user: User| user.key(FIRST, "2025-01-30");
    let without = ["mfa_active", "access_key_1_active"];
    let document = trend(vec![
        report("2025-06-01", &[user("a").mfa(), user("b").mfa()]),
        report("2025-07-01", &[key(user("a").console()), key(user("b").mfa())]),
        report_without(&without, "2025-08-01", &[user("b").mfa()]),
        report("2025-12-01", &[user("b").mfa()]),
    ]);
    assert_eq!(moved(&document, NO_MFA), (1, 1, 0, Some(31.0)));
    assert_eq!(moved(&document, OLD_KEY), (2, 2, 0, Some(31.0)));
    // Findings of existing users wait for the column.
    let document = trend(vec![
        report("2025-06-01", &[user("a")]),
        report("2025-07-01", &[user("a").console()]),
        report_without(&without, "2025-08-01", &[user("a").mfa()]),
        report("2025-12-01", &[user("a").mfa()]),
    ]);
    assert_eq!(moved(&document, NO_MFA), (1, 1, 0, Some(153.0)));
}

#[test]
fn keys_of_the_same_second_get_a_diagnostic_and_are_not_mixed_up() {
    let twins = user("a").key(FIRST, "2025-01-15").key(SECOND, "2025-01-15");
    for left in [FIRST, SECOND] {
        let document = trend(vec![
            report("2025-03-01", &[user("a")]),
            report("2025-05-01", std::slice::from_ref(&twins)),
            report("2025-06-01", &[user("a").key(left, "2025-01-15")]),
        ]);
        assert_eq!(moved(&document, OLD_KEY), (2, 1, 1, Some(31.0)), "{left}");
        assert_eq!(codes(&document), ["same-second-keys"]);
        assert_eq!(
            document.diagnostics[0].path.as_deref(),
            Some("report-1746057600.csv")
        );
        assert_eq!((document.rotation.late, document.rotation.never), (1, 1));
    }
}

/// Another account in its place does not hide the gap.
#[test]
fn a_missing_account_is_a_gap() {
    let of = |account: &str| user("a").cell("arn", &format!("arn:aws:iam::{account}:user/a"));
    let [one, two, three] = ["111111111111", "222222222222", "333333333333"].map(of);
    let document = trend(vec![
        report("2025-06-01", &[one.clone(), two.clone()]),
        report("2025-06-02", &[one.clone(), three.clone()]),
        report("2025-06-03", &[one, two, three]),
    ]);
    assert_eq!(codes(&document), ["gap"]);
    let message = &document.diagnostics[0].message;
    assert!(
        message.starts_with("account 222222222222 is missing at 2025-06-02T00:00:00Z but"),
        "{message}"
    );
}

#[test]
fn a_report_without_users_is_skipped() {
    let document = trend(vec![
        report_without(&["arn"], "2025-05-01", &[]),
        report("2025-06-01", &[user("a").console()]),
        report("2025-07-01", &[]),
        report("2025-08-01", &[user("a").console()]),
    ]);
    assert_eq!(codes(&document), ["unreadable", "unreadable"]);
    assert_eq!(document.snapshots.len(), 2);
    assert_eq!(moved(&document, NO_MFA), (0, 0, 1, None));
}

/// Of the rows of one user the one created last counts, or the first of equal ones.
#[test]
fn repeated_users_count_once() {
    let before = user("a")
        .cell("user_creation_time", "2019-01-01")
        .key(FIRST, "2025-06-30");
    let once = [user("a").console(), user("b")];
    let document = trend(vec![
        report("2025-07-01", &[user("a").console(), user("a").mfa(), user("b")]),
        report(
            "2025-08-01",
            &[
                before,
                user("a").console(),
                user("b"),
                user("b").key(FIRST, "2025-01-01"),
            ],
        ),
        report("2025-09-01", &once),
    ]);
    let single = trend(
        ["2025-07-01", "2025-08-01", "2025-09-01"]
            .map(|day| report(day, &once))
            .to_vec(),
    );
    assert_eq!(codes(&document), ["duplicate-user", "duplicate-user"]);
    assert_eq!(document.diagnostics[1].row, Some(1));
    assert!(
        document.diagnostics[1]
            .message
            .starts_with("2 rows of repeated users"),
        "{:?}",
        document.diagnostics
    );
    assert_eq!(document.snapshots, single.snapshots);
    assert_eq!(
        (document.rules, document.oldest, document.rotation),
        (single.rules, single.oldest, single.rotation)
    );
}

#[test]
fn figures_that_need_a_missing_column_are_unknown() {
    let users = [
        user("a").mfa().key(FIRST, "2025-01-01"),
        user("b").key(SECOND, "2025-02-01"),
    ];
    let figures = |point: &Point| {
        [
            ("console_users", point.console_users.is_none()),
            ("mfa_coverage", point.mfa_coverage.is_none()),
            ("active_keys", point.active_keys.is_none()),
            ("keys_over_90_days", point.keys_over_90_days.is_none()),
            ("key_age_max", point.key_age_max.is_none()),
            ("key_ages", point.key_ages.is_none()),
            ("unused_credentials", point.unused_credentials.is_none()),
            ("dormant_users", point.dormant_users.is_none()),
            ("root_used", point.root_used.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, is_none)| is_none.then_some(name))
        .collect::<Vec<_>>()
    };
    let ages = [
        "keys_over_90_days",
        "key_age_max",
        "key_ages",
        "unused_credentials",
    ];
    for (column, unknown) in [
        ("cert_1_active", vec![]),
        ("mfa_active", vec!["mfa_coverage"]),
        (
            "password_enabled",
            vec!["console_users", "mfa_coverage", "unused_credentials"],
        ),
        (
            "password_last_used",
            vec!["unused_credentials", "dormant_users", "root_used"],
        ),
        ("access_key_1_active", [&["active_keys"], &ages[..]].concat()),
        (
            "access_key_2_last_rotated",
            [&ages[..], &["dormant_users"]].concat(),
        ),
        ("cert_2_last_rotated", vec!["dormant_users"]),
        (
            "password_last_changed",
            vec!["unused_credentials", "dormant_users"],
        ),
    ] {
        let document = trend(vec![
            report("2025-07-01", &users),
            report_without(&[column], "2025-08-01", &users),
            report("2025-09-01", &users),
        ]);
        assert_eq!(points(&document, figures), [vec![], unknown, vec![]], "{column}");
    }
    // An active key counts even if its age is unknown.
    let garbage = user("a").key(FIRST, "garbage");
    assert_eq!(
        trend(vec![report("2025-07-01", &[garbage])]).snapshots[0].active_keys,
        Some(1)
    );
}

/// A creation time that a report does not say, whether the cell is garbage or `N/A`, says nothing: the time of the report
/// before still distinguishes two users with one ARN.
#[test]
fn a_creation_time_that_is_not_said_for_a_while() {
    let created = |time: &str| user("u").console().cell("user_creation_time", time);
    for between in ["garbage", "N/A", ""] {
        let days = |last: &str| {
            trend(vec![
                report("2024-01-01", &[created("2020-01-01")]),
                report("2024-01-02", &[created(between)]),
                report("2024-01-03", &[created(last)]),
            ])
        };
        assert_eq!(
            moved(&days("2020-01-01"), NO_MFA).0,
            0,
            "the same user, {between}"
        );
        let other = days("2023-06-01");
        let (opened, resolved, open, _) = moved(&other, NO_MFA);
        assert_eq!((opened, resolved, open), (1, 1, 1), "another user, {between}");
    }
}
