//! The arguments of `credlens diff`.

use std::path::PathBuf;

use clap::Args;
use credlens::output::diff::{DiffFormat, DiffWriter};
use credlens::report::time::Timestamp;

use super::grouping::GroupBy;
use crate::cli::archive::CompareArgs;
use crate::cli::aws::LocationArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::fail_on::FailOn;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};

const EXAMPLES: &str = "\
Examples:
  credlens diff 2026-10-01.csv 2026-11-01.csv
  credlens diff --archive archive/ 2026-10-01 2026-11-01   every account of an archive, at two dates
  credlens diff old.json new.json --fail-on-new high       for pipelines: status 1 on a new finding
  credlens diff old.csv new.csv --format markdown=changes.md --format ndjson=events.ndjson
  credlens diff old/ new/ --by owner --owners owners.csv --format markdown    what to mail to whom

Ages are counted to when each report was generated: its own time, else the date in its file name.
--old-as-of and --new-as-of give the time where both are missing or wrong.

Exit status:
  0  compared
  1  a finding at or above --fail-on-new was opened (not one that only more columns unveil)
  2  usage, rule or configuration error, or reports that cannot be compared, or OLD is newer than NEW
  3  a report could not be read
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Show what changed between two reports of an account
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    /// The older report: a file, `s3://bucket/key`, or - for standard input; with --archive, an instant such as
    /// 2026-10-01
    #[arg(value_name = "OLD")]
    pub(super) old: PathBuf,

    /// The newer report
    #[arg(value_name = "NEW")]
    pub(super) new: PathBuf,

    #[command(flatten)]
    pub(super) archived: CompareArgs,

    /// Compare although OLD is newer than NEW
    #[arg(long)]
    pub(super) reversed: bool,

    /// Count ages in OLD to this instant, such as 2026-11-21T00:00:00Z; a date alone is its first second. Default:
    /// when AWS generated the report, if the input has that; else a date or time in the file name; else now
    #[arg(long, value_name = "TIME")]
    pub(super) old_as_of: Option<Timestamp>,

    /// The same for NEW
    #[arg(long, value_name = "TIME")]
    pub(super) new_as_of: Option<Timestamp>,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<DiffWriter>(), long_help = format_help::<DiffWriter>("changes"))]
    pub(super) format: Vec<FormatTo<DiffFormat>>,

    /// Group findings by account, path or owner
    ///
    /// In markdown, each account, IAM path or owner with a change has a section with its findings, 20 unless --limit says
    /// otherwise; in table, a line with its counts. The worst come first [default: account in markdown, where there are several]
    #[arg(
        long,
        value_name = "WHAT",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub(super) by: Option<GroupBy>,

    /// Who owns which users, for --by owner
    ///
    /// A CSV file with a header: owner, and one or more of user, path and account, as in the filters. The first line that
    /// matches a user counts. Tags of users are not used: reports do not have them
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) owners: Option<PathBuf>,

    /// Exit 1 on an opened finding this severe
    ///
    /// An opened finding of this severity or higher makes the exit status 1; never: none does. Findings that only more
    /// columns unveil do not count
    #[arg(
        long,
        value_name = "SEVERITY|never",
        default_value = "never",
        help_heading = "Output"
    )]
    pub(super) fail_on_new: FailOn,

    /// Days without use after which a password or key is idle
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    pub(super) idle_days: i64,

    #[command(flatten)]
    pub(super) location: LocationArgs,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}
