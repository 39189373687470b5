//! The arguments of `credlens rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use credlens::finding::Severity;

use crate::cli::{ListFormat, PageFormat};

/// List, explain, check and test rules
#[derive(Debug, Args)]
pub(in crate::cli) struct RulesArgs {
    #[command(subcommand)]
    pub(super) command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List the rules
    List(RulesListArgs),
    /// Explain a rule: what it finds, why, its logic and boundary, how to fix a finding and how to undo the fix
    Show {
        /// Id, or an id of another tool
        rule: String,
        /// Your own rules to search, too. Repeatable
        #[arg(long, value_name = "PATH")]
        rules_from: Vec<PathBuf>,

        /// Output format [default: text on a terminal, else markdown]
        #[arg(long, value_name = "FMT")]
        format: Option<PageFormat>,
    },
    /// Check your own rules: list every error, and what looks like a mistake
    Check {
        /// Files or directories [default: the built-in rules]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Run the examples in rules
    Test {
        /// Files or directories [default: the built-in rules]
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct RulesListArgs {
    /// Only rules of at least this severity
    #[arg(long, value_name = "SEVERITY")]
    pub(super) min_severity: Option<Severity>,

    /// Only rules of this framework
    #[arg(long, value_name = "NAME")]
    pub(super) framework: Option<String>,

    /// Only rules that run when nothing is selected
    #[arg(long)]
    pub(super) default: bool,

    /// Your own rules to list, too. Repeatable
    #[arg(long, value_name = "PATH")]
    pub(super) rules_from: Vec<PathBuf>,

    /// Output format
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(super) format: ListFormat,
}
