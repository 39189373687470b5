//! `credlens scan --fix`: the steps of each finding, and the suppression that would accept it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{FORMATS, Outcome, Workspace};
use crate::support::schemas;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated,access_key_1_id";

/// A user with a password without MFA, two old keys of the same second, and a certificate.
fn user(name: &str, key_id: &str) -> String {
    let quoted = name.replace('"', "\"\"");
    format!(
        "\"{quoted}\",arn:aws:iam::111122223333:user/x,2020-01-01T00:00:00Z,true,N/A,2020-01-01T00:00:00Z,N/A,false,\
         true,2021-02-03T04:05:06Z,N/A,N/A,N/A,true,2021-02-03T04:05:06Z,N/A,N/A,N/A,true,2020-05-06T00:00:00Z,false,\
         N/A,{key_id}\n"
    )
}

fn report(users: &[(&str, &str)]) -> Workspace {
    let rows = users.iter().map(|(name, key_id)| user(name, key_id));
    let rows: String = rows.collect();
    Workspace::new().file("2026-11-21.csv", format!("{HEADER}\n{rows}"))
}

/// The findings of a document, with their fixes.
fn findings(run: &Outcome) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    document["findings"].as_array().unwrap().clone()
}

/// The commands of a rule's findings.
fn commands(findings: &[Value], rule: &str) -> Vec<String> {
    let steps = findings.iter().filter(|finding| finding["rule"] == rule);
    let steps = steps.flat_map(|finding| finding["fix"]["steps"].as_array().unwrap());
    let commands = steps.filter(|step| step["kind"] == "command");
    commands
        .map(|step| step["shell"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn steps_are_filled_in_for_the_user_and_the_key() {
    let place = report(&[("-rf", "AKIAIOSFODNN7EXAMPLE")]);
    let run = place.run("scan 2026-11-21.csv --fix --format json --rule access-key-unused");
    run.ends(1, "");
    schemas::assert_assessment(&run.stdout);
    let findings = findings(&run);
    let shown = commands(&findings, "access-key-unused");
    assert_eq!(shown[0], "aws iam list-access-keys --user-name=-rf");
    let deactivate =
        |id| format!("aws iam update-access-key --user-name=-rf --access-key-id={id} --status=Inactive");
    assert!(shown.contains(&deactivate("AKIAIOSFODNN7EXAMPLE")), "{shown:?}");
    assert!(shown.contains(&deactivate("KEY_ID")), "{shown:?}");
    let text = run.stdout.replace('`', "");
    assert!(
        text.contains("KEY_ID is access_key_2 (created 2021-02-03T04:05:06Z)"),
        "{text}"
    );
    assert!(
        text.contains("With credentials of account 111122223333"),
        "{text}"
    );
}

#[test]
fn the_entries_that_fixes_show_accept_every_finding() {
    let names = [
        "alice",
        "*",
        "a b\\",
        "[x]{y}?",
        "\"quoted\" 'it''s'",
        "\u{202e}evil\u{7}`",
        "東京",
        "tail\u{a0}",
    ];
    let place = report(&names.map(|name| (name, "")));
    let run = place.run("scan 2026-11-21.csv --fix --format json --rule * --status fail");
    run.ends(1, "");
    let findings = findings(&run);
    assert!(findings.len() > 40, "{}", findings.len());
    let mut entries = String::new();
    for finding in &findings {
        let entry = finding["fix"]["suppression"].as_str().expect("an entry");
        let _ = writeln!(entries, "{entry}");
    }
    let place = place.file("accepted.toml", entries);
    place
        .run("scan 2026-11-21.csv --suppressions accepted.toml --rule * --format summary --fail-on-undetermined")
        .ends(0, "")
        .says("nothing failed")
        .hides("suppression-unused");
}

#[test]
fn hostile_names_get_words_in_every_format() {
    let names = ["$(touch pwned)", "`id`", "a;b", "x' --status=Active '", ""];
    let place = report(&names.map(|name| (name, "AKIA$(id)EXAMPLEEXAMPLE")));
    for format in ["table", "markdown", "json", "ndjson", "html"] {
        let run = place.run(format!("scan 2026-11-21.csv --fix --limit 0 --format {format}").as_str());
        run.ends(1, "")
            .says("No commands, because ")
            .hides("--user-name=");
    }
}

#[test]
fn only_what_fails_has_a_fix_and_only_if_asked_for() {
    let place = report(&[("alice", "")]).file(
        "accepted.toml",
        "[[suppress]]\nrule = \"console-user-without-mfa\"\nreason = \"x\"\n",
    );
    let run = place.run("scan 2026-11-21.csv --fix --status all --suppressions accepted.toml --format json");
    for finding in findings(run.ends(1, "")) {
        assert_eq!(
            finding.get("fix").is_some(),
            finding["status"] == "fail",
            "{finding}"
        );
    }
    let place = report(&[("alice", "")]);
    for format in FORMATS.into_iter().filter(|format| *format != "html") {
        let run = place.run(format!("scan 2026-11-21.csv --format {format}").as_str());
        run.ends(1, "").hides("\"fix\"").hides("list-access-keys");
    }
}

#[test]
fn formats_without_fixes_refuse_the_flag() {
    let place = report(&[("alice", "")]);
    place
        .run("scan 2026-11-21.csv --fix --format csv")
        .ends(2, "--fix is for --format table, markdown, json and ndjson");
    place
        .run("scan 2026-11-21.csv --fix --format csv --format json=all.json")
        .ends(1, "");
    assert!(place.read("all.json").contains("\"fix\""));
    let place = place.file("credlens.toml", "fix = true\n");
    place.run("scan 2026-11-21.csv --format csv").ends(1, "");
    place
        .run("scan 2026-11-21.csv")
        .ends(1, "")
        .says("aws iam list-access-keys --user-name=alice");
}

#[test]
fn the_table_says_what_to_do_next() {
    let place = report(&[("alice", "")]);
    place
        .run("scan 2026-11-21.csv")
        .ends(1, "")
        .says("\nwhy it matters:   credlens rules show access-key-not-rotated\n")
        .says("\nhow to fix each:  run this scan with --fix\n");
    place
        .run("scan 2026-11-21.csv --fix")
        .ends(1, "")
        .says("why it matters: ")
        .hides("with --fix\n");
    place
        .run("scan 2026-11-21.csv --rule root-without-mfa")
        .hides("why it matters");
    let accepted = "[[suppress]]\nrule = \"*\"\nreason = \"accepted\"";
    let place = place.file("accepted.toml", accepted);
    place
        .run("scan 2026-11-21.csv --suppressions accepted.toml --status suppressed")
        .ends(0, "")
        .says("accepted: accepted")
        .hides("why it matters");
    place
        .run("scan 2026-11-21.csv --status pass")
        .says("  pass  ")
        .hides("why it matters");
    let place = place.file("my rules/own.gsl", "IamUser should have mfaActive");
    place
        .run([
            "scan",
            "2026-11-21.csv",
            "--rules-from",
            "my rules",
            "--rule",
            "own-1",
        ])
        .ends(1, "")
        .says("credlens rules show own-1 '--rules-from=my rules/own.gsl'\n");
    place
        .run(["rules", "show", "own-1", "--rules-from=my rules/own.gsl"])
        .ends(0, "")
        .says("own-1");
}

#[test]
fn root_gets_words() {
    let row = user("<root_account>", "").replace(":user/x", ":root");
    let place = Workspace::new().file("2026-11-21.csv", format!("{HEADER}\n{row}"));
    let run = place.run("scan 2026-11-21.csv --fix --format json --rule *");
    let findings = findings(run.ends(1, ""));
    assert!(findings.len() > 5);
    for finding in &findings {
        let steps = finding["fix"]["steps"].as_array().unwrap();
        assert!(
            !steps.is_empty() && steps.iter().all(|step| step["kind"] == "text"),
            "{finding}"
        );
    }
}

#[test]
fn users_of_ses_smtp_get_their_own_steps() {
    let key = "true,2021-02-03T04:05:06Z,2026-11-01T00:00:00Z,eu-west-1";
    let row = |name: &str, service: &str| {
        format!(
            "{name},arn:aws:iam::111122223333:user/{name},2020-01-01T00:00:00Z,false,N/A,N/A,N/A,false,\
             {key},{service},false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,AKIAIOSFODNN7EXAMPLE\n"
        )
    };
    let rows = [
        row("mailer", "ses"),
        row("ses-smtp-user.20250101", "N/A"),
        row("other", "s3"),
    ]
    .concat();
    let place = Workspace::new().file("2026-11-21.csv", format!("{HEADER}\n{rows}"));
    let run = place.run("scan 2026-11-21.csv --fix --format json --rule access-key-not-rotated");
    let found = findings(&run);
    let mentions = |at: usize, text: &str| found[at]["fix"].to_string().contains(text);
    assert!(mentions(0, "To deactivate the key stops this mail"), "{found:?}");
    assert!(mentions(1, "Create SMTP credentials"));
    assert!(!mentions(0, "create-access-key"));
    assert!(!mentions(2, "SMTP") && mentions(2, "create-access-key"));
    let shown = commands(&found[..1], "access-key-not-rotated");
    let deactivate =
        "aws iam update-access-key --user-name=mailer --access-key-id=AKIAIOSFODNN7EXAMPLE --status=Inactive";
    assert!(shown.contains(&deactivate.to_owned()), "{shown:?}");
}
