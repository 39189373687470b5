//! What is no report, and what is one but means harm: clear words, no panic, nothing that acts.

use std::fs;
use std::path::PathBuf;

use super::{FORMATS, Workspace, fixture};

fn hostile_fixtures() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixture("hostile")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The text without the sequences that colour it.
fn without_colour(text: &str) -> String {
    let sgr = regex::Regex::new("\x1b\\[[0-9;]*m").unwrap();
    sgr.replace_all(text, "").into_owned()
}

fn acts(char: char) -> bool {
    (char.is_control() && char != '\n') || ('\u{202a}'..='\u{202e}').contains(&char)
}

#[test]
fn no_format_lets_a_control_character_through() {
    for path in hostile_fixtures() {
        for color in ["never", "always"] {
            let place = Workspace::new();
            let formats = FORMATS.map(|format| format!("--format={format}={format}"));
            let args = [
                "scan",
                path.to_str().unwrap(),
                "--rule=*",
                "--status=all",
                "-v",
                "--color",
                color,
            ];
            let args: Vec<&str> = args
                .into_iter()
                .chain(formats.iter().map(String::as_str))
                .collect();
            let run = place.run(args.as_slice());
            assert!([0, 1, 3, 4].contains(&run.status), "{run:#?}");
            for text in FORMATS
                .map(|format| place.read(format))
                .iter()
                .chain([&run.stderr])
            {
                // RFC 4180 ends lines of CSV so.
                let text = text.replace("\r\n", "\n");
                let text = if color == "always" {
                    without_colour(&text)
                } else {
                    text
                };
                assert!(!text.contains(acts), "{}: {text:?}", path.display());
            }
        }
    }
}

