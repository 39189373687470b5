//! What holds for every format.

use unicode_width::UnicodeWidthStr as _;

use super::escape::is_harmful;
use super::support::{HOSTILE, hostile, told};
use super::*;
use crate::finding::Suppression;

const REPORTS: [(&str, &[u8]); 2] = [("a.csv", HOSTILE.as_bytes()), ("b.csv", HOSTILE.as_bytes())];

/// Laid out for this width, on a later day.
pub(super) fn settings(width: usize) -> Settings {
    Settings {
        width,
        now: Some("2026-12-25".parse().expect("a time")),
        ..Settings::default()
    }
}

#[test]
fn formats_are_known_by_their_names() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "htm\x1bl".parse::<Format>().unwrap_err();
    assert_eq!(
        error.to_string(),
        r"unknown word 'htm\u{1b}l'; one of table, summary, json, ndjson, csv, markdown"
    );
}

#[test]
fn same_bytes_at_any_number_of_threads() {
    for limit in [0, 1, 3, 50] {
        let settings = Settings {
            limit,
            ..settings(100)
        };
        let one = told(&Format::ALL, settings, &REPORTS, 1);
        for threads in [2, 7] {
            assert_eq!(
                told(&Format::ALL, settings, &REPORTS, threads),
                one,
                "{threads} threads"
            );
        }
    }
}

#[test]
fn nothing_harmful_in_any_format() {
    for format in Format::ALL {
        let text = hostile(format, settings(80));
        let harmful: Vec<char> = text.chars().filter(|&char| is_harmful(char)).collect();
        let only_line_ends = harmful.iter().all(|char| matches!(char, '\n' | '\r'));
        assert!(only_line_ends, "{format}: {harmful:?}");
    }
}

#[test]
fn colour_only_where_it_is_asked_for() {
    for (color, expected) in [(false, false), (true, true)] {
        let settings = Settings {
            color,
            ..settings(80)
        };
        for format in [Format::Table, Format::Summary] {
            assert_eq!(hostile(format, settings).contains('\x1b'), expected, "{format}");
        }
        for format in [Format::Json, Format::Ndjson, Format::Csv, Format::Markdown] {
            assert!(!hostile(format, settings).contains('\x1b'), "{format}");
        }
    }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 119, 120, 200] {
        for format in [Format::Table, Format::Summary] {
            for line in hostile(format, settings(width)).lines() {
                assert!(line.width() <= width, "{format} at {width}: {line}");
            }
        }
    }
}

#[test]
fn the_limit_shows_the_worst_and_counts_the_rest() {
    let settings = Settings {
        limit: 2,
        ..settings(80)
    };
    let text = told(&[Format::Table], settings, &REPORTS, 2).remove(0);
    assert_eq!(text.matches("  critical  fail").count(), 2, "{text}");
    assert!(text.contains("more findings; see all with --limit 12"), "{text}");
}

#[test]
fn no_report_no_findings() {
    let texts = told(&Format::ALL, settings(80), &[], 2);
    assert!(
        texts[0].starts_with("no report could be judged\n"),
        "{}",
        texts[0]
    );
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
    let text = told(&[Format::Table], settings(80), &reports, 2).remove(0);
    let head: Vec<&str> = text.lines().take(12).collect();
    assert_eq!(
        head[0],
        "28 users in 7 reports, judged as of 2026-11-21T00:00:00Z (from the file name),"
    );
    assert!(head[2].starts_with("  a.csv "), "{text}");
    assert!(
        head.iter().any(|line| line.trim_start().starts_with("…x/x/")),
        "{text}"
    );
    assert!(head.contains(&"  and 2 more"), "{text}");
    assert!(
        text.contains("  account 123456789012, row 1 in a.csv\n"),
        "{text}"
    );
    assert!(
        text.contains("9 more diagnostics; --format json tells all"),
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
        words::sayings(&finding)[2],
        r"accepted until 2026-12-31: break glass\x1b (SEC-1)"
    );
}

fn some_finding() -> Finding {
    let line = hostile(Format::Ndjson, settings(80));
    serde_json::from_str(line.lines().next().expect("a finding")).expect("valid JSON")
}
