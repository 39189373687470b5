//! `trend` of accounts of which some have no newer report: they are listed, and their findings are counted by themselves.

use std::fs;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::ended;
use crate::support::schemas::assert_document;

const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "777788889999"];

/// A report whose user bob has a password and no MFA, and an old key where that is asked for.
fn report(account: &str, has_key: bool) -> String {
    let key = if has_key {
        "true,2021-01-02T03:04:05Z"
    } else {
        "false,N/A"
    };
    format!(
        "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated\n\
         <root_account>,arn:aws:iam::{account}:root,2020-01-02T03:04:05Z,not_supported,true,false,N/A\n\
         bob,arn:aws:iam::{account}:user/bob,2021-01-02T03:04:05Z,true,false,{key}\n"
    )
}

/// Reports of these days of November, by account.
fn reports(days: [&[u32]; 3]) -> TempDir {
    let folder = tempdir().unwrap();
    for (account, days) in ACCOUNTS.into_iter().zip(days) {
        for day in days {
            let name = format!("{account}_202611{day:02}T0{}0000Z.csv", day % 3);
            fs::write(folder.path().join(name), report(account, *day > 21)).unwrap();
        }
    }
    folder
}

fn trend(folder: &TempDir, args: &[&str]) -> (String, String) {
    let mut command = Command::cargo_bin("credlens").unwrap();
    let rules = [
        "--rule",
        "console-user-without-mfa",
        "--rule",
        "access-key-not-rotated",
    ];
    command
        .current_dir(folder.path())
        .args(["trend", "."])
        .args(rules)
        .args(args);
    let (code, out, err) = ended(command.env("COLUMNS", "110"));
    assert_eq!(code, 0, "{err}");
    (out, err)
}

fn document(folder: &TempDir, by_account: bool) -> Value {
    let by: &[&str] = if by_account { &["--by", "account"] } else { &[] };
    let (out, _) = trend(folder, &[&["--format", "json"], by].concat());
    assert_document("trend.v1", &out);
    serde_json::from_str(&out).unwrap()
}

