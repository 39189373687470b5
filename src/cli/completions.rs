//! `credlens completions`: scripts that complete commands, flags, and the values that are known: rules, frameworks,
//! severities and formats. The values are only suggested: the command line takes others, too, such as globs.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;
use credlens::finding::{RankBy, Severity, Status};
use credlens::output::diff::DiffWriter;
use credlens::output::list::{ItemWriter, SortOrder};
use credlens::output::trend::TrendWriter;
use credlens::output::{Formats, ScanWriter};
use credlens::rule::Catalogue;

use super::failure::{Exit, Failure};
use super::help;
use super::outputs::print;

pub(super) fn run(shell: Shell) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut with_values(help::command(), ""),
        "credlens",
        &mut script,
    );
    print("the completion script", script)?;
    Ok(Exit::Clean)
}

/// The command and those below it, with the values that are known.
fn with_values(command: Command, path: &str) -> Command {
    let suggested = |arg: Arg| {
        let is_open = arg.get_possible_values().is_empty() && !matches!(arg.get_action(), ArgAction::SetTrue);
        match values(path, arg.get_id().as_str()) {
            known if known.is_empty() || !is_open => arg,
            known => arg.value_parser(PossibleValuesParser::new(known)),
        }
    };
    let mut command = command.mut_args(suggested);
    let names: Vec<String> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        let path = format!("{path} {name}");
        command = command.mut_subcommand(&name, |below| with_values(below, path.trim()));
    }
    command
}

/// The known values of an argument of the command at this path.
fn values(path: &str, argument: &str) -> Vec<&'static str> {
    let severities = || Severity::ALL.map(Severity::name).to_vec();
    match (path, argument) {
        (_, "rule") => Catalogue::builtin_ids().collect(),
        (_, "framework") => Catalogue::framework_names().collect(),
        (_, "set") => parameters(),
        (_, "min_severity") => severities(),
        (_, "fail_on" | "fail_on_new") => [severities(), vec!["never"]].concat(),
        ("scan", "status") => [Status::ALL.map(Status::name).to_vec(), vec!["all"]].concat(),
        ("scan", "format") => formats::<ScanWriter>(),
        ("diff", "format") => formats::<DiffWriter>(),
        ("trend", "format") => formats::<TrendWriter>(),
        ("list", "format") => formats::<ItemWriter>(),
        ("list", "sort") => SortOrder::words(),
        ("scan", "by") => RankBy::ALL.map(RankBy::name).to_vec(),
        _ => Vec::new(),
    }
}

fn formats<W: Formats>() -> Vec<&'static str> {
    W::ALL.iter().map(|format| format.name).collect()
}

/// The parameters of all built-in rules, as `--set` takes them, up to the value.
fn parameters() -> Vec<&'static str> {
    let catalogue = Catalogue::builtin();
    let names = catalogue.rules().flat_map(|rule| {
        let names = rule.parameters.keys();
        names.map(|name| format!("{}.{name}=", rule.id))
    });
    // clap wants what lives as long as the program, which ends after this.
    names.map(|name| &*name.leak()).collect()
}
