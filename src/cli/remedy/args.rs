//! The arguments of `credlens remedy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use credlens::output::plan::{PlanBy, PlanFormat, PlanWriter};
use credlens::report::time::Timestamp;

use crate::cli::aws::LiveScanArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::evidence::EvidenceArgs;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};
use crate::cli::owners::OwnerArgs;
use crate::cli::span::Span;

/// Plan how to fix what was found
#[derive(Debug, Args)]
pub(in crate::cli) struct RemedyArgs {
    #[command(subcommand)]
    pub(super) command: RemedyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RemedyCommand {
    Plan(Box<PlanArgs>),
}

const EXAMPLES: &str = "\
Examples:
  credlens remedy plan report.csv                            what to do, in order, and what is left alone
  credlens remedy plan report.csv --format markdown=plan.md  with the commands of each step and their undo
  credlens remedy plan reports/ --by owner --format csv=work.csv --owners owners.csv
  credlens remedy plan report.csv --history archive/         keys that have been inactive for 30 days
  credlens remedy plan report.csv --announced last-week.json --format json=plan.json

Nothing is changed: this only plans. docs/remedy.md walks through a plan.

Exit status:
  0  the plan was made
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was planned
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Plan what to do about the findings, the least disruptive steps first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("limit", |arg| arg.help("Steps that are shown [default: all]")))]
pub(super) struct PlanArgs {
    /// Report files, directories, archives, `s3://…`, or -
    ///
    /// A report file, a directory (searched recursively), an archive, `s3://bucket/key`, `s3://bucket/prefix`, or - for
    /// standard input; of each account the newest snapshot. Without an INPUT: the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,

    /// Days without use after which a key is deactivated
    ///
    /// A key that was never used must be older [default: the greatest limit of the selected rules about the use of keys, and
    /// at least 45]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650), help_heading = "Plan")]
    pub(super) quiet_days: Option<u16>,

    /// Earlier snapshots. Repeatable
    ///
    /// An archive, a directory or a report: they show since when keys are inactive. A key is proposed for deletion only if it was inactive for 30 days
    #[arg(long, value_name = "INPUT", help_heading = "Plan")]
    pub(super) history: Vec<PathBuf>,

    /// An earlier plan (json)
    ///
    /// A credential that stood in it keeps the time when it was first planned, whatever is to be done about it
    #[arg(long, value_name = "PLAN", help_heading = "Plan")]
    pub(super) announced: Option<PathBuf>,

    /// Journals of changes that were made. Repeatable
    ///
    /// Keys that were deactivated there and are active again are left alone: someone needed them
    #[arg(long, value_name = "FILE", help_heading = "Plan")]
    pub(super) journal: Vec<PathBuf>,

    /// The tag that exempts a user, where --details fetches tags
    ///
    /// Any value but false exempts, unless one is given [default: credlens-exempt]
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Plan")]
    pub(super) exempt_tag: Option<String>,

    /// Count ages to this time
    ///
    /// Such as 2026-11-21; a date alone is its first second [default: the time of the report]
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) owners: OwnerArgs,

    #[command(flatten)]
    pub(super) live: LiveScanArgs,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<PlanWriter>(), long_help = format_help::<PlanWriter>("plan"))]
    pub(super) format: Vec<FormatTo<PlanFormat>>,

    /// Group the steps by owner or account
    ///
    /// In table, markdown and csv, for those who work them off
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(super) by: Option<ByWord>,

    /// List also what fails within, say, 14d
    ///
    /// By time alone; nothing is done about it
    #[arg(long, value_name = "SPAN", help_heading = "Output")]
    pub(super) due_within: Option<Span>,

    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}

/// What steps are grouped by, as typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByWord(pub(super) PlanBy);

impl ValueEnum for ByWord {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(PlanBy::Account), Self(PlanBy::Owner)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}
