//! The commands `diff` and `trend` on files.

use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

use crate::support::ended;
use crate::support::schemas::assert_document;

use super::simulated_account::{Account, DAY, HEADER, text};

/// A folder with a report of each of these days, named by its time.
fn reports(days: &[i64]) -> (TempDir, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut account = Account::new(7, 20);
    let start = account.now;
    let names = days.iter().map(|day| {
        account.live_until(start + day * DAY);
        let name = format!("{}.csv", text(account.now).replace(':', ""));
        std::fs::write(
            folder.path().join(&name),
            format!("{HEADER}\n{}", account.report()),
        )
        .unwrap();
        name
    });
    let names = names.collect();
    (folder, names)
}

fn credlens(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("credlens").unwrap();
    ended(command.current_dir(folder).args(args))
}

#[test]
fn diff_shows_and_fails_on_new_findings() {
    let (folder, names) = reports(&[0, 60]);
    let [old, new] = [&*names[0], &*names[1]];
    let (status, table, errors) = credlens(folder.path(), &["diff", old, new]);
    assert_eq!((status, &*errors), (0, ""));
    assert!(
        table.contains("key-rotated") && table.contains("still open"),
        "{table}"
    );
    let arguments = ["diff", old, new, "--format", "json", "--fail-on-new", "low"];
    let (status, json, _) = credlens(folder.path(), &arguments);
    assert_eq!(status, 1);
    assert_document("diff.v1", &json);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["schema"], "credlens.diff/v1");
    assert_eq!(document["old"]["as_of"], "2025-01-01T00:00:00Z");
    let (status, ..) = credlens(folder.path(), &["diff", old, old, "--fail-on-new", "low"]);
    assert_eq!(status, 0, "nothing is new");
}

#[test]
fn diff_refuses_reports_that_cannot_be_compared() {
    let (folder, names) = reports(&[0]);
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "missing.csv"]);
    assert_eq!(status, 3, "{errors}");
    assert!(errors.contains("missing.csv"), "{errors}");
    let other = Account::new(8, 3);
    std::fs::write(
        folder.path().join("other.csv"),
        format!("{HEADER}\n{}", other.report()),
    )
    .unwrap();
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "other.csv"]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("different accounts"), "{errors}");
    std::fs::create_dir(folder.path().join("others")).unwrap();
    std::fs::rename(
        folder.path().join("other.csv"),
        folder.path().join("others/2025-06-01.csv"),
    )
    .unwrap();
    let (status, _, errors) = credlens(folder.path(), &["diff", &names[0], "others"]);
    assert_eq!(status, 3, "{errors}");
    assert!(
        errors.contains("no account has a newer report than in OLD"),
        "{errors}"
    );
}

#[test]
fn trend_sorts_reports_by_time() {
    let (folder, names) = reports(&[0, 30, 60, 90]);
    let arguments = [
        "trend", &names[2], &names[0], &names[3], &names[1], "--format", "json",
    ];
    let (status, json, errors) = credlens(folder.path(), &arguments);
    assert_eq!((status, &*errors), (0, ""));
    assert_document("trend.v1", &json);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let days: Vec<_> = document["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["as_of"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(days.len(), 4);
    assert!(days.is_sorted(), "{days:?}");
    let (_, same, _) = credlens(
        folder.path(),
        &["trend", ".", "--format", "json", "--threads", "1"],
    );
    assert_eq!(same.replace("./", ""), json);
    let (status, page, _) = credlens(
        folder.path(),
        &["trend", ".", "--format", "html", "--by", "account"],
    );
    assert!(status == 0 && page.contains("<svg"));
}

#[test]
fn trend_continues_after_an_unreadable_input() {
    let (folder, _) = reports(&[0, 30]);
    std::fs::write(folder.path().join("2025-02-30.txt"), "user,arn\n").unwrap();
    let (status, table, errors) = credlens(folder.path(), &["trend", "."]);
    assert_eq!(status, 4, "{errors}");
    assert!(
        table.starts_with("2 snapshots") && errors.contains("2025-02-30.txt"),
        "{errors}"
    );
    let (status, ..) = credlens(folder.path(), &["trend", "2025-02-30.txt"]);
    assert_eq!(status, 3);
    let (status, _, errors) = credlens(folder.path(), &["trend", "-"]);
    assert_eq!(status, 2);
    assert!(
        errors.contains("standard input") && errors.contains("save it to a file"),
        "{errors}"
    );
}

#[test]
fn trend_of_a_report_without_users_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("2025-06-01.csv"), format!("{HEADER}\n")).unwrap();
    let (status, output, errors) = credlens(folder.path(), &["trend", "2025-06-01.csv"]);
    assert_eq!((status, &*output), (3, ""));
    assert!(errors.contains("without a single user"), "{errors}");
}

