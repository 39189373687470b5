//! Rules and frameworks as data: definitions, parameters, selection, suppressions, and their pages.
//!
//! A rule is a TOML file under `rules/`: its file name is its id, its logic is GSL. A framework is a TOML file under
//! `frameworks/`. `build.rs` embeds both. Nothing here sees a report: `select` gives `BoundRule`s, which the engine
//! evaluates.

mod about_root;
mod alias;
mod bound;
mod catalogue;
mod compliance;
mod custom;
mod definition;
mod document;
mod error;
mod example;
mod filter;
mod fingerprint;
mod fix_template;
mod framework;
mod glob;
mod instruction_text;
mod instructions;
mod lint;
mod owners;
mod owners_file;
mod page;
mod placeholder;
mod satisfiable;
mod select;
mod suppression;
mod suppression_entry;
#[cfg(test)]
mod tests;
mod toml_reader;
mod user_kind;

pub use alias::{Alias, PartlyDecided};
pub use bound::BoundRule;
pub use catalogue::Catalogue;
pub use compliance::compliance;
pub use definition::{Parameter, Remedy, Rule, WeakerWhen};
pub use document::Document;
pub use error::Error;
pub use example::{EXAMPLE_AS_OF, Example};
pub use filter::{Filters, NearMisses, UserToFilter};
pub use fingerprint::rules_sha256;
pub use fix_template::{FixSubject, FixTemplate, KeyFacts, is_user_name};
pub use framework::{Coverage, Framework, Requirement, RuleRef};
pub use instructions::Section;
pub use lint::{Lint, lint, wrong_wildcard};
pub use owners::{OWNER_TAG, Owners};
pub use page::{framework_index, framework_page, rule_index, rule_page, rule_page_fix_first};
pub use select::{Selected, Selection, Setting, WeakenedParameter, select};
pub use suppression::{RuleSuppressions, Subject, Suppressions};
pub use suppression_entry::suppression_entry;
pub use user_kind::{UserKind, is_made_for_api_key, is_of_ses_smtp};
