//! `--due-within`: what passes and fails soon, in every format.

use serde_json::Value;

use super::{FORMATS, Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date\n";

/// At the as-of, the active keys of these users are 90 days old less a day and two seconds (ann), less five days (bob), of an
/// unknown age (cat), too old (dan), and of today (eve, whose inactive key is never too old).
const ROWS: &str = "\
ann,arn:aws:iam::111122223333:user/ann,2025-01-01T00:00:00Z,false,N/A,false,true,2026-02-01T00:00:02Z,2026-04-30T00:00:00Z,false,N/A,N/A
bob,arn:aws:iam::111122223333:user/bob,2025-01-01T00:00:00Z,false,N/A,false,false,N/A,N/A,true,2026-02-05T00:00:00Z,2026-04-30T00:00:00Z
cat,arn:aws:iam::111122223333:user/cat,2025-01-01T00:00:00Z,false,N/A,false,true,soon,2026-04-30T00:00:00Z,false,N/A,N/A
dan,arn:aws:iam::111122223333:user/dan,2025-01-01T00:00:00Z,false,N/A,false,true,2026-01-01T00:00:00Z,2026-04-30T00:00:00Z,false,N/A,N/A
eve,arn:aws:iam::111122223333:user/eve,2025-01-01T00:00:00Z,false,N/A,false,true,2026-05-01T00:00:00Z,N/A,false,2026-02-03T00:00:00Z,N/A
";

fn place() -> Workspace {
    Workspace::new().file("2026-05-01T00:00:00Z.csv", [HEADER, ROWS].concat())
}

fn scan_in(place: &Workspace, args: &str) -> Outcome {
    place.run(&*format!(
        "scan 2026-05-01T00:00:00Z.csv --rule access-key-not-rotated {args}"
    ))
}

fn scan(args: &str) -> Outcome {
    scan_in(&place(), args)
}

fn json(run: &Outcome) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
}

/// `user status due_at` of the findings.
fn found(run: &Outcome) -> Vec<String> {
    let json = json(run);
    let findings = json["findings"].as_array().unwrap().iter();
    let words = |it: &Value| {
        let due_at = it.get("due_at").map_or("-", |due_at| due_at.as_str().unwrap());
        format!(
            "{} {} {due_at}",
            it["user"].as_str().unwrap(),
            it["status"].as_str().unwrap()
        )
    };
    findings.map(words).collect()
}

#[test]
fn keys_that_become_too_old_within_the_window() {
    let run = scan("--due-within 14d --format json");
    assert_eq!(
        found(&run),
        [
            "ann due 2026-05-02T00:00:03Z",
            "bob due 2026-05-06T00:00:01Z",
            "cat undetermined -",
            "dan fail -",
        ]
    );
    let json = json(&run);
    let counts = ["tested", "passed", "failed", "undetermined", "due"]
        .map(|it| json["rules"][0][it].as_u64().unwrap());
    assert_eq!(
        (counts, &json["due_within_seconds"]),
        ([6, 3, 1, 1, 2], &1_209_600.into())
    );
    assert_eq!(
        json["findings"][0]["message"],
        "fails at 2026-05-02T00:00:03Z if nothing changes: this key was created more than 90 days ago and is still active"
    );
}

#[test]
fn the_window_is_exact_to_the_second() {
    // One day and three seconds, and a second less.
    assert!(
        found(&scan("--due-within 86403s --format json"))
            .contains(&"ann due 2026-05-02T00:00:03Z".to_owned())
    );
    scan("--due-within 86402s --format json").hides("due_at");
}

#[test]
fn a_due_finding_has_the_id_of_the_later_fail() {
    let id = |args: &str| {
        let json = json(&scan(&format!("--format json {args}")));
        let findings = json["findings"].as_array().unwrap();
        let of_ann = findings.iter().find(|it| it["user"] == "ann");
        of_ann.map(|it| (it["status"].clone(), it["id"].clone()))
    };
    let (status, due) = id("--due-within 2d").unwrap();
    assert_eq!(status, "due");
    assert_eq!(id("--as-of 2026-05-02T00:00:03Z"), Some(("fail".into(), due)));
    assert_eq!(id("--as-of 2026-05-02T00:00:02Z"), None);
}

