//! What is read, in which order, and as of when.

use std::fs;
use std::io::Write as _;

use super::{Workspace, fixture};

/// Lines of NDJSON or of a table that name these inputs, in the order in which they do.
fn order(text: &str, names: &[&str]) -> Vec<usize> {
    names
        .iter()
        .map(|name| text.find(name).unwrap_or_else(|| panic!("no {name} in {text}")))
        .collect()
}

#[test]
fn a_directory_is_read_in_the_order_of_its_names() {
    let report = fs::read(fixture("csv.csv")).unwrap();
    let names = ["reports/a.csv", "reports/b/c.txt", "reports/d"];
    let place = Workspace::new();
    let place = names
        .iter()
        .rev()
        .fold(place, |place, name| place.file(name, &report));
    let place = place.file("reports/.hidden.csv", "no report");
    let run = place.run("scan reports --format json --as-of 2026-11-21");
    run.ends(1, "").hides(".hidden");
    let found = order(&run.stdout, &names);
    assert!(found.is_sorted(), "{}", run.stdout);
}

/// Workers read small files themselves, a compressed one comes in several blocks, and everything stays in order.
#[test]
fn small_files_of_many_blocks_stay_in_order() {
    let report = String::from_utf8(fs::read(fixture("csv.csv")).unwrap()).unwrap();
    let (header, rows) = report.split_once('\n').unwrap();
    let many = format!("{header}\n{}", format!("{}\n", rows.trim_end()).repeat(1_000));
    assert!(many.len() > 2 * (256 << 10), "several blocks");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(many.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let broken = &packed[..packed.len() / 2];
    let mut place = Workspace::new();
    for number in 0..6 {
        place = place.file(&format!("in/{number:02}-a.csv"), &report);
        place = place.file(&format!("in/{number:02}-b.gz"), &packed);
        place = place.file(&format!("in/{number:02}-c.gz"), broken);
        place = place.file(&format!("in/{number:02}-d.csv"), "no report");
    }
    let scan = |threads: &str| {
        let run =
            place.run(format!("scan in --format ndjson --as-of 2026-11-21 --threads {threads}").as_str());
        run.ends(4, "gzip data is damaged");
        (run.stdout, run.stderr)
    };
    let (findings, errors) = scan("1");
    let broken_rows = findings.lines().filter(|line| line.contains("05-c.gz")).count();
    assert!(broken_rows > 500, "what was read before the damage is evaluated");
    assert_eq!(scan("2"), (findings.clone(), errors.clone()));
    assert_eq!(scan("7"), (findings, errors));
}

/// Envelopes that are large once unpacked are held one at a time, and stay in order.
#[test]
fn large_envelopes_in_small_files_stay_in_order() {
    let report = fs::read_to_string(fixture("csv.csv")).unwrap();
    let (header, rows) = report.split_once('\n').unwrap();
    let rows = format!("{}\n", rows.trim_end());
    let many = format!("{header}\n{}", rows.repeat((8 << 20) / rows.len()));
    let content = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, many);
    let json = format!(r#"{{"Content":"{content}","GeneratedTime":"2026-11-20T00:00:00Z"}}"#);
    let packed = zstd::encode_all(json.as_bytes(), 1).unwrap();
    assert!(packed.len() < 256 << 10, "one block");
    let mut place = Workspace::new();
    for number in 0..4 {
        place = place.file(&format!("in/{number}-a.json.zst"), &packed);
        place = place.file(&format!("in/{number}-b.csv"), &report);
        place = place.file(&format!("in/{number}-c.json.zst"), &packed[..packed.len() / 2]);
    }
    let scan = |threads: &str| {
        let args =
            "scan in --all-snapshots --rule user-without-mfa --format csv --as-of 2026-11-21 --threads";
        let run = place.run(format!("{args} {threads}").as_str());
        run.ends(4, "zstd data is damaged");
        (run.stdout, run.stderr)
    };
    let one = scan("1");
    assert!(one.0.lines().count() > 4 * 8_000, "{}", one.0.lines().count());
    assert_eq!(scan("7"), one);
}

#[test]
fn a_dash_reads_standard_input() {
    let place = Workspace::with(&["csv.csv"]);
    let json = fs::read(fixture("cli-json.json")).unwrap();
    let run = place.run_with(
        "scan - csv.csv --all-snapshots --format summary --as-of 2026-11-21",
        json,
    );
    run.ends(1, "").says("6 users in 2 reports");
    place.run("scan -").ends(3, "error: -: an empty file");
}

#[test]
fn the_as_of_is_the_first_that_exists_and_the_output_says_which() {
    let place = Workspace::with(&["csv.csv", "cli-json.json"]);
    let text = place.read("csv.csv");
    let json = place.read("cli-json.json");
    let place = place
        .file("2026-11-19/csv.csv", &text)
        .file("2026-11-20.csv", text)
        .file("2020-01-01.json", json);
    for (args, as_of) in [
        (
            "2020-01-01.json --as-of 2026-11-22",
            "2026-11-22T00:00:00Z (given; the report was generated",
        ),
        (
            "2020-01-01.json --as-of 2026-11-22T01:02:03+01:00",
            "2026-11-22T00:02:03Z (given; the report was generated",
        ),
        (
            "2020-01-01.json",
            "2026-11-21T03:04:05Z (when the report was generated)",
        ),
        ("2026-11-20.csv", "2026-11-20T23:59:59Z (from the file name)"),
        (
            "2026-11-19/csv.csv",
            "2026-11-19T23:59:59Z (from the directory name)",
        ),
        ("csv.csv", "(now; the report does"),
    ] {
        let run = place.run(format!("scan {args} --format summary").as_str());
        run.ends(1, "").says(as_of);
    }
}

#[test]
fn an_invalid_generation_time_gives_a_diagnostic() {
    let place = Workspace::with(&["cli-json.json"]);
    let json = place
        .read("cli-json.json")
        .replace("2026-11-21T03:04:05+00:00", "last Saturday");
    let run = place
        .file("2026-11-20.json", json)
        .run("scan 2026-11-20.json --format csv");
    run.ends(1, "").says(",2026-11-20T23:59:59Z,");
    insta::assert_snapshot!(run.stderr, @"warning: 2026-11-20.json, 'last Saturday': its GeneratedTime is not a valid time, so its as-of comes from elsewhere; give --as-of if that is wrong [unreadable-time]");
}

#[test]
fn json_has_the_as_of_and_the_generation_time() {
    let place = Workspace::with(&["cli-json.json"]);
    let run = place.run("scan cli-json.json --format json");
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let input = &document["inputs"][0];
    assert_eq!(input["as_of"], "2026-11-21T03:04:05Z");
    assert_eq!(input["generated"], "2026-11-21T03:04:05Z");
    assert_eq!(input["users"], 3);
}

/// With the feature, tests/aws/s3.rs reads them.
#[cfg(not(feature = "aws"))]
#[test]
fn objects_need_the_feature() {
    for command in ["scan s3://bucket/key", "trend s3://bucket/prefix/"] {
        Workspace::new()
            .run(command)
            .ends(3, "built without the feature aws");
    }
}