#[test]
fn limit_applies_to_the_oldest_findings() {
    let folder = tempfile::tempdir().unwrap();
    let user = |number| {
        let dates = "2020-01-01,true,no_information,2020-01-01,N/A,false";
        let rest = "false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
        format!("u{number},arn:aws:iam::1:user/u{number},{dates},{rest}\n")
    };
    let users: String = (0..120).map(user).collect();
    std::fs::write(folder.path().join("2025-06-01.csv"), format!("{HEADER}\n{users}")).unwrap();
    let output = |more: &[&str]| {
        let arguments = ["trend", ".", "--rule", "console-user-without-mfa"];
        credlens(folder.path(), &[&arguments, more].concat()).1
    };
    for format in ["table", "markdown", "html"] {
        let shown = |limit: &str| {
            let text = output(&["--format", format, "--limit", limit]);
            (
                text.matches("before 2025-06-01").count(),
                text.contains("more open findings (--limit 0 shows all)"),
            )
        };
        assert_eq!(shown("3"), (3, true), "{format}");
        assert_eq!(shown("0"), (120, false), "{format}");
    }
    let documented = |more: &[&str]| {
        let json: serde_json::Value =
            serde_json::from_str(&output(&[&["--format", "json"], more].concat())).unwrap();
        json["oldest"].as_array().unwrap().len()
    };
    assert_eq!(documented(&["--limit", "3"]), 100);
    assert_eq!(documented(&["--limit", "0"]), 120);
}

#[test]
fn diff_takes_both_as_of_options() {
    let (folder, names) = reports(&[0, 60]);
    for (name, other) in names.iter().zip(["old.csv", "new.csv"]) {
        std::fs::rename(folder.path().join(name), folder.path().join(other)).unwrap();
    }
    let diff = |arguments: &[&str]| -> (i32, serde_json::Value) {
        let arguments = [&["diff", "old.csv", "new.csv", "--format", "json"], arguments].concat();
        let (status, json, _) = credlens(folder.path(), &arguments);
        (status, serde_json::from_str(&json).unwrap_or_default())
    };
    let as_of = |document: &serde_json::Value, side: &str| {
        ["as_of", "as_of_source"].map(|key| document[side][key].as_str().unwrap().to_owned())
    };
    let times = ["--old-as-of", "2025-01-01", "--new-as-of", "2025-03-02T00:00:00Z"];
    let (status, both) = diff(&times);
    assert_eq!(status, 0);
    assert_eq!(as_of(&both, "old"), ["2025-01-01T00:00:00Z", "argument"]);
    assert_eq!(as_of(&both, "new"), ["2025-03-02T00:00:00Z", "argument"]);
    let codes = |document: &serde_json::Value| document["diagnostics"].to_string();
    assert!(!codes(&both).contains("undated"));
    // OLD is of now.
    let (_, one) = diff(&[&times[2..], &["--reversed"]].concat());
    assert_eq!(as_of(&one, "old")[1], "now");
    assert_eq!(as_of(&one, "new"), ["2025-03-02T00:00:00Z", "argument"]);
    assert!(codes(&one).contains("undated"));
    assert_eq!(diff(&["--old-as-of", "yesterday"]).0, 2);
}

#[test]
fn many_diagnostics_of_one_code_are_folded_on_standard_error() {
    // Nothing in the first report is newer than the date in its name.
    let (folder, names) = reports(&[0, 30, 60, 90, 120, 150]);
    for (day, name) in (10..).zip(&names) {
        let dated = format!("2024-06-{day}.csv");
        std::fs::rename(folder.path().join(name), folder.path().join(dated)).unwrap();
    }
    let count = |text: &str| text.matches("[newer-than-as-of]").count();
    for command in [
        &["trend", ".", "--format", "json"][..],
        &["scan", ".", "--all-snapshots", "--format", "json"],
    ] {
        let (_, json, errors) = credlens(folder.path(), command);
        assert_eq!(count(&errors), 3, "{errors}");
        assert!(
            errors.ends_with("… and 2 more of newer-than-as-of (-v shows them)\n"),
            "{errors}"
        );
        assert_eq!(json.matches("\"newer-than-as-of\"").count(), 5);
        let (.., all) = credlens(folder.path(), &[command, &["-v"]].concat());
        assert_eq!(count(&all), 5, "{all}");
        assert!(!all.contains("more of"), "{all}");
    }
}

