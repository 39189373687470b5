//! Counts whether access keys are replaced in time.

use super::document::Rotation;
use crate::report::time::Timestamp;

impl Rotation {
    fn limit(self) -> i64 {
        self.max_age * 86_400
    }

    /// Counts a key that was last seen active at `seen`, and is inactive or gone at `gone`.
    pub(super) fn retired(&mut self, created: i64, seen: Timestamp, gone: Timestamp) {
        if gone.0 - created <= self.limit() {
            self.in_time += 1;
        } else if seen.0 - created > self.limit() {
            self.late += 1;
        } else {
            self.unclear += 1;
        }
    }

    /// Counts a key that is active in the last snapshot.
    pub(super) fn at_end(&mut self, created: i64, last: Timestamp) {
        if last.0 - created > self.limit() {
            self.never += 1;
        } else {
            self.not_due += 1;
        }
    }
}
