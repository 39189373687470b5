//! Whether access keys are replaced in time.

use super::document::Rotation;
use crate::report::time::Timestamp;

impl Rotation {
    fn limit(self) -> i64 {
        self.max_age * 86_400
    }

    /// A key that was last seen active then, and is not any more.
    pub(super) fn given_up(&mut self, created: i64, seen: Timestamp, gone: Timestamp) {
        if gone.0 - created <= self.limit() {
            self.in_time += 1;
        } else if seen.0 - created > self.limit() {
            self.late += 1;
        } else {
            self.unclear += 1;
        }
    }

    /// A key that is active at the end.
    pub(super) fn at_end(&mut self, created: i64, last: Timestamp) {
        if last.0 - created > self.limit() {
            self.never += 1;
        } else {
            self.not_due += 1;
        }
    }
}
