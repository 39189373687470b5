//! Counts the figures of a point: users, keys, MFA coverage, findings.

use super::document::Point;
use super::follow::active_keys;
use crate::engine::CompiledRule;
use crate::finding::Status;
use crate::history::event::columns;
use crate::history::keys::UserCells;
use crate::history::snapshot::Snapshot;
use crate::history::users::index;
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

impl Figures {
    /// Zeros, for a number of rules and a report that lacks these columns.
    pub(super) fn new(rules: usize, lacks: ColumnSet) -> Self {
        Self {
            failing: vec![0; rules],
            lacks,
            ..Self::default()
        }
    }

    /// Those of a snapshot, without these rows, which are ascending.
    pub(super) fn of(snapshot: &Snapshot, left_out: &[u32], rules: usize) -> Self {
        let mut figures = Self::new(rules, snapshot.input.lacks());
        figures.as_of = Some(snapshot.input.as_of);
        let idle_since = snapshot.input.as_of.plus(-IDLE, Unit::Days).0;
        for row in 0..snapshot.users().len() {
            let number = index(row);
            if left_out.binary_search(&number).is_err() {
                figures.user(snapshot.users().cells(row), [snapshot.input.as_of.0, idle_since]);
                let found = snapshot.found_of(number).iter();
                for failing in found.take_while(|found| found.status == Status::Fail) {
                    figures.failing[usize::from(failing.rule)] += 1;
                }
            }
        }
        figures
    }

    /// Counts a user. A credential last used at or before `idle_since` is idle.
    fn user(&mut self, user: &UserCells, [as_of, idle_since]: [i64; 2]) {
        use FlagColumn::{MfaActive, PasswordEnabled};
        let is_on = |flag| user.flag(flag) == Flag::True;
        let enabled = user.flag(PasswordEnabled);
        let is_console_user = enabled == Flag::True || enabled == Flag::NotSupported && user.is_root;
        self.users += 1;
        self.console_users += u64::from(is_console_user);
        self.console_users_with_mfa += u64::from(is_console_user && is_on(MfaActive));
        for flag in ACCESS_KEY.active {
            self.active_keys += u64::from(is_on(flag));
        }
        for created in active_keys(user) {
            self.key((as_of - created).max(0));
        }
        if user.is_root {
            let last = last_use(user);
            self.root_used += u64::from(last.is_some_and(|last| last.0 > idle_since));
            self.root_last_used = self.root_last_used.max(last);
        } else {
            self.unused_credentials += unused_credentials(user, idle_since);
            self.dormant_users += u64::from(is_dormant(user, idle_since));
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

    /// Adds the counts of other users.
    pub(super) fn add(&mut self, other: &Self) {
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
            *mine += other;
        }
        let mine = self
            .old_keys
            .iter_mut()
            .chain(&mut self.key_ages)
            .chain(&mut self.failing);
        let others = other.old_keys.iter().chain(&other.key_ages).chain(&other.failing);
        mine.zip(others).for_each(|(mine, other)| *mine += other);
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
fn last_use(user: &UserCells) -> Option<Timestamp> {
    let uses = USES.map(|column| user.time(column));
    uses.into_iter().filter_map(known).max()
}

/// The number of passwords and active keys that have not been used since.
fn unused_credentials(user: &UserCells, idle_since: i64) -> u64 {
    let is_unused = |flag, used, since| {
        let used = user.time(used);
        let is_never_used = used == cell::ABSENT;
        let last = if is_never_used { user.time(since) } else { used };
        user.flag(flag) == Flag::True && known(last).is_some_and(|last| last.0 <= idle_since)
    };
    let password = is_unused(
        FlagColumn::PasswordEnabled,
        TimeColumn::PasswordLastUsed,
        TimeColumn::PasswordLastChanged,
    );
    let keys = Slot::ALL.map(|slot| {
        let at = slot as usize;
        let (active, used) = (ACCESS_KEY.active[at], KEY_LAST_USED.date[at]);
        u64::from(is_unused(active, used, ACCESS_KEY.last_rotated[at]))
    });
    u64::from(password) + keys.iter().sum::<u64>()
}

/// Whether the rule `user-dormant` fails. As in rules, an absent time is before all others.
fn is_dormant(user: &UserCells, idle_since: i64) -> bool {
    let is_until = |column, last| {
        let time = user.time(column);
        time != cell::UNKNOWN && time <= last
    };
    is_until(TimeColumn::UserCreation, idle_since - 1)
        && SIGNS_OF_LIFE.iter().all(|&column| is_until(column, idle_since))
}

/// Seconds as days, rounded to hundredths.
pub(super) fn days(seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 seconds")]
    let hundredths = seconds as f64 / 864.0;
    hundredths.round() / 100.0
}

/// A share of a count.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 things")]
    let ratio = part as f64 / whole as f64;
    ratio
}

/// The nearest-rank percentile of sorted values: the least value that at least `percent` of them do not exceed.
pub(super) fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    rank(sorted.len(), percent).map(|rank| sorted[rank])
}

/// The index of the nearest-rank percentile among `count` sorted values.
pub(super) fn rank(count: usize, percent: usize) -> Option<usize> {
    let rank = (count * percent).div_ceil(100).max(1);
    (count > 0).then(|| rank - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_hundredth_of_a_day_is_rounded_up() {
        let rounded = [6_876_143, 6_876_144].map(|seconds| days(seconds).to_string());
        assert_eq!(rounded, ["79.58", "79.59"]);
    }
}