fn messages(document: &Value, code: &str) -> Vec<String> {
    let all = document["diagnostics"].as_array().unwrap().iter();
    all.filter(|it| it["code"] == code)
        .map(|it| it["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn findings_of_stale_accounts_are_counted_by_themselves() {
    let folder = reports([&[20, 21, 22, 23, 24], &[20, 21, 22], &[20, 22, 24]]);
    for by_account in [false, true] {
        let document = document(&folder, by_account);
        let stale = json!([
            {"account": ACCOUNTS[1], "account_name": null, "as_of": "2026-11-22T01:00:00Z", "findings": 2}
        ]);
        assert_eq!(document["stale_accounts"], stale, "{by_account}");
        for rule in document["rules"].as_array().unwrap() {
            assert_eq!(
                (&rule["open"], &rule["of_stale_accounts"]),
                (&json!(2), &json!(1)),
                "{rule}"
            );
            let count = |name: &str| rule[name].as_u64().unwrap();
            let all = count("at_start") + count("opened") + count("unveiled") - count("resolved");
            assert_eq!(count("open") + count("of_stale_accounts"), all);
        }
        let oldest = document["oldest"].as_array().unwrap();
        assert_eq!(oldest.len(), 4);
        assert!(oldest.iter().all(|finding| finding["account"] != ACCOUNTS[1]));
        let gap = |account, after: &str, days: [&str; 2], snapshots| {
            let [first, last] = days.map(|day| format!("2026-11-{day}Z"));
            json!({"account": account, "account_name": null, "after": format!("2026-11-{after}Z"),
                   "first": first, "last": last, "snapshots": snapshots})
        };
        let gaps = [
            gap(ACCOUNTS[2], "20T02:00:00", ["21T00:00:00", "21T00:00:00"], 1),
            gap(ACCOUNTS[2], "22T01:00:00", ["23T02:00:00", "23T02:00:00"], 1),
            // A gap that goes on is repeated.
            gap(ACCOUNTS[1], "22T01:00:00", ["23T02:00:00", "24T00:00:00"], 2),
        ];
        assert_eq!(document["gaps"], json!(gaps));
        assert_eq!(
            messages(&document, "gap"),
            [
                "account 777788889999 is missing at 2026-11-21T00:00:00Z but is in the one before; its open findings \
                 stayed open",
                "account 777788889999 is missing at 2026-11-23T02:00:00Z but is in the one before; its open findings \
                 stayed open",
                "account 444455556666 is missing from 2 snapshots, 2026-11-23T02:00:00Z to 2026-11-24T00:00:00Z and has \
                 no newer report",
            ]
        );
        assert_eq!(
            messages(&document, "stale-account"),
            [
                "accounts without a newer report: 444455556666, last of 2026-11-22; their 2 findings are counted by \
                 themselves"
            ]
        );
    }
}

#[test]
fn a_table_by_account_has_dates_and_gaps() {
    let folder = reports([&[20, 21, 22, 23, 24], &[20, 21, 22], &[20, 22, 24]]);
    let (out, _) = trend(&folder, &["--by", "account"]);
    let lines = |from: &str| -> Vec<String> {
        let account = out.lines().skip_while(|line| !line.starts_with(from));
        account.take(4).map(str::to_owned).collect()
    };
    insta::assert_snapshot!(lines("account 111122223333").join("\n"), @"
    account 111122223333
    5 reports, 2026-11-20 to 2026-11-24
                                       2026-11-20  2026-11-24
    high findings                               1           2  ▅▅███
    ");
    insta::assert_snapshot!(lines("account 444455556666").join("\n"), @"
    account 444455556666
    3 reports, 2026-11-20 to 2026-11-22; missing 2026-11-23 to 2026-11-24 (2 snapshots); no newer report
                                       2026-11-20  2026-11-22
    high findings                               1           2  ▅▅█
    ");
    insta::assert_snapshot!(lines("account 777788889999").join("\n"), @"
    account 777788889999
    3 reports, 2026-11-20 to 2026-11-24; missing 2026-11-21; missing 2026-11-23
                                       2026-11-20  2026-11-24
    high findings                               1           2  ▅ █ █
    ");
    for format in ["markdown", "html"] {
        let (out, _) = trend(&folder, &["--by", "account", "--format", format]);
        let right = "3 reports, 2026-11-20 to 2026-11-22; missing 2026-11-23 to 2026-11-24 (2 snapshots); no newer report";
        assert!(out.contains(right), "{format}: {out}");
    }
    let (_, err) = trend(&folder, &["--format", "csv"]);
    assert!(
        err.contains("accounts without a newer report: 444455556666"),
        "{err}"
    );
}

/// Accounts that never have reports at the same time have schedules of their own: they are stale after a pause that is a gap.
#[test]
fn accounts_with_times_of_their_own() {
    let stale = |days| -> Vec<String> {
        let document = document(&reports(days), false);
        let stale = document["stale_accounts"].as_array().unwrap();
        stale
            .iter()
            .map(|it| it["account"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(stale([&[1, 8, 15, 22], &[3, 10, 17, 24], &[]]), [""; 0]);
    assert_eq!(stale([&[1, 3, 5], &[2, 4, 6, 8, 10, 12, 14], &[]]), [ACCOUNTS[0]]);
    assert_eq!(stale([&[1], &[24], &[]]), [ACCOUNTS[0]]);
    assert_eq!(stale([&[2], &[3], &[]]), [""; 0]);
    assert_eq!(stale([&[1, 2, 3], &[], &[]]), [""; 0]);
}

/// Accounts that are missing from the same snapshots are one message.
#[test]
fn several_missing_accounts() {
    let document = document(&reports([&[20, 21, 22], &[20], &[20]]), false);
    assert_eq!(
        messages(&document, "gap"),
        [
            "account 444455556666 and 1 more are missing from 2 snapshots, 2026-11-21T00:00:00Z to 2026-11-22T01:00:00Z \
             and have no newer report"
        ]
    );
    let stale = messages(&document, "stale-account");
    assert!(
        stale[0].starts_with(
            "accounts without a newer report: 444455556666, last of 2026-11-20; 777788889999, last of"
        ),
        "{stale:?}"
    );
}
