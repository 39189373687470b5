//! The parts of the ARN that rules read: partition and path.

use std::collections::BTreeMap;

use credlens::engine::{AssessOptions, Memory, Program, assess};
use credlens::gsl;
use credlens::report::time::Timestamp;

use crate::support::pipeline::bound;

const ARNS: [&str; 7] = [
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/alice",
    "arn:aws-us-gov:iam::111122223333:user/division/team/alice",
    " arn:aws-us-gov:iam::111122223333:user/division/bob ",
    "N/A",
    "garbage",
    "arn:aws-cn:iam::444455556666:user/team:a/carol",
];

/// How many rows of the report pass, fail and are undetermined.
fn counts(report: &str, condition: &str) -> [u64; 3] {
    let typed = gsl::parse_rule(&format!("IamUser should have {condition}"), &BTreeMap::new());
    let program = Program::new(vec![bound("question", typed.expect("a rule"))]);
    let source = Memory::csv("arns.csv", report, Timestamp(0)).expect("a report");
    let tally = assess(&program, source, &(), AssessOptions::default()).expect("nothing is written");
    let rule = &tally.rules[0];
    [rule.passed, rule.failed, rule.undetermined]
}

#[test]
fn partition_and_path() {
    // More than one word of each run.
    let rows: String = (0..70)
        .flat_map(|_| ARNS.map(|arn| format!("x,{arn},true\n").repeat(70)))
        .collect();
    let report = format!("user,arn,mfa_active\n{rows}");
    for (condition, passing) in [
        ("partition = 'aws'", 2),
        ("partition = 'aws-us-gov'", 2),
        ("partition regexMatch /^aws-(cn|us-gov)$/", 3),
        ("partition isEmpty()", 2),
        ("partition != 'aws'", 5),
        ("path = '/'", 1),
        ("path like '/division/%'", 2),
        ("path = '/division/team/'", 1),
        ("path = '/team:a/'", 1),
        ("path isEmpty()", 3),
    ] {
        let of_all = 70 * 70;
        let expected = [passing * of_all, (7 - passing) * of_all, 0];
        assert_eq!(counts(&report, condition), expected, "{condition}");
    }
}

#[test]
fn without_the_column_they_are_absent_and_not_unknown() {
    let report = "user,mfa_active\nalice,true\nbob,true\n";
    for absent in [
        "partition isEmpty()",
        "path isEmpty()",
        "partition unlike 'aws%'",
        "path = ''",
    ] {
        assert_eq!(counts(report, absent), [2, 0, 0], "{absent}");
    }
    assert_eq!(counts(report, "arn isEmpty()"), [0, 0, 2]);
}

#[test]
fn of_a_row_that_cannot_be_matched_nothing_is_known() {
    let report = "user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,true\nx,y\n";
    assert_eq!(counts(report, "partition = 'aws'"), [1, 0, 1]);
    assert_eq!(counts(report, "path = '/'"), [1, 0, 1]);
}
