//! `--by`: which account, user, rule or path is the worst, in every format that has a ranking, and the accounts at the
//! head of the table where there are several.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active,access_key_1_active,\
    access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,account_name\n";

/// Root with this MFA, then users `/path/name`, each with a password and no MFA, and as many old keys.
fn report(account: &str, name: &str, root_mfa: bool, users: &[(&str, usize)]) -> String {
    let mut rows = format!(
        "{HEADER}<root_account>,arn:aws:iam::{account}:root,2019-01-01T00:00:00Z,true,no_information,{root_mfa},false,N/A,false,N/A,{name}\n"
    );
    for (user, keys) in users {
        let (_, user_name) = user.rsplit_once('/').unwrap();
        let key = |slot: usize| {
            if slot < *keys {
                "true,2019-01-01T00:00:00Z"
            } else {
                "false,N/A"
            }
        };
        writeln!(
            rows,
            "{user_name},arn:aws:iam::{account}:user{user},2019-01-01T00:00:00Z,true,no_information,false,{},{},{name}",
            key(0),
            key(1)
        )
        .unwrap();
    }
    rows
}

/// `dev` has more findings, `prod` a worse one.
fn place() -> Workspace {
    let users = [("/team-a/alice", 2), ("/team-a/bob", 1), ("/svc", 1)];
    Workspace::new()
        .file("dev-2026-05-01.csv", report("444455556666", "dev", true, &users))
        .file(
            "prod-2026-05-01.csv",
            report("111122223333", "prod", false, &[("/team-a/carol", 0)]),
        )
}

const RULES: &str = "--rule root-without-mfa --rule console-user-without-mfa --rule access-key-not-rotated --rule two-active-access-keys";

fn scan(args: &str) -> Outcome {
    place().run(&*format!(
        "scan dev-2026-05-01.csv prod-2026-05-01.csv {RULES} {args}"
    ))
}

fn ranking(args: &str) -> Value {
    let run = scan(&format!("--format json {args}"));
    let json: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    json["ranking"].clone()
}

/// The member of each entry, and its counts from critical down to medium.
fn ranked(member: &str, args: &str) -> Vec<(String, [u64; 3])> {
    let ranking = ranking(args);
    let entries = ranking["entries"].as_array().unwrap().iter();
    let counts = |it: &Value| ["critical", "high", "medium"].map(|word| it[word].as_u64().unwrap());
    let ranked = entries.map(|it| (it[member].as_str().unwrap_or("-").to_owned(), counts(it)));
    ranked.collect()
}

fn expected<const N: usize>(entries: [(&str, [u64; 3]); N]) -> Vec<(String, [u64; 3])> {
    let entries = entries.into_iter();
    entries.map(|(name, counts)| (name.to_owned(), counts)).collect()
}

#[test]
fn one_critical_fail_comes_before_any_number_of_high_ones() {
    assert_eq!(
        ranked("account", "--by account"),
        expected([("111122223333", [1, 1, 0]), ("444455556666", [0, 7, 1])])
    );
    assert_eq!(
        ranked("user", "--by user"),
        expected([
            ("<root_account>", [1, 0, 0]),
            ("alice", [0, 3, 1]),
            ("bob", [0, 2, 0]),
            ("svc", [0, 2, 0]),
            ("carol", [0, 1, 0]),
        ])
    );
    assert_eq!(
        ranked("path", "--by path"),
        expected([("-", [1, 0, 0]), ("/team-a/", [0, 6, 1]), ("/", [0, 2, 0])])
    );
    assert_eq!(
        ranked("rule", "--by rule"),
        expected([
            ("root-without-mfa", [1, 0, 0]),
            ("access-key-not-rotated", [0, 4, 0]),
            ("console-user-without-mfa", [0, 4, 0]),
            ("two-active-access-keys", [0, 0, 1]),
        ])
    );
}

#[test]
fn an_entry_has_its_names_and_counts() {
    let accounts = ranking("--by account");
    assert_eq!(accounts["by"], "account");
    let dev = &accounts["entries"][1];
    assert_eq!(
        (&dev["account_name"], &dev["users"], &dev["failing_users"]),
        (&"dev".into(), &4.into(), &3.into())
    );
    assert_eq!((&dev["failed"], &dev["passed"]), (&8.into(), &3.into()));
    assert!(dev["user"].is_null() && dev["rule"].is_null());
    let alice = &ranking("--by user")["entries"][1];
    assert_eq!(
        (&alice["account"], &alice["account_name"]),
        (&"444455556666".into(), &"dev".into())
    );
    let rule = &ranking("--by rule")["entries"][1];
    assert_eq!(
        (&rule["severity"], &rule["parameters"]["max_age"]),
        (&"high".into(), &90.into())
    );
    // alice has two old keys.
    assert_eq!(
        (&rule["failed"], &rule["failing_users"], &rule["users"]),
        (&4.into(), &3.into(), &6.into())
    );
    let run = scan("--format json");
    run.hides("\"ranking\"");
}

