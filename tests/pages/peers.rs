//! Checks the credlens column of `docs/peers.md`: each verdict on the page is the verdict of the rule.

use std::collections::BTreeMap;
use std::fs;

use credlens::engine::examples::verdict;
use credlens::finding::Verdict;
use credlens::report::time::Timestamp;
use credlens::rule::{Catalogue, EXAMPLE_AS_OF, Example};

use super::root;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// The cell for a time this many seconds before the as-of.
pub(super) fn ago(seconds: i64) -> String {
    let as_of: Timestamp = EXAMPLE_AS_OF.parse().expect("a time");
    Timestamp(as_of.0 - seconds).to_string()
}

pub(super) type Cells = Vec<(&'static str, String)>;

pub(super) fn key(slot: u8, active: bool, created: i64, used: Option<i64>) -> Cells {
    let [active_at, created_at, used_at] = match slot {
        1 => [
            "access_key_1_active",
            "access_key_1_last_rotated",
            "access_key_1_last_used_date",
        ],
        _ => [
            "access_key_2_active",
            "access_key_2_last_rotated",
            "access_key_2_last_used_date",
        ],
    };
    vec![
        (active_at, active.to_string()),
        (created_at, ago(created)),
        (used_at, used.map_or("N/A".to_owned(), ago)),
    ]
}

pub(super) fn password(changed: i64, used: Option<i64>) -> Cells {
    vec![
        ("password_enabled", "true".to_owned()),
        ("password_last_changed", ago(changed)),
        (
            "password_last_used",
            used.map_or("no_information".to_owned(), ago),
        ),
    ]
}

fn cell(column: &'static str, text: &str) -> Cells {
    vec![(column, text.to_owned())]
}

fn mfa(text: &str) -> Cells {
    cell("mfa_active", text)
}

/// A row of the page: its name there, which begins with "root" for rows of root, and its cells.
type Row = (&'static str, Cells);

fn rows() -> Vec<Row> {
    [ages_and_uses(), roots_and_pairs(), setups_and_mfa()].concat()
}

fn all(parts: &[Cells]) -> Cells {
    parts.concat()
}

fn ages_and_uses() -> Vec<Row> {
    let fresh = Some(HOUR);
    vec![
        ("an active key exactly 90 days old", key(1, true, 90 * DAY, fresh)),
        (
            "an active key 90 days and 1 second old",
            key(1, true, 90 * DAY + 1, fresh),
        ),
        (
            "an active key 90 days and 12 hours old",
            key(2, true, 90 * DAY + 12 * HOUR, fresh),
        ),
        ("an active key 91 days old", key(1, true, 91 * DAY, fresh)),
        (
            "an active key last used 45 days minus 1 second ago",
            key(1, true, 60 * DAY, Some(45 * DAY - 1)),
        ),
        (
            "an active key last used exactly 45 days ago",
            key(1, true, 60 * DAY, Some(45 * DAY)),
        ),
        (
            "an active key last used 45 days and 6 hours ago",
            key(2, true, 60 * DAY, Some(45 * DAY + 6 * HOUR)),
        ),
        (
            "an active key last used 46 days ago",
            key(1, true, 60 * DAY, Some(46 * DAY)),
        ),
        (
            "an active key created 100 days ago, never used",
            key(1, true, 100 * DAY, None),
        ),
        (
            "an active key created 3 days ago, never used",
            key(1, true, 3 * DAY, None),
        ),
        (
            "a password set 100 days ago, never used",
            password(100 * DAY, None),
        ),
        ("a password set 10 days ago, never used", password(10 * DAY, None)),
    ]
}

fn roots_and_pairs() -> Vec<Row> {
    let fresh = Some(HOUR);
    vec![
        (
            "root with an active key 100 days old, never used",
            key(1, true, 100 * DAY, None),
        ),
        ("root with an inactive key", key(1, false, 100 * DAY, None)),
        (
            "root with a password, last used 100 days ago, and a key used yesterday",
            all(&[
                password(200 * DAY, Some(100 * DAY)),
                key(1, true, 200 * DAY, Some(DAY)),
            ]),
        ),
        (
            "root's password never used, and a key used yesterday",
            key(1, true, 200 * DAY, Some(DAY)),
        ),
        (
            "root without password, keys and MFA",
            all(&[cell("password_enabled", "false"), mfa("false")]),
        ),
        (
            "root without password and MFA, with an active key",
            all(&[
                cell("password_enabled", "false"),
                mfa("false"),
                key(1, true, DAY, None),
            ]),
        ),
        (
            "root of an old report, password `not_supported`, without MFA",
            all(&[cell("password_enabled", "not_supported"), mfa("false")]),
        ),
        (
            "root of an old report, password `not_supported`, without MFA, with an active key",
            all(&[
                cell("password_enabled", "not_supported"),
                mfa("false"),
                key(1, true, DAY, None),
            ]),
        ),
        ("an inactive key 100 days old", key(1, false, 100 * DAY, None)),
        ("an inactive key 10 days old", key(1, false, 10 * DAY, None)),
        (
            "a user with two active keys",
            all(&[key(1, true, DAY, fresh), key(2, true, DAY, fresh)]),
        ),
        (
            "a user with one active and one inactive key",
            all(&[key(1, false, DAY, fresh), key(2, true, DAY, fresh)]),
        ),
        (
            "root with two active keys",
            all(&[key(1, true, DAY, fresh), key(2, true, DAY, fresh)]),
        ),
    ]
}

fn setups_and_mfa() -> Vec<Row> {
    let fresh = Some(HOUR);
    let created = || cell("user_creation_time", &ago(100 * DAY));
    let known_password = || password(DAY, fresh);
    vec![
        (
            "a password, and a key created 5 seconds after the user, never used",
            all(&[created(), known_password(), key(1, true, 100 * DAY - 5, None)]),
        ),
        (
            "a password, and a key created 30 days after the user, never used",
            all(&[created(), known_password(), key(1, true, 70 * DAY, None)]),
        ),
        (
            "a password, and a key created 5 seconds after the user, in use",
            all(&[created(), known_password(), key(1, true, 100 * DAY - 5, fresh)]),
        ),
        (
            "a password, and a second key created 5 seconds after the user, never used",
            all(&[created(), known_password(), key(2, true, 100 * DAY - 5, None)]),
        ),
        (
            "no password, and a key created 5 seconds after the user, never used",
            all(&[created(), key(1, true, 100 * DAY - 5, None)]),
        ),
        ("a password, MFA `false`", all(&[known_password(), mfa("false")])),
        ("a password, MFA empty", all(&[known_password(), mfa("")])),
        (
            "a password, MFA `TRUE` (saved by a spreadsheet)",
            all(&[known_password(), mfa("TRUE")]),
        ),
        ("no password, MFA `false`", mfa("false")),
    ]
}

/// The credlens column of the page by row: `rule`: verdict; …
fn claims() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/peers.md")).expect("a page");
    let tables = text
        .split("\n\n")
        .filter(|part| part.starts_with("| row | credlens |"));
    let rows = tables.flat_map(|table| table.lines().skip(2));
    let cells = rows.map(|row| {
        let mut cells = row
            .split(" | ")
            .map(|cell| cell.trim_matches(['|', ' ']).to_owned());
        (
            cells.next().expect("a row"),
            cells.next().expect("the credlens column"),
        )
    });
    cells.collect()
}

#[test]
fn the_page_on_other_tools_has_our_verdicts() {
    let (catalogue, mut claims) = (Catalogue::builtin(), claims());
    let mut wrong = Vec::new();
    for (row, cells) in rows() {
        let Some(claim) = claims.remove(row) else {
            wrong.push(format!("the page lacks '{row}'"));
            continue;
        };
        let cells = cells.into_iter().map(|(column, text)| (column.to_owned(), text));
        let example = Example {
            name: row.to_owned(),
            verdict: Verdict::Pass,
            root: row.starts_with("root"),
            cells: cells.collect(),
            without: Vec::new(),
            parameters: BTreeMap::new(),
        };
        for claim in claim.split("; ") {
            let (id, claimed) = claim.split_once(": ").expect("rule: verdict");
            let rule = catalogue.rule(id.trim_matches('`')).expect("a known rule");
            let found = verdict(rule, &example)
                .expect("a verdict")
                .name()
                .replace('-', " ");
            if found != claimed {
                wrong.push(format!("{row}: {id} gives {found}, the page says {claimed}"));
            }
        }
    }
    wrong.extend(claims.into_keys().map(|row| format!("the test lacks '{row}'")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
