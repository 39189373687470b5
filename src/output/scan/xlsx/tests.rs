//! The workbook of hostile reports. `tests/formats/check.py` reads one with another library.

use std::io::Cursor;
use std::io::Read as _;

use super::{FORMAT, ROWS, book};
use crate::engine::{self, AssessOptions};
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::scan::{Format, Outputs, ScanWriter};
use crate::output::test_support::{HOSTILE, Memory, NAMED, RULES, program};

fn workbook(format: Format, threads: usize) -> Vec<u8> {
    let outputs = Outputs::new(vec![(format, Vec::new())], DisplayOptions::default());
    let reports = [("a.csv", HOSTILE.as_bytes()), (NAMED, HOSTILE.as_bytes())];
    let options = AssessOptions {
        threads,
        ..AssessOptions::default()
    };
    let tally = engine::assess(&program(&RULES), Memory::new(&reports), &outputs, options).unwrap();
    outputs.finish(&tally).unwrap().remove(0)
}

#[test]
fn the_workbook_has_no_formula_and_is_the_same_with_every_number_of_threads() {
    let book = workbook(&FORMAT, 1);
    assert_eq!(book, workbook(&FORMAT, 2));
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut sheets = 0;
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert!(!text.contains("<f>") && !text.contains("<hyperlink"), "{name}");
        assert!(
            !text
                .chars()
                .any(|char| char.is_control() && !"\t\r\n".contains(char)),
            "{name}"
        );
        sheets += usize::from(name.starts_with("xl/worksheets/sheet"));
    }
    assert_eq!(sheets, 5);
}

/// The numbers of the summary's facts: users evaluated, then findings, users and keys not in the workbook.
fn counts(format: Format) -> Vec<u64> {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook(format, 1))).unwrap();
    let mut sheet = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
    let mut text = String::new();
    sheet.read_to_string(&mut text).unwrap();
    // Cells of texts have a type; those of numbers have none.
    let cells = text.split("<c r=\"B").skip(1);
    let cells = cells.filter_map(|cell| cell.split_once('"')?.1.strip_prefix("><v>"));
    let numbers = cells.filter_map(|cell| cell.split('<').next()?.parse().ok());
    numbers.take(4).collect()
}

#[test]
fn the_summary_counts_what_the_sheets_leave_out() {
    static SMALL: FormatSpec<ScanWriter> = FormatSpec::new(
        "small",
        "a workbook whose sheets have two rows",
        Readers::Program,
        ScanWriter::RenderBook(ROWS, |view| book(view, 2).unwrap()),
    );
    assert_eq!(counts(&FORMAT)[1..], [0, 0, 0]);
    assert_eq!(counts(&SMALL)[0], counts(&FORMAT)[0]);
    assert_eq!(counts(&SMALL)[1..], [10, 6, 6]);
}
