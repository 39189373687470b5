//! Settings that cannot work: unknown regions, files with tokens that are not there; and answers that are not reports.

use std::fs;

use assert_cmd::Command;

use super::cli::{accounts, credlens, run};
use super::server::{Account, GENERATED, Server};
use super::{got, report};

#[test]
fn unknown_regions_are_refused_before_any_call() {
    let folder = tempfile::tempdir().unwrap();
    let offline = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::cargo_bin("credlens").unwrap();
        let output = command
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "SECRETEXAMPLE")
            // If anything is called, it is this.
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .envs(variables.iter().copied())
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let flag = ["--region", "mars-1"];
    for command in [
        &["scan"][..],
        &["fetch"],
        &["scan", "--org"],
        &["scan", "s3://bucket/reports/"],
        &["trend", "s3://bucket/reports/"],
        &["archive", "list", "s3://bucket/archive"],
        &["archive", "add", "archive", "s3://bucket/reports/"],
        &["diff", "s3://bucket/1.csv", "s3://bucket/2.csv"],
    ] {
        if command[0] == "archive" && !cfg!(feature = "archive") {
            continue;
        }
        let (exit, err) = offline(&[], &[command, &flag].concat());
        assert_eq!(exit, 2, "{command:?}: {err}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(err, @"error: invalid AWS settings: 'mars-1' is not a region of a known partition; check --region, AWS_REGION and the profile. The partitions, and how their regions begin: aws (us-, eu-, ap-, sa-, ca-, me-, af-, il-, mx-), aws-cn (cn-), aws-us-gov (us-gov-), aws-iso (us-iso-), aws-iso-b (us-isob-), aws-iso-e (eu-isoe-), aws-iso-f (us-isof-), aws-eusc (eusc-)");
        }
        let (exit, err) = offline(&[("AWS_REGION", "mars-1")], command);
        assert_eq!(
            (
                exit,
                err.contains("'mars-1' is not a region of a known partition")
            ),
            (2, true),
            "{err}"
        );
    }
    // A service with an address of its own has the regions that it has.
    let server = Server::start(accounts(1));
    let ended = credlens(&server, folder.path(), &["fetch", "--region", "mars-1"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let url = ["--endpoint-url", &server.url];
    let (exit, err) = offline(&[], &[&["fetch"], &flag[..], &url].concat());
    assert_eq!(exit, 0, "{err}");
}

#[test]
fn a_missing_token_file_is_named() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let token = token.to_str().unwrap();
    let role = "arn:aws:iam::000000000002:role/Pipeline";
    let config = folder.path().join("config");
    fs::write(
        &config,
        format!(
            "[profile hub]\nrole_arn = {role}\nweb_identity_token_file = {token}\n\
             [profile audit]\nrole_arn = {role}\nsource_profile = hub\n"
        ),
    )
    .unwrap();
    let region = ("AWS_REGION", "us-east-1");
    let environment = [
        region,
        ("AWS_ROLE_ARN", role),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
    ];
    let profiles = [region, ("AWS_CONFIG_FILE", config.to_str().unwrap())];
    for (variables, arguments) in [
        (&environment[..], &["fetch"][..]),
        (&profiles, &["fetch", "--profile", "hub"]),
        (&profiles, &["fetch", "--profile", "audit"]),
        (&profiles, &["fetch", "--org", "--profile", "hub"]),
    ] {
        let ended = run(&server, folder.path(), variables, arguments);
        let err = ended.err.replace(token, "TOKEN");
        assert_eq!(ended.exit, 3, "{err}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(err, @"error: no AWS credentials found: the web identity token file TOKEN cannot be read: No such file or directory (os error 2); check AWS_WEB_IDENTITY_TOKEN_FILE, or web_identity_token_file of the profile");
        }
    }
    assert_eq!(server.counts().len(), 0);
    fs::create_dir(token).unwrap();
    let ended = run(&server, folder.path(), &environment, &["fetch"]);
    assert!(
        ended.err.contains("cannot be read: it is a directory"),
        "{}",
        ended.err
    );
}

#[test]
fn what_is_not_a_report_is_said_once() {
    let page = "<html>Sign in</html>";
    for (body, expected) in [
        (page.to_owned(), "could not be read; check for a proxy"),
        (
            got("", GENERATED),
            "did not return a credential report: an empty file; check for a proxy",
        ),
        (
            got(page, GENERATED),
            "did not return a credential report: an HTML page; check for a proxy",
        ),
        (
            got("a,b\n1,2\n", GENERATED),
            "did not return a credential report: a CSV with 2 columns ('a', 'b'); check for a proxy",
        ),
        (
            got(&report("000000000001"), GENERATED).replace("<Content>", "<Content>!!!"),
            "could not be read; check for a proxy",
        ),
    ] {
        let server = Server::start([("000000000001".to_owned(), Account::Answers)].into());
        server.answer_instead("GetCredentialReport", 200, &body);
        let folder = tempfile::tempdir().unwrap();
        for command in [
            &["fetch"][..],
            &["scan"],
            &["scan", "--org", "--format", "ndjson"],
        ] {
            let ended = credlens(&server, folder.path(), &[command, &["--timeout", "1s"]].concat());
            assert_eq!(ended.exit, 3, "{}", ended.err);
            assert_eq!(ended.err.matches(expected).count(), 1, "{body}: {}", ended.err);
            assert!(!ended.err.contains("raise --timeout"), "{}", ended.err);
            assert_eq!(
                ended.err.matches("iam:GetCredentialReport").count(),
                1,
                "{}",
                ended.err
            );
        }
    }
}
