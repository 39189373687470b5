//! A trend -> bytes: table with sparklines, json (`credlens.trend/v1`), csv (one snapshot a record), markdown,
//! html (one page without network and script).

mod charts;
mod csv;
mod html;
mod lines;
mod markdown;
mod series;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use super::{Settings, escape, json_text};
use crate::history::trend::TrendDocument;

/// A form in which a trend is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrendFormat {
    /// First and last figures with sparklines, rules and the oldest findings, for people at a terminal.
    Table,
    /// One object, `credlens.trend/v1`.
    Json,
    /// One snapshot a record, for spreadsheets.
    Csv,
    /// The same as the table for pull requests and wikis.
    Markdown,
    /// One page with charts.
    Html,
}

impl TrendFormat {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Table, Self::Json, Self::Csv, Self::Markdown, Self::Html];

    /// The word on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }
}

impl fmt::Display for TrendFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The word names no format of a trend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{}'; one of {}", escape(.0), TrendFormat::ALL.map(TrendFormat::name).join(", "))]
pub struct UnknownTrendFormat(String);

impl FromStr for TrendFormat {
    type Err = UnknownTrendFormat;

    fn from_str(word: &str) -> Result<Self, UnknownTrendFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == word);
        found.ok_or_else(|| UnknownTrendFormat(word.to_owned()))
    }
}

/// Writes a trend in one format.
pub fn write_trend(
    format: TrendFormat,
    document: &TrendDocument,
    settings: Settings,
    out: &mut dyn Write,
) -> io::Result<()> {
    let bytes = match format {
        TrendFormat::Table => table::render(document, settings).into_bytes(),
        TrendFormat::Json => {
            let mut text = Vec::new();
            json_text::write(document, &mut text);
            text.push(b'\n');
            text
        }
        TrendFormat::Csv => csv::render(document),
        TrendFormat::Markdown => markdown::render(document, settings).into_bytes(),
        TrendFormat::Html => html::render(document, settings).into_bytes(),
    };
    out.write_all(&bytes)?;
    out.flush()
}
