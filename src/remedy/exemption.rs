//! What exempts a user from every change: a tag, a group, or that infrastructure as code makes the user. Plans and their
//! application ask the same questions here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The key of the tag that exempts a user where no other one is named.
pub const EXEMPT_TAG: &str = "credlens-exempt";

/// The beginning of the tags that `CloudFormation` gives to what it makes.
const OF_CLOUD_FORMATION: &str = "aws:cloudformation:";

/// The tag that exempts a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExemptTag {
    /// Its key, in any case: IAM does not distinguish `Team` and `team`.
    pub key: String,
    /// The only value that exempts; if none is given, every value but `false` does.
    pub value: Option<String>,
}

impl Default for ExemptTag {
    fn default() -> Self {
        Self {
            key: EXEMPT_TAG.to_owned(),
            value: None,
        }
    }
}

impl ExemptTag {
    /// From `KEY[=VALUE]`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((key, value)) => Self {
                key: key.to_owned(),
                value: Some(value.to_owned()),
            },
            None => Self {
                key: text.to_owned(),
                value: None,
            },
        }
    }

    /// Whether one of a user's tags is this one.
    pub fn exempts(&self, tags: &BTreeMap<String, String>) -> bool {
        let is_meant = |value: &str| match &self.value {
            Some(wanted) => value == wanted,
            None => !value.eq_ignore_ascii_case("false"),
        };
        tags.iter()
            .any(|(key, value)| key.eq_ignore_ascii_case(&self.key) && is_meant(value))
    }
}

/// Whether a user's tags say that infrastructure as code makes the user, which would undo a change.
pub(super) fn is_of_infrastructure_as_code(tags: &BTreeMap<String, String>) -> bool {
    tags.keys().any(|key| key.starts_with(OF_CLOUD_FORMATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn every_value_but_false_exempts_unless_one_is_given() {
        let usual = ExemptTag::default();
        for value in ["true", "", "yes", "FALSE-ish", "0"] {
            assert!(usual.exempts(&tags("credlens-exempt", value)), "{value}");
            assert!(usual.exempts(&tags("Credlens-Exempt", value)), "{value}");
        }
        for value in ["false", "False", "FALSE"] {
            assert!(!usual.exempts(&tags("credlens-exempt", value)), "{value}");
        }
        assert!(!usual.exempts(&tags("exempt", "true")));
        let one = ExemptTag::parse("keep=forever");
        assert!(one.exempts(&tags("keep", "forever")));
        assert!(!one.exempts(&tags("keep", "true")));
        assert_eq!(ExemptTag::parse("keep").value, None);
    }

    #[test]
    fn cloud_formation_leaves_tags() {
        assert!(is_of_infrastructure_as_code(&tags(
            "aws:cloudformation:stack-name",
            "x"
        )));
        assert!(!is_of_infrastructure_as_code(&tags("cloudformation", "x")));
    }
}
