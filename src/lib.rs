//! Audits AWS IAM credential reports.
//!
//! Rules are written in [GSL](gsl), selected and bound to parameters ([`rule::select`]), and compiled together into one
//! [`Program`](engine::Program) of column operations. [`engine::assess`] evaluates a report with it, block by block and
//! in parallel. A [`Sink`](engine::Sink) receives the findings in (input, row, rule) order, whatever the number of
//! threads; the counts are returned as a [`Tally`](finding::Tally).
//!
//! ```
//! use credlens::engine::{self, Collect, Memory, AssessOptions, Program};
//! use credlens::finding::Severity;
//! use credlens::rule::{Catalogue, Selection, select};
//!
//! let report = "user,arn,password_enabled,mfa_active\n\
//!               alice,arn:aws:iam::111122223333:user/alice,true,false\n\
//!               bob,arn:aws:iam::111122223333:user/bob,true,true\n";
//! let rules = Selection { rules: vec!["console-user-without-mfa".to_owned()], ..Selection::default() };
//! let selected = select(&Catalogue::builtin(), &rules).expect("a known rule");
//!
//! let source = Memory::csv("report.csv", report, "2026-06-01T00:00:00Z".parse()?)?;
//! let findings = Collect::default();
//! let tally = engine::assess(&Program::new(selected.rules), source, &findings, AssessOptions::default())?;
//!
//! let findings = findings.into_findings();
//! assert_eq!(findings[0].user.as_deref(), Some("alice"));
//! assert_eq!(findings[0].severity, Severity::High);
//! assert_eq!((tally.rules[0].passed, tally.rules[0].failed), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The command line program uses [`io::inputs::Inputs`] (files, directories and standard input, in bounded memory)
//! instead of [`Memory`](engine::Memory), and [`output::Outputs`] (every format, streamed) instead of
//! [`Collect`](engine::Collect).
//!
//! The layers from [`report`], which depends on no other, to [`output`] do no I/O and read no clock: the same input
//! gives the same bytes. ARCHITECTURE.md in the repository describes how the layers fit together.

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "aws")]
pub mod aws;
pub mod engine;
pub mod finding;
pub mod gsl;
pub mod history;
pub mod io;
pub mod output;
pub mod remedy;
pub mod report;
pub mod rule;
