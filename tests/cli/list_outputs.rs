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

/// The same evidence as in the JSON of a scan.
#[test]
fn a_document_says_what_ran_on_which_bytes() {
    let place = place();
    let json = |command: &str, args: &str| -> Value {
        let run = place.run(&*format!("{command} {FILE} --format json {args}"));
        serde_json::from_str(&run.stdout).unwrap()
    };
    let [scan, list] = ["scan", "list users"].map(|command| json(command, ""));
    assert_eq!(list["evidence"], scan["evidence"]);
    assert_eq!(list["evidence"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(list["inputs"][0]["sha256"], scan["inputs"][0]["sha256"]);
    assert_eq!(list["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    let other = json("list users", "--set access-key-unused.max_idle=44 --hash-inputs");
    assert_ne!(
        other["evidence"]["rules_sha256"],
        list["evidence"]["rules_sha256"]
    );
}

#[test]
fn wildcards_of_shells_are_warned_about() {
    let run = list(&["users", FILE, "--where", "name like 'al*'", "--format", "names"]);
    run.ends(
        0,
        "warning: --where: GSL's wildcard is %, not * or ?; did you mean name like 'al%'?",
    );
    assert_eq!(run.stdout, "");
    let run = list(&[
        "users",
        FILE,
        "--where",
        "not name like 'al%'",
        "--format",
        "names",
    ]);
    assert!(!run.stderr.contains("wildcard"), "{run:?}");
}

#[test]
fn options_without_effect_are_errors() {
    for (args, message) in [
        ("--sort due", "give --due-within SPAN as well"),
        ("--sort=-due", "give --due-within SPAN as well"),
        (
            "--rule root-* --set access-key-unused.max_idle=60",
            "--set access-key-unused.max_idle has no effect: the rule is not selected",
        ),
        ("--format csv --limit 3", "--limit has no effect on csv"),
        (
            "--format json --format names=x --limit 0",
            "--limit has no effect on json and names",
        ),
    ] {
        let run = place().run(&*format!("list users {FILE} {args}"));
        run.ends(2, message);
    }
    let place = place().file(
        "credlens.toml",
        "limit = 7\n[set]\naccess-key-unused.max_idle = 60\n",
    );
    for args in [
        "--format csv --rule root-*",
        "--sort due --due-within 14d",
        "--format csv --format table=x --limit 3",
        "--rule access-key-* --set access-key-*.max_idle=60",
    ] {
        place.run(&*format!("list users {FILE} {args}")).ends(0, "");
    }
}

/// An account that has only a name is an account.
#[test]
fn the_account_is_shown_where_there_are_several() {
    let rows = "user,user_creation_time,account_name\nalice,2020-01-01,prod\nalice,2020-01-01,dev\n";
    let place = Workspace::new().file("r.csv", rows);
    for width in ["30", "80"] {
        let mut command = place.command();
        command
            .args("list users r.csv --as-of 2026-01-01".split(' '))
            .env("COLUMNS", width);
        let (code, out, _) = crate::support::ended(&mut command);
        assert_eq!(code, 0);
        assert!(
            ["account name", "prod", "dev"].iter().all(|it| out.contains(it)),
            "{out}"
        );
    }
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
