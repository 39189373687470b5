//! Audits AWS IAM credential reports: exact to the second, and explicit about what a report does not say.
//!
//! An [`Auditor`] has [`Rules`] and reads [`Reports`]: it [audits](Auditor::audit) them, [compares](Auditor::diff) two, or
//! [follows](Auditor::trend) many over time. Its page has an example of each.
//!
//! ```
//! use credlens::{Auditor, Reports, Rules, Status};
//!
//! let auditor = Auditor::new(Rules::new())?;
//! let reports = Reports::from_path("fixtures/demo").as_of("2026-06-01T00:00:00Z".parse()?);
//! let audit = auditor.audit(reports)?;
//! for finding in audit.findings.iter().filter(|it| it.status == Status::Fail) {
//!     let user = finding.user.as_deref().unwrap_or("-");
//!     println!("{} {user}: {}", finding.severity, finding.message);
//! }
//! # assert!(audit.findings.len() > 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same report and rules give the same result on any machine and number of threads. What a cell does not say is
//! [`Status::Undetermined`], and never clean.
//!
//! # Features
//!
//! - `cli` (default): the program `credlens`. Without it, none of its libraries (`clap` and others) are compiled.
//! - `aws` (default): reports fetched from AWS, and files in S3, for the program.
//! - `archive` (default): snapshots in Parquet, which [`Reports::from_path`] then reads, too.
//!
//! The modules that are not on this page are those of the program: they are public for it alone, and may change with every
//! release. ARCHITECTURE.md in the repository describes them.

mod api;
#[cfg(feature = "archive")]
#[doc(hidden)]
pub mod archive;
#[cfg(feature = "aws")]
#[doc(hidden)]
pub mod aws;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod finding;
#[doc(hidden)]
pub mod gsl;
#[doc(hidden)]
pub mod history;
#[doc(hidden)]
pub mod io;
#[doc(hidden)]
pub mod output;
#[doc(hidden)]
pub mod remedy;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod rule;

pub use api::{Audit, Auditor, Error, Reports, Rules};
#[doc(inline)]
pub use finding::{
    AsOfSource, Code, Command, Diagnostic, Finding, FindingId, Fix, FixStep, InputTally, LeftOutReason,
    Level, RuleTally, RuleTexts, Severity, Source, Status, Suppression,
};
#[doc(inline)]
pub use history::Kind as EventKind;
#[doc(inline)]
pub use history::StaleAccount;
#[doc(inline)]
pub use history::trend::{AccountGap, OldFinding, Point, Rotation, RuleTrend, TrendDocument};
#[doc(inline)]
pub use output::diff::{DiffAccount, DiffDocument, DiffEvent, DiffFinding, DiffFindings, DiffSnapshot};
#[doc(inline)]
pub use report::schema::{Credential, Slot};
#[doc(inline)]
pub use report::time::Timestamp;
