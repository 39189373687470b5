//! Selection: which rules run, with which parameter values and severities.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use super::alias::{Alias, PartlyDecided};
use super::bound::BoundRule;
use super::catalogue::Catalogue;
use super::definition::{Parameter, Rule};
use super::error::{Error, did_you_mean};
use super::framework::{Framework, OTHER_TOOLS, RuleRef};
use super::toml_reader::{Located, Table};
use crate::finding::Severity;

/// A request for rules. An empty one selects the default rules.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Ids, aliases or globs.
    pub rules: Vec<String>,
    /// Names of frameworks.
    pub frameworks: Vec<String>,
    /// Of the frameworks only the requirements of this level and those below it; all must have levels.
    pub level: Option<u8>,
    /// Values of parameters; of several for one parameter, the last applies.
    pub settings: Vec<Setting>,
}

/// `RULE.PARAM=VALUE`: a value for a parameter of one rule, or of all rules that an alias or glob stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Id, alias or glob.
    pub rule: String,
    /// Name of the parameter.
    pub parameter: String,
    /// Its value.
    pub value: i64,
}

/// The rules and frameworks that a request selects.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Each (rule, parameters) pair once, by id, then by parameters.
    pub rules: Vec<BoundRule>,
    /// The selected frameworks, in the order of the request, each with the requirements of the selected levels, then one
    /// with the checks in `partly_decided`.
    pub frameworks: Vec<Arc<Framework>>,
    /// The highest level of their requirements that is selected, if not all are.
    pub level: Option<u8>,
    /// The checks of other tools, selected by an alias, that ask for more than a report shows.
    pub partly_decided: Vec<PartlyDecided>,
    /// Parameters that a setting makes weaker than a requirement demands.
    pub weakened: Vec<WeakenedParameter>,
    /// Whether nothing was asked for, so that rules that need details are built-in default rules.
    pub is_default: bool,
    /// The ids of rules that need details and were asked for by id: they must not be left out.
    pub details_by_id: Vec<String>,
}

/// A parameter that is set to a weaker value than a requirement demands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{requirement} requires {rule}.{parameter} = {demanded}, but it is set to {used}, which finds less")]
pub struct WeakenedParameter {
    /// `framework/requirement`.
    pub requirement: String,
    /// Id of the rule.
    pub rule: String,
    /// Name of the parameter.
    pub parameter: String,
    /// The value that the framework demands.
    pub demanded: i64,
    /// The value that is set.
    pub used: i64,
}

impl FromStr for Setting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let setting = text.split_once('=').and_then(|(name, value)| {
            let value = value.trim().parse().ok()?;
            Self::new(name.trim(), value).ok()
        });
        setting.ok_or_else(|| {
            let help = "for example, access-key-unused.max_idle=60".to_owned();
            Error::request(
                format!("'{text}' does not have the form RULE.PARAM=NUMBER"),
                Some(help),
            )
        })
    }
}

impl Setting {
    /// Reads the `[set]` table of a settings file; each one is for a rule that there is.
    pub(super) fn read(table: &mut Table<'_, '_>, catalogue: &Catalogue) -> Vec<Self> {
        let leaves = table.table("set").map(Table::into_leaves).unwrap_or_default();
        let read = leaves.into_iter().filter_map(|(name, Located { value, span })| {
            let setting = Self::new(&name, value);
            let resolved = setting.and_then(|setting| {
                resolve_setting(catalogue, &setting)?;
                Ok(setting)
            });
            let report = |error: Error| {
                let (message, help) = error.into_request();
                table.file.error(span, message, help);
            };
            resolved.map_err(report).ok()
        });
        read.collect()
    }

    /// The rule's id may contain dots: the last one ends it.
    fn new(name: &str, value: i64) -> Result<Self, Error> {
        let Some((rule, parameter)) = name.rsplit_once('.') else {
            let help = "for example, access-key-unused.max_idle = 60".to_owned();
            let message = format!("'{name}' does not have the form RULE.PARAM");
            return Err(Error::request(message, Some(help)));
        };
        Ok(Self {
            rule: rule.to_owned(),
            parameter: parameter.to_owned(),
            value,
        })
    }
}

