//! `fetch --archive` against the AWS server stub.

use std::path::Path;

use super::cli::{accounts, credlens};
use super::server::{Account, Server};

/// A run over an organization adds one file to the archive, with the names of the accounts, and lists the failures.
#[test]
fn an_organization_is_added_as_one_file() {
    let mut known = accounts(5);
    *known.values_mut().last().unwrap() = Account::Denied;
    let server = Server::start(known);
    let folder = tempfile::tempdir().unwrap();
    let fetch = ["fetch", "--org", "--archive", "archive"];
    let fetched = credlens(&server, folder.path(), &fetch);
    assert_eq!(fetched.exit, 4, "{}", fetched.err);
    assert_eq!(fetched.out.lines().count(), 1, "one file: {}", fetched.out);
    assert!(fetched.err.contains("4 reports with"), "{}", fetched.err);
    assert!(
        fetched.err.contains("5 accounts: 4 fetched, 1 failed"),
        "{}",
        fetched.err
    );
    let again = credlens(&server, folder.path(), &fetch);
    assert_eq!((again.exit, again.out.as_str()), (4, ""), "{}", again.err);
    assert!(again.err.contains("4 were there already"), "{}", again.err);
    let listed = credlens(
        &server,
        folder.path(),
        &["archive", "list", "archive", "--format", "json"],
    );
    let list: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let reports = list["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 4);
    assert_eq!(reports[0]["as_of_source"], "generated");
    assert!(
        reports.iter().all(|report| report["account_name"].is_string()),
        "{list}"
    );
    // The bytes are those that `fetch` saves.
    credlens(&server, folder.path(), &["fetch", "--org", "--output", "saved/"]);
    credlens(
        &server,
        folder.path(),
        &["archive", "export", "archive", "--output", "exported/"],
    );
    let names = |directory: &str| {
        let entries = std::fs::read_dir(folder.path().join(directory)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("saved"), names("exported"));
    for name in names("saved") {
        let bytes = |directory: &str| std::fs::read(folder.path().join(directory).join(&name)).unwrap();
        assert_eq!(bytes("saved"), bytes("exported"));
    }
}

#[test]
fn counts_of_one_are_singular() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let mut counted = String::new();
    for arguments in [
        &["fetch", "--org", "--archive", "archive"][..],
        &["fetch", "--org", "--archive", "archive"],
        &["archive", "list", "archive"],
        &["archive", "verify", "archive"],
    ] {
        let ended = credlens(&server, folder.path(), arguments);
        let lines = [&ended.out[..], &ended.err].concat();
        let counts = lines
            .lines()
            .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
        counted.extend(
            counts
                .filter(|line| !line.contains("archive"))
                .map(|line| format!("{line}\n")),
        );
    }
    insta::assert_snapshot!(counted, @r"
    1 report with 3 users added
    1 account: 1 fetched, 0 failed
    0 reports with 0 users added, 1 was there already
    1 account: 1 fetched, 0 failed
    2026-11-21T08:00:00Z  000000000001  name of 000000000001      3  aws://000000000001
    1 report, 3 rows
    1 file with 1 report: all intact
    ");
}

/// A name of an account in the list, and what cannot be written.
#[test]
fn names_of_accounts_are_escaped() {
    use crate::support::hostile::raw;
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let name = r"a\u001b\u009b\u202e\u3164\U000E0001b";
    let list = format!("accounts:\n- {{account_id: '000000000002', name: \"{name}\"}}\n");
    std::fs::write(folder.path().join("accounts.yml"), list).unwrap();
    let run = |arguments: &[&str]| {
        let ended = credlens(&server, folder.path(), arguments);
        assert_eq!(ended.exit, 0, "{}", ended.err);
        assert_eq!(
            raw(&(ended.out.clone() + &ended.err)),
            [' '; 0],
            "{}",
            ended.out.escape_debug()
        );
        ended.out
    };
    let archive = "ar\u{9b}\u{202e}";
    run(&["fetch", "--accounts-file", "accounts.yml", "--archive", archive]);
    assert!(run(&["archive", "list", archive]).contains(r"a\x1b"));
    let json: serde_json::Value =
        serde_json::from_str(&run(&["archive", "list", archive, "--format", "json"])).unwrap();
    let name = "a\u{1b}\u{9b}\u{202e}\u{3164}\u{e0001}b";
    assert_eq!(json["reports"][0]["account_name"], name, "the value is as it was");
    run(&["archive", "verify", archive]);
    run(&[
        "fetch",
        "--accounts-file",
        "accounts.yml",
        "--output",
        "out\u{9b}\u{202e}/",
    ]);
}

/// What `fetch` creates is as the umask says.
#[cfg(unix)]
#[test]
fn the_umask_decides_who_reads_what_is_fetched() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let modes = |path: &Path| -> Vec<u32> {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        path.ancestors()
            .take_while(|path| *path != folder.path())
            .map(mode)
            .collect()
    };
    for (umask, file, directory) in [("022", 0o644, 0o755), ("077", 0o600, 0o700)] {
        for to in ["--archive", "--output"] {
            let script = format!("umask {umask}; exec \"$0\" fetch {to} {umask}{to}/");
            let run = in_shell(&server, folder.path(), &script);
            assert_eq!(
                run.status.code(),
                Some(0),
                "{}",
                String::from_utf8_lossy(&run.stderr)
            );
            let written = String::from_utf8(run.stdout).unwrap();
            let found = modes(&folder.path().join(written.trim()));
            assert_eq!(found[0], file, "umask {umask} {to}");
            assert!(
                found.len() > 1 && found[1..].iter().all(|&mode| mode == directory),
                "{found:?}"
            );
        }
    }
}

/// Runs a shell script in which `$0` is the program.
#[cfg(unix)]
fn in_shell(server: &Server, folder: &Path, script: &str) -> std::process::Output {
    let run = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_credlens")])
        .current_dir(folder)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "x")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &server.url)
        .output();
    run.unwrap()
}

/// It names the archive, or the path of a report.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_5() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    for (to, message) in [
        ("--archive ar", "cannot write into the archive ar: File too large"),
        ("--output out/", "cannot write out/000000000001_"),
    ] {
        let script = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" fetch {to}");
        let run = in_shell(&server, folder.path(), &script);
        let err = String::from_utf8(run.stderr).unwrap();
        assert_eq!(
            (run.status.code(), err.matches(message).count()),
            (Some(5), 1),
            "{err}"
        );
    }
    assert!(
        !folder.path().join("ar").exists(),
        "nothing is left of an archive without reports"
    );
}
