//! The engine's sink for plans: users with findings, and how many active keys each account has.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use super::facts::{Credentials, Key, LastUse, Problem, User};
use crate::engine::{Block, FindingRef, Input, ReportId, Sink, UserRow};
use crate::finding::AsOfSource;
use crate::report::as_of::from_path;
use crate::report::cell::{self, Flag};
use crate::report::schema::{
    ACCESS_KEY, CERTIFICATE, Column, ColumnSet, Credential, FlagColumn, KEY_LAST_USED, Slot, TextColumn,
    TimeColumn,
};
use crate::report::time::Timestamp;
use crate::rule::{Remedy, is_of_ses_smtp};

/// Gathers what a plan is decided from.
#[derive(Debug, Default)]
pub struct Collect(Mutex<Collecting>);

#[derive(Debug, Default)]
struct Collecting {
    collected: Collected,
    /// The hashes of all users, and of those that have several rows.
    rows: HashSet<u64>,
    repeated: HashSet<u64>,
}

/// What was gathered.
#[derive(Debug, Default)]
pub struct Collected {
    /// The users with findings, in (input, row) order.
    pub users: Vec<User>,
    /// The accounts that are evaluated.
    pub accounts: BTreeMap<Option<String>, AccountKeys>,
}

/// The keys of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKeys {
    /// Its name, if it is known.
    pub name: Option<String>,
    /// How many of its keys are active, whatever filters choose; none if its report lacks a column that says it.
    pub active_keys: Option<u64>,
    /// Whether its report says for which services keys were used last.
    pub has_services: bool,
    /// When its report was generated, if that is known.
    pub generated: Option<Timestamp>,
    /// The instant at which its report is evaluated.
    pub as_of: Timestamp,
    /// The input with its report.
    pub path: String,
}

/// What a worker gathers from a block.
#[derive(Debug, Default)]
pub struct CollectedBlock {
    users: Vec<User>,
    /// The positions of users, by report and row.
    known: HashMap<(ReportId, u64), usize>,
    accounts: BTreeMap<Option<String>, AccountKeys>,
    /// The hashes of all users.
    rows: Vec<u64>,
}

impl Collect {
    /// What was gathered.
    pub fn into_collected(self) -> Collected {
        let all = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut collected = all.collected;
        for user in &mut collected.users {
            let account = user.account.as_ref().map(String::as_bytes);
            user.has_other_row = all.repeated.contains(&user_hash(account, user.name.as_bytes()));
        }
        collected
    }
}

/// Identifies a user in a set. A collision, of which there is one in many millions of accounts, leaves a user alone.
fn user_hash(account: Option<&[u8]>, name: &[u8]) -> u64 {
    xxh3_64(&[account.unwrap_or_default(), b"/", name].concat())
}

impl Sink for Collect {
    type Part = CollectedBlock;

    fn part(&self) -> Self::Part {
        CollectedBlock::default()
    }

    fn columns(&self) -> ColumnSet {
        ACCESS_KEY.active.map(Column::Flag).into_iter().collect()
    }

    /// Two active keys of an account are two, whoever is asked for.
    fn sees_left_out(&self) -> bool {
        true
    }

    fn rows(&self, part: &mut Self::Part, block: Block<'_>) {
        let Block { chunk, input, .. } = block;
        let has = |columns: &[Column]| {
            columns
                .iter()
                .all(|&column| input.header.position(column).is_some())
        };
        let says = has(&ACCESS_KEY.active.map(Column::Flag));
        for (rows, account) in chunk.account_runs(&input.header) {
            let mut rows = rows.filter(|&row| block.is_of_newest(row)).peekable();
            let Some(&first) = rows.peek() else { continue };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = || chunk.account_name(&input.header, first).map(text);
            let of_account = part.accounts.entry(account.map(text));
            let keys = of_account.or_insert_with(|| AccountKeys {
                name: input.account.name.clone().or_else(name),
                active_keys: Some(0),
                has_services: has(&KEY_LAST_USED.service.map(Column::Text)),
                generated: reported(input),
                as_of: input.as_of,
                path: input.path.clone(),
            });
            for row in rows {
                let is_active = |column| chunk.flags(column).cells.get(row) == Some(&Flag::True);
                let active = ACCESS_KEY.active.into_iter().filter(|&column| is_active(column));
                let active = Some(active.count() as u64).filter(|_| says);
                keys.active_keys = sum(keys.active_keys, active);
                if let Some(name) = chunk.text(&input.header, row, TextColumn::User) {
                    part.rows.push(user_hash(account, name));
                }
            }
        }
    }

    fn finding(&self, part: &mut Self::Part, finding: &FindingRef<'_>) {
        // What is undetermined about a whole report names no user.
        let Some(row) = finding.row() else { return };
        let place = (finding.input().id, row.number());
        let position = *part.known.entry(place).or_insert_with(|| {
            part.users.push(user(finding, row));
            part.users.len() - 1
        });
        part.users[position].problems.push(problem(finding, row));
    }

    fn accept(&self, part: &mut Self::Part) -> io::Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        part.known.clear();
        for row in part.rows.drain(..) {
            if !all.rows.insert(row) {
                all.repeated.insert(row);
            }
        }
        let all = &mut all.collected;
        all.users.append(&mut part.users);
        for (account, keys) in std::mem::take(&mut part.accounts) {
            match all.accounts.get_mut(&account) {
                Some(known) => {
                    known.active_keys = sum(known.active_keys, keys.active_keys);
                    known.has_services &= keys.has_services;
                }
                None => {
                    all.accounts.insert(account, keys);
                }
            }
        }
        Ok(())
    }
}