#[test]
fn nothing_is_due_without_a_window() {
    for format in FORMATS {
        let run = scan(&format!("--status all --format {format}"));
        if format == "html" {
            run.hides("id=\"due-heading\"").hides("data-status=\"due\"");
            continue;
        }
        let words = run
            .stdout
            .split(|char: char| !char.is_alphanumeric() && char != '_');
        let due: Vec<&str> = words.filter(|word| word.starts_with("due")).collect();
        let column: &[&str] = if format == "csv" { &["due_at"] } else { &[] };
        assert_eq!(due, column, "{format}");
    }
}

#[test]
fn due_verdicts_do_not_change_the_exit_status() {
    let only = |user: &str| scan(&format!("--user {user} --due-within 2d --format summary"));
    only("ann")
        .ends(0, "")
        .says("nothing failed, 1 passed, 1 due within 2 days");
    only("eve")
        .ends(0, "")
        .says("nothing failed, 1 passed, nothing due within 2 days");
    only("d*").ends(1, "");
}

#[test]
fn what_is_due_is_shown_by_default_and_by_its_status() {
    let users = |args: &str| -> Vec<String> {
        let found = found(&scan(&format!("--due-within 14d --format json {args}")));
        found
            .iter()
            .map(|it| it[..it.find(" 2026").unwrap_or(it.len() - 2)].to_owned())
            .collect()
    };
    assert_eq!(users("--status due"), ["ann due", "bob due"]);
    assert_eq!(users("--status pass"), ["eve pass"]);
    assert_eq!(users("--status fail"), ["dan fail"]);
    assert_eq!(users("--status all").len(), 5);
    assert_eq!(users("--min-severity critical"), [] as [&str; 0]);
    scan("--status due").ends(
        2,
        "--status due shows what fails within a time: give --due-within as well, such as 14d",
    );
}

#[test]
fn windows_that_are_not_valid() {
    scan("--due-within 0d").ends(2, "--due-within must be 1 second to 3650 days, got 0 days");
    scan("--due-within 3651d").ends(2, "--due-within must be 1 second to 3650 days, got 3651 days");
    scan("--due-within 14").ends(2, "not a span of time; write 90s, 10m, 36h, 14d or 2w");
    scan("--due-within 3650d").ends(1, "");
}

#[test]
fn the_settings_file_has_a_window() {
    let place = place().file("credlens.toml", "due-within = \"36h\"\n");
    scan_in(&place, "--format summary").says("1 due within 36 hours");
    scan_in(&place, "--format summary --due-within 1w").says("2 due within 7 days");
    let place = place.file("credlens.toml", "due-within = \"soon\"\n");
    scan_in(&place, "").ends(2, "not a span of time");
}

#[test]
fn suppressions_count_as_at_the_second_when_it_fails() {
    let entry = |user: &str, expires: &str| {
        let accepted = format!(
            "[[suppress]]\nrule = \"access-key-not-rotated\"\nuser = \"{user}\"\nreason = \"moves\"\n{expires}\n"
        );
        let place = place().file("accepted.toml", accepted);
        scan_in(
            &place,
            "--due-within 14d --format json --status due,suppressed --suppressions accepted.toml",
        )
    };
    let both = ["ann due 2026-05-02T00:00:03Z", "bob due 2026-05-06T00:00:01Z"];
    let run = entry("*n", "expires = 2026-05-02");
    assert_eq!(found(&run), [both[1], "dan suppressed -"]);
    // What expires the day before accepts nothing at that second, and has not expired yet.
    let run = entry("ann", "expires = 2026-05-01");
    assert_eq!(found(&run), both);
    run.ends(1, "suppression-unused")
        .ends(1, "the suppression matched no finding");
    // What accepts only a later fail is used.
    let run = entry("bob", "");
    assert_eq!(found(&run), both[..1]);
    assert!(!run.stderr.contains("suppression-unused"), "{run:?}");
    assert_eq!(json(&run)["rules"][0]["due"], 1);
}

