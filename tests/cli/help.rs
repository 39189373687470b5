//! What the program says about itself. docs/cli.md has every help text; `UPDATE=1 cargo test` writes it again.

use super::Workspace;

#[test]
fn the_version_is_printed() {
    let run = Workspace::new().run("--version");
    assert_eq!(
        run.ends(0, "").stdout,
        concat!("credlens ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn shells_get_completions_and_man_a_page() {
    let place = Workspace::new();
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

/// The page has the help of a build with every feature.
#[cfg(all(feature = "aws", feature = "archive"))]
mod page {
    use std::fmt::Write as _;
    use std::fs;
    use std::path::Path;

    use super::super::Workspace;

    /// The help of a command and of those below it.
    fn add(page: &mut String, command: &str) {
        let run = Workspace::new().run(format!("{command} --help").as_str());
        let help = &run.ends(0, "").stdout;
        let name = format!("credlens {command}");
        write!(page, "\n## {}\n\n```text\n{help}```\n", name.trim_end()).unwrap();
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        // Descriptions that are continued are indented further.
        let names = listed
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|name| !name.is_empty());
        for name in names.filter(|name| *name != "help") {
            add(page, format!("{command} {name}").trim_start());
        }
    }

    #[test]
    fn the_page_of_the_command_line_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
        let mut page = "# The command line\n\nGenerated from the help texts.\n".to_owned();
        add(&mut page, "");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, page, "run the tests with UPDATE=1");
    }
}
