//! Live scans and `fetch` on the program, against the AWS server stub: one account, organizations, and failures.

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;

use super::report;
use super::server::{Account, CALLER, GENERATED, Server};

const SECRETS: [&str; 7] = [
    "SECRETEXAMPLE",
    "TOKENEXAMPLE",
    "MEMBERSECRET",
    "MEMBERTOKEN",
    "GOODTOKEN",
    "an-external-id",
    "said-by-the-process",
];

/// The result of a run.
pub(super) struct Ended {
    pub(super) exit: i32,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) fn credlens(server: &Server, folder: &Path, arguments: &[&str]) -> Ended {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
        ("AWS_SESSION_TOKEN", SECRETS[1]),
        ("AWS_REGION", "us-east-1"),
    ];
    run(server, folder, &variables, arguments)
}

/// Runs the program, and asserts that its output contains none of the secrets of the stub and the tests.
pub(super) fn run(server: &Server, folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = Command::cargo_bin("credlens").unwrap();
    command
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_ENDPOINT_URL", &server.url)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    for secret in SECRETS {
        assert!(
            !out.contains(secret) && !err.contains(secret),
            "{arguments:?}\n{err}"
        );
    }
    let exit = output.status.code().unwrap();
    Ended { exit, out, err }
}

/// Accounts from [`CALLER`] on that all answer with a report.
pub(super) fn accounts(count: u32) -> BTreeMap<String, Account> {
    (1..=count)
        .map(|number| (format!("{number:012}"), Account::Answers))
        .collect()
}

/// Findings without the fields that differ between live and saved reports.
fn findings(ndjson: &str) -> Vec<serde_json::Value> {
    let lines = ndjson.lines().map(|line| {
        let mut finding: serde_json::Value = serde_json::from_str(line).unwrap();
        let finding_fields = finding.as_object_mut().unwrap();
        for name in ["source", "account_name", "access_key_id"] {
            finding_fields.insert(name.to_owned(), serde_json::Value::Null);
        }
        finding
    });
    lines.collect()
}

#[test]
fn live_and_saved_reports_have_the_same_findings() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let live = credlens(&server, folder.path(), &["scan", "--format", "ndjson", "-vvv"]);
    assert_eq!(live.exit, 1, "{}", live.err);
    assert!(
        live.err.contains(&format!("a report of {GENERATED}")),
        "{}",
        live.err
    );
    // The report is older than four hours; after COMPLETE its age does not matter.
    let expected = [("GenerateCredentialReport", 1), ("GetCredentialReport", 2)];
    assert_eq!(
        server.counts(),
        expected.map(|(action, count)| (action.to_owned(), count)).into()
    );
    let name = format!("{CALLER}_20261121T080000Z.csv");
    let young = ["--max-report-age", "36500d"];
    let saved = credlens(&server, folder.path(), &[&["fetch"], &young[..]].concat());
    assert_eq!(
        (saved.exit, saved.out.trim()),
        (0, name.as_str()),
        "{}",
        saved.err
    );
    assert_eq!(server.counts(), [("GetCredentialReport".to_owned(), 1)].into());
    assert_eq!(
        std::fs::read_to_string(folder.path().join(&name)).unwrap(),
        report(CALLER)
    );
    let offline = credlens_offline(folder.path(), &["scan", &name, "--format", "ndjson"]);
    assert_eq!(findings(&offline), findings(&live.out));
    assert!(!findings(&live.out).is_empty());
    // A file with the same bytes is left alone; one with other bytes is an error.
    let again = credlens(&server, folder.path(), &[&["fetch"], &young[..]].concat());
    assert_eq!(again.exit, 0, "{}", again.err);
    assert!(again.err.contains("was there already"), "{}", again.err);
    std::fs::write(folder.path().join(&name), "other").unwrap();
    let clash = credlens(&server, folder.path(), &[&["fetch"], &young[..]].concat());
    assert_eq!(clash.exit, 5, "{}", clash.err);
    assert_eq!(
        std::fs::read_to_string(folder.path().join(&name)).unwrap(),
        "other"
    );
    let stdout = credlens(
        &server,
        folder.path(),
        &[&["fetch", "--output", "-"], &young[..]].concat(),
    );
    assert_eq!(stdout.out, report(CALLER));
}

fn credlens_offline(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("credlens").unwrap();
    let output = command
        .current_dir(folder)
        .env_clear()
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn the_umask_decides_who_reads_saved_reports() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let saved = credlens(&server, folder.path(), &["fetch", "--output", "deep/er/"]);
    assert_eq!(saved.exit, 0, "{}", saved.err);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    assert_eq!(mode(&folder.path().join(saved.out.trim())), mode(&plain));
}

