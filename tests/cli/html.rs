//! `credlens scan --format html`: what the page says of a run. tests/browser has what it does in a browser.

use super::Workspace;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// A user with a key of this day, and a password if they have no MFA.
fn user(account: &str, name: &str, key: &str, without_mfa: bool) -> String {
    format!(
        "{name},arn:aws:iam::{account}:user/{name},2020-01-01T00:00:00Z,{without_mfa},N/A,2026-11-01T00:00:00Z,N/A,\
         false,true,{key}T00:00:00Z,2026-11-20T00:00:00Z,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
    )
}

fn two_accounts() -> Workspace {
    let first = [
        user("111122223333", "alice", "2021-02-03", true),
        user("111122223333", "bob", "2026-09-01", false),
    ];
    let second = user("444455556666", "carol", "2026-11-01", true);
    Workspace::new()
        .file("a/2026-11-21.csv", format!("{HEADER}\n{}", first.concat()))
        .file("b/2026-11-21.csv", format!("{HEADER}\n{second}"))
}

#[test]
fn the_top_says_what_was_evaluated_and_by_what() {
    let place = two_accounts();
    let run =
        place.run("scan a b --format html --framework cis-aws-5.0 --exclude-user dave --due-within 14d");
    run.ends(1, "")
        .says("3 users of 2 accounts in 2 reports, evaluated as of 2026-11-21T23:59:59Z")
        .says("<h2 id=\"ranking-heading\">Accounts, worst first</h2>")
        .says("<h3>CIS Amazon Web Services Foundations Benchmark 5.0")
        .says("<td>1 fail, 1 pass</td>")
        .says("chosen by --exclude-user dave")
        .says("<h2 id=\"due-heading\">Due within 14 days</h2>")
        .says("<td class=\"when\">2026-11-30 00:00</td>");
    let json = place
        .run("scan a b --format json --framework cis-aws-5.0 --exclude-user dave")
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for digest in [&json["evidence"]["rules_sha256"], &json["inputs"][1]["sha256"]] {
        run.says(digest.as_str().expect("a digest"));
    }
}

#[test]
fn fixes_are_in_the_page_and_in_no_format_that_was_not_asked_for_them() {
    let place = two_accounts();
    let formats = ["table", "json", "ndjson", "markdown"];
    let together = formats.map(|format| format!("--format={format}={format}.txt"));
    let run = place.run(format!("scan a --format html {}", together.join(" ")).as_str());
    run.ends(1, "").says("--user-name=alice");
    for format in formats {
        let alone = place.run(format!("scan a --format {format}").as_str());
        alone.ends(1, "");
        let beside = place.read(&format!("{format}.txt"));
        assert_eq!(beside, alone.stdout, "{format}");
        let asked = place.run(format!("scan a --format html=x.html --fix --format {format}").as_str());
        asked.says("--user-name=alice");
    }
}

#[test]
fn suppressed_findings_say_why_they_are_accepted() {
    let place = two_accounts().file(
        "accepted.toml",
        "[[suppress]]\nrule = \"console-user-without-mfa\"\nuser = \"alice\"\nreason = \"break <glass>\"\n\
         ticket = \"SEC-1\"\nexpires = 2027-01-31\n",
    );
    let run = place.run("scan a --format html --status all --suppressions accepted.toml");
    run.ends(1, "")
        .says("<span class=\"mark suppressed\">suppressed</span>")
        .says("<dt>Accepted</dt><dd><p>break &lt;glass&gt;</p><p class=\"soft\">until 2027-01-31, ticket SEC-1</p>");
}

#[test]
fn a_ranking_that_is_asked_for_is_in_the_page() {
    let place = two_accounts();
    let run = place.run("scan a b --format html --by user");
    run.ends(1, "")
        .says("Users, worst first")
        .hides("Accounts, worst first");
}
