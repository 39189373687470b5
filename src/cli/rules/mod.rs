//! `credlens rules`: list, show, check and test.

mod args;

use std::path::PathBuf;
use std::sync::Arc;

use credlens::engine::examples;
use credlens::output::page::for_terminal_page;
use credlens::output::{catalogue as tables, counted, escape_lines};
use credlens::rule::{self, Catalogue, Rule, Selection};

use super::PageFormat;
use super::failure::{Exit, Failure, print_rule_errors};
use super::outputs::print;
use super::rule_files::{self, RulesRead, catalogue};
use super::terminal::{list_options, print_error, print_note, print_warning};

pub(super) use args::RulesArgs;
use args::{RulesCommand, RulesListArgs};

pub(super) fn run(args: RulesArgs) -> Result<Exit, Failure> {
    match args.command {
        RulesCommand::List(args) => list(&args),
        RulesCommand::Show {
            rule,
            rules_from,
            format,
        } => show(&rule, &rules_from, PageFormat::or_default(format)),
        RulesCommand::Check { paths } => check(&paths),
        RulesCommand::Test { paths } => test(&paths),
    }
}

fn list(args: &RulesListArgs) -> Result<Exit, Failure> {
    let catalogue = catalogue(&args.rules_from)?;
    let rules: Vec<Arc<Rule>> = match &args.framework {
        None => catalogue.rules().cloned().collect(),
        Some(name) => {
            let selection = Selection {
                frameworks: vec![name.clone()],
                ..Selection::default()
            };
            let selected = rule::select(&catalogue, &selection)?;
            selected.rules.into_iter().map(|bound| bound.rule).collect()
        }
    };
    let is_listed = |rule: &Arc<Rule>| {
        args.min_severity.is_none_or(|least| rule.severity >= least) && (rule.default || !args.default)
    };
    let mut rules: Vec<_> = rules.into_iter().filter(is_listed).collect();
    rules.dedup_by(|one, other| one.id == other.id);
    args.format.print(
        "the list",
        || tables::rules_table(&rules, list_options()),
        || tables::rules_json(&rules),
    )?;
    Ok(Exit::Clean)
}

/// The blanks before commands on a page for a terminal.
const COMMAND_INDENT: usize = 6;

fn show(word: &str, rules_from: &[PathBuf], format: PageFormat) -> Result<Exit, Failure> {
    let catalogue = catalogue(rules_from)?;
    let rules = catalogue.find(word)?;
    let names = Catalogue::framework_names();
    let frameworks: Result<Vec<_>, _> = names.map(|name| catalogue.framework(name)).collect();
    let frameworks = frameworks?;
    let options = list_options();
    for (position, rule) in rules.into_iter().enumerate() {
        // A rule from another source may contain anything.
        let page = match format {
            PageFormat::Markdown => escape_lines(&rule::rule_page(rule, &frameworks)) + "\n",
            PageFormat::Text => {
                let width = options.width.saturating_sub(COMMAND_INDENT);
                for_terminal_page(&rule::rule_page_fix_first(rule, &frameworks, width), options)
            }
        };
        let between = if position > 0 && format == PageFormat::Text {
            "\n\n"
        } else {
            ""
        };
        print("the page", format!("{between}{page}"))?;
    }
    Ok(Exit::Clean)
}

/// The rules in these files, or the built-in ones, and the errors in the files. A file that overrides a known rule
/// counts as that rule.
fn read(paths: &[PathBuf]) -> Result<(Vec<Arc<Rule>>, Vec<rule::Error>), Failure> {
    let RulesRead {
        catalogue,
        ids,
        errors,
        passed_over,
    } = rule_files::read(paths)?;
    for path in passed_over {
        let path = path.display();
        print_note(format_args!(
            "{path}: settings of credlens, not rules, so it is passed over"
        ));
    }
    let rules = if paths.is_empty() {
        catalogue.rules().cloned().collect()
    } else {
        ids.iter().filter_map(|id| catalogue.rule(id).cloned()).collect()
    };
    Ok((rules, errors))
}

fn check(paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (rules, mut errors) = read(paths)?;
    let mut warnings = 0;
    for rule in &rules {
        match rule::lint(rule) {
            Ok(lints) => {
                warnings += lints.len();
                lints.iter().for_each(print_warning);
            }
            Err(error) => errors.push(error),
        }
    }
    print_rule_errors(&errors);
    let [rules, wrong, warnings] = [
        (rules.len(), "rule"),
        (errors.len(), "error"),
        (warnings, "warning"),
    ]
    .map(|(count, thing)| counted(count as u64, thing));
    print("the counts", format!("{rules} read, {wrong}, {warnings}\n"))?;
    Ok(if errors.is_empty() {
        Exit::Clean
    } else {
        Exit::Usage
    })
}

fn test(paths: &[PathBuf]) -> Result<Exit, Failure> {
    let (rules, mut errors) = read(paths)?;
    let (mut passed, mut failed) = (0_u64, 0);
    for rule in &rules {
        for example in &rule.examples {
            match examples::verdict(rule, example) {
                Ok(verdict) if verdict == example.verdict => passed += 1,
                Ok(verdict) => {
                    failed += 1;
                    let (expected, got) = (example.verdict.name(), verdict.name());
                    let name = &example.name;
                    print_error(format_args!(
                        "{}: example '{name}' is {got}, not {expected}",
                        rule.id
                    ));
                }
                Err(error) => errors.push(error),
            }
        }
    }
    print_rule_errors(&errors);
    let (rules, examples) = (counted(rules.len() as u64, "rule"), counted(passed, "example"));
    let counts = format!("{rules}: {examples} passed, {failed} failed\n");
    print("the counts", counts)?;
    Ok(match (errors.is_empty(), failed) {
        (false, _) => Exit::Usage,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Findings,
    })
}
