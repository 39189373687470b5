//! Compares the engine with the naive interpreter, on random reports, rules and suppressions.

mod arn_parts;
mod details;
mod due;
mod lists;
mod report;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use credlens::engine::{AssessOptions, EmitFilter, Program};
use credlens::finding::{Finding, RuleTally, Severity, Status, Tally, Verdict};
use credlens::gsl::typed::TypedRule;
use credlens::report::schema::{Column, Credential};
use credlens::rule::{BoundRule, Suppressions};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use crate::support::naive;
use crate::support::pipeline::{AS_OF, CATALOGUE, bound, evaluate_with, memory};
use crate::support::typed::typed_rule;
use report::{Interesting, Report, TIMES, report};

/// A suppression, with the parts of its patterns that the interpreter needs.
#[derive(Clone, Debug)]
struct Accepted {
    /// Position of the rule; none for all rules.
    rule: Option<Index>,
    account: Option<&'static str>,
    user: Option<&'static str>,
    credential: Option<Credential>,
    created: Option<String>,
    expires: Option<&'static str>,
}

/// The day before the as-of, the day of it, and later.
const EXPIRES: [&str; 3] = ["2025-12-31", "2026-01-01", "2027-01-01"];

fn accepted(interesting: &Interesting) -> impl Strategy<Value = Accepted> + use<> {
    let times: Vec<String> = interesting
        .times
        .iter()
        .map(String::as_str)
        .chain(TIMES)
        .filter(|time| naive::parse(time).is_some())
        .map(str::to_owned)
        .collect();
    let accounts = ["111122223333", "1111*", "444455556666", "*"];
    let users = ["alice", "<root_account>", "a*", "*", "Bob"];
    (
        option::of(any::<Index>()),
        option::weighted(0.3, select(accounts.to_vec())),
        option::weighted(0.5, select(users.to_vec())),
        option::weighted(0.2, select(Credential::ALL.to_vec())),
        option::weighted(0.2, select(times)),
        option::weighted(0.5, select(EXPIRES.to_vec())),
    )
        .prop_map(|(rule, account, user, credential, created, expires)| Accepted {
            rule,
            account,
            user,
            credential,
            created,
            expires,
        })
}

impl Accepted {
    /// The entry in a file; the reason is its number.
    fn toml(&self, number: usize, ids: &[String]) -> String {
        let rule = self.rule.map_or("*", |rule| &ids[rule.index(ids.len())]);
        let mut entry = format!("[[suppress]]\nrule = '{rule}'\nreason = '{number}'\n");
        let texts = [
            ("account", self.account.map(str::to_owned)),
            ("user", self.user.map(str::to_owned)),
            (
                "credential",
                self.credential.map(|credential| credential.to_string()),
            ),
            ("created", self.created.clone()),
        ];
        for (key, text) in texts {
            entry.extend(text.map(|text| format!("{key} = '{text}'\n")));
        }
        entry.extend(self.expires.map(|day| format!("expires = {day}\n")));
        entry
    }

    fn accepts(&self, expected: &Expected, rules: usize) -> bool {
        let matches = |pattern: Option<&str>, text: &Option<String>| match (pattern, text) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(pattern), Some(text)) => match pattern.strip_suffix('*') {
                Some(start) => text.starts_with(start),
                None => text == pattern,
            },
        };
        let created = self.created.as_deref().map(naive::parse);
        self.rule.is_none_or(|rule| rule.index(rules) == expected.rule)
            && matches(self.account, &expected.account)
            && matches(self.user, &expected.user)
            && self
                .credential
                .is_none_or(|credential| expected.credential == Some(credential))
            && created.is_none_or(|created| expected.created == created)
            && self.expires != Some(EXPIRES[0])
    }

    /// Entries that name a user exactly are tried before all others.
    fn is_exact(&self) -> bool {
        self.user.is_some_and(|user| !user.contains('*'))
    }
}

/// A finding as the interpreter expects it.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    row: Option<u64>,
    rule: usize,
    status: Status,
    account: Option<String>,
    user: Option<String>,
    arn: Option<String>,
    credential: Option<Credential>,
    created: Option<DateTime<Utc>>,
    evidence: BTreeMap<String, String>,
    /// The number of the suppression.
    suppression: Option<usize>,
    /// How many verdicts are folded into it.
    folded: Option<u64>,
}

