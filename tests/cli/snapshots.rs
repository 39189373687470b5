//! Several snapshots of one account among the inputs of a scan: the newest one is evaluated, and nothing is hidden.

use serde_json::Value;

use super::Workspace;

pub(super) const A: &str = "111122223333";
pub(super) const B: &str = "444455556666";

pub(super) const HEADER: &str = "user,arn,password_enabled,mfa_active\n";

/// Root's row.
pub(super) fn root(account: &str) -> String {
    format!("<root_account>,arn:aws:iam::{account}:root,not_supported,true\n")
}

/// The rows of console users without MFA.
pub(super) fn users(account: &str, names: &[&str]) -> String {
    let row = |name: &&str| format!("{name},arn:aws:iam::{account}:user/{name},true,false\n");
    names.iter().map(row).collect()
}

/// A whole report: root and these console users without MFA.
pub(super) fn report(account: &str, names: &[&str]) -> String {
    format!("{HEADER}{}{}", root(account), users(account, names))
}

const RULE: &str = "--rule console-user-without-mfa";

/// The users with a finding, the JSON, and standard error.
#[track_caller]
fn scan(place: &Workspace, arguments: &str) -> (Vec<String>, Value, String) {
    let run = place.run(&*format!("scan {arguments} {RULE} --format json"));
    run.ends(1, "");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let mut found: Vec<_> = findings
        .map(|it| it["user"].as_str().unwrap().to_owned())
        .collect();
    found.sort();
    (found, json, run.stderr)
}

/// `path: users left_out` of each input.
fn inputs(json: &Value) -> Vec<String> {
    let inputs = json["inputs"].as_array().unwrap().iter();
    let line = |it: &Value| {
        let path = it["path"].as_str().unwrap();
        format!(
            "{path}: {} {}",
            it["users"],
            it["left_out"].as_str().unwrap_or("-")
        )
    };
    inputs.map(line).collect()
}

#[test]
fn the_newest_of_a_directory_of_dates_counts() {
    let place = Workspace::new()
        .file("r/2026-01-20.csv", report(A, &["old"]))
        .file("r/2026-03-20.csv", report(A, &["new"]))
        .file("r/2026-03-20 (1).csv", report(A, &["new"]))
        .file("r/2026-02-20.csv", report(A, &["middle"]));
    let (found, json, stderr) = scan(&place, "r");
    assert_eq!(found, ["new"]);
    assert!(
        stderr.contains("3 snapshots of 1 account left out (2 older, 1 identical)"),
        "{stderr}"
    );
    let expected = [
        "r/2026-01-20.csv: null older",
        "r/2026-02-20.csv: null older",
        "r/2026-03-20 (1).csv: 2 -",
        "r/2026-03-20.csv: null identical",
    ];
    assert_eq!(inputs(&json), expected);
    assert_eq!(json["as_of"], "2026-03-20T23:59:59Z");
    let (found, json, stderr) = scan(&place, "r --all-snapshots");
    assert_eq!(found, ["middle", "new", "new", "old"]);
    assert!(!stderr.contains("left out") && inputs(&json).iter().all(|line| line.ends_with(": 2 -")));
    let table = place.run("scan r --rule console-user-without-mfa");
    table
        .ends(1, "")
        .says("3 snapshots of 1 account left out")
        .says("2 users in r/2026-03-20 (1).csv");
}

#[test]
fn as_of_chooses_the_newest_that_is_not_after_it() {
    let place = Workspace::new()
        .file("r/2026-01-20.csv", report(A, &["old"]))
        .file("r/2026-03-20.csv", report(A, &["new"]));
    let (found, json, _) = scan(&place, "r --as-of 2026-03-20T23:59:58Z");
    assert_eq!(
        (found, &json["inputs"][1]["left_out"]),
        (vec!["old".to_owned()], &"after-as-of".into())
    );
    assert_eq!(scan(&place, "r --as-of 2026-03-20T23:59:59Z").0, ["new"]);
    assert_eq!(
        scan(&place, "r --as-of 2026-01-01").0,
        ["old"],
        "all are later: the earliest"
    );
}

