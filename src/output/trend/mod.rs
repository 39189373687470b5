//! The trend of many snapshots, in the formats of `credlens trend`.

mod charts;
mod csv;
mod html;
mod html_parts;
mod json;
mod markdown;
mod phrases;
mod series;
mod table;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use crate::history::trend::TrendDocument;

/// A format of a trend.
pub type TrendFormat = &'static FormatSpec<TrendWriter>;

/// Renders a trend in one format.
pub type TrendWriter = fn(&TrendDocument, DisplayOptions) -> Vec<u8>;

impl Formats for TrendWriter {
    const ALL: &'static [FormatSpec<Self>] = &[
        table::FORMAT,
        json::FORMAT,
        csv::FORMAT,
        markdown::FORMAT,
        html::FORMAT,
    ];
}

/// Writes a trend in one format.
pub fn write_trend(
    format: TrendFormat,
    document: &TrendDocument,
    options: DisplayOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(&(format.writer)(document, options))?;
    out.flush()
}