#[test]
fn failed_accounts_are_listed_and_resumed() {
    let server = Server::start(accounts(300));
    let failing = [17, 50, 51, 120, 200, 299, 300].map(|number| format!("{number:012}"));
    for (account, answers) in failing
        .iter()
        .zip([Account::Closed, Account::Denied, Account::Closed].iter().cycle())
    {
        server.set(account, *answers);
    }
    let folder = tempfile::tempdir().unwrap();
    let first = [
        "scan",
        "--org",
        "--format",
        "ndjson",
        "--outcomes",
        "outcomes.json",
        "-vvv",
        "--resolve-keys",
    ];
    let first = credlens(&server, folder.path(), &first);
    assert_eq!(first.exit, 4, "{}", first.err);
    assert!(
        first.err.contains("300 accounts: 293 fetched, 7 failed"),
        "{}",
        first.err
    );
    for line in [
        "  5 accounts: AWS denied sts:AssumeRole to these credentials (Unknown)",
        "    000000000017 (name of 000000000017), 000000000051 (name of 000000000051), 000000000120 (name of 000000000120) \
         and 2 more (outcomes.json lists all)",
        "  2 accounts: AWS denied iam:GetCredentialReport to these credentials (Unknown)",
        "    000000000050 (name of 000000000050), 000000000200 (name of 000000000200)",
    ] {
        let lines = first.err.lines().filter(|found| *found == line);
        assert_eq!(lines.count(), 1, "{line}\n{}", first.err);
    }
    for permission in ["iam:GetCredentialReport", "sts:AssumeRole"] {
        let expected = format!("{permission} is needed. The smallest policy");
        assert_eq!(first.err.matches(&expected).count(), 1, "{permission}");
    }
    let findings: Vec<serde_json::Value> = first
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of_accounts: Vec<&str> = findings
        .iter()
        .map(|finding| finding["account"].as_str().unwrap())
        .collect();
    assert!(of_accounts.is_sorted());
    for finding in &findings {
        let account = finding["account"].as_str().unwrap();
        assert_eq!(finding["account_name"], format!("name of {account}"));
        if finding["credential"] == "access_key_1" {
            assert_eq!(finding["access_key_id"], format!("AKIA{account}"));
        }
    }
    let counts = server.counts();
    assert_eq!(
        (counts["AssumeRole"], counts["GetCallerIdentity"]),
        (299, 1),
        "{counts:?}"
    );
    // Now all accounts answer.
    for account in &failing {
        server.set(account, Account::Answers);
    }
    let resumed = [
        "scan",
        "--resume",
        "outcomes.json",
        "--outcomes",
        "outcomes.json",
        "--format",
        "summary",
    ];
    let resumed = credlens(&server, folder.path(), &resumed);
    assert_eq!(resumed.exit, 1, "{}", resumed.err);
    assert!(
        resumed.err.contains("7 accounts: 7 fetched, 0 failed"),
        "{}",
        resumed.err
    );
    assert_eq!(server.counts()["AssumeRole"], 7);
    let outcomes = std::fs::read_to_string(folder.path().join("outcomes.json")).unwrap();
    let outcomes = credlens::aws::Outcomes::parse(&outcomes).unwrap();
    assert_eq!((outcomes.accounts.len(), outcomes.failed().count()), (300, 0));
    let nothing_left = credlens(&server, folder.path(), &["scan", "--resume", "outcomes.json"]);
    assert_eq!(nothing_left.exit, 0, "{}", nothing_left.err);
    assert!(
        nothing_left.err.contains("outcomes.json: nothing to do"),
        "{}",
        nothing_left.err
    );
}

/// As many accounts as are allowed may fail: then the exit status shows the findings of the others.
#[test]
fn failed_accounts_may_be_allowed() {
    let server = Server::start(accounts(4));
    for number in [2, 3] {
        server.set(&format!("{number:012}"), Account::Closed);
    }
    let folder = tempfile::tempdir().unwrap();
    for (allowed, scan, fetch) in [("0", 4, 4), ("1", 4, 4), ("2", 1, 0), ("9", 1, 0)] {
        let arguments = ["scan", "--org", "--format", "summary", "--allow-failed", allowed];
        let ended = credlens(&server, folder.path(), &arguments);
        assert_eq!(ended.exit, scan, "{allowed}: {}", ended.err);
        assert!(
            ended.err.contains("4 accounts: 2 fetched, 2 failed"),
            "{}",
            ended.err
        );
        let arguments = ["fetch", "--org", "--output", "out/", "--allow-failed", allowed];
        let ended = credlens(&server, folder.path(), &arguments);
        assert_eq!(ended.exit, fetch, "{allowed}: {}", ended.err);
    }
    // The ARN of a role is in one account.
    let arguments = [
        "scan",
        "--org",
        "--role-name",
        "arn:aws:iam::000000000002:role/Audit",
    ];
    let ended = credlens(&server, folder.path(), &arguments);
    assert_eq!(ended.exit, 2, "{}", ended.err);
    assert!(ended.err.contains("give the name of the role"), "{}", ended.err);
}

