//! Counts the figures of a point: users, keys, MFA coverage, findings.

use super::document::Point;
use super::row::{Mark, UserState};
use super::survival::{rank, ratio};
use crate::engine::CompiledRule;
use crate::history::cells::Cells;
use crate::history::event::columns;
use crate::report::cell::{self, Flag, known};
use crate::report::schema::{
    ACCESS_KEY, CERTIFICATE, ColumnSet, FlagColumn, KEY_LAST_USED, Slot, TimeColumn,
};
use crate::report::time::{Timestamp, Unit};

/// Days without use after which a credential is idle, or a user without any sign of life dormant.
const IDLE: i64 = 90;
const SECONDS_PER_DAY: i64 = 86_400;
/// The last day of each but the last group of [`Point::key_ages`].
const AGES: [i64; 5] = [30, 90, 180, 365, 730];

/// The columns of last uses of the password and the keys.
const USES: [TimeColumn; 3] = {
    let [key_1, key_2] = KEY_LAST_USED.date;
    [TimeColumn::PasswordLastUsed, key_1, key_2]
};

/// The columns of signs of life of a user: last uses, new credentials and a changed password, as in the rule
/// `user-dormant`.
const SIGNS_OF_LIFE: [TimeColumn; 8] = {
    let ([password, used_1, used_2], changed) = (USES, TimeColumn::PasswordLastChanged);
    let ([key_1, key_2], [cert_1, cert_2]) = (ACCESS_KEY.last_rotated, CERTIFICATE.last_rotated);
    [password, used_1, used_2, changed, key_1, key_2, cert_1, cert_2]
};

/// The counts of a point, or of a part of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    users: u64,
    console_users: u64,
    console_users_with_mfa: u64,
    active_keys: u64,
    /// Over 90, 180 and 365 days.
    old_keys: [u64; 3],
    key_ages: [u64; 6],
    /// Ages of active keys, in days.
    ages: Vec<i64>,
    unused_credentials: u64,
    dormant_users: u64,
    root_used: u64,
    root_last_used: Option<Timestamp>,
    /// Failing findings, by the rule's position.
    failing: Vec<u64>,
    /// As-of of its latest snapshot.
    as_of: Option<Timestamp>,
    /// Columns that a report lacks: figures that depend on them are unknown.
    lacks: ColumnSet,
    pub(super) opened: u64,
    pub(super) unveiled: u64,
    pub(super) resolved: u64,
}

/// What a user adds to the figures, besides the ages of its keys.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is counted separately")]
pub(super) struct Facts {
    is_console_user: bool,
    has_mfa: bool,
    is_dormant: bool,
    is_root_used: bool,
    active_keys: u8,
    unused_credentials: u8,
}

/// A credential last used at or before this time is idle.
pub(super) fn idle_since(as_of: Timestamp) -> i64 {
    as_of.plus(-IDLE, Unit::Days).0
}

impl Facts {
    pub(super) fn of(users: &impl Cells, row: usize, idle_since: i64) -> Self {
        use FlagColumn::{MfaActive, PasswordEnabled};
        use TimeColumn::{PasswordLastChanged, PasswordLastUsed};
        let is_root = users.is_root(row);
        let enabled = users.flag(row, PasswordEnabled);
        let is_console_user = enabled == Flag::True || enabled == Flag::NotSupported && is_root;
        let is_on = |flag| users.flag(row, flag) == Flag::True;
        let is_unused = |flag, used, since| {
            let used = users.time(row, used);
            let is_never_used = used == cell::ABSENT;
            let last = if is_never_used {
                users.time(row, since)
            } else {
                used
            };
            !is_root && is_on(flag) && known(last).is_some_and(|last| last.0 <= idle_since)
        };
        let key = |slot| {
            let at = slot as usize;
            is_unused(
                ACCESS_KEY.active[at],
                KEY_LAST_USED.date[at],
                ACCESS_KEY.last_rotated[at],
            )
        };
        let password = is_unused(PasswordEnabled, PasswordLastUsed, PasswordLastChanged);
        Self {
            is_console_user,
            has_mfa: is_console_user && is_on(MfaActive),
            is_dormant: !is_root && is_dormant(users, row, idle_since),
            is_root_used: is_root && last_use(users, row).is_some_and(|last| last.0 > idle_since),
            active_keys: ACCESS_KEY.active.map(|flag| u8::from(is_on(flag))).iter().sum(),
            unused_credentials: u8::from(password)
                + Slot::ALL.map(|slot| u8::from(key(slot))).iter().sum::<u8>(),
        }
    }
}

