//! Every report is given back byte for byte as it was added.

use credlens::archive::add::{Added, add};
use credlens::archive::store::Directory;
use credlens::archive::verify::verify;
use credlens::engine::{AccountInfo, BlockEnd, FileFacts, Input, ReportId, Source, SourceEvent};
use credlens::finding::AsOfSource;
use credlens::io::inputs::Limits;
use credlens::report::cut::whole_records;
use credlens::report::header::Header;
use credlens::report::time::Timestamp;
use proptest::prelude::*;
use tempfile::tempdir;

use super::{PLAIN, add_to, csvs, files, memory};
use crate::support::pipeline::AS_OF;

/// A report in memory, in blocks of about this many bytes, as files are read.
pub(super) struct Blocks {
    input: std::sync::Arc<Input>,
    rest: Vec<u8>,
    size: usize,
    ended: bool,
}

impl Blocks {
    pub(super) fn new(csv: &[u8], size: usize) -> Option<Self> {
        let (header, rows) = Header::split(csv).ok()?;
        let input = Input {
            id: ReportId::first_of(0),
            path: "report.csv".to_owned(),
            kind: "csv".to_owned(),
            header,
            as_of: AS_OF,
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: AccountInfo::default(),
            file: FileFacts::default(),
        };
        Some(Self {
            input: std::sync::Arc::new(input),
            rest: rows.to_vec(),
            size,
            ended: false,
        })
    }
}

impl Source for Blocks {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        if self.ended {
            return None;
        }
        let delimiter = self.input.header.delimiter();
        let cut = self
            .rest
            .get(..self.size)
            .and_then(|block| whole_records(block, delimiter));
        self.ended = cut.is_none();
        text.clear();
        text.extend(self.rest.drain(..cut.unwrap_or(self.rest.len())));
        let input = std::sync::Arc::clone(&self.input);
        Some(SourceEvent::Block {
            input,
            end: BlockEnd::of_only_report(self.ended),
        })
    }
}

fn header() -> impl Strategy<Value = String> {
    let full = credlens::report::schema::Column::ALL
        .map(credlens::report::schema::Column::name)
        .join(",");
    prop_oneof![
        4 => Just(full.clone()),
        1 => Just(full.replace(',', ";")),
        1 => Just(full.replace("mfa_active", "MFA_Active").replace("cert_1_active", "owner,\"a \"\"team\"\"\"")),
        1 => Just("\"user\",\"arn\",\"mfa_active\",\"access_key_1_last_rotated\"".to_owned()),
        1 => Just("user,arn,mfa_active,user,owner,owner,password_last_used".to_owned()),
        1 => Just(" user , arn,password_enabled,access_key_1_active".to_owned()),
    ]
}

