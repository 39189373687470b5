//! The engine against the naive interpreter, on random reports and random rules.

mod runs;

use std::collections::BTreeMap;

use chrono::DateTime;
use credlens::engine::Program;
use credlens::finding::{Finding, Status, Tally};
use credlens::gsl::typed::{Expr, TextTest, TimeTest, TypedRule};
use credlens::report::schema::{Column, Credential, Slot, TextColumn};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::support::naive::{self, Row};
use crate::support::pipeline::{AS_OF, bound, judge, memory};
use crate::support::typed::typed_rule;

/// A report: its columns, and its rows' cells in that order.
#[derive(Clone, Debug)]
struct Report {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Report {
    fn header(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name()).collect();
        names.join(",")
    }

    fn rows(&self) -> Vec<Row> {
        let row = |cells: &Vec<String>| self.columns.iter().copied().zip(cells.iter().cloned()).collect();
        self.rows.iter().map(row).collect()
    }

    /// The records, so many a block; every third is quoted.
    fn blocks(&self, size: usize) -> Vec<String> {
        let lines: Vec<String> = self.rows.iter().enumerate().map(line).collect();
        let mut blocks: Vec<String> = lines.chunks(size).map(<[String]>::concat).collect();
        blocks.push(String::new());
        blocks
    }
}

fn line((number, cells): (usize, &Vec<String>)) -> String {
    let quote = |cell: &String| match number % 3 {
        0 => format!("\"{}\"", cell.replace('"', "\"\"")),
        _ => cell.clone(),
    };
    let cells: Vec<_> = cells.iter().map(quote).collect();
    let end = if number % 5 == 0 { "\r\n" } else { "\n" };
    format!("{}{end}", cells.join(","))
}

/// Times around those at which the rules' verdicts turn, and text that the rules ask for.
#[derive(Clone, Debug, Default)]
struct Interesting {
    times: Vec<String>,
    texts: Vec<String>,
}

impl Interesting {
    fn of(rules: &[TypedRule]) -> Self {
        let mut found = Self::default();
        for rule in rules {
            let parts = [
                rule.relevant.as_ref(),
                Some(&rule.condition),
                rule.exclude.as_ref(),
            ];
            parts.into_iter().flatten().for_each(|expr| found.look(expr));
        }
        found
    }

    fn look(&mut self, expr: &Expr) {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.look(part)),
            Expr::Not(inner) => self.look(inner),
            Expr::Time(_, TimeTest::Before(n, unit) | TimeTest::After(n, unit)) => {
                let cutoff = AS_OF.plus(*n, *unit).0;
                let around =
                    (-1..=1).filter_map(|second| DateTime::from_timestamp(cutoff.checked_add(second)?, 0));
                let written = around.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
                self.times.extend(written.filter(|text| text.len() == 20));
            }
            Expr::Text(_, TextTest::Equals(text) | TextTest::Like(text)) => self.texts.push(plain(text)),
            Expr::Text(_, TextTest::In(texts)) => self.texts.extend(texts.iter().map(|text| plain(text))),
            Expr::Flag(..)
            | Expr::Time(_, TimeTest::IsEmpty)
            | Expr::Text(_, TextTest::Matches(_) | TextTest::IsEmpty)
            | Expr::Difference { .. } => {}
        }
    }
}

