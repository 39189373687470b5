//! credlens.toml: the settings of the command line, which goes before them.

use super::{Outcome, Workspace};

fn place(settings: &str) -> Workspace {
    Workspace::with(&["csv.csv"]).file("credlens.toml", settings)
}

fn scan(place: &Workspace, args: &str) -> Outcome {
    place.run(format!("scan csv.csv {args}").as_str())
}

const EVERY_KEY: &str = r#"
as-of = "2026-11-21"
rule = ["access-key-*"]
rules-from = ["own.gsl"]
format = ["summary"]
status = ["all"]
min-severity = "low"
limit = 7
fail-on = "critical"
suppressions = "accepted.toml"
threads = 2
max-unpacked = 1
color = "never"
quiet = false
verbose = true

[set]
access-key-not-rotated.max_age = 60
"access-key-inactive.max_age" = 80

[[suppress]]
rule = "access-key-inactive"
reason = "the vendor deletes it in January"
"#;

#[test]
fn every_key_is_used_and_said_to_be() {
    let place = place(EVERY_KEY)
        .file("own.gsl", "IamUser should have mfaActive\n")
        .file("accepted.toml", "");
    let run = scan(&place, "");
    run.ends(0, "note: credlens.toml: settings of this file were used");
    run.says("2026-11-21T00:00:00Z (given)")
        .says("(max_age=60)")
        .says("(max_age=80)")
        .says("1 suppressed");
    run.hides("root-without-mfa");
}

#[test]
fn the_command_line_goes_first() {
    let place = place(
        "as-of = \"2026-11-21\"\nrule = [\"root-*\"]\nframework = [\"cis-aws-5.0\"]\nfail-on = \"never\"\nformat = [\"json\"]\n[set]\naccess-key-not-rotated.max_age = 60\n",
    );
    let args = "--as-of 2026-11-22 --rule access-key-not-rotated --fail-on low --format summary \
        --set access-key-not-rotated.max_age=70";
    let run = scan(&place, args);
    run.ends(1, "")
        .says("2026-11-22T00:00:00Z (given)")
        .says("(max_age=70)")
        .hides("root-")
        .hides("cis-");
}

#[test]
fn every_output_says_that_the_file_was_used() {
    let place = place("limit = 7");
    for format in ["table", "json", "markdown"] {
        scan(&place, &format!("--format {format}")).says("settings of this file were used");
    }
}

#[test]
fn diff_and_trend_say_that_the_file_was_used() {
    let place = Workspace::with(&["csv.csv", "cli-json.json"]).file("credlens.toml", "limit = 7");
    for command in [
        "diff csv.csv cli-json.json --old-as-of 2026-01-01",
        "trend csv.csv cli-json.json",
    ] {
        let run = place.run(format!("{command} --format table").as_str());
        run.says("settings of this file were used");
        let run = place.run(format!("{command} --format json=out.json").as_str());
        let note = "note: credlens.toml: settings of this file were used";
        assert!(run.stderr.contains(note), "{run:#?}");
        assert!(
            place.read("out.json").contains("settings of this file"),
            "{command}"
        );
    }
}

#[test]
fn paths_in_a_named_settings_file_are_relative_to_it() {
    let place = place("bla = 1")
        .file("etc/other.toml", "rules-from = [\"own.gsl\"]\nrule = [\"own*\"]")
        .file("etc/own.gsl", "IamUser should have mfaActive\n");
    scan(&place, "--config etc/other.toml").ends(1, "").says("own");
}

#[test]
fn errors_of_parameters_point_at_their_lines() {
    let settings = r#"
[set]
access-key-not-rotated.max_ag = 60
access-key-unused = { max_idle = "x" }
"nope.max_age" = 3
max_age = 3

[set.user-dormant]
max_idle = 99999999
"#;
    let run = scan(&place(settings), "");
    run.ends(2, "");
    insta::assert_snapshot!(run.stderr, @r#"
    error: 'access-key-not-rotated' has no parameter 'max_ag'
     --> credlens.toml:3:1
      |
    3 | access-key-not-rotated.max_ag = 60
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean 'max_age'?

    error: 'max_idle' must be a whole number
     --> credlens.toml:4:34
      |
    4 | access-key-unused = { max_idle = "x" }
      |                                  ^^^

    error: unknown rule 'nope'
     --> credlens.toml:5:1
      |
    5 | "nope.max_age" = 3
      | ^^^^^^^^^^^^^^
      |
      = help: `credlens rules list` lists all rules

    error: 'max_age' does not have the form RULE.PARAM
     --> credlens.toml:6:1
      |
    6 | max_age = 3
      | ^^^^^^^
      |
      = help: for example, access-key-unused.max_idle = 60

    error: user-dormant.max_idle must be 1 to 3650 days, got 99999999
     --> credlens.toml:9:1
      |
    9 | max_idle = 99999999
      | ^^^^^^^^
    "#);
}

#[test]
fn errors_point_at_their_line() {
    for (settings, line, words) in [
        (
            "treads = 2",
            "1 | treads = 2\n  | ^^^^^^",
            "unknown field `treads`, expected one of",
        ),
        (
            "as-of = \"now\"",
            "1 | as-of = \"now\"\n  |         ^^^^^",
            "not a valid time",
        ),
        ("fail-on = \"bla\"", "^^^^^", "one of informational"),
        ("status = [\"bla\"]", "^^^^", "one of fail, undetermined"),
        ("min-severity = \"bad\"", "^^^^^", "unknown variant `bad`"),
        (
            "format = [\"csv=out.csv\"]",
            "^^^^",
            "a path can be given only on the command line: --format csv=PATH",
        ),
        ("x", "1 | x\n  |  ^", "key with no value, expected `=`"),
    ] {
        let run = scan(&place(settings), "");
        run.ends(2, " --> credlens.toml:1:").ends(2, line).ends(2, words);
    }
    // The parameters and suppressions in it are read by others, with the same carets.
    scan(&place("set = 3"), "").ends(2, "'set' must be a table\n --> credlens.toml:1:7");
    scan(&place("suppress = 3"), "").ends(2, "'suppress' must be a list of tables\n --> credlens.toml:1:12");
    scan(&place("threads = 100000"), "").ends(2, "--threads must be 0 to 1024, got 100000");
    scan(&place("role = \"x\""), "").ends(2, "unknown field `role`");
}