#[test]
fn accounts_are_chosen_one_by_one() {
    let both = format!("{}{}{}", report(A, &["a-old"]), root(B), users(B, &["b-new"]));
    let place = Workspace::new()
        .file("2026-05-02.csv", both)
        .file("2026-05-01.csv", report(B, &["b-old"]))
        .file("2026-05-03.csv", report(A, &["a-new"]));
    let (found, json, _) = scan(&place, ".");
    assert_eq!(found, ["a-new", "b-new"]);
    let expected = [
        "./2026-05-01.csv: null older",
        "./2026-05-02.csv: 2 older",
        "./2026-05-03.csv: 2 -",
    ];
    assert_eq!(inputs(&json), expected);
}

#[test]
fn a_partial_export_hides_nothing() {
    let partial = format!("{HEADER}{}", users(A, &["one"]));
    let place = Workspace::new()
        .file("2026-05-01.csv", report(A, &["one", "two"]))
        .file("2026-05-02.csv", &partial);
    assert_eq!(scan(&place, ".").0, ["one", "one", "two"]);
    let place = place.file("2026-05-03.csv", report(A, &["three"]));
    assert_eq!(scan(&place, ".").0, ["three"], "a whole report displaces both");
}

#[test]
fn rows_without_an_account_are_never_left_out() {
    let rows = format!(
        "{}nobody,,true,false\nbad,garbage,true,false\n",
        report(A, &["old"])
    );
    let place = Workspace::new()
        .file("2026-05-01.csv", rows)
        .file("2026-05-02.csv", report(A, &["new"]));
    let (found, json, _) = scan(&place, ".");
    assert_eq!(found, ["bad", "new", "nobody"]);
    assert_eq!(inputs(&json)[0], "./2026-05-01.csv: 2 older");
}

#[test]
fn doubtful_snapshots_are_named() {
    let place = Workspace::new()
        .file("2026-05-01.csv", report(A, &["one"]))
        .file("a-2026-05-01.csv", report(A, &["two"]))
        .file("undated.csv", report(A, &["three"]))
        .file("2099-01-01.csv", report(B, &["four"]));
    let (found, json, stderr) = scan(&place, ".");
    assert_eq!(found, ["four", "one"]);
    for text in [
        "./a-2026-05-01.csv: it has other rows of account 111122223333 than ./2026-05-01.csv",
        "./undated.csv: nothing says when it was generated, so its rows of account 111122223333 are left out",
        "./2099-01-01.csv: it is dated 2099-01-01T23:59:59Z, after now",
    ] {
        assert!(stderr.contains(text), "no '{text}' in {stderr}");
    }
    let expected = [
        "./2026-05-01.csv: 2 -",
        "./2099-01-01.csv: 2 -",
        "./a-2026-05-01.csv: null same-time",
        "./undated.csv: null undated",
    ];
    assert_eq!(inputs(&json), expected);
}

#[test]
fn an_account_that_lags_behind_is_named() {
    let place = Workspace::new()
        .file("a-2026-05-01.csv", report(A, &["one"]))
        .file("b-2026-05-09.csv", report(B, &["two"]));
    let (_, _, stderr) = scan(&place, ".");
    let text =
        "the newest snapshot of account 111122223333 is from 2026-05-01T23:59:59Z, more than 7 days before";
    assert!(stderr.contains(text), "{stderr}");
    let place = place
        .file("b-2026-05-09.csv", "")
        .file("b-2026-05-08.csv", report(B, &["two"]));
    let run = place.run("scan . --rule console-user-without-mfa --format json");
    assert!(!run.stderr.contains("[lagging-account]"), "{}", run.stderr);
}

#[test]
fn a_damaged_report_displaces_nothing() {
    let mut packed = crate::io::gzip(report(A, &["new"]).as_bytes());
    packed.truncate(packed.len() - 4);
    let place = Workspace::new()
        .file("2026-05-01.csv", report(A, &["old"]))
        .file("2026-05-02.csv.gz", packed);
    let run = place.run("scan . --rule console-user-without-mfa --format csv");
    run.ends(4, "2026-05-02.csv.gz").says("old");
}

