//! The public API: reports in, findings, changes and trends out. Everything else is for the program, and may change.

mod error;
mod reports;
mod rules;

pub use error::Error;
pub use reports::Reports;
pub use rules::Rules;

use rules::messages;

use crate::engine::{self, AssessOptions, Collect, EmitFilter, Program, Sink, Source, Workers};
use crate::finding::{
    AsOfSource, Code, Diagnostic, Finding, InputTally, Level, RuleTally, Severity, Status, Tally,
};
use crate::history::trend::{Trend, TrendDocument, TrendOptions};
use crate::history::{self, Collector, DiffOptions, Snapshot};
use crate::io::inputs::Inputs;
use crate::output::DisplayOptions;
use crate::output::diff::{DiffDocument, DiffView, write_diff};
use crate::report::schema::ColumnSet;
use crate::rule::{Filters, Suppressions, select};

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
    /// [`Error::Rules`] if a rule, framework or parameter is not known, or if a rule is about what no report has.
    pub fn new(rules: Rules) -> Result<Self, Error> {
        let selected = select(&rules.catalogue, &rules.selection).map_err(|errors| messages(&errors))?;
        if !selected.details_by_id.is_empty() {
            let ids = selected.details_by_id.join(", ");
            let message = format!("no report has what these rules are about (it is in IAM alone): {ids}");
            return Err(Error::Rules(vec![message]));
        }
        // Those of a framework or of the default are left out, as the program does without `--details`.
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
        let (old, of_old) = self.snapshot(old, ColumnSet::default())?;
        let (new, of_new) = self.snapshot(new, old.missing_anywhere())?;
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
        let diagnostics = [&diff.diagnostics[..], &of_old, &of_new].concat();
        let view = DiffView {
            diff: &diff,
            stale: &[],
            diagnostics: &diagnostics,
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
            let read = self.snapshots(first.open_in_time_order(), ColumnSet::default(), |snapshot| {
                trend.add(snapshot);
            })?;
            return Ok(document(trend, read));
        };
        let (mut snapshots, mut lacking, mut read) = (Vec::new(), ColumnSet::default(), Vec::new());
        for reports in [first, second].into_iter().chain(reports) {
            read.extend(self.snapshots(reports.open(true), lacking, |snapshot| snapshots.push(snapshot))?);
            let missing = snapshots.iter().map(Snapshot::missing_anywhere);
            lacking = missing.fold(lacking, ColumnSet::union);
        }
        snapshots.sort_by_key(|snapshot| snapshot.input.as_of);
        for snapshot in snapshots {
            trend.add(snapshot);
        }
        Ok(document(trend, read))
    }

    /// The one snapshot, and what is unusual in its report.
    fn snapshot(&self, reports: Reports, lacking: ColumnSet) -> Result<(Snapshot, Vec<Diagnostic>), Error> {
        let mut all = Vec::new();
        let diagnostics = self.snapshots(reports.open(true), lacking, |snapshot| all.push(snapshot))?;
        match <[Snapshot; 1]>::try_from(all) {
            Ok([snapshot]) => Ok((snapshot, diagnostics)),
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
    ) -> Result<Vec<Diagnostic>, Error> {
        let collector = Collector::new(take).after_lacking(lacking);
        self.assess(inputs, &collector).map(|tally| tally.diagnostics)
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

/// The document of a trend, with what is unusual in its reports first.
fn document(trend: Trend<'_>, read: Vec<Diagnostic>) -> TrendDocument {
    let mut document = trend.finish();
    // Two snapshots of an account in one file are what a trend is made of.
    let read = read.into_iter().filter(|it| it.code != Code::AccountTwice);
    document.diagnostics.splice(0..0, read);
    document
}
