//! `json`: one object, `credlens.trend/v1`.

use super::TrendWriter;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text;

pub(super) const FORMAT: FormatSpec<TrendWriter> = FormatSpec {
    name: "json",
    help: "one document",
    readers: Readers::Program,
    writer: |document, _| [json_text::to_vec(document), b"\n".to_vec()].concat(),
};
