//! Reports in S3, against the S3 server stub: the requests, the order of objects, and every error.

use assert_cmd::Command;
use credlens::aws::{S3Object, S3Url};

use super::report;
use super::roles::policies;
use super::s3_server::{Answer, Bucket, answer, fails, listed, script};

fn paths(ndjson: &str) -> Vec<String> {
    let findings = ndjson
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut paths: Vec<_> = findings
        .map(|finding| finding["source"]["path"].as_str().unwrap().to_owned())
        .collect();
    paths.dedup();
    paths
}

const NDJSON: [&str; 2] = ["--format", "ndjson"];

#[test]
fn objects_are_read_in_order_and_dated_by_name() {
    let keys = [
        "d/",
        "d/.hidden",
        "d/a+%25+%C3%A9_20261121.csv",
        "d/b/222222222222_20261120T080000Z.csv",
        "d/none.csv",
    ];
    let bucket = Bucket::start(script(&[
        ("continuation-token=next", &[listed(&keys[3..], None)]),
        ("list-type=2", &[listed(&keys[..3], Some("next"))]),
        (
            "/audit/d/a%20%25%20%C3%A9_20261121.csv",
            &[answer(200, &report("111111111111"))],
        ),
        ("222222222222_", &[answer(200, &report("222222222222"))]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let (exit, out, err) = bucket.credlens(folder.path(), &[&["scan", "s3://audit/d"], &NDJSON[..]].concat());
    assert_eq!(exit, 4, "{err}");
    assert!(err.contains("s3://audit/d/none.csv: object not found"), "{err}");
    let (first, second) = (
        "s3://audit/d/a % é_20261121.csv",
        "s3://audit/d/b/222222222222_20261120T080000Z.csv",
    );
    assert_eq!(paths(&out), [first, second]);
    for (line, as_of) in [
        (out.lines().next(), "2026-11-21T23:59:59Z"),
        (out.lines().last(), "2026-11-20T08:00:00Z"),
    ] {
        assert!(line.unwrap().contains(as_of), "{line:?}");
    }
    // Two pages, and each of the two small objects once; the one that is not there twice: first its accounts.
    assert_eq!(bucket.requests().len(), 6);
    let (exit, _, err) = bucket.credlens(folder.path(), &["trend", "s3://audit/d/"]);
    assert_eq!(exit, 4, "{err}");
    assert_eq!(
        bucket
            .requests()
            .iter()
            .filter(|request| request.contains("list-type"))
            .count(),
        2
    );
    let (exit, out, err) = bucket.credlens(folder.path(), &["diff", second, first]);
    assert_eq!(exit, 2, "{out}{err}");
    assert!(err.contains("222222222222 and 111111111111"), "{err}");
}

#[test]
fn named_objects_need_no_list_permission() {
    let bucket = Bucket::start(script(&[
        ("list-type=2", &[fails(403, "AccessDenied")]),
        ("/audit/a.csv", &[answer(200, &report("111111111111"))]),
        ("/audit/closed", &[fails(403, "AccessDenied")]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let (exit, out, err) = bucket.credlens(
        folder.path(),
        &[&["scan", "s3://audit/a.csv"], &NDJSON[..]].concat(),
    );
    assert_eq!(
        (exit, paths(&out)),
        (1, vec!["s3://audit/a.csv".to_owned()]),
        "{err}"
    );
    // Nothing was listed.
    assert_eq!(bucket.requests().len(), 1);
    for (url, action, resources) in [
        (
            "s3://audit/closed",
            "ListBucket",
            r#"["arn:aws:s3:::audit","arn:aws:s3:::audit/closed*"]"#,
        ),
        (
            "s3://audit/a/",
            "ListBucket",
            r#"["arn:aws:s3:::audit","arn:aws:s3:::audit/a/*"]"#,
        ),
        (
            "s3://audit/closed.csv",
            "GetObject",
            r#"["arn:aws:s3:::audit/closed.csv"]"#,
        ),
    ] {
        let (exit, _, err) = bucket.credlens(folder.path(), &["scan", url]);
        assert_eq!(exit, 3, "{err}");
        let expected = format!("AWS denied s3:{action}");
        assert!(err.contains(&expected), "{url}: {err}");
        let policies = policies(&err);
        let statements = policies[0].as_array().unwrap().iter();
        let found: Vec<_> = statements
            .map(|statement| statement["Resource"].clone())
            .collect();
        assert_eq!(
            (
                policies.len(),
                serde_json::Value::from(found).to_string().as_str()
            ),
            (1, resources),
            "{err}"
        );
    }
}

#[test]
fn a_key_with_a_dot_may_be_a_prefix() {
    let bucket = Bucket::start(script(&[
        ("prefix=v1.0", &[listed(&["v1.0/a.csv"], None)]),
        ("list-type=2", &[listed(&[], None)]),
        ("/audit/v1.0/a.csv", &[answer(200, &report("111111111111"))]),
        ("/audit/b.csv", &[answer(200, &report("222222222222"))]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["scan", "s3://audit/v1.0", "s3://audit/b.csv"], &NDJSON[..]].concat();
    let (exit, out, err) = bucket.credlens(folder.path(), &arguments);
    assert_eq!(exit, 1, "{err}");
    assert_eq!(paths(&out), ["s3://audit/v1.0/a.csv", "s3://audit/b.csv"]);
    assert_eq!(bucket.requests().len(), 4);
    let (exit, _, err) = bucket.credlens(folder.path(), &["scan", "s3://audit/none.csv"]);
    assert_eq!(exit, 3, "{err}");
    assert!(err.contains("s3://audit/none.csv: object not found"), "{err}");
}

#[test]
fn errors_by_code() {
    let elsewhere = Answer(
        301,
        "x-amz-bucket-region: eu-west-1\r\n",
        fails(301, "PermanentRedirect").2,
        usize::MAX,
    );
    let cases = [
        (fails(404, "NoSuchBucket"), "bucket 'audit' not found"),
        (fails(403, "AccessDenied"), "s3:ListBucket"),
        (fails(403, "ExpiredToken"), "have expired"),
        (
            fails(403, "InvalidAccessKeyId"),
            "AWS does not know these credentials",
        ),
        (elsewhere, "is in region eu-west-1; pass its region with --region"),
        (fails(400, "AuthorizationHeaderMalformed"), "is in another region"),
        (listed(&[], None), "contains no files"),
        (
            listed(&["a%zz"], None),
            "the response to s3:ListBucket could not be read",
        ),
    ];
    let unreadable = [
        "",
        "nonsense",
        "<html/>",
        "<ListBucketResult/>",
        "<ListBucketResult><Conte",
    ];
    let unreadable = unreadable.map(|body| {
        (
            answer(200, body),
            "the response to s3:ListBucket could not be read",
        )
    });
    let check = |(answers, expected): (Answer, &str)| {
        let bucket = Bucket::start(script(&[("list-type=2", &[answers])]));
        let folder = tempfile::tempdir().unwrap();
        let (exit, _, err) = bucket.credlens(folder.path(), &["scan", "s3://audit/none/"]);
        assert_eq!(exit, 3, "{err}");
        assert!(
            err.contains(expected) && err.contains("s3://audit/none/"),
            "{expected}: {err}"
        );
    };
    // Unreadable responses are retried after a pause.
    std::thread::scope(|scope| {
        for case in cases.into_iter().chain(unreadable) {
            scope.spawn(|| check(case));
        }
    });
    let bucket = Bucket::start(script(&[
        ("list-type=2", &[listed(&["a"], None)]),
        ("/audit/a", &[fails(403, "InvalidObjectState")]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let (exit, _, err) = bucket.credlens(folder.path(), &["scan", "s3://audit/a"]);
    assert_eq!(exit, 3, "{err}");
    assert!(err.contains("restore it first"), "{err}");
    for wrong in ["s3://", "s3://A B/x"] {
        let (exit, _, err) = bucket.credlens(folder.path(), &["scan", wrong]);
        assert_eq!(exit, 3, "{err}");
        assert!(err.contains("not an S3 URL"), "{err}");
    }
    // Flags for AWS do not apply to files.
    std::fs::write(folder.path().join("a.csv"), report("111111111111")).unwrap();
    let (exit, _, err) = bucket.credlens(folder.path(), &["scan", "a.csv"]);
    assert_eq!(exit, 2, "{err}");
    let (exit, _, err) = bucket.credlens(folder.path(), &["trend", "a.csv"]);
    assert_eq!(exit, 2, "{err}");
}

#[test]
fn interrupted_transfers_are_resumed() {
    let whole = report("111111111111");
    let tag = "ETag: \"x\"\r\n";
    let rest = whole[200..].to_owned();
    let bucket = Bucket::start(script(&[
        ("list-type=2", &[listed(&["a.csv"], None)]),
        ("range: bytes=200-", &[Answer(206, tag, rest, usize::MAX)]),
        ("/audit/a.csv", &[Answer(200, tag, whole.clone(), 200)]),
        ("/audit/b.csv", &[Answer(200, tag, whole.clone(), 0)]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    let (exit, out, err) = bucket.credlens(
        folder.path(),
        &[&["scan", "s3://audit/a.csv"], &NDJSON[..]].concat(),
    );
    assert_eq!(exit, 1, "{err}");
    std::fs::write(folder.path().join("a.csv"), whole).unwrap();
    let output = Command::cargo_bin("credlens").unwrap();
    let mut local = output;
    let local = local
        .current_dir(folder.path())
        .args([&["scan", "a.csv"], &NDJSON[..]].concat())
        .output()
        .unwrap();
    assert_eq!(
        out.lines().count(),
        String::from_utf8(local.stdout).unwrap().lines().count()
    );
    let again: Vec<_> = bucket.requests();
    assert!(again.last().unwrap().contains("if-match: \"x\""), "{again:?}");
    // Without progress they fail.
    let error = bucket.client().bytes(&"s3://audit/b.csv".parse().unwrap());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("could not be reached for s3:GetObject"), "{error}");
}

#[test]
fn objects_are_not_replaced() {
    let bucket = Bucket::start(script(&[
        (
            "PUT /audit/new",
            &[fails(409, "ConditionalRequestConflict"), answer(200, "")],
        ),
        ("PUT /audit/there", &[fails(412, "PreconditionFailed")]),
        ("PUT /audit/closed", &[fails(403, "AccessDenied")]),
        ("list-type=2", &[listed(&["z", "a"], None)]),
    ]));
    let s3 = bucket.client();
    let at = |key: &str| -> S3Url { format!("s3://audit/{key}").parse().unwrap() };
    assert!(s3.put_new(&at("new"), b"bytes").unwrap());
    let requests = bucket.requests();
    assert!(
        requests.len() == 2 && requests[1].contains("if-none-match: *"),
        "{requests:?}"
    );
    assert!(!s3.put_new(&at("there"), b"bytes").unwrap());
    let error = s3.put_new(&at("closed"), b"bytes").unwrap_err().to_string();
    assert!(error.contains("denied s3:PutObject"), "{error}");
    let object = |key: &str| S3Object {
        key: key.to_owned(),
        size: 7,
    };
    assert_eq!(
        s3.list(&"s3://audit".parse().unwrap()).unwrap(),
        [object("a"), object("z")]
    );
}

#[cfg(feature = "archive")]
#[test]
fn denied_writes_are_shown_with_a_policy() {
    let bucket = Bucket::start(script(&[
        ("list-type=2", &[listed(&[], None)]),
        ("PUT /audit/", &[fails(403, "AccessDenied")]),
    ]));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a_20261121.csv"), report("111111111111")).unwrap();
    let add = ["archive", "add", "s3://audit/archive", "a_20261121.csv"];
    let (exit, _, err) = bucket.credlens(folder.path(), &add);
    assert_ne!(exit, 0, "{err}");
    assert_eq!(policies(&err), [archive_policy(true)], "{err}");
}

/// The statements for an archive below `s3://audit/archive`.
#[cfg(feature = "archive")]
fn archive_policy(adds: bool) -> serde_json::Value {
    let actions = if adds {
        serde_json::json!(["s3:GetObject", "s3:PutObject"])
    } else {
        serde_json::json!("s3:GetObject")
    };
    serde_json::json!([
        {
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::audit",
            "Condition": {"StringLike": {"s3:prefix": "archive/*"}},
        },
        {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:s3:::audit/archive/*"},
    ])
}

/// Whatever is denied first, the policy names all that the command needs, on the prefix alone.
#[cfg(feature = "archive")]
#[test]
fn the_first_denial_names_all_that_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a_20261121.csv"), report("111111111111")).unwrap();
    let key = "archive/snapshot_date%3D2026-11-21/20261121T000000Z-00000000000000000000000000000000.parquet";
    for (denied, needs_report) in [("list-type=2", false), ("GET /audit/archive", true)] {
        for (command, adds) in [
            (
                &["archive", "add", "s3://audit/archive", "a_20261121.csv"][..],
                true,
            ),
            (&["fetch", "--archive", "s3://audit/archive"], true),
            (&["archive", "list", "s3://audit/archive"], false),
            (&["archive", "verify", "s3://audit/archive"], false),
            (
                &["archive", "export", "s3://audit/archive", "--output", "out/"],
                false,
            ),
            (
                &[
                    "diff",
                    "--archive",
                    "s3://audit/archive",
                    "2026-11-20",
                    "2026-11-21",
                ],
                false,
            ),
        ] {
            if needs_report && command[0] == "fetch" {
                continue;
            }
            let bucket = Bucket::start(script(&[
                (denied, &[fails(403, "AccessDenied")]),
                ("list-type=2", &[listed(&[key], None)]),
            ]));
            let (exit, _, err) = bucket.credlens(folder.path(), command);
            assert_ne!(exit, 0, "{command:?}: {err}");
            assert_eq!(
                policies(&err),
                [archive_policy(adds)],
                "{denied} {command:?}: {err}"
            );
        }
    }
}

/// An object of a prefix that is listed needs the prefix; in other partitions ARNs begin otherwise.
#[test]
fn policies_are_of_the_prefix_and_the_partition() {
    let folder = tempfile::tempdir().unwrap();
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let bucket = Bucket::start(script(&[
            ("list-type=2", &[listed(&["d/2026/a.csv", "d/2026/b.csv"], None)]),
            ("GET /audit/d/", &[fails(403, "AccessDenied")]),
        ]));
        let (exit, _, err) = bucket.credlens_in(folder.path(), region, &["scan", "s3://audit/d/"]);
        assert_eq!(exit, 3, "{err}");
        let bucket = format!("arn:{partition}:s3:::audit");
        let expected = serde_json::json!([
            {
                "Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket,
                "Condition": {"StringLike": {"s3:prefix": "d/*"}},
            },
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{bucket}/d/*")},
        ]);
        assert_eq!(policies(&err), [expected], "{err}");
    }
}
