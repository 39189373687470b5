//! Every shape of report and every kind of argument.

use std::fs;
use std::io::{self, Cursor};

use credlens::finding::AsOfSource;
use credlens::io::inputs::Limits;
use credlens::report::time::Timestamp;

use super::{Outcome, REPORT, fixture, options, read, users};

#[test]
fn every_shape_yields_the_same_users() {
    for (name, kind) in [
        ("csv.csv", "csv"),
        ("csv-no-final-newline.csv", "csv"),
        ("csv-crlf.csv", "csv"),
        ("csv-bom.csv", "csv"),
        ("csv-semicolon.csv", "csv"),
        ("csv-tab.tsv", "csv"),
        ("csv-quoted.csv", "csv"),
        ("columns-shuffled.csv", "csv"),
        ("columns-extra-account.csv", "csv"),
        ("no-arn.csv", "csv"),
        ("utf-16.csv", "csv"),
        ("csv.csv.gz", "csv+gzip"),
        ("gzip-members.csv.gz", "csv+gzip"),
        ("csv.csv.zst", "csv+zstd"),
        ("cli-json.json", "json"),
        ("cli-json.json.gz", "json+gzip"),
        ("cli-json-plain-content.json", "json"),
        ("placebo.json", "json"),
        ("cli-text.txt", "text"),
        ("cli-query-content.txt", "json"),
        ("base64.txt", "base64"),
        ("base64-wrapped.txt", "base64"),
        ("cli-yaml.yaml", "yaml"),
    ] {
        let read = fixture(name);
        assert_eq!(users(&read), ["<root_account>", "alice", "build-robot"], "{name}");
        assert_eq!((read.input().kind.as_str(), read.blocks), (kind, 1), "{name}");
        assert!(read.error.is_none(), "{name}");
        let generated = ["cli-json", "placebo", "cli-text", "cli-yaml"];
        let generated_time = read.input().generated.map(|time| time.to_string());
        let expected = generated.iter().any(|start| name.starts_with(start));
        assert_eq!(
            generated_time.as_deref(),
            expected.then_some("2026-11-21T03:04:05Z"),
            "{name}"
        );
    }
}

#[test]
fn other_reports() {
    let users_of = |name| users(&fixture(name));
    assert_eq!(
        users_of("columns-2014.csv"),
        ["root_account", "alice", "build-robot"]
    );
    assert_eq!(users_of("consolidated-two-accounts.csv").len(), 5);
    assert_eq!(users_of("comma-in-name-unquoted.csv")[1], "doe");
    assert_eq!(
        users_of("hostile/escape-sequences.csv")[1],
        "\u{1b}]0;owned\u{7}\u{1b}[2Jmallory"
    );
    assert_eq!(users_of("hostile/open-quote.csv").len(), 2);
    assert_eq!(users_of("hostile/newline-in-quotes.csv").len(), 4);
    assert_eq!(
        users_of("hostile/invalid-utf-8.csv")[1],
        "mal\u{fffd}\u{fffd}lory"
    );
}

#[test]
fn what_is_not_a_report_is_an_error() {
    for (name, message) in [
        (
            "hostile/not-a-report.csv",
            "a CSV with 3 columns ('name', 'age', 'city')",
        ),
        ("hostile/page.html", "an HTML page"),
        ("hostile/cli-error.txt", "a message of the AWS CLI"),
        (
            "hostile/generate-answer.json",
            "the response of 'aws iam generate-credential-report'",
        ),
        ("hostile/empty.csv", "an empty file"),
        ("hostile/truncated.csv.gz", "its gzip data is damaged or cut off"),
        ("no-such-file.csv", "cannot be opened"),
    ] {
        let read = fixture(name);
        assert!(read.input.is_none() || read.error.is_some(), "{name}");
        assert!(read.message().starts_with(message), "{name}: {}", read.message());
    }
}

#[test]
fn as_of_is_the_first_that_exists() {
    let directory = tempfile::tempdir().unwrap();
    let dated = directory.path().join("report-2026-11-20.csv");
    let undated = directory.path().join("report.csv");
    let generated = directory.path().join("2020-01-01.json");
    fs::write(&dated, REPORT).unwrap();
    fs::write(&undated, REPORT).unwrap();
    fs::write(
        &generated,
        r#"{"Content":"user,mfa_active\nalice,true\n","GeneratedTime":"2026-11-21T03:04:05Z"}"#,
    )
    .unwrap();
    let arguments = vec![dated, undated, generated];
    let as_ofs = |options| -> Vec<(String, AsOfSource)> {
        let all = read(arguments.clone(), io::empty(), options);
        let as_of = |read: &Outcome| (read.input().as_of.to_string(), read.input().as_of_source);
        all.iter().map(as_of).collect()
    };
    let mut options = options(Limits::default());
    let at = |text: &str, source| (text.to_owned(), source);
    let expected = [
        at("2026-11-20T23:59:59Z", AsOfSource::FileName),
        at("1970-01-01T00:00:00Z", AsOfSource::Now),
        at("2026-11-21T03:04:05Z", AsOfSource::Generated),
    ];
    assert_eq!(as_ofs(options), expected);
    options.as_of = Some(Timestamp(1));
    assert_eq!(
        as_ofs(options),
        [(); 3].map(|()| at("1970-01-01T00:00:01Z", AsOfSource::Argument))
    );
}

