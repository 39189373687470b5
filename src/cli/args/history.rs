//! The commands that compare reports of several dates.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use credlens::finding::{Severity, Status};
use credlens::output::diff::{DiffFormat, DiffWriter};
use credlens::output::trend::{TrendFormat, TrendWriter};
use credlens::report::time::Timestamp;

#[cfg(feature = "aws")]
use crate::cli::aws_args::{Aws, Place};

use super::{FailOn, FormatTo, Scan, Selection, StatusWord, Verbosity, format_help};

pub(super) const DIFF_EXAMPLES: &str = "\
Examples:
  credlens diff 2026-10-01.csv 2026-11-01.csv
  credlens diff --archive archive/ 2026-10-01 2026-11-01   every account of an archive, at two dates
  credlens diff old.json new.json --fail-on-new high       for a pipeline: exit status 1 on a new finding
  credlens diff old.csv new.csv --format markdown=changes.md --format ndjson=events.ndjson

Each report is evaluated as of when it was made: its own time, else the date in its file name; --old-as-of and
--new-as-of say it where neither does, or is wrong.

Exit status:
  0  compared
  1  a finding at or above --fail-on-new was opened
  2  usage, rule or configuration error, or reports that cannot be compared
  3  a report could not be read";

pub(super) const TREND_EXAMPLES: &str = "\
Examples:
  credlens trend reports/                                    every report below a folder
  credlens trend reports/ --format html=trend.html           a page with charts
  credlens trend s3://audit-reports/credentials              the same in S3
  credlens trend reports/ --by account --format csv=trend.csv

Each report is evaluated as of when it was made: its own time, else the date in its file name.

Exit status:
  0  told
  2  usage, rule or configuration error
  3  no report could be read
  4  partial: some reports could not be read, the others were";

/// How reports are judged before they are compared.
#[derive(Debug, Args)]
pub(crate) struct Judge {
    #[command(flatten)]
    selection: Selection,

    /// The mildest severity of findings to follow: informational, low, medium, high or critical
    /// [default: informational]
    #[arg(long, value_name = "SEVERITY", help_heading = "Output")]
    min_severity: Option<Severity>,

    /// How many lines a list of the formats for people shows, the worst first; 0 is all [default: 50]
    #[arg(long, value_name = "N", help_heading = "Output")]
    limit: Option<usize>,

    /// Accepted findings: TOML with [[suppress]] entries
    #[arg(long, value_name = "FILE", help_heading = "Suppressions")]
    suppressions: Option<PathBuf>,

    /// Suppress nothing, whatever files say
    #[arg(long, help_heading = "Suppressions", conflicts_with = "suppressions")]
    no_suppressions: bool,

    /// Settings; otherwise credlens.toml in the working directory, where there is one. Its format, status,
    /// as-of and fail-on are those of scan alone
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Threads; 0 is one a core [default: 0]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// Let compressed inputs unpack to this many GiB, whatever their ratio [default: 64 GiB and a thousand
    /// times the input]
    #[arg(long, value_name = "GIB")]
    max_unpacked: Option<u64>,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) place: Place,

    #[command(flatten)]
    verbosity: Verbosity,
}

impl Judge {
    /// The scan that judges these inputs.
    pub(crate) fn scan(self, inputs: Vec<PathBuf>) -> Scan {
        let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
        Scan {
            #[cfg(feature = "aws")]
            aws: Aws {
                place: self.place,
                ..Aws::default()
            },
            #[cfg(feature = "aws")]
            resolve_keys: false,
            inputs,
            as_of: None,
            selection: self.selection,
            format: Vec::new(),
            status: statuses.map(StatusWord::One).to_vec(),
            min_severity: self.min_severity,
            limit: self.limit,
            fail_on: None,
            suppressions: self.suppressions,
            no_suppressions: self.no_suppressions,
            config: self.config,
            threads: self.threads,
            max_unpacked: self.max_unpacked,
            verbosity: self.verbosity,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The older report: a file, `s3://bucket/key`, or - for standard input; with --archive, an instant such as
    /// 2026-10-01
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,

    /// The newer report
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,

    /// Compare what this archive has: of each account the last report as of OLD with the last one as of NEW. A date
    /// alone is its last second
    #[cfg(feature = "archive")]
    #[arg(long, value_name = "ARCHIVE", conflicts_with_all = ["old_as_of", "new_as_of"])]
    pub(crate) archive: Option<PathBuf>,

    /// Only reports of the archive that tell of this account. May be repeated
    #[cfg(feature = "archive")]
    #[arg(long, value_name = "ID", requires = "archive", value_parser = super::archive::account)]
    pub(crate) account: Vec<String>,

    /// Judge OLD as of this instant, such as 2026-11-21T00:00:00Z; a date alone is its first second.
    /// Otherwise: when AWS made it, if it tells; else a date or time in its file name; else now
    #[arg(long, value_name = "TIME")]
    pub(crate) old_as_of: Option<Timestamp>,

    /// Judge NEW as of this instant; otherwise like OLD
    #[arg(long, value_name = "TIME")]
    pub(crate) new_as_of: Option<Timestamp>,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = format_help::<DiffWriter>("changes"))]
    pub(crate) format: Vec<FormatTo<DiffFormat>>,

    /// The mildest severity of an opened finding that makes the exit status 1, or never
    #[arg(
        long,
        value_name = "SEVERITY|never",
        default_value = "never",
        help_heading = "Output"
    )]
    pub(crate) fail_on_new: FailOn,

    /// Days without use after which a password or key counts as idle
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(0..=36_500))]
    pub(crate) idle_days: i64,

    #[command(flatten)]
    pub(crate) judge: Judge,
}

#[derive(Debug, Args)]
pub(crate) struct Trend {
    /// Report files, directories (searched recursively) and `s3://bucket/prefix`; their order does not matter
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<PathBuf>,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = format_help::<TrendWriter>("trend"))]
    pub(crate) format: Vec<FormatTo<TrendFormat>>,

    /// One series for each account, not one for all together
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(crate) by: Option<By>,

    /// Days within which an access key should be replaced
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=36_500))]
    pub(crate) rotation_days: i64,

    #[command(flatten)]
    pub(crate) judge: Judge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Account,
}
