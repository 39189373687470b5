//! Error messages of the program where there are no credentials, no answers or no reports.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::OWNERS;
use super::cli::{accounts, credlens, run};
use super::server::{Account, CALLER, Server};

const YOUNG: [&str; 2] = ["--max-report-age", "36500d"];

/// An address that refuses connections.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn missing_and_malformed_profiles() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::write(&config, "[profile there]\nregion = us-east-1\n").unwrap();
    let config = config.to_str().unwrap();
    let variables = [("AWS_CONFIG_FILE", config)];
    let ended = run(
        &server,
        folder.path(),
        &variables,
        &["scan", "--profile", "not-there"],
    );
    assert_eq!((ended.exit, ended.out.as_str()), (2, ""), "{}", ended.err);
    for expected in ["profile 'not-there' not found", config, "~/.aws/credentials"] {
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
    let broken = folder.path().join("broken");
    fs::write(&broken, "[profile there]\nGOODTOKEN").unwrap();
    let variables = [("AWS_CONFIG_FILE", broken.to_str().unwrap())];
    let ended = run(
        &server,
        folder.path(),
        &variables,
        &["scan", "--profile", "there"],
    );
    assert_eq!(ended.exit, 2, "{}", ended.err);
    assert!(ended.err.contains("on line 2"), "{}", ended.err);
    assert_eq!(server.counts().len(), 0);
}

#[test]
fn invalid_region_and_endpoint_variables() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    for (name, value, expected) in [
        ("AWS_REGION", "us_east_1", "such as us-east-1"),
        ("AWS_ENDPOINT_URL", "http://a:b", "such as http://127.0.0.1:5000"),
    ] {
        let keys = [
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
        ];
        let ended = run(
            &server,
            folder.path(),
            &[&keys[..], &[(name, value)]].concat(),
            &["scan"],
        );
        assert_eq!(ended.exit, 2, "{}", ended.err);
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
}

#[test]
fn output_of_a_credential_process_is_not_shown() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let process = "sh -c 'echo said-by-the-process >&2; exit 3'";
    fs::write(
        &config,
        format!("[default]\nregion = us-east-1\ncredential_process = {process}\n"),
    )
    .unwrap();
    let variables = [("AWS_CONFIG_FILE", config.to_str().unwrap())];
    let ended = run(&server, folder.path(), &variables, &["scan", "-vvv"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(
        ended.err.contains("the configured source failed"),
        "{}",
        ended.err
    );
}

#[test]
fn passwords_in_addresses_are_not_shown() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    for address in [
        "http://evil:GOODTOKEN@ex ample/",
        "http://evil:GOODTOKEN@example.com/",
        "ftp://evil:GOODTOKEN@127.0.0.1/",
    ] {
        let variables = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "GOODTOKEN\u{1}"),
            ("AWS_REGION", "us-east-1"),
        ];
        let ended = run(
            &server,
            folder.path(),
            &variables,
            &["scan", "-vvv", "--timeout", "5s"],
        );
        assert_eq!(ended.exit, 3, "{}", ended.err);
        assert!(!ended.err.contains("evil"), "{}", ended.err);
    }
}

#[test]
fn an_error_is_shown_once() {
    let server = Server::start([(CALLER.to_owned(), Account::Denied)].into());
    let folder = tempfile::tempdir().unwrap();
    for format in ["table", "summary", "markdown"] {
        let ended = credlens(&server, folder.path(), &["scan", "--format", format]);
        assert_eq!((ended.exit, ended.out.as_str()), (3, ""));
        assert_eq!(ended.err.matches("AWS denied").count(), 1, "{}", ended.err);
    }
    // In JSON it is a diagnostic.
    let ended = credlens(&server, folder.path(), &["scan", "--format", "json"]);
    assert!(ended.out.contains("AWS denied"), "{}", ended.out);
}

