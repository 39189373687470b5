//! The rule language.

pub mod typed;