impl Figures {
    /// Zeros, for a number of rules and a report that lacks these columns.
    pub(super) fn new(rules: usize, lacks: ColumnSet) -> Self {
        Self {
            failing: vec![0; rules],
            lacks,
            ..Self::default()
        }
    }

    /// Counts a user.
    pub(super) fn user(&mut self, row: &UserState, as_of: Timestamp) {
        let facts = row.facts;
        self.as_of = Some(as_of);
        self.users += 1;
        self.console_users += u64::from(facts.is_console_user);
        self.console_users_with_mfa += u64::from(facts.has_mfa);
        self.active_keys += u64::from(facts.active_keys);
        self.unused_credentials += u64::from(facts.unused_credentials);
        self.dormant_users += u64::from(facts.is_dormant);
        self.root_used += u64::from(facts.is_root_used);
        for created in row.active_keys() {
            self.key((as_of.0 - created).max(0));
        }
    }

    fn key(&mut self, age: i64) {
        for (days, count) in [90, 180, 365].into_iter().zip(&mut self.old_keys) {
            *count += u64::from(age > days * SECONDS_PER_DAY);
        }
        let group = AGES.iter().position(|&last| age <= last * SECONDS_PER_DAY);
        self.key_ages[group.unwrap_or(AGES.len())] += 1;
        self.ages.push(age / SECONDS_PER_DAY);
    }

    /// Takes the last use of root.
    pub(super) fn root(&mut self, users: &impl Cells, row: usize) {
        self.root_last_used = self.root_last_used.max(last_use(users, row));
    }

    /// Counts a failing finding of the rule at this position.
    pub(super) fn failing(&mut self, rule: u16) {
        self.failing[usize::from(rule)] += 1;
    }

    /// Adds the counts of other users.
    pub(super) fn add(&mut self, other: &Self) {
        self.each(other, |mine, other| *mine += other);
        self.ages.extend_from_slice(&other.ages);
        self.as_of = self.as_of.max(other.as_of);
        self.root_last_used = self.root_last_used.max(other.root_last_used);
        self.lacks = self.lacks.union(other.lacks);
    }

    /// Adds what was opened and resolved in an earlier report of the same point.
    pub(super) fn add_moves(&mut self, earlier: &Self) {
        self.opened += earlier.opened;
        self.unveiled += earlier.unveiled;
        self.resolved += earlier.resolved;
    }

    /// Removes a user who was counted with this as-of, and its findings.
    pub(super) fn take_back(&mut self, row: &UserState, marks: &[Mark], as_of: Timestamp) {
        let mut one = Self::new(self.failing.len(), ColumnSet::default());
        one.user(row, as_of);
        for mark in marks.iter().filter(|mark| mark.fails) {
            one.failing(mark.rule);
        }
        self.each(&one, |mine, other| *mine -= other);
        for age in one.ages {
            if let Some(position) = self.ages.iter().position(|&other| other == age) {
                self.ages.swap_remove(position);
            }
        }
    }

    /// Applies `with` to each count and the same count of `other`.
    fn each(&mut self, other: &Self, with: impl Fn(&mut u64, u64)) {
        for (mine, other) in [
            (&mut self.users, other.users),
            (&mut self.console_users, other.console_users),
            (&mut self.console_users_with_mfa, other.console_users_with_mfa),
            (&mut self.active_keys, other.active_keys),
            (&mut self.unused_credentials, other.unused_credentials),
            (&mut self.dormant_users, other.dormant_users),
            (&mut self.root_used, other.root_used),
            (&mut self.opened, other.opened),
            (&mut self.unveiled, other.unveiled),
            (&mut self.resolved, other.resolved),
        ] {
            with(mine, other);
        }
        let mine = self
            .old_keys
            .iter_mut()
            .chain(&mut self.key_ages)
            .chain(&mut self.failing);
        let others = other.old_keys.iter().chain(&other.key_ages).chain(&other.failing);
        for (mine, &other) in mine.zip(others) {
            with(mine, other);
        }
    }

