//! The exit statuses: a contract with the callers of the program.

use super::Workspace;

const CLEAN: &str = "user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,true\n";

#[test]
fn clean_is_0() {
    Workspace::new()
        .file("clean.csv", CLEAN)
        .run("scan clean.csv --rule user-without-mfa")
        .ends(0, "");
}

#[test]
fn a_failure_is_1_where_it_is_as_severe_as_asked() {
    // The worst that fails in it is high.
    let place = Workspace::with(&["csv.csv"]);
    place.run("scan csv.csv").ends(1, "");
    for (severity, status) in [
        ("informational", 1),
        ("low", 1),
        ("high", 1),
        ("critical", 0),
        ("never", 0),
    ] {
        place
            .run(["scan", "csv.csv", "--fail-on", severity])
            .ends(status, "");
    }
}

#[test]
fn undetermined_and_diagnostics_exit_with_0() {
    let text = "user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,maybe\n\
                bob,arn:aws:iam::111122223333:user/bob,true\n";
    let place = Workspace::new().file("malformed.csv", text);
    let run = place.run("scan malformed.csv --rule user-without-mfa");
    run.ends(0, "").says("1 undetermined").says("[bad-cell]");
}

#[test]
fn usage_is_2() {
    let place = Workspace::with(&["csv.csv"]);
    #[cfg(not(feature = "aws"))]
    place.run("scan").ends(2, "no input: name a report file");
    place.run("").ends(2, "Usage:");
    place
        .run("scan csv.csv --bla")
        .ends(2, "unexpected argument '--bla'");
    place
        .run("scan csv.csv --as-of yesterday")
        .ends(2, "not a valid time; write 2026-11-21");
    place
        .run("scan csv.csv --status bla")
        .ends(2, "one of fail, undetermined, suppressed, pass, due, all");
    place
        .run("scan csv.csv --fail-on bla")
        .ends(2, "high, critical, never");
    place
        .run("scan csv.csv --threads 100000")
        .ends(2, "--threads must be 0 to 1024, got 100000");
    place
        .run("scan csv.csv --config nope.toml")
        .ends(2, "cannot read the settings file nope.toml: ");
    place
        .run("scan csv.csv --suppressions nope.toml")
        .ends(2, "cannot read the suppressions nope.toml: ");
    place
        .run("scan csv.csv --quiet -v")
        .ends(2, "cannot be used with");
}

#[test]
fn no_evaluated_input_is_3() {
    let place = Workspace::new();
    let run = place.run("scan nope.csv nor-this.csv --fail-on never");
    run.ends(3, "error: nope.csv: cannot be opened")
        .ends(3, "error: nor-this.csv");
    run.says("no report could be evaluated")
        .says("nothing was evaluated")
        .hides("found nothing");
}

/// What looks clean is clean.
#[test]
fn without_a_verdict_nothing_failed_is_not_said() {
    let text =
        "user,arn,user_creation_time,mfa_active\nbob,arn:aws:iam::111122223333:user/bob,2020-01-01,maybe\n";
    let place = Workspace::new().file("r.csv", text);
    for format in ["table", "summary", "markdown"] {
        let run = place.run(&*format!(
            "scan r.csv --as-of 2026-01-01 --rule console-user-without-mfa --rule access-key-unused --format {format}"
        ));
        run.ends(3, "every verdict on this report is undetermined")
            .says("nothing could be determined, 3 undetermined")
            .hides("nothing failed")
            .hides("found nothing");
    }
    let list = ["list", "keys", "r.csv", "--as-of", "2026-01-01"];
    place
        .run(&list[..])
        .ends(3, "")
        .says("nothing could be determined")
        .hides("no access key is listed");
}

#[test]
fn partial_is_4_whatever_fails() {
    let place = Workspace::with(&["csv.csv"]).file("clean.csv", CLEAN);
    place
        .run("scan csv.csv nope.csv")
        .ends(4, "nope.csv: cannot be opened")
        .says("2 failed");
    place
        .run("scan nope.csv csv.csv --fail-on never")
        .ends(4, "nope.csv");
    place
        .run("scan clean.csv nope.csv --rule user-without-mfa")
        .ends(4, "nope.csv");
}

