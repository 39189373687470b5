//! What one snapshot says of an account, counted.

use super::document::Point;
use super::survival::{percentile, ratio};
use crate::finding::Severity;
use crate::history::event::known;
use crate::history::users::{Held, Key, Users};
use crate::report::cell::{self, Flag};
use crate::report::schema::{FlagColumn, TimeColumn};
use crate::report::time::{Timestamp, Unit};

/// Days without use after which a credential or a user is idle.
const IDLE: i64 = 90;
const SECONDS_PER_DAY: i64 = 86_400;
/// The last day of each but the last group of [`Point::key_ages`].
const AGES: [i64; 5] = [30, 90, 180, 365, 730];

/// A point that is being counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) point: Point,
    /// The latest of its snapshots.
    pub(super) as_of: Option<Timestamp>,
    /// Ages of active keys, in days.
    ages: Vec<i64>,
    root_last_used: Option<Timestamp>,
}

impl Figures {
    /// Counts a user at an instant.
    pub(super) fn user(&mut self, users: &Users, row: usize, as_of: Timestamp) {
        self.point.users += 1;
        let idle_since = as_of.plus(-IDLE, Unit::Days).0;
        let enabled = users.flag(row, FlagColumn::PasswordEnabled);
        if enabled == Flag::True || enabled == Flag::NotSupported && users.is_root(row) {
            self.point.console_users += 1;
            let has_mfa = users.flag(row, FlagColumn::MfaActive) == Flag::True;
            self.point.console_users_with_mfa += u64::from(has_mfa);
        }
        let keys = users.keys(row).map(Held::key);
        let active = keys.into_iter().flatten().filter(|key| key.active == Flag::True);
        for key in active.clone() {
            self.key(key, as_of);
        }
        if users.is_root(row) {
            return self.root(users, row, idle_since);
        }
        let idle = |used: i64, since: i64| {
            let last = if used == cell::ABSENT { since } else { used };
            u64::from(known(last).is_some_and(|last| last.0 <= idle_since))
        };
        let [used, changed] = [TimeColumn::PasswordLastUsed, TimeColumn::PasswordLastChanged]
            .map(|column| users.time(row, column));
        if enabled == Flag::True {
            self.point.unused_credentials += idle(used, changed);
        }
        let idle_keys = active.map(|key| idle(key.last_used, key.created));
        self.point.unused_credentials += idle_keys.sum::<u64>();
        self.point.dormant_users += u64::from(is_dormant(users, row, idle_since));
    }

    fn key(&mut self, key: Key, as_of: Timestamp) {
        self.point.active_keys += 1;
        let Some(created) = known(key.created) else { return };
        let age = (as_of.0 - created.0).max(0);
        for (days, count) in [
            (90, &mut self.point.keys_over_90_days),
            (180, &mut self.point.keys_over_180_days),
            (365, &mut self.point.keys_over_365_days),
        ] {
            *count += u64::from(age > days * SECONDS_PER_DAY);
        }
        let group = AGES.iter().position(|&last| age <= last * SECONDS_PER_DAY);
        self.point.key_ages[group.unwrap_or(AGES.len())] += 1;
        self.ages.push(age / SECONDS_PER_DAY);
    }

    fn root(&mut self, users: &Users, row: usize, idle_since: i64) {
        let last = uses(users, row).into_iter().filter_map(known).max();
        self.point.root_used += u64::from(last.is_some_and(|last| last.0 > idle_since));
        self.root_last_used = self.root_last_used.max(last);
    }

    /// Counts a failing finding.
    pub(super) fn failing(&mut self, rule: &str, severity: Severity) {
        *self.point.by_severity.entry(severity).or_default() += 1;
        match self.point.by_rule.get_mut(rule) {
            Some(count) => *count += 1,
            None => drop(self.point.by_rule.insert(rule.to_owned(), 1)),
        }
    }

    /// The point, once all is counted.
    pub(super) fn finish(mut self) -> Point {
        self.ages.sort_unstable();
        let console = self.point.console_users;
        Point {
            as_of: self.as_of.map_or(String::new(), |time| time.to_string()),
            mfa_coverage: (console > 0).then(|| ratio(self.point.console_users_with_mfa, console)),
            key_age_median: percentile(&self.ages, 50),
            key_age_p90: percentile(&self.ages, 90),
            key_age_max: self.ages.last().copied(),
            root_last_used: self.root_last_used.map(|time| time.to_string()),
            ..self.point
        }
    }
}

/// When password and keys were last used.
fn uses(users: &Users, row: usize) -> [i64; 3] {
    [
        TimeColumn::PasswordLastUsed,
        TimeColumn::Key1LastUsed,
        TimeColumn::Key2LastUsed,
    ]
    .map(|column| users.time(row, column))
}

fn is_dormant(users: &Users, row: usize, idle_since: i64) -> bool {
    let created = known(users.time(row, TimeColumn::UserCreation));
    let idle = |&used: &i64| used != cell::UNKNOWN && used <= idle_since;
    created.is_some_and(|created| created.0 < idle_since) && uses(users, row).iter().all(idle)
}
