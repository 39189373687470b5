//! Since when keys are inactive, as earlier snapshots show.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::engine::{Block, FindingRef, Sink};
use crate::report::cell::{self, Flag};
use crate::report::schema::{ACCESS_KEY, Column, ColumnSet, Slot, TextColumn};
use crate::report::time::Timestamp;

/// A key: its user and its creation time, which never moves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyIdentity {
    /// The account's id; none where the report does not say.
    pub account: Option<String>,
    /// The user's name.
    pub user: String,
    /// When the key was created.
    pub created: Timestamp,
}

/// Whether the key was inactive, by instant.
type States = BTreeMap<Timestamp, bool>;

/// What snapshots show of keys.
pub type InactiveKeys = BTreeMap<KeyIdentity, Inactive>;

/// Since when a key is inactive, as snapshots show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inactive {
    /// The snapshots at the end in which it was inactive, from the first on; none if it is not inactive in the last one.
    pub times: Vec<Timestamp>,
    /// The last snapshot in which it was active, or that does not say.
    pub last_active: Option<Timestamp>,
}

/// The engine's sink that notes the states of some keys in many snapshots.
#[derive(Debug)]
pub struct KeyHistory {
    wanted: BTreeSet<KeyIdentity>,
    states: Mutex<BTreeMap<KeyIdentity, States>>,
}

impl KeyHistory {
    /// Notes the states of these keys.
    pub fn of(wanted: BTreeSet<KeyIdentity>) -> Self {
        Self {
            wanted,
            states: Mutex::default(),
        }
    }

    /// Since when the keys are inactive without a break, up to the last snapshot that has them. A snapshot that does not say
    /// whether a key is active proves nothing: it ends the time.
    pub fn inactive(self) -> InactiveKeys {
        let states = self.states.into_inner().unwrap_or_else(PoisonError::into_inner);
        let since = states.into_iter().map(|(key, states)| {
            let inactive = states.iter().rev().take_while(|(_, is_inactive)| **is_inactive);
            let mut times: Vec<Timestamp> = inactive.map(|(time, _)| *time).collect();
            times.reverse();
            let active = states.iter().rev().find(|(_, is_inactive)| !**is_inactive);
            let last_active = active.map(|(time, _)| *time);
            (key, Inactive { times, last_active })
        });
        since.collect()
    }
}

impl Sink for KeyHistory {
    type Part = Vec<(KeyIdentity, Timestamp, bool)>;

    fn part(&self) -> Self::Part {
        Vec::new()
    }

    fn columns(&self) -> ColumnSet {
        let active = ACCESS_KEY.active.map(Column::Flag);
        let created = ACCESS_KEY.last_rotated.map(Column::Time);
        active.into_iter().chain(created).collect()
    }

    fn rows(&self, part: &mut Self::Part, block: Block<'_>) {
        let Block { chunk, input, .. } = block;
        for row in (0..chunk.rows.len()).filter(|&row| block.is_selected(row)) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let Some(user) = chunk.text(&input.header, row, TextColumn::User).map(text) else {
                continue;
            };
            for slot in Slot::ALL {
                let times = &chunk.times(ACCESS_KEY.last_rotated[slot as usize]).cells;
                let flags = &chunk.flags(ACCESS_KEY.active[slot as usize]).cells;
                let Some(created) = times.get(row).and_then(|&time| cell::known(time)) else {
                    continue;
                };
                let key = KeyIdentity {
                    account: chunk.account(&input.header, row).map(text),
                    user: user.clone(),
                    created,
                };
                if self.wanted.contains(&key) {
                    let is_inactive = flags.get(row) == Some(&Flag::False);
                    part.push((key, input.as_of, is_inactive));
                }
            }
        }
    }

    fn takes_findings(&self) -> bool {
        false
    }

    fn finding(&self, _: &mut Self::Part, _: &FindingRef<'_>) {}

    fn accept(&self, part: &mut Self::Part) -> io::Result<()> {
        let mut all = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, time, is_inactive) in part.drain(..) {
            let state = all.entry(key).or_default().entry(time).or_insert(true);
            *state &= is_inactive;
        }
        Ok(())
    }
}
