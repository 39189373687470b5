//! `fetch --details`: the details beside each report.

use std::fs;
use std::path::Path;

use credlens::finding::digest::sha256;
use credlens::io::details::path_of;
use credlens::report::details::{Details, ServiceCredential};
use credlens::report::time::Timestamp;

use super::answers::{service_credentials, tags};
use super::cli::{Ended, accounts, credlens};
use super::server::{CALLER, GENERATED, Server};
use super::{error, report};

const FETCH: [&str; 4] = ["fetch", "--max-report-age", "36500d", "--details"];
const LIST: &str = "ListServiceSpecificCredentials";

fn fetch(server: &Server, folder: &Path, more: &[&str]) -> Ended {
    credlens(server, folder, &[&FETCH[..], more].concat())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn details(path: &Path) -> Details {
    Details::parse(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn details_are_saved_beside_the_report() {
    let server = Server::start(accounts(1));
    let listed = [("alice", "ACCAALICE", "Expired", Some("2025-02-01T00:00:00Z"))];
    server.answer_instead(LIST, 200, &service_credentials(&listed, None));
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &[]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let name = format!("{CALLER}_20261121T080000Z");
    assert_eq!(
        names(folder.path()),
        [format!("{name}.csv"), format!("{name}.details.json")]
    );
    assert_eq!(ended.out, format!("{name}.csv\n"));
    let csv = folder.path().join(format!("{name}.csv"));
    let details = details(&path_of(&csv));
    assert_eq!(details.account.as_deref(), Some(CALLER));
    assert_eq!(details.generated.unwrap().to_string(), GENERATED);
    assert_eq!(details.report_sha256, sha256(fs::read(&csv).unwrap()));
    assert!(details.service_credentials_listed);
    let users: Vec<_> = details.users.keys().collect();
    assert_eq!(users, ["alice", "bob"]);
    let (alice, bob) = (&details.users["alice"], &details.users["bob"]);
    assert_eq!(alice.access_key_ids, [Some(format!("AKIA{CALLER}")), None]);
    assert_eq!(
        (alice.tag("owner"), bob.tag("owner")),
        (Some("team of alice"), Some("team of bob"))
    );
    let expired = ServiceCredential {
        id: "ACCAALICE".to_owned(),
        service: "bedrock.amazonaws.com".to_owned(),
        active: Some(false),
        created: Some(Timestamp(1_735_689_600)),
        expires: Some(Timestamp(1_738_368_000)),
    };
    assert_eq!(alice.service_credentials, [expired]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path_of(&csv)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

/// Without the flag nothing else is called or written.
#[test]
fn no_details_without_the_flag() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let ended = credlens(&server, folder.path(), &FETCH[..3]);
    assert_eq!((ended.exit, names(folder.path()).len()), (0, 1), "{}", ended.err);
    assert_eq!(server.counts(), [("GetCredentialReport".to_owned(), 1)].into());
}

/// A report that is there already gets the details of now.
#[test]
fn details_are_fetched_again() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("report.csv");
    let path = path_of(&csv);
    let run = || {
        fetch(
            &server,
            folder.path(),
            &["--resolve-keys", "--output", "report.csv"],
        )
    };
    // The flag and its alias are one.
    assert_eq!(run().exit, 2);
    let run = || fetch(&server, folder.path(), &["--output", "report.csv"]);
    assert_eq!(run().exit, 0);
    assert_eq!(details(&path).users["bob"].tag("owner"), Some("team of bob"));
    server.answer_instead("ListUserTags", 200, &tags(&[("owner", "another team")], None));
    let ended = run();
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(
        ended.err.contains("report.csv was there already"),
        "{}",
        ended.err
    );
    assert_eq!(details(&path).users["bob"].tag("owner"), Some("another team"));
    assert_eq!(names(folder.path()), ["report.csv", "report.details.json"]);
    // A run that was killed between the two left the details of an earlier report.
    fs::remove_file(&csv).unwrap();
    fs::write(&path, Details::new(None, None, "ab".to_owned()).to_json()).unwrap();
    assert_eq!(run().exit, 0);
    assert_eq!(details(&path).report_sha256, sha256(report(CALLER).as_bytes()));
}

/// Nothing that is there is lost, and nothing is half saved.
#[test]
fn what_is_in_the_way_stays() {
    let server = Server::start(accounts(2));
    for (name, exit) in [("report.csv", 5), ("report.details.json", 5)] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "mine").unwrap();
        let ended = fetch(&server, folder.path(), &["--output", "report.csv"]);
        assert_eq!(ended.exit, exit, "{}", ended.err);
        assert!(ended.err.contains("in the way"), "{}", ended.err);
        assert_eq!(names(folder.path()), [name]);
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"mine");
    }
    // Of several accounts only the one fails.
    let folder = tempfile::tempdir().unwrap();
    let name = |account| format!("{account}_20261121T080000Z.details.json");
    fs::write(folder.path().join(name(CALLER)), "mine").unwrap();
    let more = ["--org", "--output", "./", "--outcomes", "outcomes.json"];
    let ended = fetch(&server, folder.path(), &more);
    assert_eq!(ended.exit, 5, "{}", ended.err);
    let outcomes = fs::read_to_string(folder.path().join("outcomes.json")).unwrap();
    assert!(outcomes.contains("cannot write the details"), "{outcomes}");
    let csv = "000000000002_20261121T080000Z.csv".to_owned();
    let expected = [
        name(CALLER),
        csv,
        name("000000000002"),
        "outcomes.json".to_owned(),
    ];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn no_place_beside_the_report() {
    let server = Server::start(accounts(1));
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &["--output", "-"]);
    assert_eq!((ended.exit, &*ended.out), (2, ""), "{}", ended.err);
    assert!(
        ended.err.contains("standard output has no place for them"),
        "{}",
        ended.err
    );
    assert!(server.counts().is_empty());
    assert!(names(folder.path()).is_empty());
}