#[test]
fn an_unreachable_sts_is_not_reported_as_missing_credentials() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "GOODTOKEN").unwrap();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let (address, role) = (nowhere(), "arn:aws:iam::000000000002:role/Scan");
    let settings = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_STS", address.as_str()),
    ];
    let web = [
        ("AWS_ROLE_ARN", role),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
    ];
    let role_arn = [&["scan", "--role-arn", role], &YOUNG[..]].concat();
    for (variables, arguments) in [
        ([&settings[..], &keys].concat(), role_arn),
        ([&settings[..], &web].concat(), vec!["scan", "--timeout", "20s"]),
    ] {
        let ended = run(&server, folder.path(), &variables, &arguments);
        assert_eq!(ended.exit, 3, "{}", ended.err);
        assert!(
            ended.err.contains("could not be reached for sts:AssumeRole"),
            "{}",
            ended.err
        );
        assert!(!ended.err.contains("no AWS credentials"), "{}", ended.err);
    }
}

#[test]
fn the_timeout_limits_every_step() {
    for (silent, arguments) in [
        ("AssumeRole", &["scan", "--accounts-file", "accounts"][..]),
        (
            "AssumeRole",
            &["scan", "--role-arn", "arn:aws:iam::000000000002:role/Scan"],
        ),
        ("GetCallerIdentity", &["scan", "--org"]),
        ("ListAccounts", &["scan", "--org"]),
        ("GetCredentialReport", &["scan"]),
        ("ListAccessKeys", &["scan", "--resolve-keys"]),
    ] {
        let server = Server::start(accounts(2));
        server.silence(silent);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("accounts"), "000000000002\n").unwrap();
        let started = Instant::now();
        let all = [arguments, &["--timeout", "1s", "--fail-on", "never"], &YOUNG].concat();
        let ended = credlens(&server, folder.path(), &all);
        // Without key ids the report is still evaluated.
        let exit = if silent == "ListAccessKeys" { 0 } else { 3 };
        assert_eq!(ended.exit, exit, "{silent}: {}", ended.err);
        assert!(
            started.elapsed() < Duration::from_secs(6),
            "{silent}: {:?}",
            started.elapsed()
        );
        let text = [&ended.err[..], &ended.out].concat();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected = format!("{silent}: no answer in time; check the network, --region and --endpoint-url");
        assert!(words.contains(&expected), "{silent}: {words}");
    }
}

#[test]
fn responses_that_are_not_from_aws() {
    for body in ["", "<html>Sign in</html>", "<ListAccessKeysResponse><List"] {
        for (action, arguments) in [
            ("ListAccounts", &["scan", "--org"][..]),
            ("GenerateCredentialReport", &["scan"]),
            (
                "ListAccessKeys",
                &["scan", "--resolve-keys", "--fail-on", "never"],
            ),
        ] {
            let server = Server::start(accounts(1));
            server.answer_instead(action, 200, body);
            let folder = tempfile::tempdir().unwrap();
            let ended = credlens(
                &server,
                folder.path(),
                &[arguments, &["--timeout", "1s"]].concat(),
            );
            let exit = if action == "ListAccessKeys" { 0 } else { 3 };
            assert_eq!(ended.exit, exit, "{action}: {}", ended.err);
            let words = [&ended.err[..], &ended.out].concat();
            let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
            let expected = format!(
                "{action} could not be read; check for a proxy or a login page between this machine and AWS"
            );
            assert!(words.contains(&expected), "{action}: {words}");
        }
    }
}

