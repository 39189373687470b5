//! The arguments of `credlens remedy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use credlens::output::plan::{PlanBy, PlanFormat, PlanWriter};
use credlens::report::time::Timestamp;

use crate::cli::aws::LiveScanArgs;
use crate::cli::evaluate::EvaluateArgs;
use crate::cli::evidence::EvidenceArgs;
use crate::cli::outputs::{FormatTo, format_help, short_format_help};
use crate::cli::owners::OwnerArgs;
use crate::cli::span::Span;

/// Plan how to fix what was found, apply it, and take it back
#[derive(Debug, Args)]
pub(in crate::cli) struct RemedyArgs {
    #[command(subcommand)]
    pub(super) command: RemedyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RemedyCommand {
    Plan(Box<PlanArgs>),
    #[cfg(feature = "aws")]
    Apply(Box<ApplyArgs>),
    #[cfg(feature = "aws")]
    Undo(Box<UndoArgs>),
    #[cfg(feature = "aws")]
    Record(RecordArgs),
}

const EXAMPLES: &str = "\
Examples:
  credlens remedy plan report.csv                            what to do, in order, and what is left alone
  credlens remedy plan report.csv --format markdown=plan.md  with the commands of each step and their undo
  credlens remedy plan reports/ --by owner --format csv=work.csv --owners owners.csv
  credlens remedy plan report.csv --history archive/         keys that have been inactive for 30 days
  credlens remedy plan report.csv --announced last-week.json --format json=plan.json

Nothing is changed: this only plans. docs/remedy.md walks through a plan.

Exit status:
  0  the plan was made
  2  usage, rule or configuration error
  3  no input could be evaluated
  4  partial: some inputs or accounts failed, the rest was planned
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

/// Plan what to do about the findings, the least disruptive steps first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("limit", |arg| arg.help("Steps that are shown [default: all]")))]
pub(super) struct PlanArgs {
    /// Report files, directories, archives, `s3://…`, or -
    ///
    /// A report file, a directory (searched recursively), an archive, `s3://bucket/key`, `s3://bucket/prefix`, or - for
    /// standard input; of each account the newest snapshot. Without an INPUT: the live account of your AWS credentials
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<PathBuf>,

    /// Days without use after which a key is deactivated
    ///
    /// A key that was never used must be older [default: the greatest limit of the selected rules about the use of keys, and
    /// at least 45]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650), help_heading = "Plan")]
    pub(super) quiet_days: Option<u16>,

    /// Earlier snapshots. Repeatable
    ///
    /// An archive, a directory or a report: they show since when keys are inactive. A key is proposed for deletion only if it was inactive for 30 days
    #[arg(long, value_name = "INPUT", help_heading = "Plan")]
    pub(super) history: Vec<PathBuf>,

    /// An earlier plan (json)
    ///
    /// A credential that was in it keeps the time when it was first planned, whatever is to be done about it
    #[arg(long, value_name = "PLAN", help_heading = "Plan")]
    pub(super) announced: Option<PathBuf>,

    /// Journals of changes that were made. Repeatable
    ///
    /// Keys that were deactivated there and are active again are left alone: someone needed them
    #[arg(long, value_name = "FILE", help_heading = "Plan")]
    pub(super) journal: Vec<PathBuf>,

    /// The tag that exempts a user, where --details fetches tags
    ///
    /// Any value but false exempts, unless one is given [default: credlens-exempt]
    #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Plan")]
    pub(super) exempt_tag: Option<String>,

    /// Count ages to this time
    ///
    /// Such as 2026-11-21; a date alone is its first second [default: the time of the report]
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Timestamp>,

    #[command(flatten)]
    pub(super) owners: OwnerArgs,

    #[command(flatten)]
    pub(super) live: LiveScanArgs,

    #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<PlanWriter>(), long_help = format_help::<PlanWriter>("plan"))]
    pub(super) format: Vec<FormatTo<PlanFormat>>,

    /// Group the steps by owner or account
    ///
    /// In table, markdown and csv, for those who work them off
    #[arg(long, value_name = "WHAT", help_heading = "Output")]
    pub(super) by: Option<ByWord>,

    /// List also what fails within, say, 14d
    ///
    /// By time alone; nothing is done about it
    #[arg(long, value_name = "SPAN", help_heading = "Output")]
    pub(super) due_within: Option<Span>,

    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,

    #[command(flatten)]
    pub(super) evaluate: EvaluateArgs,
}

#[cfg(feature = "aws")]
pub(super) use changing::{ApplyArgs, RecordArgs, UndoArgs};

/// The arguments of what changes keys.
#[cfg(feature = "aws")]
mod changing {
    use std::path::PathBuf;

    use clap::Args;
    use credlens::output::record::{RecordFormat, RecordWriter};