/// The interpreter's result: the findings, and the tally of each rule.
struct Interpreted {
    findings: Vec<Expected>,
    tally: Vec<Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    tested: u64,
    relevant: u64,
    passed: u64,
    failed: u64,
    undetermined: u64,
    suppressed: u64,
}

fn interpret(case: &Case) -> Interpreted {
    let as_of = DateTime::from_timestamp(AS_OF.0, 0).unwrap();
    let rows = case.report.rows();
    let mut findings = Vec::new();
    let mut tally = vec![Counts::default(); case.rules.len()];
    let mut folded: BTreeMap<usize, u64> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        for (rule, typed) in case.rules.iter().enumerate() {
            for &slot in typed.entity.slots() {
                let counts = &mut tally[rule];
                counts.tested += u64::from(naive::may_exist(typed.entity, slot, row));
                let status = match naive::verdict(typed, slot, row, as_of) {
                    Verdict::NotApplicable => continue,
                    Verdict::Pass => Status::Pass,
                    Verdict::Undetermined => Status::Undetermined,
                    Verdict::Fail => Status::Fail,
                };
                let mut expected = Expected {
                    row: Some(number as u64 + 1),
                    rule,
                    status,
                    account: naive::account(row),
                    user: naive::user(row),
                    arn: naive::arn(row),
                    credential: naive::credential(typed, slot),
                    created: naive::created(typed.entity, slot, row),
                    evidence: naive::evidence(typed, slot, row),
                    suppression: None,
                    folded: None,
                };
                if status == Status::Fail {
                    expected.suppression = case.suppression(&expected);
                }
                if expected.suppression.is_some() {
                    expected.status = Status::Suppressed;
                }
                counts.relevant += 1;
                *match expected.status {
                    Status::Pass => &mut counts.passed,
                    Status::Fail => &mut counts.failed,
                    Status::Undetermined => &mut counts.undetermined,
                    Status::Suppressed => &mut counts.suppressed,
                    Status::Due => unreachable!("no window is asked for"),
                } += 1;
                if status == Status::Undetermined && case.lacks_columns(typed) {
                    *folded.entry(rule).or_default() += 1;
                } else {
                    findings.push(expected);
                }
            }
        }
    }
    let accounts: BTreeSet<String> = rows.iter().filter_map(naive::account).collect();
    findings.extend(folded.into_iter().map(|(rule, verdicts)| Expected {
        row: None,
        rule,
        status: Status::Undetermined,
        account: accounts.first().filter(|_| accounts.len() == 1).cloned(),
        user: None,
        arn: None,
        credential: None,
        created: None,
        evidence: BTreeMap::new(),
        suppression: None,
        folded: Some(verdicts),
    }));
    findings.retain(|expected| case.emits(expected));
    Interpreted { findings, tally }
}

/// Rules, a report, suppressions, and the statuses and the severity to be emitted.
#[derive(Clone, Debug)]
struct Case {
    rules: Vec<TypedRule>,
    report: Report,
    accepted: Vec<Accepted>,
    statuses: Vec<Status>,
    min_severity: Severity,
}

fn case() -> impl Strategy<Value = Case> {
    let emitted = (
        subsequence(Status::ALL.to_vec(), 0..=Status::ALL.len()),
        any::<bool>(),
    );
    let all = Just((Status::ALL.to_vec(), true));
    let emitted = prop_oneof![2 => all, 1 => emitted];
    (vec(typed_rule(), 1..6), emitted).prop_flat_map(|(rules, (statuses, any_severity))| {
        let interesting = Interesting::of(&rules);
        let accepted = vec(accepted(&interesting), 0..5);
        let min_severity = if any_severity {
            Severity::Informational
        } else {
            Severity::Medium
        };
        (report(interesting), accepted).prop_map(move |(report, accepted)| Case {
            rules: rules.clone(),
            report,
            accepted,
            statuses: statuses.clone(),
            min_severity,
        })
    })
}

