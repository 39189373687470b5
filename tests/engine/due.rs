//! What is due, against the naive interpreter: second by second in short windows, and in long ones at every second of a day
//! at which anything can turn.

use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use credlens::engine::{
    self, AssessOptions, Block, Collect, DueVerdict, EmitFilter, FindingRef, Memory, Program, Sink,
};
use credlens::finding::{Finding, RuleTally, Severity, Status, Tally, Verdict};
use credlens::gsl::typed::{Attribute, Expr, TimeTest, TypedRule};
use credlens::gsl::{AnyAttribute, attributes};
use credlens::report::header::Header;
use credlens::report::schema::{Slot, TimeColumn};
use credlens::report::time::{Timestamp, Unit};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::report::{Interesting, Report, report};
use crate::support::naive::{self, Row};
use crate::support::pipeline::bound;
use crate::support::typed::typed_rule;

const DAY: i64 = 86_400;

/// As-ofs inside of a day, before midnight, and before the ends of months of several lengths.
const AS_OFS: [&str; 7] = [
    "2026-01-01T00:00:00Z",
    "2026-02-28T23:59:30Z",
    "2024-01-28T23:59:20Z",
    "2024-02-29T11:59:00Z",
    "2027-01-30T23:58:59Z",
    "2026-12-31T23:59:40Z",
    "2026-03-30T12:00:00Z",
];

/// Rules, a report with times around those at which they turn, and a window.
#[derive(Clone, Debug)]
struct Case {
    rules: Vec<TypedRule>,
    report: Report,
    as_of: Timestamp,
    seconds: i64,
}

/// A rule with comparisons with the as-of in its condition and perhaps in its scope.
fn dated_rule() -> impl Strategy<Value = TypedRule> {
    typed_rule().prop_flat_map(|rule| {
        let times: Vec<_> = attributes(rule.entity).filter_map(time_of).collect();
        let comparison = (
            select(times),
            any::<bool>(),
            -400_i64..400,
            select(Unit::ALL.to_vec()),
        );
        let comparison = comparison.prop_map(|(time, is_before, count, unit)| {
            let test = if is_before {
                TimeTest::Before
            } else {
                TimeTest::After
            };
            Expr::Time(time, test(count, unit))
        });
        let comparisons = vec(comparison, 1..3).prop_map(Expr::and);
        (Just(rule), comparisons, any::<[bool; 3]>()).prop_map(|(rule, dated, [or, in_scope, is_not])| {
            let dated = if is_not { Expr::not(dated) } else { dated };
            let mut rule = rule;
            if in_scope {
                rule.relevant = Some(dated);
            } else if or {
                rule.condition = Expr::or([rule.condition, dated]);
            } else {
                rule.condition = dated;
            }
            rule
        })
    })
}

fn time_of(attribute: AnyAttribute) -> Option<Attribute<TimeColumn>> {
    match attribute {
        AnyAttribute::Time(attribute) => Some(attribute),
        AnyAttribute::Flag(_) | AnyAttribute::Text(_) => None,
    }
}

fn case(seconds: std::ops::Range<i64>, rows: usize) -> impl Strategy<Value = Case> {
    let windows = (select(AS_OFS.to_vec()), seconds);
    (vec(dated_rule(), 1..=2), windows).prop_flat_map(move |(rules, (as_of, seconds))| {
        let as_of: Timestamp = as_of.parse().unwrap();
        let mut interesting = Interesting::of(&[]);
        let mut comparisons = Vec::new();
        for rule in &rules {
            look(rule, &mut comparisons);
        }
        for (count, unit) in comparisons {
            for later in [-1, 0, 1, 2, seconds / 3, seconds - 1, seconds, seconds + 1] {
                let cutoff = Timestamp(as_of.0 + later).plus(count, unit).0;
                let time = DateTime::from_timestamp(cutoff, 0).map(|time| time.to_rfc3339());
                // Often enough among the cells of every report that something turns.
                let time = time.filter(|text| text.len() == 25);
                interesting
                    .times
                    .extend(time.into_iter().flat_map(|text| std::iter::repeat_n(text, 4)));
            }
        }
        report(interesting).prop_map(move |mut report| {
            report.rows.truncate(rows);
            Case {
                rules: rules.clone(),
                report,
                as_of,
                seconds,
            }
        })
    })
}

