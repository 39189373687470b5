//! The public API: reports in, findings, changes and trends out. Everything else is for the program, and may change.

use std::io::{self, Cursor};
use std::path::PathBuf;

use crate::engine::{self, AssessOptions, Collect, EmitFilter, Program, Sink, Source, Workers};
use crate::finding::{
    AsOfSource, Diagnostic, Finding, InputTally, Level, RuleTally, Severity, Status, Tally,
};
use crate::history::trend::{Trend, TrendDocument, TrendOptions};
use crate::history::{self, Collector, DiffOptions, Snapshot};
use crate::io::inputs::{InputOptions, Inputs, Limits};
use crate::output::DisplayOptions;
use crate::output::diff::{DiffDocument, DiffView, write_diff};
use crate::report::schema::ColumnSet;
use crate::report::time::Timestamp;
use crate::rule::{Catalogue, Filters, Selection, Setting, Suppressions, select};

/// Why reports could not be evaluated or compared. Each message says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Rules, frameworks, settings or suppressions have errors: one message each.
    #[error("{}", .0.join("\n"))]
    Rules(Vec<String>),
    /// There is no report.
    #[error("there is no report to evaluate")]
    NoReport,
    /// Reports could not be read to their end. These are the errors; nothing that was read before is returned.
    #[error("{}", texts(.0))]
    Unreadable(Vec<Diagnostic>),
    /// Nothing says when these reports were generated, so that no age is known.
    #[error("nothing says when {} generated: give its as-of", were(.0))]
    Undated(Vec<String>),
    /// Two reports cannot be compared.
    #[error("{0}")]
    Incomparable(String),
    /// Threads could not be started.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Which reports were, or which report was.
fn were(paths: &[String]) -> String {
    match paths {
        [path] if path == "-" => "the report was".to_owned(),
        [path] => format!("{path} was"),
        [path, more @ ..] => format!("{path} and {} more were", more.len()),
        [] => "a report was".to_owned(),
    }
}

