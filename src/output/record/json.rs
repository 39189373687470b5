//! `json`: the record as `credlens.record/v1`.

use super::RecordWriter;
use crate::output::format::{FormatSpec, Readers};

pub(super) const FORMAT: FormatSpec<RecordWriter> = FormatSpec::new(
    "json",
    "one document",
    Readers::Program,
    RecordWriter(|record, _| {
        let json = serde_json::to_string_pretty(record);
        json.expect("invariant: the type has only texts, numbers and lists") + "\n"
    }),
);
