//! `credlens diff` as people use it: swapped reports, what comes first, severities of events, dates, CSV, directories.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated\n";

/// A report with root and these rows: a name, and the cells from `password_enabled` on.
fn report(account: &str, rows: &[(&str, &str)]) -> String {
    let root = "<root_account>,ARN:root,2019-01-01T00:00:00Z,not_supported,no_information,true,false,N/A,false,N/A\n";
    let rows = rows
        .iter()
        .map(|(name, cells)| format!("{name},ARN:user/{name},2019-01-01T00:00:00Z,{cells}\n"));
    let rows: String = rows.collect();
    (HEADER.to_owned() + root + &rows).replace("ARN", &format!("arn:aws:iam::{account}"))
}

const A: &str = "111122223333";
const B: &str = "444455556666";
const C: &str = "777788889999";
const QUIET: &str = "false,N/A,false,false,N/A,false,N/A";
const NO_MFA: &str = "true,no_information,false,false,N/A,false,N/A";
const WITH_MFA: &str = "true,no_information,true,false,N/A,false,N/A";
const KEY: &str = "false,N/A,false,true,2025-06-07T08:09:10Z,false,N/A";

fn place() -> Workspace {
    Workspace::new()
        .file(
            "2026-05-01.csv",
            report(A, &[("al", WITH_MFA), ("bo", QUIET), ("cy", NO_MFA)]),
        )
        .file(
            "2026-06-01.csv",
            report(A, &[("al", NO_MFA), ("bo", KEY), ("cy", WITH_MFA), ("di", QUIET)]),
        )
}

fn diff(place: &Workspace, args: &str) -> Outcome {
    place.run(&*format!(
        "diff {args} --rule console-user-without-mfa --rule access-key-not-rotated"
    ))
}

fn json(place: &Workspace, args: &str) -> Value {
    let run = diff(place, &format!("{args} --format json"));
    run.ends(0, "");
    serde_json::from_str(&run.stdout).unwrap()
}

fn list(json: &Value, pointer: &str, member: &str) -> Vec<String> {
    let all = json.pointer(pointer).unwrap().as_array().unwrap().iter();
    all.map(|it| it[member].as_str().unwrap().to_owned()).collect()
}

#[test]
fn swapped_reports_are_refused() {
    let place = place();
    let swapped = "2026-06-01.csv 2026-05-01.csv";
    let run = diff(&place, swapped);
    run.ends(
        2,
        "OLD (2026-06-01.csv, 2026-06-01T23:59:59Z) is newer than NEW (2026-05-01.csv",
    );
    assert_eq!(run.stdout, "");
    let reversed = json(&place, &format!("{swapped} --reversed"));
    assert_eq!(list(&reversed, "/findings/opened", "user"), ["cy"]);
    assert_eq!(
        list(&reversed, "/diagnostics", "code").last().map(|code| &**code),
        Some("missing-columns")
    );
    // What was dated by hand counts.
    diff(&place, "2026-05-01.csv 2026-06-01.csv --new-as-of 2026-04-01").ends(2, "is newer than NEW");
    // Reports of one time are compared.
    diff(
        &place,
        "2026-05-01.csv 2026-06-01.csv --new-as-of 2026-05-01T23:59:59Z",
    )
    .ends(0, "");
}

#[test]
fn the_verdict_comes_first() {
    let run = diff(&place(), "2026-05-01.csv 2026-06-01.csv");
    run.ends(0, "");
    let blocks: Vec<_> = run.stdout.split("\n\n").collect();
    assert!(
        blocks[0].starts_with("old") && blocks[1].starts_with("findings: 2 opened (2 high)"),
        "{}",
        run.stdout
    );
    let run = diff(&place(), "2026-05-01.csv 2026-06-01.csv --format markdown");
    let first = run
        .stdout
        .lines()
        .find(|line| line.starts_with("findings:") || line.starts_with("## "));
    assert!(first.unwrap().starts_with("findings: 2 opened"), "{}", run.stdout);
}

#[test]
fn events_have_a_severity() {
    let place = place();
    let events = |args: &str| {
        let json = json(&place, &format!("2026-05-01.csv 2026-06-01.csv {args}"));
        let (kinds, severities) = (list(&json, "/events", "kind"), list(&json, "/events", "severity"));
        kinds
            .into_iter()
            .zip(severities)
            .map(|(kind, severity)| format!("{kind} {severity}"))
            .collect::<Vec<_>>()
    };
    let all = [
        "mfa-deactivated high",
        "key-created low",
        "mfa-activated informational",
        "user-created low",
    ];
    assert_eq!(events(""), all);
    assert_eq!(events("--min-severity low"), [all[0], all[1], all[3]]);
    assert_eq!(events("--min-severity high"), [all[0]]);
    let run = diff(&place, "2026-05-01.csv 2026-06-01.csv --min-severity high");
    run.says("1 event").hides("user-created");
    let lines = diff(
        &place,
        "2026-05-01.csv 2026-06-01.csv --min-severity high --format ndjson",
    );
    assert_eq!(lines.stdout.lines().count(), 1);
}