/// A column that only the newer report has unveils a finding, which is not new.
#[test]
fn diff_does_not_fail_on_unveiled_findings() {
    let folder = tempfile::tempdir().unwrap();
    let header = "user,arn,user_creation_time,password_enabled";
    let rows = [("a", "true"), ("b", "false")].map(|(name, enabled)| {
        format!("{name},arn:aws:iam::111122223333:user/{name},2026-01-01T00:00:00Z,{enabled}")
    });
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("2026-10-01.csv", format!("{header}\n{}\n{}\n", rows[0], rows[1]));
    write(
        "2026-11-01.csv",
        format!("{header},mfa_active\n{},false\n{},false\n", rows[0], rows[1]),
    );
    let enabled = rows[1].replace("false", "true");
    write(
        "2026-12-01.csv",
        format!("{header},mfa_active\n{},false\n{enabled},false\n", rows[0]),
    );
    let rule = ["--rule", "console-user-without-mfa"];
    let diff = |new: &str, more: &[&str]| {
        let named = ["diff", "2026-10-01.csv", new, "--fail-on-new", "low"];
        credlens(folder.path(), &[&named[..], &rule, more].concat())
    };
    let (status, json, _) = diff("2026-11-01.csv", &["--format", "json"]);
    assert_eq!(status, 0);
    assert_document("diff.v1", &json);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    let users = |which: &str| {
        let findings = document["findings"][which].as_array().unwrap();
        findings
            .iter()
            .map(|finding| finding["user"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((users("opened"), users("unveiled")), (vec![], vec!["a"]));
    let (status, table, _) = diff("2026-12-01.csv", &[]);
    assert_eq!(status, 1);
    let verdict =
        "findings: 1 opened (1 high), 1 unveiled by more columns (1 high), 0 resolved, 0 still open";
    assert!(table.contains(&format!("\n\n{verdict}\n")), "{table}");
    assert!(
        table.contains("\n  Not new: the older report lacks columns that show these findings.\n"),
        "{table}"
    );
    let (_, markdown, _) = diff("2026-12-01.csv", &["--format", "markdown"]);
    assert!(markdown.contains("\n## Unveiled\n"), "{markdown}");
    let trend = |format: &str| {
        let named = ["trend", ".", "--format", format];
        credlens(folder.path(), &[&named[..], &rule].concat()).1
    };
    for (format, text) in [
        ("table", "unveiled by more columns"),
        ("markdown", "| at start | opened | unveiled | resolved |"),
        ("html", "<title>1 finding unveiled</title>"),
        ("csv", "opened,resolved,unveiled,"),
    ] {
        let written = trend(format);
        assert!(written.contains(text), "{format}: {written}");
    }
    assert_document("trend.v1", &trend("json"));
}

/// As of now, the older report would be the newer one.
#[test]
fn diff_refuses_an_undated_report_beside_a_dated_one() {
    let (folder, names) = reports(&[0, 60]);
    let dated = &*names[0];
    std::fs::rename(folder.path().join(&names[1]), folder.path().join("new.csv")).unwrap();
    let (status, _, errors) = credlens(folder.path(), &["diff", dated, "new.csv"]);
    assert_eq!(status, 2);
    let expected = format!(
        "nothing says when NEW (new.csv) was generated, and OLD ({dated}) is dated 2025-01-01T00:00:00Z; give --new-as-of \
         TIME, or put the date into the file name"
    );
    assert!(errors.contains(&expected), "{errors}");
    let (status, _, errors) = credlens(folder.path(), &["diff", "new.csv", dated]);
    assert_eq!(status, 2);
    assert!(
        errors.contains("nothing says when OLD (new.csv)") && errors.contains("--old-as-of"),
        "{errors}"
    );
    let given = ["diff", dated, "new.csv", "--new-as-of", "2025-03-02"];
    assert_eq!(credlens(folder.path(), &given).0, 0);
    std::fs::create_dir_all(folder.path().join("2025/03/02")).unwrap();
    std::fs::rename(
        folder.path().join("new.csv"),
        folder.path().join("2025/03/02/new.csv"),
    )
    .unwrap();
    let (status, _, errors) = credlens(folder.path(), &["diff", dated, "2025/03/02/new.csv"]);
    assert_eq!((status, &*errors), (0, ""));
}

#[test]
fn a_check_decided_in_part_is_named_by_every_command() {
    let (folder, names) = reports(&[0, 60]);
    let [old, new] = [&*names[0], &*names[1]];
    for arguments in [["diff", old, new], ["trend", old, new]] {
        let arguments = [&arguments[..], &["--rule", "IAM.6", "--format", "json"]].concat();
        let (status, json, _) = credlens(folder.path(), &arguments);
        assert_eq!(status, 0, "{arguments:?}");
        assert!(
            json.contains("partly-decided") && json.contains("IAM.6 also asks"),
            "{json}"
        );
    }
}