    use super::super::access::AccessArgs;
    use crate::cli::filters::FilterArgs;
    use crate::cli::outputs::{FormatTo, format_help, short_format_help};
    use crate::cli::span::Span;

    const APPLY_EXAMPLES: &str = "\
Examples:
  credlens remedy apply plan.json                  what would be done: nothing is changed
  credlens remedy apply plan.json --step 1 --yes   one key first
  credlens remedy apply plan.json --announced last-week.json --yes
  credlens remedy apply plan.json --role-name CredlensRemedy --yes
  credlens remedy apply --resume JOURNAL --yes     after an interruption

Only keys are ever deactivated, and never root's. docs/remedy.md has a walk-through, the limits and the smallest policy.

Exit status:
  0  done, nothing to do, or skipped because a key is used or exempt
  2  refused: a limit, an old plan, a wrong account; nothing was changed
  3  nothing could be read
  4  some step could not be decided, or failed
  5  the journal could not be written, and the run stopped there; or standard output could not be
  130  interrupted (143 by SIGTERM, 129 by SIGHUP), after the call in flight was recorded";

    /// Deactivate the keys of a plan that are still unused
    ///
    /// Each key is looked at again before it is changed: its last use, its user's tags and groups, and whose credentials these are. What
    /// AWS does not say stops the step. Without --yes nothing is changed
    #[derive(Debug, Args)]
    #[command(after_help = APPLY_EXAMPLES, mut_arg("user", |arg| arg.long_help("Only keys of users of this name, such as 'svc-*'. Repeatable")), mut_arg("account", |arg| arg.long_help("Only keys in these accounts, by id or name. Repeatable")), mut_arg("timeout", |arg| arg.help("Longest time for each question to AWS, such as 90s or 10m [default: 10m]")))]
    pub(in crate::cli::remedy) struct ApplyArgs {
        /// The plan, from `credlens remedy plan --format json`; - is standard input
        #[arg(
            value_name = "PLAN",
            required_unless_present = "resume_journal",
            conflicts_with = "resume_journal"
        )]
        pub(in crate::cli::remedy) plan: Option<PathBuf>,

        /// Go on with an interrupted run
        ///
        /// Its journal has the plan, the limits and what was done; AWS is asked about what may have been done. Limits and ages are checked
        /// again
        #[arg(id = "resume_journal", long = "resume", value_name = "JOURNAL", help_heading = "Input", conflicts_with_all = ["journal", "announced_plan", "step", "user",
            "path", "account", "exclude_user", "exclude_path", "exclude_account", "max_changes", "max_share", "max_errors",
            "max_plan_age", "max_report_age", "min_notice", "exempt_tag", "exempt_group"])]
        pub(in crate::cli::remedy) resume: Option<PathBuf>,

        /// Apply the plan; without it, only show what would be done
        #[arg(long, help_heading = "Input")]
        pub(in crate::cli::remedy) yes: bool,

        /// Where to record what is done
        ///
        /// [default: a new file in the working directory, with the plan's id and the time]
        #[arg(long, value_name = "FILE", help_heading = "Output")]
        pub(in crate::cli::remedy) journal: Option<PathBuf>,

        /// Only this step: its number in the plan, or its id. Repeatable
        #[arg(long, value_name = "STEP", help_heading = "Filters")]
        pub(in crate::cli::remedy) step: Vec<String>,

        #[command(flatten)]
        pub(in crate::cli::remedy) filters: FilterArgs,

        /// An older plan: only keys that it deactivates, too, are deactivated
        #[arg(
            id = "announced_plan",
            long = "announced",
            value_name = "PLAN",
            help_heading = "Limits"
        )]
        pub(in crate::cli::remedy) announced: Option<PathBuf>,

        /// How long ago the older plan must have been made [default: 7d]
        #[arg(
            long,
            value_name = "SPAN",
            help_heading = "Limits",
            requires = "announced_plan"
        )]
        pub(in crate::cli::remedy) min_notice: Option<Span>,

        /// Most changes allowed in one run; above this nothing is done [default: 25]
        #[arg(long, value_name = "N", help_heading = "Limits")]
        pub(in crate::cli::remedy) max_changes: Option<u64>,

        /// The same in percent of an account's active keys [default: 10]
        ///
        /// Above this nothing is done. Three keys of an account are always allowed. It holds for one run: several runs with --step add up
        #[arg(long, value_name = "PERCENT", help_heading = "Limits", value_parser = clap::value_parser!(u8).range(0..=100))]
        pub(in crate::cli::remedy) max_share: Option<u8>,

        /// Stop after this many errors [default: 3]
        #[arg(long, value_name = "N", help_heading = "Limits", value_parser = clap::value_parser!(u64).range(1..))]
        pub(in crate::cli::remedy) max_errors: Option<u64>,

        /// Oldest plan that is applied [default: 1d]
        #[arg(long, value_name = "SPAN", help_heading = "Limits")]
        pub(in crate::cli::remedy) max_plan_age: Option<Span>,

        /// Oldest report that a plan may be made from [default: 2d]
        #[arg(long, value_name = "SPAN", help_heading = "Limits")]
        pub(in crate::cli::remedy) max_report_age: Option<Span>,

        /// The tag that exempts a user
        ///
        /// Any value but false exempts, unless one is given. It takes the place of credlens-exempt [default: credlens-exempt]
        #[arg(long, value_name = "KEY[=VALUE]", help_heading = "Limits")]
        pub(in crate::cli::remedy) exempt_tag: Option<String>,

        /// A group whose users are exempt. Repeatable
        #[arg(long, value_name = "NAME", help_heading = "Limits")]
        pub(in crate::cli::remedy) exempt_group: Vec<String>,

        #[command(flatten)]
        pub(in crate::cli::remedy) access: AccessArgs,
    }

    const UNDO_EXAMPLES: &str = "\
Examples:
  credlens remedy undo JOURNAL               what would be activated: nothing is changed
  credlens remedy undo JOURNAL --yes         all keys that were deactivated, or may have been
  credlens remedy undo JOURNAL --user alice --yes