/// Nothing, if either is not known.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one? + other?)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// When a report was generated: as it says itself, as its name says, or else as `--as-of` says. None if nothing does.
fn reported(input: &Input) -> Option<Timestamp> {
    // The name of an archived file is not that of its reports.
    let named = || from_path(&input.path).filter(|_| input.kind != "archive");
    let own = input.generated.or_else(named);
    own.or_else(|| (input.as_of_source != AsOfSource::Now).then_some(input.as_of))
}

fn user(finding: &FindingRef<'_>, row: &UserRow<'_>) -> User {
    let name = row.user().map(text).unwrap_or_default();
    let details = row.details();
    let time = |column: TimeColumn| {
        row.cell(column.into())
            .and_then(|cell| cell::known(cell::time(cell)))
    };
    let flag = |column: FlagColumn| row.cell(column.into()).map(cell::flag);
    User {
        account: finding.account().map(text),
        account_name: finding.account_name().map(str::to_owned),
        is_root: row.is_root(),
        is_of_ses_smtp: is_of_ses_smtp(
            &name,
            KEY_LAST_USED
                .service
                .iter()
                .filter_map(|&column| row.cell(column.into()).map(cell::text)),
        ),
        has_other_row: false,
        name,
        arn: row.arn().map(text),
        path: row.path().map(text),
        created: time(TimeColumn::UserCreation),
        owner: finding.owner().map(str::to_owned),
        tags: details.and_then(|details| details.tags.clone()),
        keys: Slot::ALL.map(|slot| key(row, slot)),
        credentials: Credentials {
            password_last_used: (flag(FlagColumn::PasswordEnabled) != Some(Flag::False))
                .then(|| last_use(row.cell(TimeColumn::PasswordLastUsed.into()))),
            certificates: CERTIFICATE.last_rotated.map(time),
            inactive_certificates: CERTIFICATE.active.map(|column| flag(column) == Some(Flag::False)),
            without_password: flag(FlagColumn::PasswordEnabled) == Some(Flag::False),
        },
        as_of: finding.input().as_of,
        reported: reported(finding.input()),
        problems: Vec::new(),
    }
}

/// The key in a slot, if there is one: it is active, or has a creation time.
fn key(row: &UserRow<'_>, slot: Slot) -> Option<Key> {
    let at = slot as usize;
    let created = row.cell(ACCESS_KEY.last_rotated[at].into()).map(cell::time);
    let active = row.cell(ACCESS_KEY.active[at].into()).map(cell::flag);
    let exists = active == Some(Flag::True) || created.is_some_and(|time| time != cell::ABSENT);
    let cell_text = |column: TextColumn| {
        let text_of = row.cell(column.into()).map(cell::text)?;
        Some(text(text_of)).filter(|text| !text.is_empty())
    };
    let last_used = last_use(row.cell(KEY_LAST_USED.date[at].into()));
    exists.then(|| Key {
        slot,
        created: created.and_then(cell::known),
        active: match active {
            Some(Flag::True) => Some(true),
            Some(Flag::False) => Some(false),
            Some(_) | None => None,
        },
        last_used: if last_used == LastUse::Never && names_a_service(row, slot) {
            // A service without a time contradicts itself.
            LastUse::Unknown
        } else {
            last_used
        },
        service: cell_text(KEY_LAST_USED.service[at]),
        region: cell_text(KEY_LAST_USED.region[at]),
        id: row.access_key_id(slot).map(str::to_owned),
        description: row.access_key_description(slot).map(str::to_owned),
    })
}

/// Whether the report names the service or the region of a last use. `not_supported` names none.
fn names_a_service(row: &UserRow<'_>, slot: Slot) -> bool {
    let at = slot as usize;
    let cells = [KEY_LAST_USED.service[at], KEY_LAST_USED.region[at]];
    let mut cells = cells
        .iter()
        .filter_map(|&column| row.cell(column.into()).map(cell::text));
    cells.any(|text| !text.is_empty() && !cell::is_not_supported(text))
}

fn last_use(cell: Option<&[u8]>) -> LastUse {
    let Some(cell) = cell else {
        return LastUse::Unknown;
    };
    match cell::time(cell) {
        cell::UNKNOWN => LastUse::Unknown,
        cell::ABSENT if cell::stands_in(cell).is_some() => LastUse::EmptyCell,
        cell::ABSENT => LastUse::Never,
        time => LastUse::At(Timestamp(time)),
    }
}

fn problem(finding: &FindingRef<'_>, row: &UserRow<'_>) -> Problem {
    let bound = &finding.rule().bound;
    let credential = finding.credential();
    let of_service = credential.filter(|credential| *credential == Credential::ServiceCredential);
    let service_credential = of_service.and_then(|_| {
        let id = text(row.service_credential_id()?);
        let [created, _] = finding.credential_times();
        Some((id, created))
    });
    Problem {
        id: finding.id(),
        rule: bound.rule.id.clone(),
        title: bound.rule.title.clone(),
        status: finding.status,
        remedy: bound.rule.remedy,
        credential,
        service_credential,
        max_idle: bound.parameters.get("max_idle").copied(),
        is_about_use: bound.rule.remedy == Remedy::Deactivate
            && KEY_LAST_USED
                .date
                .iter()
                .any(|&column| finding.rule().needs.contains(column)),
        requirements: bound.requirements.clone(),
        fix: finding.fix().map(|fix| fix.steps).unwrap_or_default(),
        accepted: finding.suppression.map(|suppression| suppression.reason.clone()),
    }
}
