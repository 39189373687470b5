//! Findings over time: when each was opened, and when it was resolved.

use std::sync::Arc;

use super::digest::At;
use super::survival::Lengths;
use crate::report::time::Timestamp;

/// An open finding. Whose it is, is kept, since the snapshot that shows it is not.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) rule: u16,
    /// The first snapshot that showed it.
    pub(super) since: Timestamp,
    /// Whether that was the account's first.
    pub(super) at_start: bool,
    pub(super) who: Arc<Who>,
}

/// A user, by name and ARN; each empty where the report does not say.
#[derive(Debug)]
pub(super) struct Who {
    pub(super) user: Box<[u8]>,
    pub(super) arn: Box<[u8]>,
}

impl Who {
    pub(super) fn of(at: At<'_>) -> Arc<Self> {
        Arc::new(Self {
            user: at.name().into(),
            arn: at.arn().into(),
        })
    }
}

/// The episodes of one rule that are over, or began.
#[derive(Clone, Debug, Default)]
pub(super) struct Episodes {
    pub(super) at_start: u64,
    pub(super) opened: u64,
    pub(super) resolved: u64,
    pub(super) lengths: Lengths,
}