/// The report is saved, with the details that there are.
#[test]
fn missing_details_do_not_fail_the_account() {
    let server = Server::start(accounts(1));
    server.answer_instead(LIST, 403, &error("AccessDenied"));
    server.answer_where(
        "ListUserTags",
        ("UserName", Some("bob")),
        404,
        &error("NoSuchEntity"),
    );
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &["--output", "report.csv"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let expected = [
        "warning: aws://000000000001: the service-specific credentials of this account are unknown: AWS denied",
        "iam:ListServiceSpecificCredentials is needed. The smallest policy for the principal that reads the report, for \
         --details:",
    ];
    for expected in expected {
        assert_eq!(ended.err.matches(expected).count(), 1, "{}", ended.err);
    }
    let details = details(&folder.path().join("report.details.json"));
    assert!(!details.service_credentials_listed);
    assert_eq!(details.users.keys().collect::<Vec<_>>(), ["alice"]);
    let quiet = fetch(&server, folder.path(), &["--output", "other.csv", "--quiet"]);
    assert!(!quiet.err.contains("warning"), "{}", quiet.err);
}

/// What many accounts have in common is not printed for each.
#[test]
fn missing_details_of_many_accounts() {
    let server = Server::start(accounts(9));
    server.answer_instead(LIST, 403, &error("AccessDenied"));
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &["--org", "--output", "reports/"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert_eq!(
        ended.err.matches("are unknown: AWS denied").count(),
        3,
        "{}",
        ended.err
    );
    let more = "… and 6 more of service-credentials-unknown";
    assert!(ended.err.contains(more), "{}", ended.err);
    assert_eq!(
        ended.err.matches("The smallest policy").count(),
        1,
        "{}",
        ended.err
    );
}

/// A scan of the directory does not mention the details, which are not reports.
#[test]
fn a_search_passes_over_details() {
    let server = Server::start(accounts(2));
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &["--org", "--output", "reports/"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert_eq!(names(&folder.path().join("reports")).len(), 4);
    let scan = ["scan", "reports/", "--format", "json", "--fail-on", "never"];
    let ended = credlens(&server, folder.path(), &scan);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(!ended.err.contains("details.json") && !ended.out.contains("details.json"));
    let json: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(json["inputs"].as_array().unwrap().len(), 2);
    let ended = credlens(&server, folder.path(), &[&scan[..], &["-v"]].concat());
    let note = "000000000001_20261121T080000Z.details.json: passed over: an output of credlens";
    assert!(ended.err.contains(note), "{}", ended.err);
    // Where there is nothing else, it is said what was found.
    for name in names(&folder.path().join("reports")) {
        if !name.ends_with(".details.json") {
            fs::remove_file(folder.path().join("reports").join(name)).unwrap();
        }
    }
    let ended = credlens(&server, folder.path(), &scan);
    assert_eq!(ended.exit, 3, "{}", ended.err);
    assert!(ended.err.contains("2 files were passed over"), "{}", ended.err);
}

/// An archive keeps them as files of their own, and gives them back.
#[cfg(feature = "archive")]
#[test]
fn details_go_into_an_archive_and_come_back() {
    let server = Server::start(accounts(1));
    let listed = [("alice", "ACCAALICE", "Active", None)];
    server.answer_instead(LIST, 200, &service_credentials(&listed, None));
    let folder = tempfile::tempdir().unwrap();
    let ended = fetch(&server, folder.path(), &["--archive", "archive"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    assert!(folder.path().join("archive/_details").is_dir());
    let run = |args: &[&str]| credlens(&server, folder.path(), args);
    let ended = run(&["archive", "export", "archive", "--output", "out/"]);
    assert_eq!(ended.exit, 0, "{}", ended.err);
    let csv = folder.path().join(format!("out/{CALLER}_20261121T080000Z.csv"));
    let details = details(&path_of(&csv));
    assert_eq!(details.report_sha256, sha256(fs::read(&csv).unwrap()));
    assert_eq!(details.users["alice"].service_credentials[0].id, "ACCAALICE");
    let ended = run(&[
        "scan",
        "archive",
        "--rule",
        "service-credential-never-expires",
        "--format",
        "ndjson",
    ]);
    assert_eq!(ended.exit, 1, "{}", ended.err);
    assert!(ended.out.contains("ACCAALICE"), "{}", ended.out);
    assert_eq!(run(&["archive", "verify", "archive"]).exit, 0);
}
