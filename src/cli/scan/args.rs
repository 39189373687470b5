//! The arguments of `credlens scan`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use credlens::finding::{RankBy, Status, UnknownWord};
use credlens::output::ScanWriter;
use credlens::report::time::Timestamp;

use crate::cli::EXIT_STATUSES;
use crate::cli::aws::LiveScanArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::fail_on::FailOn;
use crate::cli::outputs::{FormatTo, format_help};

const EXAMPLES: &str = "\
Examples:
  credlens scan report.csv                          a saved report
  credlens scan                                     the live account of your AWS credentials
  credlens scan --org --format json=findings.json   every account of the organization
  credlens scan s3://audit-reports/2026-11-21/      saved reports in S3
  credlens scan reports/ --framework cis-aws-5.0    every report in a directory, one benchmark
  aws iam get-credential-report | credlens scan -   the output of the AWS CLI, as it is
  credlens scan --org --by account --format summary the worst accounts of the organization
  credlens scan report.csv --rule 'access-key-*' --set access-key-not-rotated.max_age=60
  credlens scan report.csv --format table --format ndjson=findings.ndjson

";

/// Evaluate credential reports
#[derive(Debug, Args)]
#[command(after_help = [EXAMPLES, EXIT_STATUSES].concat())]
pub(in crate::cli) struct ScanArgs {
    /// A report file, a directory (searched recursively), `s3://bucket/key`, `s3://bucket/prefix`, or - for standard
    /// input: CSV; JSON, YAML or text of the AWS CLI; base64; each also as gzip or zstd. The content decides, not the
    /// extension. Without an INPUT: the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,

    /// Count ages to this instant, such as 2026-11-21T00:00:00Z; a date alone is its first second. Default: when AWS
    /// generated the report, if the input has that; else a date or time in the file name; else a directory named
    /// after a date (a date alone is its last second); else now
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) live: LiveScanArgs,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = format_help::<ScanWriter>("findings"))]
    pub(super) format: Vec<FormatTo>,

    /// Which findings to show: fail, undetermined, suppressed, pass, or all. The others are still counted
    /// [default: fail,undetermined]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub(super) status: Vec<StatusWord>,

    /// Rank accounts, users, rules or paths, the worst first: by the number of critical fails, then of high ones, and so
    /// on. All verdicts count, whatever is shown. In csv, the ranking takes the place of the findings
    #[arg(long, value_name = "account|user|rule|path", help_heading = "Output")]
    pub(super) by: Option<RankBy>,

    /// Exit with status 1 on a failed finding of this severity or higher, or never [default: low]
    #[arg(long, value_name = "SEVERITY|never", help_heading = "Output")]
    pub(super) fail_on: Option<FailOn>,

    /// Count an undetermined verdict at or above --fail-on as a failure in the exit status
    #[arg(long, help_heading = "Output")]
    pub(super) fail_on_undetermined: bool,

    /// Compute the SHA-256 of inputs of any size for json, not only of those up to 64 MiB
    #[arg(long, help_heading = "Output")]
    pub(super) hash_inputs: bool,

    /// Evaluate all snapshots of an account, not only the newest one
    #[arg(long)]
    pub(super) all_snapshots: bool,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}

/// The statuses that a word names: one, or all of them.
#[derive(Clone, Debug)]
pub(in crate::cli) struct StatusWord(pub(super) Vec<Status>);

impl FromStr for StatusWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if word == "all" {
            return Ok(Self(Status::ALL.to_vec()));
        }
        let status = word
            .parse()
            .map_err(|error: UnknownWord| format!("{error}, all"))?;
        Ok(Self(vec![status]))
    }
}
