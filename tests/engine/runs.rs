//! Whole runs of the engine: what they tell of odd rows, and how they end.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use credlens::engine::{
    self, AssessOptions, DeferredInput, FindingRef, Memory, Program, Sink, Source, SourceEvent,
};
use credlens::finding::Status;
use credlens::gsl;
use credlens::rule::{self, Catalogue, Selection};

use crate::support::pipeline::{bound, evaluate, memory};

fn program(selection: &Selection) -> Program {
    let selected = rule::select(&Catalogue::builtin(), selection);
    Program::new(selected.expect("rules that exist").rules)
}

/// Inputs that are read apart, each of endless blocks.
struct Endless(Memory);

impl Source for Endless {
    fn next(&mut self, _: &mut Vec<u8>) -> Option<SourceEvent> {
        Some(SourceEvent::DeferredInput(DeferredInput(Box::new(Blocks(
            self.0.clone(),
        )))))
    }
}

struct Blocks(Memory);

impl Source for Blocks {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        match self.0.clone().next(text)? {
            SourceEvent::Block { input, .. } => Some(SourceEvent::Block { input, last: false }),
            other @ (SourceEvent::DeferredBlock { .. }
            | SourceEvent::DeferredInput(_)
            | SourceEvent::LargeBlockAhead
            | SourceEvent::Failed { .. }) => Some(other),
        }
    }
}

/// Takes a few parts, then nothing more.
struct Full(AtomicUsize);

impl Sink for Full {
    type Part = ();

    fn part(&self) {}

    fn finding(&self, (): &mut (), _: &FindingRef<'_>) {}

    fn accept(&self, (): &mut ()) -> io::Result<()> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0..3 => Ok(()),
            _ => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

/// What nobody takes is not read on, and nobody waits for ever.
#[test]
fn a_run_ends_where_the_sink_fails() {
    let program = program(&Selection::default());
    let block = "u,arn:aws:iam::1:user/u,false\n".to_owned();
    let memory = memory(&[("user,arn,mfa_active", vec![block])]);
    for threads in [1, 2, 7] {
        let options = AssessOptions {
            threads,
            ..AssessOptions::default()
        };
        let sink = Full(AtomicUsize::new(0));
        let ended = engine::assess(&program, Endless(memory.clone()), &sink, options);
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(sink.0.into_inner(), 4, "{threads} threads");
    }
}

/// The as-of is told to be wrong where a verdict depends on it, whatever columns the rules read.
#[test]
fn a_time_that_no_rule_reads_tells_that_the_as_of_is_wrong() {
    let header = "user,arn,password_enabled,password_last_changed,password_last_used,mfa_active";
    let row = "u,arn:aws:iam::1:user/u,true,2025-12-01T00:00:00Z,2026-06-01T00:00:00Z,false\n".to_owned();
    for (rule, told) in [
        ("console-password-not-rotated", true),
        ("console-user-without-mfa", false),
    ] {
        let selection = Selection {
            rules: vec![rule.to_owned()],
            ..Selection::default()
        };
        let program = program(&selection);
        let (_, tally) = evaluate(&program, memory(&[(header, vec![row.clone()])]), 1);
        let newer = tally
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code.name() == "newer-than-as-of");
        assert_eq!(newer, told, "{rule}: {:?}", tally.diagnostics);
    }
}

/// More is odd than is told: which of it does not depend on where blocks begin.
#[test]
fn what_is_told_of_odd_rows_does_not_follow_the_blocks() {
    let header = "user,arn,mfa_active,password_enabled";
    let lines = (0..400).map(|row| match row % 5 {
        0 => format!("u{row},arn:aws:iam::1:user/u{row},perhaps,true\n"),
        1 => format!("u{row},arn:aws:iam::1:us\n"),
        2 => format!("u,{row},arn:aws:iam::1:user/u,{row},true,maybe\n"),
        _ => format!("u{row},arn:aws:iam::1:user/u{row},yes,no\n"),
    });
    let lines: Vec<String> = lines.collect();
    let program = program(&Selection::default());
    let told = |rows: usize| {
        let blocks = lines.chunks(rows).map(<[String]>::concat).collect();
        evaluate(&program, memory(&[(header, blocks)]), 2).1.diagnostics
    };
    let whole = told(lines.len());
    let rows: Vec<_> = whole.iter().filter_map(|diagnostic| diagnostic.row).collect();
    assert!(rows.len() > 150 && rows.is_sorted(), "{rows:?}");
    for rows in [1, 7, 150] {
        assert_eq!(told(rows), whole, "blocks of {rows} rows");
    }
}

/// Rows that were left out, thousands of ragged ones of a block, are counted: a row is where a person finds it.
#[test]
fn rows_are_numbered_as_they_stand_in_the_file() {
    let typed = gsl::parse_rule("IamUser should have mfaActive", &BTreeMap::new()).unwrap();
    let program = Program::new(vec![bound("mfa", typed)]);
    let (good, bad) = (
        "a,arn:aws:iam::1:user/a,false\n",
        "b,arn:aws:iam::1:user/b,what\n",
    );
    let ragged = |count: usize| "x\n".repeat(count);
    let repaired = "c,d,arn:aws:iam::1:user/c,d,false\n";
    let blocks = vec![
        // Rows 1 to 10,003, of which the last three are left out, and so on to 10,009.
        [&ragged(10_003), good, &ragged(2), bad, good, &ragged(1)].concat(),
        // 10,010 and 10,011.
        [bad, repaired].concat(),
        // Another one of which rows are left out: 10,012 to 20,013, then 20,014 to 20,016.
        [&ragged(10_002), repaired, "\"e\ne\"\n", bad].concat(),
        good.to_owned(),
    ];
    let source = || memory(&[("user,arn,mfa_active", blocks.clone())]);
    for threads in [1, 2, 7] {
        let (findings, tally) = evaluate(&program, source(), threads);
        let rows = |status| {
            let of_status = findings.iter().filter(move |finding| finding.status == status);
            of_status.filter_map(|finding| finding.source.row)
        };
        assert_eq!(
            rows(Status::Fail).collect::<Vec<_>>(),
            [10_004, 10_008, 10_011, 20_014, 20_017]
        );
        let unknown: Vec<_> = rows(Status::Undetermined)
            .filter(|row| row % 10_000 > 11)
            .collect();
        assert_eq!(unknown[unknown.len() - 1], 20_016);
        assert_eq!(tally.inputs[0].users, 20_000 + 8);
        let told = tally
            .diagnostics
            .iter()
            .filter(|told| told.code.name() != "ragged-row");
        let told: Vec<_> = told
            .map(|told| (told.row.unwrap_or(0), told.code.name()))
            .collect();
        assert_eq!(
            told,
            [
                (0, "missing-columns"),
                (10_001, "unreadable"),
                (10_007, "bad-cell"),
                (10_010, "bad-cell"),
                (10_011, "repaired-row"),
                (20_014, "repaired-row"),
                (20_015, "line-break"),
                (20_016, "bad-cell"),
            ]
        );
    }
}
