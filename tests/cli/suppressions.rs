//! Accepted findings: counted, shown on demand, and accepted no longer than to their date.

use super::{Outcome, Workspace};

const ACCEPTED: &str = r#"
[[suppress]]
rule = "access-key-not-rotated"
user = "build-*"
reason = "rotated by the vendor"
expires = 2027-01-01
ticket = "SEC-7"
"#;

const EXPIRED: &str =
    "[[suppress]]\nrule = \"access-key-inactive\"\nreason = \"soon\"\nexpires = 2026-01-01\n";
const UNUSED: &str = "[[suppress]]\nrule = \"user-dormant\"\nuser = \"nobody\"\nreason = \"gone\"\n";

fn scan(place: &Workspace, args: &str) -> Outcome {
    place.run(format!("scan csv.csv --as-of 2026-11-21 {args}").as_str())
}

fn place(accepted: &str) -> Workspace {
    Workspace::with(&["csv.csv"]).file("accepted.toml", accepted)
}

#[test]
fn accepted_findings_are_counted_and_not_emitted() {
    let run = scan(&place(ACCEPTED), "--suppressions accepted.toml --fail-on high");
    run.ends(0, "")
        .says("1 failed (1 low), 1 suppressed")
        .hides("last rotated 2025-01-02");
}

#[test]
fn accepted_findings_are_emitted_on_demand_with_their_reason() {
    let args = "--suppressions accepted.toml --status suppressed --format ndjson";
    let run = scan(&place(ACCEPTED), args);
    let suppression =
        r#""suppression":{"reason":"rotated by the vendor","expires":"2027-01-01","ticket":"SEC-7"}"#;
    run.ends(1, "")
        .says(r#""status":"suppressed""#)
        .says(suppression)
        .hides(r#""status":"fail""#);
}

#[test]
fn the_configuration_file_can_accept_too() {
    let place = Workspace::with(&["csv.csv"]).file("credlens.toml", ACCEPTED);
    scan(&place, "--fail-on high").ends(0, "").says("1 suppressed");
    scan(&place, "--fail-on high --no-suppressions")
        .ends(1, "")
        .hides("suppressed");
}

#[test]
fn expired_and_unused_entries_give_diagnostics() {
    let run = scan(
        &place(&format!("{EXPIRED}{UNUSED}")),
        "--suppressions accepted.toml",
    );
    run.ends(1, "")
        .says("2 failed")
        .says("[suppression-expired]")
        .says("[suppression-unused]");
}

#[test]
fn an_entry_without_a_reason_is_refused() {
    let place = place(
        "[[suppress]]\nrule = \"user-dormant\"\n[[suppress]]\nrule = \"user-dorman\"\nreason = \"x\"\n",
    );
    let run = scan(&place, "--suppressions accepted.toml");
    run.ends(2, "a suppression needs a 'reason'")
        .ends(2, "accepted.toml:1")
        .ends(2, "did you mean 'user-dormant'?");
}

/// Users can be chosen by their IAM path; root has none.
#[test]
fn a_path() {
    let report = "user,arn,user_creation_time,password_enabled,mfa_active\n\
        <root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,true,false\n\
        al,arn:aws:iam::111122223333:user/team-a/al,2019-01-01T00:00:00Z,true,false\n\
        bo,arn:aws:iam::111122223333:user/bo,2019-01-01T00:00:00Z,true,false\n";
    let entry = |path: &str| format!("[[suppress]]\nrule = \"*\"\npath = \"{path}\"\nreason = \"x\"\n");
    for (path, suppressed) in [
        ("/team-a/*", "al "),
        ("/", "bo "),
        ("*", "al bo "),
        ("/team-b/", ""),
    ] {
        let place = Workspace::new()
            .file("2026-05-01.csv", report)
            .file("s.toml", entry(path));
        let run = place.run("scan 2026-05-01.csv --rule console-user-without-mfa --suppressions s.toml --status suppressed --format ndjson");
        let users = run.stdout.lines().map(|line| {
            let finding: serde_json::Value = serde_json::from_str(line).unwrap();
            finding["user"].as_str().unwrap().to_owned() + " "
        });
        assert_eq!(users.collect::<String>(), suppressed, "{path}");
    }
}
