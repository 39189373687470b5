//! `credlens rules`: list, show, check and test.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use credlens::engine::examples;
use credlens::output::{catalogue as tables, counted};
use credlens::rule::{self, Catalogue, Rule, Selection};

use super::args::{Color, ListFormat, Rules, RulesList};
use super::{Exit, catalogue, list_options, refuse, rule_files, tell};

pub(super) fn run(command: Rules) -> anyhow::Result<Exit> {
    match command {
        Rules::List(list) => with_catalogue(&list.rules_from.clone(), |catalogue| run_list(catalogue, &list)),
        Rules::Show { rule, rules_from } => with_catalogue(&rules_from, |catalogue| show(catalogue, &rule)),
        Rules::Check { paths } => check(&paths),
        Rules::Test { paths } => test(&paths),
    }
}

fn with_catalogue(
    paths: &[PathBuf],
    run: impl FnOnce(&Catalogue) -> anyhow::Result<Result<(), Vec<rule::Error>>>,
) -> anyhow::Result<Exit> {
    let result = match catalogue(paths)? {
        Ok(catalogue) => run(&catalogue)?,
        Err(errors) => Err(errors),
    };
    Ok(match result {
        Ok(()) => Exit::Clean,
        Err(errors) => refuse(&errors, Color::Auto),
    })
}

fn run_list(catalogue: &Catalogue, list: &RulesList) -> anyhow::Result<Result<(), Vec<rule::Error>>> {
    let rules: Vec<Arc<Rule>> = match &list.framework {
        None => catalogue.rules().cloned().collect(),
        Some(name) => {
            let selection = Selection {
                frameworks: vec![name.clone()],
                ..Selection::default()
            };
            match rule::select(catalogue, &selection) {
                Ok(selected) => selected.rules.into_iter().map(|bound| bound.rule).collect(),
                Err(errors) => return Ok(Err(errors)),
            }
        }
    };
    let wanted = |rule: &Arc<Rule>| {
        list.min_severity.is_none_or(|least| rule.severity >= least) && (rule.default || !list.default)
    };
    let mut rules: Vec<_> = rules.into_iter().filter(wanted).collect();
    rules.dedup_by(|one, other| one.id == other.id);
    let text = match list.format {
        ListFormat::Table => tables::rules_table(&rules, list_options()),
        ListFormat::Json => tables::rules_json(&rules),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Ok(()))
}

fn show(catalogue: &Catalogue, word: &str) -> anyhow::Result<Result<(), Vec<rule::Error>>> {
    let rules = match catalogue.find(word) {
        Ok(rules) => rules,
        Err(error) => return Ok(Err(vec![error])),
    };
    let names = Catalogue::framework_names();
    let frameworks: Result<Vec<_>, _> = names.map(|name| catalogue.framework(name)).collect();
    let frameworks = frameworks?;
    for rule in rules {
        // A rule of somebody else's may hold anything.
        let page = rule::rule_page(rule, &frameworks);
        let lines: Vec<_> = page.lines().map(credlens::output::escape).collect();
        let page = lines.join("\n") + "\n";
        io::stdout().write_all(page.as_bytes())?;
    }
    Ok(Ok(()))
}

/// The rules of these files, or the built-in ones; what cannot be read is told. A file that changes a known
/// rule counts as that rule.
fn read(paths: &[PathBuf]) -> anyhow::Result<(Vec<Arc<Rule>>, Vec<rule::Error>)> {
    let mut catalogue = Catalogue::builtin();
    if paths.is_empty() {
        return Ok((catalogue.rules().cloned().collect(), Vec::new()));
    }
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for (path, text) in rule_files(paths)? {
        match catalogue.add(&path.to_string_lossy(), &text) {
            Ok(added) => ids.extend(added),
            Err(wrong) => errors.extend(wrong),
        }
    }
    let rules = ids.iter().filter_map(|id| catalogue.rule(id).cloned()).collect();
    Ok((rules, errors))
}

fn check(paths: &[PathBuf]) -> anyhow::Result<Exit> {
    let (rules, mut errors) = read(paths)?;
    let mut doubts = 0;
    for rule in &rules {
        match rule::lint(rule) {
            Ok(lints) => {
                doubts += lints.len();
                for lint in lints {
                    tell(format_args!(
                        "warning: {}",
                        credlens::output::escape(&lint.to_string())
                    ));
                }
            }
            Err(error) => errors.push(error),
        }
    }
    refuse(&errors, Color::Auto);
    let [read, wrong, doubts] = [
        (rules.len(), "rule"),
        (errors.len(), "error"),
        (doubts, "warning"),
    ]
    .map(|(count, thing)| counted(count as u64, thing));
    writeln!(io::stdout(), "{read} read, {wrong}, {doubts}")?;
    Ok(if errors.is_empty() {
        Exit::Clean
    } else {
        Exit::Usage
    })
}

fn test(paths: &[PathBuf]) -> anyhow::Result<Exit> {
    let (rules, mut errors) = read(paths)?;
    let (mut passed, mut failed) = (0_u64, 0);
    for rule in &rules {
        for example in &rule.examples {
            match examples::verdict(rule, example) {
                Ok(verdict) if verdict == example.verdict => passed += 1,
                Ok(verdict) => {
                    failed += 1;
                    let (wanted, got) = (example.verdict.name(), verdict.name());
                    let text = format!("{}: example '{}' is {got}, not {wanted}", rule.id, example.name);
                    tell(format_args!("error: {}", credlens::output::escape(&text)));
                }
                Err(error) => errors.push(error),
            }
        }
    }
    refuse(&errors, Color::Auto);
    let (rules, examples) = (counted(rules.len() as u64, "rule"), counted(passed, "example"));
    writeln!(io::stdout(), "{rules}: {examples} passed, {failed} failed")?;
    Ok(match (errors.is_empty(), failed) {
        (false, _) => Exit::Usage,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Findings,
    })
}
