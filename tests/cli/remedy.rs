//! `credlens remedy plan`: what is done about each credential and in which order, what is left alone and why, and that
//! nothing in a hostile report becomes a command.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use credlens::finding::digest::sha256;
use serde_json::{Value, json};

use super::{Outcome, Workspace};
use crate::support::schemas;

pub(super) const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n";

pub(super) const NONE: &str = "false,N/A,N/A,N/A,N/A";

/// A user without a password, with these keys.
pub(super) fn user(name: &str, keys: [&str; 2]) -> String {
    let [one, two] = keys;
    let quoted = name.replace('"', "\"\"");
    format!(
        "\"{quoted}\",\"arn:aws:iam::111122223333:user/{quoted}\",2019-01-01T00:00:00Z,false,N/A,N/A,N/A,true,{one},{two},\
         false,N/A,false,N/A\n"
    )
}

/// A key that was created and last used then.
pub(super) fn key(active: bool, created: &str, used: &str) -> String {
    let place = if used.len() > 10 {
        "eu-west-1,s3"
    } else {
        "N/A,N/A"
    };
    format!("{active},{created},{used},{place}")
}

pub(super) fn report(rows: &[String]) -> String {
    let root = "<root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,true,no_information,2019-01-01T00:00:00Z,\
        not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n";
    format!("{HEADER}{root}{}", rows.concat())
}

/// Evaluated as of 2026-06-01T00:00:00Z.
pub(super) fn place(rows: &[String]) -> Workspace {
    Workspace::new().file("r.csv", report(rows))
}

/// Of the rules about keys.
pub(super) const PLAN: &str = "remedy plan r.csv --as-of 2026-06-01 --rule access-key-* --format json";

pub(super) fn plan(run: &Outcome) -> Value {
    schemas::assert_document("plan.v1", &run.stdout);
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:#?}"))
}

/// By user and credential what is done, or why nothing is.
pub(super) fn decided(plan: &Value) -> BTreeMap<(String, String), String> {
    let of = |list: &str, what: &str| {
        let items = plan[list].as_array().unwrap().clone().into_iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let what = what.to_owned();
        items.map(move |it| ((text(&it["user"]), text(&it["credential"])), text(&it[&*what])))
    };
    of("steps", "action").chain(of("excluded", "reason")).collect()
}

pub(super) fn expect(plan: &Value, expected: &[(&str, &str, &str)]) {
    let expected = expected
        .iter()
        .map(|(user, credential, what)| (((*user).to_owned(), (*credential).to_owned()), (*what).to_owned()));
    assert_eq!(decided(plan), expected.collect::<BTreeMap<_, _>>());
}

#[test]
fn keys_are_decided_to_the_second() {
    let rows = [
        // Idle for 45 days exactly, and one second less.
        user(
            "idle",
            [&key(true, "2025-01-01T00:00:00Z", "2026-04-17T00:00:00Z"), NONE],
        ),
        user(
            "used",
            [&key(true, "2025-01-01T00:00:00Z", "2026-04-17T00:00:01Z"), NONE],
        ),
        // Never used, and 45 days and a second old, or 45 days.
        user("never", [&key(true, "2026-04-16T23:59:59Z", "N/A"), NONE]),
        user("young", [&key(true, "2026-04-17T00:00:00Z", "N/A"), NONE]),
        // Old and in use: age alone never deactivates.
        user(
            "old",
            [&key(true, "2019-01-01T00:00:00Z", "2026-05-31T00:00:00Z"), NONE],
        ),
        user("empty", [&key(true, "2026-03-20T00:00:00Z", ""), NONE]),
        user("garbage", [&key(true, "2025-01-01T00:00:00Z", "soon"), NONE]),
        user("inactive", [&key(false, "2025-01-01T00:00:00Z", "N/A"), NONE]),
        user(
            "fine",
            [&key(true, "2026-05-30T00:00:00Z", "2026-05-31T00:00:00Z"), NONE],
        ),
    ];
    let place = place(&rows);
    let run = place.run(PLAN);
    run.ends(0, "");
    expect(
        &plan(&run),
        &[
            ("idle", "access_key_1", "deactivate"),
            ("used", "access_key_1", "rotate"),
            ("never", "access_key_1", "deactivate"),
            ("young", "access_key_1", "not-quiet"),
            ("old", "access_key_1", "rotate"),
            ("empty", "access_key_1", "empty-last-use"),
            ("garbage", "access_key_1", "rotate"),
            ("inactive", "access_key_1", "deactivation-unknown"),
        ],
    );
    // Only the flag lowers the quiet days; a rule's own limit does not, and a greater one raises them.
    let decided_with = |args: &str, user: &str| {
        let run = place.run(&*format!(
            "remedy plan r.csv --as-of 2026-06-01 --format json {args}"
        ));
        let plan = plan(&run);
        decided(&plan)
            .get(&(user.to_owned(), "access_key_1".to_owned()))
            .cloned()
    };
    let lower = "--rule access-key-unused --set access-key-unused.max_idle=10";
    assert_eq!(decided_with(lower, "used").as_deref(), Some("in-use"));
    assert_eq!(
        decided_with("--rule access-key-not-rotated --quiet-days 10", "used").as_deref(),
        Some("deactivate")
    );
    let higher = "--rule access-key-unused --rule access-key-never-used --set access-key-unused.max_idle=46";
    assert_eq!(decided_with(higher, "never").as_deref(), Some("not-quiet"));
    assert_eq!(
        decided_with("--rule access-key-not-rotated --quiet-days 46", "idle").as_deref(),
        Some("rotate")
    );
}

