//! Which rules run, with which parameters, and which findings are shown.

use super::{FORMATS, Outcome, Workspace, fixture};

fn place() -> Workspace {
    Workspace::with(&["csv.csv"])
}

fn scan(place: &Workspace, args: &str) -> Outcome {
    place.run(format!("scan csv.csv --as-of 2026-11-21 {args}").as_str())
}

fn demo(args: &str) -> Outcome {
    let demo = fixture("demo");
    let place = Workspace::new();
    let mut list = vec!["scan", demo.to_str().unwrap()];
    list.extend(args.split_whitespace());
    place.run(list.as_slice())
}

/// The rules of a run, in order.
fn rules(run: &Outcome) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let rules = document["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| rule["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn rules_are_named_by_id_alias_and_glob() {
    let place = place();
    for (args, expected) in [
        ("--rule access-key-unused", vec!["access-key-unused"]),
        ("--rule iam.3", vec!["access-key-not-rotated"]),
        (
            "--rule root-access-key-* --rule ROOT-WITHOUT-MFA",
            vec![
                "root-access-key-active",
                "root-access-key-inactive",
                "root-without-mfa",
            ],
        ),
    ] {
        assert_eq!(
            rules(&scan(&place, &format!("{args} --format json"))),
            expected,
            "{args}"
        );
    }
    let all = rules(&scan(&place, "--rule * --format json")).len();
    assert!(all > rules(&scan(&place, "--format json")).len());
}

/// `IAM.6` asks for hardware MFA, which a report does not show.
#[test]
fn a_check_that_asks_for_more_is_partial_and_says_what() {
    let place = place();
    let run = scan(&place, "--rule IAM.6 --rule IAM.9 --format json");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let framework = &document["compliance"][0];
    assert_eq!(framework["framework"], "other-tools");
    assert_eq!(framework["requirements"].as_array().unwrap().len(), 1);
    let requirement = &framework["requirements"][0];
    assert_eq!(requirement["id"], "IAM.6");
    let failed = requirement["failed"].as_u64().unwrap() > 0;
    assert_eq!(requirement["outcome"], if failed { "fail" } else { "partial" });
    let says = "IAM.6 also asks that root's MFA device is hardware";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    for format in ["table", "summary", "markdown"] {
        let run = scan(&place, &format!("--rule IAM.6 --format {format}"));
        assert!(run.stdout.contains("IAM.6"), "{format}: {}", run.stdout);
    }
    let run = scan(&place, "--rule IAM.9 --format json");
    assert!(!run.stdout.contains("other-tools") && !run.stderr.contains("IAM."));
}

#[test]
fn an_unknown_rule_or_framework_is_answered_with_a_guess() {
    let place = place();
    scan(&place, "--rule acces-key-unused").ends(2, "did you mean 'access-key-unused'?");
    scan(&place, "--rule zzz").ends(2, "`credlens rules list` lists all rules");
    scan(&place, "--rule zzz-*").ends(2, "unknown rule 'zzz-*'");
    scan(&place, "--framework cis-aws-5").ends(2, "did you mean 'cis-aws-5.0'?");
}

#[test]
fn parameters_are_set_within_their_range() {
    let place = place();
    let set = |text: &str| scan(&place, &format!("--rule access-key-not-rotated --set {text}"));
    set("access-key-not-rotated.max_age=1000").ends(0, "");
    set("access-key-not-rotated.max_age=60")
        .ends(1, "")
        .says("(max_age=60)");
    set("access-key-not-rotated.max_age=0").ends(2, "must be 1 to 3650 days, got 0");
    set("access-key-not-rotated.max_age=x").ends(2, "does not have the form RULE.PARAM=NUMBER");
    set("access-key-not-rotated.max=60").ends(2, "did you mean 'max_age'?");
    set("bla").ends(2, "for example, access-key-unused.max_idle=60");
}

#[test]
fn status_and_severity_filter_findings_but_not_counts() {
    let all = demo("--format summary");
    for args in [
        "--status pass",
        "--status all",
        "--min-severity critical",
        "--status suppressed",
    ] {
        let run = demo(&format!("{args} --format summary"));
        assert_eq!((run.status, &run.stdout), (all.status, &all.stdout), "{args}");
    }
    let lines = |args: &str| demo(&format!("{args} --format ndjson"));
    lines("--status pass")
        .hides(r#""status":"fail""#)
        .says(r#""status":"pass""#);
    let critical = lines("--min-severity critical");
    critical
        .hides(r#""severity":"high""#)
        .says(r#""severity":"critical""#);
    critical.ends(1, "");
}

#[test]
fn the_table_keeps_the_worst_and_counts_the_rest() {
    let run = demo("--limit 2");
    run.says("root-access-key-active  access_key_1")
        .says("and 30 more findings");
    run.hides("etl-nightly");
}

#[test]
fn output_is_the_same_at_any_number_of_threads() {
    let demo = fixture("demo");
    let outputs = |threads: &str| {
        let place = Workspace::new();
        let formats = FORMATS.map(|format| format!("--format={format}={format}"));
        let args = [
            "scan",
            demo.to_str().unwrap(),
            "--status=all",
            "--as-of=2026-06-01",
            "--threads",
            threads,
        ];
        let args: Vec<&str> = args
            .into_iter()
            .chain(formats.iter().map(String::as_str))
            .collect();
        place.run(args.as_slice()).ends(1, "");
        FORMATS.map(|format| place.read(format))
    };
    let one = outputs("1");
    assert_eq!(outputs("2"), one);
    assert_eq!(outputs("7"), one);
}

#[test]
fn quiet_says_only_errors_and_verbose_says_all() {
    let place = Workspace::with(&["comma-in-name-unquoted.csv"]).file("credlens.toml", "threads = 1");
    let scan = |args: &str| {
        let args = format!("scan comma-in-name-unquoted.csv nope.csv --as-of 2026-11-21 --format csv {args}");
        place.run(args.as_str())
    };
    let (quiet, normal, verbose) = (scan("--quiet"), scan(""), scan("-v"));
    assert_eq!(quiet.stderr.lines().count(), 1, "{quiet:?}");
    quiet.ends(4, "error: nope.csv");
    normal.ends(4, "note: credlens.toml: settings of this file were used");
    assert_eq!(normal.stderr.matches("note:").count(), 1, "{normal:?}");
    assert!(verbose.stderr.matches("note:").count() > 1, "{verbose:?}");
    assert_eq!(quiet.stdout, verbose.stdout);
}

#[test]
fn a_framework_brings_its_rules_and_parameters() {
    let run = demo("--framework cis-aws-5.0 --format json");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let finding = &document["findings"][0];
    assert!(
        finding["requirements"][0]
            .as_str()
            .unwrap()
            .starts_with("cis-aws-5.0/")
    );
}

/// A name that several frameworks contain lists them, newest first.
#[test]
fn frameworks_that_a_word_may_stand_for() {
    let place = place();
    let run = scan(&place, "--framework cis");
    run.ends(2, "unknown framework 'cis'");
    let newest = run.stderr.find("cis-aws-7.0, cis-aws-6.0");
    assert!(
        newest.is_some_and(|at| at < run.stderr.find("cis-aws-1.2").unwrap()),
        "{}",
        run.stderr
    );
    // Of equally similar names the newest is suggested.
    scan(&place, "--framework cis-aws-9.0").ends(2, "did you mean 'cis-aws-7.0'?");
    scan(&place, "--framework nothing-alike").ends(2, "known frameworks: ");
}

/// A framework names built-in rules; one's own are evaluated beside it, but not beside rules that are named one by one.
#[test]
fn own_rules_beside_a_framework() {
    let own = "title = \"Names of the team\"\nseverity = \"low\"\nlogic = \"IamUser should not have name like 'zz%'\"\n\
        message = \"this user is named zz\"\n";
    let place = place().file("own/team-names.toml", own);
    let ids = |args: &str| rules(&scan(&place, &format!("{args} --format json")));
    let framework = ids("--framework cis-aws-5.0");
    assert!(!framework.contains(&"team-names".to_owned()));
    let mut both = ids("--framework cis-aws-5.0 --rules-from own");
    both.retain(|id| id != "team-names");
    assert_eq!(both, framework);
    assert_eq!(
        ids("--framework cis-aws-5.0 --rules-from own").len(),
        framework.len() + 1
    );
    assert_eq!(ids("--rule team-names --rules-from own"), ["team-names"]);
    assert!(!ids("--rule console-user-without-mfa --rules-from own").contains(&"team-names".to_owned()));
    // Named twice, and in the settings, it is read once.
    let place = place.file("credlens.toml", "rules-from = [\"own/team-names.toml\"]\n");
    let twice = scan(
        &place,
        "--rules-from own --rules-from own/team-names.toml --rule team-names --format json",
    );
    assert_eq!(rules(&twice), ["team-names"]);
}

#[test]
fn settings_in_a_directory_of_rules_are_passed_over() {
    let place = Workspace::new()
        .file("credlens.toml", "fail-on = \"high\"\n")
        .file("own.gsl", "IamUser should have mfaActive\n");
    let run = place.run("rules check .");
    run.ends(
        0,
        "credlens.toml: settings of credlens, not rules, so it is passed over",
    )
    .says("1 rule read, 0 errors");
    // What is named is meant.
    place
        .run("rules check credlens.toml")
        .ends(2, "unknown key 'fail-on'");
}