fn texts(diagnostics: &[Diagnostic]) -> String {
    let texts = diagnostics.iter().map(|it| match &it.path {
        Some(path) => format!("{path}: {}", it.message),
        None => it.message.clone(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// Which rules an [`Auditor`] has, and what they accept.
#[derive(Debug)]
pub struct Rules {
    catalogue: Catalogue,
    selection: Selection,
    suppressions: Suppressions,
}

impl Default for Rules {
    /// The default rules.
    fn default() -> Self {
        Self {
            catalogue: Catalogue::builtin(),
            selection: Selection::default(),
            suppressions: Suppressions::default(),
        }
    }
}

impl Rules {
    /// The default rules of credlens, until others are asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the rules of a file: one rule in TOML, an override of a known one, or bare GSL with a rule on each line. `name` is
    /// the name of the file, from which ids are made. The rules are evaluated, and others only if they are asked for.
    ///
    /// # Errors
    /// [`Error::Rules`] with every error of the file.
    pub fn file(mut self, name: &str, text: &str) -> Result<Self, Error> {
        let ids = self
            .catalogue
            .add(name, text)
            .map_err(|errors| messages(&errors))?;
        self.selection.rules.extend(ids);
        Ok(self)
    }

    /// Evaluates this rule: an id, an alias (such as `iam-user-mfa-enabled` of AWS Config), or a glob (`access-key-*`).
    #[must_use]
    pub fn rule(mut self, name: impl Into<String>) -> Self {
        self.selection.rules.push(name.into());
        self
    }

    /// Evaluates the rules of this framework, with the values that it asks for: for example `cis-aws-7.0`.
    #[must_use]
    pub fn framework(mut self, name: impl Into<String>) -> Self {
        self.selection.frameworks.push(name.into());
        self
    }

    /// Sets a parameter: `access-key-unused.max_idle=60`.
    ///
    /// # Errors
    /// [`Error::Rules`] if it does not have this form. Whether there is such a parameter is known in [`Auditor::new`].
    pub fn set(mut self, setting: &str) -> Result<Self, Error> {
        let setting: Setting = setting.parse().map_err(|error| messages(&[error]))?;
        self.selection.settings.push(setting);
        Ok(self)
    }

    /// Accepts what the `[[suppress]]` entries of a settings file cover. `name` is the name of the file.
    ///
    /// # Errors
    /// [`Error::Rules`] with every error of the file.
    pub fn suppressions(mut self, name: &str, text: &str) -> Result<Self, Error> {
        let more = Suppressions::parse(name, text, &self.catalogue);
        self.suppressions
            .extend(more.map_err(|error| messages(&[error]))?);
        Ok(self)
    }
}

fn messages(errors: &[crate::rule::Error]) -> Error {
    Error::Rules(errors.iter().map(ToString::to_string).collect())
}

/// Credential reports to read: bytes or files, in any envelope that AWS and other tools write (CSV, gzip, zstd, JSON or YAML
/// of the AWS CLI, base64).
#[derive(Clone, Debug)]
pub struct Reports {
    source: ReportSource,
    as_of: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum ReportSource {
    Bytes(Vec<u8>),
    Files(Vec<PathBuf>),
}

impl Reports {
    /// A report in memory.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(ReportSource::Bytes(bytes.into()))
    }

    /// A report in a file, or all reports of a folder.
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self::from_paths([path])
    }

    /// Reports in files and folders.
    pub fn from_paths(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into);
        Self::new(ReportSource::Files(paths.collect()))
    }

    fn new(source: ReportSource) -> Self {
        Self { source, as_of: None }
    }

    /// The instant at which they are evaluated. Without it, it is when AWS generated each report, if its envelope says so,
    /// or else the date in the name of its file; if neither dates a report, that is an error. No clock is read.
    #[must_use]
    pub fn as_of(self, as_of: Timestamp) -> Self {
        Self {
            as_of: Some(as_of),
            ..self
        }
    }

    fn options(&self, compared: bool) -> InputOptions {
        InputOptions {
            as_of: self.as_of,
            // What nothing dates is refused.
            now: Timestamp(0),
            compared,
            hashed: 0,
            limits: Limits::default(),
        }
    }

    fn open(self, compared: bool) -> Inputs {
        let options = self.options(compared);
        match self.source {
            ReportSource::Bytes(bytes) => {
                Inputs::new(vec![PathBuf::from("-")], Box::new(Cursor::new(bytes)), options)
            }
            ReportSource::Files(files) => with_archives(Inputs::new(files, Box::new(io::empty()), options)),
        }
    }

    /// The same in the order of their as-of.
    fn open_in_time_order(self) -> Inputs {
        let options = self.options(true);
        match self.source {
            ReportSource::Bytes(_) => self.open(true),
            ReportSource::Files(_) => {
                let files = self.open(true).in_time_order();
                with_archives(Inputs::of_files(files, Box::new(io::empty()), options))
            }
        }
    }
}

/// Reads the files of archives, too.
fn with_archives(inputs: Inputs) -> Inputs {
    #[cfg(feature = "archive")]
    let inputs = inputs.with_container_format(Box::new(crate::archive::inputs::ArchiveFormat));
    inputs
}

/// What rules say of reports.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Audit {
    /// What fails, is undetermined, or is suppressed: in the order of reports and rows, then of rules.
    pub findings: Vec<Finding>,
    /// How many verdicts of each rule passed, failed and so on, by id.
    pub rules: Vec<RuleTally>,
    /// The reports, in the order in which they were read.
    pub reports: Vec<InputTally>,
    /// What is unusual in the reports: columns that are missing, cells that cannot be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// Evaluates and compares reports with the rules that it was made with. It can be shared by threads.
///
/// # Examples
///
/// Bytes in any envelope, as AWS and its command line give them:
///
/// ```
/// use credlens::{Auditor, Reports, Rules};
///
/// let bytes = std::fs::read("fixtures/base64.txt")?;
/// let reports = Reports::from_bytes(bytes).as_of("2026-06-01T00:00:00Z".parse()?);
/// let audit = Auditor::new(Rules::new())?.audit(reports)?;
/// assert_eq!(audit.reports.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One rule, and its counts:
///
/// ```
/// use credlens::{Auditor, Reports, Rules, Status};
///
/// let report = "user,arn,password_enabled,mfa_active\n\
///               alice,arn:aws:iam::111122223333:user/alice,true,false\n\
///               bob,arn:aws:iam::111122223333:user/bob,true,true\n";
/// let auditor = Auditor::new(Rules::new().rule("console-user-without-mfa"))?;
/// let reports = Reports::from_bytes(report).as_of("2026-06-01T00:00:00Z".parse()?);
/// let audit = auditor.audit(reports)?;
///
/// assert_eq!(audit.findings.len(), 1);
/// assert_eq!(audit.findings[0].user.as_deref(), Some("alice"));
/// assert_eq!(audit.findings[0].status, Status::Fail);
/// assert_eq!((audit.rules[0].passed, audit.rules[0].failed), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Files, by a framework:
///
/// ```
/// use credlens::{Auditor, Reports, Rules};
///
/// let auditor = Auditor::new(Rules::new().framework("cis-aws-7.0"))?;
/// let reports = Reports::from_path("fixtures/demo").as_of("2026-06-01T00:00:00Z".parse()?);
/// let audit = auditor.audit(reports)?;
/// assert!(!audit.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Your own rules:
///
/// ```
/// use credlens::{Auditor, Reports, Rules};
///
/// let rules = Rules::new().file("team.gsl", "# Contractors have no keys\n\
///     IamUser where name like 'ext-%' should not have firstAccessKey.isActive=true")?;
/// let report = "user,arn,access_key_1_active\n\
///               ext-eve,arn:aws:iam::111122223333:user/ext-eve,true\n";
/// let reports = Reports::from_bytes(report).as_of("2026-06-01T00:00:00Z".parse()?);
/// let audit = Auditor::new(rules)?.audit(reports)?;
/// assert_eq!(audit.findings[0].title, "Contractors have no keys");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Auditor {
    program: Program,
    suppressions: Suppressions,
    threads: usize,
}

impl Auditor {
    /// Compiles the rules.
    ///
    /// # Errors
    /// [`Error::Rules`] if there is no such rule, framework or parameter.
    pub fn new(rules: Rules) -> Result<Self, Error> {
        let selected = select(&rules.catalogue, &rules.selection).map_err(|errors| messages(&errors))?;
        // A report has no details; rules that need them are left out, as the program does without `--details`.
        let bound = selected.rules.into_iter();
        let bound = bound.filter(|bound| !bound.typed.entity.needs_details());
        Ok(Self {
            program: Program::new(bound.collect()),
            suppressions: rules.suppressions,
            threads: 0,
        })
    }

    /// The number of threads; 0, the default, is one for each core. Results do not depend on it.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Evaluates every user of these reports.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if a report cannot be read to its end, [`Error::Undated`] if nothing says when it was generated,
    /// [`Error::NoReport`] if there is none.
    pub fn audit(&self, reports: Reports) -> Result<Audit, Error> {
        let findings = Collect::default();
        let tally = self.assess(reports.open(false), &findings)?;
        Ok(Audit {
            findings: findings.into_findings(),
            rules: tally.rules,
            reports: tally.inputs,
            diagnostics: tally.diagnostics,
        })
    }

    /// What happened from one report to a newer one of the same account: events, and findings that were opened, resolved or
    /// are still open.
    ///
    /// # Errors
    /// Those of [`Auditor::audit`], and [`Error::Incomparable`] if they are of different accounts or in the wrong order, if
    /// there is more than one report on a side, or if nothing identifies their users.
    ///
    /// ```
    /// use credlens::{Auditor, EventKind, Reports, Rules};
    ///
    /// let header = "user,arn,user_creation_time,mfa_active\n";
    /// let alice = "alice,arn:aws:iam::111122223333:user/alice,2025-01-01T00:00:00Z,";
    /// let report = |mfa: &str, day: &str| -> Result<Reports, Box<dyn std::error::Error>> {
    ///     Ok(Reports::from_bytes(format!("{header}{alice}{mfa}\n")).as_of(day.parse()?))
    /// };
    /// let (old, new) = (report("true", "2026-06-01")?, report("false", "2026-06-02")?);
    /// let diff = Auditor::new(Rules::new())?.diff(old, new)?;
    /// assert_eq!(diff.events[0].kind, EventKind::MfaDeactivated);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(&self, old: Reports, new: Reports) -> Result<DiffDocument, Error> {
        let old = self.snapshot(old, ColumnSet::default())?;
        let new = self.snapshot(new, old.missing_anywhere())?;
        let [old_as_of, new_as_of] = [&old, &new].map(|snapshot| snapshot.input.as_of);
        if old_as_of > new_as_of {
            let message =
                format!("the older report ({old_as_of}) is newer than the other ({new_as_of}); swap them");
            return Err(Error::Incomparable(message));
        }
        let workers = Workers::new(self.threads)?;
        let options = (DiffOptions::default(), &Filters::default());
        let diff = history::diff(&self.program, [&old, &new], options, &workers);
        let diff = diff.map_err(|error| Error::Incomparable(error.to_string()))?;
        let view = DiffView {
            diff: &diff,
            stale: &[],
            diagnostics: &diff.diagnostics,
            by: None,
            options: DisplayOptions::default(),
            workers: &workers,
        };
        let mut text = Vec::new();
        write_diff("json".parse().expect("invariant: a format"), &view, &mut text)?;
        Ok(serde_json::from_slice(&text).expect("invariant: a document is read as it is written"))
    }

    /// How findings and figures developed over reports, of one account or of many, in whatever order they are given.
    ///
    /// # Errors
    /// Those of [`Auditor::audit`].
    ///
    /// ```
    /// use credlens::{Auditor, Reports, Rules};
    ///
    /// let header = "user,arn,user_creation_time,password_enabled,mfa_active\n";
    /// let alice = "alice,arn:aws:iam::111122223333:user/alice,2025-01-01T00:00:00Z,true,";
    /// let report = |mfa: &str, day: &str| -> Result<Reports, Box<dyn std::error::Error>> {
    ///     Ok(Reports::from_bytes(format!("{header}{alice}{mfa}\n")).as_of(day.parse()?))
    /// };
    /// let auditor = Auditor::new(Rules::new().rule("console-user-without-mfa"))?;
    /// let trend = auditor.trend([report("false", "2026-06-01")?, report("true", "2026-06-02")?])?;
    /// assert_eq!((trend.snapshots.len(), trend.rules[0].resolved), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trend(&self, reports: impl IntoIterator<Item = Reports>) -> Result<TrendDocument, Error> {
        let mut trend = Trend::new(&self.program, TrendOptions::default());
        let mut reports = reports.into_iter();
        let first = reports.next().ok_or(Error::NoReport)?;
        let Some(second) = reports.next() else {
            // Reports of files are followed while they are read: of each account one snapshot is stored.
            self.snapshots(first.open_in_time_order(), ColumnSet::default(), |snapshot| {
                trend.add(snapshot);
            })?;
            return Ok(trend.finish());
        };
        let (mut snapshots, mut lacking) = (Vec::new(), ColumnSet::default());
        for reports in [first, second].into_iter().chain(reports) {
            self.snapshots(reports.open(true), lacking, |snapshot| snapshots.push(snapshot))?;
            let missing = snapshots.iter().map(Snapshot::missing_anywhere);
            lacking = missing.fold(lacking, ColumnSet::union);
        }
        snapshots.sort_by_key(|snapshot| snapshot.input.as_of);
        for snapshot in snapshots {
            trend.add(snapshot);
        }
        Ok(trend.finish())
    }

    fn snapshot(&self, reports: Reports, lacking: ColumnSet) -> Result<Snapshot, Error> {
        let mut all = Vec::new();
        self.snapshots(reports.open(true), lacking, |snapshot| all.push(snapshot))?;
        match <[Snapshot; 1]>::try_from(all) {
            Ok([snapshot]) => Ok(snapshot),
            Err(several) => Err(Error::Incomparable(format!(
                "{} reports on one side; compare two reports",
                several.len()
            ))),
        }
    }

    fn snapshots(
        &self,
        inputs: Inputs,
        lacking: ColumnSet,
        take: impl FnMut(Snapshot) + Send,
    ) -> Result<(), Error> {
        let collector = Collector::new(take).after_lacking(lacking);
        self.assess(inputs, &collector).map(|_| ())
    }

    fn assess(&self, source: impl Source, sink: &impl Sink) -> Result<Tally, Error> {
        let statuses = [Status::Fail, Status::Undetermined, Status::Suppressed];
        let options = AssessOptions {
            threads: self.threads,
            emit: EmitFilter::new(&statuses, Severity::Informational),
            suppressions: Some(&self.suppressions),
            ..AssessOptions::default()
        };
        let tally = engine::assess(&self.program, source, sink, options)?;
        let errors = tally.diagnostics.iter().filter(|it| it.level == Level::Error);
        let errors: Vec<Diagnostic> = errors.cloned().collect();
        if !errors.is_empty() {
            return Err(Error::Unreadable(errors));
        }
        let undated = tally
            .inputs
            .iter()
            .filter(|it| it.as_of_source == AsOfSource::Now);
        let undated: Vec<String> = undated.map(|it| it.path.clone()).collect();
        match (undated.is_empty(), tally.evaluated) {
            (false, _) => Err(Error::Undated(undated)),
            (true, 0) => Err(Error::NoReport),
            (true, _) => Ok(tally),
        }
    }
}
