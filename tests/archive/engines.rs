//! Other engines read an archive with the statements of `docs/archive.md`. Run by `tests/engines/run`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::tempdir;

use super::PLAIN;
use super::details::details;

/// The statements of the page for an engine, with the path of this archive.
fn statements(engine: &str, archive: &Path) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/archive.md")).unwrap();
    let (_, section) = page.split_once(&format!("### {engine}\n")).unwrap();
    let (_, block) = section.split_once("```sql\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let lines = block.lines().filter(|line| !line.starts_with("--"));
    let archive = archive.to_str().unwrap();
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .replace("/path/to/archive", archive)
        .replace("'archive/", &format!("'{archive}/"))
}

fn query(engine: &str, directory: &Path, statements: &str) -> Vec<[String; 2]> {
    let python = std::env::var_os("CREDLENS_PYTHON").expect("CREDLENS_PYTHON; use tests/engines/run");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engines/query.py");
    let mut child = Command::new(python)
        .arg(script)
        .arg(engine)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(statements.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{engine} refused: {statements}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same counts by `credlens trend`: console users without MFA, by day.
fn trend(directory: &Path) -> Vec<[String; 2]> {
    let output = assert_cmd::Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(directory)
        .args(["trend", "archive", "--format", "json", "--quiet"])
        .output()
        .unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let points = json["snapshots"].as_array().unwrap().iter();
    points
        .map(|point| {
            let count = |name: &str| point[name].as_u64().unwrap();
            let without = count("console_users") - count("console_users_with_mfa");
            [
                point["as_of"].as_str().unwrap()[..10].to_owned(),
                without.to_string(),
            ]
        })
        .collect()
}

#[test]
#[ignore = "needs DuckDB and Spark: tests/engines/run"]
fn statements_of_the_page_count_as_trend_does() {
    let directory = tempdir().unwrap();
    let reports = directory.path().join("reports");
    fs::create_dir(&reports).unwrap();
    // An account whose id begins with zeros, and a day on which no user has MFA.
    let write = |name: &str, csv: &str| fs::write(reports.join(name), csv).unwrap();
    let first = PLAIN.replace("111122223333", "000012345678");
    write("2026-01-01.csv", &first);
    // Engines pass over the directory of details.
    write("2026-01-01.details.json", &details(&first, "ACCAEXAMPLE"));
    write(
        "2026-02-01.csv",
        &PLAIN.replace("false,false,false", "true,false,false"),
    );
    write(
        "2026-03-01.csv",
        &PLAIN.replace("true,false,true", "true,true,true"),
    );
    let add = assert_cmd::Command::cargo_bin("credlens")
        .unwrap()
        .current_dir(directory.path())
        .args(["archive", "add", "archive", "reports"])
        .output()
        .unwrap();
    assert!(add.status.success());
    let archive = directory.path().join("archive");
    // Compacted files, others, and one of version 1.
    for day in 2..5 {
        write(
            &format!("2026-01-0{day}.csv"),
            &first.replace("bob", &format!("bob{day}")),
        );
    }
    for args in [
        ["add", "archive", "reports"],
        ["compact", "archive", "--until=2026-01-31"],
    ] {
        let mut command = assert_cmd::Command::cargo_bin("credlens").unwrap();
        command
            .current_dir(directory.path())
            .arg("archive")
            .args(args)
            .assert()
            .success();
    }
    assert_eq!(
        fs::read_dir(archive.join("snapshot_date=2026-01-01"))
            .unwrap()
            .count(),
        1
    );
    super::copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/archive/version-1"),
        &archive,
    );
    assert!(archive.join("_details").is_dir());
    let expected: Vec<_> = trend(directory.path())
        .into_iter()
        .filter(|[_, count]| count != "0")
        .collect();
    assert_eq!(expected.len(), 5, "{expected:?}");
    let engines = std::env::var("CREDLENS_ENGINES").expect("CREDLENS_ENGINES; use tests/engines/run");
    for engine in engines.split(' ') {
        let name = engine.to_lowercase();
        let counted = query(&name, directory.path(), &statements(engine, &archive));
        assert_eq!(counted, expected, "{engine}");
        let source = if engine == "DuckDB" {
            format!(
                "read_parquet('{}/*/*.parquet', hive_partitioning = true, union_by_name = true)",
                archive.display()
            )
        } else {
            format!("parquet.`{}`", archive.display())
        };
        let ids =
            format!("SELECT DISTINCT account_id, 'x' FROM {source} WHERE snapshot_date = DATE '2026-01-01'");
        let ids = query(&name, directory.path(), &ids);
        assert_eq!(
            ids,
            [["000012345678".to_owned(), "x".to_owned()]],
            "{engine} keeps leading zeros"
        );
    }
}
