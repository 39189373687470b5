//! What a result says about itself: version, hash of the rules, digests of inputs, and requirements where nothing exists.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

use super::Workspace;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,\
    access_key_2_last_rotated,access_key_2_last_used_date\n";

/// Root with MFA, and a user with or without a key and with MFA or without.
fn report(account: &str, key: &str, mfa: bool) -> String {
    format!(
        "{HEADER}<root_account>,arn:aws:iam::{account}:root,2019-01-01T00:00:00Z,true,2019-01-01T00:00:00Z,2019-01-01T00:00:00Z,true,false,N/A,N/A,false,N/A,N/A\n\
         alice,arn:aws:iam::{account}:user/alice,2026-01-01T00:00:00Z,true,2026-05-31T00:00:00Z,2026-05-01T00:00:00Z,{mfa},{key},false,N/A,N/A\n"
    )
}

const NO_KEY: &str = "false,N/A,N/A";

fn digest(bytes: impl AsRef<[u8]>) -> String {
    let hash = Sha256::digest(bytes.as_ref());
    hash.iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn json(place: &Workspace, args: &str) -> Value {
    let run = place.run(&*format!("scan --as-of 2026-06-01 --format json {args}"));
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
}

#[test]
fn inputs_have_the_digest_of_their_bytes() {
    let csv = report("111122223333", NO_KEY, true);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(report("444455556666", NO_KEY, true).as_bytes())
        .unwrap();
    let gzip = gzip.finish().unwrap();
    let envelope = serde_json::json!({ "Content": report("777788889999", NO_KEY, true) }).to_string();
    let two = report("111122220000", NO_KEY, true) + &report("111122221111", NO_KEY, true);
    let place = Workspace::new()
        .file("a.csv", &csv)
        .file("b.csv.gz", &gzip)
        .file("c.json", &envelope)
        .file("d.csv", &two);
    let inputs = json(&place, "a.csv b.csv.gz c.json d.csv")["inputs"].clone();
    let digests: Vec<_> = inputs
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["sha256"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        digests,
        [
            digest(&csv),
            digest(gzip),
            digest(envelope),
            digest(&two),
            digest(&two)
        ]
    );
    let one = place.run_with("scan - --format json", csv.as_str());
    assert!(one.stdout.contains(&digest(&csv)), "{one:?}");
}

#[test]
fn large_inputs_have_one_only_where_it_is_asked_for() {
    let mut csv = report("111122223333", NO_KEY, true);
    let line = csv.lines().last().unwrap().to_owned() + "\n";
    csv.push_str(&line.repeat((64 << 20) / line.len() + 1));
    let place = Workspace::new().file("a.csv", &csv);
    let of = |args: &str| {
        json(&place, &format!("a.csv --rule root-without-mfa {args}"))["inputs"][0]["sha256"].clone()
    };
    assert_eq!(of(""), Value::Null);
    assert_eq!(of("--hash-inputs"), digest(&csv));
}

#[test]
fn the_hash_of_the_rules_is_that_of_what_ran() {
    let place = Workspace::new().file("a.csv", report("111122223333", NO_KEY, true));
    let evidence = |args: &str| json(&place, &format!("a.csv {args}"))["evidence"].clone();
    let usual = evidence("");
    assert_eq!(usual["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(usual["rules_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(evidence("--threads 1 --status all"), usual);
    assert_ne!(evidence("--set access-key-unused.max_idle=44"), usual);
}

fn requirement(place: &Workspace, inputs: &str, id: &str) -> Value {
    let json = json(place, &format!("{inputs} --framework cis-aws-5.0"));
    let requirements = json["compliance"][0]["requirements"].as_array().unwrap().clone();
    requirements.into_iter().find(|it| it["id"] == id).unwrap()
}

#[test]
fn a_requirement_that_nothing_breaks_since_nothing_exists_says_so() {
    let place = Workspace::new()
        .file("none.csv", report("111122223333", NO_KEY, true))
        .file(
            "off.csv",
            report("111122223333", "false,2020-01-01T00:00:00Z,N/A", true),
        )
        .file(
            "on.csv",
            report("111122223333", "true,2026-05-30T00:00:00Z,N/A", true),
        );
    let rotated = |input: &str| {
        let it = requirement(&place, input, "1.13");
        (it["outcome"].clone(), it["nothing"].clone())
    };
    assert_eq!(
        rotated("none.csv"),
        ("pass".into(), "no access key exists".into())
    );
    assert_eq!(
        rotated("off.csv"),
        ("pass".into(), "no access key is in its scope".into())
    );
    assert_eq!(rotated("on.csv"), ("pass".into(), Value::Null));
    for format in ["table", "summary", "markdown"] {
        place
            .run(&*format!(
                "scan none.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format {format}"
            ))
            .says("no access key exists")
            .hides("nothing to evaluate\n");
    }
}

#[test]
fn accounts_that_pass_and_fail_are_counted_for_each_requirement() {
    let no_root = report("777788889999", NO_KEY, true)
        .replace(":root,", ":user/root,")
        .replace("<root_account>", "root");
    let place = Workspace::new()
        .file("a.csv", report("111122223333", NO_KEY, true))
        .file("b.csv", report("444455556666", NO_KEY, false))
        .file("c.csv", no_root);
    let accounts = |id: &str| requirement(&place, "a.csv b.csv c.csv", id)["accounts"].clone();
    let counts = |passing: u64, failing: u64, undetermined: u64| serde_json::json!({ "passing": passing, "failing": failing, "undetermined": undetermined });
    assert_eq!(accounts("1.9"), counts(2, 1, 0));
    // Root is not in c.csv.
    assert_eq!(accounts("1.4"), counts(2, 0, 1));
    assert_eq!(accounts("1.7"), Value::Null);
    let mut command = place.command();
    let args = "scan a.csv b.csv c.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format summary";
    let output = command
        .env("COLUMNS", "200")
        .args(args.split(' '))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("1 failed, 3 passed; accounts: 1 fail, 2 pass\n"),
        "{text}"
    );
    assert!(
        text.contains("a report does not decide 4 requirements: 1.7, 1.8, 1.14, 1.15\n"),
        "{text}"
    );
    let run = place.run("scan a.csv b.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format markdown");
    run.says("| Accounts |").says("| 1 fail, 1 pass |");
    place
        .run("scan a.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format summary")
        .hides("accounts: ");
}
