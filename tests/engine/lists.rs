//! Compares `credlens list` with the naive interpreter: on random reports, conditions, filters and rules, which users, keys
//! and certificates are listed, which are left out, and what is said about each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use credlens::engine::{self, AssessOptions, EmitFilter, Program};
use credlens::finding::{GivenFilters, ListItem, Severity, Status, Verdict};
use credlens::gsl;
use credlens::gsl::typed::{Entity, Expr, TypedRule};
use credlens::output::DisplayOptions;
use credlens::output::list::{ListDocument, ListKind, ListOutputs, ListRequest};
use credlens::report::schema::{Credential, FlagColumn, Slot, TextColumn, TimeColumn};
use credlens::rule::{BoundRule, Filters};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::report::{Interesting, Report, report};
use super::severity;
use crate::support::naive::{self, Row};
use crate::support::pipeline::{AS_OF, bound, memory};
use crate::support::typed::{expr, typed_rule};

#[derive(Clone, Debug)]
struct Case {
    kind: ListKind,
    condition: Option<Expr>,
    filters: GivenFilters,
    rules: Vec<TypedRule>,
    report: Report,
}

fn patterns(all: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let pattern = select(all).prop_map(str::to_owned);
    prop_oneof![3 => Just(Vec::new()), 1 => vec(pattern, 1..3)]
}

