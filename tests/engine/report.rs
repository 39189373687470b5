//! Generates random reports with cells around the values that rules look for.

use chrono::DateTime;
use credlens::gsl::typed::{Expr, TextTest, TimeTest, TypedRule};
use credlens::report::schema::{Column, TextColumn};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::support::naive::Row;
use crate::support::pipeline::AS_OF;

/// A report: its columns, and its rows' cells in that order.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Report {
    pub(super) fn header(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name()).collect();
        names.join(",")
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |cells: &Vec<String>| self.columns.iter().copied().zip(cells.iter().cloned()).collect();
        self.rows.iter().map(row).collect()
    }

    /// The records in blocks of `size`; every third record is quoted.
    pub(super) fn blocks(&self, size: usize) -> Vec<String> {
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

/// Times around those at which the rules' verdicts change, and text that the rules look for.
#[derive(Clone, Debug, Default)]
pub(super) struct Interesting {
    pub(super) times: Vec<String>,
    texts: Vec<String>,
}

impl Interesting {
    pub(super) fn of(rules: &[TypedRule]) -> Self {
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

/// The text without characters that an unquoted cell cannot contain.
fn plain(text: &str) -> String {
    text.replace([',', '"', '\n', '\r'], "")
}

/// Cells of time columns.
pub(super) const TIMES: [&str; 15] = [
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
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn cell(column: Column, interesting: &Interesting) -> impl Strategy<Value = String> + use<> {
    let all = match column {
        Column::Time(_) => {
            let mut times = words(&TIMES);
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
            "arn:aws:iam::111122223333:user/x:root",
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

pub(super) fn report(interesting: Interesting) -> impl Strategy<Value = Report> {
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