/// The selected rules, bound to their parameters.
pub fn select(catalogue: &Catalogue, selection: &Selection) -> Result<Selected, Vec<Error>> {
    let mut errors = Vec::new();
    let settings = resolve_settings(catalogue, &selection.settings, &mut errors);
    let mut chosen = Chosen {
        settings,
        ..Chosen::default()
    };
    for (name, rule) in requested_rules(catalogue, selection, &mut errors) {
        chosen.add_rule(name, rule);
    }
    let mut frameworks: Vec<Arc<Framework>> = Vec::new();
    for name in &selection.frameworks {
        match catalogue.framework(name) {
            Ok(framework) if frameworks.iter().any(|known| known.name == framework.name) => {}
            Ok(mut framework) => {
                let kept = selection.level.map(|level| framework.keep_levels(level));
                errors.extend(kept.and_then(Result::err));
                chosen.add_framework(catalogue, &framework, &mut errors);
                frameworks.push(Arc::new(framework));
            }
            Err(error) => errors.push(error),
        }
    }
    let rules = chosen.pairs.into_iter().filter_map(|((_, parameters), choice)| {
        let bound = choice.bind(parameters);
        bound.map_err(|error| errors.push(error)).ok()
    });
    let rules: Vec<BoundRule> = rules.collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let on_details = rules.iter().filter(|bound| bound.typed.entity.needs_details());
    let ids = on_details.map(|bound| &bound.rule.id);
    let mut details_by_id: Vec<String> = ids.filter(|id| selection.rules.contains(id)).cloned().collect();
    details_by_id.dedup();
    let mut on_details = rules.iter().filter(|bound| bound.typed.entity.needs_details());
    let has_own = on_details.any(|bound| bound.rule.file().is_some());
    let partly_decided = chosen.partly_decided;
    if !partly_decided.is_empty() {
        frameworks.push(Arc::new(Framework::of_other_tools(&partly_decided)));
    }
    Ok(Selected {
        rules,
        frameworks,
        level: selection.level,
        partly_decided,
        weakened: chosen.weakened,
        is_default: selection.rules.is_empty() && selection.frameworks.is_empty() && !has_own,
        details_by_id,
    })
}

/// The requested rules, each with the name that stands for it.
fn requested_rules<'a>(
    catalogue: &'a Catalogue,
    selection: &'a Selection,
    errors: &mut Vec<Error>,
) -> Vec<(&'a str, &'a Arc<Rule>)> {
    if selection.rules.is_empty() && selection.frameworks.is_empty() {
        let rules = catalogue.default_rules();
        return rules.map(|rule| (rule.id.as_str(), rule)).collect();
    }
    let mut rules = Vec::new();
    if selection.rules.is_empty() {
        // A framework names built-in rules only: one's own are evaluated beside it.
        let own = catalogue.added_default_rules();
        rules.extend(own.map(|rule| (rule.id.as_str(), rule)));
    }
    for name in &selection.rules {
        match catalogue.find(name) {
            Ok(found) => rules.extend(found.into_iter().map(|rule| (name.as_str(), rule))),
            Err(error) => errors.push(error),
        }
    }
    rules
}

/// Values that are set, by id of the rule, then by parameter.
type SetValues = BTreeMap<String, BTreeMap<String, i64>>;

fn resolve_settings(catalogue: &Catalogue, settings: &[Setting], errors: &mut Vec<Error>) -> SetValues {
    let mut resolved = SetValues::new();
    for setting in settings {
        match resolve_setting(catalogue, setting) {
            Ok(ids) => {
                for id in ids {
                    let values = resolved.entry(id).or_default();
                    values.insert(setting.parameter.clone(), setting.value);
                }
            }
            Err(error) => errors.push(error),
        }
    }
    resolved
}

impl Selected {
    /// Values for rules that are not selected change nothing: each is an error.
    pub fn check_settings(&self, catalogue: &Catalogue, settings: &[Setting]) -> Result<(), Vec<Error>> {
        let is_selected = |id: &String| self.rules.iter().any(|bound| bound.rule.id == *id);
        let unused = settings.iter().filter_map(|setting| {
            let ids = resolve_setting(catalogue, setting).ok()?;
            if ids.iter().any(is_selected) {
                return None;
            }
            let Setting { rule, parameter, .. } = setting;
            let message = format!("--set {rule}.{parameter} has no effect: the rule is not selected");
            let help = format!("select it by --rule '{rule}', or leave --set out");
            Some(Error::request(message, Some(help)))
        });
        let unused: Vec<Error> = unused.collect();
        if unused.is_empty() { Ok(()) } else { Err(unused) }
    }
}

/// The ids of the rules that the setting applies to.
fn resolve_setting(catalogue: &Catalogue, setting: &Setting) -> Result<Vec<String>, Error> {
    let name = &setting.parameter;
    let rules = catalogue.find(&setting.rule)?;
    let with: Vec<_> = rules
        .iter()
        .filter_map(|rule| Some((rule, rule.parameters.get(name)?)))
        .collect();
    if with.is_empty() {
        return Err(unknown_parameter(&setting.rule, name, &rules));
    }
    let outside = |(_, parameter): &&(_, &Parameter)| !parameter.allows(setting.value);
    if let Some((rule, parameter)) = with.iter().find(outside) {
        let message = parameter.out_of_range(&format!("{}.{name}", rule.id), setting.value);
        return Err(Error::request(message, None));
    }
    Ok(with.iter().map(|(rule, _)| rule.id.clone()).collect())
}

