//! What a selected framework says: what decides a requirement, what is related to it, levels, and frameworks that ended.

use serde_json::Value;

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_used_date\n";
const ROOT: &str = "<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00Z,true,2025-01-01T00:00:00Z,\
    2025-01-01T00:00:00Z,true,false,N/A,N/A,false,N/A\n";
/// Signs in without MFA, and has an old key that nothing uses.
const ALICE: &str = "alice,arn:aws:iam::111122223333:user/alice,2024-01-01T00:00:00Z,true,2026-05-31T00:00:00Z,\
    2026-05-01T00:00:00Z,false,true,2024-01-01T00:00:00Z,2024-06-01T00:00:00Z,false,N/A\n";

fn scan(args: &str) -> Outcome {
    let place = Workspace::new().file("r.csv", format!("{HEADER}{ROOT}{ALICE}"));
    place.run(format!("scan r.csv --as-of 2026-06-01 {args}").as_str())
}

fn framework(args: &str) -> Value {
    let document: Value = serde_json::from_str(&scan(&format!("{args} --format json")).stdout).unwrap();
    document["compliance"][0].clone()
}

fn requirement(framework: &Value, id: &str) -> Value {
    let requirements = framework["requirements"].as_array().unwrap().iter();
    requirements.clone().find(|it| it["id"] == id).unwrap().clone()
}

#[test]
fn related_findings_are_counted_and_decide_nothing() {
    let nist = framework("--framework nist-800-53-r5");
    let flow = requirement(&nist, "AC-4(28)");
    assert_eq!(flow["outcome"], "related");
    assert_eq!(
        (&flow["failed"], &flow["passed"], &flow["rules"]),
        (&0.into(), &0.into(), &Value::Array(vec![]))
    );
    assert_eq!(flow["related"]["failed"], 4, "{flow}");
    assert!(flow["why"].as_str().unwrap().contains("does not show"));
    // Root has MFA; alice has none, and nothing says that she is privileged.
    let privileged = requirement(&nist, "IA-2(1)");
    assert_eq!(privileged["outcome"], "partial");
    assert_eq!(
        (&privileged["passed"], &privileged["related"]["failed"]),
        (&1.into(), &2.into())
    );
    assert_eq!(requirement(&nist, "IA-2(2)")["outcome"], "fail");
    // She signs in: an unused key is not an unused account.
    let inactive = requirement(&nist, "AC-2(3)(d)");
    assert_eq!(inactive["outcome"], "partial");
    assert_eq!(inactive["related"]["failed"], 1);
}

#[test]
fn every_format_says_related() {
    scan("--framework soc-2 --format summary")
        .says("soc-2: 6 requirements: 1 fail, 1 partial, 4 related")
        .says("related: 1 failed");
    scan("--framework soc-2").says("related: 1 failed");
    scan("--framework soc-2 --format markdown")
        .says("| related | CC3.2 | Risks are identified and analysed | related: 1 failed |");
    let lines = scan("--framework soc-2 --format ndjson");
    let unused = lines
        .stdout
        .lines()
        .find(|line| line.contains(r#""rule":"access-key-unused""#));
    let unused: Value = serde_json::from_str(unused.unwrap()).unwrap();
    assert_eq!(unused["requirements"], Value::Array(vec![]));
    assert_eq!(unused["related_requirements"][0], "soc-2/CC1.3");
    scan("--framework soc-2 --format csv").says(",soc-2/CC6.6,soc-2/CC3.2,");
    // What is found counts for the exit status, whatever it decides.
    scan("--framework mitre-attack").ends(1, "");
    let place = Workspace::new();
    place
        .run("frameworks show soc-2")
        .ends(0, "")
        .says("| CC3.2 | Risks are identified and analysed | related |  | [console-user-without-mfa]");
    place.run("frameworks list").ends(0, "").says("related");
    place
        .run("rules show console-user-without-mfa")
        .says("CC6.6; related to CC3.2");
}

#[test]
fn a_level_selects_requirements() {
    let first = framework("--framework cis-aws-5.0 --level 1");
    let ids = |framework: &Value| framework["requirements"].as_array().unwrap().len();
    assert_eq!(first["level"], 1);
    assert_eq!(ids(&framework("--framework cis-aws-5.0")), ids(&first) + 1);
    let use_of_root = requirement(&first, "1.6");
    assert_eq!(
        (
            &use_of_root["level"],
            &use_of_root["assessment"],
            &use_of_root["outcome"]
        ),
        (&1.into(), &"manual".into(), &"partial".into())
    );
    scan("--framework cis-aws-5.0 --level 1 --format summary")
        .says("cis-aws-5.0 (superseded): 12 requirements of level 1:")
        .says("level 1, manual");
    scan("--framework cis-aws-5.0 --level 1 --format markdown").says("| level 1, automated |");
    scan("--framework gdpr --level 1").ends(2, "gdpr has no levels");
    scan("--framework cis-aws-5.0 --level 3").ends(2, "cis-aws-5.0 has level 1 and level 2, not level 3");
    scan("--level 1").ends(2, "give --framework as well");
    let place = Workspace::new()
        .file("r.csv", format!("{HEADER}{ROOT}{ALICE}"))
        .file("credlens.toml", "framework = [\"cis-aws-5.0\"]\nlevel = 1\n");
    place.run("scan r.csv --format summary").says("of level 1:");
    place
        .run("scan r.csv --format summary --framework cis-aws-5.0")
        .hides("of level 1:");
    place
        .run("scan r.csv --format summary --level 2")
        .says("13 requirements of levels 1 to 2:");
}

#[test]
fn a_retired_framework_says_so() {
    let note = "pci-dss-4.0 was retired on 2024-12-31; pci-dss-4.0.1 took its place";
    scan("--framework pci-dss-4.0")
        .says(&note[..40])
        .says("pci-dss-4.0 (retired on 2024-12-31)");
    scan("--framework pci-dss-4.0 --format markdown").says("PCI DSS 4.0 (retired on 2024-12-31)");
    scan("--framework pci-dss-4.0 --format json").says(note);
    let old = framework("--framework ffiec");
    assert_eq!(
        (&old["status"], &old["retired"]),
        (&"retired".into(), &"2025-08-31".into())
    );
    let new = framework("--framework pci-dss-4.0.1");
    assert_eq!(
        (&new["status"], &new["version"], &new["retired"]),
        (&"current".into(), &"4.0.1".into(), &Value::Null)
    );
    scan("--framework pci-dss-4.0.1 --format json").hides("retired-framework");
}
