//! Findings over time: when each was opened, and when it was resolved.

use std::collections::{HashMap, HashSet};

use super::survival::Lengths;
use crate::finding::Status;
use crate::history::snapshot::{Found, Snapshot};
use crate::report::time::Timestamp;

/// An open finding. Its name is kept, since the snapshot that shows it is not.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) rule: u16,
    /// The first snapshot that showed it.
    pub(super) since: Timestamp,
    /// Whether that was the account's first.
    pub(super) at_start: bool,
    pub(super) user: Box<[u8]>,
    pub(super) arn: Box<[u8]>,
}

/// The episodes of one rule that are over, or began.
#[derive(Clone, Debug, Default)]
pub(super) struct Episodes {
    pub(super) at_start: u64,
    pub(super) opened: u64,
    pub(super) resolved: u64,
    pub(super) lengths: Lengths,
}

/// What is followed of one account.
#[derive(Clone, Debug, Default)]
pub(super) struct Followed {
    pub(super) last: Option<Timestamp>,
    pub(super) open: HashMap<u128, Open>,
}

/// Opened and resolved since the snapshot before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) opened: u64,
    pub(super) resolved: u64,
}

impl Followed {
    /// Takes the next snapshot of the account, whose users are these rows.
    pub(super) fn next(&mut self, snapshot: &Snapshot, rows: &[u32], episodes: &mut [Episodes]) -> Moved {
        let as_of = snapshot.input.as_of;
        let at_start = self.last.replace(as_of).is_none();
        let found = rows.iter().flat_map(|&row| snapshot.found_of(row));
        let (failing, others): (Vec<&Found>, Vec<&Found>) =
            found.partition(|found| found.status == Status::Fail);
        let mut stays: HashSet<u128> = others
            .into_iter()
            .filter(|found| found.status == Status::Undetermined)
            .map(|found| found.id.0)
            .collect();
        stays.extend(failing.iter().map(|found| found.id.0));
        let mut moved = Moved::default();
        self.open.retain(|id, open| {
            let is_open = stays.contains(id) || snapshot.folded.contains(&open.rule);
            if !is_open {
                let rule = &mut episodes[usize::from(open.rule)];
                rule.resolved += 1;
                moved.resolved += 1;
                if !open.at_start {
                    rule.lengths.ended(as_of.0 - open.since.0);
                }
            }
            is_open
        });
        for found in failing {
            self.open.entry(found.id.0).or_insert_with(|| {
                let rule = &mut episodes[usize::from(found.rule)];
                if at_start {
                    rule.at_start += 1;
                } else {
                    rule.opened += 1;
                    moved.opened += 1;
                }
                open(snapshot, found, at_start)
            });
        }
        moved
    }

    /// Counts what is open at the end for as long as it was seen.
    pub(super) fn finish(&self, episodes: &mut [Episodes]) {
        let Some(last) = self.last else { return };
        for open in self.open.values().filter(|open| !open.at_start) {
            let lengths = &mut episodes[usize::from(open.rule)].lengths;
            lengths.open(last.0 - open.since.0);
        }
    }
}

fn open(snapshot: &Snapshot, found: &Found, at_start: bool) -> Open {
    let row = found.row as usize;
    Open {
        rule: found.rule,
        since: snapshot.input.as_of,
        at_start,
        user: snapshot.users.name(row).into(),
        arn: snapshot.users.arn(row).into(),
    }
}
