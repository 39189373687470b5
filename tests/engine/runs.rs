//! Whole runs of the engine: diagnostics about rows, row numbers, and failures of the sink.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use credlens::engine::{
    self, AssessOptions, BlockEnd, DeferredInput, FindingRef, Memory, Program, Sink, Source, SourceEvent,
};
use credlens::finding::Status;
use credlens::gsl;
use credlens::rule::{self, Catalogue, Selection};

use crate::support::pipeline::{bound, evaluate, memory};

fn program(selection: &Selection) -> Program {
    let selected = rule::select(&Catalogue::builtin(), selection);
    Program::new(selected.expect("rules that exist").rules)
}

/// Deferred inputs, each of endless blocks.
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
            SourceEvent::Block { input, .. } => Some(SourceEvent::Block {
                input,
                end: BlockEnd::Nothing,
            }),
            other @ (SourceEvent::DeferredBlock { .. }
            | SourceEvent::DeferredInput(_)
            | SourceEvent::LargeBlockAhead
            | SourceEvent::Failed { .. }
            | SourceEvent::PassedOver(_)) => Some(other),
        }
    }
}

/// Accepts a few parts, then fails.
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

/// When the sink fails, no more is read, and no worker waits forever.
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

/// A time after the as-of is reported if a verdict depends on the as-of, whatever columns the rules read.
#[test]
fn a_time_after_the_as_of_is_reported_even_if_no_rule_reads_it() {
    let header = "user,arn,password_enabled,password_last_changed,password_last_used,mfa_active";
    let row = "u,arn:aws:iam::1:user/u,true,2025-12-01T00:00:00Z,2026-06-01T00:00:00Z,false\n".to_owned();
    for (rule, is_reported) in [
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
        assert_eq!(newer, is_reported, "{rule}: {:?}", tally.diagnostics);
    }
}

/// There are more diagnostics than are listed; which ones are listed does not depend on where blocks begin.
#[test]
fn listed_diagnostics_do_not_depend_on_the_blocks() {
    let header = "user,arn,mfa_active,password_enabled";
    let lines = (0..400).map(|row| match row % 5 {
        0 => format!("u{row},arn:aws:iam::1:user/u{row},perhaps,true\n"),
        1 => format!("u{row},arn:aws:iam::1:us\n"),
        2 => format!("u,{row},arn:aws:iam::1:user/u,{row},true,maybe\n"),
        _ => format!("u{row},arn:aws:iam::1:user/u{row},yes,no\n"),
    });
    let lines: Vec<String> = lines.collect();
    let program = program(&Selection::default());
    let diagnostics = |rows: usize| {
        let blocks = lines.chunks(rows).map(<[String]>::concat).collect();
        evaluate(&program, memory(&[(header, blocks)]), 2).1.diagnostics
    };
    let whole = diagnostics(lines.len());
    let rows: Vec<_> = whole.iter().filter_map(|diagnostic| diagnostic.row).collect();
    assert!(rows.len() > 150 && rows.is_sorted(), "{rows:?}");
    for rows in [1, 7, 150] {
        assert_eq!(diagnostics(rows), whole, "blocks of {rows} rows");
    }
}

/// Row numbers include rows that were left out (a block with thousands of ragged ones): people look them up in the file.
#[test]
fn rows_are_numbered_as_in_the_file() {
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
        // Another block with rows that are left out: 10,012 to 20,013, then 20,014 to 20,016.
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
        assert_eq!(tally.inputs[0].users, Some(20_000 + 8));
        let others = tally
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code.name() != "ragged-row");
        let others: Vec<_> = others
            .map(|diagnostic| (diagnostic.row.unwrap_or(0), diagnostic.code.name()))
            .collect();
        assert_eq!(
            others,
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
