//! The arguments of `credlens scan`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use credlens::finding::{RankBy, Status, UnknownWord};
#[cfg(not(feature = "aws"))]
use credlens::output::Region;
use credlens::output::ScanWriter;
use credlens::report::time::Timestamp;

use crate::cli::EXIT_STATUSES;
use crate::cli::aws::LiveScanArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::evidence::EvidenceArgs;
use crate::cli::fail_on::FailOn;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};
use crate::cli::owners::OwnerArgs;
use crate::cli::span::Span;

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
  credlens scan report.csv --due-within 14d         also what will fail in the next 14 days

";

/// Evaluate credential reports
#[derive(Debug, Args)]
#[command(after_help = [EXAMPLES, EXIT_STATUSES].concat())]
pub(in crate::cli) struct ScanArgs {
    /// Reports: files, directories, s3:// or -; none: the live account
    ///
    /// Directories are searched recursively. Also `s3://bucket/key`, `s3://bucket/prefix`, and - for standard input. CSV; JSON, YAML or text of the AWS CLI; base64; each also as gzip or zstd. The content decides, not the
    /// extension. Without an INPUT: the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,

    /// Count ages to this time, such as 2026-11-21
    ///
    /// A date alone is its first second, so write 2026-11-21T12:00:00Z for another one. Default: when AWS
    /// generated the report, if the input has that; else a date or time in the file name; else a directory named
    /// after a date (a date alone is its last second); else now
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) owners: OwnerArgs,

    #[command(flatten)]
    pub(super) live: LiveScanArgs,

    /// Region of AWS Security Hub in asff
    ///
    /// It is in the ARN of the product that imports the findings. Accounts of another partition have the usual region of
    /// theirs [default: us-east-1, cn-north-1 or us-gov-west-1]
    #[cfg(not(feature = "aws"))]
    #[arg(long, value_name = "REGION", help_heading = "Output")]
    pub(super) region: Option<Region>,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<ScanWriter>(), long_help = format_help::<ScanWriter>("findings"))]
    pub(super) format: Vec<FormatTo>,

    /// Which findings to show, such as fail or all
    ///
    /// Any of fail, undetermined, suppressed, pass, due, or all. The others are still counted
    /// [default: fail,undetermined; with --due-within also due]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub(super) status: Vec<StatusWord>,

    /// Rank by account, user, rule, path or owner
    ///
    /// Accounts, users, rules, paths or owners: by the number of critical fails, then of high ones, and so on. All verdicts count,
    /// whatever is shown. In csv, the ranking takes the place of the findings
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(super) by: Option<RankBy>,

    /// Show also what will fail within, say, 14d
    ///
    /// What passes and will fail by time alone within this time after the as-of, such as 36h, 14d or 2w: its status is
    /// due. It does not change the exit status
    #[arg(long, value_name = "SPAN", help_heading = "Output")]
    pub(super) due_within: Option<Span>,

    /// Show with each finding how to fix it
    ///
    /// The steps, filled in for its user and credential, and the suppression that would accept it instead: in table,
    /// markdown, json and ndjson; html has them always
    #[arg(long, help_heading = "Output")]
    pub(super) fix: bool,

    /// Exit 1 on a fail this severe [default: low]
    ///
    /// A failed finding of this severity or higher makes the exit status 1; never: none does
    #[arg(long, value_name = "SEVERITY|never", help_heading = "Output")]
    pub(super) fail_on: Option<FailOn>,

    /// Count an undetermined verdict at or above --fail-on as a failure in the exit status
    #[arg(long, help_heading = "Output")]
    pub(super) fail_on_undetermined: bool,

    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,

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
