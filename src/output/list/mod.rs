//! Users, keys or certificates, one per line, in the formats of `credlens list`.
//!
//! [`ListOutputs`] is the engine's sink. A format that streams is written by the workers, item by item; the table is
//! rendered at the end, from as many items as it shows. With a sort order, the lines are collected and written at the end.

mod column;
mod csv;
mod json;
mod lines;
mod names;
mod ndjson;
mod outputs;
mod sort;
mod table;
#[cfg(test)]
mod tests;

pub use column::ListColumn;
pub use json::{AboutList, ListDocument};
pub use outputs::ListOutputs;
pub use sort::SortOrder;

use std::collections::BTreeMap;

use super::DisplayOptions;
use super::format::{FormatSpec, Formats};
use crate::engine::ItemRef;
use crate::finding::{Code, Diagnostic, ListItem, Severity, Tally};
use crate::gsl::typed::Entity;
use crate::report::word::word_enum;

word_enum! {
    /// What is listed.
    pub enum ListKind {
        /// One line for each user.
        Users = "users",
        /// One line for each access key that exists.
        Keys = "keys",
        /// One line for each signing certificate that exists.
        Certificates = "certificates",
    }
}

impl ListKind {
    /// What is listed, as rules name it.
    pub const fn entity(self) -> Entity {
        match self {
            Self::Users => Entity::IamUser,
            Self::Keys => Entity::IamAccessKey,
            Self::Certificates => Entity::IamSigningCertificate,
        }
    }

    /// One of them, in words.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Keys => "access key",
            Self::Certificates => "signing certificate",
        }
    }
}

/// What is listed and how, as it was asked for.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// What is listed.
    pub kind: ListKind,
    /// The condition, as it was given.
    pub condition: Option<String>,
    /// The order; without one, that of inputs and rows.
    pub sort: Option<SortOrder>,
    /// Findings of lower severities do not count.
    pub min_severity: Severity,
}

/// A format of a list.
pub type ItemFormat = &'static FormatSpec<ItemWriter>;

/// How a format of a list is written.
#[derive(Clone, Copy, Debug)]
pub enum ItemWriter {
    /// Item by item.
    Stream(fn() -> Box<dyn ItemStream>),
    /// At the end, from as many items as the options let it show.
    Render(fn(&ListView<'_>) -> String),
}

impl FormatSpec<ItemWriter> {
    /// Whether it shows the evidence of a run, such as the digests of inputs.
    pub fn shows_evidence(&self) -> bool {
        matches!(self.writer, ItemWriter::Stream(start) if start().shows_evidence())
    }
}

impl Formats for ItemWriter {
    const ALL: &'static [FormatSpec<Self>] = &[
        table::FORMAT,
        csv::FORMAT,
        json::FORMAT,
        ndjson::FORMAT,
        names::FORMAT,
    ];
}

/// How a worker writes the items of a format that streams.
pub trait ItemStream: Send {
    /// What comes before the items.
    fn opening(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Appends one item, behind the separator.
    fn item(&mut self, item: &ItemRef<'_>, out: &mut Vec<u8>);

    /// What comes before each item but the first.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// Whether it shows the evidence of a run, such as the digests of inputs.
    fn shows_evidence(&self) -> bool {
        false
    }

    /// Whether only the first item of each user is written.
    fn is_once_per_user(&self) -> bool {
        false
    }

    /// What comes after the items.
    fn ending(&self, _view: &ListView<'_>) -> Vec<u8> {
        Vec::new()
    }
}

/// What is known at the end of a run.
#[derive(Debug)]
pub struct ListView<'a> {
    request: &'a ListRequest,
    tally: &'a Tally,
    /// The items that formats for people show.
    shown: &'a [ListItem],
    counts: &'a ListCounts,
    options: DisplayOptions,
}

/// How many items there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListCounts {
    /// Those that are listed.
    pub listed: u64,
    /// Those of which it is unknown whether they are to be listed, by the path of their input.
    pub unknown: BTreeMap<String, u64>,
    /// Whether of any row it is known.
    pub determined: bool,
    accounts: Accounts,
}

/// Whether the items are of more than one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Accounts {
    has_items: bool,
    /// The account of the first item, by id or else by name; it may be unknown.
    first: Option<Vec<u8>>,
    are_several: bool,
}

impl Accounts {
    fn add(&mut self, account: Option<&[u8]>) {
        if std::mem::replace(&mut self.has_items, true) {
            self.are_several |= self.first.as_deref() != account;
        } else {
            self.first = account.map(<[u8]>::to_vec);
        }
    }

    fn append(&mut self, other: &Self) {
        self.are_several |= other.are_several;
        if other.has_items {
            self.add(other.first.as_deref());
        }
    }
}

impl ListCounts {
    /// How many items were left out because cells are unknown, for each input.
    pub fn diagnostics(&self, request: &ListRequest) -> Vec<Diagnostic> {
        let what = request.kind.singular();
        let why = match (request.kind, &request.condition) {
            (ListKind::Users, _) => "cells that --where reads are unknown",
            (ListKind::Keys | ListKind::Certificates, None) => {
                "cells that say whether they exist are unknown"
            }
            (ListKind::Keys | ListKind::Certificates, Some(_)) => {
                "cells that --where reads, or that say whether they exist, are unknown"
            }
        };
        let diagnostic = |(path, &count): (&String, &u64)| {
            let verb = if count == 1 { "is" } else { "are" };
            let message = format!("{} {verb} left out: {why}", super::counted(count, what));
            Diagnostic::new(Code::NotListed, message).in_path(path)
        };
        self.unknown.iter().map(diagnostic).collect()
    }
}
