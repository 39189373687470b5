//! Properties of every format.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::finding::Suppression;
use crate::output::phrases;
use crate::output::test_support::{HOSTILE, hostile, unescaped, written};

const REPORTS: [(&str, &[u8]); 2] = [("a.csv", HOSTILE.as_bytes()), ("b.csv", HOSTILE.as_bytes())];

/// Laid out for this width, on a later day.
pub(super) fn options(width: usize) -> DisplayOptions {
    DisplayOptions {
        width,
        now: Some("2026-12-25".parse().expect("a time")),
        ..DisplayOptions::default()
    }
}

fn all_formats() -> Vec<Format> {
    // A workbook is not text; the tests beside it read one.
    ScanWriter::ALL
        .iter()
        .filter(|format| format.name != "xlsx")
        .collect()
}

fn table() -> [Format; 1] {
    [Format::default()]
}

#[test]
fn formats_are_known_by_their_names() {
    for format in all_formats() {
        let parsed: Format = format.name.parse().unwrap();
        assert_eq!(parsed.name, format.name);
    }
    let error = "htm\x1bl".parse::<Format>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r"unknown format 'htm\x1bl'; one of table, summary, json, ndjson, csv, markdown, html, requirements, ocsf, asff, sarif, junit, github, xlsx"
    );
}

#[test]
fn same_bytes_at_any_number_of_threads() {
    for limit in [0, 1, 3, 50] {
        let options = DisplayOptions {
            limit,
            ..options(100)
        };
        let one = written(&all_formats(), options, &REPORTS, 1);
        for threads in [2, 7] {
            assert_eq!(
                written(&all_formats(), options, &REPORTS, threads),
                one,
                "{threads} threads"
            );
        }
    }
}

#[test]
fn every_format_escapes_text_of_reports() {
    for format in all_formats() {
        assert_eq!(unescaped(&hostile(format.name, options(80))), "", "{format}");
    }
}

#[test]
fn formats_for_terminals_are_coloured_where_colours_are_wanted() {
    for color in [false, true] {
        let options = DisplayOptions { color, ..options(80) };
        for format in all_formats() {
            let is_colored = hostile(format.name, options).contains('\x1b');
            assert_eq!(is_colored, color && format.is_for_terminals(), "{format}");
        }
    }
}

#[test]
fn summary_alone_shows_no_findings() {
    for format in all_formats() {
        assert_eq!(
            format.shows_findings(false),
            !["summary", "requirements"].contains(&format.name),
            "{format}"
        );
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 119, 120, 200] {
        for format in ["table", "summary"] {
            for line in hostile(format, options(width)).lines() {
                assert!(line.width() <= width, "{format} at {width}: {line}");
            }
        }
    }
}

#[test]
fn the_limit_shows_the_worst_and_counts_the_rest() {
    let options = DisplayOptions {
        limit: 2,
        ..options(80)
    };
    let text = written(&table(), options, &REPORTS, 2).remove(0);
    assert_eq!(text.matches("  critical  fail").count(), 2, "{text}");
    assert!(text.contains("more findings; see all with --limit 12"), "{text}");
}

#[test]
fn no_report_no_findings() {
    let texts = written(&all_formats(), options(80), &[], 2);
    let table = &texts[0];
    assert!(table.starts_with("no report could be evaluated\n"), "{table}");
    let assessment: Assessment = serde_json::from_str(&texts[2]).unwrap();
    assert_eq!(assessment.findings, []);
    assert_eq!(texts[3], "");
}

#[test]
fn many_reports_are_listed_to_a_limit() {
    let records = HOSTILE.as_bytes();
    let long = "x/".repeat(60) + "g.csv";
    let paths = ["a.csv", "b.csv", "c.csv", "d.csv", &long, "f.csv", "g.csv"];
    let reports = paths.map(|path| (path, records));
    let text = written(&table(), options(80), &reports, 2).remove(0);
    let head: Vec<&str> = text.lines().take(12).collect();
    assert_eq!(
        head[..2].join(" "),
        "28 users in 7 reports, evaluated as of 2026-11-21T00:00:00Z (from the file name), 34 days ago"
    );
    assert!(head[2].starts_with("  a.csv "), "{text}");
    assert!(
        head.iter().any(|line| line.trim_start().starts_with("…x/x/")),
        "{text}"
    );
    assert!(head.contains(&"  and 2 more"), "{text}");
    assert!(
        text.contains("  account 123456789012, line 2 in a.csv\n"),
        "{text}"
    );
    assert!(
        text.contains("9 more diagnostics; --format json lists them"),
        "{text}"
    );
}

#[test]
fn users_with_accepted_findings_say_why() {
    let finding = Finding {
        suppression: Some(Suppression {
            reason: "break glass\x1b".to_owned(),
            expires: Some("2026-12-31".to_owned()),
            ticket: Some("SEC-1".to_owned()),
        }),
        ..some_finding()
    };
    assert_eq!(
        phrases::sentences(&finding)[2],
        r"accepted until 2026-12-31: break glass\x1b (SEC-1)"
    );
}

fn some_finding() -> Finding {
    let line = hostile("ndjson", options(80));
    serde_json::from_str(line.lines().next().expect("a finding")).expect("valid JSON")
}