#[test]
fn opened_findings_carry_dates() {
    let place = place();
    let json = json(&place, "2026-05-01.csv 2026-06-01.csv");
    let opened = json["findings"]["opened"].as_array().unwrap();
    let key = opened
        .iter()
        .find(|it| it["rule"] == "access-key-not-rotated")
        .unwrap();
    assert_eq!(
        key["dates"],
        serde_json::json!({"access_key_1_last_rotated": "2025-06-07T08:09:10Z"})
    );
    let run = diff(&place, "2026-05-01.csv 2026-06-01.csv");
    run.says("last rotated 2025-06-07");
    // Those that were there before do not repeat them.
    assert_eq!(json["findings"]["resolved"][0]["dates"], serde_json::json!({}));
}

#[test]
fn csv_has_events_and_findings() {
    let hostile = report(
        A,
        &[("al", NO_MFA), ("bo", KEY), ("cy", WITH_MFA), ("=1+1", NO_MFA)],
    );
    let place = place().file("2026-06-01.csv", hostile);
    let run = diff(&place, "2026-05-01.csv 2026-06-01.csv --format csv");
    run.ends(0, "");
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let at = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let rows: Vec<_> = reader.records().map(|row| row.unwrap()).collect();
    let cells = |row: &csv::StringRecord| {
        ["type", "change", "severity", "user", "rule"]
            .map(|name| row[at(name)].to_owned())
            .join(" ")
    };
    let rows_shown: Vec<_> = rows.iter().map(cells).collect();
    assert_eq!(
        rows_shown,
        [
            "event mfa-deactivated high al ",
            "event key-created low bo ",
            "event mfa-activated informational cy ",
            "event user-created low '=1+1 ",
            "finding opened high al console-user-without-mfa",
            "finding opened high bo access-key-not-rotated",
            "finding opened high '=1+1 console-user-without-mfa",
            "finding resolved high cy console-user-without-mfa",
        ]
    );
    assert_eq!(
        &rows[5][at("dates")],
        "access_key_1_last_rotated=2025-06-07T08:09:10Z"
    );
    assert_eq!(&rows[5][at("new_as_of")], "2026-06-01T23:59:59Z");
    assert_eq!(rows[7][at("resolved_by")], *"mfa-activated");
}

/// Two directories are compared account by account: of each account the newest report.
#[test]
fn directories() {
    let place = Workspace::new()
        .file("old/a-2026-04-01.csv", report(A, &[("early", NO_MFA)]))
        .file("old/a-2026-05-01.csv", report(A, &[("al", NO_MFA)]))
        .file("old/b-2026-05-01.csv", report(B, &[("bo", QUIET)]))
        .file("old/gone-2026-05-01.csv", report(C, &[("cy", NO_MFA)]))
        .file("new/b/2026-06-02.csv", report(B, &[("bo", NO_MFA)]))
        .file("new/a/2026-06-01.csv", report(A, &[("al", WITH_MFA)]))
        .file(
            "new/other/2026-06-01.csv",
            report("000011112222", &[("di", NO_MFA)]),
        );
    let run = diff(&place, "old new --format json");
    run.ends(
        0,
        "account 000011112222 has no report in OLD, so it is not compared",
    );
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list(&json, "/findings/opened", "user"), ["bo"]);
    assert_eq!(list(&json, "/findings/resolved", "user"), ["al"]);
    assert_eq!(list(&json, "/stale_accounts", "account"), [C]);
    assert_eq!(json["stale_accounts"][0]["findings"], 1);
    assert_eq!(json["old"]["accounts"].as_array().unwrap().len(), 2);
    // One account of both.
    let json: Value =
        serde_json::from_str(&diff(&place, &format!("old new --account {B} --format json")).stdout).unwrap();
    assert_eq!(list(&json, "/findings/opened", "user"), ["bo"]);
    assert_eq!(
        (
            json["old"]["users"].as_u64(),
            json["stale_accounts"].as_array().unwrap().len()
        ),
        (Some(2), 0)
    );
    diff(&place, "new old").ends(2, "is newer than NEW");
    diff(&place, "old old").ends(3, "no account has a newer report than in OLD: ");
    // A file and a directory.
    diff(&place, "old/a-2026-05-01.csv new")
        .ends(0, "")
        .says("account 444455556666 has no report in OLD");
    // A damaged report may be the newest one.
    let place = place.file("new/a/2026-06-03.csv", "user,arn\n\"al");
    diff(&place, "old new").ends(3, "cannot be read");
}

