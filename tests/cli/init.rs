//! `credlens init`, and what helps to type commands: completions, manual pages, and what was meant.

use std::fs;

use super::Workspace;

#[test]
fn what_init_writes_is_valid_and_used() {
    let place = Workspace::with(&["csv.csv"]);
    place
        .run("init")
        .ends(0, "")
        .says("wrote credlens.toml\nwrote rules/service-user-with-password.toml\n");
    place
        .run("rules check rules")
        .ends(0, "")
        .says("1 rule read, 0 errors, 0 warnings");
    place
        .run("rules test rules")
        .ends(0, "")
        .says("4 examples passed, 0 failed");
    place
        .run("scan csv.csv --format json")
        .ends(1, "")
        .says(r#""code":"settings""#)
        .says(r#""id":"service-user-with-password""#);
    place
        .run("rules show service-user-with-password --rules-from rules")
        .ends(0, "")
        .says("aws iam delete-login-profile --user-name=USER_NAME");
}

#[test]
fn every_setting_that_init_comments_is_valid() {
    let place = Workspace::with(&["csv.csv"]);
    place.run("init").ends(0, "");
    let text = place.read("credlens.toml");
    // Settings are commented out with `# `; sentences begin with a capital or go on in words.
    let is_setting = |line: &str| {
        let key = line.split([' ', '=']).next().unwrap_or_default();
        line.starts_with('[') || line.starts_with('"') || line.contains(" = ") && !key.contains('`')
    };
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting) if is_setting(setting) => setting,
        Some(_) | None => line,
    });
    let all: Vec<&str> = lines.collect();
    assert!(all.contains(&"[[suppress]]") && all.contains(&"fix = true") && all.contains(&"limit = 50"));
    // The accounts and names of the examples are not those of the report.
    let all: Vec<&str> = all
        .into_iter()
        .filter(|line| !line.starts_with("account = ["))
        .collect();
    let place = place.file("credlens.toml", all.join("\n"));
    // Only fails of high severity count now.
    place
        .run("scan csv.csv")
        .ends(0, "")
        .says("To accept it instead")
        .says("1 suppressed");
}

#[test]
fn init_changes_no_file() {
    for name in ["credlens.toml", "rules/service-user-with-password.toml"] {
        let place = Workspace::new().file(name, "mine");
        place
            .run("init")
            .ends(2, &format!("{name} exists; nothing was written"));
        assert_eq!(place.read(name), "mine");
        let files = fs::read_dir(place.path("")).unwrap().count();
        assert_eq!(files, 1, "{name}");
        place
            .run("init other/project")
            .ends(0, "")
            .says("wrote other/project/credlens.toml");
        assert!(place.path("other/project/rules").is_dir());
    }
    let place = Workspace::new().file("taken", "a file");
    place
        .run("init taken")
        .ends(5, "cannot write taken/credlens.toml");
}

#[test]
fn a_report_in_the_place_of_a_command_is_meant_to_be_scanned() {
    let place = Workspace::with(&["csv.csv"]).file("my reports/a.csv", "");
    for (word, command) in [
        ("csv.csv", "credlens scan csv.csv"),
        ("-", "credlens scan -"),
        ("my reports", "credlens scan 'my reports'"),
        ("s3://bucket/key", "credlens scan s3://bucket/key"),
    ] {
        let message = format!("'{word}' is not a command; did you mean `{command}`?");
        place.run([word]).ends(2, &message);
    }
    place
        .run("csv.csv --framework cis-aws-5.0")
        .ends(2, "did you mean `credlens scan csv.csv --framework cis-aws-5.0`?");
    place
        .run("missing.csv")
        .ends(2, "unrecognized subcommand 'missing.csv'");
    place.run("scna").ends(2, "'scan'");
}

#[test]
fn scripts_complete_values() {
    let place = Workspace::new();
    for shell in ["bash", "zsh", "fish"] {
        let run = place.run(["completions", shell]);
        run.ends(0, "");
        for value in [
            "access-key-not-rotated",
            "cis-aws-5.0",
            "critical",
            "never",
            "ndjson",
            "undetermined",
            "access-key-unused.max_idle=",
        ] {
            run.says(value);
        }
        let of_show = run.stdout.matches("access-key-not-rotated").count();
        assert!(
            of_show > 3,
            "{shell}: scan, diff, trend and rules show complete rules, {of_show}"
        );
    }
    // They are suggestions: globs, aliases and own rules are values, too.
    let place = Workspace::with(&["csv.csv"]);
    place
        .run(["scan", "csv.csv", "--rule", "root-*", "--rule", "IAM.8"])
        .ends(0, "");
}

#[cfg(unix)]
#[test]
fn bash_completes_a_rule() {
    let place = Workspace::new();
    let script = place.run("completions bash").stdout;
    let place = place.file("completions", script);
    let probe = "source completions; COMP_WORDS=(credlens scan --rule root-w); COMP_CWORD=3; _credlens credlens root-w \
                 --rule; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let run = std::process::Command::new("bash")
        .args(["--norc", "-c", probe])
        .current_dir(place.path(""))
        .output();
    // Where there is no bash, nothing completes.
    if let Ok(run) = run {
        assert_eq!(String::from_utf8_lossy(&run.stdout), "root-without-mfa\n");
    }
}

#[test]
fn every_command_that_a_manual_page_names_has_a_page() {
    let place = Workspace::new();
    place.run("man --output man").ends(0, "");
    let names = fs::read_dir(place.path("man")).unwrap();
    let names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut named = 0;
    for name in &names {
        let page = place.read(&format!("man/{name}")).replace("\\-", "-");
        for line in page
            .lines()
            .filter(|line| line.starts_with("credlens-") && line.ends_with("(1)"))
        {
            let file = line.replace("(1)", ".1");
            assert!(names.contains(&file), "{name} names {line}; {names:?}");
            named += 1;
        }
    }
    assert!(
        named >= 10 && names.contains(&"credlens.1".to_owned()),
        "{names:?}"
    );
    let root = place.run("man").stdout;
    assert_eq!(root, place.read("man/credlens.1"));
    let show = place.run("man rules show");
    show.ends(0, "").says("credlens\\-rules\\-show");
    assert_eq!(show.stdout, place.read("man/credlens-rules-show.1"));
    place.run("man rules shw").ends(
        2,
        "credlens rules has no command 'shw'; one of list, show, check, test",
    );
    place
        .run("man scan x")
        .ends(2, "credlens scan has no command 'x'; it has none");
    place.run("man scan --output man").ends(2, "cannot be used with");
}

#[test]
fn the_short_help_is_short_and_the_long_one_has_all() {
    let place = Workspace::new();
    for command in ["scan", "diff", "trend"] {
        let short = place.run([command, "-h"]);
        assert!(short.ends(0, "").stdout.lines().count() <= 40, "{}", short.stdout);
        short
            .says("--framework")
            .hides("--max-unpacked")
            .says("`credlens ");
        let long = place.run([command, "--help"]);
        long.ends(0, "").says("--max-unpacked").says("Exit status:");
        let at = |heading: &str| long.stdout.find(&format!("\n{heading}:\n"));
        let found = ["Input", "Rules", "Filters", "Output"].map(|heading| at(heading).expect(heading));
        assert!(found.is_sorted(), "{}", long.stdout);
    }
}