#[test]
fn of_two_active_keys_only_one_that_is_idle_is_deactivated() {
    let used = key(true, "2026-03-10T00:00:00Z", "2026-05-31T00:00:00Z");
    let rows = [
        user("rotation", [&used, &key(true, "2026-05-20T00:00:00Z", "N/A")]),
        user(
            "leftover",
            [&key(true, "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z"), &used],
        ),
        user(
            "busy",
            [&used, &key(true, "2026-03-11T00:00:00Z", "2026-05-30T00:00:00Z")],
        ),
    ];
    let run =
        place(&rows).run("remedy plan r.csv --as-of 2026-06-01 --format json --rule two-active-access-keys");
    expect(
        &plan(&run),
        &[
            ("rotation", "access_key_2", "rotation-under-way"),
            ("leftover", "access_key_1", "deactivate"),
            ("busy", "access_key_2", "rotation-under-way"),
        ],
    );
    // One step for a key, however many rules it breaks.
    let plan = plan(&place(&rows[1..2]).run(&*format!("{PLAN} --rule two-active-access-keys")));
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1);
    assert_eq!(
        plan["steps"][0]["rules"],
        json!(["access-key-unused", "two-active-access-keys"])
    );
}

#[test]
fn who_is_never_touched() {
    let old = key(true, "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z");
    let of_ses = "true,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,eu-west-1,ses";
    let never = key(true, "2025-01-01T00:00:00Z", "N/A");
    let rows = [
        user("alice", [&old, NONE]),
        user("accepted", [&old, NONE]),
        user("left-out", [&old, NONE]),
        user("mailer", [of_ses, NONE]),
        user("ses-smtp-user.1", [&never, NONE]),
        user("BedrockAPIKey-1", [&old, NONE]),
        user("stack", [&old, NONE]),
        user("exempt", [&old, NONE]),
        user("not-exempt", [&old, NONE]),
    ];
    let text = report(&rows);
    let tags = |tag: &str, value: &str| json!({"tags": {tag: value}});
    let details = json!({
        "schema": "credlens.details/v1", "account": "111122223333", "generated": null,
        "report_sha256": sha256(text.as_bytes()), "service_credentials_listed": true,
        "users": {
            "stack": tags("aws:cloudformation:stack-name", "x"),
            "exempt": tags("credlens-exempt", "until 2027"),
            "not-exempt": tags("credlens-exempt", "false"),
        },
    });
    let place = Workspace::new()
        .file("r.csv", text)
        .file("r.details.json", details.to_string())
        .file(
            "credlens.toml",
            "[[suppress]]\nrule = \"*\"\nuser = \"accepted\"\nreason = \"needed\"\n",
        );
    let run = place.run(&*format!(
        "{PLAN} --rule root-password-present --exclude-user left-*"
    ));
    let key = "access_key_1";
    expect(
        &plan(&run),
        &[
            ("<root_account>", "password", "root"),
            ("alice", key, "deactivate"),
            ("accepted", key, "suppressed"),
            ("left-out", key, "filtered"),
            ("mailer", key, "ses-smtp"),
            ("ses-smtp-user.1", key, "ses-smtp"),
            ("BedrockAPIKey-1", key, "api-key-user"),
            ("stack", key, "infrastructure-as-code"),
            ("exempt", key, "exempt"),
            ("not-exempt", key, "deactivate"),
        ],
    );
    // Active keys are counted whatever filters choose.
    let plan = plan(&place.run(&*format!("{PLAN} --user alice")));
    assert_eq!(plan["accounts"][0]["active_keys"], 9);
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1);
    let of_tag = place.run(&*format!("{PLAN} --exempt-tag credlens-exempt=false"));
    assert_eq!(
        decided(&self::plan(&of_tag))[&("not-exempt".to_owned(), key.to_owned())],
        "exempt"
    );
}