#[test]
fn csv_cells_are_not_formulas() {
    let place = Workspace::with(&["hostile/formula-names.csv"]);
    let run = place.run("scan formula-names.csv --rule * --status all --format csv");
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let cells: Vec<String> = reader
        .records()
        .flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(cells.len() > 20);
    for cell in cells {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
}

#[test]
fn markdown_shows_markup_in_names_only_as_code() {
    let place = Workspace::with(&["hostile/markup-names.csv"]);
    let run = place.run("scan markup-names.csv --rule * --status all --format markdown");
    let code = regex::Regex::new("`[^`\n]*`").unwrap();
    let text = code.replace_all(&run.stdout, "");
    assert!(!text.contains('<') && !text.contains("]("), "{text}");
}

/// Bytes that mean nothing, the same in every run.
fn garbage() -> Vec<u8> {
    let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let states = std::iter::successors(Some(7_u32), step);
    states.map(|state| state.to_be_bytes()[0]).take(2_000).collect()
}

#[test]
fn inputs_that_are_not_reports_are_described() {
    let gzip = fs::read(fixture("csv.csv.gz")).unwrap();
    let place = Workspace::new()
        .file("garbage", garbage())
        .file("zero", "")
        .file("nul", [0; 3_000])
        .file("deep.json", "[".repeat(200_000))
        .file("objects.json", "{\"a\":".repeat(100_000))
        .file("long", "x".repeat(1_000_000))
        .file("cut.gz", &gzip[..20]);
    for (name, words) in [
        ("garbage", "binary data, not a credential report"),
        ("zero", "an empty file, not a credential report"),
        ("nul", "binary data, not a credential report"),
        ("deep.json", "JSON without a report"),
        ("objects.json", "JSON"),
        ("long", "text that starts with 'xxx"),
        ("cut.gz", "gzip data is damaged or cut off"),
        ("no-such-folder/", "cannot be opened"),
    ] {
        let run = place.run(["scan", name]);
        run.ends(3, &format!("error: {name}")).ends(3, words);
        assert!(run.stderr.len() < 1_000, "{}", run.stderr);
    }
}

#[test]
fn a_row_with_a_megabyte_cell_is_evaluated() {
    let name = "x".repeat(1_000_000);
    let text = format!("user,arn,mfa_active\n{name},arn:aws:iam::111122223333:user/x,false\n");
    let run = Workspace::new()
        .file("long.csv", text)
        .run("scan long.csv --rule user-without-mfa");
    run.ends(1, "").says("1 failed");
    assert!(run.stdout.len() < 10_000, "the table cuts it");
}

#[test]
fn the_rows_before_damaged_gzip_data_are_evaluated() {
    let place = Workspace::with(&["hostile/truncated.csv.gz"]);
    let run = place.run("scan truncated.csv.gz --as-of 2026-11-21");
    run.ends(4, "rows read until then are evaluated")
        .says("1 user in");
}

/// A diagnostic says that rows were left out, once per input, however they alternate with other issues.
#[test]
fn rows_that_are_left_out_give_one_diagnostic() {
    let place = Workspace::new();
    let report = "user,arn,mfa_active\nbob,,true\n".to_owned() + &"\"\n\"\n".repeat(40_000);
    fs::write(place.path("report.csv"), report).unwrap();
    let run = place.run("scan report.csv --quiet --as-of 2026-01-01 --format summary");
    assert_eq!(run.status, 4, "{run:#?}");
    let errors: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(errors.len(), 2, "{}", &run.stderr[..400]);
    assert!(
        errors[0].contains("this line is not a row of the report"),
        "{errors:?}"
    );
    assert!(errors[1].contains("were not evaluated"), "{errors:?}");
}

/// Whatever an argument is for, its error does not repeat a password in it.
#[test]
fn passwords_in_addresses_are_not_repeated() {
    let place = Workspace::new();
    for args in [
        "scan s3://AKIDEXAMPLE:secret@bucket/key.csv",
        "scan https://user:secret@example.com/report.csv",
        "scan x.csv --timeout https://user:secret@example.com",
        "scan --endpoint-url=https://secret@example.com",
        "diff a.csv s3://secret@bucket?x",
        "https://user:secret@example.com",
    ] {
        let outcome = place.run(args);
        outcome.ends(2, "a URL with a user name or password (not shown)");
        assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
    }
    place.run("scan s3/a@b.csv").ends(3, "s3/a@b.csv");
}

/// Counts are of the diagnostics that are not shown, and say how many of them another output lists.
#[test]
fn diagnostics_that_are_not_shown_are_counted() {
    let times = "user_creation_time,password_last_used,password_last_changed,password_next_rotation,\
        access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_last_rotated,access_key_2_last_used_date,\
        cert_1_last_rotated,cert_2_last_rotated";
    let flags =
        "password_enabled,mfa_active,access_key_1_active,access_key_2_active,cert_1_active,cert_2_active";
    let row = |user| {
        format!(
            "user{user},arn:aws:iam::111122223333:user/user{user}{}\n",
            ",maybe".repeat(16)
        )
    };
    let rows: String = (0..30).map(row).collect();
    let place = Workspace::new().file("bad30.csv", format!("user,arn,{times},{flags}\n{rows}"));
    let scan = |args: &str| place.run(format!("scan bad30.csv --as-of 2026-11-21 --rule * {args}").as_str());

    let json = scan("--format json");
    json.ends(0, "… and 477 more of bad-cell (-v shows 97 of them)");
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let bad = document["diagnostics"].as_array().unwrap().iter();
    assert_eq!(bad.filter(|one| one["code"] == "bad-cell").count(), 101);

    let verbose = scan("--format json -v").stderr;
    assert_eq!(verbose.matches("[bad-cell]\n").count(), 101, "{verbose}");
    assert_eq!(
        verbose.matches("  help: Correct the cell").count(),
        1,
        "{verbose}"
    );
    assert!(
        verbose.contains("bad30.csv: 380 more like this [bad-cell]"),
        "{verbose}"
    );

    scan("--format table")
        .says("more diagnostics; --format json lists ")
        .says("[bad-cell]");
}
