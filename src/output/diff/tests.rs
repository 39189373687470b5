//! A hostile report and a later one, in every format.

use serde_json::{Value, json};

use super::*;
use crate::engine::{self, EmitFilter};
use crate::finding::Status;
use crate::history::{Collector, DiffOptions, Move, diff};
use crate::output::json_text;
use crate::output::schema::{check_committed, schemas};
use crate::output::test_support::{HOSTILE, Memory, OCSF, RULES, SARIF, assert_valid, program, unescaped};
use crate::rule::Filters;
use crate::rule::Owners;

/// Rotated, signed in as root, MFA activated, one user gone, one new, the slots of one swapped.
const LATER: &str = "\
<root_account>,arn:aws:iam::123456789012:root,2019-01-01T00:00:00+00:00,not_supported,2026-11-20T11:00:00+00:00,not_supported,not_supported,true,false,2019-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
=cmd|'/c calc'!A1,arn:aws:iam::123456789012:user/=cmd|'/c calc'!A1,2020-01-01T00:00:00+00:00,true,no_information,2026-10-01T00:00:00+00:00,N/A,true,true,2026-11-20T03:04:05+00:00,N/A,N/A,N/A,false,2026-01-02T03:04:05+00:00,2026-11-20T00:00:00+00:00,eu-west-1,s3,false,N/A,false,N/A
\x1b[2J\u{202e}evil\u{9b}|`x`<script>,arn:aws:iam::123456789012:user/x,2020-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,soon\x07,N/A,N/A,N/A,true,2026-11-20T00:00:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A
\x1b]0;new\x07,arn:aws:iam::123456789012:user/new,2026-11-20T00:00:00+00:00,true,no_information,2026-11-20T00:00:00+00:00,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";

fn written(format: &str, width: usize) -> String {
    grouped(format, width, None)
}

fn grouped(format: &str, width: usize, by: Option<Grouping<'_>>) -> String {
    let program = program(&RULES);
    let mut snapshots = Vec::new();
    let reports = [("o\x1bld.csv", HOSTILE.as_bytes()), ("new.csv", LATER.as_bytes())];
    let statuses = [Status::Fail, Status::Undetermined];
    let options = engine::AssessOptions {
        emit: EmitFilter::new(&statuses, Severity::Informational),
        ..engine::AssessOptions::default()
    };
    let sink = Collector::new(|snapshot| snapshots.push(snapshot));
    let tally = engine::assess(&program, Memory::new(&reports), &sink, options).expect("memory takes all");
    drop(sink);
    let changes = diff(
        &program,
        [&snapshots[0], &snapshots[1]],
        (DiffOptions::default(), &Filters::default()),
        &Workers::one(),
    )
    .expect("one account");
    let diagnostics = [&changes.diagnostics[..], &tally.diagnostics[..]].concat();
    let view = DiffView {
        stale: &[],
        by,
        diff: &changes,
        diagnostics: &diagnostics,
        options: DisplayOptions {
            width,
            ..DisplayOptions::default()
        },
        workers: &Workers::one(),
    };
    let mut out = Vec::new();
    write_diff(format.parse().expect("a format"), &view, &mut out).expect("memory takes all");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn every_format_escapes_text_of_reports() {
    for format in DiffWriter::ALL {
        assert_eq!(unescaped(&written(format.name, 80)), "", "{format}");
    }
}

#[test]
fn committed_schemas_are_those_of_the_types() {
    check_committed::<DiffDocument>("diff.v1", DiffDocument::SCHEMA);
    check_committed::<EventLine>("event.v1", EventLine::SCHEMA);
}

#[test]
fn real_output_is_valid_and_can_be_read_back() {
    let document = written("json", 80);
    schemas::assert_document("diff.v1", &document);
    let read: DiffDocument = serde_json::from_str(&document).unwrap();
    let lines = written("ndjson", 80);
    let mut events = Vec::new();
    for line in lines.lines() {
        schemas::assert_document("event.v1", line);
        events.push(serde_json::from_str::<EventLine>(line).unwrap().event);
    }
    assert_eq!(read.events, events);
    for finding in [read.findings.opened, read.findings.resolved, read.findings.open].concat() {
        let of_serde = String::from_utf8(json_text::to_vec(&finding)).unwrap();
        assert!(document.contains(&of_serde), "{of_serde}");
    }
    assert_eq!(read.old.path.as_deref(), Some("o\x1bld.csv"));
    assert_eq!(
        (read.old.reports, &read.old.accounts[0].path),
        (1, &"o\x1bld.csv".to_owned())
    );
}

#[test]
fn table_at_100_columns() {
    insta::assert_snapshot!(written("table", 100), @r#"
    old  o\x1bld.csv  4 users  2026-11-21T00:00:00Z (from the file name)
    new  new.csv      4 users  2026-11-21T00:00:00Z (from the file name)

    findings: 1 opened (1 high), 3 resolved (1 critical, 2 high), 1 still open (1 medium)

    8 events
      key-deactivated  <root_account>     123456789012  key created 2019-01-01 00:00
      root-used        <root_account>     123456789012  used 2026-11-20 11:00, previously 2026-11-20
                                                        10:00
      mfa-activated    =cmd|'/c calc'!A1  123456789012
      key-created      =cmd|'/c calc'!A1  123456789012  key created 2026-11-20 03:04
      key-deactivated  =cmd|'/c calc'!A1  123456789012  key created 2026-01-02 03:04
      key-rotated      =cmd|'/c calc'!A1  123456789012  key created 2026-01-02 03:04 → 2026-11-20 03:04
      user-created     \x1b]0;new\x07     123456789012  2026-11-20 00:00
      user-deleted     ta,b "東京"        123456789012  was created 2020-01-01 00:00

    1 opened (1 high)
      high  \x1b]0;new\x07  console-user-without-mfa  password
        this user can sign in with only a password

    3 resolved (1 critical, 2 high)
      critical  <root_account>     root-access-key-active    access_key_1
        by key-deactivated
      high      =cmd|'/c calc'!A1  access-key-not-rotated    access_key_1
        by key-deactivated, key-rotated
      high      =cmd|'/c calc'!A1  console-user-without-mfa  password
        by mfa-activated

    warning: new.csv: both reports have the same as-of (2026-11-21T00:00:00Z) [order]
    warning: new.csv, row 3: it is undetermined which keys or certificates of 1 user were created or
      deleted, because cells are unknown [unclear-keys]
    warning: o\x1bld.csv, row 3, access_key_1_last_rotated 'soon\x07': not a valid time; what depends
      on this cell is undetermined [bad-cell]
    warning: o\x1bld.csv, row 4, mfa_active 'maybe': neither true nor false; what depends on this cell
      is undetermined [bad-cell]
    warning: new.csv, row 3, access_key_1_last_rotated 'soon\x07': not a valid time; what depends on
      this cell is undetermined [bad-cell]
    "#);
}

