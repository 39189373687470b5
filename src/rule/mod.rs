//! Rules and frameworks as data: what is judged, with which parameters, how bad it is, why, and how to mend it.
//!
//! A rule is a TOML file under `rules/`, its file name is its id, its logic is GSL; a framework is a TOML file
//! under `frameworks/`. Both are embedded at build time by `build.rs`. Nothing here sees a report: a selection
//! becomes [`BoundRule`]s, which the engine judges by.

mod catalogue;
mod compliance;
mod custom;
mod definition;
mod document;
mod error;
mod example;
mod framework;
mod lint;
mod logic;
mod page;
mod read;
mod select;
mod suppression;
#[cfg(test)]
mod tests;
mod words;

pub use catalogue::Catalogue;
pub use compliance::compliance;
pub use definition::{Parameter, Rule};
pub use document::Document;
pub use error::Error;
pub use example::{EXAMPLE_AS_OF, Example};
pub use framework::{Coverage, Framework, Requirement, RuleRef};
pub use lint::{Lint, lint};
pub use page::{framework_index, framework_page, rule_index, rule_page};
pub use select::{BoundRule, Selected, Selection, Setting, WeakenedParameter, select};
pub use suppression::{RuleSuppressions, Subject, Suppressions};
pub use words::{Remedy, Section, WeakerWhen};
