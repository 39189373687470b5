//! `--details` as a flag: its alias, and rules that need it.

use super::cli::{accounts, credlens};
use super::details::{LIST, TAGS, scan};
use super::error;
use super::server::{CALLER, Server};

/// The older name of the flag does the same.
#[test]
fn resolve_keys_is_an_alias() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let run = |flag| {
        let ended = credlens(&server, folder.path(), &["scan", flag, "--format", "ndjson"]);
        assert_eq!(ended.exit, 1, "{}", ended.err);
        let mut counts = server.counts();
        counts.remove("GenerateCredentialReport");
        counts.remove("GetCredentialReport");
        (ended.out, counts)
    };
    let (out, counts) = run("--details");
    assert!(out.contains(&format!("AKIA{CALLER}")), "{out}");
    let expected = [("ListAccessKeys", 1), (LIST, 1), (TAGS, 2)];
    let expected = expected.map(|(action, count)| (action.to_owned(), count));
    assert_eq!(counts, expected.into());
    assert_eq!(run("--resolve-keys"), (out, counts));
}

#[test]
fn a_rule_that_needs_details_by_its_id() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let by_id = ["--rule", "service-credential-inactive"];
    for command in [&["scan"][..], &["list", "users"]] {
        let ended = credlens(&server, folder.path(), &[command, &by_id].concat());
        assert_eq!((ended.exit, &*ended.out), (2, ""), "{}", ended.err);
        assert!(ended.err.contains("fetch them with --details"), "{}", ended.err);
    }
    assert!(server.counts().is_empty(), "AWS was called before");
    // What is chosen by a glob is left out with a note.
    let ended = credlens(
        &server,
        folder.path(),
        &["scan", "--rule", "service-credential-*"],
    );
    assert_eq!(ended.exit, 0, "{}", ended.err);
    // No pass without the data.
    server.answer_instead(LIST, 403, &error("AccessDenied"));
    for (rules, exit) in [
        (&["service-credential-inactive"][..], 3),
        (&["service-credential-inactive", "access-key-not-rotated"], 4),
    ] {
        let ended = scan(&server, rules, &[]);
        assert_eq!(ended.exit, exit, "{}", ended.err);
        let expected = "error: the rule service-credential-inactive was not run: the service-specific credentials of no \
                        account could be listed";
        assert!(ended.err.contains(expected), "{}", ended.err);
    }
}

#[test]
fn saved_reports_have_no_live_details() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.csv"), super::report(CALLER)).unwrap();
    for command in [&["scan"][..], &["list", "keys"]] {
        for flag in ["--details", "--resolve-keys"] {
            let ended = credlens(&server, folder.path(), &[command, &["r.csv", flag]].concat());
            assert_eq!(ended.exit, 2, "{}", ended.err);
            assert!(
                ended.err.contains("saved reports are evaluated without AWS"),
                "{}",
                ended.err
            );
        }
    }
    assert!(server.counts().is_empty());
}
