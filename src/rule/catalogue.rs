//! All rules and frameworks that there are: the built-in ones, and those that were added.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::definition::Rule;
use super::error::{Error, did_you_mean};
use super::framework::Framework;

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// All known rules, by id, and all known frameworks, by name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub(super) rules: BTreeMap<String, Arc<Rule>>,
}

impl Catalogue {
    /// The built-in rules and frameworks.
    ///
    /// # Panics
    /// If a built-in rule cannot be read, which a test excludes.
    pub fn builtin() -> Self {
        let rules = RULES.iter().map(|&(id, text)| {
            let rule = Rule::parse(id, &format!("rules/{id}.toml"), text);
            (
                id.to_owned(),
                Arc::new(rule.expect("invariant: a test reads every built-in rule")),
            )
        });
        Self {
            rules: rules.collect(),
        }
    }

    /// All rules, by id.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.values()
    }

    /// The rule of this id.
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.get(id)
    }

    /// The rules that a word names: an id, an alias, or a glob over all ids (`*` is every rule). Case does
    /// not matter. One alias may stand for several rules.
    pub fn find(&self, word: &str) -> Result<Vec<&Arc<Rule>>, Error> {
        let same = |name: &String| name.eq_ignore_ascii_case(word);
        let mut found: Vec<_> = self.rules().filter(|rule| same(&rule.id)).collect();
        if found.is_empty() {
            found = self
                .rules()
                .filter(|rule| rule.aliases.iter().any(same))
                .collect();
        }
        if found.is_empty() && word.contains(['*', '?', '[']) {
            let glob = glob(word)?;
            found = self.rules().filter(|rule| glob.is_match(&rule.id)).collect();
        }
        if found.is_empty() {
            return Err(self.unknown_rule(word));
        }
        Ok(found)
    }

    fn unknown_rule(&self, word: &str) -> Error {
        let ids = self.rules().map(|rule| rule.id.as_str());
        let aliases = self
            .rules()
            .flat_map(|rule| rule.aliases.iter().map(String::as_str));
        let help = did_you_mean(word, ids.chain(aliases));
        Error::request(
            format!("no rule is called '{word}'"),
            help.or_else(|| Some("`credlens rules list` shows all".to_owned())),
        )
    }

    /// The names of all frameworks, in order.
    pub fn framework_names() -> impl Iterator<Item = &'static str> {
        FRAMEWORKS.iter().map(|&(name, _)| name)
    }

    /// The framework of this name. Read only now: most runs need none.
    ///
    /// # Panics
    /// If a built-in framework cannot be read, which a test excludes.
    pub fn framework(&self, name: &str) -> Result<Framework, Error> {
        let found = FRAMEWORKS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some(&(name, text)) = found else {
            let help = did_you_mean(name, Self::framework_names());
            let all = || Self::framework_names().collect::<Vec<_>>().join(", ");
            return Err(Error::request(
                format!("no framework is called '{name}'"),
                help.or_else(|| Some(format!("known are {}", all()))),
            ));
        };
        let framework = Framework::parse(name, &format!("frameworks/{name}.toml"), text);
        Ok(framework.expect("invariant: a test reads every built-in framework"))
    }
}

/// A glob over ids, in which case does not matter.
pub(super) fn glob(pattern: &str) -> Result<globset::GlobMatcher, Error> {
    let glob = globset::GlobBuilder::new(pattern).case_insensitive(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| Error::request(format!("'{pattern}' is no glob: {}", error.kind()), None))
}