/// The counts and units of the rule's comparisons with the as-of.
fn look(rule: &TypedRule, found: &mut Vec<(i64, Unit)>) {
    fn of_expr(expr: &Expr, found: &mut Vec<(i64, Unit)>) {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| of_expr(part, found)),
            Expr::Not(inner) => of_expr(inner, found),
            Expr::Time(_, TimeTest::Before(n, unit) | TimeTest::After(n, unit)) => found.push((*n, *unit)),
            Expr::Time(_, TimeTest::IsEmpty) | Expr::Flag(..) | Expr::Text(..) | Expr::Difference { .. } => {}
        }
    }
    for expr in [&rule.relevant, &rule.exclude].into_iter().flatten() {
        of_expr(expr, found);
    }
    of_expr(&rule.condition, found);
}

/// Collects what is due, besides the findings.
#[derive(Default)]
struct CollectDue(Collect, Mutex<Vec<DueVerdict>>);

impl Sink for CollectDue {
    type Part = Vec<Finding>;

    fn part(&self) -> Vec<Finding> {
        self.0.part()
    }

    fn rows(&self, _: &mut Vec<Finding>, block: Block<'_>) {
        self.1.lock().unwrap().extend_from_slice(block.due);
    }

    fn finding(&self, part: &mut Vec<Finding>, finding: &FindingRef<'_>) {
        self.0.finding(part, finding);
    }

    fn accept(&self, part: &mut Vec<Finding>) -> io::Result<()> {
        self.0.accept(part)
    }
}

impl Case {
    fn program(&self) -> Program {
        let rules = self.rules.iter().enumerate();
        Program::new(
            rules
                .map(|(number, rule)| bound(&format!("rule-{number}"), rule.clone()))
                .collect(),
        )
    }

    fn run(&self, as_of: Timestamp, due_within: Option<i64>) -> (Vec<Finding>, Vec<DueVerdict>, Tally) {
        let mut memory = Memory::default();
        let header = Header::parse(self.report.header().as_bytes()).unwrap();
        let blocks = self.report.blocks(usize::MAX);
        memory.add_blocks(
            "report.csv",
            header,
            as_of,
            blocks.into_iter().map(String::into_bytes),
        );
        let options = AssessOptions {
            threads: 1,
            emit: EmitFilter::new(&Status::ALL, Severity::Informational),
            due_within: due_within.map(i64::unsigned_abs),
            ..AssessOptions::default()
        };
        let sink = CollectDue::default();
        let tally = engine::assess(&self.program(), memory, &sink, options).unwrap();
        (sink.0.into_findings(), sink.1.into_inner().unwrap(), tally)
    }

    /// What is due, as the interpreter finds it at these later seconds of a row.
    fn expected(&self, seconds: impl Fn(&Row) -> Vec<i64>) -> Vec<DueVerdict> {
        let instances: Vec<(&TypedRule, Slot)> = self
            .rules
            .iter()
            .flat_map(|rule| rule.entity.slots().iter().map(move |&slot| (rule, slot)))
            .collect();
        let mut expected = Vec::new();
        for (number, row) in self.report.rows().iter().enumerate() {
            let seconds = seconds(row);
            for (instance, &(rule, slot)) in instances.iter().enumerate() {
                let verdict = |second: i64| {
                    naive::verdict(rule, slot, row, DateTime::from_timestamp(second, 0).unwrap())
                };
                if !matches!(verdict(self.as_of.0), Verdict::Pass | Verdict::NotApplicable) {
                    continue;
                }
                let first = seconds.iter().find(|&&second| verdict(second) == Verdict::Fail);
                expected.extend(first.map(|&second| DueVerdict {
                    row: number,
                    instance,
                    due_at: Timestamp(second),
                }));
            }
        }
        expected
    }

