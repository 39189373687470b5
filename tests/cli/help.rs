//! What the program says about itself. docs/cli.md holds every help text; `UPDATE=1 cargo test` writes it anew.

use super::Place;

const COMMANDS: &[&str] = &[
    "",
    "scan",
    #[cfg(feature = "aws")]
    "fetch",
    "diff",
    "trend",
    #[cfg(feature = "archive")]
    "archive",
    #[cfg(feature = "archive")]
    "archive add",
    #[cfg(feature = "archive")]
    "archive list",
    #[cfg(feature = "archive")]
    "archive export",
    #[cfg(feature = "archive")]
    "archive verify",
    "rules",
    "rules list",
    "rules show",
    "rules check",
    "rules test",
    "frameworks",
    "frameworks list",
    "frameworks show",
    "completions",
    "man",
];

#[test]
fn every_command_has_its_help_in_the_page() {
    let help = Place::new().run("--help").stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in commands.take_while(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        assert!(name == "help" || COMMANDS.contains(&name), "{name}");
    }
}

#[test]
fn the_version_is_told() {
    let run = Place::new().run("--version");
    assert_eq!(
        run.ends(0, "").stdout,
        concat!("credlens ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn shells_get_completions_and_man_a_page() {
    let place = Place::new();
    for (shell, part) in [
        ("bash", "_credlens()"),
        ("zsh", "#compdef credlens"),
        ("fish", "complete -c credlens"),
    ] {
        place
            .run(["completions", shell])
            .ends(0, "")
            .says(part)
            .says("frameworks");
    }
    place.run("completions tcsh").ends(2, "possible values: bash");
    place
        .run("man")
        .ends(0, "")
        .says(".TH credlens 1")
        .says("Exit status");
}

/// The page has the help of every feature.
#[cfg(all(feature = "aws", feature = "archive"))]
mod page {
    use std::fmt::Write as _;
    use std::fs;
    use std::path::Path;

    use super::super::Place;
    use super::COMMANDS;

    fn page() -> String {
        let place = Place::new();
        let mut page = "# The command line\n\nMade from the help texts.\n".to_owned();
        for command in COMMANDS {
            let run = place.run(format!("{command} --help").as_str());
            let name = format!("credlens {command}");
            write!(
                page,
                "\n## {}\n\n```text\n{}```\n",
                name.trim_end(),
                run.ends(0, "").stdout
            )
            .unwrap();
        }
        page
    }

    #[test]
    fn the_page_of_the_command_line_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
        let page = page();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, page, "run the tests with UPDATE=1");
    }
}
