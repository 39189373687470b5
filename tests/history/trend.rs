//! `trend` of simulated accounts gives exactly the episodes and figures that are expected.

use std::collections::{BTreeMap, BTreeSet};

use credlens::engine::Program;
use credlens::history::trend::{TrendDocument, TrendOptions};
use credlens::rule::{Catalogue, Selection, select};
use proptest::prelude::*;

use super::simulated_account::{Account, DAY, HEADER, Key, ROOT, Random, START, User, text};
use super::{Report, trend_of};

const RULES: [&str; 3] = [
    "access-key-not-rotated",
    "console-user-without-mfa",
    "two-active-access-keys",
];

fn program() -> Program {
    let selection = Selection {
        rules: RULES.map(str::to_owned).to_vec(),
        ..Selection::default()
    };
    Program::new(select(&Catalogue::builtin(), &selection).unwrap().rules)
}

/// Rule, user, key.
type Broken = (&'static str, u64, Option<u64>);

/// The users and keys that break one of the rules. Root is not subject to these rules.
fn broken(account: &Account) -> BTreeSet<Broken> {
    let mut out = BTreeSet::new();
    for (&id, user) in account.users.iter().filter(|&(&id, _)| id != ROOT) {
        if user.password.is_some() && !user.mfa {
            out.insert((RULES[1], id, None));
        }
        if user.keys.iter().filter(|key| key.active).count() == 2 {
            out.insert((RULES[2], id, None));
        }
        let old = user
            .keys
            .iter()
            .filter(|key| key.active && is_old(key, account.now));
        out.extend(old.map(|key| (RULES[0], id, Some(key.id))));
    }
    out
}

fn is_old(key: &Key, now: i64) -> bool {
    now - key.created > 90 * DAY
}

/// The expected episodes of one rule: length, whether it ended, whether it was there at the start.
#[derive(Default)]
struct Expected {
    episodes: Vec<(i64, bool, bool)>,
    moved: Vec<(u64, u64)>,
}

fn episodes(states: &[Account], rule: &str) -> Expected {
    let mut expected = Expected::default();
    let mut open: BTreeMap<Broken, (i64, bool)> = BTreeMap::new();
    for (number, state) in states.iter().enumerate() {
        let now: BTreeSet<Broken> = broken(state)
            .into_iter()
            .filter(|broken| broken.0 == rule)
            .collect();
        let gone: Vec<Broken> = open
            .keys()
            .filter(|broken| !now.contains(broken))
            .copied()
            .collect();
        for broken in &gone {
            let (since, at_start) = open.remove(broken).unwrap();
            expected.episodes.push((state.now - since, true, at_start));
        }
        let new: Vec<Broken> = now
            .into_iter()
            .filter(|broken| !open.contains_key(broken))
            .collect();
        let opened = if number == 0 { 0 } else { new.len() as u64 };
        expected.moved.push((opened, gone.len() as u64));
        open.extend(new.into_iter().map(|broken| (broken, (state.now, number == 0))));
    }
    let end = states.last().unwrap().now;
    let still = open
        .into_values()
        .map(|(since, at_start)| (end - since, false, at_start));
    expected.episodes.extend(still);
    expected
}

/// The Kaplan–Meier estimate by its definition: for each length at which an episode ended, the share that lasts longer.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn days_until(episodes: &[(i64, bool, bool)], share: f64) -> Option<f64> {
    let counted: Vec<_> = episodes.iter().filter(|(.., at_start)| !at_start).collect();
    let ends: BTreeSet<i64> = counted
        .iter()
        .filter(|(_, ended, _)| *ended)
        .map(|(length, ..)| *length)
        .collect();
    let mut surviving = 1.0;
    for end in ends {
        let at_risk = counted.iter().filter(|(length, ..)| *length >= end).count();
        let ended = counted
            .iter()
            .filter(|(length, ended, _)| *ended && *length == end)
            .count();
        surviving *= 1.0 - ended as f64 / at_risk as f64;
        if surviving < 1.0 - share + 1e-9 {
            return Some((end as f64 / 864.0).round() / 100.0);
        }
    }
    None
}

fn trend(reports: Vec<Report>, options: TrendOptions) -> TrendDocument {
    let program = program();
    trend_of(&program, reports, options)
}

fn report(account: &Account) -> Report {
    Report {
        header: HEADER.to_owned(),
        records: account.report(),
        as_of: account.now,
    }
}

fn live(seed: u64, users: u64, every: u64) -> Vec<Account> {
    let mut account = Account::new(seed, users);
    let mut states = vec![account.clone()];
    while account.now < START + 365 * DAY {
        let pause = 60 + account.random.below(2 * every * 86_400);
        account.live_until(account.now + i64::try_from(pause).unwrap());
        states.push(account.clone());
    }
    states
}