#[test]
fn a_requirement_without_rows_to_evaluate_is_undetermined() {
    let rootless = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,\
        access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,password_last_used,\
        access_key_1_last_used_date,access_key_2_last_used_date\n";
    let alice = "alice,arn:aws:iam::111122223333:user/alice,2026-01-01T00:00:00Z,true,true,false,N/A,false,N/A,\
        2026-01-02T00:00:00Z,N/A,N/A\n";
    let root = "<root_account>,arn:aws:iam::111122223333:root,2026-01-01T00:00:00Z,true,true,false,N/A,false,N/A,\
        no_information,N/A,N/A\n";
    let outcome = |rows: &str, id: &str| {
        let place = Workspace::new().file("r.csv", format!("{rootless}{rows}"));
        let run = place.run("scan r.csv --as-of 2026-01-03 --framework cis-aws-5.0 --format json");
        let all: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let requirements = all["compliance"][0]["requirements"].as_array().unwrap().clone();
        let found = requirements
            .into_iter()
            .find(|requirement| requirement["id"] == id)
            .unwrap();
        found["outcome"].as_str().unwrap().to_owned()
    };
    // Root's use within 90 days is a part of what 1.6 asks for.
    for (id, with_root) in [("1.3", "pass"), ("1.4", "pass"), ("1.6", "partial")] {
        assert_eq!(outcome(alice, id), "undetermined", "{id} without a row of root");
        assert_eq!(outcome(&format!("{root}{alice}"), id), with_root, "{id}");
    }
    assert_eq!(outcome(alice, "1.9"), "pass");
    assert_eq!(outcome("", "1.9"), "undetermined");
}

#[test]
fn an_output_never_replaces_an_input() {
    let place = Workspace::new().file("clean.csv", CLEAN);
    let run = place.run("scan clean.csv --format csv=./clean.csv");
    run.ends(2, "is an input");
    assert_eq!(place.read("clean.csv"), CLEAN);
}

#[test]
fn an_output_never_replaces_files_in_an_input_directory() {
    let place = Workspace::new()
        .file("in/2026-01-01.csv", CLEAN)
        .file("in/deep/2026-02-01.csv", CLEAN)
        .file("in/.hidden", "not read");
    let refused = |command: &str| {
        place.run(command).ends(2, "is an input");
        for name in ["in/2026-01-01.csv", "in/deep/2026-02-01.csv"] {
            assert_eq!(place.read(name), CLEAN, "{command}");
        }
    };
    refused("scan in --format json=in/2026-01-01.csv");
    refused("trend in --format json=in/deep/2026-02-01.csv");
    refused("scan in/deep in/2026-01-01.csv --format json=in/deep/../2026-01-01.csv");
    refused("scan . --format summary --format json=in/2026-01-01.csv");
    place.run("scan in --format json=in/.hidden").ends(0, "");
    place.run("scan in --format json=in/new.json").ends(0, "");
    assert!(place.read("in/new.json").contains("credlens.assessment/v1"));
}

#[cfg(unix)]
#[test]
fn an_output_never_replaces_what_symlinks_lead_to() {
    use std::os::unix::fs::symlink;
    let place = Workspace::new()
        .file("in/a.csv", CLEAN)
        .file("other/2026-01-01.csv", CLEAN)
        .file("other/dir/b.csv", CLEAN);
    symlink("../other/2026-01-01.csv", place.path("in/linked.csv")).unwrap();
    symlink("../other/dir", place.path("in/linked")).unwrap();
    symlink("in/a.csv", place.path("out.json")).unwrap();
    for output in [
        "other/2026-01-01.csv",
        "in/linked.csv",
        "other/dir/b.csv",
        "in/linked/b.csv",
        "out.json",
    ] {
        let run = place.run(format!("scan in --format json={output}").as_str());
        run.ends(2, "is an input");
        assert_eq!(place.read(output), CLEAN);
    }
}

#[test]
fn thousands_of_ragged_rows_are_an_error_and_not_all_kept() {
    let text = format!("user,arn,mfa_active\nbob,,true\n{}", "a\n".repeat(30_000));
    let place = Workspace::new().file("ragged.csv", text);
    place
        .run("scan ragged.csv --rule user-without-mfa --format csv")
        .ends(4, "were not evaluated");
}

#[test]
fn an_unknown_option_is_answered_with_the_usage_of_its_command() {
    let place = Workspace::new();
    for arguments in ["list users report.csv --bla", "list --bla"] {
        let run = place.run(arguments);
        run.ends(2, "Usage: credlens list [OPTIONS] <WHAT> [INPUT]...\n");
        assert!(!run.stderr.contains("as a value"), "{run:?}");
    }
    place
        .run("scan report.csv --formt csv")
        .ends(2, "a similar argument exists: '--format'");
    place
        .run("rules show --bla")
        .ends(2, "Usage: credlens rules show [OPTIONS] <RULE>");
}
