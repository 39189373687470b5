//! `credlens archive`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use credlens::report::time::Timestamp;

#[cfg(feature = "aws")]
use crate::cli::aws_args::Place;

use super::{ListFormat, Verbosity};

pub(super) const EXAMPLES: &str = "\
Examples:
  credlens archive add archive/ reports/    every report below a folder
  credlens fetch --org --archive archive/   every account of the organization
  credlens archive list archive/ --account 123456789012
  credlens archive export archive/ --at 2026-10-01 --output reports/
  credlens archive verify archive/
  credlens trend archive/
  credlens diff --archive archive/ 2026-10-01 2026-11-01

Exit status:
  0  done
  1  verify found something wrong
  2  usage error, or the archive could not be read or written
  3  nothing could be added, or there is no such report
  4  partial: some reports could not be added or read";

/// Keep reports in an archive of Parquet files, which other engines read, too
#[derive(Debug, Subcommand)]
pub(crate) enum Archive {
    /// Add reports; those that are there already add nothing
    Add(ArchiveAdd),
    /// List the reports
    List(ArchiveList),
    /// Write reports as CSV again, the very bytes that were added
    Export(ArchiveExport),
    /// Read everything: find files that are damaged, cut off, misplaced, or not of the archive
    Verify(ArchiveVerify),
}

/// Where an archive is.
#[derive(Clone, Debug, Args)]
pub(crate) struct At {
    /// The archive: a directory, or `s3://bucket/prefix`. `add` makes one where there is none
    #[arg(value_name = "ARCHIVE")]
    pub(crate) archive: PathBuf,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveAdd {
    #[command(flatten)]
    pub(crate) at: At,

    /// Reports as `credlens scan` takes them: files, directories, - for standard input
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) inputs: Vec<PathBuf>,

    /// Date all of these reports so, whatever they and their names tell; needed where nothing tells
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<Timestamp>,

    /// Let compressed inputs unpack to this many GiB, whatever their ratio [default: 64 GiB and a thousand
    /// times the input]
    #[arg(long, value_name = "GIB")]
    pub(crate) max_unpacked: Option<u64>,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// Which reports.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Which {
    /// Only reports that tell of this account. May be repeated
    #[arg(long, value_name = "ID", value_parser = account)]
    pub(crate) account: Vec<String>,

    /// Only reports as of this instant or later, such as 2026-10-01
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,

    /// Only reports as of this instant or earlier; a date alone is its last second
    #[arg(long, value_name = "TIME", value_parser = until)]
    pub(crate) until: Option<Timestamp>,

    /// Only the last report of each account as of this instant or earlier; a date alone is its last second
    #[arg(long, value_name = "TIME", value_parser = until, conflicts_with_all = ["since", "until"])]
    pub(crate) at: Option<Timestamp>,
}

/// An account id.
pub(crate) fn account(text: &str) -> Result<String, String> {
    let is_id = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_id
        .then(|| text.to_owned())
        .ok_or_else(|| "no account id; one is twelve digits, such as 123456789012".to_owned())
}

/// An instant up to which something counts: a date alone is its last second.
pub(crate) fn until(text: &str) -> Result<Timestamp, String> {
    let last_second = format!("{text}T23:59:59Z");
    let told = Timestamp::parse(last_second.as_bytes()).or_else(|| text.parse().ok());
    told.ok_or_else(|| {
        "not a time; write 2026-11-21 (its last second, UTC) or 2026-11-21T00:00:00Z".to_owned()
    })
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveList {
    #[command(flatten)]
    pub(crate) at: At,

    #[command(flatten)]
    pub(crate) which: Which,

    /// table or json
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveExport {
    #[command(flatten)]
    pub(crate) at: At,

    #[command(flatten)]
    pub(crate) which: Which,

    /// A directory for files such as `123456789012_20261121T083000Z.csv`; of one report, also a file, or - for
    /// standard output
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ArchiveVerify {
    #[command(flatten)]
    pub(crate) at: At,

    /// table or json
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(crate) format: ListFormat,
}
