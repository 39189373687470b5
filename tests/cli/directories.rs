//! Files in directories that are not reports: passed over with a note, or an error if they are damaged reports.

use std::fs;
use std::io::Write as _;

use base64::Engine as _;

use super::{Workspace, fixture};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
const ROOT: &str = "<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,N/A,\
    not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
const ALICE: &str = "alice,arn:aws:iam::111122223333:user/alice,2021-01-02T03:04:05+00:00,false,N/A,N/A,N/A,true,\
    false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";

/// A report without a finding by the rules below.
fn report() -> String {
    [HEADER, ROOT, ALICE].join("\n")
}

const PARTS: &str = "not a credential report, but parts of one are in it";

const RULE: &str = "--rule user-without-mfa --as-of 2026-11-21";

/// What is clearly not a report, whatever its name.
fn others() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let wide: Vec<u8> = "\u{feff}# Notes, wide\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(b"# Notes\n").unwrap();
    vec![
        (
            "README.md",
            bytes(&format!("# Reports\n\n```\n{HEADER}\n```\n\nOne a day.\n")),
        ),
        (
            "badge.md",
            bytes("[![Build](https://example.com/x.svg)](https://example.com)\n"),
        ),
        ("notes.txt", bytes("Ask Bob, he knows.\n")),
        (
            "credlens.toml",
            bytes("fail-on = \"never\"\nrule = [\"user-without-mfa\"]\n"),
        ),
        (
            "suppressions.toml",
            bytes("[[suppress]]\nrule = \"user-without-mfa\"\nreason = \"mfa_active\"\n"),
        ),
        ("config.ini", bytes("[default]\nregion = eu-central-1\n")),
        (
            "package.json",
            bytes("{\"name\": \"x\", \"data\": [1], \"schema\": {\"a\": 1}}\n"),
        ),
        ("accounts.json", bytes("[\"111122223333\", \"444455556666\"]\n")),
        ("events.ndjson", bytes("{\"a\": 1}\n{\"b\": [\"c\"]}\n")),
        (
            "outcomes.json",
            bytes("{\"schema\": \"credlens.outcomes/v1\", \"accounts\": []}"),
        ),
        (
            "page.html",
            bytes("<!DOCTYPE html><html><p>mfa_active</p></html>"),
        ),
        ("pom.xml", bytes("<?xml version=\"1.0\"?>\n<project/>\n")),
        ("people.csv", bytes("name,team,mail\nalice,red,a@example.com\n")),
        ("owners.csv", bytes("user,owner\nalice,red\n")),
        (
            "inventory.csv",
            bytes("user,arn,owner\nalice,arn:aws:iam::111122223333:user/alice,red\n"),
        ),
        (
            "cells.csv",
            bytes("id,note\n1,\"two\nlines, with a comma\"\n2,x\n"),
        ),
        (
            "columns.md",
            bytes(&format!(
                "| column |\n|---|\n| {} |\n",
                HEADER.replace(',', " |\n| ")
            )),
        ),
        ("schema.sql", bytes(&format!("create table report ({HEADER});\n"))),
        (
            "fetch.sh",
            bytes("aws iam get-credential-report --query Content # credential-report\n"),
        ),
        (
            "README",
            bytes(&format!("The header is\n{HEADER}\n{ROOT}\nand so on.\n")),
        ),
        (
            "errors.md",
            bytes("When you see\n\n    An error occurred (ReportNotPresent) when calling\n"),
        ),
        ("compose.yaml", bytes("services:\n  web:\n    image: x\n")),
        (
            "instances.json",
            bytes("{\"State\": {\"Code\": 16, \"Name\": \"running\"}}"),
        ),
        (
            "users.json",
            bytes("{\"Users\": [{\"UserName\": \"a\", \"Arn\": \"arn:aws:iam::111122223333:user/a\"}]}"),
        ),
        (
            "logo.png",
            bytes("\u{89}PNG\r\n\u{1a}\n").into_iter().chain([0; 9]).collect(),
        ),
        ("photo.csv", b"\xff\xd8\xff\xe0xxxx".to_vec()),
        ("audit.xlsx", b"PK\x03\x04\x14\0\0\0xl/workbook.xml".to_vec()),
        ("paper.pdf", bytes("%PDF-1.7\n")),
        ("users.db", bytes("SQLite format 3\0rest")),
        ("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec()),
        (".keep-not-hidden/keep", Vec::new()),
        ("gitkeep", Vec::new()),
        ("wide.txt", wide),
        ("notes.md.gz", packed.finish().unwrap()),
    ]
}

