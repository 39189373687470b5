//! Hostile reports of several dates, in every format.

use super::*;
use crate::engine::{self, Source, SourceEvent};
use crate::finding::AsOfSource;
use crate::history::Collector;
use crate::history::trend::{Trend, TrendOptions};
use crate::output::schema::{check_committed, schemas};
use crate::output::test_support::{HOSTILE, Memory, RULES, program, unescaped};
use crate::report::time::Unit;

/// The hostile report once a month, without its last user and with another account from the second on.
struct Monthly(Memory);

impl Source for Monthly {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let mut event = self.0.next(text)?;
        if let SourceEvent::Block { input, .. } = &mut event {
            let mut later = (**input).clone();
            later.as_of = later
                .as_of
                .plus(i64::try_from(later.id.input).expect("few reports"), Unit::Months);
            later.as_of_source = AsOfSource::Generated;
            *input = std::sync::Arc::new(later);
        }
        Some(event)
    }
}

fn document(by_account: bool) -> TrendDocument {
    let program = program(&RULES);
    let fewer = HOSTILE.rfind("\n\"ta").expect("the last user") + 1;
    let other = HOSTILE[..fewer].replace("123456789012", "012345678901");
    let later = [&HOSTILE[..fewer], &other].concat();
    let reports = [
        ("a.csv", HOSTILE.as_bytes()),
        ("<b>\x1b.csv", later.as_bytes()),
        ("c.csv", later.as_bytes()),
    ];
    let options = TrendOptions {
        by_account,
        ..TrendOptions::default()
    };
    let mut trend = Trend::new(&program, options);
    let source = Monthly(Memory::new(&reports));
    let collector = Collector::new(|snapshot| trend.add(snapshot));
    engine::assess(&program, source, &collector, engine::AssessOptions::default()).expect("memory takes all");
    drop(collector);
    trend.finish()
}

fn written(format: &str, by_account: bool) -> String {
    written_of(format, &document(by_account))
}

