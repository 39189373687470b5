//! `docs/diagnostics.md` and the generated parts of `docs/gsl.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use credlens::engine::{self, AssessOptions, Memory, Program};
use credlens::finding::{RuleTally, diagnostics_page};
use credlens::gsl::typed::{Entity, TextSource};
use credlens::gsl::{self, AnyAttribute, attributes};
use credlens::report::schema::Slot;
use credlens::rule::EXAMPLE_AS_OF;
use regex::Regex;

use super::root;
use crate::support::pipeline::bound;

/// Checks that the page has this text; with `UPDATE=1`, writes it.
fn assert_page_is(page: &str, text: &str) {
    let path = root().join(page);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, text).expect("a page");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{page} is out of date: run the tests with UPDATE=1"
    );
}

/// Checks that the part of the page between its markers is this text; with `UPDATE=1`, writes it.
fn assert_part_is(page: &str, name: &str, text: &str) {
    let committed = fs::read_to_string(root().join(page)).expect("a page");
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = committed.split_once(&start).expect("the marker");
    let (_, after) = rest.split_once(&end).expect("the end marker");
    assert_page_is(page, &format!("{before}{start}{text}{end}{after}"));
}

#[test]
fn the_page_of_diagnostics_is_up_to_date() {
    assert_page_is("docs/diagnostics.md", &diagnostics_page());
}

fn kind(attribute: &AnyAttribute) -> &'static str {
    match attribute {
        AnyAttribute::Flag(_) => "flag",
        AnyAttribute::Time(_) => "time",
        AnyAttribute::Text(_) => "text",
    }
}

fn attribute_table() -> String {
    let mut text = "| entity | attribute | type | column |\n|---|---|---|---|\n".to_owned();
    for entity in Entity::ALL {
        for attribute in attributes(entity).filter(|attribute| !attribute.name().starts_with("user.")) {
            let columns: BTreeSet<_> = Slot::ALL.map(|slot| attribute.column(slot).name()).into();
            let part = match attribute {
                AnyAttribute::Text(attribute) => match attribute.column(Slot::One) {
                    TextSource::Cell(_) => "",
                    TextSource::Partition => ": its partition",
                    TextSource::Path => ": its path",
                },
                AnyAttribute::Flag(_) | AnyAttribute::Time(_) => "",
            };
            let columns: Vec<_> = columns.iter().map(|column| format!("`{column}`{part}")).collect();
            let (name, kind) = (attribute.name(), kind(&attribute));
            let _ = writeln!(
                text,
                "| {} | `{name}` | {kind} | {} |",
                entity.name(),
                columns.join(", ")
            );
        }
    }
    text
}

/// What a predicate says of a cell.
fn answer(column: &str, cell: &str, predicate: &str) -> &'static str {
    let typed = gsl::parse_rule(&format!("IamUser should not have {predicate}"), &BTreeMap::new());
    let program = Program::new(vec![bound("question", typed.expect("a rule"))]);
    let report = format!("user,{column}\nalice,{cell}\n");
    let as_of = EXAMPLE_AS_OF.parse().expect("a time");
    let source = Memory::csv("cell.csv", &report, as_of).expect("a report");
    let tally = engine::assess(&program, source, &(), AssessOptions::default()).expect("nothing is written");
    match tally.rules[0] {
        RuleTally { failed: 1, .. } => "yes",
        RuleTally { passed: 1, .. } => "no",
        _ => "unknown",
    }
}

fn answer_table(column: &str, cells: &[&str], predicates: &[&str]) -> String {
    let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let heads = predicates.iter().map(|predicate| format!("`{predicate}`"));
    let mut text = row(std::iter::once("cell".to_owned()).chain(heads).collect());
    let _ = writeln!(text, "|{}", "---|".repeat(predicates.len() + 1));
    for &cell in cells {
        let shown = match cell {
            "" => "(empty)".to_owned(),
            cell => format!("`{cell}`"),
        };
        let answers = predicates
            .iter()
            .map(|predicate| answer(column, cell, predicate).to_owned());
        text += &row(std::iter::once(shown).chain(answers).collect());
    }
    text
}

/// Rules with the mistakes that people make.
const MISTAKES: [&str; 9] = [
    "IamUser should have mfaActiv",
    "IamUser where lastRotated before(-90, 'days') should have mfaActive",
    "IamUser should have passwordLastUsed",
    "IamUser should have passwordLastUsed after(-90, 'day')",
    "IamUser should have passwordLastUsed != null",
    "IamUser should have passwordNextRotation <= 45",
    "IamUser where name = \"alice\" should have mfaActive",
    "IamUser where name like '%root_account%' should have mfaType in('Hardware')",
    "IamUser where not tags contain [key='team'] should have mfaActive",
];

fn mistakes() -> String {
    let shown = MISTAKES.iter().map(|source| {
        let errors = gsl::parse_rule(source, &BTreeMap::new()).expect_err("a mistake");
        gsl::render(None, 1, source, &errors, false)
    });
    format!("```text\n{}\n```\n", shown.collect::<Vec<_>>().join("\n\n"))
}

/// How many lines of the demo the page shows at most; it ends behind a user.
const SCREEN: usize = 52;

/// What a scan of the demo prints, without how long ago that was, which depends on the day.
fn demo() -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_credlens"))
        .args(["scan", "fixtures/demo"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("COLUMNS", "100")
        .output();
    let text = String::from_utf8(output.expect("the program runs").stdout).expect("text");
    let age = Regex::new(r",\s+[\d,]+\s+(second|minute|hour|day)s?\s+ago").expect("a pattern");
    let text = age.replace(&text, "");
    let mut screen: Vec<&str> = text.lines().take(SCREEN).collect();
    while screen.pop().is_some_and(|line| !line.is_empty()) {}
    let last = text.lines().next_back().expect("a last line");
    format!("```text\n{}\n\n  …\n\n{last}\n```\n", screen.join("\n"))
}

#[test]
fn the_docs_show_what_the_demo_prints() {
    assert_part_is("docs/outputs.md", "demo", &demo());
}

#[test]
fn parts_made_from_the_program_are_up_to_date() {
    assert_part_is("docs/gsl.md", "attributes", &attribute_table());
    let times = [
        "2025-10-03T00:00:00Z",
        "2025-10-02T23:59:59Z",
        "N/A",
        "no_information",
        "not_supported",
        "",
        "2026-02-30",
    ];
    let of_time = [
        "passwordLastUsed before(-90, 'days')",
        "passwordLastUsed after(-90, 'days')",
        "passwordLastUsed isEmpty()",
    ];
    assert_part_is(
        "docs/gsl.md",
        "times",
        &answer_table("password_last_used", &times, &of_time),
    );
    let flags = ["true", "FALSE", "N/A", "not_supported", "", "yes"];
    let of_flag = [
        "mfaActive",
        "mfaActive = false",
        "not mfaActive",
        "mfaActive != false",
    ];
    assert_part_is(
        "docs/gsl.md",
        "flags",
        &answer_table("mfa_active", &flags, &of_flag),
    );
    assert_part_is("docs/gsl.md", "errors", &mistakes());
}
