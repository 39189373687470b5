use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::engine::{self, AssessOptions, EmitFilter, Program};
use crate::finding::{Severity, Status};
use crate::gsl;
use crate::output::json_text::to_vec;
use crate::output::schema::{check_committed, schemas};
use crate::output::test_support::{self, HOSTILE, Memory, NAMED, RULES, unescaped};

fn request(kind: ListKind, condition: Option<&str>, sort: Option<&str>) -> ListRequest {
    ListRequest {
        kind,
        condition: condition.map(str::to_owned),
        sort: sort.map(|text| text.parse().expect("an order")),
        min_severity: Severity::Informational,
    }
}

fn program(request: &ListRequest) -> Program {
    let entity = request.kind.entity();
    let condition = request.condition.as_deref();
    let condition = condition.map(|text| gsl::parse_condition(entity, text).expect("a condition"));
    test_support::program(&RULES).with_listing(entity, condition.as_ref())
}

/// The reports in this format.
fn listed(
    format: &str,
    request: &ListRequest,
    options: DisplayOptions,
    reports: &[(&str, &[u8])],
) -> (String, ListCounts) {
    let program = program(request);
    let format: ItemFormat = format.parse().expect("a format");
    let outputs = ListOutputs::new(vec![(format, Vec::new())], request.clone(), &program, options);
    let assess = AssessOptions {
        threads: 2,
        emit: EmitFilter::new(&[Status::Fail], Severity::Informational),
        ..AssessOptions::default()
    };
    let tally = engine::assess(&program, Memory::new(reports), &outputs, assess).expect("memory takes all");
    let counts = outputs.counts();
    let text = outputs.finish(&tally).expect("memory takes all").remove(0);
    (String::from_utf8(text).expect("UTF-8"), counts)
}

const REPORTS: [(&str, &[u8]); 2] = [
    ("hos\x1btile.csv", HOSTILE.as_bytes()),
    (NAMED, HOSTILE.as_bytes()),
];

fn hostile(format: &str, request: &ListRequest) -> String {
    listed(format, request, DisplayOptions::default(), &REPORTS).0
}

#[test]
fn nothing_that_must_be_escaped_is_written() {
    for kind in ListKind::ALL {
        for format in ItemWriter::ALL {
            for sort in [None, Some("user"), Some("-age")] {
                let text = hostile(format.name, &request(kind, None, sort));
                assert_eq!(unescaped(&text), "", "{kind} {format}");
            }
        }
    }
}

#[test]
fn lines_are_those_of_serde_and_can_be_read_back() {
    for kind in ListKind::ALL {
        let lines = hostile("ndjson", &request(kind, None, None));
        let document = hostile("json", &request(kind, None, None));
        let document: ListDocument = serde_json::from_str(&document).expect("a document");
        let mut of_serde = Vec::new();
        for line in lines.lines() {
            let item: ListItem = serde_json::from_str(line).expect("a line");
            assert_eq!(String::from_utf8(to_vec(&item)).expect("UTF-8"), line);
            of_serde.push(item);
        }
        assert_eq!(document.items, of_serde, "{kind}");
        assert_eq!(document.about.listed, of_serde.len() as u64);
    }
}

/// What the schema describes: a document, and a line of NDJSON.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is of interest")]
enum ListSchema {
    Document(ListDocument),
    Line(ListItem),
}

#[test]
fn real_output_is_valid() {
    check_committed::<ListSchema>("list.v1", ListItem::SCHEMA);
    for kind in ListKind::ALL {
        schemas::assert_document("list.v1", &hostile("json", &request(kind, None, Some("-idle"))));
        for line in hostile("ndjson", &request(kind, None, None)).lines() {
            schemas::assert_document("list.v1", line);
        }
    }
}