#[test]
fn markdown() {
    insta::assert_snapshot!(written("markdown", 80), @r#"
    # IAM credential reports: what changed

    - Old: `o\x1bld.csv`, 4 users, as of 2026-11-21T00:00:00Z (from the file name)
    - New: `new.csv`, 4 users, as of 2026-11-21T00:00:00Z (from the file name)

    findings: 1 opened (1 high), 3 resolved (1 critical, 2 high), 1 still open (1 medium)

    ## Opened

    | Severity | User | Account | Rule | Credential | What |
    |---|---|---|---|---|---|
    | high | `\x1b]0;new\x07` | `123456789012` | `console-user-without-mfa` | `password` | this user can sign in with only a password |

    ## Resolved

    | Severity | User | Account | Rule | Credential | What |
    |---|---|---|---|---|---|
    | critical | `<root_account>` | `123456789012` | `root-access-key-active` | `access_key_1` | by key-deactivated |
    | high | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | `access-key-not-rotated` | `access_key_1` | by key-deactivated, key-rotated |
    | high | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | `console-user-without-mfa` | `password` | by mfa-activated |

    ## Events

    | Event | User | Account | What |
    |---|---|---|---|
    | key-deactivated | `<root_account>` | `123456789012` | key created 2019-01-01 00:00 |
    | root-used | `<root_account>` | `123456789012` | used 2026-11-20 11:00, previously 2026-11-20 10:00 |
    | mfa-activated | =cmd&#124;'/c calc'&#33;A1 | `123456789012` |  |
    | key-created | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | key created 2026-11-20 03:04 |
    | key-deactivated | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | key created 2026-01-02 03:04 |
    | key-rotated | =cmd&#124;'/c calc'&#33;A1 | `123456789012` | key created 2026-01-02 03:04 → 2026-11-20 03:04 |
    | user-created | `\x1b]0;new\x07` | `123456789012` | 2026-11-20 00:00 |
    | user-deleted | `ta,b "東京"` | `123456789012` | was created 2020-01-01 00:00 |

    ## Diagnostics

    - warning: new.csv: both reports have the same as-of (2026-11-21T00:00:00Z) &#91;order&#93;
    - warning: new.csv, row 3: it is undetermined which keys or certificates of 1 user were created or deleted, because cells are unknown &#91;unclear-keys&#93;
    - warning: o&#92;x1bld.csv, row 3, access\_key\_1\_last\_rotated 'soon&#92;x07': not a valid time; what depends on this cell is undetermined &#91;bad-cell&#93;
    - warning: o&#92;x1bld.csv, row 4, mfa\_active 'maybe': neither true nor false; what depends on this cell is undetermined &#91;bad-cell&#93;
    - warning: new.csv, row 3, access\_key\_1\_last\_rotated 'soon&#92;x07': not a valid time; what depends on this cell is undetermined &#91;bad-cell&#93;
    "#);
}

/// Every finding of the document, with what became of it, in the order of [`Move`].
fn all_findings() -> Vec<(Move, DiffFinding)> {
    let read: DiffDocument = serde_json::from_str(&written("json", 80)).unwrap();
    let findings = read.findings;
    let all = [
        (Move::Opened, findings.opened),
        (Move::Unveiled, findings.unveiled),
        (Move::Resolved, findings.resolved),
        (Move::Open, findings.open),
    ];
    let with = |(which, findings): (Move, Vec<DiffFinding>)| {
        findings.into_iter().map(move |finding| (which, finding))
    };
    all.into_iter().flat_map(with).collect()
}

#[test]
fn ocsf_creates_updates_and_closes_findings() {
    let text = written("ocsf", 80);
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_valid(OCSF, &events);
    let findings = all_findings();
    assert_eq!(events.len(), findings.len());
    for (event, (which, finding)) in events.iter().zip(findings) {
        let (activity, status) = match which {
            Move::Opened | Move::Unveiled => (1, 1),
            Move::Open => (2, 1),
            Move::Resolved => (3, 4),
        };
        let compliance = match finding.after {
            Some(Status::Fail | Status::Suppressed) => 3,
            Some(Status::Undetermined) => 2,
            Some(Status::Pass | Status::Due) | None => 1,
        };
        assert_eq!(event["finding_info"]["uid"], finding.id);
        assert_eq!(
            [&event["activity_id"], &event["type_uid"], &event["status_id"]],
            [activity, 200_300 + activity, status]
        );
        assert_eq!(event["compliance"]["status_id"], compliance);
        assert_eq!(event["unmapped"]["change"], which.name());
        assert_eq!(event["unmapped"]["resolved_by"], json!(finding.resolved_by));
        assert_eq!(event["resources"][0]["data"], json!(finding.dates));
        assert_eq!(event["resources"][0]["uid"], json!(finding.arn));
    }
}

#[test]
fn sarif_says_what_is_new_unchanged_and_absent() {
    let document: Value = serde_json::from_str(&written("sarif", 80)).unwrap();
    assert_valid(SARIF, std::slice::from_ref(&document));
    let run = &document["runs"][0];
    let results = run["results"].as_array().unwrap();
    let findings = all_findings();
    assert_eq!(
        (results.len(), &run["properties"]["leftOut"]),
        (findings.len(), &json!(0))
    );
    for (which, finding) in findings {
        let is_it = |it: &&Value| it["partialFingerprints"]["credlensFindingId/v1"] == *finding.id;
        let result = results.iter().find(is_it).unwrap();
        let baseline = match which {
            Move::Opened | Move::Unveiled => "new",
            Move::Open if finding.before == finding.after => "unchanged",
            Move::Open => "updated",
            Move::Resolved => "absent",
        };
        assert_eq!(result["baselineState"], baseline);
        let path = if which == Move::Resolved {
            "o%1Bld.csv"
        } else {
            "new.csv"
        };
        let location = &result["locations"][0];
        assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], path);
        assert_eq!(
            location["logicalLocations"][0]["fullyQualifiedName"],
            json!(finding.arn)
        );
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], *finding.rule);
    }
    // The worst of what is new comes first, what is gone last.
    let states: Vec<&Value> = results.iter().map(|it| &it["baselineState"]).collect();
    assert_eq!(states.first().copied(), Some(&json!("new")));
    assert_eq!(states.last().copied(), Some(&json!("absent")));
}

