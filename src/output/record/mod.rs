//! The record of what was done to keys, for auditors, in every format.

mod json;
mod markdown;
#[cfg(test)]
mod tests;

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use crate::remedy::AuditRecord;

/// Writes a record.
#[derive(Clone, Copy, Debug)]
pub struct RecordWriter(fn(&AuditRecord, DisplayOptions) -> String);

impl Formats for RecordWriter {
    const ALL: &'static [FormatSpec<Self>] = &[markdown::FORMAT, json::FORMAT];
}

/// A format of a record.
pub type RecordFormat = &'static FormatSpec<RecordWriter>;

impl FormatSpec<RecordWriter> {
    /// The record in this format.
    pub fn write(&self, record: &AuditRecord, options: DisplayOptions) -> String {
        (self.writer.0)(record, options)
    }
}