#[test]
fn csv_has_the_members_of_a_line_and_no_formulas() {
    let text = hostile("csv", &request(ListKind::Users, None, None));
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let heads: Vec<String> = reader
        .headers()
        .expect("a header")
        .iter()
        .map(str::to_owned)
        .collect();
    let line = hostile("ndjson", &request(ListKind::Users, None, None));
    let line: serde_json::Value = serde_json::from_str(line.lines().next().expect("a line")).expect("a line");
    let members = line.as_object().expect("an object");
    for head in &heads {
        let member = head
            .strip_prefix("source_")
            .map_or(members.get(head.as_str()), |member| members["source"].get(member));
        assert!(member.is_some(), "{head}");
    }
    assert_eq!(
        heads.len(),
        members.len(),
        "source is two columns, and no column has the schema"
    );
    let records: Vec<::csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("records");
    assert_eq!(records.len(), 8);
    assert_eq!(&records[1][2], "'=cmd|'/c calc'!A1");
    assert_eq!(&records[3][2], "ta,b \"東京\"");
}

#[test]
fn each_user_is_named_once() {
    let report = "\
a,arn:aws:iam::111122223333:user/a,2020-01-01,false,N/A,N/A,N/A,false,true,2020-01-01,N/A,N/A,N/A,true,2021-01-01,N/A,N/A,N/A,false,N/A,false,N/A
b,arn:aws:iam::111122223333:user/b,2020-01-01,false,N/A,N/A,N/A,false,true,2020-06-01,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
a,arn:aws:iam::444455556666:user/a,2020-01-01,false,N/A,N/A,N/A,false,true,2019-01-01,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";
    let reports: [(&str, &[u8]); 1] = [("r.csv", report.as_bytes())];
    let names = |sort| {
        let request = request(ListKind::Keys, None, sort);
        listed("names", &request, DisplayOptions::default(), &reports).0
    };
    assert_eq!(names(None), "a\nb\na\n");
    assert_eq!(names(Some("created")), "a\na\nb\n");
    assert_eq!(names(Some("-created")), "a\nb\na\n");
}

#[test]
fn what_is_unknown_is_left_out_and_counted() {
    let condition = request(ListKind::Keys, Some("lastRotated before(-1, 'days')"), None);
    let (text, counts) = listed("names", &condition, DisplayOptions::default(), &REPORTS[..1]);
    assert_eq!(text, "<root_account>\n=cmd|'/c calc'!A1\n");
    assert_eq!(counts.listed, 2);
    assert!(counts.determined);
    let diagnostics = counts.diagnostics(&condition);
    assert_eq!(
        diagnostics[0].message,
        "1 access key is left out: cells that --where reads, or that say whether they exist, are unknown"
    );
}

#[test]
fn no_row_of_a_table_is_wider_than_the_terminal() {
    for width in [40, 80, 120, 200] {
        let options = DisplayOptions {
            width,
            ..DisplayOptions::default()
        };
        for kind in ListKind::ALL {
            let (text, _) = listed(
                "table",
                &request(kind, None, Some("-findings")),
                options,
                &REPORTS,
            );
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line:?}");
            }
        }
    }
}

#[test]
fn a_table_shows_the_first_of_the_order() {
    let options = |limit| DisplayOptions {
        limit,
        ..DisplayOptions::default()
    };
    for sort in [None, Some("age"), Some("-user"), Some("severity")] {
        let request = request(ListKind::Users, None, sort);
        let (all, _) = listed("table", &request, options(usize::MAX), &REPORTS[..1]);
        let (two, _) = listed("table", &request, options(2), &REPORTS[..1]);
        let rows = |text: &str| -> Vec<String> {
            let after = text.lines().skip_while(|line| !line.contains("  active"));
            let rows = after
                .skip(1)
                .take_while(|line| !line.is_empty() && !line.starts_with('…'));
            // What fits beside the user differs.
            rows.map(|line| line.split_whitespace().next().unwrap_or_default().to_owned())
                .collect()
        };
        assert_eq!(rows(&all).len(), 4, "{all}");
        assert_eq!(rows(&two), rows(&all)[..2], "{sort:?}");
        assert!(two.contains("… and 2 more users (--limit 4 shows all)"), "{two}");
    }
}