#[test]
fn steps_that_break_the_least_come_first() {
    let rows = [
        user(
            "c",
            [&key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z"), NONE],
        ),
        user(
            "b",
            [&key(true, "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z"), NONE],
        ),
        user("a", [&key(true, "2025-01-01T00:00:00Z", "N/A"), NONE]),
        user(
            "d",
            [&key(true, "2025-01-01T00:00:00Z", "2025-05-01T00:00:00Z"), NONE],
        ),
    ];
    let plan = plan(&place(&rows).run(PLAN));
    let users: Vec<&str> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["user"].as_str().unwrap())
        .collect();
    assert_eq!(users, ["a", "d", "b", "c"]);
    assert_eq!(plan["steps"][0]["breaks"], Value::Null);
    assert_eq!(
        plan["steps"][1]["breaks"],
        "whatever used s3 in eu-west-1, last on 2025-05-01T00:00:00Z"
    );
    assert_eq!(
        plan["steps"][1]["why"],
        "idle for 396 days; the quiet days are 45"
    );
    assert_eq!(plan["accounts"][0]["sha256"], sha256(report(&rows).as_bytes()));
}

#[test]
fn a_key_is_deleted_only_if_it_was_inactive_for_thirty_days() {
    let row = |active: bool| [user("alice", [&key(active, "2025-01-01T00:00:00Z", "N/A"), NONE])];
    let inactive = report(&row(false));
    let decided_with = |earlier: &[(&str, bool)]| {
        let mut place = Workspace::new().file("r.csv", &inactive);
        for (day, active) in earlier {
            place = place.file(&format!("old/{day}.csv"), report(&row(*active)));
        }
        let run = place.run(&*format!("{PLAN} --history old/"));
        decided(&plan(&run)).into_values().next().unwrap()
    };
    // A date in a name is the end of the day.
    assert_eq!(decided_with(&[("2026-05-01", false)]), "delete");
    assert_eq!(decided_with(&[("2026-05-02", false)]), "deactivation-unknown");
    assert_eq!(
        decided_with(&[("2026-01-01", false), ("2026-05-10", true)]),
        "deactivation-unknown"
    );
    assert_eq!(
        decided_with(&[("2026-01-01", true), ("2026-04-10", false), ("2026-05-10", false)]),
        "delete"
    );
}

fn journal(at: &str) -> String {
    let record = json!({
        "schema": "credlens.journal/v1", "record": "result", "action": "deactivate", "outcome": "done", "at": at,
        "step": "s", "account": "111122223333", "user": "alice", "key_created": "2025-01-01T00:00:00Z",
    });
    format!("{record}\n")
}

#[test]
fn journals_show_what_was_deactivated_and_is_active_again() {
    let row = |active: bool| [user("alice", [&key(active, "2025-01-01T00:00:00Z", "N/A"), NONE])];
    let run = |active: bool, at: &str| {
        let place = place(&row(active)).file("j.ndjson", journal(at));
        let run = place.run(&*format!("{PLAN} --journal j.ndjson"));
        decided(&plan(&run)).into_values().next().unwrap()
    };
    assert_eq!(run(true, "2026-01-01T00:00:00Z"), "reactivated");
    assert_eq!(run(false, "2026-05-02T00:00:00Z"), "delete");
    assert_eq!(run(false, "2026-05-02T00:00:01Z"), "deactivation-unknown");
    place(&row(true))
        .file("j.ndjson", "{}")
        .run(&*format!("{PLAN} --journal j.ndjson"))
        .ends(2, "j.ndjson: line 1: not a record of a journal");
}

