//! What several tests share.

pub(crate) mod naive;
pub(crate) mod pipeline;
pub(crate) mod schemas;
pub(crate) mod typed;
