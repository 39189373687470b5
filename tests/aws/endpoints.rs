//! Where requests go: with `--endpoint-url` nowhere else, whatever profiles and variables say; and which servers are trusted.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;

use super::cli::{Ended, accounts};
use super::server::Server;
use super::tls_server::{ANOTHER, AUTHORITY, TlsServer};

/// Credentials of the stub's caller, and of its account 2 in the stub's form.
pub(super) const KEYS: &str = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n";
pub(super) const ROLE: &str = "role_arn = arn:aws:iam::000000000002:role/Audit\n";
const SIGN_ON: &str = "sso_account_id = 000000000002\nsso_role_name = Audit\n";
const START: &str = "sso_start_url = https://portal.example.com/start\nsso_region = us-east-1\n";

/// Runs the program with these environment variables alone.
pub(super) fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let output = Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended {
        exit: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// A proxy for HTTPS that counts its connections, and closes them.
struct Trap {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Trap {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::Relaxed);
                drop(stream);
            }
        });
        Self { url, connections }
    }

    fn count(&self) -> usize {
        self.connections.swap(0, Ordering::Relaxed)
    }
}

fn write_profiles(folder: &Path, elsewhere: &str) {
    let aws = folder.join(".aws");
    fs::create_dir_all(aws.join("sso/cache")).unwrap();
    fs::write(folder.join("token"), "GOODTOKEN").unwrap();
    let token = folder.join("token");
    let config = format!(
        "[profile keys]\n{KEYS}\
         [profile role]\n{ROLE}source_profile = keys\n\
         [profile chain]\n{ROLE}source_profile = middle\n\
         [profile middle]\nrole_arn = arn:aws:iam::000000000003:role/Jump\nsource_profile = keys\n\
         [profile environment]\n{ROLE}credential_source = Environment\n\
         [profile web]\n{ROLE}web_identity_token_file = {}\n\
         [profile sign-on]\n{START}{SIGN_ON}\
         [profile session]\nsso_session = s\n{SIGN_ON}\
         [sso-session s]\n{START}\
         [profile elsewhere]\n{ROLE}source_profile = keys\nendpoint_url = {elsewhere}\nservices = elsewhere\n\
         [services elsewhere]\nsts =\n  endpoint_url = {elsewhere}\niam =\n  endpoint_url = {elsewhere}\n\
         [profile ignores]\n{ROLE}source_profile = keys\nignore_configured_endpoint_urls = true\n",
        token.display()
    );
    fs::write(aws.join("config"), config).unwrap();
    // The names are the SHA-1 of the start URL, and of the name of the session.
    for name in [
        "f99d968d2b4037e9fb98a14ff5546d9ef0c014b8",
        "a0f1490a20d0211c997b44bc357e1972deab8ae3",
    ] {
        let content = r#"{"startUrl":"https://portal.example.com/start","region":"us-east-1","accessToken":"GOODTOKEN",
            "expiresAt":"2036-01-01T00:00:00Z"}"#;
        fs::write(aws.join("sso/cache").join(format!("{name}.json")), content).unwrap();
    }
}

/// The proxy would see what leaves for AWS, and another server what leaves for the addresses of variables and profiles.
#[test]
fn nothing_leaves_for_aws() {
    let (server, other) = (Server::start(accounts(3)), Server::start(accounts(3)));
    server.answer_instead(
        "GET /federation/credentials",
        200,
        r#"{"roleCredentials":{"accessKeyId":"ASIA000000000002","secretAccessKey":"x","sessionToken":"t",
            "expiration":2082758400000}}"#,
    );
    let trap = Trap::start();
    let folder = tempfile::tempdir().unwrap();
    write_profiles(folder.path(), &other.url);
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ];
    let elsewhere = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_ENDPOINT_URL_SSO",
    ]
    .map(|variable| (variable, other.url.as_str()));
    let ignored = [("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    let fetch = [
        "fetch",
        "--max-report-age",
        "36500d",
        "--endpoint-url",
        &server.url,
    ];
    for profile in [
        "role",
        "chain",
        "environment",
        "web",
        "sign-on",
        "session",
        "elsewhere",
        "ignores",
    ] {
        for more in [&[][..], &elsewhere, &ignored] {
            let proxy = [("HTTPS_PROXY", trap.url.as_str())];
            let by_flag = [&proxy[..], &keys, more].concat();
            let named = [("AWS_PROFILE", profile)];
            let own: &[(&str, &str)] = if profile == "environment" { &keys } else { &[] };
            // With keys in the environment, the variable does not count.
            let by_variable = [&proxy[..], if own.is_empty() { &named } else { &[] }, own, more].concat();
            for (variables, arguments) in [
                (by_flag, [&fetch[..], &["--profile", profile]].concat()),
                (by_variable, fetch.to_vec()),
            ] {
                let ended = run(folder.path(), &variables, &arguments);
                assert_eq!(ended.exit, 0, "{profile} {more:?}: {}", ended.err);
                assert_eq!(trap.count(), 0, "{profile} {more:?}: for AWS");
                assert_eq!(other.counts().len(), 0, "{profile} {more:?}: elsewhere");
                assert!(server.counts()["GetCredentialReport"] > 0);
            }
        }
    }
    // The proxy sees a run without the flag.
    let variables = [&[("HTTPS_PROXY", trap.url.as_str())][..], &keys].concat();
    let ended = run(
        folder.path(),
        &variables,
        &["fetch", "--timeout", "1s", "--profile", "role"],
    );
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(trap.count() > 0);
}

