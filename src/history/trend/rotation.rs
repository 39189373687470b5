//! Whether access keys are replaced in time.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::document::Rotation;
use crate::history::event::known;
use crate::history::snapshot::Snapshot;
use crate::history::users::Held;
use crate::report::cell::Flag;
use crate::report::schema::TimeColumn;
use crate::report::time::Timestamp;

/// The active keys of an account: by user and creation time, when each was last seen so.
#[derive(Clone, Debug, Default)]
pub(super) struct ActiveKeys(HashMap<(u64, i64), Timestamp>);

impl ActiveKeys {
    /// Takes the next snapshot of the account, whose users are these rows. Keys of which it says nothing
    /// stay as they were.
    pub(super) fn next(&mut self, snapshot: &Snapshot, rows: &[u32], rotation: &mut Rotation) {
        let as_of = snapshot.input.as_of;
        let mut unclear = HashSet::new();
        for &row in rows {
            let user = user(snapshot, row);
            for held in snapshot.users.keys(row as usize) {
                match held {
                    Held::Key(key) if key.active == Flag::True => {
                        if let Some(created) = known(key.created) {
                            self.0.insert((user, created.0), as_of);
                        }
                    }
                    Held::Unclear => drop(unclear.insert(user)),
                    Held::Key(_) | Held::Empty => {}
                }
            }
        }
        self.0.retain(|(user, created), seen| {
            let stays = *seen == as_of || unclear.contains(user);
            if !stays {
                rotation.given_up(*created, *seen, as_of);
            }
            stays
        });
    }

    /// Counts what is active at the end.
    pub(super) fn finish(&self, last: Timestamp, rotation: &mut Rotation) {
        #[expect(clippy::iter_over_hash_type, reason = "they are counted, in no order")]
        for (_, created) in self.0.keys() {
            if last.0 - created > rotation.limit() {
                rotation.never += 1;
            } else {
                rotation.not_due += 1;
            }
        }
    }
}

impl Rotation {
    fn limit(self) -> i64 {
        self.max_age * 86_400
    }

    /// A key that was last seen active then, and is not any more.
    fn given_up(&mut self, created: i64, seen: Timestamp, gone: Timestamp) {
        if gone.0 - created <= self.limit() {
            self.in_time += 1;
        } else if seen.0 - created > self.limit() {
            self.late += 1;
        } else {
            self.unclear += 1;
        }
    }
}

/// Distinguishes the users of an account, and a user deleted and made again.
fn user(snapshot: &Snapshot, row: u32) -> u64 {
    let row = row as usize;
    let users = &snapshot.users;
    let who = match users.arn(row) {
        b"" => users.name(row),
        arn => arn,
    };
    let created = users.time(row, TimeColumn::UserCreation);
    xxh3_64_with_seed(who, u64::from_ne_bytes(created.to_ne_bytes()))
}