Needs the journal alone. It can be repeated. The last line says which keys are active again, and which are not.

Exit status:
  0  all are active again, or nothing was to be undone
  2  usage error
  3  no key could be activated
  4  some could not
  5  the journal or standard output could not be written; the keys were activated all the same
  130  interrupted (143 by SIGTERM, 129 by SIGHUP), after the call in flight was recorded";

    /// Activate the keys again that a run deactivated
    ///
    /// Every key that was deactivated, or may have been, and is not activated again yet; keys that were inactive before are not touched.
    /// Without --yes nothing is changed
    #[derive(Debug, Args)]
    #[command(after_help = UNDO_EXAMPLES, mut_arg("user", |arg| arg.long_help("Only keys of users of this name, such as 'svc-*'. Repeatable")), mut_arg("account", |arg| arg.long_help("Only keys in these accounts, by id or name. Repeatable")), mut_arg("timeout", |arg| arg.help("Longest time for each question to AWS, such as 90s or 10m [default: 10m]")))]
    pub(in crate::cli::remedy) struct UndoArgs {
        /// The journal of `credlens remedy apply`
        #[arg(value_name = "JOURNAL")]
        pub(in crate::cli::remedy) journal: PathBuf,

        /// Activate them; without it, only show which
        #[arg(long, help_heading = "Input")]
        pub(in crate::cli::remedy) yes: bool,

        /// Only the key of this step: its number in the plan, its id or the key's. Repeatable
        #[arg(long, value_name = "STEP", help_heading = "Filters")]
        pub(in crate::cli::remedy) step: Vec<String>,

        #[command(flatten)]
        pub(in crate::cli::remedy) filters: FilterArgs,

        #[command(flatten)]
        pub(in crate::cli::remedy) access: AccessArgs,
    }

    const RECORD_EXAMPLES: &str = "\
Examples:
  credlens remedy record JOURNAL --format markdown=record.md
  credlens remedy record JOURNAL --format json=record.json --format markdown=record.md

Changes nothing: a key that is active again is reported, not switched off.

Exit status:
  0  the record was written
  2  usage error
  3  AWS gave the state of no key
  4  AWS did not give the state of some keys
  5  an output could not be written
  130  interrupted (143 by SIGTERM, 129 by SIGHUP)";

    /// Look at the keys of a run again, and write the record for auditors
    ///
    /// Who changed what, when and why, from which reports, what was skipped or undone, and how each key is now
    #[derive(Debug, Args)]
    #[command(after_help = RECORD_EXAMPLES, mut_arg("timeout", |arg| arg.help("Longest time for each question to AWS, such as 90s or 10m [default: 10m]")))]
    pub(in crate::cli::remedy) struct RecordArgs {
        /// The journal of `credlens remedy apply`
        #[arg(value_name = "JOURNAL")]
        pub(in crate::cli::remedy) journal: PathBuf,

        #[arg(long, value_name = "FMT[=PATH]", help_heading = "Output", help = short_format_help::<RecordWriter>(), long_help = format_help::<RecordWriter>("record"))]
        pub(in crate::cli::remedy) format: Vec<FormatTo<RecordFormat>>,

        #[command(flatten)]
        pub(in crate::cli::remedy) access: AccessArgs,
    }
}

/// What steps are grouped by, as typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByWord(pub(super) PlanBy);

impl ValueEnum for ByWord {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(PlanBy::Account), Self(PlanBy::Owner)]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}
