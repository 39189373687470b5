//! Rules as vendors publish them: they parse, and have the intended meaning.

use credlens::gsl::typed::{Entity, Expr, TextTest, TimeTest};
use credlens::gsl::{AnyAttribute, attributes};
use credlens::report::schema::{Credential, Slot};
use credlens::report::time::Unit;

use super::{canonical, parse};

/// Each decidable rule of D9.AWS.IAM exactly as published, and its canonical form.
const PUBLISHED: [(&str, &str); 20] = [
    (
        "IamUser where name regexMatch /^<root_account>$/i should not have passwordLastUsed after(-90, 'days')",
        "IamUser where name regexMatch /^<root_account>$/i should not have passwordLastUsed after(-90, 'days')",
    ),
    (
        "IamUser where passwordEnabled='true' should have mfaActive='true'",
        "IamUser where passwordEnabled = true should have mfaActive = true",
    ),
    (
        "IamUser where firstAccessKey.isActive=true and firstAccessKey.lastRotated before(-45, 'days') should not have firstAccessKey.lastUsedDate before(-45, 'days')",
        "IamUser where firstAccessKey.isActive = true and firstAccessKey.lastRotated before(-45, 'days') should not have firstAccessKey.lastUsedDate before(-45, 'days')",
    ),
    (
        "IamUser where passwordEnabled='true' should have passwordLastUsed after(-45, 'days')",
        "IamUser where passwordEnabled = true should have passwordLastUsed after(-45, 'days')",
    ),
    (
        "IamUser where secondAccessKey.isActive=true and secondAccessKey.lastRotated before(-45, 'days') should not have secondAccessKey.lastUsedDate before(-45, 'days')",
        "IamUser where secondAccessKey.isActive = true and secondAccessKey.lastRotated before(-45, 'days') should not have secondAccessKey.lastUsedDate before(-45, 'days')",
    ),
    (
        "IamUser where firstAccessKey.isActive='true' should not have firstAccessKey.lastRotated before(-90, 'days')",
        "IamUser where firstAccessKey.isActive = true should not have firstAccessKey.lastRotated before(-90, 'days')",
    ),
    (
        "IamUser where secondAccessKey.isActive='true' should not have secondAccessKey.lastRotated before(-90, 'days')",
        "IamUser where secondAccessKey.isActive = true should not have secondAccessKey.lastRotated before(-90, 'days')",
    ),
    (
        "IamUser where name regexMatch /^<root_account>$/ should have firstAccessKey.isActive=false and secondAccessKey.isActive=false",
        "IamUser where name regexMatch /^<root_account>$/ should have firstAccessKey.isActive = false and secondAccessKey.isActive = false",
    ),
    (
        "IamUser should not have firstAccessKey.isActive=true and secondAccessKey.isActive=true",
        "IamUser should not have firstAccessKey.isActive = true and secondAccessKey.isActive = true",
    ),
    (
        "IamUser where passwordEnabled = 'true' should not have createDate dateDifference(firstAccessKey.lastRotated, 'seconds') < 60",
        "IamUser where passwordEnabled = true should not have createDate dateDifference(firstAccessKey.lastRotated, 'seconds') < 60",
    ),
    (
        "IamUser where passwordEnabled='true' should have passwordLastChanged after(-90, 'days')",
        "IamUser where passwordEnabled = true should have passwordLastChanged after(-90, 'days')",
    ),
    (
        "IamUser where firstAccessKey.isActive='true' and not firstAccessKey.lastRotated after(-90, 'days') should have firstAccessKey.lastUsedDate after(-90, 'days')",
        "IamUser where firstAccessKey.isActive = true and not firstAccessKey.lastRotated after(-90, 'days') should have firstAccessKey.lastUsedDate after(-90, 'days')",
    ),
    (
        "IamUser where name like '%root_account%' should have firstAccessKey.isActive=false and secondAccessKey.isActive=false",
        "IamUser where name like '%root_account%' should have firstAccessKey.isActive = false and secondAccessKey.isActive = false",
    ),
    (
        "IamUser where passwordEnabled='true' should have passwordLastUsed after(-90, 'days')",
        "IamUser where passwordEnabled = true should have passwordLastUsed after(-90, 'days')",
    ),
    (
        "IamUser should have passwordEnabled=false or (firstAccessKey.isActive=false and secondAccessKey.isActive=false)",
        "IamUser should have passwordEnabled = false or firstAccessKey.isActive = false and secondAccessKey.isActive = false",
    ),
    (
        "IamUser where firstAccessKey.isActive='true' should not have firstAccessKey.lastRotated before(-45, 'days')",
        "IamUser where firstAccessKey.isActive = true should not have firstAccessKey.lastRotated before(-45, 'days')",
    ),
    // The forms of published rules on data that a report lacks, here with attributes that it has.
    (
        "IamUser where not (name regexMatch /^<root_account>$/i ) should have name in('a','b')",
        "IamUser where not name regexMatch /^<root_account>$/i should have name in('a', 'b')",
    ),
    (
        "IamUser should have createDate dateDifference(passwordLastUsed,'days')<=30",
        "IamUser should have createDate dateDifference(passwordLastUsed, 'days') <= 30",
    ),
    (
        "IamUser should have firstAccessKey.lastUsedService isEmpty() and secondAccessKey.lastUsedDate isEmpty()",
        "IamUser should have firstAccessKey.lastUsedService isEmpty() and secondAccessKey.lastUsedDate isEmpty()",
    ),
    (
        "IamUser where name like '%root%' should have mfaActive",
        "IamUser where name like '%root%' should have mfaActive = true",
    ),
];

