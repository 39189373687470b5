//! Details beside a saved report: key ids, tags and service-specific credentials; rules that need them, and reports without.

use credlens::finding::digest::sha256;
use serde_json::{Value, json};

use super::{Outcome, Workspace};

const REPORT: &str = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
    access_key_2_active,access_key_2_last_rotated\n\
    <root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,false,true,false,N/A,false,N/A\n\
    alice,arn:aws:iam::111122223333:user/team-a/alice,2019-01-01T00:00:00Z,false,true,true,2019-01-01T00:00:00Z,false,N/A\n\
    BedrockAPIKey-x1,arn:aws:iam::111122223333:user/BedrockAPIKey-x1,2026-01-01T00:00:00Z,false,false,false,N/A,false,N/A\n";

const RULES: &str = "--rule service-credential-* --rule access-key-not-rotated";

fn details(report: &str) -> Value {
    let credential = |id: &str, active: bool, created: &str, expires: Option<&str>| json!({"id": id, "service": "bedrock.amazonaws.com", "active": active, "created": created, "expires": expires});
    json!({
        "schema": "credlens.details/v1",
        "account": "111122223333",
        "generated": "2026-05-01T00:00:00Z",
        "report_sha256": sha256(report.as_bytes()),
        "service_credentials_listed": true,
        "users": {
            "alice": {
                "access_key_ids": ["AKIAIOSFODNN7EXAMPLE", null],
                "tags": {"Owner": "data team", "AKIAIOSFODNN7EXAMPLE": "nightly \u{1b}export"},
            },
            "BedrockAPIKey-x1": {
                "service_credentials": [
                    credential("ACCAEXAMPLE1EXAMPLE1", true, "2026-01-01T00:00:00Z", None),
                    credential("ACCAEXAMPLE2EXAMPLE2", false, "2026-04-01T00:00:00Z", Some("2026-07-01T00:00:00Z")),
                ],
            },
        },
    })
}

fn place() -> Workspace {
    Workspace::new()
        .file("r-2026-05-01.csv", REPORT)
        .file("r-2026-05-01.details.json", details(REPORT).to_string())
}

