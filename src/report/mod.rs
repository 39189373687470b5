//! What a credential report is.

pub mod as_of;
pub mod cut;
pub mod envelope;
pub mod header;
pub mod not_a_report;
pub mod schema;
pub mod time;
