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

/// Reports at these hours since the beginning of November, by account.
fn at_hours(accounts: &[&[u32]]) -> TempDir {
    let folder = tempdir().unwrap();
    for (number, hours) in (1..).zip(accounts) {
        for hour in *hours {
            let (account, day, hour) = (format!("{number:012}"), 1 + hour / 24, hour % 24);
            let name = format!("{account}_202611{day:02}T{hour:02}0000Z.csv");
            fs::write(folder.path().join(name), report(&account, true)).unwrap();
        }
    }
    folder
}

/// The numbers of the stale accounts, those with gaps, and the number of users in the last point.
fn stale(accounts: &[&[u32]]) -> (Vec<u64>, Vec<u64>, u64) {
    let document = document(&at_hours(accounts), false);
    let numbers = |member: &str| {
        let all = document[member].as_array().unwrap().iter();
        all.map(|it| it["account"].as_str().unwrap().parse().unwrap())
            .collect()
    };
    let last = document["snapshots"].as_array().unwrap().last().unwrap();
    (
        numbers("stale_accounts"),
        numbers("gaps"),
        last["users"].as_u64().unwrap(),
    )
}

fn every(hours: u32, from: u32, until: u32) -> Vec<u32> {
    (from..until).step_by(hours as usize).collect()
}

/// An account is judged by its own pace: one report of another account makes no other one stale.
#[test]
fn accounts_have_a_pace() {
    let daily = every(24, 6, 10 * 24);
    let last = 9 * 24 + 6;
    // One of three is fetched again six hours later, or only then, or its report of the day comes late.
    let again = [&daily[..], &[last + 6]].concat();
    assert_eq!(stale(&[&daily, &daily, &again]), (vec![], vec![], 6));
    let late = [&daily[..daily.len() - 1], &[last + 13]].concat();
    assert_eq!(stale(&[&daily, &daily, &late]).0, [0; 0]);
    // One misses the last night, or an earlier one, or several.
    let without = |left_out: &[usize]| -> Vec<u32> {
        let kept = daily.iter().enumerate().filter(|(at, _)| !left_out.contains(at));
        kept.map(|(_, hour)| *hour).collect()
    };
    assert_eq!(stale(&[&daily, &daily, &without(&[9])]), (vec![3], vec![3], 4));
    assert_eq!(stale(&[&daily, &daily, &without(&[5])]), (vec![], vec![3], 6));
    assert_eq!(
        stale(&[&daily, &without(&[8, 9]), &without(&[7, 8, 9])]),
        (vec![2, 3], vec![3, 2], 2)
    );
    // Each day at another hour, and one of them ends.
    let hours = |from| every(24, from, 10 * 24);
    for until in [9 * 24 + 1, 9 * 24 + 7, 9 * 24 + 14] {
        let until = |from| {
            hours(from)
                .into_iter()
                .filter(|hour| *hour < until)
                .collect::<Vec<_>>()
        };
        let (stale, gaps, _) = stale(&[&until(0), &until(6), &until(13)]);
        assert_eq!(
            (stale, gaps),
            (vec![], vec![]),
            "{until:?}",
            until = until(0).last()
        );
    }
    assert_eq!(stale(&[&hours(0)[..8], &hours(6), &hours(13)]).0, [1]);
    // Every four hours and daily; daily and weekly.
    assert_eq!(stale(&[&every(4, 0, 10 * 24), &hours(0), &hours(0)]).0, [0; 0]);
    for days in 22..29 {
        assert_eq!(
            stale(&[
                &every(24, 0, days * 24),
                &every(24, 0, days * 24),
                &every(7 * 24, 0, days * 24)
            ])
            .0,
            [0; 0],
            "{days}"
        );
    }
    let weekly = every(7 * 24, 0, 15 * 24);
    assert_eq!(
        stale(&[&every(24, 0, 28 * 24), &every(24, 0, 28 * 24), &weekly]).0,
        [3]
    );
    // Each at times of its own, or with a report alone.
    let days = |days: &[u32]| days.iter().map(|day| day * 24).collect::<Vec<_>>();
    assert_eq!(
        stale(&[&days(&[1, 8, 15, 22]), &days(&[3, 10, 17, 24])]).0,
        [0; 0]
    );
    assert_eq!(
        stale(&[&days(&[1, 3, 5]), &days(&[2, 4, 6, 8, 10, 12, 14])]).0,
        [1]
    );
    assert_eq!(stale(&[&days(&[1]), &days(&[24])]).0, [1]);
    assert_eq!(stale(&[&[24], &[24 + 17]]).0, [0; 0]);
    assert_eq!(stale(&[&[24], &[24 + 18]]).0, [1]);
    assert_eq!(stale(&[&days(&[1, 2, 3])]).0, [0; 0]);
    assert_eq!(stale(&[&daily, &daily, &daily[7..8]]).0, [3]);
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
