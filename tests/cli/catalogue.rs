//! `credlens rules` and `credlens frameworks`, and rules of the user's own.

use super::Workspace;

#[test]
fn rules_are_listed_and_filtered() {
    let place = Workspace::new();
    let ids = |args: &str| -> Vec<String> {
        let run = place.run(format!("rules list --format json {args}").as_str());
        let rules: serde_json::Value = serde_json::from_str(&run.ends(0, "").stdout).unwrap();
        let rules = rules.as_array().unwrap().iter();
        rules
            .map(|rule| rule["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = ids("");
    assert!(all.len() > ids("--default").len());
    assert!(all.len() > ids("--min-severity high").len());
    assert_eq!(ids("--framework unused-keys-level-2").len(), 1);
    place.run("rules list").ends(0, "").says("access-key-unused");
    place
        .run("rules list --framework nope")
        .ends(2, "unknown framework 'nope'");
}

#[test]
fn a_rule_is_explained_by_id_and_alias() {
    let place = Workspace::new();
    let run = place.run("rules show access-key-unused");
    run.ends(0, "")
        .says("A key idle for exactly 45 days fails")
        .says("aws iam update-access-key");
    place
        .run("rules show D9.AWS.IAM.07")
        .ends(0, "")
        .says("D9.AWS.IAM.07");
    place
        .run("rules show acces-key-unused")
        .ends(2, "did you mean 'access-key-unused'?");
}

#[test]
fn frameworks_are_listed_and_explained() {
    let place = Workspace::new();
    place.run("frameworks list").ends(0, "").says("cis-aws-5.0");
    place
        .run("frameworks list --format json")
        .ends(0, "")
        .says(r#""cis-aws-5.0""#);
    place.run("frameworks show cis-aws-5.0").ends(0, "").says("1.11");
    place
        .run("frameworks show cis-aws-9")
        .ends(2, "unknown framework 'cis-aws-9'");
}

#[test]
fn pages_are_markdown_where_no_terminal_is_and_text_on_request() {
    let place = Workspace::new();
    let page = "rules show console-user-without-mfa";
    let markdown = place.run(page);
    markdown
        .ends(0, "")
        .says("# Console user")
        .says("```sh")
        .says("## Why");
    assert_eq!(
        place.run(format!("{page} --format markdown").as_str()).stdout,
        markdown.stdout
    );
    let text = place.run(format!("{page} --format text").as_str());
    text.ends(0, "")
        .says("\nHow to fix it\n")
        .says("\n      aws iam list-mfa-devices --user-name=USER_NAME\n")
        .hides("```")
        .hides("##")
        .hides("](")
        .hides("`");
    let position = |heading: &str| text.stdout.find(&format!("\n{heading}\n")).unwrap();
    assert!(position("How to fix it") < position("Why"), "{}", text.stdout);
    for name in ["cis-aws-5.0", "pci-dss-4.0.1", "gxp-21-cfr-11"] {
        place
            .run(format!("frameworks show {name} --format text").as_str())
            .ends(0, "")
            .hides("<br>")
            .hides("](")
            .hides("|--");
        place
            .run(format!("frameworks show {name}").as_str())
            .says("\n|---|");
    }
    place
        .run(format!("{page} --format html").as_str())
        .ends(2, "possible values: text, markdown");
}

#[test]
fn no_page_for_a_terminal_has_markdown() {
    let place = Workspace::new();
    let run = place.run("rules show * --format text");
    run.ends(0, "")
        .hides("```")
        .hides("](")
        .hides("<br>")
        .hides("&lt;")
        .hides("**");
    assert!(
        run.stdout.contains("How to fix it\n\n  Console\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_built_in_rules_are_without_errors_and_their_examples_pass() {
    let place = Workspace::new();
    place.run("rules check").ends(0, "").says(" 0 errors");
    place.run("rules test").ends(0, "").says(" 0 failed");
}

#[test]
fn all_errors_of_rule_files_are_shown_at_once() {
    let place = Workspace::new()
        .file(
            "own/a.gsl",
            "IamUser should have mfaActiv\nIamUser where name = 3 should have mfaActive\n",
        )
        .file(
            "own/b.toml",
            "severity = \"bad\"\nlogic = \"IamUser should have mfaActive\"\n",
        )
        .file("own/notes.md", "no rule");
    for command in ["rules check own", "scan - --rules-from own"] {
        let run = place.run(command);
        run.ends(2, "--> own/a.gsl:1:21")
            .ends(2, "did you mean `mfaActive`?")
            .ends(2, "^^^^^^^^");
        run.ends(2, "--> own/a.gsl:2:22")
            .ends(2, "own/b.toml")
            .ends(2, "'title' is missing");
    }
    place.run("rules check own").says("3 errors");
    place
        .run("rules check nope")
        .ends(2, "cannot read the rule file nope: ");
}

#[test]
fn a_users_own_rule_is_evaluated() {
    let place = Workspace::with(&["csv.csv"]).file(
        "own.gsl",
        "# Robots have no password\nIamUser where name like '%robot' should not have passwordEnabled\n",
    );
    let run = place.run("scan csv.csv --rules-from own.gsl --rule own* --as-of 2026-11-21");
    run.ends(0, "").says("1 passed");
}

#[test]
fn an_override_changes_the_severity_but_never_the_logic() {
    let logic = "logic = \"IamUser should have mfaActive\"\n";
    let place = Workspace::with(&["csv.csv"])
        .file(
            "mild.toml",
            "extends = \"access-key-not-rotated\"\nseverity = \"informational\"\n",
        )
        .file(
            "other.toml",
            format!("extends = \"access-key-not-rotated\"\n{logic}"),
        )
        .file(
            "access-key-not-rotated.toml",
            format!("title = \"Mine\"\nseverity = \"low\"\nwhy = \"mine\"\n{logic}"),
        );
    let scan = |file: &str| {
        place.run([
            "scan",
            "csv.csv",
            "--rule",
            "access-key-not-rotated",
            "--rules-from",
            file,
        ])
    };
    scan("mild.toml").ends(0, "").says("informational");
    scan("other.toml").ends(2, "an override cannot change the logic");
    scan("access-key-not-rotated.toml").ends(2, "already exists");
}

#[test]
fn a_failing_example_is_reported() {
    let text = "title = \"T\"\nseverity = \"low\"\nwhy = \"w\"\nlogic = \"IamUser should have mfaActive\"\n\
        [[example]]\nname = \"no device\"\nverdict = \"pass\"\ncells = { mfa_active = \"false\" }\n";
    let place = Workspace::new().file("own.toml", text);
    place
        .run("rules test own.toml")
        .ends(1, "example 'no device' is fail, not pass")
        .says("1 failed");
}
