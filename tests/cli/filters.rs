//! Filters by user, path and account: rows, counts and messages follow them, in every command that reads reports.

use std::fmt::Write as _;

use serde_json::Value;

use super::{FORMATS, Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,account_name\n";

/// A report of an account with these users, each with a password and no MFA; a user is `/path/name`.
fn rows(account: &str, name: &str, users: &[&str]) -> String {
    let mut rows = format!(
        "<root_account>,arn:aws:iam::{account}:root,2019-01-01T00:00:00Z,not_supported,no_information,false,false,N/A,false,N/A,{name}\n"
    );
    for user in users {
        let (_, user_name) = user.rsplit_once('/').unwrap();
        writeln!(
            rows,
            "{user_name},arn:aws:iam::{account}:user{user},2019-01-01T00:00:00Z,true,no_information,false,false,N/A,false,N/A,{name}"
        )
        .unwrap();
    }
    rows
}

fn report(users: &[&str]) -> String {
    HEADER.to_owned()
        + &rows("111122223333", "prod", users)
        + &rows("444455556666", "dev", &["/svc-a", "/team-a/x/alice"])
}

const USERS: [&str; 4] = ["/team-a/alice", "/team-b/bob", "/svc-a", "/svc-b"];

fn place() -> Workspace {
    Workspace::new().file("2026-05-01.csv", report(&USERS))
}

fn scan(filters: &str) -> Outcome {
    place().run(&*format!(
        "scan 2026-05-01.csv --rule console-user-without-mfa --format json --status all {filters}"
    ))
}

/// `account/user` of the findings, and the number of evaluated rows.
fn found(filters: &str) -> (Vec<String>, u64) {
    let run = scan(filters);
    let json: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let findings = json["findings"].as_array().unwrap().iter();
    let found = findings.map(|it| {
        format!(
            "{}/{}",
            it["account_name"].as_str().unwrap_or("?"),
            it["user"].as_str().unwrap()
        )
    });
    let found: Vec<_> = found.filter(|it| !it.ends_with("<root_account>")).collect();
    let rule = &json["rules"][0];
    assert_eq!(rule["failed"].as_u64().unwrap(), found.len() as u64, "{filters}");
    (found, json["inputs"][0]["users"].as_u64().unwrap())
}

#[test]
fn rows_and_counts_follow() {
    for (filters, users, rows) in [
        (
            "",
            &[
                "prod/alice",
                "prod/bob",
                "prod/svc-a",
                "prod/svc-b",
                "dev/svc-a",
                "dev/alice",
            ][..],
            8,
        ),
        ("--user alice", &["prod/alice", "dev/alice"], 2),
        ("--user svc-*", &["prod/svc-a", "prod/svc-b", "dev/svc-a"], 3),
        ("--user svc-* --exclude-user *-b", &["prod/svc-a", "dev/svc-a"], 2),
        (
            "--exclude-user svc-*",
            &["prod/alice", "prod/bob", "dev/alice"],
            5,
        ),
        ("--path /team-a/", &["prod/alice"], 1),
        ("--path /team-a/*", &["prod/alice", "dev/alice"], 2),
        ("--path /", &["prod/svc-a", "prod/svc-b", "dev/svc-a"], 3),
        // Root has no path.
        (
            "--path *",
            &[
                "prod/alice",
                "prod/bob",
                "prod/svc-a",
                "prod/svc-b",
                "dev/svc-a",
                "dev/alice",
            ],
            6,
        ),
        (
            "--exclude-path /team-*",
            &["prod/svc-a", "prod/svc-b", "dev/svc-a"],
            5,
        ),
        ("--user <root_account>", &[], 2),
        ("--account 444455556666", &["dev/svc-a", "dev/alice"], 3),
        ("--account dev", &["dev/svc-a", "dev/alice"], 3),
        (
            "--account d* --account 1111*",
            &[
                "prod/alice",
                "prod/bob",
                "prod/svc-a",
                "prod/svc-b",
                "dev/svc-a",
                "dev/alice",
            ],
            8,
        ),
        (
            "--exclude-account dev",
            &["prod/alice", "prod/bob", "prod/svc-a", "prod/svc-b"],
            5,
        ),
        (
            "--account prod --user alice --user bob --path /team-b/",
            &["prod/bob"],
            1,
        ),
    ] {
        let users: Vec<_> = users.iter().map(|user| (*user).to_owned()).collect();
        assert_eq!(found(filters), (users, rows), "{filters}");
    }
}

#[test]
fn every_output_says_so() {
    for format in FORMATS {
        let run = place().run(&*format!(
            "scan 2026-05-01.csv --format {format} --user svc-* --exclude-account dev"
        ));
        let note = "only the users of --user 'svc-*' without --exclude-account 'dev' are evaluated";
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words(&run.stdout) + &words(&run.stderr);
        assert!(
            said.contains(note) || said.replace("&#42;", "*").contains(note),
            "{format}: {run:?}"
        );
    }
    let run = scan("--user svc-*");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["filters"], serde_json::json!({"user": ["svc-*"]}));
    let json: Value = serde_json::from_str(&scan("").stdout).unwrap();
    assert_eq!(json["filters"], serde_json::json!({}));
}

