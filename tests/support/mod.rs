//! What several tests share.

pub(crate) mod naive;
pub(crate) mod pipeline;
pub(crate) mod typed;