fn findings(run: &Outcome) -> Vec<Value> {
    let lines = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn details_beside_a_report_are_used() {
    let run = place().run(&*format!("scan r-2026-05-01.csv {RULES} --format ndjson --fix"));
    run.ends(1, "");
    let found: Vec<(String, Value, Value)> = findings(&run)
        .iter()
        .map(|it| {
            let rule = it["rule"].as_str().unwrap().to_owned();
            (
                rule,
                it["evidence"]["service_credential_id"].clone(),
                it["source"]["row"].clone(),
            )
        })
        .collect();
    let (one, two) = ("ACCAEXAMPLE1EXAMPLE1", "ACCAEXAMPLE2EXAMPLE2");
    let expected: Vec<(String, Value, Value)> = [
        ("access-key-not-rotated", Value::Null, 2),
        ("service-credential-never-expires", one.into(), 3),
        ("service-credential-not-rotated", one.into(), 3),
        ("service-credential-inactive", two.into(), 3),
    ]
    .map(|(rule, id, row)| (rule.to_owned(), id, row.into()))
    .into();
    let sorted = |mut found: Vec<(String, Value, Value)>| {
        found.sort_by_key(|it| (it.2.as_u64(), it.1.to_string(), it.0.clone()));
        found
    };
    assert_eq!(sorted(found), sorted(expected));
    let all = findings(&run);
    assert_eq!(all[0]["access_key_id"], "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(all[0]["owner"], "data team");
    assert_eq!(all[0]["access_key_description"], "nightly \u{1b}export");
    assert_eq!(all[1]["credential"], "service_credential");
    assert_eq!(all[1]["access_key_id"], Value::Null);
    let fix = all[1]["fix"].to_string();
    assert!(
        fix.contains("--service-specific-credential-id=ACCAEXAMPLE1EXAMPLE1"),
        "{fix}"
    );
    assert!(fix.contains("--user-name=BedrockAPIKey-x1"), "{fix}");
}

#[test]
fn the_table_shows_owners_and_descriptions() {
    place()
        .run(&*format!("scan r-2026-05-01.csv {RULES}"))
        .says("alice  account 111122223333, owner data team, line 3")
        .says("its description: nightly \\x1bexport")
        .says("service_credential")
        .says("service_credential ACCAEXAMPLE1EXAMPLE1")
        .says("service bedrock.amazonaws.com");
    place()
        .run("list keys r-2026-05-01.csv --format csv")
        .says(",AKIAIOSFODNN7EXAMPLE,nightly")
        .says(",data team,");
}

#[test]
fn rules_whose_details_are_not_at_hand_are_not_run_and_said_so() {
    let without = Workspace::new().file("r-2026-05-01.csv", REPORT);
    let run = without.run(&*format!("scan r-2026-05-01.csv {RULES} -v --format json"));
    run.ends(1, "service-credential-inactive, service-credential-never-expires, service-credential-not-rotated were not run");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let not_run = json["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["not_run"] == 1);
    assert_eq!(not_run.count(), 3);
    // What was not run is not what found nothing.
    without
        .run("scan r-2026-05-01.csv --rule root-without-mfa --rule service-credential-*")
        .says("1 rule found nothing");
    without
        .run("scan r-2026-05-01.csv --rule * -q --fail-on never")
        .ends(0, "");
}

#[test]
fn a_rule_that_is_asked_for_by_id_must_be_run() {
    let expected =
        "the rule service-credential-inactive is about service-specific credentials, which no report has";
    let without = Workspace::new().file("r-2026-05-01.csv", REPORT);
    let run = without.run("scan r-2026-05-01.csv --rule service-credential-inactive");
    run.ends(2, expected);
    assert_eq!(run.stdout, "");
    place()
        .run("scan r-2026-05-01.csv --rule service-credential-inactive")
        .ends(1, "");
    let place = place().file("s-2026-06-01.csv", REPORT);
    let run = place.run("diff r-2026-05-01.csv s-2026-06-01.csv --rule service-credential-inactive");
    run.ends(
        2,
        "the rule service-credential-inactive needs details, which snapshots do not have",
    );
    let run = place.run("diff r-2026-05-01.csv s-2026-06-01.csv --rule * -v");
    assert!(
        run.stderr
            .contains("not run, because snapshots have no details: service-credential-inactive"),
        "{run:?}"
    );
}

#[test]
fn on_some_reports_only() {
    let other = REPORT.replace("111122223333", "444455556666");
    let place = place().file("s-2026-05-01.csv", &other);
    let run =
        place.run("scan r-2026-05-01.csv s-2026-05-01.csv --rule service-credential-* -v --format json");
    run.ends(1, "were not run on 1 report");
}

#[test]
fn details_that_do_not_belong_to_the_report_are_not_used() {
    for (json, why) in [
        (
            details("another report").to_string(),
            "it was fetched with another report",
        ),
        ("{".to_owned(), "not valid details"),
        (
            r#"{"schema":"credlens.details/v9"}"#.to_owned(),
            "its schema is 'credlens.details/v9'",
        ),
    ] {
        let place = Workspace::new()
            .file("r-2026-05-01.csv", REPORT)
            .file("r-2026-05-01.details.json", json);
        let run = place.run(&*format!("scan r-2026-05-01.csv {RULES} --format ndjson"));
        run.ends(1, why);
        assert!(
            run.stderr.contains("r-2026-05-01.details.json is not used"),
            "{run:?}"
        );
        assert_eq!(findings(&run)[0]["access_key_id"], Value::Null);
    }
}

#[test]
fn a_directory_is_searched_for_reports_and_details_belong_to_them() {
    let run = place().run(&*format!("scan . {RULES} --format ndjson"));
    run.ends(1, "");
    assert_eq!(findings(&run).len(), 4);
    assert!(!run.stderr.contains("details"), "{run:?}");
}

#[test]
fn compressed_reports_have_details_too() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, REPORT.as_bytes()).unwrap();
    let place = Workspace::new()
        .file("r-2026-05-01.csv.gz", packed.finish().unwrap())
        .file("r-2026-05-01.details.json", details(REPORT).to_string());
    let run = place.run(&*format!("scan r-2026-05-01.csv.gz {RULES} --format ndjson"));
    assert_eq!(findings(&run).len(), 4);
}

#[test]
fn rankings_and_lists_count_service_credentials() {
    let rules = "--rule service-credential-*";
    let place = place();
    place
        .run(&*format!("scan . {rules} --by account --format csv"))
        .says("\r\n1,111122223333,,0,1,1,1,0,3,0,0,1,0,1,3\r\n");
    place
        .run(&*format!("scan . {rules} --by user --format csv"))
        .says("\r\n1,BedrockAPIKey-x1,111122223333,,0,1,1,1,0,3,");
    place
        .run(&*format!("scan . {rules} --by path --format csv"))
        .says("\r\n1,/,0,1,1,1,0,3,");
    let run = place.run(&*format!("scan . {rules} --by rule --format csv"));
    run.says("service-credential-not-rotated,max_age=90,high,0,1,0,0,0,1,0,0,0,0,1,3\r\n");
    let run = place.run(&*format!("list users . {rules} --user Bedrock* --format ndjson"));
    run.says("\"findings\":3,\"severity\":\"high\"");
    let run = place.run("list users . --rule service-credential-not-rotated --set service-credential-not-rotated.max_age=150 --due-within 60d --user Bedrock* --format ndjson");
    run.says("\"due_at\":\"2026-05-31T00:00:01Z\"");
}

#[test]
fn details_of_another_account_or_user_are_not_used_and_said_so() {
    let mut other = details(REPORT);
    other["account"] = "999999999999".into();
    let place = Workspace::new()
        .file("r-2026-05-01.csv", REPORT)
        .file("r-2026-05-01.details.json", other.to_string());
    let run = place.run(&*format!("scan r-2026-05-01.csv {RULES} --format ndjson"));
    run.ends(
        1,
        "users who are not in the report are not evaluated: BedrockAPIKey-x1 [credentials-of-others]",
    );
    assert_eq!(findings(&run).len(), 1);
    assert_eq!(findings(&run)[0]["access_key_id"], Value::Null);
}

#[test]
fn an_entry_that_would_accept_other_credentials_is_not_shown() {
    let mut twins = details(REPORT);
    let credentials = &mut twins["users"]["BedrockAPIKey-x1"]["service_credentials"];
    credentials[1]["created"] = credentials[0]["created"].clone();
    let place = Workspace::new()
        .file("r-2026-05-01.csv", REPORT)
        .file("r-2026-05-01.details.json", twins.to_string());
    let entries = |place: &Workspace| {
        let run = place.run("scan r-2026-05-01.csv --rule service-credential-* --format ndjson --fix");
        findings(&run)
            .iter()
            .filter(|it| it["fix"]["suppression"].is_string())
            .count()
    };
    assert_eq!(entries(&place), 0);
    assert_eq!(entries(&self::place()), 3);
}

#[test]
fn no_rule_gives_usual_steps_to_users_made_for_api_keys() {
    let key = "2019-01-01T00:00:00Z";
    let report = format!(
        "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,access_key_1_active,\
         access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
         BedrockAPIKey-x1,arn:aws:iam::111122223333:user/BedrockAPIKey-x1,{key},true,N/A,{key},false,true,{key},N/A,true,{key},N/A\n\
         AeaApiKey-y,arn:aws:iam::111122223333:user/AeaApiKey-y,{key},false,N/A,N/A,false,false,{key},N/A,false,N/A,N/A\n"
    );
    let place = Workspace::new().file("r-2026-05-01.csv", report);
    let run = place.run("scan r-2026-05-01.csv --rule * --fix --format ndjson");
    let all = findings(&run);
    let others = all
        .iter()
        .filter(|it| it["status"] == "fail" && !it["rule"].as_str().unwrap().starts_with("api-key-user"));
    let mut rules = std::collections::BTreeSet::new();
    for finding in others {
        let fix = finding["fix"].to_string();
        assert!(
            fix.contains("treat that as an incident") && !fix.contains("\"argv\""),
            "{fix}"
        );
        rules.insert(finding["rule"].as_str().unwrap().to_owned());
    }
    assert!(rules.len() > 8, "{rules:?}");
}

#[test]
fn own_rules_that_need_details_are_said_not_to_be_run() {
    let place = Workspace::new()
        .file("r-2026-05-01.csv", REPORT)
        .file("only.gsl", "IamServiceCredential should not have isActive\n");
    let run = place.run("scan r-2026-05-01.csv --rules-from only.gsl -v");
    run.ends(
        1,
        "only-1, service-credential-never-expires, service-credential-not-rotated were not run",
    );
}

#[test]
fn csv_names_the_service_specific_credential() {
    let run = place().run("scan r-2026-05-01.csv --rule service-credential-not-rotated --format csv");
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|head| head == name).unwrap();
    let record = reader.records().next().unwrap().unwrap();
    assert_eq!(&record[column("service_credential_id")], "ACCAEXAMPLE1EXAMPLE1");
    assert_eq!(&record[column("access_key_id")], "");
}

/// A row whose fields cannot be matched to columns says nothing certain about its user, and so about the user's credentials.
#[test]
fn credentials_of_a_user_with_a_ragged_row_are_undetermined() {
    let ragged = REPORT.replace(
        "BedrockAPIKey-x1,arn:aws:iam::111122223333:user/BedrockAPIKey-x1,2026-01-01T00:00:00Z,false,",
        "BedrockAPIKey-x1,arn:aws:iam::111122223333:user/BedrockAPIKey-x1,",
    );
    let place = Workspace::new()
        .file("r-2026-05-01.csv", &ragged)
        .file("r-2026-05-01.details.json", details(&ragged).to_string())
        .file(
            "own.gsl",
            "IamServiceCredential should not have user.additionalCredentialsInfo = '?' or isActive\n",
        );
    let run = place.run(
        "scan r-2026-05-01.csv --rule service-credential-* --rule own-1 --rules-from own.gsl --format json",
    );
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    for rule in json["rules"].as_array().unwrap() {
        assert_eq!(
            (&rule["failed"], &rule["passed"]),
            (&json!(0), &json!(0)),
            "{rule}"
        );
        assert_eq!(rule["undetermined"], 2, "{rule}");
    }
}