fn filters() -> impl Strategy<Value = GivenFilters> {
    const USERS: &[&str] = &["alice", "a*", "*o*", "<root_account>", "*", "Bob"];
    const PATHS: &[&str] = &["/", "/path/", "*path*", "/x*"];
    const ACCOUNTS: &[&str] = &["111122223333", "4444*", "*"];
    let two = |all| (patterns(all), patterns(all));
    (two(USERS), two(PATHS), two(ACCOUNTS)).prop_map(|(user, path, account)| GivenFilters {
        user: user.0,
        exclude_user: user.1,
        path: path.0,
        exclude_path: path.1,
        account: account.0,
        exclude_account: account.1,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let kind = select(ListKind::ALL.to_vec());
    let chosen = kind.prop_flat_map(|kind| (Just(kind), option::weighted(0.9, expr(kind.entity()))));
    (chosen, filters(), vec(typed_rule(), 0..4)).prop_flat_map(|((kind, condition), filters, rules)| {
        let mut looked_at = rules.clone();
        looked_at.extend(condition.clone().map(|condition| rule(kind.entity(), condition)));
        report(Interesting::of(&looked_at)).prop_map(move |report| Case {
            kind,
            condition: condition.clone(),
            filters: filters.clone(),
            rules: rules.clone(),
            report,
        })
    })
}

/// A rule that fails where the entity exists and meets the condition.
fn rule(entity: Entity, condition: Expr) -> TypedRule {
    TypedRule {
        entity,
        relevant: None,
        forbidden: true,
        condition,
        exclude: None,
    }
}

impl Case {
    /// Whether an entity is listed, if that is known.
    fn is_listed(&self, slot: Slot, row: &Row) -> Option<bool> {
        let entity = self.kind.entity();
        let Some(condition) = &self.condition else {
            return naive::is_known_to_exist(entity, slot, row);
        };
        match naive::verdict(&rule(entity, condition.clone()), slot, row, as_of()) {
            Verdict::Fail => Some(true),
            Verdict::Undetermined => None,
            Verdict::Pass | Verdict::NotApplicable => Some(false),
        }
    }

    fn admits(&self, row: &Row) -> bool {
        let filters = &self.filters;
        let kind = |text: Option<String>, only: &[String], except: &[String]| {
            let matches = |patterns: &[String]| {
                let text = text.as_deref().filter(|text| !text.is_empty());
                text.is_some_and(|text| patterns.iter().any(|pattern| glob(pattern, text)))
            };
            (only.is_empty() || matches(only)) && !matches(except)
        };
        kind(naive::user(row), &filters.user, &filters.exclude_user)
            && kind(naive::user_path(row), &filters.path, &filters.exclude_path)
            && kind(naive::account(row), &filters.account, &filters.exclude_account)
    }

    /// The findings on an item: how many, and the worst.
    fn findings(&self, credential: Option<Credential>, row: &Row) -> (u64, Option<Severity>) {
        let mut found = (0, None);
        for (position, rule) in self.rules.iter().enumerate() {
            for &slot in rule.entity.slots() {
                let is_about_it = credential.is_none() || naive::credential(rule, slot) == credential;
                if is_about_it && naive::verdict(rule, slot, row, as_of()) == Verdict::Fail {
                    found = (found.0 + 1, found.1.max(Some(severity(position))));
                }
            }
        }
        found
    }

    /// The lines, and how many are left out because it is unknown whether they belong.
    fn expected(&self) -> (Vec<ListItem>, u64) {
        let (mut items, mut unknown) = (Vec::new(), 0);
        for (number, row) in self.report.rows().iter().enumerate() {
            if !self.admits(row) {
                continue;
            }
            for &slot in self.kind.entity().slots() {
                match self.is_listed(slot, row) {
                    Some(true) => items.push(self.item(slot, row, number as u64 + 1)),
                    Some(false) => {}
                    None => unknown += 1,
                }
            }
        }
        (items, unknown)
    }

    fn item(&self, slot: Slot, row: &Row, number: u64) -> ListItem {
        let entity = self.kind.entity();
        let credential = match entity {
            Entity::IamUser | Entity::IamServiceCredential => None,
            Entity::IamAccessKey => Some(Credential::AccessKey(slot)),
            Entity::IamSigningCertificate => Some(Credential::Certificate(slot)),
        };
        let user_created = naive::time_cell(row, TimeColumn::UserCreation).unwrap_or_default();
        let created = match entity {
            Entity::IamUser | Entity::IamServiceCredential => user_created,
            Entity::IamAccessKey | Entity::IamSigningCertificate => naive::created(entity, slot, row),
        };
        let use_ = last_use(entity, slot, row);
        let (findings, severity) = self.findings(credential, row);
        ListItem {
            schema: "credlens.list/v1".to_owned(),
            account: naive::account(row),
            account_name: None,
            user: naive::user(row).filter(|user| !user.is_empty()),
            path: naive::user_path(row),
            arn: naive::arn(row),
            user_created: user_created.map(timestamp),
            credential,
            active: is_active(entity, slot, row),
            created: created.map(timestamp),
            age_days: created.and_then(days),
            last_used: use_.time.map(timestamp),
            idle_days: use_.time.and_then(days),
            last_used_region: use_.region.and_then(|column| naive::text_cell(row, column)),
            last_used_service: use_.service.and_then(|column| naive::text_cell(row, column)),
            password_enabled: naive::flag_cell(row, FlagColumn::PasswordEnabled),
            mfa_active: naive::flag_cell(row, FlagColumn::MfaActive),
            access_key_id: None,
            access_key_description: None,
            owner: None,
            findings,
            severity,
            due_at: None,
            as_of: AS_OF,
            source: credlens::finding::Source {
                path: "report-0.csv".to_owned(),
                row: Some(number),
                line: None,
            },
            never_used: false,
        }
    }

    /// What the program writes as JSON: the condition goes through its text.
    fn actual(&self, threads: usize, size: usize) -> ListDocument {
        let rules = self.rules.iter().enumerate().map(|(position, typed)| BoundRule {
            severity: severity(position),
            ..bound(&format!("rule-{position}"), typed.clone())
        });
        let text = self.condition.as_ref().map(ToString::to_string);
        let entity = self.kind.entity();
        let condition = text
            .as_deref()
            .map(|text| gsl::parse_condition(entity, text).unwrap());
        let program = Program::new(rules.collect()).with_listing(entity, condition.as_ref());
        let request = ListRequest {
            kind: self.kind,
            condition: text,
            sort: None,
            min_severity: Severity::Informational,
        };
        let formats = vec![("json".parse().unwrap(), Vec::new())];
        let outputs = ListOutputs::new(formats, request, &program, DisplayOptions::default());
        let filters = Filters::new(&self.filters).unwrap();
        let options = AssessOptions {
            threads,
            emit: EmitFilter::new(&[Status::Fail], Severity::Informational),
            filters: Some(&filters),
            ..AssessOptions::default()
        };
        let source = memory(&[(&self.report.header(), self.report.blocks(size))]);
        let tally = engine::assess(&program, source, &outputs, options).unwrap();
        let written = outputs.finish(&tally).unwrap().remove(0);
        serde_json::from_slice(&written).unwrap()
    }
}

/// The time, region and service of the last use.
#[derive(Default)]
struct LastUse {
    time: Option<DateTime<Utc>>,
    region: Option<TextColumn>,
    service: Option<TextColumn>,
}

fn last_use(entity: Entity, slot: Slot, row: &Row) -> LastUse {
    let password = (TimeColumn::PasswordLastUsed, None);
    let keys = [
        (
            TimeColumn::Key1LastUsed,
            Some((TextColumn::Key1LastUsedRegion, TextColumn::Key1LastUsedService)),
        ),
        (
            TimeColumn::Key2LastUsed,
            Some((TextColumn::Key2LastUsedRegion, TextColumn::Key2LastUsedService)),
        ),
    ];
    let columns = match entity {
        Entity::IamUser | Entity::IamServiceCredential => vec![password, keys[0], keys[1]],
        Entity::IamAccessKey => vec![keys[slot as usize]],
        Entity::IamSigningCertificate => Vec::new(),
    };
    let mut last = LastUse::default();
    for (column, about) in columns {
        match naive::time_cell(row, column) {
            Err(_) => return LastUse::default(),
            Ok(time) if time > last.time => {
                last = LastUse {
                    time,
                    region: about.map(|(region, _)| region),
                    service: about.map(|(_, service)| service),
                }
            }
            Ok(_) => {}
        }
    }
    last
}

fn is_active(entity: Entity, slot: Slot, row: &Row) -> Option<bool> {
    let all = [
        FlagColumn::PasswordEnabled,
        FlagColumn::Key1Active,
        FlagColumn::Key2Active,
        FlagColumn::Cert1Active,
        FlagColumn::Cert2Active,
    ];
    let columns = match entity {
        Entity::IamUser | Entity::IamServiceCredential => &all[..],
        Entity::IamAccessKey => &all[1 + slot as usize..][..1],
        Entity::IamSigningCertificate => &all[3 + slot as usize..][..1],
    };
    let flags = columns.iter().map(|&column| naive::flag_cell(row, column));
    let flags: Vec<_> = flags.collect();
    if flags.contains(&Some(true)) {
        return Some(true);
    }
    (!flags.contains(&None)).then_some(false)
}

fn as_of() -> DateTime<Utc> {
    DateTime::from_timestamp(AS_OF.0, 0).unwrap()
}

fn timestamp(time: DateTime<Utc>) -> credlens::report::time::Timestamp {
    credlens::report::time::Timestamp(time.timestamp())
}

fn days(since: DateTime<Utc>) -> Option<u64> {
    let seconds = u64::try_from((as_of() - since).num_seconds()).ok()?;
    Some(seconds / 86_400)
}

/// The patterns have no wildcard but `*`.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern = regex::escape(pattern).replace(r"\*", "(?s:.*)");
    regex::Regex::new(&format!("^{pattern}$")).unwrap().is_match(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_agrees_with_the_naive_interpreter(case in case(), size in 1_usize..70) {
        let document = case.actual(1, size);
        let (items, unknown) = case.expected();
        prop_assert_eq!(&document.items, &items);
        prop_assert_eq!(document.about.unknown, unknown);
        prop_assert_eq!(document.about.listed, items.len() as u64);
        prop_assert_eq!(&document.about.filters, &case.filters);
        for (threads, size) in [(3, size), (2, usize::MAX)] {
            prop_assert_eq!(&case.actual(threads, size), &document);
        }
    }
}

/// The random cases must list, leave out and refuse enough to mean something.
#[test]
fn random_lists_are_not_all_empty() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = BTreeMap::new();
    for _ in 0..100 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let (items, unknown) = case.expected();
        *counts.entry("listed").or_insert(0) += u64::from(!items.is_empty());
        *counts.entry("unknown").or_insert(0) += u64::from(unknown > 0);
        let findings = items.iter().any(|item| item.findings > 0);
        *counts.entry("findings").or_insert(0) += u64::from(findings);
    }
    assert!(counts.values().all(|&cases| cases >= 15), "{counts:?}");
}