#[test]
fn a_filter_without_a_match_is_3() {
    for (filters, message) in [
        (
            "--user alise",
            "no user matches --user 'alise'; did you mean 'alice'?",
        ),
        (
            "--user SVC-*",
            "no user matches --user 'SVC-*'; did you mean 'svc-",
        ),
        (
            "--path /team-a",
            "no user's path matches --path '/team-a'; did you mean '/team-a/*'?",
        ),
        (
            "--account Dev",
            "no account matches --account 'Dev'; did you mean 'dev'?",
        ),
        (
            "--user root",
            "no user matches --user 'root'; did you mean '<root_account>'?",
        ),
        (
            "--account 1111",
            "no account matches --account '1111'; an account id has twelve digits; did you mean '1111*'?",
        ),
        (
            "--account prod --path /team-a/x/",
            "no user matches --path '/team-a/x/' --account 'prod' at once",
        ),
    ] {
        let run = scan(filters);
        run.ends(3, message);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["findings"], serde_json::json!([]), "{filters}");
        let table = place().run(&*format!("scan 2026-05-01.csv {filters}"));
        table
            .ends(3, message)
            .says("nothing was evaluated")
            .hides("nothing failed");
        for format in ["summary", "markdown"] {
            let run = place().run(&*format!("scan 2026-05-01.csv --format {format} {filters}"));
            run.says("nothing was evaluated").hides("found nothing");
        }
        let place = place().file("2026-06-01.csv", report(&USERS));
        place
            .run(&*format!("diff 2026-05-01.csv 2026-06-01.csv {filters}"))
            .ends(3, message);
        place.run(&*format!("trend . {filters}")).ends(3, message);
    }
    scan("--user a[").ends(2, "--user 'a[' is not a valid pattern");
}

#[test]
fn what_is_left_out_is_not_missed() {
    let suppressions = "[[suppress]]\nrule = \"console-user-without-mfa\"\nuser = \"zoe\"\nreason = \"x\"\n";
    let place = place().file("s.toml", suppressions);
    let scan = |filters: &str| -> Value {
        let run = place.run(&*format!(
            "scan 2026-05-01.csv --framework cis-aws-5.0 --suppressions s.toml --format json {filters}"
        ));
        serde_json::from_str(&run.stdout).unwrap()
    };
    let codes = |json: &Value| {
        let all = json["diagnostics"].as_array().unwrap().iter();
        let codes = all.map(|it| it["code"].as_str().unwrap().to_owned());
        codes
            .filter(|code| ["no-root", "suppression-unused", "filtered"].contains(&&**code))
            .collect::<Vec<_>>()
    };
    let outcome = |json: &Value, id: &str| {
        let all = json["compliance"][0]["requirements"].as_array().unwrap();
        let one = all.iter().find(|it| it["id"] == id).unwrap();
        one["outcome"].as_str().unwrap().to_owned()
    };
    let all = scan("");
    assert_eq!(
        (codes(&all), outcome(&all, "1.3")),
        (vec!["suppression-unused".to_owned()], "pass".to_owned())
    );
    let some = scan("--user alice");
    assert_eq!(
        (codes(&some), outcome(&some, "1.3")),
        (vec!["filtered".to_owned()], "not-evaluated".to_owned())
    );
    // Accounts are whole: root is there.
    let account = scan("--account dev");
    assert_eq!(
        (codes(&account), outcome(&account, "1.3")),
        (vec!["filtered".to_owned()], "pass".to_owned())
    );
    let root = scan("--user <root_account>");
    assert_eq!(outcome(&root, "1.3"), "pass");
}

