//! AWS's chain of credentials on the program: containers, instances, single sign-on and processes.

use std::fs;
use std::path::Path;

use super::cli::{Ended, accounts, run};
use super::server::Server;

/// An access key id of account 2, in the stub's form.
const KEY: &str = "ASIA000000000002";
const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];

fn machine_credentials() -> String {
    format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"{KEY}",
            "SecretAccessKey":"MEMBERSECRET","Token":"MEMBERTOKEN","Expiration":"2036-01-01T00:00:00Z"}}"#
    )
}

/// Runs `fetch` with these environment variables alone.
fn fetch(server: &Server, folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let variables = [&[("AWS_REGION", "us-east-1")], variables].concat();
    let all = [&["fetch", "-vvv"], &YOUNG[..], arguments].concat();
    run(server, folder, &variables, &all)
}

fn assert_fetched(ended: &Ended) {
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(ended.out.starts_with("000000000002_"), "{}", ended.out);
}

#[test]
fn container_credentials() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{}/credentials", server.url);
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "GOODTOKEN"),
    ];
    server.answer_instead("GET /credentials", 200, &machine_credentials());
    assert_fetched(&fetch(&server, folder.path(), &variables, &[]));
    assert_eq!(server.counts()["GET /credentials"], 1);
    server.answer_instead("GET /credentials", 200, r#"{"SecretAccessKey":"MEMBERSECRET"#);
    assert_eq!(fetch(&server, folder.path(), &variables, &[]).exit, 3);
    server.answer_instead(
        "GET /credentials",
        403,
        r#"{"Code":"AccessDenied","Message":"no"}"#,
    );
    let ended = fetch(&server, folder.path(), &variables, &[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    insta::assert_snapshot!(ended.err.lines().last().unwrap(), @"error: no AWS credentials found: the configured source failed; sign in with `aws sso login`, or run `aws sts get-caller-identity` for details, which are not shown here because they may contain secrets");
}

#[test]
fn instance_credentials() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str()),
    ];
    let roles = "/latest/meta-data/iam/security-credentials/";
    server.answer_instead("PUT /latest/api/token", 200, "GOODTOKEN");
    server.answer_instead(&format!("GET {roles}"), 200, "Audit");
    server.answer_instead(&format!("GET {roles}Audit"), 200, &machine_credentials());
    assert_fetched(&fetch(&server, folder.path(), &variables, &[]));
    assert_eq!(server.counts()["PUT /latest/api/token"], 1);
    server.answer_instead(&format!("GET {roles}Audit"), 400, "MEMBERSECRET");
    assert_eq!(fetch(&server, folder.path(), &variables, &[]).exit, 3);
    // An instance without a role.
    server.answer_instead(&format!("GET {roles}"), 404, "");
    let ended = fetch(&server, folder.path(), &variables, &[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    insta::assert_snapshot!(ended.err.lines().last().unwrap(), @"error: no AWS credentials found; pass --profile, set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`");
}

/// Nothing else names a region, so the machine is asked: with our client, since the SDK has none of its own.
#[test]
fn region_of_the_instance() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url.as_str()),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", "MEMBERSECRET"),
        ("AWS_SESSION_TOKEN", "MEMBERTOKEN"),
    ];
    let arguments = [&["fetch"], &YOUNG[..]].concat();
    let placement = "GET /latest/meta-data/placement/region";
    server.answer_instead("PUT /latest/api/token", 200, "GOODTOKEN");
    server.answer_instead(placement, 200, "no region");
    let ended = run(&server, folder.path(), &variables, &arguments);
    assert_eq!(ended.exit, 2, "{}", ended.err);
    assert!(ended.err.contains("no region"), "{}", ended.err);
    server.answer_instead(placement, 200, "eu-north-1");
    assert_fetched(&run(&server, folder.path(), &variables, &arguments));
    // Once in each run.
    assert_eq!(server.counts()[placement], 2);
}

#[test]
fn single_sign_on() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join(".aws");
    let cache = aws.join("sso/cache");
    fs::create_dir_all(&cache).unwrap();
    let settings = "sso_start_url = https://portal.example.com/start\nsso_region = us-east-1\nsso_account_id = 000000000002\n\
        sso_role_name = Audit\n";
    fs::write(
        aws.join("config"),
        format!("[default]\n{settings}[profile audit]\n{settings}"),
    )
    .unwrap();
    let ended = fetch(&server, folder.path(), &[], &[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(
        ended.err.contains("sign in with `aws sso login`"),
        "{}",
        ended.err
    );
    // The name is the SHA-1 of the start URL.
    let token = cache.join("f99d968d2b4037e9fb98a14ff5546d9ef0c014b8.json");
    let content = r#"{"startUrl":"https://portal.example.com/start","region":"us-east-1","accessToken":"GOODTOKEN",
        "expiresAt":"2036-01-01T00:00:00Z"}"#;
    fs::write(token, content).unwrap();
    let output = format!(
        r#"{{"roleCredentials":{{"accessKeyId":"{KEY}","secretAccessKey":"MEMBERSECRET","sessionToken":"MEMBERTOKEN",
            "expiration":2082758400000}}}}"#
    );
    let portal = "GET /federation/credentials";
    server.answer_instead(portal, 200, &output);
    for arguments in [&[][..], &["--profile", "audit"]] {
        assert_fetched(&fetch(&server, folder.path(), &[], arguments));
        assert_eq!(server.counts()[portal], 1);
    }
    let mut errors = Vec::new();
    for (status, body) in [
        (401, r#"{"__type":"UnauthorizedException","message":"no"}"#),
        (500, ""),
    ] {
        server.answer_instead(portal, status, body);
        let ended = fetch(&server, folder.path(), &[], &["--profile", "audit"]);
        assert_eq!(ended.exit, 3, "{}", ended.err);
        errors.push(format!(
            "{}: {}",
            server.counts()[portal],
            ended.err.lines().last().unwrap()
        ));
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    1: error: single sign-on issued no AWS credentials (UnauthorizedException); sign in with `aws sso login`, and check the account and role of the profile
    4: error: AWS failed to answer sso:GetRoleCredentials (HTTP 500); try again later
    ");
}

#[test]
fn credential_process() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let (config, output) = (folder.path().join("config"), folder.path().join("given.json"));
    let process = format!("credential_process = cat {}\n", output.display());
    fs::write(&config, format!("[default]\n{process}[profile audit]\n{process}")).unwrap();
    let variables = [("AWS_CONFIG_FILE", config.to_str().unwrap())];
    let content = format!(
        r#"{{"Version":1,"AccessKeyId":"{KEY}","SecretAccessKey":"MEMBERSECRET","SessionToken":"MEMBERTOKEN",
            "Expiration":"2036-01-01T00:00:00Z"}}"#
    );
    fs::write(&output, content).unwrap();
    for arguments in [&[][..], &["--profile", "audit"]] {
        assert_fetched(&fetch(&server, folder.path(), &variables, arguments));
    }
    // Output that cannot be parsed is not shown either.
    fs::write(&output, r#"{"Version":1,"AccessKeyId":"MEMBERSECRET"}"#).unwrap();
    let ended = fetch(&server, folder.path(), &variables, &[]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    insta::assert_snapshot!(ended.err.lines().last().unwrap(), @"error: no AWS credentials found: the configured source failed; sign in with `aws sso login`, or run `aws sts get-caller-identity` for details, which are not shown here because they may contain secrets");
}
