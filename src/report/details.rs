//! What AWS says about the users of a report beside it: the ids of their access keys, their tags, and their service-specific
//! credentials. It is fetched with `--details`, and kept beside the report as `….details.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schema::{BySlot, Slot};
use super::time::Timestamp;

/// The details of one report: `credlens.details/v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Details {
    /// Always `credlens.details/v1`.
    #[cfg_attr(test, schemars(extend("const" = Details::SCHEMA)))]
    pub schema: String,
    /// Twelve-digit account id; null if it was not known.
    pub account: Option<String>,
    /// When the report was generated.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub generated: Option<Timestamp>,
    /// SHA-256 of the report as it was fetched, in hexadecimal: these are the details of no other report.
    pub report_sha256: String,
    /// Whether the account's service-specific credentials could be listed: those of all users then are here.
    pub service_credentials_listed: bool,
    /// The users of whom something is known, by name.
    pub users: BTreeMap<String, UserDetails>,
}

/// What is known about one user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UserDetails {
    /// The ids of the access keys, of slots 1 and 2; null where the slot is empty or the id is not certain.
    #[serde(default)]
    pub access_key_ids: BySlot<Option<String>>,
    /// The user's tags; null if they were not fetched.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
    /// The user's service-specific credentials.
    #[serde(default)]
    pub service_credentials: Vec<ServiceCredential>,
}

/// A credential for one service, such as an API key for Bedrock. No report has these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceCredential {
    /// Its id, as IAM lists it.
    pub id: String,
    /// The service, such as `bedrock.amazonaws.com`.
    pub service: String,
    /// Whether it is active; null if AWS says neither.
    pub active: Option<bool>,
    /// When it was created; null if AWS does not say.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub created: Option<Timestamp>,
    /// When it expires; null if it never does.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub expires: Option<Timestamp>,
}

/// Why a file is not the details of a report.
#[derive(Debug, thiserror::Error)]
pub enum DetailsError {
    /// It is not such JSON.
    #[error("not valid details: {0}")]
    Json(#[from] serde_json::Error),
    /// It has another schema.
    #[error("its schema is '{0}', and this version reads {schema}", schema = Details::SCHEMA)]
    Schema(String),
}

impl Details {
    /// The schema of this version.
    pub const SCHEMA: &str = "credlens.details/v1";

    /// Details of a report of which nothing is known yet.
    pub fn new(account: Option<String>, generated: Option<Timestamp>, report_sha256: String) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            account,
            generated,
            report_sha256,
            service_credentials_listed: false,
            users: BTreeMap::new(),
        }
    }

    /// Reads details.
    ///
    /// # Errors
    /// If they are damaged, or of a later version.
    pub fn parse(json: &[u8]) -> Result<Self, DetailsError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let Head { schema } = serde_json::from_slice(json)?;
        if schema != Self::SCHEMA {
            return Err(DetailsError::Schema(schema));
        }
        Ok(serde_json::from_slice(json)?)
    }

    /// As JSON, with a line feed at the end.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("invariant: the type has only texts, flags and maps by text") + "\n"
    }

    /// What is known of a user of an account; nothing if the details are another account's. Names that are not UTF-8 are not
    /// IAM's.
    pub fn user(&self, account: Option<&[u8]>, name: &[u8]) -> Option<&UserDetails> {
        let is_other = |account: &[u8]| self.account.as_ref().is_some_and(|own| own.as_bytes() != account);
        if account.is_some_and(is_other) {
            return None;
        }
        self.users.get(str::from_utf8(name).ok()?)
    }
}

impl UserDetails {
    /// The id of the access key in a slot, if it is known.
    pub fn access_key_id(&self, slot: Slot) -> Option<&str> {
        self.access_key_ids[slot as usize].as_deref()
    }

    /// The value of a tag. IAM compares tag keys without case.
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tags = self.tags.as_ref()?;
        let exact = tags.get(key);
        let value = exact.or_else(|| {
            let is_meant = |(other, _): &(&String, &String)| other.to_lowercase() == key.to_lowercase();
            tags.iter().find(is_meant).map(|(_, value)| value)
        });
        value.map(String::as_str).filter(|value| !value.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details() -> Details {
        let credential = ServiceCredential {
            id: "ACCAEXAMPLE".to_owned(),
            service: "bedrock.amazonaws.com".to_owned(),
            active: Some(true),
            created: Some(Timestamp(1_700_000_000)),
            expires: None,
        };
        let alice = UserDetails {
            access_key_ids: [Some("AKIAEXAMPLE".to_owned()), None],
            tags: Some([("Owner".to_owned(), "data team".to_owned())].into()),
            service_credentials: vec![credential],
        };
        Details {
            service_credentials_listed: true,
            users: [("alice".to_owned(), alice)].into(),
            ..Details::new(
                Some("111122223333".to_owned()),
                Some(Timestamp(0)),
                "ab".to_owned(),
            )
        }
    }

    #[test]
    fn they_are_read_as_written() {
        let written = details().to_json();
        assert_eq!(Details::parse(written.as_bytes()).unwrap(), details());
    }

    #[test]
    fn what_is_not_details_is_an_error() {
        for (json, expected) in [
            ("", "not valid details: EOF"),
            ("{}", "not valid details: missing field `schema`"),
            (
                r#"{"schema":"credlens.details/v2"}"#,
                "its schema is 'credlens.details/v2'",
            ),
            (
                r#"{"schema":"credlens.details/v1"}"#,
                "not valid details: missing field",
            ),
        ] {
            let error = Details::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn tags_are_found_in_any_case() {
        let details = details();
        let alice = details.user(Some(b"111122223333"), b"alice").unwrap();
        assert_eq!(alice.tag("owner"), Some("data team"));
        assert_eq!(alice.tag("team"), None);
        assert_eq!(details.user(None, b"Alice"), None);
        assert_eq!(details.user(Some(b"444455556666"), b"alice"), None);
        assert_eq!(alice.access_key_id(Slot::One), Some("AKIAEXAMPLE"));
        assert_eq!(alice.access_key_id(Slot::Two), None);
    }
}