/// A user is compared if one of the two reports has it as the filters ask.
#[test]
fn diff_takes_a_user_that_matches_in_either_report() {
    let place = place().file(
        "2026-06-01.csv",
        report(&["/team-b/alice", "/team-b/bob", "/svc-a", "/team-a/carol"]),
    );
    let diff = |filters: &str| -> Value {
        let run = place.run(&*format!(
            "diff 2026-05-01.csv 2026-06-01.csv --rule console-user-without-mfa --format json {filters}"
        ));
        run.ends(0, "");
        serde_json::from_str(&run.stdout).unwrap()
    };
    let events = |json: &Value| {
        let events = json["events"].as_array().unwrap().iter();
        let event = |it: &Value| {
            format!(
                "{} {}",
                it["kind"].as_str().unwrap(),
                it["arn"].as_str().unwrap().rsplit(':').next().unwrap()
            )
        };
        events.map(event).collect::<Vec<_>>()
    };
    let counts = |json: &Value| {
        ["opened", "resolved", "open"].map(|which| json["findings"][which].as_array().unwrap().len())
    };
    let users = |json: &Value| ["old", "new"].map(|side| json[side]["users"].as_u64().unwrap());
    let all = diff("");
    assert_eq!((counts(&all), users(&all)), ([2, 2, 4], [8, 8]));
    // A renamed path is another ARN, and so another user.
    let team = diff("--path /team-a/*");
    assert_eq!(
        events(&team),
        ["user-created user/team-a/carol", "user-deleted user/team-a/alice"]
    );
    assert_eq!((counts(&team), users(&team)), ([1, 1, 1], [2, 2]));
    let services = diff("--user svc-*");
    assert_eq!(events(&services), ["user-deleted user/svc-b"]);
    assert_eq!((counts(&services), users(&services)), ([0, 1, 2], [3, 2]));
    let dev = diff("--account dev");
    assert_eq!((counts(&dev), users(&dev)), ([0, 0, 2], [3, 3]));
    assert_eq!(events(&dev), [""; 0]);
}

