//! Compares verdicts on service-specific credentials with the naive interpreter: each credential of the details is a row of
//! its user, followed by the credential.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use credlens::engine::{self, AssessOptions, Collect, EmitFilter, Program};
use credlens::finding::{Finding, Severity, Status, Tally, Verdict};
use credlens::gsl::typed::{Entity, TypedRule};
use credlens::report::details::{Details, ServiceCredential, UserDetails};
use credlens::report::schema::{Column, Credential, FlagColumn, TextColumn, TimeColumn};
use credlens::report::time::Timestamp;
use credlens::rule::BoundRule;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::report::{Interesting, Report, report};
use super::severity;
use crate::support::naive::{self, Row};
use crate::support::pipeline::{AS_OF, bound, memory};
use crate::support::typed::{typed_rule, typed_rule_of};

#[derive(Clone, Debug)]
struct Case {
    rules: Vec<TypedRule>,
    report: Report,
    details: Details,
}

fn credential(times: Vec<Timestamp>) -> impl Strategy<Value = ServiceCredential> {
    let time = move || option::weighted(0.8, select(times.clone()));
    let service = select(vec!["bedrock.amazonaws.com", "s3", "", "N/A", "a\"b,c\nd"]);
    (service, any::<Option<bool>>(), time(), time()).prop_map(|(service, active, created, expires)| {
        ServiceCredential {
            id: String::new(),
            service: service.to_owned(),
            active,
            created,
            expires,
        }
    })
}

fn details(interesting: &Interesting) -> impl Strategy<Value = Details> + use<> {
    let around = interesting
        .times
        .iter()
        .filter_map(|time| Timestamp::parse(time.as_bytes()));
    let times: Vec<Timestamp> = around.chain([AS_OF, Timestamp(0)]).collect();
    let users = select(vec!["alice", "Bob", "<root_account>", "nobody"]).prop_map(str::to_owned);
    btree_map(users, vec(credential(times), 0..4), 0..4).prop_map(|of_users| {
        let mut details = Details::new(None, None, String::new());
        details.service_credentials_listed = true;
        for (user, mut service_credentials) in of_users {
            for (number, credential) in service_credentials.iter_mut().enumerate() {
                credential.id = format!("ACCA{user}{number}");
            }
            let user_details = UserDetails {
                service_credentials,
                ..UserDetails::default()
            };
            details.users.insert(user, user_details);
        }
        details
    })
}

fn case() -> impl Strategy<Value = Case> {
    let of_details = typed_rule_of(Entity::IamServiceCredential);
    let rule = prop_oneof![3 => of_details, 1 => typed_rule()];
    vec(rule, 1..5).prop_flat_map(|rules| {
        let interesting = Interesting::of(&rules);
        let details = details(&interesting);
        (report(interesting), details).prop_map(move |(report, details)| Case {
            rules: rules.clone(),
            report,
            details,
        })
    })
}

/// The cells of a credential.
fn cells(credential: &ServiceCredential) -> Row {
    let unclear = || "?".to_owned();
    let time = |time: Option<Timestamp>, none: &str| time.map_or(none.to_owned(), |time| time.to_string());
    [
        (
            Column::Text(TextColumn::ServiceCredentialId),
            credential.id.clone(),
        ),
        (
            Column::Text(TextColumn::ServiceCredentialService),
            credential.service.clone(),
        ),
        (
            Column::Flag(FlagColumn::ServiceCredentialActive),
            credential
                .active
                .map_or_else(unclear, |active| active.to_string()),
        ),
        (
            Column::Time(TimeColumn::ServiceCredentialCreated),
            time(credential.created, "?"),
        ),
        (
            Column::Time(TimeColumn::ServiceCredentialExpires),
            time(credential.expires, "N/A"),
        ),
    ]
    .into()
}

/// A verdict: row, rule, credential's id, and status.
type Found = (u64, usize, Option<String>, Status);

impl Case {
    fn program(&self) -> Program {
        let rules = self.rules.iter().enumerate().map(|(position, typed)| BoundRule {
            severity: severity(position),
            ..bound(&format!("rule-{position}"), typed.clone())
        });
        Program::new(rules.collect())
    }

