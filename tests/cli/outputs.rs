//! Where findings go, and in which form.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::{fs, thread};

use super::{Workspace, fixture};
use crate::support::schemas;

const EVERY_FORMAT: &str = "scan csv.csv --as-of 2026-11-21 --format table --format summary=s.txt \
    --format json=f.json --format ndjson=f.ndjson --format csv=f.csv --format markdown=f.md";

#[test]
fn all_formats_at_once() {
    let place = Workspace::with(&["csv.csv"]);
    place.run(EVERY_FORMAT).ends(1, "").says("worst first");
    assert!(place.read("s.txt").contains("2 failed"));
    schemas::assert_assessment(&place.read("f.json"));
    let lines = place.read("f.ndjson");
    schemas::assert_findings(&lines);
    assert_eq!(lines.lines().count(), 2);
    assert!(place.read("f.csv").starts_with("id,rule,"));
    assert!(place.read("f.md").starts_with('#'));
}

#[test]
fn the_region_of_a_saved_report_is_that_of_security_hub() {
    let place = Workspace::with(&["csv.csv"]);
    let run = place.run("scan csv.csv --format asff --region eu-west-1");
    assert!(
        run.stdout
            .contains(r#""ProductArn":"arn:aws:securityhub:eu-west-1:"#),
        "{}",
        run.stdout
    );
    let run = place.run("scan csv.csv --format asff --region nowhere");
    run.ends(2, "--region");
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_region_that_no_format_names_is_a_mistake() {
    let place = Workspace::with(&["csv.csv"]);
    place
        .run("scan csv.csv --region eu-west-1")
        .ends(2, "--region is for --format asff");
}

#[test]
fn findings_that_a_format_does_not_take_are_counted() {
    let report =
        "user,user_creation_time,password_enabled,mfa_active\nalice,2020-01-01T00:00:00Z,true,false\n";
    let place = Workspace::new().file("a-2026-11-21.csv", report);
    let run = place.run("scan a-2026-11-21.csv --rule console-user-without-mfa --format asff=f.asff");
    assert_eq!(place.read("f.asff"), "");
    run.ends(1, "asff leaves out 1 finding without the id of one account");
    let run = place
        .run("scan a-2026-11-21.csv --rule console-user-without-mfa --format asff=f.asff --format table");
    run.ends(1, "").says("[not-in-format]");
}

#[test]
fn one_place_takes_one_format() {
    let place = Workspace::with(&["csv.csv"]);
    let refused = "two formats go to";
    place
        .run("scan csv.csv --format json --format csv")
        .ends(2, refused);
    place
        .run("scan csv.csv --format json=- --format csv")
        .ends(2, refused);
    place
        .run("scan csv.csv --format json=out --format csv=./out")
        .ends(2, refused);
    assert!(!place.path("out").exists());
}

#[test]
fn every_output_of_the_demo_is_valid() {
    let demo = fixture("demo");
    let demo = demo.to_str().unwrap();
    let place = Workspace::new();
    for more in ["--framework=cis-aws-5.0", "--status=all"] {
        schemas::assert_assessment(&place.run(["scan", demo, "--format=json", more]).stdout);
        schemas::assert_findings(&place.run(["scan", demo, "--format=ndjson", more]).stdout);
    }
}

#[test]
fn a_run_that_fails_leaves_the_old_file() {
    let place = Workspace::with(&["csv.csv"]).file("out.json", "old");
    place
        .run("scan csv.csv --format json=out.json --rule nope")
        .ends(2, "unknown rule");
    place
        .run("scan csv.csv --format json=out.json --format csv=no/out.csv")
        .ends(5, "cannot write no/out.csv as csv: ");
    assert_eq!(place.read("out.json"), "old");
    place.run("scan csv.csv --format json=out.json").ends(1, "");
    schemas::assert_assessment(&place.read("out.json"));
    assert_eq!(
        fs::read_dir(place.path(".")).unwrap().count(),
        2,
        "no temporary file is left"
    );
}

#[test]
fn outputs_that_cannot_be_written_are_errors() {
    let place = Workspace::with(&["csv.csv"]);
    place
        .run("scan csv.csv --format json=no/f.json")
        .ends(5, "cannot write no/f.json as json: cannot create a file in no: ");
    place
        .run("scan csv.csv --format json=.")
        .ends(5, "cannot write . as json: Is a directory");
    place
        .run("scan csv.csv --format json=")
        .ends(2, "no path after '='");
    place.run("scan csv.csv --format xml").ends(
        2,
        "unknown format 'xml'; one of table, summary, json, ndjson, csv, markdown",
    );
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_through() {
    let place = Workspace::with(&["csv.csv"]);
    place.run("scan csv.csv --format json=/dev/null").ends(1, "");
    let fifo = place.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = thread::spawn(move || fs::read_to_string(fifo).unwrap());
    place.run("scan csv.csv --format json=fifo").ends(1, "");
    schemas::assert_assessment(&reader.join().unwrap());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let demo = fixture("demo");
    for args in [
        &[
            "scan",
            demo.to_str().unwrap(),
            "--rule=*",
            "--status=all",
            "--format=ndjson",
        ][..],
        &["completions", "bash"],
        &["man"],
        &["rules", "list"],
        &["rules", "show", "*"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
        let command = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(64, child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "", "{args:?}");
        assert!(
            child.wait().unwrap().code().is_some_and(|code| code < 2),
            "{args:?}"
        );
    }
}

#[test]
fn who_closes_standard_output_ends_no_other_output() {
    let row = "alice,arn:aws:iam::111122223333:user/alice,false\n";
    let place = Workspace::new().file("many.csv", format!("user,arn,mfa_active\n{}", row.repeat(5_000)));
    let (input, all) = (place.path("many.csv"), place.path("all.csv"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
    let command = command
        .arg("scan")
        .arg(input)
        .args(["--rule=user-without-mfa", "--format=ndjson"])
        .arg(format!("--format=csv={}", all.display()))
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1), "the verdicts decide");
    assert_eq!(place.read("all.csv").lines().count(), 5_001);
}

#[test]
fn outputs_never_replace_rules_suppressions_or_settings() {
    let place = Workspace::with(&["csv.csv"])
        .file("mine.gsl", "IamUser should have mfaActive")
        .file("accepted.toml", "")
        .file("credlens.toml", "threads = 1");
    for path in ["mine.gsl", "accepted.toml", "credlens.toml"] {
        let before = place.read(path);
        for command in ["scan", "trend", "diff csv.csv"] {
            let args = format!(
                "{command} csv.csv --rules-from mine.gsl --suppressions accepted.toml --format json={path}"
            );
            let run = place.run(args.as_str());
            run.ends(2, "is an input; give --format json= another path");
        }
        assert_eq!(place.read(path), before);
    }
}

/// Every command that writes to standard output, or to a file.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_5_in_every_command() {
    let place = Workspace::with(&["csv.csv"]).file("2026-01-01.csv", include_str!("../../fixtures/csv.csv"));
    let stdout = [
        ("scan csv.csv", "table"),
        ("scan csv.csv --format summary", "summary"),
        ("scan csv.csv --format ndjson", "ndjson"),
        ("scan csv.csv nope.csv --format json", "json"),
        ("diff --old-as-of 2025-12-01 csv.csv 2026-01-01.csv", "table"),
        ("trend 2026-01-01.csv --format csv", "csv"),
        ("rules list", "the list (table)"),
        ("rules list --format json", "the list (json)"),
        ("rules show user-without-mfa", "the page"),
        ("rules check", "the counts"),
        ("rules test", "the counts"),
        ("frameworks list", "the list (table)"),
        ("frameworks show cis-aws-5.0", "the page"),
        ("completions bash", "the completion script"),
        ("man", "the manual page"),
        ("--help", "the help"),
        ("scan --help", "the help"),
    ];
    for (command, what) in stdout {
        let run = Command::new("sh")
            .args([
                "-c",
                &format!("exec \"$0\" {command} >/dev/full"),
                env!("CARGO_BIN_EXE_credlens"),
            ])
            .current_dir(place.path("."))
            .output()
            .unwrap();
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(5), "{command}: {stderr}");
        let message = format!("cannot write {what} to standard output: No space left");
        assert_eq!(stderr.matches(&message).count(), 1, "{command}: {stderr}");
    }
    place
        .run("scan csv.csv --format json=/dev/full")
        .ends(5, "cannot write /dev/full as json: No space left");
    place
        .run("scan csv.csv nowhere --format json=/dev/full")
        .ends(5, "error: nowhere: cannot be opened");
    place
        .run("trend 2026-01-01.csv --format html=/dev/full")
        .ends(5, "cannot write /dev/full as html: No space left");
    place
        .run("diff --old-as-of 2025-12-01 csv.csv 2026-01-01.csv --format ndjson --format json=no/out")
        .ends(5, "cannot write no/out as json: ");
}

#[cfg(unix)]
#[test]
fn new_outputs_follow_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Workspace::with(&["csv.csv"]);
    for (umask, mode) in [("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let script =
            format!("umask {umask}; exec \"$0\" scan csv.csv --fail-on never --format json={umask}.json");
        let run = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_credlens")])
            .current_dir(place.path("."))
            .status();
        assert!(run.unwrap().success());
        let metadata = fs::metadata(place.path(format!("{umask}.json"))).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "umask {umask}");
    }
}

/// Of standard output and standard error, which a terminal shows together, one has it, once.
#[test]
fn each_diagnostic_appears_once() {
    let place = Workspace::with(&["csv.csv"]).file("odd.csv", "user,mfa_active\nbob,maybe\n");
    for format in ["table", "summary"] {
        let run = place.run(["scan", "csv.csv", "odd.csv", "nope.csv", "--format", format]);
        run.ends(4, "error: nope.csv: cannot be opened")
            .hides("nope.csv: cannot be opened");
        assert_eq!(run.stderr.matches("cannot be opened").count(), 1, "{run:#?}");
        run.says("[bad-cell]");
        assert!(!run.stderr.contains("[bad-cell]"), "{run:#?}");
    }
    place
        .run("scan csv.csv nope.csv --format json --format table=t.txt")
        .ends(4, "cannot be opened");
    assert!(place.read("t.txt").contains("cannot be opened"));
}
