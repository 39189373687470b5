//! Which snapshot of each account is evaluated, where several are among the inputs.
//!
//! A scan is about the present state: of each account the newest snapshot counts, so that a directory of a year's
//! reports is one account and not 52. Nothing may be hidden that way: a partial export (without root's row) does not
//! displace a whole report, and neither does one that nothing dates, or one dated after the present.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::finding::LeftOutReason;
use crate::report::time::Timestamp;

/// An account lags behind if its newest snapshot is older than the newest of all by more than this.
const LAG_SECONDS: i64 = 7 * 86_400;

/// One snapshot among the inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The number of its input, which may have several reports.
    pub(super) input: usize,
    /// Its own time: when it was generated, or the date in its name; none where nothing dates it. Never `--as-of`.
    pub(super) time: Option<Timestamp>,
    /// Its accounts.
    pub(super) accounts: BTreeMap<Vec<u8>, OfAccount>,
}

/// What a snapshot has of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfAccount {
    /// Whether it has the root row, as whole reports do.
    pub(super) root: bool,
    /// When these rows were generated, where a merged report says it of each.
    pub(super) time: Option<Timestamp>,
}

/// Why the rows of an account are left out of a snapshot. The number is the position of the snapshot that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// A newer snapshot counts.
    Older(usize),
    /// It is later than `--as-of`, and another one is not.
    AfterAsOf(usize),
    /// Another one has the same rows at the same time.
    Identical(usize),
    /// Another one has other rows at the same time, and comes first.
    SameTime(usize),
    /// Nothing dates it, and another one is dated.
    Undated(usize),
}

impl LeftOut {
    /// Why, and the position of the snapshot that counts.
    pub(super) fn reason(self) -> (LeftOutReason, usize) {
        match self {
            Self::Older(by) => (LeftOutReason::Older, by),
            Self::AfterAsOf(by) => (LeftOutReason::AfterAsOf, by),
            Self::Identical(by) => (LeftOutReason::Identical, by),
            Self::SameTime(by) => (LeftOutReason::SameTime, by),
            Self::Undated(by) => (LeftOutReason::Undated, by),
        }
    }
}

/// What is known besides the candidates.
#[derive(Clone, Copy, Debug)]
pub struct Instants {
    /// The present: what is dated later displaces nothing.
    pub now: Timestamp,
    /// `--as-of`: the newest that is not later counts.
    pub as_of: Option<Timestamp>,
}

/// Which snapshots count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// By position of the candidate, the accounts that are left out of it, and why.
    pub(super) left_out: Vec<BTreeMap<Vec<u8>, LeftOut>>,
    /// Positions of candidates that are dated after the present.
    pub(super) future: Vec<usize>,
    /// Accounts whose newest snapshot is more than 7 days older than the newest of all, and its time.
    pub(super) lagging: Vec<(Vec<u8>, Timestamp)>,
}

/// Chooses. `same_rows` says whether two candidates have the same rows of an account; it is only asked of two with
/// the same time.
pub(super) fn choose(
    candidates: &[Candidate],
    instants: Instants,
    mut same_rows: impl FnMut(usize, usize, &[u8]) -> bool,
) -> Choice {
    let mut choice = Choice {
        left_out: vec![BTreeMap::new(); candidates.len()],
        ..Choice::default()
    };
    let is_future = |one: &Candidate| one.time.is_some_and(|time| time > instants.now);
    let positions = candidates.iter().enumerate();
    choice.future = positions
        .filter(|(_, one)| is_future(one))
        .map(|(at, _)| at)
        .collect();
    let mut accounts: BTreeMap<&[u8], Vec<Snapshot>> = BTreeMap::new();
    for (position, one) in candidates.iter().enumerate() {
        for (account, of_account) in &one.accounts {
            accounts.entry(account).or_default().push(Snapshot {
                position,
                input: one.input,
                time: of_account.time.or(one.time),
                root: of_account.root,
            });
        }
    }
    let mut newest: Vec<(&[u8], Timestamp)> = Vec::new();
    for (account, snapshots) in accounts {
        let mut of_account = Account {
            snapshots,
            left_out: BTreeMap::new(),
            same_rows: &mut |one, other| same_rows(one, other, account),
        };
        of_account.choose(instants);
        let kept = of_account.kept().filter_map(|one| one.time);
        newest.extend(
            kept.filter(|&time| time <= instants.now)
                .max()
                .map(|time| (account, time)),
        );
        for (position, why) in of_account.left_out {
            choice.left_out[position].insert(account.to_vec(), why);
        }
    }
    let of_all = newest.iter().map(|&(_, time)| time).max();
    let lags = |&&(_, time): &&(&[u8], Timestamp)| {
        of_all.is_some_and(|newest| newest.0.saturating_sub(time.0) > LAG_SECONDS)
    };
    choice.lagging = newest
        .iter()
        .filter(lags)
        .map(|&(account, time)| (account.to_vec(), time))
        .collect();
    choice
}