    /// The verdicts that fail or pass, and those that are undetermined whatever columns the report lacks.
    fn expected(&self) -> Vec<Found> {
        let as_of = DateTime::from_timestamp(AS_OF.0, 0).unwrap();
        let mut found = Vec::new();
        for (number, row) in self.report.rows().iter().enumerate() {
            let name = naive::user(row).unwrap_or_default();
            let details = self.details.users.get(&name);
            let credentials = details.into_iter().flat_map(|user| &user.service_credentials);
            let joined: Vec<(Option<String>, Row)> = credentials
                .map(|credential| {
                    let mut row = row.clone();
                    row.extend(cells(credential));
                    (Some(credential.id.clone()), row)
                })
                .collect();
            for (rule, typed) in self.rules.iter().enumerate() {
                let of_report = [(None, row.clone())];
                let rows = if typed.entity.needs_details() {
                    &joined[..]
                } else {
                    &of_report
                };
                for (id, row) in rows {
                    for &slot in typed.entity.slots() {
                        let status = match naive::verdict(typed, slot, row, as_of) {
                            Verdict::NotApplicable => continue,
                            Verdict::Pass => Status::Pass,
                            Verdict::Undetermined => Status::Undetermined,
                            Verdict::Fail => Status::Fail,
                        };
                        found.push((number as u64 + 1, rule, id.clone(), status));
                    }
                }
            }
        }
        found.sort();
        found
    }

    fn actual(&self, threads: usize, size: usize) -> (Vec<Finding>, Tally) {
        let options = AssessOptions {
            threads,
            emit: EmitFilter::new(&Status::ALL, Severity::Informational),
            ..AssessOptions::default()
        };
        let reports = [(&*self.report.header(), self.report.blocks(size))];
        let source = memory(&reports).with_details(&Arc::new(self.details.clone()));
        let sink = Collect::default();
        let tally = engine::assess(&self.program(), source, &sink, options).unwrap();
        (sink.into_findings(), tally)
    }

    /// Whether the undetermined verdicts of a rule fold into one finding.
    fn folds(&self, rule: usize) -> bool {
        let lacks = |column: &Column| {
            let is_of_report = Column::ALL.contains(column) && !Column::OPTIONAL.contains(*column);
            is_of_report && !self.report.columns.contains(column)
        };
        self.rules[rule].all_columns().iter().any(|column| lacks(&column))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn verdicts_on_service_credentials_agree_with_the_naive_interpreter(
        case in case(), threads in 1..3_usize, size in 1..80_usize
    ) {
        let (findings, tally) = case.actual(threads, size);
        let expected = case.expected();
        let rule_of = |finding: &Finding| finding.rule["rule-".len()..].parse::<usize>().unwrap();
        let mut actual: Vec<Found> = findings
            .iter()
            .filter_map(|finding| {
                let id = finding.evidence.get("service_credential_id").cloned();
                Some((finding.source.row?, rule_of(finding), id, finding.status))
            })
            .collect();
        actual.sort();
        let emitted = |(_, rule, _, status): &&Found| *status != Status::Undetermined || !case.folds(*rule);
        prop_assert_eq!(actual, expected.iter().filter(emitted).cloned().collect::<Vec<_>>());
        for (rule, counts) in tally.rules.iter().enumerate() {
            let count = |status| expected.iter().filter(|it| it.1 == rule && it.3 == status).count() as u64;
            let counted = (counts.passed, counts.failed, counts.undetermined);
            prop_assert_eq!(counted, (count(Status::Pass), count(Status::Fail), count(Status::Undetermined)));
        }
        let of_credentials = findings.iter().filter(|finding| finding.source.row.is_some());
        for finding in of_credentials.filter(|finding| case.rules[rule_of(finding)].entity.needs_details()) {
            prop_assert_eq!(finding.credential, Some(Credential::ServiceCredential));
        }
    }
}

#[test]
fn each_credential_has_findings_with_ids_of_their_own() {
    let rule =
        credlens::gsl::parse_rule("IamServiceCredential should not have isActive", &BTreeMap::new()).unwrap();
    let credential = |id: &str| ServiceCredential {
        id: id.to_owned(),
        active: Some(true),
        created: Some(Timestamp(0)),
        ..ServiceCredential::default()
    };
    let mut details = Details::new(None, None, String::new());
    let alice = UserDetails {
        service_credentials: vec![credential("ACCAONE"), credential("ACCATWO")],
        ..UserDetails::default()
    };
    details.users.insert("alice".to_owned(), alice);
    let case = Case {
        rules: vec![rule],
        report: Report {
            columns: vec![TextColumn::User.into(), FlagColumn::MfaActive.into()],
            rows: vec![
                vec!["bob".to_owned(), "true".to_owned()],
                vec!["alice".to_owned(), "true".to_owned()],
            ],
        },
        details,
    };
    let (findings, _) = case.actual(1, 10);
    let ids: Vec<_> = findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    assert_eq!(findings[0].source.row, Some(2));
    // The id does not depend on what else is listed.
    let mut fewer = case;
    let alice = fewer.details.users.get_mut("alice").unwrap();
    alice.service_credentials.remove(0);
    assert_eq!(fewer.actual(1, 10).0[0].id, ids[1]);
}
