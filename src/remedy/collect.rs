//! The engine's sink for plans: users with findings, and how many active keys each account has.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Mutex, PoisonError};

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

/// Gathers what a plan is decided from.
#[derive(Debug, Default)]
pub struct Collect(Mutex<Collected>);

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
    /// How many of its keys are active, whatever filters choose.
    pub active_keys: u64,
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
}

impl Collect {
    /// What was gathered.
    pub fn into_collected(self) -> Collected {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Collect {
    type Part = CollectedBlock;

    fn part(&self) -> Self::Part {
        CollectedBlock::default()
    }

    fn columns(&self) -> ColumnSet {
        ACCESS_KEY.active.map(Column::Flag).into_iter().collect()
    }

    fn rows(&self, part: &mut Self::Part, block: Block<'_>) {
        let Block { chunk, input, .. } = block;
        for (rows, account) in chunk.account_runs(&input.header) {
            let mut rows = rows.filter(|&row| block.is_of_newest(row)).peekable();
            let Some(&first) = rows.peek() else { continue };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let name = || chunk.account_name(&input.header, first).map(text);
            let of_account = part.accounts.entry(account.map(text));
            let keys = of_account.or_insert_with(|| AccountKeys {
                name: input.account.name.clone().or_else(name),
                active_keys: 0,
                generated: reported(input),
                as_of: input.as_of,
                path: input.path.clone(),
            });
            for row in rows {
                for column in ACCESS_KEY.active {
                    let is_active = chunk.flags(column).cells.get(row) == Some(&Flag::True);
                    keys.active_keys += u64::from(is_active);
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
        all.users.append(&mut part.users);
        for (account, keys) in std::mem::take(&mut part.accounts) {
            match all.accounts.get_mut(&account) {
                Some(known) => known.active_keys += keys.active_keys,
                None => {
                    all.accounts.insert(account, keys);
                }
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// When a report was made: as it says itself, as its name says, or else as `--as-of` says. None if nothing does.
fn reported(input: &Input) -> Option<Timestamp> {
    let own = input.generated.or_else(|| from_path(&input.path));
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
    exists.then(|| Key {
        slot,
        created: created.and_then(cell::known),
        active: match active {
            Some(Flag::True) => Some(true),
            Some(Flag::False) => Some(false),
            Some(_) | None => None,
        },
        last_used: last_use(row.cell(KEY_LAST_USED.date[at].into())),
        service: cell_text(KEY_LAST_USED.service[at]),
        region: cell_text(KEY_LAST_USED.region[at]),
        id: row.access_key_id(slot).map(str::to_owned),
        description: row.access_key_description(slot).map(str::to_owned),
    })
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
        requirements: bound.requirements.clone(),
        fix: finding.fix().map(|fix| fix.steps).unwrap_or_default(),
        accepted: finding.suppression.map(|suppression| suppression.reason.clone()),
    }
}
