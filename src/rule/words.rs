//! The choices that rule files make by a word.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::read::Table;
use crate::finding::{UnknownWord, from_word};

/// Which way a parameter finds less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looser {
    /// A greater value finds less.
    #[default]
    Higher,
    /// A smaller value finds less.
    Lower,
}

/// What may be done about a fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// Reversible, may be automated.
    Deactivate,
    /// A new credential, a switch-over, then the old one off.
    Rotate,
    /// Not reversible.
    Delete,
    /// Told, never automated.
    Manual,
    /// Nothing to do.
    None,
}

impl Remedy {
    /// All remedies.
    pub const ALL: [Self; 5] = [
        Self::Deactivate,
        Self::Rotate,
        Self::Delete,
        Self::Manual,
        Self::None,
    ];

    /// The word in rule files and outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Rotate => "rotate",
            Self::Delete => "delete",
            Self::Manual => "manual",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A part of the instructions that a rule or a framework gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What to beware of, also in the source of the rule.
    Caution,
    /// How to look before anything is changed.
    Test,
    /// The order in which to change it.
    Implementation,
    /// In the AWS console.
    Console,
    /// With the AWS command line.
    Cli,
    /// With Terraform.
    Terraform,
    /// How to take it back.
    Backout,
    /// What to write down.
    Record,
}

impl Section {
    /// All sections, in the order in which they are read.
    pub const ALL: [Self; 8] = [
        Self::Caution,
        Self::Test,
        Self::Implementation,
        Self::Console,
        Self::Cli,
        Self::Terraform,
        Self::Backout,
        Self::Record,
    ];

    /// The key in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Caution => "caution",
            Self::Test => "test",
            Self::Implementation => "implementation",
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Terraform => "terraform",
            Self::Backout => "backout",
            Self::Record => "record",
        }
    }

    /// The heading on pages.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Caution => "Beware",
            Self::Test => "Test plan",
            Self::Implementation => "Implementation plan",
            Self::Console => "Console",
            Self::Cli => "Command line",
            Self::Terraform => "Terraform",
            Self::Backout => "Backout plan",
            Self::Record => "Record of changes",
        }
    }

    /// The sections of a table.
    pub(super) fn read(mut table: Table<'_, '_>) -> BTreeMap<Self, String> {
        let sections = Self::ALL
            .into_iter()
            .filter_map(|section| Some((section, table.optional(section.name())?)))
            .collect();
        table.finish();
        sections
    }
}

impl FromStr for Remedy {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        from_word(word, &Self::ALL, Self::name)
    }
}

impl FromStr for Looser {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        from_word(word, &[Self::Higher, Self::Lower], |looser| match looser {
            Self::Higher => "higher",
            Self::Lower => "lower",
        })
    }
}
