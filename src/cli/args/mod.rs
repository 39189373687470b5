//! The command line as typed.

#[cfg(feature = "archive")]
mod archive;
mod history;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use credlens::finding::{Severity, Status};
use credlens::output::{Format, FormatSpec, Formats, ScanWriter, list_formats};
use credlens::report::time::Timestamp;

#[cfg(feature = "aws")]
use super::aws_args::Aws;
#[cfg(feature = "archive")]
pub(crate) use archive::{Archive, ArchiveAdd, ArchiveExport, ArchiveList, ArchiveVerify, At, Which, until};
pub(crate) use history::{By, Diff, Trend};
use history::{DIFF_EXAMPLES, TREND_EXAMPLES};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_STATUSES: &str = "\
Exit status:
  0  clean
  1  a finding at or above --fail-on
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was evaluated and written
  130  interrupted";

const SCAN_EXAMPLES: &str = "\
Examples:
  credlens scan report.csv                          judge a saved report
  credlens scan                                     the live account of your AWS credentials
  credlens scan --org --format json=findings.json   every account of the organization
  credlens scan s3://audit-reports/2026-11-21/      saved reports in S3
  credlens scan reports/ --framework cis-aws-5.0    every report below a folder, by one benchmark
  aws iam get-credential-report | credlens scan -   what the AWS CLI prints, as it is
  credlens scan report.csv --rule 'access-key-*' --set access-key-not-rotated.max_age=60
  credlens scan report.csv --format table --format ndjson=findings.ndjson

Exit status:
  0  clean
  1  a finding at or above --fail-on
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was evaluated and written
  130  interrupted";

#[cfg(feature = "aws")]
const FETCH_EXAMPLES: &str = "\
Examples:
  credlens fetch                                    the account of your AWS credentials
  credlens fetch --profile audit --output - | credlens scan -
  credlens fetch --org --output reports/ --outcomes outcomes.json
  credlens fetch --org --output reports/ --resume outcomes.json
  credlens fetch --org --archive archive/           into an archive of Parquet files

Exit status:
  0  every report was saved, or was there already
  2  usage error, or a file could not be written
  3  no report could be fetched
  4  partial: some accounts failed
  130  interrupted";

/// Judges AWS IAM credential reports: what is wrong, with which credential, and how to mend it
///
/// Reads saved reports of any age and shape, one account or thousands in a file, and judges every user by
/// rules written in GSL. Ages are exact to the second and counted from when the report was made, not from
/// today. What a report does not tell is called undetermined, never passed.
#[derive(Debug, Parser)]
#[command(version, styles = STYLES, after_help = EXIT_STATUSES, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge credential reports
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(Box<Scan>),
    /// Save live reports, exactly as AWS sends them
    #[cfg(feature = "aws")]
    #[command(after_help = FETCH_EXAMPLES)]
    Fetch(Box<Fetch>),
    /// What changed between two reports of an account
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Box<Diff>),
    /// How findings and hygiene moved over many reports
    #[command(after_help = TREND_EXAMPLES)]
    Trend(Box<Trend>),
    /// Keep reports in an archive of Parquet files, which other engines read, too
    #[cfg(feature = "archive")]
    #[command(subcommand, after_help = archive::EXAMPLES)]
    Archive(Archive),
    /// List, explain, check and test rules
    #[command(subcommand)]
    Rules(Rules),
    /// List and explain benchmarks and vendors' rule sets
    #[command(subcommand)]
    Frameworks(Frameworks),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, in roff
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// A report file, a directory (searched recursively), `s3://bucket/key` or `s3://bucket/prefix`, or - for
    /// standard input. CSV, the AWS CLI's JSON,
    /// YAML and text, base64, each also gzip or zstd compressed; told by content, never by extension. Without
    /// any, the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Judge ages at this instant, such as 2026-11-21T00:00:00Z; a date alone is its first second.
    /// Otherwise: when AWS made the report, if the input tells; else a date or time in the file name, else
    /// a directory named after a date (a date alone is its last second); else now
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(crate) selection: Selection,

    #[cfg(feature = "aws")]
    #[command(flatten)]
    pub(crate) aws: Aws,

    /// Show the ids of the access keys that findings are about: lists the keys of every user who has one
    #[cfg(feature = "aws")]
    #[arg(long, help_heading = "AWS")]
    pub(crate) resolve_keys: bool,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = format_help::<ScanWriter>("findings"))]
    pub(crate) format: Vec<FormatTo>,

    /// Which findings to tell: fail, undetermined, suppressed, pass, or all. Everything is counted
    /// [default: fail,undetermined]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub(crate) status: Vec<StatusWord>,

    /// The mildest severity to tell: informational, low, medium, high or critical. Everything is counted
    /// [default: informational]
    #[arg(long, value_name = "SEVERITY", help_heading = "Output")]
    pub(crate) min_severity: Option<Severity>,

    /// How many findings the table shows, the worst first; 0 is all [default: 50]
    #[arg(long, value_name = "N", help_heading = "Output")]
    pub(crate) limit: Option<usize>,

    /// The mildest failing severity that makes the exit status 1, or never [default: low]
    #[arg(long, value_name = "SEVERITY|never", help_heading = "Output")]
    pub(crate) fail_on: Option<FailOn>,

    /// Accepted findings: TOML with [[suppress]] entries
    #[arg(long, value_name = "FILE", help_heading = "Suppressions")]
    pub(crate) suppressions: Option<PathBuf>,

    /// Suppress nothing, whatever files say
    #[arg(long, help_heading = "Suppressions", conflicts_with = "suppressions")]
    pub(crate) no_suppressions: bool,

    /// Settings; otherwise credlens.toml in the working directory, where there is one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Threads, at most 1024; 0 is one a core [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Let compressed inputs unpack to this many GiB, whatever their ratio [default: 64 GiB and a thousand
    /// times the input]
    #[arg(long, value_name = "GIB")]
    pub(crate) max_unpacked: Option<u64>,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// `credlens fetch`
