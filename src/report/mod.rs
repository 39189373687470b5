//! What a credential report is.

pub mod schema;
pub mod time;