fn written_of(format: &str, document: &TrendDocument) -> String {
    let mut out = Vec::new();
    let options = DisplayOptions {
        width: 100,
        ..DisplayOptions::default()
    };
    let format = format.parse().expect("a format");
    write_trend(format, document, options, &mut out).expect("memory takes all");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn every_format_escapes_text_of_reports() {
    for format in TrendWriter::ALL {
        for by_account in [false, true] {
            assert_eq!(unescaped(&written(format.name, by_account)), "", "{format}");
        }
    }
}

#[test]
fn committed_schema_is_that_of_the_type() {
    check_committed::<TrendDocument>("trend.v1", TrendDocument::SCHEMA);
}

#[test]
fn real_output_is_valid_and_can_be_read_back() {
    for by_account in [false, true] {
        let json = written("json", by_account);
        schemas::assert_document("trend.v1", &json);
        let read: TrendDocument = serde_json::from_str(&json).unwrap();
        assert_eq!(read, document(by_account));
    }
}

#[test]
fn the_page_fetches_and_runs_nothing() {
    let page = written("html", true);
    assert!(page.contains("default-src 'none'"));
    let page = page.to_lowercase();
    for forbidden in [
        "<script", "http:", "https:", "src=", "href=\"h", "url(", "@import", " on", "style=\"",
    ] {
        let found = page
            .match_indices(forbidden)
            .find(|(at, _)| !is_word(&page[*at..]));
        assert_eq!(found, None, "{forbidden}");
    }
    assert!(!page.contains("`x`<"), "a user's name is not markup");
}

/// A figure that is unknown in a snapshot is a gap there, never the value of another snapshot.
#[test]
fn unknown_figures_are_gaps() {
    let mut document = document(false);
    for point in &mut document.snapshots[1..] {
        (point.active_keys, point.mfa_coverage, point.key_ages) = (None, None, None);
    }
    let table = written_of("table", &document);
    let line = table
        .lines()
        .find(|line| line.starts_with("active keys"))
        .unwrap();
    assert!(line.trim_end().ends_with("4           –  █"), "{line}");
    assert!(written_of("markdown", &document).contains("| MFA coverage | 33 % | – |"));
    assert!(written_of("html", &document).contains("<b>–</b><span>MFA coverage <i class=\"same\">was 33 %"));
    let csv = written_of("csv", &document);
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    let column = reader
        .headers()
        .unwrap()
        .iter()
        .position(|head| head == "active_keys")
        .unwrap();
    let cells: Vec<_> = reader
        .records()
        .map(|record| record.unwrap()[column].to_owned())
        .collect();
    assert_eq!(cells, ["4", "", ""]);
    schemas::assert_document("trend.v1", &written_of("json", &document));
}

/// Whether " on" begins a word of the text, not a handler.
fn is_word(text: &str) -> bool {
    let end = text[1..]
        .find(|char: char| !char.is_ascii_alphabetic())
        .unwrap_or(0)
        + 1;
    text.starts_with(' ') && !text[end..].trim_start().starts_with('=')
}

#[test]
fn every_record_of_the_csv_has_as_many_cells_as_the_header() {
    let text = written("csv", true);
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let records: Result<Vec<_>, _> = reader.records().collect();
    assert_eq!(records.unwrap().len(), 5);
}

#[test]
fn table() {
    insta::assert_snapshot!(written("table", false), @r"
    3 snapshots from 2026-11-21 to 2027-01-21

                                       2026-11-21  2027-01-21
    critical findings                           1           2  ▅██
    high findings                               2           4  ▅██
    medium findings                             1           2  ▅██
    opened                                      0           0  ▁▁▁
    resolved                                    0           0  ▁▁▁
    users                                       4           6  ▆██
    console users                               3           4  ▆██
    MFA coverage                             33 %        50 %  ▆██
    active keys                                 4           8  ▅██
    keys over 90 days                           2           4  ▅██
    keys over 180 days                          2           4  ▅██
    keys over 365 days                          1           4  ▃▅█
    key age, median, days                     322         383  ▇▇█
    key age, 90th percentile, days          2,881       2,942  ███
    key age, oldest, days                   2,881       2,942  ███
    unused credentials                          0           2  ▁▁█
    dormant users                               0           0  ▁▁▁
    accounts with root use in 90 days           1           2  ▅██

    severity  rule                               at start  opened  resolved  open  median days  p90 days
    critical  root-access-key-active                    2       0         0     2            –         –
    high      access-key-not-rotated                    2       0         0     2            –         –
              (max_age=90)
    high      console-user-without-mfa                  2       0         0     2            –         –
    medium    two-active-access-keys                    2       0         0     2            –         –

    open for longest
      critical  before 2026-11-21  <root_account>             root-access-key-active    123456789012
      high      before 2026-11-21  =cmd|'/c calc'!A1          console-user-without-mfa  123456789012
      high      before 2026-11-21  =cmd|'/c calc'!A1          access-key-not-rotated    123456789012
      medium    before 2026-11-21  \x1b[2J\u{202e}evil\u{9b…  two-active-access-keys    123456789012
      critical  before 2026-12-21  <root_account>             root-access-key-active    012345678901
      high      before 2026-12-21  =cmd|'/c calc'!A1          access-key-not-rotated    012345678901
      high      before 2026-12-21  =cmd|'/c calc'!A1          console-user-without-mfa  012345678901
      medium    before 2026-12-21  \x1b[2J\u{202e}evil\u{9b…  two-active-access-keys    012345678901

    Rotation within 90 days: 0 on time, 0 late; still active: 4 overdue, 2 not due
    ");
}

#[test]
fn markdown() {
    insta::assert_snapshot!(written("markdown", false), @"
    # IAM credential reports: trend

    3 snapshots from 2026-11-21 to 2027-01-21

    ## Figures

    |  | 2026-11-21 | 2027-01-21 |
    |---|--:|--:|
    | critical findings | 1 | 2 |
    | high findings | 2 | 4 |
    | medium findings | 1 | 2 |
    | opened | 0 | 0 |
    | resolved | 0 | 0 |
    | users | 4 | 6 |
    | console users | 3 | 4 |
    | MFA coverage | 33 % | 50 % |
    | active keys | 4 | 8 |
    | keys over 90 days | 2 | 4 |
    | keys over 180 days | 2 | 4 |
    | keys over 365 days | 1 | 4 |
    | key age, median, days | 322 | 383 |
    | key age, 90th percentile, days | 2,881 | 2,942 |
    | key age, oldest, days | 2,881 | 2,942 |
    | unused credentials | 0 | 2 |
    | dormant users | 0 | 0 |
    | accounts with root use in 90 days | 1 | 2 |

    ## Rules

    | severity | rule | at start | opened | resolved | open | median days | p90 days |
    |---|---|--:|--:|--:|--:|--:|--:|
    | critical | `root-access-key-active` | 2 | 0 | 0 | 2 | – | – |
    | high | `access-key-not-rotated (max_age=90)` | 2 | 0 | 0 | 2 | – | – |
    | high | `console-user-without-mfa` | 2 | 0 | 0 | 2 | – | – |
    | medium | `two-active-access-keys` | 2 | 0 | 0 | 2 | – | – |

    ## Open for longest

    | Severity | Since | User | Account | Rule |
    |---|---|---|---|---|
    | critical | before 2026-11-21 | `<root_account>` | `123456789012` | `root-access-key-active` |
    | high | before 2026-11-21 | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | `console-user-without-mfa` |
    | high | before 2026-11-21 | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | `access-key-not-rotated` |
    | medium | before 2026-11-21 | &#92;x1b&#91;2J&#92;u{202e}evil&#92;u{9b}&#124;&#96;x&#96;&#60;script&#62; | `123456789012` | `two-active-access-keys` |
    | critical | before 2026-12-21 | `<root_account>` | `012345678901` | `root-access-key-active` |
    | high | before 2026-12-21 | =cmd&#124;'/c calc'&#33;A1 | `012345678901` | `access-key-not-rotated` |
    | high | before 2026-12-21 | =cmd&#124;'/c calc'&#33;A1 | `012345678901` | `console-user-without-mfa` |
    | medium | before 2026-12-21 | &#92;x1b&#91;2J&#92;u{202e}evil&#92;u{9b}&#124;&#96;x&#96;&#60;script&#62; | `012345678901` | `two-active-access-keys` |

    Rotation within 90 days: 0 on time, 0 late; still active: 4 overdue, 2 not due
    ");
}
