//! The arguments of `credlens fetch`.

use std::path::PathBuf;

use clap::Args;

use super::into_archive::ArchiveArg;
use crate::cli::aws::AwsArgs;
use crate::cli::filters::AccountFilterArgs;

const EXAMPLES: &str = "\
Examples:
  credlens fetch                                    the account of your AWS credentials
  credlens fetch --profile audit --output - | credlens scan -
  credlens fetch --org --output reports/ --outcomes outcomes.json
  credlens fetch --org --output reports/ --resume outcomes.json
  credlens fetch --org --details --output reports/  key ids and tags beside them
  credlens fetch --org --archive archive/           into an archive of Parquet files

Exit status:
  0  every report was saved, or was there already
  2  usage error
  3  no report could be fetched
  4  partial: some accounts failed
  5  a report, or another output, could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Save live reports, exactly as AWS sends them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct FetchArgs {
    #[command(flatten)]
    pub(super) aws: AwsArgs,

    #[command(flatten)]
    pub(super) accounts: AccountFilterArgs,

    #[command(flatten)]
    pub(super) archive: ArchiveArg,

    /// Directory, file, or - [default: working directory]
    ///
    /// A directory gets files such as `123456789012_20261121T083000Z.csv`, whose name gives a later scan the time of the
    /// report; a file, or - for standard output, is for one account
    #[arg(long, short, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,

    /// Fetch what reports do not have, too, and save it beside each report
    ///
    /// The ids of access keys, and the service-specific credentials and tags of all users: `REPORT.csv` gets
    /// `REPORT.details.json`, which only its owner may read. `--resolve-keys` is an older name of the same
    #[arg(long, visible_alias = "resolve-keys", help_heading = "AWS")]
    pub(super) details: bool,

    /// Print only errors on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,

    /// Print each step of each account
    #[arg(long, short, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,
}
