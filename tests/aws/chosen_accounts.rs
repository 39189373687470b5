//! Which accounts a resumed run fetches, and reports of other accounts than those.

use super::cli::{accounts, credlens};
use super::report;
use super::server::{Account, GENERATED, Server};

/// The flags of the first run may be given again.
#[test]
fn a_resumed_run_knows_the_accounts_that_were_fetched() {
    let server = Server::start(accounts(4));
    server.set("000000000003", Account::Closed);
    let folder = tempfile::tempdir().unwrap();
    let fetch = [
        "fetch",
        "--org",
        "--output",
        "out/",
        "--outcomes",
        "outcomes.json",
    ];
    let chosen = [
        "--accounts",
        "name of 000000000002,000000000003,000000000004",
        "--exclude-accounts",
        "000000000004",
    ];
    let first = credlens(&server, folder.path(), &[&fetch[..], &chosen].concat());
    assert_eq!(first.exit, 4, "{}", first.err);
    let resume = ["--resume", "outcomes.json"];
    // Not known to the outcomes: it was excluded.
    let again = credlens(&server, folder.path(), &[&fetch[..], &chosen, &resume].concat());
    assert_eq!(again.exit, 2, "{}", again.err);
    server.set("000000000003", Account::Answers);
    let without = ["--exclude-accounts", "000000000002"];
    let none = ["--accounts", "000000000002"];
    let nothing = credlens(&server, folder.path(), &[&fetch[..], &none, &resume].concat());
    assert_eq!(nothing.exit, 0, "{}", nothing.err);
    assert!(
        nothing
            .err
            .contains("none of the chosen accounts failed in outcomes.json: nothing to do"),
        "{}",
        nothing.err
    );
    let ended = credlens(&server, folder.path(), &[&fetch[..], &without, &resume].concat());
    assert_eq!((ended.exit, ended.out.lines().count()), (0, 1), "{}", ended.err);
}

/// Of the endpoint, or of another account's role.
#[test]
fn reports_of_other_accounts_are_explained() {
    let server = Server::start(accounts(3));
    let folder = tempfile::tempdir().unwrap();
    let arn = "arn:aws:iam::000000000003:role/Audit";
    std::fs::write(folder.path().join("plain"), "000000000002\n").unwrap();
    std::fs::write(
        folder.path().join("listed"),
        format!("accounts:\n- {{account_id: '000000000002', role: '{arn}'}}\n"),
    )
    .unwrap();
    for (arguments, advice) in [
        (
            &["--accounts-file", "plain", "--role-name", arn][..],
            format!("check the role of --role-name, whose ARN is {arn}"),
        ),
        (
            &["--accounts-file", "listed"],
            format!("check the role listed for this account, whose ARN is {arn}"),
        ),
    ] {
        let ended = credlens(&server, folder.path(), &[&["scan"], arguments].concat());
        assert_eq!(ended.exit, 3, "{}", ended.err);
        let message = format!("AWS returned the report of account 000000000003; {advice}");
        assert!(ended.err.contains(&message), "{}", ended.err);
    }
    server.answer_instead(
        "GetCredentialReport",
        200,
        &super::got(&report("000000000003"), GENERATED),
    );
    let ended = credlens(&server, folder.path(), &["scan", "--accounts-file", "plain"]);
    let message = "AWS returned the report of account 000000000003; its role is of this account, so check --endpoint-url";
    assert!(ended.err.contains(message), "{}", ended.err);
}
