//! The arguments of `credlens trend`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use credlens::output::trend::{TrendFormat, TrendWriter};

use crate::cli::aws::LocationArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};

const EXAMPLES: &str = "\
Examples:
  credlens trend reports/                            every report in a directory
  credlens trend reports/ --format html=trend.html   a page with charts
  credlens trend s3://audit-reports/credentials      reports in S3
  credlens trend reports/ --by account --format csv=trend.csv

Ages are counted to when each report was generated: its own time, else the date in its file name.

Exit status:
  0  done
  2  usage, rule or configuration error
  3  no report could be read
  4  partial: some reports could not be read, the others were
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Show how findings and hygiene moved over many reports
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct TrendArgs {
    /// Report files, directories (searched recursively) and `s3://bucket/prefix`, in any order
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<PathBuf>,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<TrendWriter>(), long_help = format_help::<TrendWriter>("trend"))]
    pub(super) format: Vec<FormatTo<TrendFormat>>,

    /// One series per account instead of one for all
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(super) by: Option<By>,

    /// Days within which an access key should be rotated
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=36_500))]
    pub(super) rotation_days: i64,

    #[command(flatten)]
    pub(super) location: LocationArgs,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    Account,
}
