//! Which rules are evaluated.

use super::error::Error;
use crate::rule::{Catalogue, Selection, Setting, Suppressions};

/// Which rules an [`Auditor`](super::Auditor) has, and what they accept.
#[derive(Debug)]
pub struct Rules {
    pub(super) catalogue: Catalogue,
    pub(super) selection: Selection,
    pub(super) suppressions: Suppressions,
}

impl Default for Rules {
    /// The default rules.
    fn default() -> Self {
        Self {
            catalogue: Catalogue::builtin(),
            selection: Selection::default(),
            suppressions: Suppressions::default(),
        }
    }
}

impl Rules {
    /// The default rules of credlens, until others are asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the rules of a file: one rule in TOML, an override of a known one, or bare GSL with a rule on each line. `name` is
    /// the name of the file, from which ids are made. The rules are evaluated, and others only if they are asked for.
    ///
    /// # Errors
    /// [`Error::Rules`] with every error of the file.
    pub fn file(mut self, name: &str, text: &str) -> Result<Self, Error> {
        let ids = self
            .catalogue
            .add(name, text)
            .map_err(|errors| messages(&errors))?;
        self.selection.rules.extend(ids);
        Ok(self)
    }

    /// Evaluates this rule: an id, an alias (such as `iam-user-mfa-enabled` of AWS Config), or a glob (`access-key-*`).
    #[must_use]
    pub fn rule(mut self, name: impl Into<String>) -> Self {
        self.selection.rules.push(name.into());
        self
    }

    /// Evaluates the rules of this framework, with the values that it asks for: for example `cis-aws-7.0`.
    #[must_use]
    pub fn framework(mut self, name: impl Into<String>) -> Self {
        self.selection.frameworks.push(name.into());
        self
    }

    /// Sets a parameter: `access-key-unused.max_idle=60`.
    ///
    /// # Errors
    /// [`Error::Rules`] if it does not have this form. Whether there is such a parameter is known in [`Auditor::new`](super::Auditor::new).
    pub fn set(mut self, setting: &str) -> Result<Self, Error> {
        let setting: Setting = setting.parse().map_err(|error| messages(&[error]))?;
        self.selection.settings.push(setting);
        Ok(self)
    }

    /// Accepts what the `[[suppress]]` entries of a settings file cover. `name` is the name of the file.
    ///
    /// # Errors
    /// [`Error::Rules`] with every error of the file.
    pub fn suppressions(mut self, name: &str, text: &str) -> Result<Self, Error> {
        let more = Suppressions::parse(name, text, &self.catalogue);
        self.suppressions
            .extend(more.map_err(|error| messages(&[error]))?);
        Ok(self)
    }
}

/// The texts of all errors.
pub(super) fn messages(errors: &[crate::rule::Error]) -> Error {
    Error::Rules(errors.iter().map(ToString::to_string).collect())
}