fn check_rules(states: &[Account], document: &TrendDocument) {
    for rule in RULES {
        let expected = episodes(states, rule);
        let count = |ended: bool| {
            expected
                .episodes
                .iter()
                .filter(|episode| episode.1 == ended)
                .count() as u64
        };
        match document.rules.iter().find(|trend| trend.rule == rule) {
            None => assert!(expected.episodes.is_empty()),
            Some(trend) => {
                assert_eq!(
                    (trend.open, trend.resolved),
                    (count(false), count(true)),
                    "{rule}"
                );
                let at_start = expected.episodes.iter().filter(|episode| episode.2).count() as u64;
                assert_eq!(
                    (trend.at_start, trend.at_start + trend.opened),
                    (at_start, trend.open + trend.resolved)
                );
                assert_eq!(
                    trend.median_days_to_resolve,
                    days_until(&expected.episodes, 0.5),
                    "{rule}"
                );
                assert_eq!(
                    trend.p90_days_to_resolve,
                    days_until(&expected.episodes, 0.9),
                    "{rule}"
                );
            }
        }
    }
    let all_moved = RULES.map(|rule| episodes(states, rule).moved);
    for (number, point) in document.snapshots.iter().enumerate() {
        let sum = |of: fn(&(u64, u64)) -> u64| all_moved.iter().map(|moved| of(&moved[number])).sum::<u64>();
        assert_eq!(
            (point.opened, point.resolved),
            (sum(|moved| moved.0), sum(|moved| moved.1))
        );
    }
}

fn check_figures(states: &[Account], document: &TrendDocument) {
    assert_eq!(document.snapshots.len(), states.len());
    for (point, state) in document.snapshots.iter().zip(states) {
        let users = || state.users.values();
        let count = |wanted: &dyn Fn(&User) -> bool| users().filter(|user| wanted(user)).count() as u64;
        let active = || users().flat_map(|user| user.keys.iter()).filter(|key| key.active);
        let mut ages: Vec<i64> = active().map(|key| (state.now - key.created) / DAY).collect();
        ages.sort_unstable();
        assert_eq!(point.as_of, text(state.now));
        assert_eq!(point.users, state.users.len() as u64);
        assert_eq!(
            point.console_users.unwrap(),
            count(&|user| user.password.is_some())
        );
        assert_eq!(
            point.console_users_with_mfa.unwrap(),
            count(&|user| user.password.is_some() && user.mfa)
        );
        assert_eq!(point.active_keys, Some(ages.len() as u64));
        let old = active().filter(|key| is_old(key, state.now)).count() as u64;
        assert_eq!(point.keys_over_90_days, Some(old));
        assert_eq!(point.key_age_max, ages.last().copied());
        let below = |age: i64| ages.iter().filter(|&&other| other < age).count();
        for (figure, percent) in [(point.key_age_median, 50), (point.key_age_p90, 90)] {
            if let Some(age) = figure {
                let at_most = ages.iter().filter(|&&other| other <= age).count();
                assert!(below(age) * 100 < percent * ages.len() && at_most * 100 >= percent * ages.len());
            }
        }
        assert_eq!(point.dormant_users, Some(dormant(state)));
        assert_eq!(point.key_ages.map(|ages| ages.iter().sum()), point.active_keys);
        assert_eq!(
            point.by_severity.values().sum::<u64>(),
            broken(state).len() as u64
        );
    }
}

/// Each time span in which a key is active ends in one of five ways.
fn check_rotation(states: &[Account], document: &TrendDocument) {
    let mut counts = BTreeMap::new();
    let active = |state: &Account| -> BTreeMap<u64, i64> {
        let keys = state
            .users
            .values()
            .flat_map(|user| &user.keys)
            .filter(|key| key.active);
        keys.map(|key| (key.id, key.created)).collect()
    };
    let limit = 90 * DAY;
    for pair in states.windows(2) {
        let later = active(&pair[1]);
        for (_, created) in active(&pair[0]).iter().filter(|(id, _)| !later.contains_key(id)) {
            let way = match (pair[0].now - created > limit, pair[1].now - created > limit) {
                (_, false) => "in time",
                (true, _) => "late",
                (false, true) => "unclear",
            };
            *counts.entry(way).or_insert(0) += 1;
        }
    }
    let end = states.last().unwrap();
    for created in active(end).values() {
        let way = if end.now - created > limit {
            "never"
        } else {
            "not due"
        };
        *counts.entry(way).or_insert(0) += 1;
    }
    let count = |way: &str| counts.get(way).copied().unwrap_or(0);
    let rotation = document.rotation;
    assert_eq!(
        [
            rotation.in_time,
            rotation.late,
            rotation.unclear,
            rotation.never,
            rotation.not_due
        ],
        ["in time", "late", "unclear", "never", "not due"].map(count)
    );
}