#[test]
fn accounts_are_selected_by_flags_and_files() {
    let server = Server::start(accounts(5));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("accounts.yml"),
        "accounts:\n- {account_id: '000000000004', name: four, role: Audit}\n- {account_id: 000000000002, name: two}\n",
    )
    .unwrap();
    let fetched_ids = |arguments: &[&str]| {
        let all = [&["fetch", "--output", "out/"], arguments].concat();
        let ended = credlens(&server, folder.path(), &all);
        assert_eq!(ended.exit, 0, "{}", ended.err);
        let ids = ended
            .out
            .lines()
            .map(|line| line[4..].split('_').next().unwrap().to_owned());
        let ids: Vec<_> = ids.map(|id| id.trim_start_matches('0').to_owned()).collect();
        ids.join(" ")
    };
    assert_eq!(fetched_ids(&["--org"]), "1 2 3 4 5");
    assert_eq!(
        fetched_ids(&["--org", "--accounts", "000000000003,name of 000000000002"]),
        "2 3"
    );
    assert_eq!(fetched_ids(&["--org", "--exclude-accounts", CALLER]), "2 3 4 5");
    server.counts();
    assert_eq!(fetched_ids(&["--accounts-file", "accounts.yml"]), "2 4");
    assert!(!server.counts().contains_key("ListAccounts"));
    let unknown = credlens(
        &server,
        folder.path(),
        &["scan", "--org", "--accounts", "999999999999"],
    );
    assert_eq!(unknown.exit, 2, "{}", unknown.err);
}

#[test]
fn an_existing_file_does_not_affect_other_accounts() {
    let server = Server::start(accounts(3));
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("000000000002_20261121T080000Z.csv");
    std::fs::write(&taken, "other").unwrap();
    let ended = credlens(
        &server,
        folder.path(),
        &["fetch", "--org", "--outcomes", "outcomes.json"],
    );
    assert_eq!((ended.exit, ended.out.lines().count()), (5, 2), "{}", ended.err);
    assert!(
        ended.err.contains("3 accounts: 2 fetched, 1 failed"),
        "{}",
        ended.err
    );
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "other");
    std::fs::remove_file(&taken).unwrap();
    let ended = credlens(&server, folder.path(), &["fetch", "--resume", "outcomes.json"]);
    assert_eq!((ended.exit, ended.out.lines().count()), (0, 1), "{}", ended.err);
}

#[test]
fn a_truncated_report_is_not_saved() {
    let server = Server::start([(CALLER.to_owned(), Account::CutOff)].into());
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["fetch", "--timeout", "2s"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn denied_permissions_are_shown_with_a_policy() {
    let server = Server::start([(CALLER.to_owned(), Account::Denied)].into());
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &["scan", "-vvv"]);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(
        ended.err.contains("AWS denied iam:GetCredentialReport"),
        "{}",
        ended.err
    );
    assert!(
        ended
            .err
            .contains(r#""Action": ["iam:GenerateCredentialReport", "iam:GetCredentialReport"]"#)
    );
    assert_eq!(server.counts(), [("GetCredentialReport".to_owned(), 1)].into());
}

#[test]
fn invalid_flags_are_usage_errors() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        vec!["scan", "--accounts", "1"],
        vec!["scan", "report.csv", "--org"],
        vec!["scan", "--org", "--concurrency", "0"],
        vec!["scan", "--role-session-name", "x"],
        vec!["fetch", "--org", "--output", "-"],
        vec!["scan", "--timeout", "soon"],
        vec!["scan", "--endpoint-url", "nonsense"],
        vec!["scan", "--endpoint-url", "http://a:b"],
        vec!["scan", "--region", ""],
        vec!["scan", "--region", "us_east_1"],
        vec!["scan", "--profile", ""],
        vec!["scan", "--timeout", "0s"],
        vec!["scan", "--role-arn", "Audit"],
        vec!["scan", "--role-arn", "arn:aws:iam::1:role/Audit"],
        vec!["scan", "--org", "--role-name", "a b"],
        vec!["scan", "--allow-failed", "1"],
        vec!["scan", "--external-id", "a b"],
        vec!["scan", "--org", "--outcomes", "./x", "--format", "json=x"],
    ] {
        let ended = credlens(&server, folder.path(), &arguments);
        assert_eq!(ended.exit, 2, "{arguments:?}\n{}", ended.err);
        assert!(!ended.err.contains("interceptor"), "{}", ended.err);
    }
    for arguments in [
        ["scan", "--org", "--outcomes", "no/such/directory"],
        ["fetch", "--org", "--outcomes", "."],
    ] {
        let ended = credlens(&server, folder.path(), &arguments);
        assert_eq!(ended.exit, 5, "{arguments:?}\n{}", ended.err);
        assert!(
            ended.err.contains("cannot write the outcomes (json)"),
            "{}",
            ended.err
        );
    }
    assert_eq!(server.counts().len(), 0);
}