    /// The finished point; `rules` are those that evaluated its snapshots.
    pub(super) fn finish(mut self, rules: &[CompiledRule]) -> Point {
        use FigureKind::{ActiveKeys, AgedKeys, ConsoleUsers, Dormant, Mfa, Root, Unused};
        let lacks = self.lacks;
        let mut point = Point {
            as_of: self.as_of.map_or(String::new(), |time| time.to_string()),
            users: self.users,
            opened: self.opened,
            unveiled: self.unveiled,
            resolved: self.resolved,
            ..Point::default()
        };
        for (compiled, &count) in rules.iter().zip(&self.failing) {
            let bound = &compiled.bound;
            *point.by_severity.entry(bound.severity).or_default() += count;
            if count > 0 {
                *point.by_rule.entry(bound.rule.id.clone()).or_default() += count;
            }
        }
        let ages = &mut self.ages;
        let mut at = |percent| {
            let rank = rank(ages.len(), percent)?;
            AgedKeys.if_known(lacks, *ages.select_nth_unstable(rank).1)
        };
        let [over_90, over_180, over_365] = self.old_keys.map(|count| AgedKeys.if_known(lacks, count));
        let share = || ratio(self.console_users_with_mfa, self.console_users);
        Point {
            console_users: ConsoleUsers.if_known(lacks, self.console_users),
            console_users_with_mfa: Mfa.if_known(lacks, self.console_users_with_mfa),
            mfa_coverage: Mfa
                .if_known(lacks, self.console_users)
                .and_then(|users| (users > 0).then(share)),
            active_keys: ActiveKeys.if_known(lacks, self.active_keys),
            keys_over_90_days: over_90,
            keys_over_180_days: over_180,
            keys_over_365_days: over_365,
            key_age_median: at(50),
            key_age_p90: at(90),
            key_age_max: at(100),
            key_ages: AgedKeys.if_known(lacks, self.key_ages),
            unused_credentials: Unused.if_known(lacks, self.unused_credentials),
            dormant_users: Dormant.if_known(lacks, self.dormant_users),
            root_used: Root.if_known(lacks, self.root_used),
            root_last_used: Root
                .if_known(lacks, self.root_last_used)
                .flatten()
                .map(|time| time.to_string()),
            ..point
        }
    }
}

/// Figures by the columns that they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FigureKind {
    ConsoleUsers,
    Mfa,
    ActiveKeys,
    AgedKeys,
    Unused,
    Dormant,
    Root,
}

impl FigureKind {
    /// The figure; none if it needs one of the missing columns.
    fn if_known<T>(self, lacks: ColumnSet, figure: T) -> Option<T> {
        self.needs().intersection(lacks).is_empty().then_some(figure)
    }

    fn needs(self) -> ColumnSet {
        use FlagColumn::{MfaActive, PasswordEnabled};
        use TimeColumn::{PasswordLastChanged, UserCreation};
        let password = columns(&[PasswordEnabled], &[]);
        let keys = columns(&ACCESS_KEY.active, &ACCESS_KEY.last_rotated);
        let uses = columns(&[], &USES);
        match self {
            Self::ConsoleUsers => password,
            Self::Mfa => columns(&[PasswordEnabled, MfaActive], &[]),
            Self::ActiveKeys => columns(&ACCESS_KEY.active, &[]),
            Self::AgedKeys => keys,
            Self::Unused => [password, keys, uses]
                .into_iter()
                .fold(columns(&[], &[PasswordLastChanged]), ColumnSet::union),
            Self::Dormant => columns(&[], &SIGNS_OF_LIFE).union(columns(&[], &[UserCreation])),
            Self::Root => uses,
        }
    }
}

/// The last use of the password or a key.
fn last_use(users: &impl Cells, row: usize) -> Option<Timestamp> {
    let uses = USES.map(|column| users.time(row, column));
    uses.into_iter().filter_map(known).max()
}

/// Whether the rule `user-dormant` fails. As in rules, an absent time is before all others.
fn is_dormant(users: &impl Cells, row: usize, idle_since: i64) -> bool {
    let is_until = |column, last| {
        let time = users.time(row, column);
        time != cell::UNKNOWN && time <= last
    };
    is_until(TimeColumn::UserCreation, idle_since - 1)
        && SIGNS_OF_LIFE.iter().all(|&column| is_until(column, idle_since))
}
