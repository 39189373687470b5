//! `credlens list`: which lines there are, what is in them, their order, and how the run ends.

use serde_json::{Value, json};

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n";

/// As of 2026-06-01: alice has a console password and an inactive key beside an active one; robot has a key that was never
/// used, and a certificate; whether the key of carol is active is garbage.
const USERS: &str = "\
<root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00+00:00,not_supported,2026-05-31T23:59:59+00:00,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
alice,arn:aws:iam::111122223333:user/team-a/alice,2024-06-01T00:00:00+00:00,true,2026-05-01T00:00:00+00:00,2026-05-01T00:00:00+00:00,N/A,false,true,2025-12-03T00:00:00+00:00,2026-05-30T00:00:01+00:00,eu-west-1,s3,false,2024-06-01T00:00:00+00:00,2025-06-01T00:00:00+00:00,us-east-1,iam,false,N/A,false,N/A
robot,arn:aws:iam::111122223333:user/robot,2025-06-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2026-05-31T00:00:01+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,true,2020-01-01T00:00:00+00:00,false,N/A
carol,arn:aws:iam::111122223333:user/carol,2026-01-01T00:00:00+00:00,true,no_information,2026-01-01T00:00:00+00:00,N/A,true,maybe,2026-01-01T00:00:00+00:00,2026-02-01T00:00:00+00:00,eu-west-1,ec2,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";

pub(super) fn place() -> Workspace {
    Workspace::new().file("2026-06-01T00:00:00Z.csv", HEADER.to_owned() + USERS)
}

pub(super) const FILE: &str = "2026-06-01T00:00:00Z.csv";

pub(super) fn list(args: &[&str]) -> Outcome {
    let args: Vec<&str> = ["list"].iter().chain(args).copied().collect();
    place().run(args.as_slice())
}

/// The items of a list of this kind, as `user` or `user/credential`.
#[track_caller]
fn listed(kind: &str, args: &[&str]) -> Vec<String> {
    let fixed = [kind, FILE, "--format", "ndjson"];
    let run = list(&[&fixed[..], args].concat());
    assert_eq!(run.status, 0, "{run:?}");
    let items = run.stdout.lines().map(|line| {
        let item: Value = serde_json::from_str(line).unwrap();
        let user = item["user"].as_str().unwrap().to_owned();
        match item["credential"].as_str() {
            Some(credential) => format!("{user}/{credential}"),
            None => user,
        }
    });
    items.collect()
}

#[test]
fn a_line_for_each_user_key_and_certificate() {
    assert_eq!(
        listed("users", &[]),
        ["<root_account>", "alice", "robot", "carol"]
    );
    let keys = [
        "alice/access_key_1",
        "alice/access_key_2",
        "robot/access_key_1",
        "carol/access_key_1",
    ];
    assert_eq!(listed("keys", &[]), keys);
    assert_eq!(listed("certificates", &[]), ["robot/cert_1"]);
    list(&["passwords", FILE]).ends(2, "possible values: users, keys, certificates");
}

#[test]
fn the_members_of_a_line() {
    let run = list(&["keys", FILE, "--format", "ndjson", "--user", "alice"]);
    let line: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    let expected = json!({
        "schema": "credlens.list/v1", "account": "111122223333", "account_name": null, "user": "alice",
        "path": "/team-a/", "arn": "arn:aws:iam::111122223333:user/team-a/alice",
        "user_created": "2024-06-01T00:00:00Z", "credential": "access_key_1", "active": true,
        "created": "2025-12-03T00:00:00Z", "age_days": 180, "last_used": "2026-05-30T00:00:01Z", "idle_days": 1,
        "last_used_region": "eu-west-1", "last_used_service": "s3", "password_enabled": true, "mfa_active": false,
        "access_key_id": null, "access_key_description": null, "owner": null, "findings": 1, "severity": "high", "due_at": null,
        "as_of": "2026-06-01T00:00:00Z", "source": {"path": FILE, "row": 2},
    });
    assert_eq!(line, expected);
    let run = list(&["users", FILE, "--format", "ndjson"]);
    let lines: Vec<Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let members = |line: &Value, names: [&str; 8]| Value::from(names.map(|name| line[name].clone()).to_vec());
    let names = [
        "created",
        "age_days",
        "last_used",
        "idle_days",
        "last_used_service",
        "active",
        "password_enabled",
        "credential",
    ];
    // Root's password is not supported; it was used a second before the as-of.
    let root = json!([
        "2019-01-01T00:00:00Z",
        2708,
        "2026-05-31T23:59:59Z",
        0,
        null,
        null,
        null,
        null
    ]);
    assert_eq!(members(&lines[0], names), root);
    // The key was used after the password.
    let alice = json!([
        "2024-06-01T00:00:00Z",
        730,
        "2026-05-30T00:00:01Z",
        1,
        "s3",
        true,
        true,
        null
    ]);
    assert_eq!(members(&lines[1], names), alice);
    let robot = json!(["2025-06-01T00:00:00Z", 365, null, null, null, true, false, null]);
    assert_eq!(members(&lines[2], names), robot);
}

