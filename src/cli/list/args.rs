//! The arguments of `credlens list`.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use credlens::output::list::{ItemFormat, ItemWriter, ListKind, SortOrder};
use credlens::report::time::Timestamp;

use crate::cli::aws::LiveScanArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::evidence::EvidenceArgs;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};
use crate::cli::owners::OwnerArgs;
use crate::cli::span::Span;

const EXAMPLES: &str = "\
Examples:
  credlens list users report.csv                      every user
  credlens list users report.csv --where 'passwordEnabled and not mfaActive'
  credlens list keys report.csv --where \"lastRotated before(-180, 'days')\"
  credlens list keys report.csv --where 'isActive and lastUsedDate isEmpty()'
  credlens list keys report.csv --sort=-age           the oldest first
  credlens list keys reports/ --format csv=keys.csv   for a spreadsheet
  credlens list keys reports/ --owners owners.csv --sort owner
  credlens list users --path '/team-a/*'              of the live account

docs/gsl.md has what can be written after --where. Users have name, mfaActive, …
Keys and certificates have isActive, lastRotated, …, and what their user has as
user.name, …

Exit status:
  0  done
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was listed
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// List users, access keys or certificates with their ages and findings
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ListArgs {
    /// What to list
    #[arg(value_name = "WHAT")]
    pub(super) kind: KindWord,

    /// Report files, directories, archives, `s3://…`, or -
    ///
    /// A report file, a directory (searched recursively), an archive, `s3://bucket/key`, `s3://bucket/prefix`, or - for
    /// standard input. Without an INPUT: the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,

    /// Only those for which this condition in GSL is true
    ///
    /// Such as "mfaActive = false"; those for which cells that decide are unknown are left out and counted
    #[arg(long = "where", value_name = "GSL")]
    pub(super) condition: Option<String>,

    /// Sort by a column, such as -age
    ///
    /// A column of CSV, or age, idle or due; descending with a minus: --sort=-age. Lines without a value come last
    /// [default: the order of the report]
    #[arg(
        long,
        value_name = "COLUMN",
        allow_hyphen_values = true,
        help_heading = "Output"
    )]
    pub(super) sort: Option<SortOrder>,

    /// Show what will fail within, say, 14d
    ///
    /// `due_at` is when the first rule that does not fail yet will fail by time alone, within this time after the as-of
    /// (s, m, h, d, w)
    #[arg(long, value_name = "SPAN", help_heading = "Output")]
    pub(super) due_within: Option<Span>,

    /// Count ages to this instant [default: that of the report]
    ///
    /// Such as 2026-11-21T00:00:00Z; a date alone is its first second. Default: when AWS
    /// generated the report, if the input has that; else a date or time in the file name; else a directory named
    /// after a date (a date alone is its last second); else now
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) owners: OwnerArgs,

    #[command(flatten)]
    pub(super) live: LiveScanArgs,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<ItemWriter>(), long_help = format_help::<ItemWriter>("list"))]
    pub(super) format: Vec<FormatTo<ItemFormat>>,

    /// List the users of all snapshots of an account, not only of the newest one
    #[arg(long)]
    pub(super) all_snapshots: bool,

    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}

/// What to list, as typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct KindWord(pub(super) ListKind);

impl ValueEnum for KindWord {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [KindWord; 3] = [
            KindWord(ListKind::Users),
            KindWord(ListKind::Keys),
            KindWord(ListKind::Certificates),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}