/// What is a report that was damaged, or saved in place of one.
#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn damaged() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let one_line = report().replace('\n', "\\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(report().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let mut flipped = packed.clone();
    flipped[0] ^= 4;
    let content = |content: &str| bytes(&serde_json::json!({ "Content": content }).to_string());
    let base64 = base64::engine::general_purpose::STANDARD.encode(report());
    vec![
        ("front-0.txt", bytes(&base64[1..]), PARTS),
        ("front-1.txt", bytes(&base64[2..]), PARTS),
        ("front-2", bytes(&base64[77..]), PARTS),
        ("quoted.b64", bytes(&format!("> {base64}")), PARTS),
        (
            "data.txt",
            bytes(&format!("data:text/csv;base64,{base64}")),
            PARTS,
        ),
        ("front.json", bytes(&format!("ntent\": \"{base64}\"}}")), PARTS),
        (
            "null.json",
            bytes("{\"Content\": null}"),
            "its Content is not text",
        ),
        (
            "other-key.yaml",
            bytes(&format!("Answer: x\nContent: {base64}\n")),
            PARTS,
        ),
        (
            "nuls",
            [
                vec![0; 4096],
                bytes(&format!(
                    "
{ROOT}
{ALICE}
"
                )),
            ]
            .concat(),
            PARTS,
        ),
        (
            "log.txt",
            bytes(&format!("$ aws iam\n{}\n$ exit\nbye\n", report())),
            PARTS,
        ),
        (
            "region.csv",
            bytes("You must specify a region. You can also configure it.\n"),
            "a message of the AWS CLI",
        ),
        (
            "token.txt",
            bytes("Error loading SSO Token: Token for x does not exist\n"),
            "a message of the AWS CLI",
        ),
        (
            "shell.txt",
            bytes("bash: line 1: aws: command not found\n"),
            "a message of the AWS CLI",
        ),
        (
            "none.csv",
            bytes("None\n"),
            "a message of the AWS CLI, not a credential report: 'None'",
        ),
        (
            "login.csv",
            bytes("<!DOCTYPE html><html>Sign in, please</html>"),
            "an HTML page",
        ),
        ("byte.csv.gz", vec![0x1f], "text that starts with"),
        (
            "cut.json",
            bytes("{\"Content\": \"dXNlcixhcm4s"),
            "JSON without a report (EOF",
        ),
        (
            "cut-other.json",
            bytes("{\"a\": [1, 2"),
            "JSON without a report (EOF",
        ),
        (
            "no-content.json",
            bytes("{\"ReportFormat\": \"text/csv\"}"),
            "it has no Content",
        ),
        ("page.json", content("<html></html>"), "an HTML page"),
        (
            "error.json",
            bytes("{\"Error\": {\"Code\": \"Throttling\"}}"),
            "an error of AWS",
        ),
        (
            "started.json",
            bytes("{\"State\": \"STARTED\"}"),
            "the response of 'aws iam generate",
        ),
        ("empty.csv", Vec::new(), "an empty file"),
        ("blank.csv", bytes("\n \n"), "an empty file"),
        ("empty.json", Vec::new(), "an empty file"),
        (
            "half.csv.gz",
            packed[..packed.len() / 2].to_vec(),
            "gzip data is damaged",
        ),
        ("flipped.csv.gz", flipped, "binary data"),
        ("report.csv.bz2", bytes("BZh91AY"), "bzip2 data"),
        ("broken.parquet", b"PAS1\x15\x04\0\0".to_vec(), "binary data"),
        (
            "cli.txt",
            bytes("\nAn error occurred (ReportNotPresent) when calling the GetCredentialReport operation\n"),
            "a message of the AWS CLI",
        ),
        (
            "error.xml",
            bytes("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/\">"),
            "of AWS in XML",
        ),
        (
            "rows.csv",
            bytes(&[ROOT, ALICE].join("\n")),
            "rows of a credential report without its header",
        ),
        ("line.csv", bytes(&one_line), "line breaks are written as \\n"),
        (
            "quoted.txt",
            bytes(&format!("'{one_line}'")),
            "line breaks are written as \\n",
        ),
        (
            "string.json",
            bytes(&serde_json::json!(one_line).to_string()),
            "line breaks are written as \\n",
        ),
        ("line.json", content(&one_line), "line breaks are written as \\n"),
        ("header.csv", bytes(HEADER), "a header without a single user"),
        ("short.csv", bytes(&HEADER[..12]), "a part of the header"),
        ("shorter.csv", bytes("user,arn"), "a part of the header"),
        (
            "pipes.csv",
            bytes(&report().replace(',', "|")),
            "a part of the header",
        ),
        (
            "behind.csv",
            bytes(&format!("As of today\n{}", report())),
            "other lines before the header",
        ),
        ("wide.csv", b"u\0s\0e\0r\0,\0a\0r\0n\0".to_vec(), "damaged UTF-16"),
        (
            "print.txt",
            bytes(&format!("b'{one_line}'\n")),
            "a Python bytes literal",
        ),
        (
            "response.txt",
            bytes(&format!(
                "{{'Content': b'{one_line}', 'ReportFormat': 'text/csv'}}\n"
            )),
            "a Python bytes literal",
        ),
        (
            "default-str.json",
            content(&format!("b'{one_line}'")),
            "a Python bytes literal",
        ),
    ]
}