/// The addresses from which a machine gets its credentials stay as they are.
#[test]
fn the_machine_gives_its_own_credentials() {
    let (server, machine) = (Server::start(accounts(2)), Server::start(accounts(2)));
    let folder = tempfile::tempdir().unwrap();
    let given = r#"{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"ASIA000000000002",
        "SecretAccessKey":"x","Token":"t","Expiration":"2036-01-01T00:00:00Z"}"#;
    let roles = "/latest/meta-data/iam/security-credentials/";
    for (action, body) in [
        ("GET /credentials", given),
        ("PUT /latest/api/token", "GOODTOKEN"),
        (&format!("GET {roles}"), "Audit"),
        (&format!("GET {roles}Audit"), given),
    ] {
        machine.answer_instead(action, 200, body);
    }
    let container = format!("{}/credentials", machine.url);
    let fetch = [
        "fetch",
        "--max-report-age",
        "36500d",
        "--endpoint-url",
        &server.url,
    ];
    for variables in [
        &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str())][..],
        &[
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.url.as_str()),
        ],
    ] {
        let ended = run(folder.path(), variables, &fetch);
        assert_eq!(ended.exit, 0, "{}", ended.err);
        assert!(!machine.counts().is_empty());
        assert_eq!(server.counts(), [("GetCredentialReport".to_owned(), 1)].into());
    }
}