fn dormant(state: &Account) -> u64 {
    let limit = state.now - 90 * DAY;
    let people = state.users.iter().filter(|&(&id, _)| id != ROOT);
    let dormant = people.filter(|(_, user)| {
        let signed_in = user.password.iter().filter_map(|password| password.used);
        let changed = user.password.iter().map(|password| password.changed);
        let keys = user.keys.iter().filter_map(|key| key.used);
        let created = user.keys.iter().chain(&user.certificates).map(|key| key.created);
        let signs = keys.chain(signed_in).chain(changed).chain(created);
        user.created < limit && signs.max().is_none_or(|last| last <= limit)
    });
    dormant.count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn simulated_accounts_give_the_expected_trend(seed in 1..u64::from(u32::MAX), users in 1..25_u64, every in 1..60_u64) {
        let states = live(seed, users, every);
        let document = trend(states.iter().map(report).collect(), TrendOptions::default());
        check_rules(&states, &document);
        check_figures(&states, &document);
        check_rotation(&states, &document);
    }
}

/// The report one second later, with some unreadable cells.
fn garbled(report: &Report, random: &mut Random, percent: u64) -> Report {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(report.records.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        let cells = record.iter().enumerate();
        let cells = cells.map(|(column, cell)| {
            if column > 1 && random.below(100) < percent {
                "garbage"
            } else {
                cell
            }
        });
        writer.write_record(cells).unwrap();
    }
    Report {
        header: report.header.clone(),
        records: String::from_utf8(writer.into_inner().unwrap()).unwrap(),
        as_of: report.as_of + 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Each report is followed by one with some unreadable cells, which must not open or resolve anything.
    #[test]
    fn unreadable_cells_open_and_resolve_nothing(seed in 1..u64::from(u32::MAX), every in 5..60_u64) {
        let states = live(seed, 12, every);
        let with = |percent: u64| {
            let mut random = Random::new(seed);
            let reports = states.iter().map(report);
            let reports = reports.flat_map(|report| {
                let garbled = garbled(&report, &mut random, percent);
                [report, garbled]
            });
            let program = super::program();
            trend_of(&program, reports.collect(), TrendOptions::default())
        };
        let (garbled, clean) = (with(8), with(0));
        let moved = |document: &TrendDocument| -> Vec<_> {
            document.snapshots.iter().map(|point| (point.opened, point.resolved)).collect()
        };
        assert_eq!(moved(&garbled), moved(&clean));
        assert_eq!(garbled.rules, clean.rules);
        assert_eq!(garbled.oldest, clean.oldest);
        assert_eq!(garbled.rotation, clean.rotation);
    }
}

/// Two accounts: one point for each pair of reports, or one for each report with `by_account`.
#[test]
fn points_of_all_accounts_and_by_account() {
    let (first, second) = (live(1, 8, 20), live(2, 8, 20));
    let days = [0, 30, 60];
    let mut reports = Vec::new();
    for (day, (one, other)) in days.into_iter().zip(first.iter().zip(&second)) {
        for (late, state) in [(0, one), (7_200, other)] {
            reports.push(Report {
                as_of: START + day * DAY + late,
                ..report(state)
            });
        }
    }
    // The second account lacks one report.
    reports.remove(3);
    let again = || {
        reports.iter().map(|report| Report {
            header: report.header.clone(),
            records: report.records.clone(),
            as_of: report.as_of,
        })
    };
    let together = trend(again().collect(), TrendOptions::default());
    let accounts: Vec<_> = together.snapshots.iter().map(|point| point.accounts).collect();
    assert_eq!(accounts, [2, 1, 2]);
    let gaps = || {
        together
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code.name() == "gap")
    };
    assert!(
        gaps().next().unwrap().message.starts_with("account "),
        "{:?}",
        together.diagnostics
    );
    let options = TrendOptions {
        by_account: true,
        ..TrendOptions::default()
    };
    let apart = trend(again().collect(), options);
    assert_eq!(apart.snapshots.len(), 5);
    assert_eq!(apart.rules, together.rules);
    let sum = |of: &TrendDocument| of.snapshots.iter().map(|point| point.resolved).sum::<u64>();
    assert_eq!(sum(&apart), sum(&together));
}

#[test]
fn a_report_read_twice_counts_once() {
    let states = live(3, 8, 60);
    let reports = states.iter().flat_map(|state| [report(state), report(state)]);
    let twice = trend(reports.collect(), TrendOptions::default());
    let once = trend(states.iter().map(report).collect(), TrendOptions::default());
    assert_eq!(twice.snapshots, once.snapshots);
    assert_eq!(twice.diagnostics[0].code.name(), "duplicate-snapshot");
}