#[test]
fn the_table_lists_what_is_due_soonest_first() {
    let run = scan("--due-within 2w");
    let section = run
        .stdout
        .split("\n\n")
        .skip_while(|it| !it.starts_with("due within"));
    let section: Vec<&str> = section.take(3).collect();
    insta::assert_snapshot!(section.join("\n\n"), @"
    due within 14 days, soonest first; times are UTC

    ann  account 111122223333, line 2
      2026-05-02 00:00:03  high  access-key-not-rotated  access_key_1
        last rotated 2026-02-01 (88 days)

    bob  account 111122223333, line 3
      2026-05-06 00:00:01  high  access-key-not-rotated  access_key_2
        last rotated 2026-02-05 (85 days)
    ");
    scan("--due-within 2w --limit 1")
        .says("… and 1 more finding due within 14 days; see all with --limit 2 or --format ndjson");
}

#[test]
fn markdown_and_csv_have_what_is_due() {
    let run = scan("--due-within 2w --format markdown");
    let section = run
        .stdout
        .split_once("## due")
        .unwrap()
        .1
        .split_once("\n## ")
        .unwrap()
        .0;
    insta::assert_snapshot!(section, @"
     within 14 days

    Soonest first; times are UTC.

    | Due | Severity | User | Account | Rule | Credential | What |
    |---|---|---|---|---|---|---|
    | 2026-05-02 00:00:03 | high | `ann` | `111122223333` | `access-key-not-rotated` | `access_key_1` | Active access key not rotated; last rotated 2026-02-01 (88 days) |
    | 2026-05-06 00:00:01 | high | `bob` | `111122223333` | `access-key-not-rotated` | `access_key_2` | Active access key not rotated; last rotated 2026-02-05 (85 days) |
    ");
    let run = scan("--due-within 2w --format csv --status due");
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|it| it == "due_at")
        .unwrap();
    let due: Vec<String> = reader.records().map(|it| it.unwrap()[at].to_owned()).collect();
    assert_eq!(due, ["2026-05-02T00:00:03Z", "2026-05-06T00:00:01Z"]);
}

/// A rule whose scope begins with time, and one that fails for a day only.
#[test]
fn what_is_not_applicable_yet_and_what_recovers() {
    let rules = "\
# Keys that are older than 90 days have no password beside them
IamAccessKey where lastRotated before(-90, 'days') should have user.passwordEnabled

# Keys are not exactly 90 days old
IamAccessKey should not have lastRotated before(-90, 'days') and lastRotated after(-91, 'days')
";
    let place = place().file("own.gsl", rules);
    let run = place.run("scan 2026-05-01T00:00:00Z.csv --rules-from own.gsl --rule own-* --user bob --due-within 14d --format json --status all");
    assert_eq!(
        found(&run),
        ["bob due 2026-05-06T00:00:01Z", "bob due 2026-05-06T00:00:01Z"]
    );
    let json = json(&run);
    let counts = [0, 1].map(|rule| ["passed", "due"].map(|it| json["rules"][rule][it].as_u64().unwrap()));
    assert_eq!(counts, [[0, 1], [1, 1]]);
}

/// What is due has fixes wherever it is shown, and is in the ranking of rules, accounts and users.
#[test]
fn what_is_due_is_fixed_and_ranked() {
    for format in ["table", "markdown"] {
        let run = scan(&format!("--due-within 2w --status due --fix --format {format}"));
        run.says("aws iam update-access-key").says("--user-name=ann");
    }
    let ranking = |by: &str| {
        let run = scan(&format!("--due-within 2w --by {by} --format json"));
        json(&run)["ranking"]["entries"].as_array().unwrap().clone()
    };
    let due = |by: &str| -> u64 { ranking(by).iter().map(|it| it["due"].as_u64().unwrap_or(0)).sum() };
    assert_eq!(["rule", "account", "user", "path"].map(due), [2; 4]);
    let table = scan("--due-within 2w --by rule");
    let row = table
        .stdout
        .lines()
        .find(|line| line.contains("access-key-not-rotated"))
        .unwrap();
    assert!(row.contains('2'), "{}", table.stdout);
    let without = scan("--by rule --format json");
    assert!(
        json(&without)["ranking"]["entries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it.get("due").is_none())
    );
}
