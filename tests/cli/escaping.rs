//! Nothing from reports, arguments, settings and rule files reaches a terminal as it is: not a control character, not one
//! that is invisible or moves others.

use super::{FORMATS, Outcome, Workspace};

/// One of each class: controls of both sets, bidirectional, zero-width, fillers, blanks, selectors, tags, private,
/// unassigned.
const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{2003}\u{200b}\u{200d}\
    \u{2028}\u{2029}\u{202e}\u{2065}\u{2066}\u{2800}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{ffa0}\u{fffb}\u{ffff}\u{e0041}\u{e01ef}\u{e0fff}\
    \u{10ffff}";

/// Its characters, line ends of ours aside.
fn raw(text: &str) -> Vec<char> {
    let is_raw = |char: &char| HOSTILE.contains(*char) && !"]0;x".contains(*char);
    text.chars().filter(is_raw).collect()
}

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
