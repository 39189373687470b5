//! `json`: one object, `credlens.trend/v1`.

use super::TrendWriter;
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text;

pub(super) const FORMAT: FormatSpec<TrendWriter> =
    FormatSpec::new("json", "one document", Readers::Program, |document, _| {
        [json_text::to_vec(document), b"\n".to_vec()].concat()
    });
