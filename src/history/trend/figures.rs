//! What one snapshot says of an account, counted.

use super::document::Point;
use super::survival::{rank, ratio};
use crate::engine::Judged;
use crate::history::cells::{Cells, Held, Key};
use crate::history::event::known;
use crate::report::cell::{self, Flag};
use crate::report::schema::{FlagColumn, TimeColumn};
use crate::report::time::{Timestamp, Unit};

/// Days without use after which a credential or a user is idle.
const IDLE: i64 = 90;
const SECONDS_PER_DAY: i64 = 86_400;
/// The last day of each but the last group of [`Point::key_ages`].
const AGES: [i64; 5] = [30, 90, 180, 365, 730];

/// A point, or a part of one, that is being counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    pub(super) point: Point,
    /// The latest of its snapshots.
    pub(super) as_of: Option<Timestamp>,
    /// Ages of active keys, in days.
    ages: Vec<i64>,
    root_last_used: Option<Timestamp>,
    /// Failing findings, by the rule's position.
    failing: Vec<u64>,
}

/// The instant at which users are counted.
#[derive(Clone, Copy)]
pub(super) struct Now {
    as_of: Timestamp,
    /// What was last used then is idle.
    idle_since: i64,
}

impl Now {
    pub(super) fn new(as_of: Timestamp) -> Self {
        Self {
            as_of,
            idle_since: as_of.plus(-IDLE, Unit::Days).0,
        }
    }
}

impl Figures {
    /// Nothing yet, of so many rules.
    pub(super) fn of_rules(rules: usize) -> Self {
        Self {
            failing: vec![0; rules],
            ..Self::default()
        }
    }

    /// Counts a user, with these keys, at an instant.
    pub(super) fn user(&mut self, users: &impl Cells, row: usize, keys: [Held; 2], now: Now) {
        let Now { as_of, idle_since } = now;
        self.as_of = Some(as_of);
        self.point.users += 1;
        let enabled = users.flag(row, FlagColumn::PasswordEnabled);
        if enabled == Flag::True || enabled == Flag::NotSupported && users.is_root(row) {
            self.point.console_users += 1;
            let has_mfa = users.flag(row, FlagColumn::MfaActive) == Flag::True;
            self.point.console_users_with_mfa += u64::from(has_mfa);
        }
        let keys = keys.map(Held::key);
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

    fn root(&mut self, users: &impl Cells, row: usize, idle_since: i64) {
        let last = uses(users, row).into_iter().filter_map(known).max();
        self.point.root_used += u64::from(last.is_some_and(|last| last.0 > idle_since));
        self.root_last_used = self.root_last_used.max(last);
    }

    /// Counts a failing finding of the rule at this position.
    pub(super) fn failing(&mut self, rule: u16) {
        self.failing[usize::from(rule)] += 1;
    }

    /// Adds those of other users of the same rules.
    pub(super) fn add(&mut self, other: &Self) {
        let (mine, others) = (&mut self.point, &other.point);
        mine.users += others.users;
        mine.console_users += others.console_users;
        mine.console_users_with_mfa += others.console_users_with_mfa;
        mine.active_keys += others.active_keys;
        mine.keys_over_90_days += others.keys_over_90_days;
        mine.keys_over_180_days += others.keys_over_180_days;
        mine.keys_over_365_days += others.keys_over_365_days;
        mine.unused_credentials += others.unused_credentials;
        mine.dormant_users += others.dormant_users;
        mine.root_used += others.root_used;
        add_each(&mut mine.key_ages, &others.key_ages);
        add_each(&mut self.failing, &other.failing);
        self.ages.extend_from_slice(&other.ages);
        self.as_of = self.as_of.max(other.as_of);
        self.root_last_used = self.root_last_used.max(other.root_last_used);
    }

    /// The point, once all is counted; the rules are those by which was judged.
    pub(super) fn finish(mut self, rules: &[Judged]) -> Point {
        for (judged, &count) in rules.iter().zip(&self.failing) {
            let bound = &judged.bound;
            *self.point.by_severity.entry(bound.severity).or_default() += count;
            if count > 0 {
                *self.point.by_rule.entry(bound.rule.id.clone()).or_default() += count;
            }
        }
        let console = self.point.console_users;
        let ages = &mut self.ages;
        let mut at = |percent| {
            let rank = rank(ages.len(), percent)?;
            Some(*ages.select_nth_unstable(rank).1)
        };
        Point {
            as_of: self.as_of.map_or(String::new(), |time| time.to_string()),
            mfa_coverage: (console > 0).then(|| ratio(self.point.console_users_with_mfa, console)),
            key_age_median: at(50),
            key_age_p90: at(90),
            key_age_max: at(100),
            root_last_used: self.root_last_used.map(|time| time.to_string()),
            ..self.point
        }
    }
}

fn add_each(mine: &mut [u64], others: &[u64]) {
    for (mine, other) in mine.iter_mut().zip(others) {
        *mine += other;
    }
}

/// When password and keys were last used.
fn uses(users: &impl Cells, row: usize) -> [i64; 3] {
    [
        TimeColumn::PasswordLastUsed,
        TimeColumn::Key1LastUsed,
        TimeColumn::Key2LastUsed,
    ]
    .map(|column| users.time(row, column))
}

fn is_dormant(users: &impl Cells, row: usize, idle_since: i64) -> bool {
    let created = known(users.time(row, TimeColumn::UserCreation));
    let idle = |&used: &i64| used != cell::UNKNOWN && used <= idle_since;
    created.is_some_and(|created| created.0 < idle_since) && uses(users, row).iter().all(idle)
}