/// A user who is deleted is resolved, not missing; accounts without such a user are not part of the trend.
#[test]
fn trend_of_some_users() {
    let place = place()
        .file(
            "2026-06-01.csv",
            report(&["/team-a/alice", "/team-b/bob", "/svc-a"]),
        )
        .file("2026-07-01.csv", report(&["/team-b/bob", "/svc-a"]));
    let trend = |filters: &str| -> Value {
        let run = place.run(&*format!(
            "trend . --rule console-user-without-mfa --format json {filters}"
        ));
        run.ends(0, "");
        serde_json::from_str(&run.stdout).unwrap()
    };
    let users = |json: &Value| {
        let points = json["snapshots"].as_array().unwrap().iter();
        points.map(|it| it["users"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let counts = |json: &Value| {
        ["at_start", "opened", "resolved", "open"].map(|which| json["rules"][0][which].as_u64().unwrap())
    };
    let services = trend("--user svc-b --user bob");
    assert_eq!(
        (users(&services), counts(&services)),
        (vec![2, 1, 1], [2, 0, 1, 1])
    );
    assert_eq!(services["snapshots"][2]["accounts"], 1);
    // The account is still there when its last such user is deleted.
    let alice = trend("--user alice --account prod");
    assert_eq!((users(&alice), counts(&alice)), (vec![1, 1, 0], [1, 0, 1, 0]));
    assert_eq!(alice["stale_accounts"], serde_json::json!([]));
}

/// Of each option the command line goes first.
#[test]
fn filters_in_settings() {
    let place = place().file(
        "credlens.toml",
        "user = [\"svc-*\"]\nexclude-account = [\"dev\"]\n",
    );
    let users = |filters: &str| -> u64 {
        let run = place.run(&*format!("scan 2026-05-01.csv --format json {filters}"));
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        json["inputs"][0]["users"].as_u64().unwrap()
    };
    assert_eq!((users(""), users("--user alice")), (2, 1));
    assert_eq!(users("--account prod"), 2);
    assert_eq!(
        (users("--exclude-account prod"), users("--exclude-user *-b")),
        (1, 1)
    );
    let run = place.run("scan 2026-05-01.csv --account dev");
    run.ends(
        3,
        "no user matches --user 'svc-*' --account 'dev' without --exclude-account 'dev'",
    );
}

/// An account that is left out is there.
#[test]
fn diff_of_an_account_that_is_not_compared() {
    let single = |account: &str, name: &str, user: &str| {
        let whole = report(&[]);
        let header = whole.lines().next().unwrap();
        format!("{header}\n{}", rows(account, name, &[user]))
    };
    let place = Workspace::new()
        .file("old/2026-05-01.csv", single("111122223333", "prod", "/alice"))
        .file("old/2026-05-02.csv", single("444455556666", "dev", "/bob"))
        .file("new/2026-06-01.csv", single("111122223333", "prod", "/alice"))
        .file("new/2026-06-02.csv", single("777788889999", "test", "/carol"))
        .file("both.csv", report(&USERS))
        .file("one.csv", single("111122223333", "prod", "/alice"));
    for (filters, message) in [
        (
            "--account 444455556666",
            "the users of --account '444455556666' are only in accounts without a newer report: 444455556666 (dev), \
             last of 2026-05-02",
        ),
        (
            "--user bob",
            "the users of --user 'bob' are only in accounts without a newer report: 444455556666 (dev), last of 2026-05-02",
        ),
        (
            "--account test --exclude-user x",
            "the users of --account 'test' without --exclude-user 'x' are only in accounts without an older report: \
             777788889999 (test), last of 2026-06-02",
        ),
        ("--user bop", "no user matches --user 'bop'"),
    ] {
        place.run(&*format!("diff old new {filters}")).ends(3, message);
    }
    let diff = "diff both.csv one.csv --old-as-of 2026-05-01 --new-as-of 2026-06-01";
    place.run(&*format!("{diff} --account dev")).ends(
        3,
        "both.csv: account 444455556666 (dev) is not in the other report, so it is not compared",
    );
    place
        .run(&*format!("{diff} --account Dev"))
        .ends(3, "no account matches --account 'Dev'; did you mean 'dev'?");
}

/// All columns of a report as AWS writes it, so that unchanged users are recognised while the newer report is read.
#[test]
fn diff_by_the_name_that_only_the_newer_report_has() {
    const ALL: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
        password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
        access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
        access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
        cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
    let report = |name: &str| {
        let row = |user: &str, arn: &str| {
            let cells = "true,2026-04-01T00:00:00Z,2026-01-01T00:00:00Z,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A";
            format!(
                "{user},arn:aws:iam::111122223333:{arn},2019-01-01T00:00:00Z,{cells},false,N/A,false,N/A{name}\n"
            )
        };
        let head = if name.is_empty() { "" } else { ",account_name" };
        format!(
            "{ALL}{head}\n{}{}",
            row("<root_account>", "root"),
            row("al", "user/al")
        )
    };
    let place = Workspace::new()
        .file("2026-05-01.csv", report(""))
        .file("2026-06-01.csv", report(",prod"));
    for account in ["prod", "111122223333"] {
        let run = place.run(&*format!(
            "diff 2026-05-01.csv 2026-06-01.csv --rule console-user-without-mfa --format json --account {account}"
        ));
        run.ends(0, "");
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        let users = ["old", "new"].map(|side| json[side]["users"].as_u64());
        assert_eq!(users, [Some(2), Some(2)], "{account}");
        assert_eq!(json["findings"]["open"].as_array().unwrap().len(), 1, "{account}");
    }
}

/// A report without a user that is asked for says nothing, and counts as little.
#[test]
fn reports_without_such_a_user_are_left_out() {
    let other = "user,arn,user_creation_time,password_enabled,mfa_active\nzoe,arn:aws:iam::777788889999:user/zoe,soon,maybe,false\n";
    let place = place().file("other-2026-05-01.csv", other);
    let scan = |inputs: &str, account: &str| {
        place.run(&*format!(
            "scan {inputs} --rule console-user-without-mfa --format json --account {account} --fail-on never"
        ))
    };
    let run = scan("2026-05-01.csv other-2026-05-01.csv", "dev");
    run.ends(0, "");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let inputs = json["inputs"].as_array().unwrap().iter();
    let inputs: Vec<_> = inputs
        .map(|it| (it["users"].as_u64(), it["left_out"].as_str()))
        .collect();
    assert_eq!(inputs, [(Some(3), None), (None, Some("filtered"))]);
    let about_other = json["diagnostics"].as_array().unwrap().iter();
    assert_eq!(
        about_other
            .filter(|it| it["path"] == "other-2026-05-01.csv")
            .count(),
        0
    );
    let table = place.run("scan . --rule console-user-without-mfa --account dev --fail-on never");
    table.ends(0, "").hides("2 reports").hides("other-2026");
    // What cannot be read stays an error, and alone it is no result.
    let place = place.file(
        "cut-2026-05-01.csv",
        "user,arn,mfa_active\n\"zoe,arn:aws:iam::777788889999:user/zoe,",
    );
    let broken = place.run("scan cut-2026-05-01.csv 2026-05-01.csv --account 777788889999");
    let alone = place.run("scan cut-2026-05-01.csv --account 777788889999");
    assert_eq!((broken.status, alone.status), (3, 3), "{broken:?} {alone:?}");
}