#[test]
fn an_earlier_plan_says_when_steps_were_first_planned() {
    let rows = [user("alice", [&key(true, "2025-01-01T00:00:00Z", "N/A"), NONE])];
    let place = place(&rows);
    let mut earlier = plan(&place.run(PLAN));
    earlier["steps"][0]["first_planned"] = "2026-05-01T00:00:00Z".into();
    // The key moves to the other slot: it is the same.
    let moved = report(&[user("alice", [NONE, &key(true, "2025-01-01T00:00:00Z", "N/A")])]);
    let place = place.file("r.csv", moved).file("old.json", earlier.to_string());
    let later = plan(&place.run(&*format!("{PLAN} --announced old.json")));
    assert_eq!(later["steps"][0]["first_planned"], "2026-05-01T00:00:00Z");
    assert_eq!(later["steps"][0]["credential"], "access_key_2");
    place
        .run(&*format!("{PLAN} --announced r.csv"))
        .ends(2, "r.csv is not a plan");
}

#[test]
fn groups_and_formats() {
    let rows = [
        user("alice", [&key(true, "2025-01-01T00:00:00Z", "N/A"), NONE]),
        user(
            "bob",
            [&key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z"), NONE],
        ),
    ];
    let place = place(&rows).file("owners.csv", "user,owner\nalice,data team\n");
    let run = |args: &str| {
        place.run(&*format!(
            "remedy plan r.csv --as-of 2026-06-01 --owners owners.csv {args}"
        ))
    };
    run("--by owner")
        .says("data team\n")
        .says("no known owner\n")
        .says("deactivate  alice  access_key_1\n    never used, and 516 days old; the quiet days are 45\n");
    run("--format csv").says("step,action,reason,account,account_name,owner,user,arn,credential,");
    run("--by owner --format json").ends(2, "--by is for --format table, markdown and csv");
    let page = run("--format markdown");
    page.says("### 1. deactivate: `alice` in `111122223333`, `access_key_1`")
        .says("aws iam update-access-key --user-name=alice --access-key-id=KEY_ID --status=Inactive")
        .says("Undo:")
        .says("aws iam update-access-key --user-name=alice --access-key-id=KEY_ID --status=Active")
        .says("aws iam create-access-key --user-name=bob");
}

/// The lines in the shell blocks of a page.
fn shell_blocks(page: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<&str> = None;
    for line in page.lines() {
        match fence {
            None => {
                if let Some(ticks) = line
                    .strip_suffix("sh")
                    .filter(|ticks| ticks.len() > 2 && ticks.chars().all(|it| it == '`'))
                {
                    fence = Some(ticks);
                }
            }
            Some(ticks) if line == ticks => fence = None,
            Some(_) => {
                writeln!(out, "{line}").unwrap();
            }
        }
    }
    out
}

/// Commands that are pasted into a shell do nothing but call `aws`, each with the user's name as it is.
#[cfg(unix)]
#[test]
fn names_never_become_commands() {
    use std::os::unix::fs::PermissionsExt as _;
    let old = key(true, "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z");
    let names = [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned",
        "a\nb",
        "'; touch pwned; '",
        "-rf",
        "--user-name=root",
        "```\ntouch pwned\n```",
        "\u{1b}]0;x\u{7}",
        "a b",
        "x=1",
        "<script>",
        "| touch pwned",
        "&& touch pwned",
        "a@b.c",
        "+=,.@_-",
        "\\",
        "*",
        "~",
        "#",
    ];
    let rows: Vec<String> = names.iter().map(|name| user(name, [&old, NONE])).collect();
    let place = place(&rows);
    let stub =
        "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\" >> \"$LOG\"; done\nprintf -- '--\\n' >> \"$LOG\"\n";
    let bin = place.path("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("aws"), stub).unwrap();
    fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let page = place.run("remedy plan r.csv --as-of 2026-06-01 --format markdown");
    page.ends(0, "");
    let script = shell_blocks(&page.stdout);
    assert!(script.contains("aws iam update-access-key"), "{}", page.stdout);
    for line in script.lines() {
        assert!(line.starts_with("aws iam ") || line.starts_with('#'), "{line}");
    }
    fs::write(place.path("script.sh"), &script).unwrap();
    let status = std::process::Command::new("/bin/sh")
        .arg("script.sh")
        .current_dir(place.path("."))
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
        .env("LOG", place.path("log"))
        .status();
    assert!(status.unwrap().success());
    let files: Vec<String> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.len(), 4, "{files:?}");
    let log = place.read("log");
    let users: std::collections::BTreeSet<&str> = log
        .lines()
        .filter_map(|word| word.strip_prefix("--user-name="))
        .collect();
    assert_eq!(
        users,
        ["+=,.@_-", "-rf", "a@b.c", "--user-name=root", "x=1"]
            .into_iter()
            .filter(|name| names.contains(name))
            .collect()
    );
    assert!(!page.stdout.contains('\u{1b}'));
}
