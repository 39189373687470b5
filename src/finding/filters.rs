//! The filters of a run, as they were given.

use serde::{Deserialize, Serialize};

/// Which users are evaluated: patterns for their names, paths and accounts, as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GivenFilters {
    /// `--user`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user: Vec<String>,
    /// `--exclude-user`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_user: Vec<String>,
    /// `--path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// `--exclude-path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_path: Vec<String>,
    /// `--account`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// `--exclude-account`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_account: Vec<String>,
}

impl GivenFilters {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
