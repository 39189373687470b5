//! `json`: one object, `credlens.list/v1`: the items, one per line, then what was asked for and what was read.

use serde::{Deserialize, Serialize};

use super::ndjson::write_object;
use super::{ItemStream, ItemWriter, ListKind, ListView};
use crate::engine::ItemRef;
use crate::finding::{Diagnostic, Evidence, GivenFilters, InputTally, ListItem, RuleTally};
use crate::output::format::{FormatSpec, Readers};
use crate::output::json_text::to_vec;

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "json",
    "one document",
    Readers::Program,
    ItemWriter::Stream(|| Box::new(Elements)),
);

/// A list as a document: `credlens.list/v1`, with the lines in `items`.
///
/// A run does not build it but writes it item by item; the type is for reading one back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListDocument {
    /// Always `credlens.list/v1`.
    #[cfg_attr(test, schemars(extend("const" = ListItem::SCHEMA)))]
    pub schema: String,
    /// The users, keys or certificates, in the order of inputs and rows, or sorted.
    pub items: Vec<ListItem>,
    /// Everything else.
    #[serde(flatten)]
    pub about: AboutList,
}

/// What a list is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AboutList {
    /// What is listed.
    pub list: ListKind,
    /// The condition that chose them, as it was given; null without one.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// The column by which they are sorted, with `-` in front if descending; null without one.
    pub sort: Option<String>,
    /// How many items there are.
    pub listed: u64,
    /// How many were left out, because cells are unknown that say whether they belong in the list.
    pub unknown: u64,
    /// The as-of of all inputs; null where they differ.
    pub as_of: Option<String>,
    /// The inputs that could be read, in order.
    pub inputs: Vec<InputTally>,
    /// The filters that chose the users; empty if all are evaluated.
    pub filters: GivenFilters,
    /// What ran.
    #[serde(default)]
    pub evidence: Evidence,
    /// The rules whose findings are counted, with the counts of all evaluated users.
    pub rules: Vec<RuleTally>,
    /// The diagnostics, in order.
    pub diagnostics: Vec<Diagnostic>,
}

impl AboutList {
    fn new(view: &ListView<'_>) -> Self {
        let (request, counts, tally) = (view.request, view.counts, view.tally);
        Self {
            list: request.kind,
            condition: request.condition.clone(),
            sort: request.sort.map(|order| order.to_string()),
            listed: counts.listed,
            unknown: counts.unknown.values().sum(),
            as_of: tally.as_of.clone(),
            inputs: tally.inputs.clone(),
            filters: tally.filters.clone(),
            evidence: tally.evidence.clone(),
            rules: tally.rules.clone(),
            diagnostics: tally.diagnostics.clone(),
        }
    }
}

/// Writes items as elements of an array.
#[derive(Debug)]
struct Elements;

impl ItemStream for Elements {
    /// The object's beginning, up to the first item.
    fn opening(&self) -> Vec<u8> {
        format!(r#"{{"schema":"{}","items":["#, ListItem::SCHEMA).into_bytes()
    }

    fn shows_evidence(&self) -> bool {
        true
    }

    fn separator(&self) -> &'static [u8] {
        b","
    }

    fn item(&mut self, item: &ItemRef<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\n");
        write_object(item, out);
    }

    /// The object's rest.
    fn ending(&self, view: &ListView<'_>) -> Vec<u8> {
        let text = to_vec(&AboutList::new(view));
        let members = text.strip_prefix(b"{").unwrap_or(&text);
        [b"\n],\n", members, b"\n"].concat()
    }
}
