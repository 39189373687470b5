//! Plans that could do harm: each failure that other tools had, and what a review found in ours.

use credlens::finding::digest::sha256;
use serde_json::{Value, json};

use super::Workspace;
use super::remedy::{NONE, PLAN, decided, expect, key, place, plan, report, user};

const KEY: &str = "access_key_1";

fn old() -> String {
    key(true, "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z")
}

/// What is decided about the first key of this user.
fn of_key(plan: &Value, user: &str) -> String {
    decided(plan)[&(user.to_owned(), KEY.to_owned())].clone()
}

#[test]
fn a_key_that_was_used_since_was_not_inactive() {
    let row = |used: &str| [user("alice", [&key(false, "2025-01-01T00:00:00Z", used), NONE])];
    let decide = |used: &str| {
        let place = place(&row(used)).file("old/2026-01-01.csv", report(&row("N/A")));
        of_key(&plan(&place.run(&*format!("{PLAN} --history old/"))), "alice")
    };
    assert_eq!(decide("2025-12-31T00:00:00Z"), "delete");
    assert_eq!(decide("2026-05-20T00:00:00Z"), "deactivation-unknown");
    assert_eq!(decide(""), "deactivation-unknown");
    assert_eq!(decide("soon"), "deactivation-unknown");
}

#[test]
fn what_was_activated_again_is_not_inactive_since_then() {
    let record = |action: &str, at: &str| {
        let record = json!({
            "schema": "credlens.journal/v1", "record": "result", "action": action, "outcome": "done", "at": at,
            "step": "s", "account": "111122223333", "user": "alice", "key_created": "2025-01-01T00:00:00Z",
        });
        format!("{record}\n")
    };
    let decide = |active: bool, journal: &str| {
        let rows = [user("alice", [&key(active, "2025-01-01T00:00:00Z", "N/A"), NONE])];
        let place = place(&rows).file("j", journal);
        of_key(&plan(&place.run(&*format!("{PLAN} --journal j"))), "alice")
    };
    let deactivated = record("deactivate", "2026-01-01T00:00:00Z");
    let activated = record("activate", "2026-02-01T00:00:00Z");
    assert_eq!(decide(false, &deactivated), "delete");
    assert_eq!(
        decide(false, &format!("{deactivated}{activated}")),
        "deactivation-unknown"
    );
    // The report is older than the deactivation.
    assert_eq!(
        decide(true, &record("deactivate", "2026-06-02T00:00:00Z")),
        "report-too-old"
    );
}

#[test]
fn disuse_is_proved_only_up_to_the_report() {
    let rows = [user(
        "daily",
        [&key(true, "2025-01-01T00:00:00Z", "2026-03-31T00:00:00Z"), NONE],
    )];
    let place = Workspace::new()
        .file("undated.csv", report(&rows))
        .file("r-2026-04-01.csv", report(&rows));
    let run = |args: &str| {
        let run = place.run(&*format!(
            "remedy plan {args} --rule access-key-unused --format json"
        ));
        of_key(&plan(&run), "daily")
    };
    assert_eq!(run("undated.csv"), "undated-report");
    // Ages are counted to a later time; what was used until then is not known.
    assert_eq!(run("r-2026-04-01.csv --as-of 2026-12-31"), "in-use");
    assert_eq!(run("undated.csv --as-of 2026-12-31"), "deactivate");
    let said = place.run("remedy plan r-2026-04-01.csv -v");
    assert!(
        said.stderr.contains("; what was used since is not known"),
        "{said:?}"
    );
}