/// What an unquoted cell can hold.
fn plain(text: &str) -> String {
    text.replace([',', '"', '\n', '\r'], "")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn cell(column: Column, interesting: &Interesting) -> impl Strategy<Value = String> + use<> {
    let all = match column {
        Column::Time(_) => {
            let mut times = words(&[
                "N/A",
                "n/a",
                "no_information",
                "not_supported",
                "",
                "never",
                " 2025-06-01T00:00:00+02:00 ",
                "2025-11-17",
                "2025-02-30T00:00:00Z",
                "2025-06-01 12:00:00.75",
                "0001-01-01T00:00:00Z",
                "2025-06-01T00:00:00Z",
                "2025-06-01T00:00:59Z",
                "2025-07-01T00:00:00-0000",
                "9999-12-31T23:59:59Z",
            ]);
            times.extend(interesting.times.iter().cloned());
            times
        }
        Column::Flag(_) => words(&[
            "true",
            "false",
            "TRUE",
            " false",
            "not_supported",
            "N/A",
            "",
            "1",
            "true",
            "false",
        ]),
        Column::Text(TextColumn::Arn) => words(&[
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "",
            "N/A",
            "garbage",
            "arn:aws-cn:iam::444455556666:user/path/bob",
        ]),
        Column::Text(_) => {
            let mut texts = words(&[
                "<root_account>",
                "alice",
                "Bob",
                "N/A",
                "",
                "eu-west-1",
                "s3",
                " s3 ",
            ]);
            texts.extend(interesting.texts.iter().cloned());
            texts
        }
    };
    select(all)
}

fn report(interesting: Interesting) -> impl Strategy<Value = Report> {
    let naming = [TextColumn::User, TextColumn::Arn].map(Column::Text);
    let all: Vec<Column> = Column::ALL.to_vec();
    subsequence(all.clone(), all.len() - 4..=all.len())
        .prop_filter("a report names its users", move |columns| {
            naming.iter().any(|name| columns.contains(name))
        })
        .prop_shuffle()
        .prop_flat_map(move |columns| {
            let row: Vec<_> = columns.iter().map(|&column| cell(column, &interesting)).collect();
            (Just(columns), vec(row, 0..140)).prop_map(|(columns, rows)| Report { columns, rows })
        })
}

fn rules_and_report() -> impl Strategy<Value = (Vec<TypedRule>, Report)> {
    vec(typed_rule(), 1..6).prop_flat_map(|rules| {
        let interesting = Interesting::of(&rules);
        (Just(rules), report(interesting))
    })
}

/// Row, rule, credential of a key or certificate, status.
type Verdict = (Option<u64>, usize, Option<Credential>, Status);

fn expected(rules: &[TypedRule], report: &Report) -> Vec<Verdict> {
    let as_of = DateTime::from_timestamp(AS_OF.0, 0).unwrap();
    let mut verdicts = Vec::new();
    let mut folded = BTreeMap::new();
    for (number, row) in report.rows().iter().enumerate() {
        for (position, rule) in rules.iter().enumerate() {
            let lacks = rule.all_columns().iter().any(|column| {
                column != Column::Text(TextColumn::AdditionalCredentials) && !report.columns.contains(&column)
            });
            for &slot in rule.entity.slots() {
                match naive::verdict(rule, slot, row, as_of) {
                    None => {}
                    Some(Status::Undetermined) if lacks => *folded.entry(position).or_insert(0) += 1,
                    Some(status) => {
                        let credential = rule.entity.credential(slot);
                        verdicts.push((Some(number as u64 + 1), position, credential, status));
                    }
                }
            }
        }
    }
    verdicts.extend(
        folded
            .into_keys()
            .map(|position| (None, position, None, Status::Undetermined)),
    );
    verdicts
}

fn actual(findings: &[Finding], rules: &[TypedRule]) -> Vec<Verdict> {
    let verdict = |finding: &Finding| {
        let position: usize = finding.rule.parse().unwrap();
        let is_user = rules[position].entity.credential(Slot::One).is_none();
        let credential = finding.credential.filter(|_| !is_user);
        (finding.source.row, position, credential, finding.status)
    };
    findings.iter().map(verdict).collect()
}

fn program(rules: &[TypedRule]) -> Program {
    let bound = |(position, typed): (usize, &TypedRule)| bound(&position.to_string(), typed.clone());
    Program::new(rules.iter().enumerate().map(bound).collect())
}

fn count(tally: &Tally, position: usize, status: Status) -> u64 {
    let rule = &tally.rules[position];
    match status {
        Status::Fail => rule.failed,
        Status::Undetermined => rule.undetermined,
        Status::Suppressed => rule.suppressed,
        Status::Pass => rule.passed,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_engine_agrees_with_the_naive_interpreter((rules, report) in rules_and_report(), size in 1_usize..70) {
        let program = program(&rules);
        let header = report.header();
        let source = || memory(&[(&header, report.blocks(size))]);
        let (findings, tally) = judge(&program, source(), 1);
        let expected = expected(&rules, &report);
        prop_assert_eq!(&actual(&findings, &rules), &expected);
        for position in 0..rules.len() {
            for status in [Status::Fail, Status::Pass] {
                let verdicts = expected.iter().filter(|verdict| verdict.1 == position && verdict.3 == status);
                prop_assert_eq!(count(&tally, position, status), verdicts.count() as u64);
            }
        }
        prop_assert_eq!(tally.inputs[0].users, report.rows.len() as u64);
        for threads in [2, 7] {
            prop_assert_eq!(judge(&program, source(), threads), (findings.clone(), tally.clone()));
        }
        let whole = memory(&[(&header, report.blocks(usize::MAX))]);
        prop_assert_eq!(judge(&program, whole, 1), (findings, tally));
    }
}