#[test]
fn what_is_clearly_not_a_report_is_passed_over() {
    let mut place = Workspace::new().file("in/2026-11-20.csv", report());
    for (name, content) in others().into_iter().filter(|(name, _)| !name.starts_with('.')) {
        place = place.file(&format!("in/{name}"), content);
    }
    let count = others().len() - 1;
    let note = format!("{count} files in the directories are not reports and were passed over: in/README, ");
    let run = place.run(format!("scan in {RULE} --format json").as_str());
    run.ends(0, &note).says(&note);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    let run = place.run(format!("scan in {RULE}").as_str());
    run.ends(0, "").says("are not reports and were");
    assert_eq!(run.stderr, "");
    let run = place.run(format!("scan in {RULE} --format csv -q").as_str());
    run.ends(0, "");
    assert_eq!(run.stderr, "");
    let run = place.run(format!("scan in {RULE} --format csv -v").as_str());
    for (name, _) in others().iter().filter(|(name, _)| !name.starts_with('.')) {
        run.ends(0, &format!("note: in/{name}: passed over: "));
    }
}

/// Each of them alone: the exit status and the message do not depend on others.
#[test]
fn what_is_named_or_alone_is_an_error() {
    for (name, content) in others() {
        let place = Workspace::new().file(&format!("in/{name}"), content);
        let args = format!("scan in {RULE} --format csv");
        if name.starts_with('.') {
            place.run(args.as_str()).ends(3, "contains no files");
            continue;
        }
        let all = "error: nothing in the directories is a report; 1 file was passed over: in/";
        place.run(args.as_str()).ends(3, all);
        let run = place.run(["scan", &format!("in/{name}"), "--format", "csv"]);
        run.ends(3, &format!("error: in/{name}: "));
        let place = place.file("2026-11-20.csv", report());
        let args = format!("scan 2026-11-20.csv in/{name} {RULE} --format csv");
        place.run(args.as_str()).ends(4, &format!("error: in/{name}: "));
    }
}