#[cfg(feature = "aws")]
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    #[command(flatten)]
    pub(crate) aws: Aws,

    /// Add the reports to this archive instead of saving them as CSV: a directory, or `s3://bucket/prefix`
    #[cfg(feature = "archive")]
    #[arg(long, value_name = "ARCHIVE", conflicts_with = "output")]
    pub(crate) archive: Option<PathBuf>,

    /// A directory for files such as `123456789012_20261121T083000Z.csv`, whose name tells a later scan when the
    /// report was made; of one account, also a file, or - for standard output [default: working directory]
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// Which rules run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selection {
    /// A rule by id, by a peer's id (IAM.3, D9.AWS.IAM.07, `access-keys-rotated`), or by glob; * is
    /// every rule. May be repeated [default: the rules marked so in `credlens rules list`]
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub(crate) rule: Vec<String>,

    /// All rules of a benchmark, with its parameters, such as cis-aws-5.0. May be repeated
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    pub(crate) framework: Vec<String>,

    /// Rules of your own: a TOML file, a file of bare GSL, or a directory of them. May be repeated
    #[arg(long, value_name = "PATH", help_heading = "Rules")]
    pub(crate) rules_from: Vec<PathBuf>,

    /// A parameter of a rule, such as access-key-unused.max_idle=60. May be repeated
    #[arg(long, value_name = "RULE.PARAM=VALUE", help_heading = "Rules")]
    pub(crate) set: Vec<String>,
}

/// How much is said, and in which colours.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Verbosity {
    /// Colours: auto, always or never [default: auto, which is on a terminal, and not where `NO_COLOR` is set]
    #[arg(long, value_name = "WHEN")]
    pub(crate) color: Option<Color>,

    /// Say nothing on standard error but errors
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Show every diagnostic, notes included
    #[arg(long, short, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// The help of `--format`, from the registry of its formats.
fn format_help<W: Formats>(what: &str) -> String {
    let (formats, default) = (list_formats::<W>(), <&FormatSpec<W>>::default());
    format!(
        "Format of the {what}, to standard output or to PATH; may be repeated. One of {formats} [default: {default}]"
    )
}

/// `FMT[=PATH]`.
#[derive(Clone, Debug)]
pub(crate) struct FormatTo<F = Format> {
    pub(crate) format: F,
    /// None is standard output.
    pub(crate) path: Option<PathBuf>,
}

impl<F> FormatTo<F> {
    pub(crate) fn to_stdout(format: F) -> Self {
        Self { format, path: None }
    }
}

impl<F: std::str::FromStr<Err: std::fmt::Display>> std::str::FromStr for FormatTo<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = match text.split_once('=') {
            Some((_, "")) => return Err("a path is wanted behind '='".to_owned()),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self {
            format: format.parse::<F>().map_err(|error| error.to_string())?,
            path: path.filter(|path| path.as_os_str() != "-"),
        })
    }
}

/// A status, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusWord {
    One(Status),
    All,
}

impl std::str::FromStr for StatusWord {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "all" => Ok(Self::All),
            _ => word
                .parse()
                .map(Self::One)
                .map_err(|error: credlens::finding::UnknownWord| format!("{error}, all")),
        }
    }
}

/// When failing findings decide the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailOn {
    AtLeast(Severity),
    Never,
}

impl std::str::FromStr for FailOn {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "never" => Ok(Self::Never),
            _ => word
                .parse()
                .map(Self::AtLeast)
                .map_err(|error: credlens::finding::UnknownWord| format!("{error}, never")),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// List the rules
    List(RulesList),
    /// Explain a rule: what, why, its logic and boundary, how to mend it and how to undo that
    Show {
        /// Id, or a peer's id
        rule: String,
        /// Rules of your own to look among, too. May be repeated
        #[arg(long, value_name = "PATH")]
        rules_from: Vec<PathBuf>,
    },
    /// Check rules of your own: every error in one go, and what looks like a mistake
    Check {
        /// Files or directories; without any, the built-in rules
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Run the examples that rules carry
    Test {
        /// Files or directories; without any, the built-in rules
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RulesList {
    /// Only rules of at least this severity
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) min_severity: Option<Severity>,
    /// Only rules that a framework names
    #[arg(long, value_name = "NAME")]
    pub(crate) framework: Option<String>,
    /// Only rules that run when nothing is selected
    #[arg(long)]
    pub(crate) default: bool,
    /// Rules of your own to list, too. May be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) rules_from: Vec<PathBuf>,
    /// table or json
    #[arg(long, value_name = "FMT", default_value = "table")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Frameworks {
    /// List the frameworks
    List {
        /// table or json
        #[arg(long, value_name = "FMT", default_value = "table")]
        format: ListFormat,
    },
    /// Explain a framework: its requirements, the rules that decide them, and what no report can decide
    Show {
        /// Its name, such as cis-aws-5.0
        framework: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Table,
    Json,
}
