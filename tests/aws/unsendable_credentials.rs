//! Credentials from any source with characters that HTTP headers cannot contain.

use super::cli::{Ended, accounts, credlens, run};
use super::server::Server;

const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];

fn assert_unsendable(ended: &Ended, part: &str) {
    assert_eq!(ended.exit, 3, "{}", ended.err);
    let expected = format!("the AWS {part} contains a character that is not allowed");
    assert!(ended.err.contains(&expected), "{}", ended.err);
    for never in ["AKIAENV", "SEC\n", "TOK", "panicked", "defect"] {
        assert!(!ended.err.contains(never), "{}", ended.err);
    }
}

#[test]
fn in_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    for (id, token, part) in [
        ("AKIA\nENV", "TOK", "access key id"),
        ("AKIAENV", "TOK\nEN", "session token"),
        ("AKIAENV\u{e9}", "TOK", "access key id"),
    ] {
        for arguments in [
            &["scan", "-vvv"][..],
            &["fetch", "--org"],
            &["fetch", "--role-arn", "arn:aws:iam::000000000002:role/Scan"],
            &["scan", "s3://bucket/key.csv"],
        ] {
            let server = Server::start(accounts(2));
            let variables = [
                ("AWS_ACCESS_KEY_ID", id),
                ("AWS_SECRET_ACCESS_KEY", "SEC"),
                ("AWS_SESSION_TOKEN", token),
                ("AWS_REGION", "us-east-1"),
            ];
            let ended = run(&server, folder.path(), &variables, arguments);
            assert_unsendable(&ended, part);
            assert_eq!(server.counts().len(), 0, "{arguments:?}");
        }
    }
}

/// Such as the line break at the end of a file.
#[test]
fn surrounding_blanks_are_trimmed() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("AWS_ACCESS_KEY_ID", " AKIDEXAMPLE\n"),
        ("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE\r\n"),
        ("AWS_SESSION_TOKEN", "TOKENEXAMPLE\n"),
        ("AWS_REGION", "us-east-1"),
    ];
    let all = [&["fetch", "--org"], &YOUNG[..]].concat();
    let ended = run(&server, folder.path(), &variables, &all);
    assert_eq!((ended.exit, ended.out.lines().count()), (0, 2), "{}", ended.err);
}

/// The chain signs with these without a check of ours, and the SDK panics.
#[test]
fn in_a_profile_that_assumes_a_role() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let role = "role_arn = arn:aws:iam::000000000002:role/Scan\nsource_profile = keys";
    let keys = "aws_access_key_id = AKIA\n  ENV\naws_secret_access_key = SEC";
    let text = format!("[profile acting]\n{role}\n[profile keys]\n{keys}\n");
    std::fs::write(&config, text).unwrap();
    let variables = [
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("AWS_REGION", "us-east-1"),
    ];
    for arguments in [&["scan"][..], &["fetch", "--org"]] {
        let all = [arguments, &["--profile", "acting"]].concat();
        let ended = run(&server, folder.path(), &variables, &all);
        assert_eq!(ended.exit, 3, "{}", ended.err);
        let expected = "contains a character that is not allowed";
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
}

#[test]
fn in_a_response_of_sts() {
    let server = Server::start(accounts(2));
    let answer = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials><AccessKeyId>AKIA&#10;ENV</AccessKeyId><SecretAccessKey>MEMBERSECRET</SecretAccessKey>\
         <SessionToken>MEMBERTOKEN</SessionToken><Expiration>2036-01-01T00:00:00Z</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>";
    server.answer_instead("AssumeRole", 200, answer);
    let folder = tempfile::tempdir().unwrap();
    let all = [&["fetch", "--org", "--accounts", "000000000002"], &YOUNG[..]].concat();
    assert_unsendable(&credlens(&server, folder.path(), &all), "access key id");
    assert_eq!(server.counts()["AssumeRole"], 1);
}
