//! Which access key a slot of the report is: its id, by creation time and status.

use std::collections::BTreeMap;

use aws_sdk_iam::operation::list_access_keys::ListAccessKeysError;
use aws_sdk_iam::types::StatusType;
use tokio::task::JoinSet;

use super::connect::Session;
use super::error::Error;
use super::fetch::Report;
use super::policy::{Action, Wanted};
use super::retry::Calls;
use crate::finding::{Code, Diagnostic, Level};
use crate::output::counted;
use crate::report::cell::{self, Flag};
use crate::report::chunk::ROOT;
use crate::report::schema::{FlagColumn, Slot, TextColumn, TimeColumn};
use crate::report::time::Timestamp;

/// How many users of an account are asked for at a time.
const AT_A_TIME: usize = 4;

/// Ids by user and slot.
pub type KeyIds = BTreeMap<Vec<u8>, [Option<String>; 2]>;

/// What became of the keys of a report.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The ids that are certain.
    pub ids: KeyIds,
    /// Why others are not, with a code and how much it matters.
    pub remarks: Vec<Diagnostic>,
    /// What must be allowed for more.
    pub denied: Option<Wanted>,
}

/// A key as a report tells of it, or as IAM lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    created: Timestamp,
    active: bool,
}

/// A user who has a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    user: String,
    slots: [Option<Key>; 2],
}

/// How a slot came out.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    /// No key is in it.
    Empty,
    /// This one, without doubt.
    Id(String),
    /// Several could be it.
    Ambiguous,
    /// None could: it was deleted since.
    Gone,
}

/// Asks IAM for the keys of every user of the report who has one, as long as it answers and there is time.
pub(super) async fn resolve(session: &Session, report: &Report) -> Resolved {
    let (owners, root_has_key) = owners(report);
    let mut tally = Tally::default();
    let mut waiting = owners.into_iter();
    let mut asked = JoinSet::new();
    let calls = Calls::new(Action::ListAccessKeys, session.limit());
    loop {
        while asked.len() < AT_A_TIME && !tally.is_over {
            let Some(owner) = waiting.next() else { break };
            let (session, calls) = (session.clone(), calls.clone());
            asked.spawn(async move {
                let listed = list(&session, calls, &owner.user).await;
                (owner, listed)
            });
        }
        match asked.join_next().await {
            Some(Ok((owner, listed))) => tally.add(owner, listed),
            // Only a panic ends a task so: its user stays open.
            Some(Err(_)) => {}
            None => {
                tally.failed += waiting.len() as u64;
                return tally.finish(root_has_key);
            }
        }
    }
}

/// None where there is no such user any more.
async fn list(session: &Session, mut calls: Calls, user: &str) -> Result<Option<Vec<(String, Key)>>, Error> {
    let action = Action::ListAccessKeys;
    let iam = session.iam();
    let mut keys = Vec::new();
    let mut marker = None;
    loop {
        let request = iam.list_access_keys().user_name(user).set_marker(marker);
        let asked = || async {
            match request.clone().send().await {
                Ok(page) => Ok(Some(page)),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(ListAccessKeysError::is_no_such_entity_exception) =>
                {
                    Ok(None)
                }
                Err(error) => Err(session.explain(action, &error)),
            }
        };
        let Some(page) = calls.make(asked).await? else {
            return Ok(None);
        };
        keys.extend(page.access_key_metadata().iter().filter_map(|listed| {
            let key = Key {
                created: Timestamp(listed.create_date()?.secs()),
                active: listed.status() == Some(&StatusType::Active),
            };
            Some((listed.access_key_id()?.to_owned(), key))
        }));
        match page.marker {
            // A marker that comes again would go round for ever.
            Some(next) if page.is_truncated && request.get_marker().as_ref() != Some(&next) => {
                marker = Some(next);
            }
            Some(_) if page.is_truncated => return Err(Error::Unreadable { action }),
            Some(_) | None => return Ok(Some(keys)),
        }
    }
}

/// Adds up what was found.
#[derive(Default)]
struct Tally {
    resolved: Resolved,
    ambiguous: Vec<String>,
    gone: u64,
    /// Users whose keys are not known.
    failed: u64,
    error: Option<Error>,
    /// Whoever is asked for next would come to the same.
    is_over: bool,
}

impl Tally {
    fn add(&mut self, owner: Owner, listed: Result<Option<Vec<(String, Key)>>, Error>) {
        let listed = match listed {
            Ok(listed) => listed.unwrap_or_default(),
            Err(error) => {
                self.failed += 1;
                // Whatever else AWS answers may be about this one user.
                self.is_over |= !matches!(error, Error::Other { .. });
                if self.resolved.denied.is_none() {
                    self.resolved.denied = error.denied();
                }
                self.error.get_or_insert(error);
                return;
            }
        };
        let matches = Slot::ALL.map(|slot| matched(&owner, slot, &listed));
        if matches.contains(&Match::Ambiguous) {
            self.ambiguous.push(owner.user.clone());
        }
        self.gone += matches.iter().filter(|found| **found == Match::Gone).count() as u64;
        let ids = matches.map(|found| match found {
            Match::Id(id) => Some(id),
            Match::Empty | Match::Ambiguous | Match::Gone => None,
        });
        self.resolved.ids.insert(owner.user.into_bytes(), ids);
    }