/// Reports without ARNs are those of one account, of which the newest counts.
#[test]
fn directories_of_reports_without_arns() {
    let report = |names: &[&str]| {
        let rows: Vec<String> = names.iter().map(|name| format!("{name},true,false\n")).collect();
        let rows = rows.concat();
        format!("user,password_enabled,mfa_active\n{rows}")
    };
    let place = Workspace::new()
        .file("old/2026-05-01.csv", report(&["early", "al"]))
        .file("old/2026-05-02.csv", report(&["al"]))
        .file("new/2026-06-01.csv", report(&["al", "bo"]));
    let json = json(&place, "old new");
    assert_eq!(
        (json["old"]["reports"].as_u64(), json["old"]["users"].as_u64()),
        (Some(1), Some(1))
    );
    assert_eq!(
        (list(&json, "/events", "kind"), list(&json, "/events", "user")),
        (vec!["user-created".to_owned()], vec!["bo".to_owned()])
    );
}

#[test]
fn findings_are_grouped_by_owner() {
    let place = place().file("owners.csv", "user,owner\nal,team-a\nbo,team-b\n");
    let days = "2026-05-01.csv 2026-06-01.csv";
    let by_owner = format!("{days} --by owner --owners owners.csv");
    diff(&place, &format!("{by_owner} --format markdown"))
        .says("| Owner | Opened | Resolved | Still open |")
        .says("| `team-a` | 1 (1 high) | 0 | 0 |")
        .says("| no owner known | 0 | 1 | 0 |")
        .says("## `team-a`: 1 opened")
        .says("| opened | high | `al` |")
        .says("## no owner known: 1 resolved");
    diff(&place, &by_owner)
        .says("owners, worst first\n")
        .says("team-a");
    // The settings file may name the owners.
    let settings = place.file("credlens.toml", "owners = \"owners.csv\"\n");
    diff(&settings, &format!("{days} --by owner")).says("team-a");
    diff(&settings, days).hides("team-a");
}

#[test]
fn a_grouping_without_effect_is_an_error() {
    let place = place().file("owners.csv", "user,owner\nal,team-a\n");
    let days = "2026-05-01.csv 2026-06-01.csv";
    for (args, error) in [
        ("--by owner", "--by owner needs --owners FILE"),
        ("--owners owners.csv", "--owners has no effect without --by owner"),
        (
            "--by path --owners owners.csv",
            "--owners has no effect without --by owner",
        ),
        (
            "--by path --format json",
            "--by has no effect on json: table and markdown group findings",
        ),
        ("--by user", "invalid value 'user' for '--by <WHAT>'"),
        (
            "--by owner --owners none.csv",
            "cannot read the file of owners none.csv",
        ),
        (
            "--by owner --owners owners.csv --format markdown=owners.csv",
            "owners.csv is an input",
        ),
        ("--limit 5 --format ocsf", "--limit has no effect on ocsf"),
    ] {
        diff(&place, &format!("{days} {args}")).ends(2, error);
    }
}

#[test]
fn sarif_has_the_worst_findings_that_the_limit_allows() {
    let place = place();
    let run = diff(&place, "2026-05-01.csv 2026-06-01.csv --format sarif --limit 1");
    run.ends(0, "");
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let run = &document["runs"][0];
    let all = json(&place, "2026-05-01.csv 2026-06-01.csv");
    let count = |which: &str| all["findings"][which].as_array().unwrap().len();
    let all: usize = ["opened", "unveiled", "resolved", "open"].map(count).iter().sum();
    assert_eq!(run["results"].as_array().unwrap().len(), 1);
    assert_eq!(run["properties"]["leftOut"], all - 1);
    assert_eq!(run["results"][0]["baselineState"], "new");
    let notes = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["descriptor"]["id"], "left-out");
}