#[test]
fn findings_are_those_of_the_selected_rules() {
    let findings = |args: &[&str]| {
        let fixed = [FILE, "--format", "ndjson"];
        let run = list(&[&args[..1], &fixed, &args[1..]].concat());
        let lines = run.stdout.lines().map(|line| {
            let item: Value = serde_json::from_str(line).unwrap();
            (
                item["findings"].as_u64().unwrap(),
                item["severity"].as_str().map(str::to_owned),
            )
        });
        lines.collect::<Vec<_>>()
    };
    let none = || (0, None);
    let some = |count, severity: &str| (count, Some(severity.to_owned()));
    let rules = [
        "--rule",
        "access-key-not-rotated",
        "--rule",
        "console-user-without-mfa",
        "--rule",
        "access-key-inactive",
    ];
    let users = [none(), some(3, "high"), none(), none()];
    assert_eq!(findings(&[&["users"][..], &rules].concat()), users);
    let keys = [some(1, "high"), some(1, "low"), none(), none()];
    assert_eq!(findings(&[&["keys"][..], &rules].concat()), keys);
    // Rules of users may be about one key alone.
    let own =
        "IamUser should not have firstAccessKey.isActive and firstAccessKey.lastRotated before(-100, 'days')";
    let place = place().file("own.gsl", own);
    let run = place.run(&*format!(
        "list keys {FILE} --rules-from own.gsl --rule own-1 --format csv"
    ));
    assert_eq!(column(&run, "findings"), ["1", "0", "0", "0"]);
    let run = place.run(&*format!(
        "list users {FILE} --framework cis-aws-5.0 --min-severity high --format csv"
    ));
    run.ends(0, "");
    let severe = column(&run, "findings");
    let all = place.run(&*format!(
        "list users {FILE} --framework cis-aws-5.0 --format csv"
    ));
    let all = column(&all, "findings");
    let numbers = |cells: &[String]| {
        cells
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect::<Vec<u64>>()
    };
    assert!(
        numbers(&severe).iter().sum::<u64>() < numbers(&all).iter().sum::<u64>(),
        "{severe:?} {all:?}"
    );
    assert!(
        numbers(&severe)
            .iter()
            .zip(numbers(&all))
            .all(|(severe, all)| *severe <= all)
    );
    let text = "[[suppress]]\nrule = \"console-user-without-mfa\"\nuser = \"alice\"\nreason = \"x\"\n";
    let run = place.file("s.toml", text).run(&*format!(
        "list users {FILE} --rule console-user-without-mfa --suppressions s.toml --format csv"
    ));
    assert_eq!(column(&run, "findings"), ["0", "0", "0", "0"]);
}

/// The cells of a column of CSV.
#[track_caller]
fn column(run: &Outcome, name: &str) -> Vec<String> {
    assert_eq!(run.status, 0, "{run:?}");
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let position = reader
        .headers()
        .unwrap()
        .iter()
        .position(|head| head == name)
        .unwrap();
    let cells = reader
        .records()
        .map(|record| record.unwrap()[position].to_owned());
    cells.collect()
}

#[test]
fn a_condition_chooses() {
    for (kind, condition, expected) in [
        ("users", "passwordEnabled and not mfaActive", &["alice"][..]),
        ("users", "path like '/team-%'", &["alice"]),
        (
            "users",
            "name = '<root_account>' or name in('robot')",
            &["<root_account>", "robot"],
        ),
        // Exact to the second.
        (
            "keys",
            "lastRotated before(-179, 'days')",
            &["alice/access_key_1", "alice/access_key_2"],
        ),
        (
            "keys",
            "lastRotated before(-180, 'days')",
            &["alice/access_key_2"],
        ),
        (
            "keys",
            "isActive and lastUsedDate isEmpty()",
            &["robot/access_key_1"],
        ),
        ("keys", "user.mfaActive", &["carol/access_key_1"]),
        ("certificates", "not isActive", &[]),
    ] {
        assert_eq!(listed(kind, &["--where", condition]), expected, "{condition}");
    }
}

#[test]
fn what_is_unknown_is_counted_on_standard_error() {
    let condition = ["keys", FILE, "--where", "isActive", "--format"];
    let said =
        "1 access key is left out: cells that --where reads, or that say whether they exist, are unknown";
    for format in ["table", "csv", "json", "ndjson", "names"] {
        let run = list(&[&condition[..], &[format]].concat());
        run.ends(0, said);
        assert_eq!(run.stdout.contains(said), format == "json", "{format}: {run:?}");
    }
    let run = list(&[&condition[..], &["json", "--quiet"]].concat());
    assert_eq!(run.ends(0, "").stderr, "");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&json["listed"], &json["unknown"]), (&json!(2), &json!(1)));
    // The other way round, it is unknown as well.
    let listed = listed("keys", &["--where", "not isActive"]);
    assert_eq!(listed, ["alice/access_key_2"]);
}