/// One snapshot, as far as one account is concerned.
#[derive(Clone, Copy, Debug)]
struct Snapshot {
    position: usize,
    input: usize,
    time: Option<Timestamp>,
    root: bool,
}

/// The snapshots of one account.
struct Account<'a> {
    snapshots: Vec<Snapshot>,
    left_out: BTreeMap<usize, LeftOut>,
    same_rows: &'a mut dyn FnMut(usize, usize) -> bool,
}

impl Account<'_> {
    fn kept(&self) -> impl Iterator<Item = Snapshot> {
        self.snapshots
            .iter()
            .copied()
            .filter(|one| !self.left_out.contains_key(&one.position))
    }

    fn choose(&mut self, instants: Instants) {
        let mut dated: Vec<Snapshot> = self
            .snapshots
            .iter()
            .copied()
            .filter(|one| one.time.is_some())
            .collect();
        if let Some(as_of) = instants.as_of {
            dated = self.not_after(as_of, dated);
        }
        let (future, mut dated): (Vec<_>, Vec<_>) = dated
            .into_iter()
            .partition(|one| one.time.is_some_and(|time| time > instants.now));
        // What is dated after the present displaces nothing but its own copies.
        let mut times: BTreeMap<Option<Timestamp>, Vec<Snapshot>> = BTreeMap::new();
        for one in future {
            times.entry(one.time).or_default().push(one);
        }
        for same_time in times.into_values() {
            self.leave_out_copies(&same_time);
        }
        dated.sort_by_key(|one| (Reverse(one.time), !one.root, one.position));
        let kept = self.displace(Vec::new(), dated);
        let mut undated: Vec<Snapshot> = self
            .snapshots
            .iter()
            .copied()
            .filter(|one| one.time.is_none())
            .collect();
        undated.sort_by_key(|one| (!one.root, one.position));
        self.displace(kept, undated);
    }

    /// Leaves out what is later than `--as-of`, unless all are: then the earliest one counts.
    fn not_after(&mut self, as_of: Timestamp, mut dated: Vec<Snapshot>) -> Vec<Snapshot> {
        dated.sort_by_key(|one| (one.time, !one.root, one.position));
        let limit = Some(as_of).max(dated.first().and_then(|one| one.time));
        let instead = dated
            .iter()
            .rfind(|one| one.time <= limit)
            .map(|one| one.position);
        dated.retain(|one| {
            let is_late = one.time > limit;
            if let (true, Some(instead)) = (is_late, instead) {
                self.left_out.insert(one.position, LeftOut::AfterAsOf(instead));
            }
            !is_late
        });
        dated
    }

    /// Of snapshots with the same time, leaves out those that are copies of one before them.
    fn leave_out_copies(&mut self, same_time: &[Snapshot]) {
        for (at, one) in same_time.iter().enumerate() {
            let before = same_time[..at].iter().map(|before| before.position);
            let mut kept = before.filter(|before| !self.left_out.contains_key(before));
            if let Some(same) = kept.find(|&before| (self.same_rows)(one.position, before)) {
                self.left_out.insert(one.position, LeftOut::Identical(same));
            }
        }
    }

    /// Goes through snapshots, newest first: each is left out if one that counts already displaces it. Returns those
    /// that count.
    fn displace(&mut self, mut kept: Vec<Snapshot>, snapshots: Vec<Snapshot>) -> Vec<Snapshot> {
        for one in snapshots {
            // A partial export hides no whole report.
            let displacer = kept.iter().find(|kept| kept.root || !one.root).copied();
            match displacer {
                Some(by) => {
                    let why = self.why(one, by, &kept);
                    // Programs write the pages of one report one after another: only the first has root's row.
                    let is_page = |kept: &Snapshot| {
                        kept.input == one.input && kept.time == one.time && !(kept.root && one.root)
                    };
                    if matches!(why, LeftOut::SameTime(_)) && kept.iter().any(is_page) {
                        kept.push(one);
                    } else {
                        self.left_out.insert(one.position, why);
                    }
                }
                None => kept.push(one),
            }
        }
        kept
    }

    fn why(&mut self, one: Snapshot, by: Snapshot, kept: &[Snapshot]) -> LeftOut {
        let same_time: Vec<usize> = kept
            .iter()
            .filter(|kept| kept.time == one.time)
            .map(|kept| kept.position)
            .collect();
        if let Some(&same) = same_time
            .iter()
            .find(|&&same| (self.same_rows)(one.position, same))
        {
            return LeftOut::Identical(same);
        }
        match same_time.first() {
            Some(&same) => LeftOut::SameTime(same),
            None if one.time.is_none() => LeftOut::Undated(by.position),
            None => LeftOut::Older(by.position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const NOW: Timestamp = Timestamp(1_000 * DAY);

    fn one(day: Option<i64>, accounts: &[(&str, bool)]) -> Candidate {
        Candidate {
            input: 0,
            time: day.map(|day| Timestamp(day * DAY)),
            accounts: accounts
                .iter()
                .map(|&(id, root)| (id.as_bytes().to_vec(), OfAccount { root, time: None }))
                .collect(),
        }
    }

    /// What is left out of each candidate of account A, where those with the same number in `same` have the same rows.
    fn chosen(days: &[(Option<i64>, bool)], as_of: Option<i64>, same: &[usize]) -> Vec<Option<LeftOut>> {
        let mut candidates: Vec<_> = days.iter().map(|&(day, root)| one(day, &[("A", root)])).collect();
        for (input, candidate) in candidates.iter_mut().enumerate() {
            candidate.input = input;
        }
        let as_of = as_of.map(|day| Timestamp(day * DAY));
        let same_rows = |a: usize, b: usize, _: &[u8]| same.contains(&a) && same.contains(&b);
        let choice = choose(&candidates, Instants { now: NOW, as_of }, same_rows);
        choice
            .left_out
            .iter()
            .map(|of| of.get(b"A".as_slice()).copied())
            .collect()
    }

    use LeftOut::{AfterAsOf, Identical, Older, SameTime, Undated};

    #[test]
    fn the_newest_of_an_account_counts() {
        let days = [(Some(1), true), (Some(3), true), (Some(2), true)];
        assert_eq!(chosen(&days, None, &[]), [Some(Older(1)), None, Some(Older(1))]);
    }

    #[test]
    fn a_partial_export_displaces_only_partial_ones() {
        let days = [
            (Some(1), true),
            (Some(2), false),
            (Some(3), false),
            (Some(0), true),
        ];
        assert_eq!(
            chosen(&days, None, &[]),
            [None, Some(Older(2)), None, Some(Older(0))]
        );
        assert_eq!(
            chosen(&[(Some(1), false), (Some(2), true)], None, &[]),
            [Some(Older(1)), None]
        );
    }

    #[test]
    fn of_equal_times_identical_ones_count_once_and_else_the_first() {
        let days = [(Some(1), true), (Some(1), true), (Some(1), true)];
        assert_eq!(
            chosen(&days, None, &[0, 2]),
            [None, Some(SameTime(0)), Some(Identical(0))]
        );
        // The whole report counts, first or not.
        assert_eq!(
            chosen(&[(Some(1), false), (Some(1), true)], None, &[]),
            [Some(SameTime(1)), None]
        );
    }

    #[test]
    fn what_nothing_dates_is_left_out_where_a_dated_one_hides_nothing() {
        assert_eq!(
            chosen(&[(None, true), (Some(1), true)], None, &[]),
            [Some(Undated(1)), None]
        );
        assert_eq!(chosen(&[(None, true), (Some(1), false)], None, &[]), [None, None]);
        assert_eq!(
            chosen(&[(None, true), (None, true)], None, &[0, 1]),
            [None, Some(Identical(0))]
        );
        assert_eq!(
            chosen(&[(None, true), (None, true)], None, &[]),
            [None, Some(SameTime(0))]
        );
    }

    #[test]
    fn what_is_dated_after_the_present_displaces_nothing() {
        let days = [
            (Some(999), true),
            (Some(1_001), true),
            (Some(1_001), true),
            (Some(998), true),
        ];
        assert_eq!(
            chosen(&days, None, &[1, 2]),
            [None, None, Some(Identical(1)), Some(Older(0))]
        );
        assert_eq!(
            chosen(&[(None, true), (Some(1_001), true)], None, &[]),
            [None, None]
        );
    }

    #[test]
    fn as_of_bounds_the_newest() {
        let days = [(Some(1), true), (Some(2), true), (Some(3), true)];
        assert_eq!(
            chosen(&days, Some(2), &[]),
            [Some(Older(1)), None, Some(AfterAsOf(1))]
        );
        // All are later: the earliest one is closest.
        assert_eq!(
            chosen(&days, Some(0), &[]),
            [None, Some(AfterAsOf(0)), Some(AfterAsOf(0))]
        );
    }

    #[test]
    fn pages_of_one_report_count_together() {
        let instants = Instants {
            now: NOW,
            as_of: None,
        };
        let mut pages = [
            one(Some(1), &[("A", true)]),
            one(Some(1), &[("A", false)]),
            one(Some(1), &[("A", true)]),
            one(Some(1), &[("A", false)]),
        ];
        pages[2].input = 1;
        pages[3].input = 1;
        let choice = choose(&pages, instants, |_, _, _| false);
        let left_out: Vec<bool> = choice.left_out.iter().map(|of| !of.is_empty()).collect();
        assert_eq!(left_out, [false, false, true, true]);
    }

    #[test]
    fn rows_may_have_times_of_their_own() {
        let instants = Instants {
            now: NOW,
            as_of: None,
        };
        let mut merged = one(Some(20), &[("A", true), ("B", true)]);
        let of_b = merged.accounts.get_mut(b"B".as_slice()).expect("B");
        of_b.time = Some(Timestamp(10 * DAY));
        let choice = choose(&[merged, one(Some(15), &[("B", true)])], instants, |_, _, _| {
            false
        });
        assert_eq!(choice.left_out[0].keys().collect::<Vec<_>>(), [b"B"]);
        assert!(choice.left_out[1].is_empty());
    }

    #[test]
    fn accounts_are_chosen_one_by_one() {
        let candidates = [
            one(Some(10), &[("A", true), ("B", true)]),
            one(Some(20), &[("B", true), ("C", true)]),
        ];
        let choice = choose(
            &candidates,
            Instants {
                now: NOW,
                as_of: None,
            },
            |_, _, _| false,
        );
        let left_out: Vec<_> = choice.left_out[0].iter().collect();
        assert_eq!(left_out, [(&b"B".to_vec(), &Older(1))]);
        assert!(choice.left_out[1].is_empty());
        assert_eq!(choice.lagging, [(b"A".to_vec(), Timestamp(10 * DAY))]);
        let close = [one(Some(13), &[("A", true)]), one(Some(20), &[("B", true)])];
        let choice = choose(
            &close,
            Instants {
                now: NOW,
                as_of: None,
            },
            |_, _, _| false,
        );
        assert_eq!(choice.lagging, [], "seven days are not more than seven days");
    }
}
