//! Finds the events of a user who is in both snapshots.

use super::event::{Event, Kind, Value};
use super::keys::{Key, Pair, Pairs};
use super::transition::User;
use crate::report::cell::{self, Flag, known};
use crate::report::schema::{FlagColumn, TimeColumn};
use crate::report::time::{Timestamp, Unit};

/// A user in both snapshots.
#[derive(Clone, Copy)]
pub(super) struct Changes<'a> {
    pub(super) old: User<'a>,
    pub(super) new: User<'a>,
    pub(super) keys: &'a Pairs,
    pub(super) certificates: &'a Pairs,
    /// Days without use after which a credential is idle.
    pub(super) idle_days: i64,
}

impl Changes<'_> {
    /// What happened, in the order of [`Kind`].
    pub(super) fn events(self) -> Vec<Event> {
        let mut all = Vec::new();
        self.password(&mut all);
        self.mfa(&mut all);
        self.keys(self.keys, &KEY, &mut all);
        self.uses(&mut all);
        self.rotation(&mut all);
        self.keys(self.certificates, &CERTIFICATE, &mut all);
        self.root_use(&mut all);
        all.sort_by_key(|event| (event.kind, event.key_created));
        all
    }

    /// A time of the user before and after.
    pub(super) fn times(self, column: TimeColumn) -> (i64, i64) {
        (self.old.cells().time(column), self.new.cells().time(column))
    }

    fn flags(self, column: FlagColumn) -> (Flag, Flag) {
        (self.old.cells().flag(column), self.new.cells().flag(column))
    }

    fn event(self, kind: Kind, key_created: Option<Timestamp>, old: Value, new: Value) -> Event {
        Event {
            kind,
            old_row: Some(self.old.row),
            new_row: Some(self.new.row),
            key_created,
            old,
            new,
        }
    }

    fn switch(self, flags: (Flag, Flag), on: Kind, off: Kind, key: Option<Timestamp>) -> Option<Event> {
        let event = |kind, on: bool| self.event(kind, key, Value::Flag(!on), Value::Flag(on));
        match flags {
            (Flag::False, Flag::True) => Some(event(on, true)),
            (Flag::True, Flag::False) => Some(event(off, false)),
            _ => None,
        }
    }

    fn password(self, events: &mut Vec<Event>) {
        let enabled = self.flags(FlagColumn::PasswordEnabled);
        events.extend(self.switch(enabled, Kind::PasswordEnabled, Kind::PasswordDisabled, None));
        let (changed, now_changed) = self.times(TimeColumn::PasswordLastChanged);
        if enabled == (Flag::True, Flag::True)
            && changed != now_changed
            && let Some((old, new)) = known(changed).zip(known(now_changed))
        {
            let (old, new) = (Value::Time(old), Value::Time(new));
            events.push(self.event(Kind::PasswordChanged, None, old, new));
        }
        // A user without a password cannot have used it. For root the flag is often `not_supported`.
        if [enabled.0, enabled.1].contains(&Flag::False) {
            return;
        }
        let (used, now_used) = self.times(TimeColumn::PasswordLastUsed);
        let since = if used == cell::ABSENT { changed } else { used };
        if is_later(used, now_used) && self.is_idle(since) {
            let (old, new) = (Value::of_time(used), Value::of_time(now_used));
            events.push(self.event(Kind::PasswordUsedAfterIdle, None, old, new));
        }
    }

    /// Whether a credential with this last use was idle at the older snapshot. Idleness between the snapshots is not visible,
    /// because a report has only the last use.
    fn is_idle(self, last: i64) -> bool {
        let since = self.old.as_of().plus(-self.idle_days, Unit::Days);
        known(last).is_some_and(|last| last <= since)
    }

    fn mfa(self, events: &mut Vec<Event>) {
        let active = self.flags(FlagColumn::MfaActive);
        events.extend(self.switch(active, Kind::MfaActivated, Kind::MfaDeactivated, None));
    }

    fn keys(self, pairs: &Pairs, kinds: &KeyKinds, events: &mut Vec<Event>) {
        for &(old, new) in &pairs.all {
            let created = old.or(new).and_then(|key| known(key.created));
            match (old, new) {
                (Some(old), Some(new)) => {
                    let active = (old.active, new.active);
                    events.extend(self.switch(active, kinds.activated, kinds.deactivated, created));
                }
                (None, Some(new)) if !pairs.is_unclear() => {
                    events.push(self.event(kinds.created, created, Value::None, active(new)));
                }
                (Some(old), None) if !pairs.is_unclear() => {
                    events.push(self.event(kinds.deleted, created, active(old), Value::None));
                }
                _ => {}
            }
        }
    }

    fn uses(self, events: &mut Vec<Event>) {
        for (old, new) in self.keys.in_both() {
            if !is_later(old.last_used, new.last_used) {
                continue;
            }
            let kind = match old.last_used {
                cell::ABSENT => Kind::KeyFirstUsed,
                used if self.is_idle(used) => Kind::KeyUsedAfterIdle,
                _ => continue,
            };
            let [before, after] = [old, new].map(|key| Value::of_time(key.last_used));
            events.push(self.event(kind, known(new.created), before, after));
        }
    }

    /// If several keys qualify, the newest created key replaces the oldest retired one.
    fn rotation(self, events: &mut Vec<Event>) {
        let keys = self.keys;
        let created = keys.all.iter().filter_map(|&pair| match pair {
            (None, Some(new)) => known(new.created),
            _ => None,
        });
        let retired = keys.all.iter().filter_map(|&pair| match pair {
            (Some(old), new) if is_retired(old, new) => known(old.created),
            _ => None,
        });
        if !keys.is_unclear()
            && let Some((created, retired)) = created.max().zip(retired.min())
        {
            let (old, new) = (Value::Time(retired), Value::Time(created));
            events.push(self.event(Kind::KeyRotated, Some(created), old, new));
        }
    }

    fn root_use(self, events: &mut Vec<Event>) {
        if !self.new.cells().is_root {
            return;
        }
        let keys = self.keys;
        let password = self.times(TimeColumn::PasswordLastUsed);
        let of_keys = keys
            .all
            .iter()
            .filter_map(|&pair| key_use(pair, keys.is_unclear()));
        let uses = std::iter::once(password).chain(of_keys);
        let later = uses.filter(|&(old, new)| is_later(old, new));
        if let Some((old, new)) = later.max_by_key(|&(_, new)| new) {
            let (old, new) = (Value::of_time(old), Value::of_time(new));
            events.push(self.event(Kind::RootUsed, None, old, new));
        }
    }
}