#[test]
fn what_is_shown_does_not_change_the_counts() {
    for by in ["account", "user", "path", "rule"] {
        let all = ranking(&format!("--by {by}"));
        for shown in ["--min-severity critical", "--status pass", "--threads 1"] {
            assert_eq!(ranking(&format!("--by {by} {shown}")), all, "{by} {shown}");
        }
    }
    // Filters choose what is evaluated, so they do.
    assert_eq!(
        ranked("account", "--by account --user alice"),
        expected([("444455556666", [0, 3, 1])])
    );
}

#[test]
fn suppressed_fails_are_not_failed() {
    let suppressions = "[[suppress]]\nrule = \"root-without-mfa\"\nreason = \"hardware key in the safe\"\n";
    let place = place().file("s.toml", suppressions);
    let run = place.run(&*format!(
        "scan dev-2026-05-01.csv prod-2026-05-01.csv {RULES} --by account --format csv --suppressions s.toml"
    ));
    run.says("1,444455556666,dev,0,7,1,0,0,8,0,0,3,0,3,4\r\n")
        .says("2,111122223333,prod,0,1,0,0,0,1,0,1,1,0,1,2\r\n");
}

#[test]
fn csv_is_the_ranking_in_place_of_findings() {
    let run = scan("--by account --format csv --limit 1");
    assert_eq!(
        run.stdout,
        "rank,account,account_name,critical,high,medium,low,informational,failed,undetermined,suppressed,passed,\
         due,failing_users,users\r\n\
         1,111122223333,prod,1,1,0,0,0,2,0,0,1,0,2,2\r\n\
         2,444455556666,dev,0,7,1,0,0,8,0,0,3,0,3,4\r\n"
    );
    scan("--by user --format csv")
        .says("rank,user,account,account_name,critical")
        .says("\r\n2,alice,444455556666,dev,0,3,1,0,0,4,");
    scan("--by rule --format csv")
        .says("rank,rule,parameters,severity,critical")
        .says("\r\n2,access-key-not-rotated,max_age=90,high,0,4,");
    scan("--by path --format csv").says("\r\n2,/team-a/,0,6,1,");
}

#[test]
fn a_user_whose_name_is_a_formula_stays_text() {
    let place = Workspace::new().file("r.csv", report("111122223333", "=1+1", true, &[("/=2+2", 1)]));
    place
        .run("scan r.csv --by user --format csv")
        .says("\r\n1,'=2+2,111122223333,'=1+1,");
}

#[test]
fn tables_show_the_worst_up_to_the_limit() {
    for format in ["table", "summary"] {
        let run = scan(&format!("--by user --limit 2 --format {format}"));
        run.says("users, worst first\nuser            account       name  critical  high  medium\n")
            .says("\n<root_account>  111122223333  prod         1     0       0\n")
            .says("\n  … and 3 more users (--limit 5 shows all)\n")
            .hides("\ncarol ");
    }
    scan("--by account --format markdown")
        .says("| Account | Name | Critical | High | Medium | Failing users |")
        .says("| `111122223333` | `prod` | 1 | 1 | 0 | 2 of 2 |");
    scan("--by rule --format summary")
        .says("severity  rule                                 failed  failing users\n")
        .says("medium    two-active-access-keys                    1         1 of 6\n")
        .hides("failed  passed");
}

#[test]
fn a_table_of_several_accounts_begins_with_the_worst() {
    let run = scan("");
    let (head, _) = run.stdout.split_once("severity  rule").unwrap();
    assert!(
        head.contains("accounts, worst first\n") && head.contains("\n111122223333  prod "),
        "{head}"
    );
    let one = place().run(&*format!("scan dev-2026-05-01.csv {RULES}"));
    one.hides("worst first\naccount");
}

#[test]
fn a_ranking_that_no_format_shows_is_refused() {
    scan("--by user --format ndjson").ends(2, "--by has no effect on ndjson");
    scan("--by user --format ndjson=f.ndjson --format table").ends(1, "");
    scan("--by team").ends(2, "one of account, user, rule, path");
    let place = place().file("credlens.toml", "by = \"path\"\n");
    place
        .run("scan dev-2026-05-01.csv --format summary")
        .says("paths, worst first");
    // Settings are for many commands.
    place.run("scan dev-2026-05-01.csv --format ndjson").ends(1, "");
}

/// Users without a name are known by their ARN, never merged.
#[test]
fn users_without_a_name() {
    let report = "arn,password_enabled,mfa_active\n\
        arn:aws:iam::111122223333:user/al,true,false\narn:aws:iam::111122223333:user/bo,true,false\n";
    let place = Workspace::new().file("2026-05-01.csv", report);
    let run = place.run("scan 2026-05-01.csv --rule console-user-without-mfa --by user --format json");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let users: Vec<_> = json["ranking"]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["user"].as_str().unwrap())
        .collect();
    assert_eq!(
        users,
        [
            "arn:aws:iam::111122223333:user/al",
            "arn:aws:iam::111122223333:user/bo"
        ]
    );
}
