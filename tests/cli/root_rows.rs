//! Reports without a row of root: those of China regions, and partial exports.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Workspace;
use super::snapshots::{A, B, HEADER, report, root, users};

const NOTE: &str = "no row of root";
const C: &str = "777788889999";

/// The messages about missing rows of root, and the outcomes of the requirements of two frameworks.
#[track_caller]
fn scan(place: &Workspace, arguments: &str) -> (Vec<String>, BTreeMap<String, Value>) {
    let run = place.run(&*format!(
        "scan {arguments} --framework cis-aws-3.0 --framework cloudguard --format json --as-of 2026-06-01"
    ));
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let notes = all["diagnostics"].as_array().unwrap().iter();
    let notes = notes.filter(|it| it["code"] == "no-root" && it["level"] == "note");
    let frameworks = all["compliance"].as_array().unwrap().iter();
    let requirements = frameworks.flat_map(|it| it["requirements"].as_array().unwrap());
    (
        notes
            .map(|note| note["message"].as_str().unwrap().to_owned())
            .collect(),
        requirements
            .map(|it| (it["id"].as_str().unwrap().to_owned(), it.clone()))
            .collect(),
    )
}

/// The outcomes of: root has MFA, `CloudGuard`'s rule about root's keys, and users have MFA.
fn outcomes(requirements: &BTreeMap<String, Value>) -> [&str; 3] {
    ["1.5", "D9.AWS.IAM.16", "1.10"].map(|id| requirements[id]["outcome"].as_str().unwrap())
}

const WIDE: &str = "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_2_active\n";

/// Rows with MFA, without keys.
fn row(name: &str, account: &str, mfa: bool) -> String {
    let resource = if name == "<root_account>" {
        "root".to_owned()
    } else {
        format!("user/{name}")
    };
    format!("{name},arn:aws-cn:iam::{account}:{resource},true,{mfa},false,false\n")
}

#[test]
fn a_requirement_about_root_is_undetermined_without_its_row() {
    let place = Workspace::new()
        .file("part.csv", format!("{WIDE}{}", row("alice", A, true)))
        .file(
            "whole.csv",
            format!(
                "{WIDE}{}{}",
                row("<root_account>", A, true),
                row("alice", A, true)
            ),
        );
    let (notes, requirements) = scan(&place, "part.csv");
    assert!(notes[0].starts_with("the report has no row of root"), "{notes:?}");
    assert_eq!(notes.len(), 1);
    assert_eq!(outcomes(&requirements), ["undetermined", "undetermined", "pass"]);
    let why = requirements["1.5"]["why"].as_str().unwrap();
    assert!(why.contains(NOTE), "{why}");

    let (notes, requirements) = scan(&place, "whole.csv");
    assert_eq!(notes, [""; 0]);
    assert_eq!(outcomes(&requirements), ["pass"; 3]);
    assert_eq!(requirements["1.5"]["why"], Value::Null);

    // Another report has the account's root.
    let (notes, requirements) = scan(&place, "--all-snapshots part.csv whole.csv");
    assert_eq!((notes.len(), outcomes(&requirements)), (1, ["pass"; 3]));
}

#[test]
fn one_account_without_root_among_others_leaves_it_undetermined() {
    let rows = |account: &str, mfa| row("<root_account>", account, mfa) + &row("alice", account, true);
    let mixed = row("alice", B, true) + &rows(A, true) + &row("bob", B, true);
    let failing = format!("{WIDE}{mixed}{}", rows(C, false));
    let place = Workspace::new()
        .file("mixed.csv", format!("{WIDE}{mixed}"))
        .file("failing.csv", failing);
    let (notes, requirements) = scan(&place, "mixed.csv");
    assert!(
        notes[0].starts_with("1 of its 2 accounts has no row of root (444455556666)"),
        "{notes:?}"
    );
    assert_eq!(notes.len(), 1);
    assert_eq!(outcomes(&requirements), ["undetermined", "undetermined", "pass"]);
    assert_eq!(requirements["1.5"]["passed"], 1);
    place
        .run("scan mixed.csv --framework cis-aws-3.0 --as-of 2026-06-01 --format markdown")
        .says("1 passed, a row of root is missing");

    let (_, requirements) = scan(&place, "failing.csv");
    assert_eq!(outcomes(&requirements), ["fail", "undetermined", "pass"]);
}

#[test]
fn accounts_are_those_of_the_rows_that_count() {
    // What was left out needs no root, and what counts needs it.
    let place = Workspace::new()
        .file("2026-05-02/a.csv", report(A, &["alice"]))
        .file(
            "2026-05-01/all.csv",
            format!("{HEADER}{}{}", users(A, &["alice"]), root(B)),
        );
    let notes = |arguments: &str| scan(&place, arguments).0.len();
    assert_eq!(notes("2026-05-01 2026-05-02"), 0);
    assert_eq!(notes("--all-snapshots 2026-05-01 2026-05-02"), 1);
    assert_eq!(notes("2026-05-01"), 1);
}

#[test]
fn rows_without_an_account_belong_to_the_report() {
    let without_arn = |rows: &str| format!("user,mfa_active\n{rows}");
    let damaged = format!(
        "{WIDE}<root_account>,N/A,true,true,false,false\n{}x,y\n",
        row("alice", A, true)
    );
    let place = Workspace::new()
        .file("root.csv", without_arn("<root_account>,true\nalice,true\n"))
        .file("rootless.csv", without_arn("alice,true\n"))
        .file("damaged.csv", damaged);
    let notes = |arguments: &str| scan(&place, arguments).0.len();
    assert_eq!(notes("root.csv"), 0);
    assert_eq!(notes("rootless.csv"), 1);
    assert_eq!(notes("damaged.csv"), 0);
    // Each of them is an account of its own.
    let (_, requirements) = scan(&place, "root.csv rootless.csv");
    assert_eq!(requirements["1.5"]["outcome"], "undetermined");
}

/// What a framework says about a requirement and what the reports lack are sentences of their own.
#[test]
fn why_a_requirement_is_undetermined_is_in_sentences() {
    let place = Workspace::new().file("part.csv", format!("{WIDE}{}", row("alice", A, true)));
    let (_, requirements) = scan(&place, "part.csv");
    let why = requirements["1.6"]["why"].as_str().unwrap();
    assert!(
        why.contains("the report names no device. An account has no row of root"),
        "{why}"
    );
}

#[test]
fn the_note_is_only_for_rules_about_root() {
    let place = Workspace::new().file("part.csv", format!("{HEADER}{}", users(A, &["alice"])));
    let run = place.run("scan part.csv --rule console-user-without-mfa --format json --as-of 2026-06-01");
    assert!(!run.stdout.contains(NOTE), "{}", run.stdout);
    place.run("scan part.csv --as-of 2026-06-01").says(NOTE);
}
