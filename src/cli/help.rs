//! The help of all commands in one form: the same headings in the same order, and `-h` with the flags that people need,
//! where `--help` has all.

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::Cli;

/// The headings of options, in order. A command with one of them has no options without a heading.
const HEADINGS: [&str; 8] = [
    "Input",
    "Rules",
    "Filters",
    "Limits",
    "Output",
    "Exit",
    "AWS",
    "Organization",
];

/// The options of these headings, whatever the struct they come from; others without a heading are about the input.
const UNDER: [(&str, &[&str]); 3] = [
    ("Rules", &["idle_days", "rotation_days"]),
    (
        "Output",
        &["output", "format", "color", "quiet", "verbose", "help", "version"],
    ),
    ("Exit", &["fail_on", "fail_on_new", "fail_on_undetermined"]),
];

/// Options about the input whose struct gives them another heading.
const INPUT: [&str; 5] = [
    "suppressions",
    "no_suppressions",
    "config",
    "threads",
    "max_unpacked",
];

/// The options that `-h` shows where a command has headings. A new one is shown by `--help` alone.
const SHORT: [&str; 31] = [
    "archive",
    "account",
    "announced_plan",
    "as_of",
    "by",
    "due_within",
    "fail_on",
    "fail_on_new",
    "exempt_group",
    "fix",
    "format",
    "framework",
    "help",
    "max_changes",
    "max_share",
    "min_severity",
    "org",
    "output",
    "profile",
    "quiet_days",
    "resume_journal",
    "role_in_accounts",
    "rule",
    "rules_from",
    "sort",
    "status",
    "step",
    "suppressions",
    "user",
    "where",
    "yes",
];

/// The command line, arranged.
pub(super) fn command() -> Command {
    let root = Cli::command().disable_help_flag(true).disable_version_flag(true);
    let mut root = with_common_flags(root);
    let names: Vec<String> = root
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        root = root.mut_subcommand(&name, |command| arranged(command, &format!("credlens {name}")));
    }
    root
}

/// This command and those below it.
fn arranged(command: Command, path: &str) -> Command {
    let mut command = with_common_flags(command);
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(&name, |below| arranged(below, &format!("{path} {name}")));
    }
    let has_headings = command
        .get_arguments()
        .any(|arg| arg.get_help_heading().is_some());
    if has_headings {
        command = ordered(command);
    }
    let Some(examples) = command.get_after_help().cloned() else {
        return command;
    };
    let more = if has_headings {
        "all options, examples"
    } else {
        "examples"
    };
    command
        .after_long_help(examples)
        .after_help(format!("`{path} --help` has {more} and exit statuses."))
}

/// With `-h` and `-V`, which can be given a heading only as arguments of our own.
fn with_common_flags(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let version = Arg::new("version").short('V').long("version");
    command
        .arg(help.help("Print help; --help has all of it"))
        .arg(version.action(ArgAction::Version).help("Print version"))
}

/// The options below their headings, in order.
fn ordered(command: Command) -> Command {
    let mut args: Vec<Arg> = command.get_arguments().cloned().map(placed).collect();
    args.sort_by_key(|arg| {
        let heading = HEADINGS.iter().position(|it| Some(*it) == arg.get_help_heading());
        // Positional arguments first; what everyone looks for before what few do.
        (heading.map_or(0, |position| position + 1), !is_short(arg))
    });
    let mut args = args
        .into_iter()
        .enumerate()
        .map(|(position, arg)| arg.display_order(position));
    command.mut_args(|arg| args.next().unwrap_or(arg))
}

/// Below its heading, and only in `--help` unless many need it.
fn placed(arg: Arg) -> Arg {
    if arg.is_positional() {
        return arg;
    }
    let id = arg.get_id().as_str().to_owned();
    let of_table = UNDER
        .iter()
        .find(|(_, ids)| ids.contains(&&*id))
        .map(|(heading, _)| *heading);
    let known = HEADINGS
        .iter()
        .find(|it| Some(**it) == arg.get_help_heading())
        .copied();
    let heading = if INPUT.contains(&&*id) {
        "Input"
    } else {
        of_table.or(known).unwrap_or("Input")
    };
    let is_short = is_short(&arg);
    arg.help_heading(heading).hide_short_help(!is_short)
}

fn is_short(arg: &Arg) -> bool {
    arg.is_positional() || SHORT.contains(&arg.get_id().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every command, with its path.
    fn all(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for below in command.get_subcommands() {
            all(below, format!("{path} {}", below.get_name()).trim(), found);
        }
    }

    fn commands() -> Vec<(String, Command)> {
        let mut found = Vec::new();
        let mut root = command().disable_help_subcommand(true);
        root.build();
        all(&root, "", &mut found);
        found
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn the_short_help_fits_on_a_screen() {
        for (path, command) in commands() {
            for width in [80, 100] {
                let help = command.clone().term_width(width).render_help().to_string();
                assert!(help.lines().count() <= 40, "{path} at {width}:\n{help}");
            }
        }
    }

    #[test]
    fn headings_have_one_order() {
        let mut with_headings = 0;
        for (path, mut command) in commands() {
            let help = command.render_long_help().to_string();
            let found: Vec<&str> = help.lines().filter_map(|line| line.strip_suffix(':')).collect();
            let positions: Vec<usize> = found
                .iter()
                .filter_map(|heading| HEADINGS.iter().position(|it| it == heading))
                .collect();
            assert!(positions.is_sorted(), "{path}: {found:?}");
            if !positions.is_empty() {
                with_headings += 1;
                assert!(!found.contains(&"Options"), "{path}: {found:?}");
                assert!(!found.contains(&"Suppressions"), "{path}: {found:?}");
            }
        }
        assert!(with_headings >= 3, "scan, diff and trend have headings");
    }

    #[test]
    fn the_long_help_has_every_option() {
        for (path, mut command) in commands() {
            let help = command.render_long_help().to_string();
            for arg in command.get_arguments().filter_map(Arg::get_long) {
                assert!(help.contains(&format!("--{arg}")), "{path}: {arg}");
            }
        }
    }
}
