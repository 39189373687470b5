//! The workbook of hostile reports. `tests/formats/check.py` reads one with another library.

use std::io::Cursor;
use std::io::Read as _;

use crate::engine::{self, AssessOptions};
use crate::output::DisplayOptions;
use crate::output::scan::{Format, Outputs};
use crate::output::test_support::{HOSTILE, Memory, NAMED, RULES, program};

fn workbook(threads: usize) -> Vec<u8> {
    let format: Format = "xlsx".parse().unwrap();
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
    let book = workbook(1);
    assert_eq!(book, workbook(2));
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