fn events(place: &Workspace, args: &str) -> Vec<Value> {
    let run = diff(place, &format!("{args} --format ocsf"));
    run.ends(0, "");
    let lines = run.stdout.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Replays events on the ids of findings that fail: what is left is what fails in the newer report.
#[test]
fn events_lead_from_the_findings_of_one_report_to_those_of_the_next() {
    let without_creation = |text: &str| {
        let mut lines = csv::Reader::from_reader(text.as_bytes());
        let mut out = csv::Writer::from_writer(Vec::new());
        let keep = |record: &csv::StringRecord| -> Vec<String> {
            record
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != 2)
                .map(|(_, cell)| cell.to_owned())
                .collect()
        };
        out.write_record(keep(lines.headers().unwrap())).unwrap();
        for record in lines.records() {
            out.write_record(keep(&record.unwrap())).unwrap();
        }
        String::from_utf8(out.into_inner().unwrap()).unwrap()
    };
    let old = report(A, &[("al", NO_MFA), ("bo", KEY), ("cy", NO_MFA), ("ed", KEY)]);
    let new = report(
        A,
        &[("al", NO_MFA), ("bo", KEY), ("cy", WITH_MFA), ("di", NO_MFA)],
    );
    let rules = "--rule console-user-without-mfa --rule access-key-not-rotated";
    for (old, is_renamed) in [(old.clone(), false), (without_creation(&old), true)] {
        let place = Workspace::new()
            .file("2026-05-01.csv", old)
            .file("2026-06-01.csv", new.clone());
        let failing = |path: &str| -> BTreeSet<String> {
            let run = place.run(&*format!("scan {path} {rules} --status fail --format ocsf"));
            let lines = run.stdout.lines();
            let uid = |line| serde_json::from_str::<Value>(line).unwrap()["finding_info"]["uid"].to_string();
            lines.map(uid).collect()
        };
        let mut known = failing("2026-05-01.csv");
        let mut renamed = 0;
        for event in events(&place, "2026-05-01.csv 2026-06-01.csv") {
            let uid = event["finding_info"]["uid"].to_string();
            renamed += usize::from(event["unmapped"]["was_known_as"].is_string());
            match event["activity_name"].as_str().unwrap() {
                "Create" => assert!(known.insert(uid), "{event}"),
                "Update" => assert!(known.contains(&uid), "{event}"),
                "Close" => assert!(known.remove(&uid), "{event}"),
                other => panic!("{other}"),
            }
        }
        assert_eq!(known, failing("2026-06-01.csv"));
        assert_eq!(renamed > 0, is_renamed);
    }
}

#[test]
fn events_say_what_became_of_a_finding() {
    let unknown = "true,no_information,maybe,false,N/A,false,N/A";
    let place = Workspace::new()
        .file(
            "2026-05-01.csv",
            report(A, &[("al", NO_MFA), ("cy", NO_MFA), ("ed", NO_MFA), ("ho", KEY)]),
        )
        .file(
            "2026-06-01.csv",
            report(A, &[("al", unknown), ("cy", WITH_MFA), ("ho", QUIET)]),
        );
    let messages: Vec<(String, u64)> = events(&place, "2026-05-01.csv 2026-06-01.csv")
        .into_iter()
        .map(|event| {
            let status = event["compliance"]["status_id"].as_u64().unwrap();
            (event["message"].as_str().unwrap().to_owned(), status)
        })
        .collect();
    let message = "this user can sign in with only a password";
    let resolved = format!("resolved by mfa-activated; it was: {message}");
    let unsure = format!("cannot be determined any more; it was: {message}");
    // Who is gone has not passed.
    let deleted = format!("resolved by user-deleted; it was: {message}");
    let no_key =
        "resolved by key-deleted; it was: this key was created more than 90 days ago and is still active";
    let gone = [(deleted, 99), (no_key.to_owned(), 99)];
    let expected: Vec<_> = [(resolved, 1)]
        .into_iter()
        .chain(gone)
        .chain([(unsure, 2)])
        .collect();
    assert_eq!(messages, expected);
}

#[test]
fn every_owner_with_a_change_has_a_section() {
    let rows = |cells: &'static str| -> Vec<(String, &'static str)> {
        (0..60).map(|number| (format!("u{number:02}"), cells)).collect()
    };
    let as_report = |rows: &[(String, &str)]| {
        let rows: Vec<(&str, &str)> = rows.iter().map(|(name, cells)| (&**name, *cells)).collect();
        report(A, &rows)
    };
    let place = Workspace::new()
        .file("2026-05-01.csv", as_report(&rows(WITH_MFA)))
        .file("2026-06-01.csv", as_report(&rows(NO_MFA)))
        .file("owners.csv", "user,owner\nu0*,zero\nu1*,one\nu9*,nine\nu*,rest\n");
    let digest = "2026-05-01.csv 2026-06-01.csv --by owner --owners owners.csv --format markdown";
    let run = diff(&place, digest);
    run.says("## `rest`: 40 opened\n")
        .says("## `zero`: 10 opened\n")
        .says("## `one`: 10 opened\n");
    run.says("… and 20 more findings (--limit 40 shows all)");
    run.says("line 4 names the owner of no user here");
    assert_eq!(run.stdout.matches("\n| opened |").count(), 40, "{}", run.stdout);
    let short = diff(&place, &format!("{digest} --limit 1"));
    short
        .says("- Old: ")
        .says("- New: ")
        .says("## `rest`: 40 opened")
        .hides("## `one`");
    assert_eq!(short.stdout.matches("\n| opened |").count(), 1);
    diff(&place, &format!("{digest} --user u0*")).hides("owner-unused");
}