#[test]
fn standard_input_takes_part() {
    let place = Workspace::new().file("2026-05-01.csv", report(A, &["file"]));
    let json = serde_json::json!({
        "Content": report(A, &["piped"]),
        "GeneratedTime": "2026-05-02T00:00:00Z",
    });
    let run = place.run_with(
        "scan 2026-05-01.csv - --rule console-user-without-mfa --format csv",
        json.to_string(),
    );
    run.ends(1, "1 snapshot of 1 account left out")
        .says("piped")
        .hides("file");
}

#[test]
fn both_thread_counts_choose_alike() {
    let mut place = Workspace::new();
    for day in 1..=28 {
        let rows = users(A, &["x"]).repeat(day * 40);
        let text = format!("{HEADER}{}{rows}{}{rows}", root(A), root(B));
        place = place.file(&format!("r/2026-02-{day:02}.csv"), text);
    }
    let one = scan(&place, "r --threads 1");
    assert_eq!(one.0.len(), 28 * 80);
    let seven = scan(&place, "r --threads 7");
    assert_eq!((one.0, one.1), (seven.0, seven.1));
}

#[test]
fn snapshots_after_now_hide_only_their_copies() {
    let partial = format!("{HEADER}{}", users(A, &["partial"]));
    let place = Workspace::new()
        .file("a-2099-01-01.csv", &partial)
        .file("b-2099-01-01.csv", report(A, &["b"]))
        .file("c-2099-01-01.csv", report(A, &["c"]))
        .file("d-2099-01-01.csv", report(A, &["b"]));
    for arguments in [".", ". --as-of 2026-01-01"] {
        assert_eq!(scan(&place, arguments).0, ["b", "c", "partial"], "{arguments}");
    }
}

/// The ages of an undated input count to now, those of the others do not; also if its account is in no other.
#[test]
fn an_undated_input_beside_dated_ones_gets_a_warning() {
    let undated = "./undated.csv: nothing says when this report was generated, so its ages are counted to now; those of \
                   ./2026-05-01.csv to 2026-05-01T23:59:59Z [undated]";
    let place = Workspace::new()
        .file("2026-05-01.csv", report(A, &["one"]))
        .file("undated.csv", report(B, &["two"]));
    for arguments in [".", ". --all-snapshots", "undated.csv 2026-05-01.csv"] {
        let (found, json, stderr) = scan(&place, arguments);
        assert_eq!(found, ["one", "two"]);
        let undated = if arguments.starts_with('.') {
            undated.to_owned()
        } else {
            undated.replace("./", "")
        };
        assert!(stderr.contains(&undated), "{arguments}: {stderr}");
        let diagnostics = json["diagnostics"].as_array().unwrap().iter();
        assert_eq!(diagnostics.filter(|it| it["code"] == "undated").count(), 1);
    }
    // One as-of for all, or nothing dated: there is no difference.
    for arguments in [". --as-of 2026-06-01", "undated.csv"] {
        let (_, json, _) = scan(&place, arguments);
        assert!(
            !json["diagnostics"].to_string().contains("undated\","),
            "{arguments}"
        );
    }
    // What is left out anyway is named once.
    let place = place.file("old.csv", report(A, &["three"]));
    let (_, _, stderr) = scan(&place, ".");
    assert_eq!(stderr.matches("./old.csv").count(), 1, "{stderr}");
}

#[test]
fn directories_and_file_names_date_reports() {
    let place = Workspace::new()
        .file("2026/11/20/report.csv", report(A, &["one"]))
        .file(
            "year=2026/month=11/day=21/report-20261119-030145.csv",
            report(A, &["two"]),
        )
        .file(
            "2026/11/31/2026-11-01_2026-11-18-02-15.csv",
            report(A, &["three"]),
        );
    let (found, json, stderr) = scan(&place, "--all-snapshots .");
    assert_eq!(found, ["one", "three", "two"]);
    let as_ofs: Vec<_> = json["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["as_of"].as_str().unwrap())
        .collect();
    assert_eq!(
        as_ofs,
        [
            "2026-11-20T23:59:59Z",
            "2026-11-18T02:15:00Z",
            "2026-11-19T03:01:45Z"
        ]
    );
    assert!(!stderr.contains("undated"), "{stderr}");
}