fn cell() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &'static str| Just(text.as_bytes().to_vec());
    prop_oneof![
        6 => text("2026-01-02T03:04:05Z"),
        3 => text("2026-01-02T03:04:05+00:00"),
        6 => text("N/A"), 3 => text("no_information"), 3 => text("not_supported"),
        4 => text("true"), 4 => text("false"), 1 => text("TRUE"), 1 => text(""), 1 => text(" N/A "),
        1 => text("2026-02-30T00:00:00Z"), 1 => text("0000-12-31T00:00:00Z"), 1 => text("2026-01-02 03:04:05"),
        1 => text("9999-12-31T23:59:59Z"), 1 => text("0001-01-01T00:00:00Z"),
        1 => text("<root_account>"), 2 => text("arn:aws:iam::111122223333:user/alice"),
        1 => text("arn:aws:iam::111122223333:root"), 2 => text("alice"), 1 => text("\"a,b\""), 1 => text("\"a\"\"b\""),
        1 => text("\"a\nb\""), 1 => text("\"open"), 1 => text("a\"b"), 1 => text("x\u{feff}"), 1 => text("\"\""),
        1 => text("user"), 1 => proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

prop_compose! {
    pub(super) fn report()(
        header in header(),
        rows in proptest::collection::vec((proptest::collection::vec(cell(), 22..24), 0_u8..20), 0..12),
        crlf in proptest::bool::weighted(0.2),
        last in any::<bool>(),
    ) -> Vec<u8> {
        let end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        let delimiter = if header.contains(';') { b';' } else { b',' };
        let width = header.split([',', ';']).count();
        let mut csv = [header.as_bytes(), end].concat();
        let count = rows.len();
        for (row, (cells, kind)) in rows.into_iter().enumerate() {
            // A few rows too short or too long, empty lines, and headers again.
            let wanted = match kind { 0 => width + 1, 1 => width.saturating_sub(2), _ => width };
            csv.extend(cells.iter().cycle().take(wanted).cloned().collect::<Vec<_>>().join(&delimiter));
            if last || row + 1 < count {
                csv.extend_from_slice(end);
            }
            match kind {
                2 => csv.extend_from_slice(end),
                3 => csv.extend([header.as_bytes(), end].concat()),
                4 => csv.extend_from_slice(b"\n"),
                _ => {}
            }
        }
        csv
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn reports_are_given_back_byte_for_byte(csv in report(), size in 1_usize..400) {
        let Some(mut source) = Blocks::new(&csv, size) else { return Ok(()) };
        let directory = tempdir().unwrap();
        let store = Directory::new(directory.path());
        let mut added = Added::default();
        add(&store, &mut source, &mut added).unwrap();
        prop_assert_eq!(added.added.len(), 1);
        prop_assert_eq!(csvs(directory.path()), vec![csv]);
        let verified = verify(&store).unwrap();
        prop_assert_eq!((verified.reports, verified.problems), (1, vec![]));
    }

    #[test]
    fn any_bytes_are_given_back(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..400) {
        let csv = [b"user,arn,mfa_active\n".as_slice(), &bytes].concat();
        let Some(mut source) = Blocks::new(&csv, size) else { return Ok(()) };
        let directory = tempdir().unwrap();
        add(&Directory::new(directory.path()), &mut source, &mut Added::default()).unwrap();
        prop_assert_eq!(csvs(directory.path()), vec![csv]);
    }
}

/// A row that its cells do not reproduce is stored twice: as cells and as bytes. Reports of AWS have no such rows.
#[test]
fn reports_of_aws_need_no_records() {
    let quoted = PLAIN.replace("bob,arn", "\"b,ob\",arn");
    let with_offset = PLAIN.replace("5Z", "5+00:00").replace("0Z", "0+00:00");
    let spreadsheet = PLAIN
        .replace('\n', "\r\n")
        .replace("true", "TRUE")
        .replace("false", "FALSE");
    let quoted_lines = PLAIN
        .lines()
        .map(|line| format!("\"{}\"", line.replace(',', "\",\"")));
    let all_quoted = quoted_lines.collect::<Vec<_>>().join("\n");
    let with_owner = PLAIN.replace('\n', ",ops\n").replacen(",ops", ",owner", 1) + ",ops";
    for csv in [
        PLAIN,
        &quoted,
        &with_offset,
        &spreadsheet,
        &all_quoted,
        &with_owner,
    ] {
        let directory = tempdir().unwrap();
        add_to(directory.path(), &mut memory(&[("report.csv", csv)]));
        assert_eq!(csvs(directory.path()), [csv.as_bytes()]);
        let path = directory.path().join(&files(directory.path())[0]);
        let frame = polars_frame(&path);
        let nulls = frame.column("record").unwrap().null_count();
        assert_eq!(nulls, 3, "{csv}");
    }
}

#[test]
fn columns_are_typed_for_other_engines() {
    let directory = tempdir().unwrap();
    add_to(directory.path(), &mut memory(&[("report.csv", PLAIN)]));
    let frame = polars_frame(&directory.path().join(&files(directory.path())[0]));
    let types: Vec<_> = frame
        .schema()
        .iter()
        .map(|(name, kind)| format!("{name}: {kind}"))
        .collect();
    insta::assert_snapshot!(types.join("\n"), @"
    as_of: datetime[μs, +00:00]
    account_id: str
    user_name: str
    arn: str
    user_creation_time: datetime[μs, +00:00]
    password_enabled: bool
    password_last_used: datetime[μs, +00:00]
    password_last_changed: datetime[μs, +00:00]
    password_next_rotation: datetime[μs, +00:00]
    mfa_active: bool
    access_key_1_active: bool
    access_key_1_last_rotated: datetime[μs, +00:00]
    access_key_1_last_used_date: datetime[μs, +00:00]
    access_key_1_last_used_region: str
    access_key_1_last_used_service: str
    access_key_2_active: bool
    access_key_2_last_rotated: datetime[μs, +00:00]
    access_key_2_last_used_date: datetime[μs, +00:00]
    access_key_2_last_used_region: str
    access_key_2_last_used_service: str
    cert_1_active: bool
    cert_1_last_rotated: datetime[μs, +00:00]
    cert_2_active: bool
    cert_2_last_rotated: datetime[μs, +00:00]
    additional_credentials_info: str
    as_written: str
    record: binary
    format: i32
    report: i32
    report_row: i64
    aws_partition: str
    user_path: str
    is_root: bool
    unknown_cells: str
    issues: str
    ");
    let row = |row: usize| {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only times need another form")]
        let cell = |name: &polars::prelude::PlSmallStr| match frame.column(name).unwrap().get(row).unwrap() {
            polars::prelude::AnyValue::Datetime(microseconds, ..) => microseconds.to_string(),
            other => other.to_string(),
        };
        frame
            .schema()
            .iter_names()
            .map(cell)
            .collect::<Vec<_>>()
            .join(" | ")
    };
    insta::assert_snapshot!([row(0), row(1)].join("\n"), @r#"
    1767225600000000 | "111122223333" | "<root_account>" | "arn:aws:iam::111122223333:root" | 1577934245000000 | null | null | null | null | true | false | null | null | null | null | null | null | null | null | null | null | null | null | null | null | "{"password_enabled":"not_supported"}" | null | 2 | 1 | 1 | "aws" | null | true | ",password_last_used,password_last_changed,password_next_rotation,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated," | null
    1767225600000000 | "111122223333" | "alice" | "arn:aws:iam::111122223333:user/alice" | 1609556645000000 | true | null | null | null | false | true | 1749283750000000 | null | null | null | null | null | null | null | null | null | null | null | null | null | null | null | 2 | 1 | 2 | "aws" | "/" | false | ",password_last_used,password_last_changed,password_next_rotation,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated," | null
    "#);
}

fn polars_frame(path: &std::path::Path) -> polars::prelude::DataFrame {
    use polars_io::SerReader as _;
    let file = std::fs::File::open(path).unwrap();
    polars_io::parquet::read::ParquetReader::new(file)
        .finish()
        .unwrap()
}

/// A report with more rows than a row group, and reports that share a row group.
#[test]
fn large_reports_and_many_small_ones() {
    let row = |number: usize| {
        let id = 100_000_000_000_usize + number / 1_000;
        format!("u{number},arn:aws:iam::{id}:user/u{number},2026-01-02T03:04:05Z,true\n")
    };
    let header = "user,arn,user_creation_time,mfa_active\n";
    let large = header.to_owned() + &(0..140_000).map(row).collect::<String>();
    let directory = tempdir().unwrap();
    let small: Vec<_> = (0..30)
        .map(|number| header.to_owned() + &row(number * 1_000))
        .collect();
    let mut reports = vec![("large.csv", large.as_str())];
    reports.extend(small.iter().map(|csv| ("small.csv", csv.as_str())));
    let added = add_to(directory.path(), &mut memory(&reports));
    assert_eq!(
        (added.added.len(), added.files.len()),
        (31, 2),
        "one file for the run, and one for the large report"
    );
    let mut expected: Vec<_> = reports.iter().map(|(_, csv)| csv.as_bytes().to_vec()).collect();
    let mut actual = csvs(directory.path());
    expected.sort();
    actual.sort();
    assert!(actual == expected);
}

#[test]
fn a_report_is_not_added_twice() {
    let directory = tempdir().unwrap();
    let first = add_to(
        directory.path(),
        &mut memory(&[("a.csv", PLAIN), ("b.csv", PLAIN)]),
    );
    assert_eq!(
        (first.added.len(), first.known.len(), first.files.len()),
        (1, 1, 1)
    );
    let again = add_to(directory.path(), &mut memory(&[("c.csv", PLAIN)]));
    assert_eq!(
        (again.added.len(), again.known.len(), again.files.len()),
        (0, 1, 0)
    );
    let other = PLAIN.replace("bob", "eve");
    let contradictory = add_to(directory.path(), &mut memory(&[("d.csv", &other)]));
    assert_eq!(contradictory.added.len(), 1);
    assert_eq!(
        contradictory.conflicts.len(),
        1,
        "contradictory reports are reported"
    );
    assert_eq!(csvs(directory.path()).len(), 2);
}

#[test]
fn undated_reports_are_refused() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("report.csv");
    std::fs::write(&path, PLAIN).unwrap();
    let options = credlens::io::inputs::InputOptions {
        hashed: 0,
        compared: false,
        as_of: None,
        now: Timestamp(0),
        limits: Limits::default(),
    };
    let mut source = credlens::io::inputs::Inputs::new(vec![path], Box::new(std::io::empty()), options);
    let added = add_to(&directory.path().join("archive"), &mut source);
    assert_eq!(added.added.len(), 0);
    assert!(added.failed[0].1.contains("--as-of"), "{:?}", added.failed);
}