impl Case {
    /// The number of the first suppression that accepts a failing verdict.
    fn suppression(&self, expected: &Expected) -> Option<usize> {
        let accepting = (0..self.accepted.len())
            .filter(|&number| self.accepted[number].accepts(expected, self.rules.len()));
        accepting.min_by_key(|&number| (!self.accepted[number].is_exact(), number))
    }

    fn lacks_columns(&self, typed: &TypedRule) -> bool {
        let lacks =
            |column: Column| !Column::OPTIONAL.contains(column) && !self.report.columns.contains(&column);
        typed.all_columns().iter().any(lacks)
    }

    fn emits(&self, expected: &Expected) -> bool {
        self.statuses.contains(&expected.status) && severity(expected.rule) >= self.min_severity
    }

    /// Ids of built-in rules, which suppressions can name.
    fn ids(&self) -> Vec<String> {
        CATALOGUE
            .rules()
            .map(|rule| rule.id.clone())
            .take(self.rules.len())
            .collect()
    }

    fn program(&self) -> Program {
        let ids = self.ids();
        let rules = self.rules.iter().enumerate().map(|(position, typed)| BoundRule {
            severity: severity(position),
            ..bound(&ids[position], typed.clone())
        });
        Program::new(rules.collect())
    }

    fn suppressions(&self) -> Suppressions {
        let ids = self.ids();
        let entries = self.accepted.iter().enumerate();
        let text: String = entries.map(|(number, entry)| entry.toml(number, &ids)).collect();
        Suppressions::parse("accepted.toml", &text, &CATALOGUE).unwrap()
    }
}

fn severity(rule: usize) -> Severity {
    if rule.is_multiple_of(2) {
        Severity::High
    } else {
        Severity::Low
    }
}

/// The engine's findings in the form of the interpreter's. A finding does not have the creation time of its credential.
fn actual(findings: &[Finding], case: &Case, expected: &[Expected]) -> Vec<Expected> {
    let ids = case.ids();
    let of_finding = |(finding, created): (&Finding, Option<DateTime<Utc>>)| Expected {
        row: finding.source.row,
        rule: ids.iter().position(|id| *id == finding.rule).unwrap(),
        status: finding.status,
        account: finding.account.clone(),
        user: finding.user.clone(),
        arn: finding.arn.clone(),
        credential: finding.credential,
        created,
        evidence: finding.evidence.clone(),
        suppression: finding.suppression.as_ref().map(|it| it.reason.parse().unwrap()),
        folded: finding
            .message
            .strip_prefix("cannot be determined in ")
            .map(|rest| rest.split(' ').next().unwrap().parse().unwrap()),
    };
    let created = expected
        .iter()
        .map(|expected| expected.created)
        .chain(std::iter::repeat(None));
    findings.iter().zip(created).map(of_finding).collect()
}

fn counts(tally: &Tally) -> Vec<Counts> {
    let counts = |rule: &RuleTally| Counts {
        tested: rule.tested,
        relevant: rule.relevant,
        passed: rule.passed,
        failed: rule.failed,
        undetermined: rule.undetermined,
        suppressed: rule.suppressed,
    };
    tally.rules.iter().map(counts).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_engine_agrees_with_the_naive_interpreter(case in case(), size in 1_usize..70) {
        let (program, header) = (case.program(), case.report.header());
        let run = |threads: usize, size: usize| {
            let suppressions = case.suppressions();
            let options = AssessOptions {
                threads,
                emit: EmitFilter::new(&case.statuses, case.min_severity),
                suppressions: Some(&suppressions),
                ..AssessOptions::default()
            };
            evaluate_with(&program, memory(&[(&header, case.report.blocks(size))]), options)
        };
        let (findings, tally) = run(1, size);
        let expected = interpret(&case);
        prop_assert_eq!(actual(&findings, &case, &expected.findings), expected.findings);
        prop_assert_eq!(counts(&tally), expected.tally);
        // A report without rows is an error, and no input.
        let users: Vec<_> = tally.inputs.iter().filter_map(|input| input.users).collect();
        let rows = case.report.rows.len() as u64;
        prop_assert_eq!(users, Vec::from_iter((rows > 0).then_some(rows)));
        for (threads, size) in [(2, size), (7, size), (1, usize::MAX)] {
            prop_assert_eq!(run(threads, size), (findings.clone(), tally.clone()));
        }
    }
}
