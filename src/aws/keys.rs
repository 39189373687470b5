//! Finds the access key ids behind the slots of a report, by creation time and status.

use aws_sdk_iam::types::{AccessKeyMetadata, StatusType};

use super::connect::Session;
use super::details::FetchedDetails;
use super::error::Error;
use super::fetch::Report;
use super::lists::{Page, all_pages, for_each_user, of_user};
use super::permissions::Action;
use super::retry::RetriedCalls;
use super::whole_answer::WholeAnswer;
use crate::finding::{Code, Diagnostic, Level};
use crate::output::counted;
use crate::report::cell::{self, Flag};
use crate::report::chunk::ROOT;
use crate::report::schema::{FlagColumn, Slot, TextColumn, TimeColumn};
use crate::report::time::Timestamp;

/// A key, from a report or from IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    created: Timestamp,
    active: bool,
}

/// A user with keys.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    user: String,
    slots: [Option<Key>; 2],
}

/// The key of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SlotKey {
    /// The slot has no key.
    Empty,
    /// Certainly this one.
    Id(String),
    /// One of several.
    Ambiguous,
    /// None: it was deleted since.
    Gone,
}

/// Lists the keys of every user of the report who has one, until an error that is not about one user, and adds the ids
/// that are certain.
pub(super) async fn resolve(session: &Session, report: &Report, fetched: &mut FetchedDetails) {
    let (owners, root_has_key) = owners(report);
    let calls = RetriedCalls::new(Action::ListAccessKeys, session.limit);
    let keys_of = |owner: Owner| {
        let (session, mut calls) = (session.clone(), calls.clone());
        async move {
            let keys = list(&session, &mut calls, &owner.user).await?;
            // A user that was deleted since has none.
            Ok((owner, keys.unwrap_or_default()))
        }
    };
    let listed = for_each_user(owners, keys_of).await;
    fetched.unknown(&listed, Code::KeyIdsUnknown, "access key ids");
    let mut ambiguous = Vec::new();
    let mut gone = 0;
    for (owner, keys) in listed.found {
        let matches = Slot::ALL.map(|slot| match_slot(&owner, slot, &keys));
        if matches.contains(&SlotKey::Ambiguous) {
            ambiguous.push(owner.user.clone());
        }
        gone += matches.iter().filter(|found| **found == SlotKey::Gone).count() as u64;
        let ids = matches.map(|found| match found {
            SlotKey::Id(id) => Some(id),
            SlotKey::Empty | SlotKey::Ambiguous | SlotKey::Gone => None,
        });
        if ids != [None, None] {
            let user = fetched.details.users.entry(owner.user).or_default();
            user.access_key_ids = ids;
        }
    }
    ambiguous.sort();
    fetched.diagnostics.extend(notes(&ambiguous, gone, root_has_key));
}

/// Why ids are missing, although the keys could be listed.
fn notes(ambiguous: &[String], gone: u64, root_has_key: bool) -> Vec<Diagnostic> {
    let ambiguous = ambiguous.iter().map(|user| {
        let message = format!(
            "the keys of user {user} cannot be told apart: they were created in the same second, and have the \
             same status or one was deleted"
        );
        Diagnostic::new(Code::KeyIdAmbiguous, message)
    });
    let mut notes: Vec<_> = ambiguous.collect();
    if gone > 0 {
        let were = if gone == 1 { "was" } else { "were" };
        let keys = counted(gone, "access key");
        let message = format!("{keys} {were} deleted after the report was generated");
        notes.push(Diagnostic::new(Code::KeyGone, message));
    }
    if root_has_key {
        let message = "the ids of root's access keys are unknown: only root can list them";
        notes.push(Diagnostic::new(Code::KeyIdsUnknown, message).with_level(Level::Note));
    }
    notes
}

/// The keys of a user; none if the user does not exist any more.
async fn list(
    session: &Session,
    calls: &mut RetriedCalls,
    user: &str,
) -> Result<Option<Vec<(String, Key)>>, Error> {
    let listed = list_keys(session, calls, user).await?;
    let keys = listed.map(|listed| {
        let keys = listed.into_iter().filter_map(|listed| {
            let key = Key {
                created: Timestamp(listed.create_date()?.secs()),
                active: listed.status() == Some(&StatusType::Active),
            };
            Some((listed.access_key_id?, key))
        });
        keys.collect()
    });
    Ok(keys)
}

/// The same as IAM lists them.
pub(super) async fn list_keys(
    session: &Session,
    calls: &mut RetriedCalls,
    user: &str,
) -> Result<Option<Vec<AccessKeyMetadata>>, Error> {
    let action = Action::ListAccessKeys;
    let request = session.iam().list_access_keys().user_name(user);
    let page = |marker| {
        let request = request.clone().set_marker(marker).customize();
        let request = request.interceptor(WholeAnswer(&["AccessKeyMetadata"]));
        async {
            let page = of_user(session, action, request.send().await)?;
            Ok(page.map(|page| Page {
                items: page.access_key_metadata,
                marker: page.marker,
                is_truncated: page.is_truncated,
            }))
        }
    };
    all_pages(calls, action, page).await
}

/// Finds the listed key of a slot. The creation time identifies a key. The status may have changed since the report
/// was generated, and only decides between two keys of the same second.
fn match_slot(owner: &Owner, slot: Slot, listed: &[(String, Key)]) -> SlotKey {
    let Some(key) = owner.slots[slot as usize] else {
        return SlotKey::Empty;
    };
    let other = owner.slots[1 - slot as usize];
    let same_time: Vec<_> = listed
        .iter()
        .filter(|(_, listed)| listed.created == key.created)
        .collect();
    let twin = other.filter(|other| other.created == key.created);
    let candidates: Vec<_> = match twin {
        None => same_time,
        Some(twin) if twin.active == key.active || same_time.len() < 2 => return SlotKey::Ambiguous,
        Some(_) => same_time
            .into_iter()
            .filter(|(_, listed)| listed.active == key.active)
            .collect(),
    };
    match candidates.as_slice() {
        [(id, _)] => SlotKey::Id(id.clone()),
        [] if twin.is_none() => SlotKey::Gone,
        _ => SlotKey::Ambiguous,
    }
}

/// The users with keys, and whether root has one.
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
            cell::known(created).map(|created| Key { created, active })
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
    fn keys_are_matched_by_creation_time() {
        use SlotKey::{Ambiguous, Empty, Gone};
        let id = |id: &str| SlotKey::Id(id.to_owned());
        let check = |slots: [Option<Key>; 2], listed: &[(&str, Key)], expected: [SlotKey; 2]| {
            let owner = Owner {
                user: "alice".to_owned(),
                slots,
            };
            let listed: Vec<_> = listed.iter().map(|&(id, key)| (id.to_owned(), key)).collect();
            let found = Slot::ALL.map(|slot| match_slot(&owner, slot, &listed));
            assert_eq!(found, expected, "{slots:?} {listed:?}");
        };
        let (old, new) = (key(1, true), key(2, true));
        check([Some(old), None], &[("A", old)], [id("A"), Empty]);
        // Slots and list are in different orders.
        check(
            [Some(new), Some(old)],
            &[("A", old), ("B", new)],
            [id("B"), id("A")],
        );
        // Deactivated since: still the same key.
        check([Some(old), None], &[("A", key(1, false))], [id("A"), Empty]);
        // Deleted since, and another one created.
        check([Some(old), None], &[("B", new)], [Gone, Empty]);
        check([Some(old), Some(new)], &[("B", new)], [Gone, id("B")]);
        // Two of the same second: the status decides, if it differs.
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
    fn only_users_with_keys_are_looked_up() {
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