#[test]
fn an_account_without_an_organization() {
    let server = Server::start(accounts(1));
    server.refuse("ListAccounts", "AWSOrganizationsNotInUseException");
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["scan", "--org"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    insta::assert_snapshot!(ended.err, @"error: the account of these credentials belongs to no organization (AWSOrganizationsNotInUseException); scan it without --org, or list accounts with --accounts-file");
}

#[test]
fn closed_connections_are_retried() {
    let cases = [
        ("GetCredentialReport", &["fetch"][..]),
        ("GetCallerIdentity", &["fetch", "--org"]),
        ("ListAccounts", &["fetch", "--org"]),
        ("AssumeRole", &["fetch", "--org", "--accounts", "000000000002"]),
        (
            "AssumeRole",
            &["fetch", "--role-arn", "arn:aws:iam::000000000002:role/Scan"],
        ),
    ];
    let check = |(action, arguments): (&str, &[&str])| {
        let server = Server::start(accounts(2));
        server.hang_up_at(action);
        let folder = tempfile::tempdir().unwrap();
        let ended = credlens(&server, folder.path(), arguments);
        assert_eq!(ended.exit, 3, "{action}: {}", ended.err);
        let expected = [
            "AWS could not be reached for",
            &format!("{action}: the connection was closed"),
        ];
        assert!(
            expected.iter().all(|expected| ended.err.contains(expected)),
            "{action}: {}",
            ended.err
        );
        assert_eq!(server.counts()[action], 4, "{action}");
    };
    // Each case waits between four attempts.
    std::thread::scope(|scope| {
        for case in cases {
            let check = &check;
            scope.spawn(move || check(case));
        }
    });
}

#[test]
fn other_content_than_a_report_is_not_saved() {
    let server = Server::start([(CALLER.to_owned(), Account::Page)].into());
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &[&["fetch"], &YOUNG[..]].concat());
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(ended.err.contains("an HTML page"), "{}", ended.err);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(server.counts(), [("GetCredentialReport".to_owned(), 1)].into());
    // Other accounts are not affected.
    let server = Server::start(accounts(3));
    server.set("000000000002", Account::Page);
    let all = [&["fetch", "--org"], &YOUNG[..]].concat();
    let ended = credlens(&server, folder.path(), &all);
    assert_eq!((ended.exit, ended.out.lines().count()), (4, 2), "{}", ended.err);
    assert!(ended.err.contains("000000000002  name of"), "{}", ended.err);
}

#[test]
fn key_lookup_stops_at_errors_that_affect_all_users() {
    let folder = tempfile::tempdir().unwrap();
    let all = [
        &["scan", "--resolve-keys", "--fail-on", "never", "--format", "json"],
        &YOUNG[..],
    ]
    .concat();
    for (code, most, expected) in [
        // Each one once more after a second.
        (
            "Throttling",
            8,
            "the access key ids of 700 users are unknown: iam:ListAccessKeys did not finish within 2 seconds; \
             last response: Throttling;",
        ),
        (
            "ExpiredToken",
            4,
            "the access key ids of 700 users are unknown: the AWS credentials have expired",
        ),
        (
            "AccessDenied",
            4,
            "the access key ids of 700 users are unknown: AWS denied",
        ),
        // Four attempts each.
        (
            "ServiceFailure",
            16,
            "the access key ids of 700 users are unknown: AWS failed",
        ),
        // The error may be about one user.
        (
            "ValidationError",
            OWNERS,
            "the access key ids of 700 users are unknown: AWS rejected",
        ),
    ] {
        let server = Server::start([(CALLER.to_owned(), Account::Large)].into());
        server.refuse("ListAccessKeys", code);
        let limit = if code == "Throttling" { "2s" } else { "10m" };
        let all = [&all[..], &["--timeout", limit]].concat();
        let ended = credlens(&server, folder.path(), &all);
        assert_eq!(ended.exit, 0, "{}", ended.err);
        let calls = server.counts()["ListAccessKeys"];
        assert!(
            calls <= most && (code != "ValidationError" || calls == OWNERS),
            "{code}: {calls}"
        );
        assert!(ended.out.contains(expected), "{code}: {}", ended.err);
    }
}

#[test]
fn every_format_comes_with_a_warning_about_missing_key_ids() {
    let server = Server::start(accounts(1));
    server.silence("ListAccessKeys");
    let folder = tempfile::tempdir().unwrap();
    for format in ["table", "summary", "json", "ndjson", "csv", "markdown"] {
        let all = [
            "scan",
            "--resolve-keys",
            "--fail-on",
            "never",
            "--timeout",
            "1s",
            "--format",
            format,
        ];
        let ended = credlens(&server, folder.path(), &[&all[..], &YOUNG].concat());
        assert_eq!(ended.exit, 0, "{format}: {}", ended.err);
        let expected = "the access key ids of 1 user are unknown: AWS could not be reached";
        assert_eq!(ended.err.matches(expected).count(), 1, "{format}: {}", ended.err);
    }
}
