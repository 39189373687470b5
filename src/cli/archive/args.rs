//! The arguments of `credlens archive` and of `credlens diff --archive`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use credlens::report::cell::is_account_id;
use credlens::report::time::Timestamp;

use super::expected::ExpectedArgs;
use crate::cli::ListFormat;
use crate::cli::aws::LocationArgs;
use crate::cli::inputs::LimitArgs;
use crate::cli::span::Span;

const EXAMPLES: &str = "\
Examples:
  credlens archive add archive/ reports/    every report in a directory
  credlens fetch --org --archive archive/   every account of the organization
  credlens archive list archive/ --account 123456789012
  credlens archive list archive/ --stale 36h   the accounts without a report of the last 36 hours
  credlens archive export archive/ --at 2026-10-01 --output reports/
  credlens archive verify archive/
  credlens archive compact archive/ --until 2026-10-31   a file a month
  credlens trend archive/
  credlens diff --archive archive/ 2026-10-01 2026-11-01

Exit status:
  0  done
  1  verify found a problem, or list --stale a stale account
  2  usage error
  3  nothing could be added; or there is no archive, it could not be read, or it has no such report
  4  partial: some reports could not be added or read
  5  the archive, or another output, could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Store reports in an archive of Parquet files, which other engines can read
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ArchiveArgs {
    #[command(subcommand)]
    pub(super) command: ArchiveCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ArchiveCommand {
    /// Add reports; those that are there already are not added again
    Add(ArchiveAddArgs),
    /// List the reports
    List(ArchiveListArgs),
    /// Write reports as CSV again, byte for byte as they were added
    Export(ArchiveExportArgs),
    /// Read everything: find files that are damaged, cut off, misplaced, or not of the archive
    Verify(ArchiveVerifyArgs),
    /// Write files of earlier versions again in the present one
    ///
    /// Other engines see then what only later versions write: which cells are unknown, among others. A file is removed once
    /// the one that takes its place was written and read back, and once no one reads the archive; a run that is killed is
    /// simply repeated.
    Upgrade(ArchiveUpgradeArgs),
    /// Write the files of each month again as one
    ///
    /// Rows are sorted by account, user and time, so that what repeats from day to day takes little space. Every report is
    /// still given back byte for byte. Files are removed once those that take their place were written and read back, and
    /// once no one reads the archive; a run that is killed is simply repeated. Files of earlier versions are upgraded with it.
    Compact(ArchiveCompactArgs),
}

#[derive(Debug, Args)]
pub(super) struct ArchivePathArgs {
    /// The archive: a directory, or `s3://bucket/prefix`. `add` creates it if it does not exist
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: PathBuf,

    #[command(flatten)]
    pub(super) location: LocationArgs,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveAddArgs {
    #[command(flatten)]
    pub(super) at: ArchivePathArgs,

    /// Reports as `credlens scan` reads them: files, directories, `s3://bucket/prefix`, - for standard input
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<PathBuf>,

    /// The time of all these reports, instead of their own; needed where they have none
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) limits: LimitArgs,

    /// Print only errors on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// Which reports of an archive.
#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(super) struct ReportFilterArgs {
    /// Only reports with this account. Repeatable
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(super) account: Vec<String>,

    /// Only reports at this instant or later, such as 2026-10-01
    #[arg(long, value_name = "TIME")]
    pub(super) since: Option<Timestamp>,

    /// Only reports at this instant or earlier; a date alone is its last second
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(super) until: Option<Timestamp>,

    /// Only the last report of each account at this instant or earlier; a date alone is its last second
    #[arg(long, value_name = "TIME", value_parser = until, conflicts_with_all = ["since", "until"])]
    pub(super) at: Option<Timestamp>,
}

fn account(text: &str) -> Result<String, String> {
    is_account_id(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "not an account id, which is twelve digits, such as 123456789012".to_owned())
}

/// The instant of a bound that is included: a date alone is its last second.
pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    let last_second = format!("{text}T23:59:59Z");
    let instant = Timestamp::parse(last_second.as_bytes()).or_else(|| text.parse().ok());
    instant.ok_or_else(|| {
        "not a time; write 2026-11-21 (its last second, UTC) or 2026-11-21T00:00:00Z".to_owned()
    })
}

#[derive(Debug, Args)]
pub(super) struct ArchiveListArgs {
    #[command(flatten)]
    pub(super) at: ArchivePathArgs,

    #[command(flatten)]
    pub(super) filter: ReportFilterArgs,

    /// Only the accounts whose last report is older than this, such as 36h (s, m, h, d, w); exit status 1 if there are
    /// any. Counted back from now, or from --until or --at
    #[arg(long, value_name = "SPAN", conflicts_with = "since")]
    pub(super) stale: Option<Span>,

    #[command(flatten)]
    pub(super) expected: ExpectedArgs,

    /// Output format
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveExportArgs {
    #[command(flatten)]
    pub(super) at: ArchivePathArgs,

    #[command(flatten)]
    pub(super) filter: ReportFilterArgs,

    /// Directory for files such as `123456789012_20261121T083000Z.csv`; for one report, also a file, or - for standard
    /// output
    #[arg(long, short, value_name = "PATH")]
    pub(super) output: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveVerifyArgs {
    #[command(flatten)]
    pub(super) at: ArchivePathArgs,

    /// Output format
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(super) format: ListFormat,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveUpgradeArgs {
    /// The archive: a directory
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: PathBuf,

    /// Print only errors on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct ArchiveCompactArgs {
    /// The archive: a directory
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: PathBuf,

    /// Only files whose reports are all of this instant or earlier, such as 2026-10-31; a date alone is its last second
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(super) until: Option<Timestamp>,

    /// Print only errors on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// `credlens diff --archive`
#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// Compare reports of this archive: of each account the last one as of OLD with the last one as of NEW. A date
    /// alone is its last second
    #[arg(long, value_name = "ARCHIVE", conflicts_with_all = ["old_as_of", "new_as_of"])]
    pub(super) archive: Option<PathBuf>,
}