#[test]
fn damaged_reports_are_errors_wherever_they_are_found() {
    for (name, content, message) in damaged() {
        let place = Workspace::new()
            .file("in/2026-11-20.csv", report())
            .file(&format!("in/{name}"), content);
        let run = place.run(format!("scan in {RULE} --format csv").as_str());
        run.ends(4, &format!("error: in/{name}: ")).ends(4, message);
        assert!(!run.stderr.contains("passed over"), "{name}: {}", run.stderr);
        let run = place.run(["scan", &format!("in/{name}")]);
        assert!(run.status == 3 || name == "half.csv.gz", "{name}: {run:#?}");
    }
}

#[test]
fn our_own_outputs_are_passed_over() {
    let place = Workspace::with(&["csv.csv"]);
    let text = place.read("csv.csv");
    let place = Workspace::new()
        .file("in/2026-11-20.csv", &text)
        .file("in/2026-11-21.csv", &text);
    let scan = "scan in --format table=in/table.txt --format summary=in/summary.txt --format json=in/a.json \
        --format ndjson=in/a.ndjson --format csv=in/a.csv --format markdown=in/a.md";
    place.run(scan).ends(1, "");
    let trend = "trend in --format html=in/t.html --format csv=in/t.csv --format json=in/t.json \
        --format markdown=in/t.md --format table=in/t.txt";
    place
        .run(trend)
        .ends(0, "6 files in the directories are not reports");
    let diff = "diff in/2026-11-20.csv in/2026-11-21.csv --format json=in/d.json --format ndjson=in/d.ndjson \
        --format markdown=in/d.md --format table=in/d.txt";
    assert_eq!(place.run(diff).status, 0);
    let run = place.run("scan in --format json -v");
    run.ends(1, "15 files in the directories are not reports");
    run.ends(1, "note: in/a.csv: passed over: an output of credlens");
    run.ends(1, "note: in/t.csv: passed over: an output of credlens");
}

#[test]
fn trend_passes_over_the_same_files() {
    let place = Workspace::new()
        .file("in/2026-11-19.csv", report())
        .file("in/2026-11-20.csv", report())
        .file("in/README.md", "# Reports\n");
    let run = place.run(format!("trend in --format json {}", &RULE[..23]).as_str());
    run.ends(
        0,
        "1 file in the directories is not a report and was passed over: in/README.md",
    );
    let place = Workspace::new().file("in/README.md", "# Reports\n");
    place
        .run("trend in")
        .ends(3, "nothing in the directories is a report");
    let place = Workspace::new()
        .file("in/2026-11-20.csv", report())
        .file("README.md", "# Reports\n");
    place
        .run("trend in README.md")
        .ends(4, "error: README.md: text that starts");
}

/// Files that cannot be opened may be reports.
#[cfg(unix)]
#[test]
fn what_cannot_be_opened_is_an_error() {
    let place = Workspace::new().file("in/2026-11-20.csv", report());
    std::os::unix::fs::symlink("nowhere", place.path("in/stale.md")).unwrap();
    let run = place.run(format!("scan in {RULE} --format csv").as_str());
    run.ends(4, "error: in/stale.md: cannot be opened");
}

/// The report of the fixtures, beside a note, at any number of threads and in one survey with copies.
#[test]
fn notes_do_not_depend_on_threads() {
    let text = fs::read(fixture("csv.csv")).unwrap();
    let mut place = Workspace::new();
    for number in 0..20 {
        place = place.file(&format!("in/{number:02}.csv"), &text);
        place = place.file(&format!("in/{number:02}.md"), "# Notes\n");
    }
    let scan = |threads: &str| {
        let args = format!("scan in --all-snapshots --as-of 2026-11-21 --format json --threads {threads}");
        let run = place.run(args.as_str());
        run.ends(1, "20 files in the directories are not reports and were passed over: in/00.md, in/01.md, in/02.md and 17 more");
        (run.stdout, run.stderr)
    };
    assert_eq!(scan("1"), scan("7"));
}