#[test]
fn groups_count_every_finding_once() {
    let owners = Owners::default()
        .with_file(b"user,owner\n<root_account>,se|cu\x1brity\n=cmd*,<b>team</b>\n")
        .unwrap();
    for by in [Grouping::Account, Grouping::Path, Grouping::Owner(&owners)] {
        for format in ["table", "markdown"] {
            assert_eq!(unescaped(&grouped(format, 80, Some(by))), "", "{by:?}");
        }
    }
    let markdown = grouped("markdown", 80, Some(Grouping::Owner(&owners)));
    let ranking = "\
## Owners, worst first

| Owner | Opened | Resolved | Still open |
|---|--:|--:|--:|
| no owner known | 1 (1 high) | 0 | 1 |
| se&#124;cu&#92;x1brity | 0 | 1 | 0 |
| `<b>team</b>` | 0 | 2 | 0 |

## no owner known: 1 opened
";
    assert!(markdown.contains(ranking), "{markdown}");
    assert!(markdown.contains("\n## `<b>team</b>`: 2 resolved\n\n| Change | Severity | User | Account |"));
    let ranking = "\
paths, worst first
path                                         opened  resolved  still open
/                                        1 (1 high)         0           1
no path (root, or users without an ARN)           0         1           0
/=cmd|'/                                          0         2           0
";
    let table = grouped("table", 100, Some(Grouping::Path));
    assert!(table.contains(ranking), "{table}");
    // Every finding that changed is shown once.
    let changed = all_findings()
        .iter()
        .filter(|(which, _)| *which != Move::Open)
        .count();
    let rows = markdown.matches("\n| opened |").count() + markdown.matches("\n| resolved |").count();
    assert_eq!(rows, changed);
}
