//! The choices that rule files make by a word.

use std::collections::BTreeMap;

use super::read::Table;
use crate::finding::word_enum;

word_enum! {
    /// Which way a parameter finds less.
    #[derive(Default)]
    pub enum WeakerWhen {
        /// A greater value finds less.
        #[default]
        Higher = "higher",
        /// A smaller value finds less.
        Lower = "lower",
    }
}

word_enum! {
    /// What may be done about a fail.
    pub enum Remedy {
        /// Reversible, may be automated.
        Deactivate = "deactivate",
        /// A new credential, a switch-over, then the old one off.
        Rotate = "rotate",
        /// Not reversible.
        Delete = "delete",
        /// Shown as commands, never automated.
        Manual = "manual",
        /// Nothing to do.
        None = "none",
    }
}

word_enum! {
    /// A part of the instructions that a rule or a framework gives.
    pub enum Section {
        /// What to beware of, also in the source of the rule.
        Caution = "caution",
        /// How to look before anything is changed.
        Test = "test",
        /// The order in which to change it.
        Implementation = "implementation",
        /// In the AWS console.
        Console = "console",
        /// With the AWS command line.
        Cli = "cli",
        /// With Terraform.
        Terraform = "terraform",
        /// How to take it back.
        Backout = "backout",
        /// What to write down.
        Record = "record",
    }
}

impl Section {
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