#[test]
fn published_rules_parse_unchanged() {
    for (published, expected) in PUBLISHED {
        assert_eq!(canonical(published), expected);
        assert_eq!(parse(expected), parse(published), "{published}");
    }
}

#[test]
fn published_rules_have_the_intended_structure() {
    let rule = parse(PUBLISHED[8].0).unwrap();
    assert_eq!((rule.entity, rule.forbidden), (Entity::IamUser, true));
    assert!(
        matches!(&rule.condition, Expr::And(parts) if parts.len() == 2),
        "{rule:?}"
    );

    let rule = parse(PUBLISHED[2].0).unwrap();
    let Expr::Time(attribute, test) = &rule.condition else {
        panic!("{rule:?}");
    };
    assert_eq!(attribute.name(), "firstAccessKey.lastUsedDate");
    assert_eq!(*test, TimeTest::Before(-45, Unit::Days));
    assert_eq!(rule.credential(Slot::One), Some(Credential::AccessKey(Slot::One)));
}

#[test]
fn precedence_is_not_then_and_then_or() {
    for (source, expected) in [
        ("not A or B and C", "not A or B and C"),
        ("(not A) or (B and (C))", "not A or B and C"),
        ("not (A or B) and C", "not (A or B) and C"),
        (
            "(A or B) or (C and A) or A and (B and C)",
            "A or B or C and A or A and B and C",
        ),
        ("not not A", "not not A"),
        ("not (not (A and B))", "not not (A and B)"),
    ] {
        let spelled = |text: &str| {
            let text = text.replace('A', "arn isEmpty()").replace('B', "name isEmpty()");
            format!(
                "IamUser should have {}",
                text.replace('C', "createDate isEmpty()")
            )
        };
        assert_eq!(canonical(&spelled(source)), spelled(expected));
    }
}

#[test]
fn equal_rules_have_one_canonical_form() {
    for (source, expected) in [
        ("mfaActive", "mfaActive = true"),
        ("mfaActive='false'", "mfaActive = false"),
        ("mfaActive != 'true'", "mfaActive != true"),
        ("not mfaActive", "mfaActive != true"),
        ("not not mfaActive", "not mfaActive != true"),
        ("name!='it''s'", "name != 'it''s'"),
        ("not name = ''''", "name != ''''"),
        ("name unlike '%\\%'", "name unlike '%\\%'"),
        ("name not in ( 'a' )", "name not in('a')"),
        (r"name regexMatch /a\/b[\/]\\/i", r"name regexMatch /a\/b[\/]\\/i"),
        ("not name regexMatch //", "not name regexMatch //"),
        (
            "createDate before( - {max_age} , 'weeks' )",
            "createDate before(-90, 'weeks')",
        ),
        (
            "createDate after(-{grace},'hours')",
            "createDate after(7, 'hours')",
        ),
        (
            "createDate before({least},'years')",
            "createDate before(-9223372036854775808, 'years')",
        ),
        (
            "createDate before(-9223372036854775808,'months')",
            "createDate before(-9223372036854775808, 'months')",
        ),
        (
            "createDate dateDifference(passwordLastUsed,'minutes')!={max_age}",
            "createDate dateDifference(passwordLastUsed, 'minutes') != 90",
        ),
        (
            "\r\n\tmfaActive\r\n\tand\u{a0}passwordEnabled\n",
            "mfaActive = true and passwordEnabled = true",
        ),
    ] {
        assert_eq!(
            canonical(&format!("IamUser should have {source}")),
            format!("IamUser should have {expected}"),
        );
    }
}

#[test]
fn should_not_negates_the_rule_and_have_not_the_condition() {
    let should_not = parse("IamUser should not (mfaActive) exclude name = 'a'").unwrap();
    let have_not = parse("IamUser should have not mfaActive exclude name = 'a'").unwrap();
    assert!(should_not.forbidden && !have_not.forbidden);
    assert_eq!(have_not.condition, should_not.condition.clone().not());
    let Some(Expr::Text(_, test)) = should_not.exclude else {
        panic!("{:?}", should_not.exclude);
    };
    assert_eq!(test, TextTest::Equals("a".to_owned()));
}

#[test]
fn every_attribute_of_every_entity_parses() {
    for entity in Entity::ALL {
        for attribute in attributes(entity) {
            let question = match attribute {
                AnyAttribute::Flag(_) => "!= false",
                AnyAttribute::Time(_) => "after(1, 'seconds')",
                AnyAttribute::Text(_) => "like '%'",
            };
            let rule = format!("{} should have {} {question}", entity.name(), attribute.name());
            assert_eq!(canonical(&rule), rule);
            let columns = parse(&rule).unwrap().columns(Slot::Two);
            let is_part_of_arn = ["partition", "path"]
                .iter()
                .any(|part| attribute.name().split('.').any(|word| word == *part));
            assert_eq!(
                columns.contains(attribute.column(Slot::Two)),
                !is_part_of_arn,
                "{rule}"
            );
        }
    }
}
