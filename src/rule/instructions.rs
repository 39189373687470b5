//! The instructions of a rule (`[fix]`) or a framework (`[plan]`), in sections with fixed names and order.

use std::collections::BTreeMap;

use super::toml_reader::Table;
use crate::finding::word_enum;

word_enum! {
    /// A section of the instructions.
    pub enum Section {
        /// Risks to know first, including those of the source's own instructions.
        Caution = "caution",
        /// What must be there before the work begins: access, permissions, knowledge.
        Prerequisites = "prerequisites",
        /// What to check before changing anything.
        Test = "test",
        /// The steps of the change, in order.
        Implementation = "implementation",
        /// The change in the AWS console.
        Console = "console",
        /// The change with the AWS command line.
        Cli = "cli",
        /// The change with Terraform.
        Terraform = "terraform",
        /// How to undo the change.
        Backout = "backout",
        /// What to record about the change.
        Record = "record",
    }
}

impl Section {
    /// The heading on pages.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Caution => "Caution",
            Self::Prerequisites => "Prerequisites",
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
