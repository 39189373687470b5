//! The catalogue: all built-in rules and frameworks, and the rules that were added to them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::alias::Alias;
use super::definition::Rule;
use super::error::{Error, did_you_mean};
use super::framework::Framework;
use super::toml_reader::File;

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// All known rules, by id, and all built-in frameworks, by name. A built-in rule or framework is parsed when it is
/// first used: most runs need only some of them.
#[derive(Clone, Debug)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
}

/// A rule, and the parts of it that selection needs before the rule is parsed.
#[derive(Clone, Debug)]
struct Entry {
    default: bool,
    aliases: Vec<String>,
    rule: OnceLock<Arc<Rule>>,
    /// The file of a built-in rule.
    text: &'static str,
}

impl Entry {
    /// Reads only the head of a built-in rule's file, which contains the keys before `logic`.
    fn builtin(id: &str, text: &'static str) -> Self {
        let (head, _) = text.split_once("\nlogic = ").unwrap_or((text, ""));
        let read = File::read(id, head, |mut table| Self {
            default: table.optional("default").unwrap_or(true),
            aliases: table
                .texts_or_tables("aliases")
                .into_iter()
                .map(Alias::read_name)
                .collect(),
            rule: OnceLock::new(),
            text,
        });
        read.expect("invariant: a test reads every built-in rule")
    }

    fn rule(&self, id: &str) -> &Arc<Rule> {
        self.rule.get_or_init(|| {
            let rule = Rule::parse(id, &format!("rules/{id}.toml"), self.text);
            Arc::new(rule.expect("invariant: a test reads every built-in rule"))
        })
    }
}

impl Catalogue {
    /// The built-in rules and frameworks.
    pub fn builtin() -> Self {
        let entries = RULES
            .iter()
            .map(|&(id, text)| (id.to_owned(), Entry::builtin(id, text)));
        Self {
            entries: entries.collect(),
        }
    }

    /// The ids of the built-in rules, in order.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|&(id, _)| id)
    }

    /// Adds a rule, or replaces the rule of this id.
    pub(super) fn insert(&mut self, rule: Rule) {
        let id = rule.id.clone();
        let entry = Entry {
            default: rule.default,
            aliases: rule.aliases.iter().map(|alias| alias.name.clone()).collect(),
            rule: Arc::new(rule).into(),
            text: "",
        };
        self.entries.insert(id, entry);
    }

    /// The ids of all rules, in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// All rules, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.entries.iter().map(|(id, entry)| entry.rule(id))
    }

    /// Of the default rules those that were added, not built in.
    pub(super) fn added_default_rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let entries = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.default && entry.text.is_empty());
        entries.map(|(id, entry)| entry.rule(id))
    }

    /// The rules that run when nothing is selected, by id.
    pub fn default_rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let entries = self.entries.iter().filter(|(_, entry)| entry.default);
        entries.map(|(id, entry)| entry.rule(id))
    }

    /// The rule of this id.
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        self.entries.get(id).map(|entry| entry.rule(id))
    }

    /// The rules that an id, an alias or a glob over all ids (`*` is every rule) stands for. Case does not matter.
    /// One alias may stand for several rules.
    pub fn find(&self, name: &str) -> Result<Vec<&Arc<Rule>>, Error> {
        let ids = self.find_ids(name)?.into_iter();
        Ok(ids.map(|id| self.entries[id].rule(id)).collect())
    }

    /// The ids of the rules that [`find`](Self::find) gives.
    pub(super) fn find_ids(&self, name: &str) -> Result<Vec<&str>, Error> {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        let ids = |matches: &dyn Fn(&str, &Entry) -> bool| -> Vec<&str> {
            let entries = self.entries.iter().filter(|(id, entry)| matches(id, entry));
            entries.map(|(id, _)| id.as_str()).collect()
        };
        let mut found = ids(&|id, _| same(id));
        if found.is_empty() {
            found = ids(&|_, entry| entry.aliases.iter().any(|alias| same(alias)));
        }
        if found.is_empty() && name.contains(['*', '?', '[']) {
            let glob = glob(name)?;
            found = ids(&|id, _| glob.is_match(id));
        }
        if found.is_empty() {
            return Err(self.unknown_rule(name));
        }
        Ok(found)
    }

    fn unknown_rule(&self, name: &str) -> Error {
        let aliases = self.entries.values().flat_map(|entry| &entry.aliases);
        let help = did_you_mean(name, self.ids().chain(aliases.map(String::as_str)));
        Error::request(
            format!("unknown rule '{name}'"),
            help.or_else(|| Some("`credlens rules list` lists all rules".to_owned())),
        )
    }

    /// The names of all frameworks, in order.
    pub fn framework_names() -> impl Iterator<Item = &'static str> {
        FRAMEWORKS.iter().map(|&(name, _)| name)
    }

    /// The framework of this name. Case does not matter.
    pub fn framework(&self, name: &str) -> Result<Framework, Error> {
        let found = FRAMEWORKS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some(&(name, text)) = found else {
            return Err(Error::request(
                format!("unknown framework '{name}'"),
                Some(help_for(name)),
            ));
        };
        let framework = Framework::parse(name, &format!("frameworks/{name}.toml"), text);
        Ok(framework.expect("invariant: a test reads every built-in framework"))
    }
}

/// The frameworks that an unknown name may stand for, newest first: those that contain it, else the most similar one.
fn help_for(name: &str) -> String {
    let mut all: Vec<(String, &str)> = FRAMEWORKS
        .iter()
        .map(|&(known, text)| {
            let framework = Framework::parse(known, &format!("frameworks/{known}.toml"), text);
            let framework = framework.expect("invariant: a test reads every built-in framework");
            // Of some only the year is known; within it, the version decides.
            (framework.date.chars().take(4).collect(), known)
        })
        .collect();
    all.sort_by(|one, other| other.cmp(one));
    let names = || all.iter().map(|&(_, known)| known);
    let lower = name.to_ascii_lowercase();
    let containing = names().filter(|known| !lower.is_empty() && known.contains(&lower));
    let containing: Vec<_> = containing.collect();
    match &*containing {
        [] => did_you_mean(name, names())
            .unwrap_or_else(|| format!("known frameworks: {}", names().collect::<Vec<_>>().join(", "))),
        [one] => format!("did you mean '{one}'?"),
        several => format!(
            "the frameworks with that in their name, newest first: {}",
            several.join(", ")
        ),
    }
}

/// A glob over ids, in which case does not matter.
fn glob(pattern: &str) -> Result<globset::GlobMatcher, Error> {
    let glob = globset::GlobBuilder::new(pattern).case_insensitive(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| Error::request(format!("'{pattern}' is not a valid glob: {}", error.kind()), None))
}