/// The last use of a key before and after.
fn key_use(pair: Pair, unclear: bool) -> Option<(i64, i64)> {
    match pair {
        (Some(old), Some(new)) => Some((old.last_used, new.last_used)),
        (None, Some(new)) if !unclear => Some((cell::ABSENT, new.last_used)),
        _ => None,
    }
}

/// Whether an active key was deactivated or deleted.
fn is_retired(old: Key, new: Option<Key>) -> bool {
    old.active == Flag::True && new.is_none_or(|new| new.active == Flag::False)
}

/// Whether a credential was used since; an absent last use is before all others.
fn is_later(old: i64, new: i64) -> bool {
    old != cell::UNKNOWN && new != cell::UNKNOWN && new > old
}

fn active(key: Key) -> Value {
    match key.active {
        Flag::True => Value::Flag(true),
        Flag::False => Value::Flag(false),
        Flag::NotSupported | Flag::Unknown => Value::None,
    }
}

/// The kinds of events of keys or of certificates.
struct KeyKinds {
    created: Kind,
    deleted: Kind,
    activated: Kind,
    deactivated: Kind,
}

const KEY: KeyKinds = KeyKinds {
    created: Kind::KeyCreated,
    deleted: Kind::KeyDeleted,
    activated: Kind::KeyActivated,
    deactivated: Kind::KeyDeactivated,
};

const CERTIFICATE: KeyKinds = KeyKinds {
    created: Kind::CertificateCreated,
    deleted: Kind::CertificateDeleted,
    activated: Kind::CertificateActivated,
    deactivated: Kind::CertificateDeactivated,
};
