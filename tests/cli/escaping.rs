//! Nothing from reports, arguments, settings and rule files reaches a terminal as it is: not a control character, not one
//! that is invisible or moves others.

use super::{FORMATS, Outcome, Workspace};
use crate::support::hostile::{HOSTILE, raw};

#[track_caller]
fn is_clean(run: &Outcome) {
    assert_eq!(
        raw(&run.stdout),
        Vec::<char>::new(),
        "{}",
        run.stdout.escape_debug()
    );
    assert_eq!(
        raw(&run.stderr),
        Vec::<char>::new(),
        "{}",
        run.stderr.escape_debug()
    );
}

fn report(mfa: &str) -> String {
    format!(
        "user,arn,mfa_active,password_enabled\n\"a{HOSTILE}b\",arn:aws:iam::111122223333:user/{HOSTILE},{mfa},true\n\
         bob,arn:aws:iam::111122223333:user/bob,may{HOSTILE}be,true\n"
    )
}

#[test]
fn every_format_of_every_command() {
    let name = "in\u{202e}\u{3164}\u{9b}.csv";
    let place = Workspace::new()
        .file(name, report("false"))
        .file("old/2026-01-01.csv", report("true"))
        .file("old/2026-02-01.csv", report("false"));
    for format in FORMATS {
        let run = place.run([
            "scan",
            name,
            "nope\u{202e}\u{115f}.csv",
            "--status=all",
            "-v",
            "--format",
            format,
        ]);
        run.ends(4, r"nope\u{202e}\u{115f}.csv");
        is_clean(&run);
        assert!(
            format == "summary" || run.stdout.contains("111122223333"),
            "{run:#?}"
        );
    }
    for format in ["table", "json", "ndjson", "markdown"] {
        is_clean(&place.run([
            "diff",
            "old/2026-01-01.csv",
            "old/2026-02-01.csv",
            "--format",
            format,
        ]));
    }
    for format in ["table", "json", "csv", "markdown", "html"] {
        is_clean(&place.run(["trend", "old", name, "-v", "--format", format]));
    }
    let json = place
        .run(["scan", name, "--status=all", "--format", "json"])
        .stdout;
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    let users = all["findings"].as_array().unwrap().iter();
    let name = format!("a{HOSTILE}b");
    assert!(
        users.map(|finding| &finding["user"]).any(|user| *user == *name),
        "the value is as it was"
    );
}

#[test]
fn arguments() {
    let place = Workspace::with(&["csv.csv"]);
    for arguments in [
        ["scan", "csv.csv", "--bla\u{1b}[31m\u{202e}\u{9b}"],
        ["scan", "csv.csv", "--format=\u{1b}[31m\u{3164}\u{9b}"],
        ["scan", "csv.csv", "--as-of=\u{1b}]0;x\u{7}\n\u{202e}"],
        ["scan", "csv.csv", "--threads=\u{1b}\u{202e}"],
        ["scan", "csv.csv", "--rule=\u{1b}[31m\u{202e}\u{9b}"],
        ["scan", "csv.csv", "--set=\u{1b}[31m\u{202e}=\u{9b}"],
        ["scan", "csv.csv", "--config=\u{1b}[31m\u{202e}"],
        ["scan", "csv.csv", "--framework=\u{1b}[31m\u{202e}"],
        ["rules", "show", "\u{1b}[31m\u{202e}\u{9b}"],
        ["\u{1b}[31m\u{202e}", "\u{9b}", "x"],
    ] {
        let run = place.run(arguments);
        run.ends(2, r"\");
        is_clean(&run);
    }
    is_clean(
        place
            .run(["scan", "csv.csv", "--format=json=no\u{1b}\u{202e}/x"])
            .ends(5, r"no\x1b\u{202e}/x as json"),
    );
}

#[test]
fn settings_and_rule_files() {
    let place = Workspace::with(&["csv.csv"])
        .file("key.toml", "\"fo\u{9b}\u{202e}rmat\" = 1\n")
        .file("value.toml", "fail-on = \"\u{9b}31m\u{3164}\"\n")
        .file("syntax.toml", "fail-on = \u{9b}31m\u{202e}\n")
        .file("rule.gsl", "IamUser should have \u{9b}31m\u{202e}\u{3164}\n");
    for settings in ["key.toml", "value.toml", "syntax.toml"] {
        is_clean(
            place
                .run(["scan", "csv.csv", "--config", settings])
                .ends(2, settings),
        );
        is_clean(
            place
                .run(["scan", "csv.csv", "--suppressions", settings])
                .ends(2, settings),
        );
    }
    is_clean(
        place
            .run("scan csv.csv --rules-from rule.gsl --rule rule")
            .ends(2, "rule.gsl"),
    );
    is_clean(place.run("rules check rule.gsl").ends(2, "rule.gsl"));
}

/// Rules whose title, message, logic and file are like that, in the list and the pages of rules.
#[test]
fn own_rules_in_lists_and_pages() {
    let text = r"a\u001b\u0085\u009b\u202e\u3164\U000E0001b";
    let toml = format!(
        "title = \"{text}\"\nseverity = \"high\"\nmessage = \"{text}\"\nwhy = \"{text}\"\n\
         logic = \"IamUser where name='{text}' should have mfaActive\"\n"
    );
    let gsl = "# a\u{9b}\u{202e}\u{3164}b\nIamUser should have mfaActive\n";
    let place = Workspace::new()
        .file("own.toml", toml)
        .file("mine\u{9b}\u{202e}.gsl", gsl);
    for file in ["own.toml", "mine\u{9b}\u{202e}.gsl"] {
        for command in [&["list", "--format=json"][..], &["list"], &["show", "*"]] {
            let run = place.run(&*[&["rules"], command, &["--rules-from", file]].concat());
            is_clean(&run);
            assert!(run.status == 0 || file != "own.toml", "{run:#?}");
        }
    }
    let list = place
        .run(["rules", "list", "--format=json", "--rules-from=own.toml"])
        .stdout;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let titles = list.as_array().unwrap().iter().map(|rule| &rule["title"]);
    let title = "a\u{1b}\u{85}\u{9b}\u{202e}\u{3164}\u{e0001}b";
    assert!(
        titles.into_iter().any(|found| found == title),
        "the value is as it was"
    );
}