fn unknown_parameter(rule: &str, parameter: &str, rules: &[&Arc<Rule>]) -> Error {
    let parameters = rules.iter().flat_map(|rule| rule.parameters.keys());
    let known: Vec<&str> = parameters.map(String::as_str).collect();
    let help = did_you_mean(parameter, known.iter().copied()).unwrap_or_else(|| {
        if known.is_empty() {
            "it has no parameters".to_owned()
        } else {
            format!("its parameters: {}", known.join(", "))
        }
    });
    Error::request(format!("'{rule}' has no parameter '{parameter}'"), Some(help))
}

fn add_name(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

/// The (rule, parameters) pairs chosen so far.
#[derive(Default)]
struct Chosen {
    settings: SetValues,
    pairs: BTreeMap<(String, BTreeMap<String, i64>), Choice>,
    weakened: Vec<WeakenedParameter>,
    partly_decided: Vec<PartlyDecided>,
}

/// A chosen rule, and the severity and requirements that frameworks give it.
struct Choice {
    rule: Arc<Rule>,
    severity: Option<Severity>,
    requirements: Vec<String>,
    related: Vec<String>,
}

impl Choice {
    fn bind(self, parameters: BTreeMap<String, i64>) -> Result<BoundRule, Error> {
        Ok(BoundRule {
            severity: self.severity.unwrap_or(self.rule.severity),
            typed: self.rule.bind(&parameters)?,
            requirements: self.requirements,
            related: self.related,
            message: self.rule.message_with(&parameters),
            rule: self.rule,
            parameters,
        })
    }
}

impl Chosen {
    /// An alias may come with values of parameters and with what it leaves undecided.
    fn add_rule(&mut self, name: &str, rule: &Arc<Rule>) {
        let alias = rule.alias(name);
        let demanded = alias.map(|alias| alias.parameters.clone()).unwrap_or_default();
        let values = self.values(rule, &demanded);
        let choice = self.choice(rule, values);
        let Some(check) = alias.and_then(Alias::partly_decided) else {
            return;
        };
        let requirement = format!("{OTHER_TOOLS}/{}", check.name);
        if !choice.requirements.contains(&requirement) {
            choice.requirements.push(requirement);
        }
        if !self.partly_decided.iter().any(|known| known.name == check.name) {
            self.partly_decided.push(check);
        }
    }

    fn add_framework(&mut self, catalogue: &Catalogue, framework: &Framework, errors: &mut Vec<Error>) {
        for requirement in &framework.requirements {
            let name = framework.qualified(requirement);
            let bindings = requirement.rules.iter().map(|it| (it, true));
            let bindings = bindings.chain(requirement.related.iter().map(|it| (it, false)));
            for (reference, decides) in bindings {
                match catalogue.rule(&reference.rule) {
                    Some(rule) if decides => self.add_deciding(rule, &name, reference),
                    Some(rule) => self.add_related(rule, &name, reference),
                    None => {
                        let message = format!("{name} names an unknown rule '{}'", reference.rule);
                        errors.push(Error::request(message, None));
                    }
                }
            }
        }
    }

    fn add_deciding(&mut self, rule: &Arc<Rule>, requirement: &str, reference: &RuleRef) {
        self.note_weakened(rule, requirement, &reference.parameters);
        let values = self.values(rule, &reference.parameters);
        let choice = self.choice(rule, values);
        let severity = reference.severity.unwrap_or(rule.severity);
        choice.severity = choice.severity.max(Some(severity));
        add_name(&mut choice.requirements, requirement);
    }

    /// It changes no severity, and no value is too weak for it.
    fn add_related(&mut self, rule: &Arc<Rule>, requirement: &str, reference: &RuleRef) {
        let values = self.values(rule, &reference.parameters);
        add_name(&mut self.choice(rule, values).related, requirement);
    }

    fn choice(&mut self, rule: &Arc<Rule>, values: BTreeMap<String, i64>) -> &mut Choice {
        let pair = (rule.id.clone(), values);
        self.pairs.entry(pair).or_insert_with(|| Choice {
            rule: Arc::clone(rule),
            severity: None,
            requirements: Vec::new(),
            related: Vec::new(),
        })
    }

    /// The values that are set, else those demanded, else the rule's defaults.
    fn values(&self, rule: &Rule, demanded: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
        let mut values = rule.defaults();
        values.extend(demanded.iter().map(|(name, &value)| (name.clone(), value)));
        let set = self.settings.get(&rule.id).into_iter().flatten();
        values.extend(set.map(|(name, &value)| (name.clone(), value)));
        values
    }

    fn note_weakened(&mut self, rule: &Rule, requirement: &str, demanded: &BTreeMap<String, i64>) {
        for (name, &used) in self.settings.get(&rule.id).into_iter().flatten() {
            let parameter = &rule.parameters[name];
            let demanded = demanded.get(name).copied().unwrap_or(parameter.default);
            if parameter.is_weaker(used, demanded) {
                self.weakened.push(WeakenedParameter {
                    requirement: requirement.to_owned(),
                    rule: rule.id.clone(),
                    parameter: name.clone(),
                    demanded,
                    used,
                });
            }
        }
    }
}