#[test]
fn keys_that_cannot_be_told_apart_are_left_alone() {
    let used = key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z");
    let rows = [user("twins", [&old(), &used])];
    let text = report(&rows);
    assert_eq!(of_key(&plan(&place(&rows).run(PLAN)), "twins"), "ambiguous");
    let details = json!({
        "schema": "credlens.details/v1", "account": "111122223333", "generated": null,
        "report_sha256": sha256(text.as_bytes()), "service_credentials_listed": true,
        "users": {"twins": {"access_key_ids": ["AKIATWINONE12345", "AKIATWINTWO12345"]}},
    });
    let place = place(&rows).file("r.details.json", details.to_string());
    let plan = plan(&place.run(PLAN));
    assert_eq!(of_key(&plan, "twins"), "deactivate");
    let ids: std::collections::BTreeSet<&str> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn all_of_a_user_of_ses_is_left_alone() {
    let of_ses = "true,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,eu-west-1,SES";
    let never = key(true, "2025-03-01T00:00:00Z", "N/A");
    let rows = [
        user("mailer", [of_ses, &never]),
        user("ses-smtp-user.1", [&never, NONE]),
    ];
    let plan = plan(&place(&rows).run("remedy plan r.csv --as-of 2026-06-01 --format json"));
    assert_eq!(plan["steps"], json!([]));
    let reasons: Vec<&str> = plan["excluded"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    assert!(reasons.iter().all(|reason| *reason == "ses-smtp"), "{reasons:?}");
}

#[test]
fn steps_about_a_user_leave_its_keys_alone() {
    let rows = [user("dormant", [&key(true, "2025-01-01T00:00:00Z", ""), NONE])];
    let plan =
        plan(&place(&rows).run("remedy plan r.csv --as-of 2026-06-01 --format json --rule user-dormant"));
    let instructions = plan["steps"][0]["instructions"].as_array().unwrap();
    let commands: Vec<&str> = instructions
        .iter()
        .filter_map(|step| step["shell"].as_str())
        .collect();
    assert!(
        commands.iter().all(|command| !command.contains("access-key-id")),
        "{commands:?}"
    );
    // What stops the deletion of a user comes first.
    assert_eq!(commands[0], "aws iam list-access-keys --user-name=dormant");
    assert!(
        plan.to_string()
            .contains("have steps or reasons of their own in this plan")
    );
}

#[test]
fn accepted_disuse_protects_a_key_from_other_rules() {
    let suppressions =
        "[[suppress]]\nrule = \"access-key-unused\"\nuser = \"yearly\"\nreason = \"disaster recovery\"\n";
    let rows = [
        user("yearly", [&old(), NONE]),
        user("pair", [&old(), &key(true, "2025-02-01T00:00:00Z", "N/A")]),
    ];
    let place = place(&rows).file("s.toml", suppressions.replace("\"yearly\"", "\"*\""));
    let plan = plan(&place.run(&*format!(
        "{PLAN} --rule two-active-access-keys --suppressions s.toml"
    )));
    assert_eq!(of_key(&plan, "yearly"), "rotate");
    let of_pair = &decided(&plan)[&("pair".to_owned(), "access_key_2".to_owned())];
    // The other rule about use still fails: its disuse is not its only fault.
    assert_eq!(of_pair, "suppressed");
    // To accept two keys is not to accept that one is not used.
    let two = "[[suppress]]\nrule = \"two-active-access-keys\"\nuser = \"*\"\nreason = \"a rotation\"\n";
    let place = place.file("two.toml", two);
    let run = place.run(&*format!(
        "{PLAN} --rule two-active-access-keys --suppressions two.toml"
    ));
    assert_eq!(of_key(&super::remedy::plan(&run), "pair"), "deactivate");
}

#[test]
fn age_is_not_the_only_fault_of_a_key_that_is_not_used() {
    let rows = [
        user("empty", [&key(true, "2025-01-01T00:00:00Z", ""), NONE]),
        user("old", [&old(), NONE]),
        user(
            "contradicts",
            ["true,2025-01-01T00:00:00Z,N/A,eu-west-1,s3", NONE],
        ),
    ];
    let decide = |file: &str, user: &str, args: &str| {
        let place = Workspace::new().file(file, report(&rows));
        let run = place.run(&*format!(
            "remedy plan {file} --rule access-key-* --format json {args}"
        ));
        of_key(&plan(&run), user)
    };
    assert_eq!(decide("r-2026-06-01.csv", "empty", ""), "empty-last-use");
    assert_eq!(decide("r-2026-06-01.csv", "contradicts", ""), "unknown-last-use");
    assert_eq!(decide("r-2026-06-01.csv", "old", ""), "deactivate");
    assert_eq!(decide("undated.csv", "old", ""), "undated-report");
}

#[test]
fn rotations_say_what_is_done_about_the_other_key() {
    let in_use = key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z");
    let says = |other: &str, words: &str| {
        let plan = plan(&place(&[user("pair", [&in_use, other])]).run(PLAN));
        let steps = plan["steps"].as_array().unwrap();
        let rotate = steps.iter().find(|step| step["action"] == "rotate").unwrap();
        let text = rotate["instructions"].to_string();
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains("create-access-key") && !text.contains("delete-access-key"),
            "{text}"
        );
    };
    let idle = key(true, "2025-03-01T00:00:00Z", "2025-06-01T00:00:00Z");
    says(&idle, "is not used and goes first: this plan deactivates it");
    says(
        &key(false, "2026-05-01T00:00:00Z", "N/A"),
        "Keep it until it has been inactive for 30 days",
    );
    says(
        &in_use.replace("2025-01-01", "2024-12-31"),
        "is in use, too, or may be",
    );
    says(
        &in_use.replace("2025-01-01", "2026-05-20"),
        "is newer and in use, or may be",
    );
}

#[test]
fn manual_steps_about_a_key_do_not_change_it() {
    let row = user(
        "new",
        [&key(true, "2026-05-01T00:00:30Z", "2026-05-31T00:00:00Z"), NONE],
    )
    .replace(
        "2019-01-01T00:00:00Z,false,N/A",
        "2026-05-01T00:00:00Z,true,2026-05-31T00:00:00Z",
    );
    let run = place(&[row])
        .run("remedy plan r.csv --as-of 2026-06-01 --format json --rule access-key-created-with-user");
    let plan = plan(&run);
    assert_eq!(of_key(&plan, "new"), "manual");
    let text = plan["steps"][0].to_string();
    assert!(
        !text.contains("update-access-key") && !text.contains("delete-access-key"),
        "{text}"
    );
}

#[test]
fn several_rows_of_a_user_leave_it_alone() {
    let used = key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z");
    // The other row has no finding.
    let fresh = key(true, "2026-05-01T00:00:00Z", "2026-05-31T00:00:00Z");
    for other in [&old(), &used, &fresh] {
        let rows = [user("twice", [&old(), NONE]), user("twice", [other, NONE])];
        let plan = plan(&place(&rows).run(PLAN));
        assert_eq!(plan["steps"], json!([]));
        let excluded = plan["excluded"].as_array().unwrap();
        assert!(
            excluded.iter().all(|it| it["reason"] == "duplicate-user"),
            "{excluded:?}"
        );
    }
}

#[test]
fn what_says_that_a_key_was_active_later_proves_more_than_a_journal() {
    let row = |active: bool| [user("alice", [&key(active, "2025-01-01T00:00:00Z", "N/A"), NONE])];
    let record = json!({
        "schema": "credlens.journal/v1", "record": "result", "action": "deactivate", "outcome": "done",
        "at": "2026-01-01T00:00:00Z", "step": "s", "account": "111122223333", "user": "alice",
        "key_created": "2025-01-01T00:00:00Z",
    });
    let place = place(&row(false))
        .file("x.csv", report(&row(false)))
        .file("j", format!("{record}\n"))
        .file("old/2026-05-10.csv", report(&row(true)));
    let decide = |args: &str| {
        let run = place.run(&*format!("remedy plan {args} --rule access-key-* --format json"));
        of_key(&plan(&run), "alice")
    };
    assert_eq!(decide("r.csv --as-of 2026-06-01 --journal j"), "delete");
    let both = "r.csv --as-of 2026-06-01 --journal j --history old/";
    assert_eq!(decide(both), "deactivation-unknown");
    // An undated report may be older than what proves it.
    assert_eq!(decide("x.csv --journal j"), "undated-report");
}

#[test]
fn inactivity_is_proved_only_up_to_the_report() {
    let rows = [user("alice", [&key(false, "2025-01-01T00:00:00Z", "N/A"), NONE])];
    let place = Workspace::new()
        .file("r-2026-06-01.csv", report(&rows))
        .file("old/2026-05-20.csv", report(&rows));
    let run = place.run(
        "remedy plan r-2026-06-01.csv --as-of 2026-09-01 --history old/ --rule access-key-* --format json",
    );
    assert_eq!(of_key(&plan(&run), "alice"), "deactivation-unknown");
}

#[test]
fn users_of_ses_are_known_by_every_cell_that_says_it() {
    let never = key(true, "2025-03-01T00:00:00Z", "N/A");
    let rows = [
        user(
            "unreadable",
            [
                "?,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,eu-west-1,ses",
                &never,
            ],
        ),
        user(
            "without-time",
            ["false,N/A,2025-02-01T00:00:00Z,eu-west-1,ses", &never],
        ),
        user("SES-SMTP-User.1", [&never, NONE]),
    ];
    let plan = plan(&place(&rows).run(PLAN));
    assert_eq!(plan["steps"], json!([]), "{plan}");
}

#[test]
fn what_columns_do_not_say_is_not_none() {
    let text = "user,arn,user_creation_time,access_key_1_last_rotated,access_key_1_last_used_date\n\
        alice,arn:aws:iam::111122223333:user/alice,2019-01-01T00:00:00Z,2025-01-01T00:00:00Z,N/A\n";
    let place = Workspace::new().file("r.csv", text);
    let run = place.run(&*format!("{PLAN} -v"));
    let plan = plan(&run);
    assert_eq!(plan["accounts"][0]["active_keys"], Value::Null);
    assert!(
        plan["diagnostics"].to_string().contains("services-not-known"),
        "{plan}"
    );
}

#[test]
fn pairs_under_rotation_are_said_to_be() {
    let in_use = key(true, "2025-01-01T00:00:00Z", "2026-05-31T00:00:00Z");
    let rows = [user("pair", [&in_use, &key(true, "2026-05-20T00:00:00Z", "N/A")])];
    let plan = plan(&place(&rows).run(PLAN));
    expect(
        &plan,
        &[
            ("pair", "access_key_1", "rotate"),
            ("pair", "access_key_2", "rotation-under-way"),
        ],
    );
    let text = plan["steps"][0]["instructions"].to_string();
    assert!(
        text.contains("if it is the new key of a rotation, go on with stage 2"),
        "{text}"
    );
    assert!(
        text.contains("create-access-key") && !text.contains("delete-access-key"),
        "{text}"
    );
}

#[test]
fn who_cannot_be_identified_is_left_alone() {
    let never = key(true, "2025-01-01T00:00:00Z", "N/A");
    let impossible = key(true, "2026-05-20T00:00:00Z", "2025-02-01T00:00:00Z");
    let rows = [
        user("bad name", [&never, NONE]),
        user("early", [&impossible, NONE]),
    ];
    let rules = "--rule access-key-unused --rule access-key-never-used --rule access-key-not-rotated";
    let run = |place: &Workspace| {
        plan(&place.run(&*format!(
            "remedy plan r.csv --as-of 2026-06-01 --format json {rules}"
        )))
    };
    let decided_about = run(&place(&rows));
    assert_eq!(of_key(&decided_about, "bad name"), "invalid-name");
    assert_eq!(of_key(&decided_about, "early"), "unknown-last-use");
    // Without ARNs, nothing says which account's credentials the commands need.
    let alice = format!("{}{}", super::remedy::HEADER, user("alice", [&never, NONE]));
    let without = alice.replace("user,arn,", "user,other,");
    assert_eq!(
        of_key(&run(&Workspace::new().file("r.csv", without)), "alice"),
        "unknown-account"
    );
}

#[test]
fn tags_are_found_in_any_case_and_must_be_known_where_they_are_asked_for() {
    let rows = [user("alice", [&old(), NONE])];
    let text = report(&rows);
    let details = json!({
        "schema": "credlens.details/v1", "account": "111122223333", "generated": null,
        "report_sha256": sha256(text.as_bytes()), "service_credentials_listed": true,
        "users": {"alice": {"tags": {"Credlens-Exempt": "true"}}},
    });
    let with = place(&rows).file("r.details.json", details.to_string());
    assert_eq!(of_key(&plan(&with.run(PLAN)), "alice"), "exempt");
    place(&rows)
        .run(&*format!("{PLAN} --exempt-tag team=x"))
        .ends(2, "--exempt-tag needs the tags of users");
    let said = place(&rows).run(&*format!("{PLAN} -v"));
    assert!(
        said.stderr.contains("the tags of 1 user are not known"),
        "{said:?}"
    );
}

#[test]
fn a_key_keeps_its_first_planned_time_whatever_is_to_be_done() {
    let row = |used: &str| [user("alice", [&key(true, "2025-01-01T00:00:00Z", used), NONE])];
    let mut earlier = plan(&place(&row("2026-05-31T00:00:00Z")).run(PLAN));
    assert_eq!(earlier["steps"][0]["action"], "rotate");
    earlier["steps"][0]["first_planned"] = "2026-05-01T00:00:00Z".into();
    let later = place(&row("2026-03-31T00:00:00Z")).file("old.json", earlier.to_string());
    let later = plan(&later.run(&*format!("{PLAN} --announced old.json")));
    assert_eq!(later["steps"][0]["action"], "deactivate");
    assert_eq!(later["steps"][0]["first_planned"], "2026-05-01T00:00:00Z");
}

#[test]
fn the_date_of_a_directory_is_that_of_the_report_too() {
    let rows = [user(
        "daily",
        [&key(true, "2025-01-01T00:00:00Z", "2026-03-31T00:00:00Z"), NONE],
    )];
    let place = Workspace::new().file("reports/2026/04/01/r.csv", report(&rows));
    let run = place.run("remedy plan reports --as-of 2026-12-31 --rule access-key-unused --format json");
    assert_eq!(of_key(&plan(&run), "daily"), "in-use");
}

#[test]
fn accounts_that_are_left_out_are_not_looked_at() {
    let other = report(&[user("alice", [&old(), NONE])]).replace("111122223333", "444455556666");
    let place = place(&[user("alice", [&old(), NONE])]).file("s.csv", other);
    let run = place.run(&*format!("{PLAN} s.csv --exclude-account 4444*"));
    let plan = plan(&run);
    assert_eq!(plan["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(plan["excluded"], json!([]));
    assert_eq!(plan["steps"].as_array().unwrap().len(), 1);
}
