//! The arguments of `credlens frameworks`.

use clap::{Args, Subcommand};

use crate::cli::{ListFormat, PageFormat};

/// List and explain benchmarks and vendors' rule sets
#[derive(Debug, Args)]
pub(in crate::cli) struct FrameworksArgs {
    #[command(subcommand)]
    pub(super) command: FrameworksCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum FrameworksCommand {
    /// List the frameworks
    List {
        /// Output format
        #[arg(long, value_name = "FMT", default_value = "table")]
        format: ListFormat,
    },
    /// Explain a framework: its requirements, the rules that decide them or are related, and what no report can decide
    Show {
        /// Its name, such as cis-aws-5.0
        framework: String,

        /// Output format [default: text on a terminal, else markdown]
        #[arg(long, value_name = "FMT")]
        format: Option<PageFormat>,
    },
}