/// A bundle of several certificates, among other text.
fn bundle(folder: &Path, name: &str, certificates: &[&str]) -> String {
    let path = folder.join(name);
    let comment = |certificate: &&str| format!("# an authority\n{certificate}\n");
    fs::write(&path, certificates.iter().map(comment).collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn authorities_of_a_bundle_are_trusted() {
    let plain = Server::start(accounts(2));
    let server = TlsServer::before(&plain.url);
    let folder = tempfile::tempdir().unwrap();
    let good = bundle(folder.path(), "good.pem", &[ANOTHER, AUTHORITY]);
    let bad = bundle(folder.path(), "bad.pem", &[ANOTHER]);
    fs::create_dir(folder.path().join(".aws")).unwrap();
    fs::write(
        folder.path().join(".aws/config"),
        format!(
            "[profile good]\n{KEYS}ca_bundle = {good}\n[profile home]\n{KEYS}ca_bundle = ~/good.pem\n\
             [profile bad]\n{KEYS}ca_bundle = {bad}\n[profile role]\n{ROLE}source_profile = good\nca_bundle = {good}\n"
        ),
    )
    .unwrap();
    let fetch = |variables: &[(&str, &str)], profile: &str| {
        let arguments = [
            "fetch",
            "--max-report-age",
            "36500d",
            "--endpoint-url",
            &server.url,
            "--profile",
            profile,
        ];
        run(folder.path(), variables, &arguments)
    };
    let variable = |path| [("AWS_CA_BUNDLE", path)];
    for (variables, profile) in [
        (&[][..], "good"),
        (&[], "home"),
        (&[], "role"),
        (&variable(&*good), "bad"),
        (&variable(""), "good"),
    ] {
        let ended = fetch(variables, profile);
        assert_eq!(ended.exit, 0, "{variables:?} {profile}: {}", ended.err);
    }
    server.connections();
    // A certificate that is not trusted stays so: there is one connection.
    for (variables, profile) in [
        (&[][..], "bad"),
        (&variable(&*bad), "good"),
        (&variable(&*bad), "role"),
    ] {
        let ended = fetch(variables, profile);
        assert_eq!((ended.exit, server.connections()), (3, 1), "{}", ended.err);
        let action = if profile == "role" {
            "sts:AssumeRole"
        } else {
            "iam:GetCredentialReport"
        };
        assert_eq!(
            ended.err.trim_end(),
            format!(
                "error: AWS could not be reached for {action}: the server's certificate is not trusted, since its issuer \
                 is unknown; set AWS_CA_BUNDLE, or ca_bundle of the profile, to a PEM file with the certificate of the \
                 issuer"
            )
        );
    }
    // Objects in S3 are read from the same address.
    let ended = run(
        folder.path(),
        &variable(&*bad),
        &[
            "scan",
            "s3://audit/x.csv",
            "--endpoint-url",
            &server.url,
            "--profile",
            "good",
        ],
    );
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(ended.err.contains("set AWS_CA_BUNDLE"), "{}", ended.err);
    // Its name is another one.
    let renamed = server.url.replace("127.0.0.1", "localhost");
    let arguments = ["fetch", "--endpoint-url", &renamed, "--profile", "good"];
    let ended = run(folder.path(), &[], &arguments);
    assert!(
        ended
            .err
            .contains("the server's certificate is for another host name; check --endpoint-url"),
        "{}",
        ended.err
    );
}

#[test]
fn bundles_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let cut = &AUTHORITY[..200];
    fs::create_dir(folder.path().join("directory")).unwrap();
    for (name, text) in [
        ("empty.pem", ""),
        ("text.pem", "not a certificate"),
        ("cut.pem", cut),
        (
            "other.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::create_dir(folder.path().join(".aws")).unwrap();
    fs::write(
        folder.path().join(".aws/config"),
        format!("[profile p]\n{KEYS}ca_bundle = none.pem\n"),
    )
    .unwrap();
    let mut errors = Vec::new();
    for name in [
        "none.pem",
        "empty.pem",
        "text.pem",
        "cut.pem",
        "other.pem",
        "directory",
    ] {
        for arguments in [&["fetch"][..], &["scan", "s3://audit/x.csv"]] {
            let arguments = [arguments, &["--endpoint-url", "http://127.0.0.1:9"]].concat();
            let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "x")];
            let ended = run(
                folder.path(),
                &[&keys[..], &[("AWS_CA_BUNDLE", name)]].concat(),
                &arguments,
            );
            assert!(
                ended.err.contains(&format!("{name} (from AWS_CA_BUNDLE)")),
                "{}",
                ended.err
            );
            if arguments[0] == "fetch" {
                errors.push(format!("{} {}", ended.exit, ended.err));
            }
        }
    }
    let ended = run(folder.path(), &[], &["fetch", "--profile", "p"]);
    errors.push(format!("{} {}", ended.exit, ended.err));
    insta::assert_snapshot!(errors.concat(), @"
    2 error: invalid AWS settings: the certificates in none.pem (from AWS_CA_BUNDLE) cannot be used: No such file or directory (os error 2)
    2 error: invalid AWS settings: the certificates in empty.pem (from AWS_CA_BUNDLE) cannot be used: there is none in PEM (-----BEGIN CERTIFICATE-----)
    2 error: invalid AWS settings: the certificates in text.pem (from AWS_CA_BUNDLE) cannot be used: there is none in PEM (-----BEGIN CERTIFICATE-----)
    2 error: invalid AWS settings: the certificates in cut.pem (from AWS_CA_BUNDLE) cannot be used: a certificate is cut off, or is not valid PEM
    2 error: invalid AWS settings: the certificates in other.pem (from AWS_CA_BUNDLE) cannot be used: none of them is a valid X.509 certificate
    2 error: invalid AWS settings: the certificates in directory (from AWS_CA_BUNDLE) cannot be used: Is a directory (os error 21)
    2 error: invalid AWS settings: the certificates in none.pem (from ca_bundle of the profile) cannot be used: No such file or directory (os error 2)
    ");
}