#[test]
fn directories_are_walked_in_byte_order() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in [
        "b.csv",
        "B.csv",
        "a/z.csv",
        "a/y/x.csv",
        "a.csv",
        ".hidden.csv",
        ".git/c.csv",
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, REPORT).unwrap();
    }
    fs::create_dir(root.join("empty")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.join("b.csv"), root.join("link.csv")).unwrap();
        std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
        std::os::unix::fs::symlink(root.join("nowhere"), root.join("stale.csv")).unwrap();
    }
    let all = read(
        vec![root.to_owned(), root.join("empty"), root.join("b.csv")],
        io::empty(),
        options(Limits::default()),
    );
    let names: Vec<_> = all
        .iter()
        .map(|read| read.path[root.to_str().unwrap().len()..].replace('\\', "/"))
        .collect();
    let mut expected = vec!["/B.csv", "/a/y/x.csv", "/a/z.csv", "/a.csv", "/b.csv"];
    if cfg!(unix) {
        expected.extend(["/link.csv", "/stale.csv"]);
    }
    expected.extend(["/empty", "/b.csv"]);
    assert_eq!(names, expected);
    assert!(all[all.len() - 2].message().starts_with("contains no files"));
    let failed = all.iter().filter(|read| read.error.is_some()).count();
    assert_eq!(failed, if cfg!(unix) { 2 } else { 1 });
    let indices: Vec<_> = all
        .iter()
        .filter_map(|read| Some(read.input.as_ref()?.id.input))
        .collect();
    assert!(indices.is_sorted_by(|one, next| one < next), "{indices:?}");
}

/// A symlink to a directory is followed once, and not at all if the files are read anyway.
#[cfg(unix)]
#[test]
fn symlinks_to_directories() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["in/a/1.csv", "in/.hidden/b/2.csv", "out/c/3.csv", "out/d/4.csv"] {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), REPORT).unwrap();
    }
    for (target, link) in [
        ("in/a", "in/latest"),
        ("in", "in/a/circle"),
        ("", "in/above"),
        ("in/.hidden/b", "in/unhidden"),
        ("out/c", "in/other"),
        ("out", "in/others"),
        ("out/d", "in/z"),
        ("in", "out/c/back"),
        ("out", "out/d/circle"),
    ] {
        symlink(path(target), path(link)).unwrap();
    }
    let all = read(vec![path("in")], io::empty(), options(Limits::default()));
    let start = directory.path().to_str().unwrap().len() + 1;
    let read: Vec<_> = all.iter().map(|read| &read.path[start..]).collect();
    assert_eq!(
        read,
        [
            "in/a/1.csv",
            "in/other/3.csv",
            // A directory above one that was read contains more files.
            "in/others/d/4.csv",
            "in/unhidden/2.csv",
        ]
    );
    assert!(all.iter().all(|read| read.error.is_none()));
}

#[test]
fn standard_input_is_read_once() {
    let all = read(
        vec!["-".into(), "-".into()],
        Cursor::new(REPORT),
        options(Limits::default()),
    );
    assert_eq!(all[0].input().path, "-");
    assert!(
        all[1]
            .message()
            .starts_with("standard input can be read only once")
    );
}

/// A report is read once, however many symlinks lead to it.
#[cfg(unix)]
#[test]
fn symlinks_into_one_another() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for directory in ["a", "b/.hidden", "ext/sub/deep"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    for file in [
        "a/1.csv",
        "b/2.csv",
        "b/.hidden/3.csv",
        "ext/4.csv",
        "ext/sub/5.csv",
        "ext/sub/deep/6.csv",
    ] {
        fs::write(at(file), REPORT).unwrap();
    }
    for (link, target) in [
        ("a/l1", "../ext/sub"),
        ("a/l2", "../ext"),
        ("a/l3", "../b"),
        ("a/l4", "../b/.hidden"),
        ("ext/sub/up", "../../a"),
        ("ext/sub/deep/top", "../../.."),
    ] {
        symlink(target, at(link)).unwrap();
    }
    let found = |arguments: &[&str]| {
        let arguments = arguments.iter().map(|argument| at(argument)).collect();
        let all = read(arguments, io::empty(), options(Limits::default()));
        let name = |read: &Outcome| {
            assert!(read.error.is_none(), "{read:?}");
            let path = read.path.strip_prefix(folder.path().to_str().unwrap()).unwrap();
            path.to_owned()
        };
        all.iter().map(name).collect::<Vec<_>>()
    };
    let a = [
        "/a/1.csv",
        "/a/l1/5.csv",
        "/a/l1/deep/6.csv",
        "/a/l2/4.csv",
        "/a/l3/2.csv",
        "/a/l4/3.csv",
    ];
    assert_eq!(found(&["a"]), a);
    let without_b: Vec<_> = a.into_iter().filter(|path| !path.contains("l3")).collect();
    assert_eq!(found(&["a", "b"]), [&without_b[..], &["/b/2.csv"]].concat());
    assert_eq!(found(&["b", "a"]), [&["/b/2.csv"], &without_b[..]].concat());
}