    /// The seconds of the window at which a verdict on the row may turn: the starts of days, and the seconds of a day at
    /// which its times are equal to a cutoff, each with those around it.
    fn turning(&self, row: &Row) -> Vec<i64> {
        let mut comparisons = Vec::new();
        for rule in &self.rules {
            look(rule, &mut comparisons);
        }
        let times = row.values().filter_map(|cell| naive::parse(cell.trim()));
        let mut of_day: BTreeSet<i64> = BTreeSet::from([0]);
        for time in times.map(|time| time.timestamp()) {
            of_day.insert(time.rem_euclid(DAY));
            for (count, unit) in &comparisons {
                if let Some(length) = unit.seconds() {
                    let turn = i128::from(time) - i128::from(*count) * i128::from(length);
                    of_day.insert(i64::try_from(turn.rem_euclid(DAY.into())).unwrap());
                }
            }
        }
        let (first, last) = (self.as_of.0 + 1, self.as_of.0 + self.seconds);
        let days = first / DAY - 1..=last / DAY + 1;
        let all = days.flat_map(|day| of_day.iter().map(move |second| day * DAY + second));
        let around = all
            .flat_map(|second| second - 1..=second + 1)
            .chain([first, last]);
        let within: BTreeSet<i64> = around.filter(|second| (first..=last).contains(second)).collect();
        within.into_iter().collect()
    }

    /// What is due has the id of the later fail, which is not there a second before, and nothing else changes.
    fn check_findings(&self, found: &(Vec<Finding>, Vec<DueVerdict>, Tally)) -> Result<(), TestCaseError> {
        let (findings, due, tally) = found;
        let of_status = |findings: &[Finding], status| -> Vec<Finding> {
            let findings = findings.iter().filter(|finding| finding.status == status);
            findings.cloned().collect()
        };
        let emitted = of_status(findings, Status::Due);
        let instants: Vec<_> = emitted.iter().map(|finding| finding.due_at.unwrap()).collect();
        let expected: Vec<_> = due.iter().map(|due| due.due_at).collect();
        prop_assert_eq!(instants, expected);
        for finding in emitted.iter().take(2) {
            let due_at = finding.due_at.unwrap();
            let is_failing = |as_of: Timestamp| {
                let (later, ..) = self.run(as_of, None);
                of_status(&later, Status::Fail).iter().any(|it| {
                    it.id == finding.id
                        && it.source.row == finding.source.row
                        && it.credential == finding.credential
                })
            };
            prop_assert!(is_failing(due_at) && !is_failing(Timestamp(due_at.0 - 1)));
        }
        let (plain, _, without) = self.run(self.as_of, None);
        prop_assert_eq!(of_status(findings, Status::Fail), of_status(&plain, Status::Fail));
        let passing = of_status(&plain, Status::Pass).len() as u64;
        let passed = |tally: &Tally| tally.rules.iter().map(|rule| rule.passed).sum::<u64>();
        prop_assert_eq!((passed(tally), passing), (passed(&without), passed(&without)));
        let counted: u64 = tally.rules.iter().filter_map(|rule| rule.due).sum();
        prop_assert_eq!(counted, due.len() as u64);
        let undated = |rule: &RuleTally| {
            let mut rule = rule.clone();
            rule.due = None;
            rule
        };
        prop_assert_eq!(tally.rules.iter().map(undated).collect::<Vec<_>>(), without.rules);
        Ok(())
    }
}

/// Compares the engine with the interpreter. Fails if almost nothing was due: then the cases test nothing.
fn compare(cases: u32, case: impl Strategy<Value = Case>, seconds: fn(&Case, &Row) -> Vec<i64>) {
    let found = AtomicUsize::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        source_file: Some(file!()),
        ..ProptestConfig::with_cases(cases)
    });
    let result = runner.run(&case, |case| {
        let run = case.run(case.as_of, Some(case.seconds));
        found.fetch_add(run.1.len(), Ordering::Relaxed);
        prop_assert_eq!(&run.1, &case.expected(|row| seconds(&case, row)));
        case.check_findings(&run)
    });
    if let Err(error) = result {
        panic!("{error}\n{runner}");
    }
    let found = found.into_inner();
    assert!(found > 25, "only {found} verdicts were due");
}

#[test]
fn what_is_due_second_by_second() {
    compare(80, case(1..90, 12), |case, _| {
        (case.as_of.0 + 1..=case.as_of.0 + case.seconds).collect()
    });
}

#[test]
fn what_is_due_in_days() {
    compare(48, case(1..6 * DAY, 18), Case::turning);
}