    fn finish(mut self, root_has_key: bool) -> Resolved {
        let remarks = &mut self.resolved.remarks;
        if let Some(error) = &self.error {
            let users = counted(self.failed, "user");
            let message = format!("the access key ids of {users} are left open: {error}");
            remarks.push(Diagnostic::new(Code::KeyIdsUnknown, message));
        }
        self.ambiguous.sort();
        for user in &self.ambiguous {
            let message = format!(
                "the keys of user {user} were created in the same second and have the same status, or one of \
                 them is gone: which is which is left open"
            );
            remarks.push(Diagnostic::new(Code::KeyIdAmbiguous, message));
        }
        if self.gone > 0 {
            let were = if self.gone == 1 { "was" } else { "were" };
            let keys = counted(self.gone, "access key");
            let message = format!("{keys} {were} deleted since the report was made");
            remarks.push(Diagnostic::new(Code::KeyGone, message));
        }
        if root_has_key {
            let message = "root's access keys can be listed by root alone: their ids are left open";
            remarks.push(Diagnostic::new(Code::KeyIdsUnknown, message).with_level(Level::Note));
        }
        self.resolved
    }
}

/// Which of the listed keys is in this slot. The creation time is what a key is; a status may have changed
/// since the report was made, and tells only where two keys share one second.
fn matched(owner: &Owner, slot: Slot, listed: &[(String, Key)]) -> Match {
    let Some(key) = owner.slots[slot as usize] else {
        return Match::Empty;
    };
    let other = owner.slots[1 - slot as usize];
    let same_time: Vec<_> = listed
        .iter()
        .filter(|(_, listed)| listed.created == key.created)
        .collect();
    let twin = other.filter(|other| other.created == key.created);
    let candidates: Vec<_> = match twin {
        None => same_time,
        Some(twin) if twin.active == key.active || same_time.len() < 2 => return Match::Ambiguous,
        Some(_) => same_time
            .into_iter()
            .filter(|(_, listed)| listed.active == key.active)
            .collect(),
    };
    match candidates.as_slice() {
        [(id, _)] => Match::Id(id.clone()),
        [] if twin.is_none() => Match::Gone,
        _ => Match::Ambiguous,
    }
}

/// The users who have a key, and whether root has one.
fn owners(report: &Report) -> (Vec<Owner>, bool) {
    let Some((header, rows)) = report.rows() else {
        return (Vec::new(), false);
    };
    let mut owners = Vec::new();
    let mut root_has_key = false;
    for row in 0..rows.len() {
        let slots = [
            (FlagColumn::Key1Active, TimeColumn::Key1LastRotated),
            (FlagColumn::Key2Active, TimeColumn::Key2LastRotated),
        ]
        .map(|(active, created)| {
            let created = cell::time(rows.cell(&header, row, created)?);
            let active = cell::flag(rows.cell(&header, row, active)?) == Flag::True;
            (![cell::ABSENT, cell::UNKNOWN].contains(&created)).then_some(Key {
                created: Timestamp(created),
                active,
            })
        });
        let user = rows.cell(&header, row, TextColumn::User).unwrap_or(b"");
        if slots == [None, None] {
            continue;
        }
        if user == ROOT.as_bytes() {
            root_has_key = true;
        } else {
            let user = String::from_utf8_lossy(user).into_owned();
            owners.push(Owner { user, slots });
        }
    }
    (owners, root_has_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(created: i64, active: bool) -> Key {
        Key {
            created: Timestamp(created),
            active,
        }
    }

    #[test]
    fn a_key_is_its_creation_time() {
        use Match::{Ambiguous, Empty, Gone};
        let id = |id: &str| Match::Id(id.to_owned());
        let check = |slots: [Option<Key>; 2], listed: &[(&str, Key)], wanted: [Match; 2]| {
            let owner = Owner {
                user: "alice".to_owned(),
                slots,
            };
            let listed: Vec<_> = listed.iter().map(|&(id, key)| (id.to_owned(), key)).collect();
            let found = Slot::ALL.map(|slot| matched(&owner, slot, &listed));
            assert_eq!(found, wanted, "{slots:?} {listed:?}");
        };
        let (old, new) = (key(1, true), key(2, true));
        check([Some(old), None], &[("A", old)], [id("A"), Empty]);
        // The order of slots is not that of the list.
        check(
            [Some(new), Some(old)],
            &[("A", old), ("B", new)],
            [id("B"), id("A")],
        );
        // Switched off since: still the same key.
        check([Some(old), None], &[("A", key(1, false))], [id("A"), Empty]);
        // Deleted since, and another made.
        check([Some(old), None], &[("B", new)], [Gone, Empty]);
        check([Some(old), Some(new)], &[("B", new)], [Gone, id("B")]);
        // Two of one second: status tells, if it can.
        let off = key(1, false);
        check(
            [Some(old), Some(off)],
            &[("A", off), ("B", old)],
            [id("B"), id("A")],
        );
        check(
            [Some(old), Some(old)],
            &[("A", old), ("B", old)],
            [Ambiguous, Ambiguous],
        );
        check([Some(old), Some(off)], &[("A", old)], [Ambiguous, Ambiguous]);
        check(
            [Some(old), Some(off)],
            &[("A", off), ("B", off)],
            [Ambiguous, Ambiguous],
        );
    }

    #[test]
    fn only_users_with_keys_are_asked_for() {
        let csv = "user,access_key_1_active,access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated\n\
            <root_account>,true,2019-01-01T00:00:00Z,false,N/A\n\
            alice,false,N/A,false,N/A\n\
            bob,false,2020-01-01T00:00:00+00:00,true,2021-01-01T00:00:00Z\n";
        let report = Report {
            csv: csv.as_bytes().to_vec(),
            generated: Timestamp(0),
        };
        let (owners, root) = owners(&report);
        let bob = Owner {
            user: "bob".to_owned(),
            slots: [Some(key(1_577_836_800, false)), Some(key(1_609_459_200, true))],
        };
        assert_eq!((owners, root), (vec![bob], true));
    }
}
