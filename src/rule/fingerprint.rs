//! A hash of the rules as they run, so that two results can be compared.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::bound::BoundRule;
use super::definition::fill;
use crate::finding::digest::hex;

/// The SHA-256 of the id, logic, parameters and severity of each rule, in order. Titles, messages and fixes may change
/// without a change of what is found.
pub fn rules_sha256<'a>(rules: impl IntoIterator<Item = &'a BoundRule>) -> String {
    let mut hash = Sha256::new();
    for bound in rules {
        let logic = fill(&bound.rule.logic, &bound.parameters);
        let rule = json!([bound.rule.id, logic, bound.parameters, bound.severity]);
        hash.update(rule.to_string());
        hash.update("\n");
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::super::select::{Selection, select};
    use super::*;

    fn of(rules: &[&str], settings: &[&str]) -> String {
        let selection = Selection {
            rules: rules.iter().map(ToString::to_string).collect(),
            settings: settings.iter().map(|it| it.parse().unwrap()).collect(),
            ..Selection::default()
        };
        rules_sha256(&select(&Catalogue::builtin(), &selection).unwrap().rules)
    }

    #[test]
    fn every_rule_and_every_value_counts() {
        let one = of(&["access-key-unused"], &[]);
        assert_eq!(one.len(), 64);
        assert_eq!(
            one,
            of(&["access-key-unused"], &["access-key-unused.max_idle=45"])
        );
        assert_ne!(
            one,
            of(&["access-key-unused"], &["access-key-unused.max_idle=46"])
        );
        assert_ne!(one, of(&["access-key-unused", "root-without-mfa"], &[]));
        assert_eq!(
            of(&["root-without-mfa", "access-key-unused"], &[]),
            of(&["access-key-unused", "root-without-mfa"], &[])
        );
    }
}