#[test]
fn a_wrong_condition_is_shown_with_a_caret() {
    for (kind, condition, message) in [
        (
            "users",
            "mfaActiv",
            "1 | mfaActiv\n  | ^^^^^^^^ unknown attribute\n",
        ),
        ("users", "mfaActiv", "did you mean `mfaActive`?"),
        ("users", "isActive", "IamUser has no attribute `isActive`"),
        ("keys", "mfaActive", "did you mean `user.mfaActive`?"),
        ("keys", "lastRotated < 90", "--where:1:15"),
        (
            "users",
            "",
            "expected an attribute, found the end of the condition",
        ),
        ("users", "mfaActive and", "found the end of the condition"),
        (
            "users",
            "mfaActive)",
            "expected `and`, `or` or the end of the condition, found `)`",
        ),
        ("users", "where mfaActive", "write the condition alone"),
        (
            "users",
            "IamUser should have mfaActive",
            "write the condition alone",
        ),
        (
            "users",
            "mfaActive exclude name = 'a'",
            "write the condition alone",
        ),
        ("users", "name = \"alice\"", "strings need single quotes"),
        ("users", "createDate before(-{n}, 'days')", "unknown parameter"),
    ] {
        let run = list(&[kind, FILE, "--where", condition]);
        run.ends(2, message);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_order() {
    let by = |kind, order: &str| listed(kind, &[&*format!("--sort={order}")]);
    let keys = [
        "alice/access_key_2",
        "alice/access_key_1",
        "carol/access_key_1",
        "robot/access_key_1",
    ];
    assert_eq!(by("keys", "created"), keys);
    assert_eq!(by("keys", "-age"), keys);
    assert_eq!(
        by("keys", "age"),
        [
            "robot/access_key_1",
            "carol/access_key_1",
            "alice/access_key_1",
            "alice/access_key_2"
        ]
    );
    // A key that was never used has no idle time: it comes last in both directions.
    assert_eq!(
        by("keys", "idle"),
        [
            "alice/access_key_1",
            "carol/access_key_1",
            "alice/access_key_2",
            "robot/access_key_1"
        ]
    );
    assert_eq!(
        by("keys", "-idle"),
        [
            "alice/access_key_2",
            "carol/access_key_1",
            "alice/access_key_1",
            "robot/access_key_1"
        ]
    );
    assert_eq!(by("users", "user"), ["<root_account>", "alice", "carol", "robot"]);
    assert_eq!(
        by("users", "-mfa_active"),
        ["<root_account>", "carol", "alice", "robot"]
    );
    assert_eq!(by("users", "-findings")[0], "alice");
    assert_eq!(by("users", "severity")[0], "robot");
    // Nothing is due: the order of the report.
    assert_eq!(
        listed("users", &["--sort=due", "--due-within=1s"]),
        ["<root_account>", "alice", "robot", "carol"]
    );
    assert_eq!(listed("users", &["--sort", "-user"])[0], "robot");
    list(&["users", FILE, "--sort", "name"]).ends(2, "unknown column 'name'; one of age, idle, due, account");
}

#[test]
fn the_newest_snapshot_of_an_account() {
    let old = USERS.lines().next().unwrap().to_owned() + "\n";
    let place = place().file("2026-05-01.csv", HEADER.to_owned() + &old);
    let users = |args: &str| {
        let run = place.run(&*format!("list users . --format names {args}"));
        run.ends(0, "").stdout.lines().count()
    };
    assert_eq!(users(""), 4);
    assert_eq!(users("--all-snapshots"), 5);
    let run = place.run("list users . --format table");
    run.ends(0, "").says("1 snapshot of 1 account left out (1 older)");
}

#[test]
fn filters_choose_users_first() {
    assert_eq!(listed("keys", &["--path", "/team-a/"]).len(), 2);
    assert_eq!(listed("users", &["--exclude-user", "*o*"]), ["alice"]);
    let run = list(&["users", FILE, "--user", "alise"]);
    run.ends(3, "did you mean 'alice'?");
    run.hides("no user is listed");
    run.says("nothing was evaluated");
}

#[test]
fn how_a_run_ends() {
    list(&["users", FILE]).ends(0, "");
    // An empty list is an answer.
    let run = list(&[
        "keys",
        FILE,
        "--where",
        "user.name = 'nobody'",
        "--format",
        "names",
    ]);
    assert_eq!(run.ends(0, "").stdout, "");
    list(&["users", "no.csv"]).ends(3, "no.csv: cannot be opened");
    list(&["users", FILE, "no.csv"]).ends(4, "no.csv: cannot be opened");
    // A report that cannot say of any user whether the condition is true was not evaluated.
    let minimal =
        "user,arn,user_creation_time\nalice,arn:aws:iam::111122223333:user/alice,2024-01-01T00:00:00Z\n";
    let place = Workspace::new().file("2026-06-01.csv", minimal);
    let run = place.run("list users 2026-06-01.csv --format csv");
    assert_eq!(column(&run, "age_days"), ["882"]);
    assert_eq!(column(&run, "mfa_active"), [""]);
    place
        .run(["list", "users", "2026-06-01.csv", "--where", "mfaActive"])
        .ends(3, "1 user is left out: cells that --where reads are unknown");
    place
        .run("list keys 2026-06-01.csv")
        .ends(3, "2 access keys are left out");
}

#[test]
fn settings_are_those_of_scan_but_not_its_format() {
    let settings = "as-of = \"2027-06-01\"\nformat = [\"summary\"]\nuser = [\"alice\"]\nfail-on = \"low\"\n";
    let place = place().file("credlens.toml", settings);
    let run = place.run(&*format!("list users {FILE} --format csv"));
    run.ends(0, "credlens.toml");
    assert_eq!(column(&run, "age_days"), ["1095"]);
}

/// With `--due-within`, a line says when the first rule that does not fail yet will fail.
#[test]
fn when_something_is_due() {
    let report = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
        access_key_2_active,access_key_2_last_rotated\n\
        al,arn:aws:iam::111122223333:user/al,2020-01-01T00:00:00Z,false,false,true,2026-03-01T10:20:30Z,true,2026-05-01T00:00:00Z\n\
        bo,arn:aws:iam::111122223333:user/bo,2020-01-01T00:00:00Z,false,false,false,N/A,false,N/A\n";
    let place = Workspace::new().file("2026-05-20.csv", report);
    let due = |args: &str| {
        let run = place.run(&*format!(
            "list {args} 2026-05-20.csv --as-of 2026-05-20T00:00:00Z --rule access-key-not-rotated --format ndjson"
        ));
        let lines = run
            .stdout
            .lines()
            .map(|line| -> Value { serde_json::from_str(line).unwrap() });
        lines
            .map(|item| item["due_at"].as_str().unwrap_or("-").to_owned())
            .collect::<Vec<_>>()
    };
    // The first second at which the key is more than 90 days old.
    let first = "2026-05-30T10:20:31Z";
    assert_eq!(due("keys --due-within 14d"), [first, "-"]);
    assert_eq!(due("keys --due-within 90d"), [first, "2026-07-30T00:00:01Z"]);
    assert_eq!(due("keys --due-within 10d"), ["-", "-"]);
    assert_eq!(due("users --due-within 14d"), [first, "-"]);
    assert_eq!(due("keys"), ["-", "-"]);
    assert_eq!(due("keys --due-within 14d --min-severity critical"), ["-", "-"]);
    let sorted = place.run("list keys 2026-05-20.csv --as-of 2026-05-20 --rule access-key-not-rotated --due-within 90d --sort=-due --format csv");
    assert!(
        sorted
            .stdout
            .lines()
            .nth(1)
            .unwrap()
            .contains("2026-07-30T00:00:01Z"),
        "{}",
        sorted.stdout
    );
}

#[test]
fn long_owners_and_descriptions_leave_the_other_columns() {
    let row = "r-2026-05-01.csv";
    let report = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,\
        access_key_1_last_rotated,access_key_1_last_used_date\n\
        alice,arn:aws:iam::111122223333:user/alice,2019-01-01T00:00:00Z,true,false,true,2019-01-01T00:00:00Z,N/A\n";
    for (length, columns) in [(104, "120"), (3000, "200"), (3000, "80")] {
        let owner = "team-".repeat(length / 5);
        let place = Workspace::new()
            .file(row, report)
            .file("owners.csv", format!("user,owner\nalice,{owner}\n"));
        let mut command = place.command();
        command.env("COLUMNS", columns);
        command.args(["list", "keys", row, "--owners", "owners.csv"]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let head = text.lines().find(|line| line.starts_with("user ")).unwrap();
        for column in ["owner", "active", "age", "idle", "severity"] {
            assert!(head.contains(column), "{columns}: {text}");
        }
        assert!(text.matches("team-").count() <= 16, "{text}");
    }
}

#[test]
fn the_last_line_says_how_many_match() {
    for (condition, says) in [
        ("name = 'alice'", "1 user matches --where"),
        ("name != 'alice'", "3 users match --where"),
        ("name = 'zoe'", "no user matches --where"),
    ] {
        list(&["users", FILE, "--where", condition]).says(&format!("\n{says}\n"));
    }
}
