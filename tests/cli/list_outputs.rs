//! The outputs of `credlens list`: documents, files, hostile names, tables of any width.

use serde_json::{Value, json};

use super::Workspace;
use super::list::{FILE, list, place};

#[test]
fn a_document_says_what_was_asked_for() {
    let run = list(&[
        "users",
        FILE,
        "--format",
        "json",
        "--where",
        "passwordEnabled",
        "--sort=-age",
        "--exclude-user",
        "carol",
        "--rule",
        "console-user-without-mfa",
    ]);
    let json: Value = serde_json::from_str(&run.ends(0, "").stdout).unwrap();
    let name = |item: &Value| item["user"].as_str().unwrap().to_owned();
    let names: Vec<_> = json["items"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(names, ["alice"]);
    for (member, value) in [
        ("schema", json!("credlens.list/v1")),
        ("list", json!("users")),
        ("where", json!("passwordEnabled")),
        ("sort", json!("-age_days")),
        ("listed", json!(1)),
        ("unknown", json!(0)),
        ("as_of", json!("2026-06-01T00:00:00Z")),
        ("filters", json!({"exclude_user": ["carol"]})),
    ] {
        assert_eq!(json[member], value, "{member}");
    }
    assert_eq!(json["inputs"][0]["users"], 3);
    assert_eq!(json["rules"][0]["id"], "console-user-without-mfa");
    let mut diagnostics = json["diagnostics"].as_array().unwrap().iter();
    assert!(diagnostics.any(|it| it["code"] == "filtered"));
}

#[test]
fn several_formats_at_once_and_in_files() {
    let place = place();
    let run = place.run(&*format!(
        "list keys {FILE} --sort=-age --format names --format csv=keys.csv --format ndjson=keys.ndjson --format table=t.txt"
    ));
    assert_eq!(run.ends(0, "").stdout, "alice\ncarol\nrobot\n");
    assert_eq!(place.read("keys.csv").lines().count(), 5);
    let lines = place.read("keys.ndjson");
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (lines.lines().count(), &first["credential"]),
        (4, &json!("access_key_2"))
    );
    assert!(place.read("t.txt").contains("4 access keys\n"));
    place
        .run(&*format!("list keys {FILE} --format csv --format names"))
        .ends(2, "two formats go to standard output");
    place
        .run(&*format!("list keys {FILE} --format csv={FILE}"))
        .ends(2, "is an input");
    place
        .run(&*format!("list keys {FILE} --format markdown"))
        .ends(2, "one of table, csv, json, ndjson, names");
}

#[test]
fn hostile_names_are_escaped() {
    for name in ["escape-sequences.csv", "formula-names.csv", "invalid-utf-8.csv"] {
        let place = Workspace::with(&[&format!("hostile/{name}")]);
        for format in ["table", "csv", "json", "ndjson", "names"] {
            let run = place.run(&*format!("list users {name} --format {format}"));
            let run = run.ends(0, "");
            assert!(!run.stdout.contains(['\x1b', '\u{202e}']), "{name} {format}");
            assert!(format != "csv" || !run.stdout.contains(",="), "{run:?}");
        }
    }
}

#[test]
fn tables_fit() {
    let table = |width: &str, args: &str| {
        let place = place();
        let args = format!("list {args}");
        let mut command = place.command();
        let output = command
            .env("COLUMNS", width)
            .args(args.split(' '))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().skip_while(|line| !line.is_empty());
        let lines = lines.take_while(|line| !line.starts_with("warning"));
        lines.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(table("80", &format!("users {FILE}")), @"

    user            active   password  mfa     age   idle  findings  severity
    <root_account>  unknown  unknown   yes  2,708d     0d         1  high
    alice           yes      yes       no     730d     1d         3  high
    robot           yes      no        no     365d  never         2  medium
    carol           yes      yes       yes    151d   120d         3  medium
    ");
    insta::assert_snapshot!(table("80", &format!("keys {FILE} --sort=-idle")), @"

    user   credential    path      active    age   idle  findings  severity
    alice  access_key_2  /team-a/  no       730d   365d         1  low
    carol  access_key_1  /         unknown  151d   120d         0
    alice  access_key_1  /team-a/  yes      180d     1d         1  high
    robot  access_key_1  /         yes        0d  never         0
    ");
    insta::assert_snapshot!(table("120", &format!("keys {FILE} --sort=last_used")), @"

    user   credential    path      active    age   idle  created     last used   service  region     findings  severity
    alice  access_key_2  /team-a/  no       730d   365d  2024-06-01  2025-06-01  iam      us-east-1         1  low
    carol  access_key_1  /         unknown  151d   120d  2026-01-01  2026-02-01  ec2      eu-west-1         0
    alice  access_key_1  /team-a/  yes      180d     1d  2025-12-03  2026-05-30  s3       eu-west-1         1  high
    robot  access_key_1  /         yes        0d  never  2026-05-31                                         0
    ");
    insta::assert_snapshot!(table("200", &format!("keys {FILE}")), @"

    user   credential    path      active   password  mfa   age   idle  created     last used   service  region     findings  severity
    alice  access_key_1  /team-a/  yes      yes       no   180d     1d  2025-12-03  2026-05-30  s3       eu-west-1         1  high
    alice  access_key_2  /team-a/  no       yes       no   730d   365d  2024-06-01  2025-06-01  iam      us-east-1         1  low
    robot  access_key_1  /         yes      no        no     0d  never  2026-05-31                                         0
    carol  access_key_1  /         unknown  yes       yes  151d   120d  2026-01-01  2026-02-01  ec2      eu-west-1         0
    ");
    insta::assert_snapshot!(table("40", &format!("certificates {FILE}")), @"

    user   credential     age  severity
    robot  cert_1      2,343d  medium
    ");
}
