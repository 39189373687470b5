//! Inputs and outputs with real files.

mod input_formats;
mod input_limits;
mod outputs;

use std::io::{self, Cursor, Read, Write as _};
use std::path::{Path, PathBuf};

use credlens::engine::{Input, SequentialSource};
use credlens::io::error::InputError;
use credlens::io::inputs::{InputOptions, Inputs, Limits};
use credlens::report::schema::TextColumn;
use credlens::report::time::Timestamp;

const HEADER: &str = "user,mfa_active\n";
const REPORT: &str = "user,mfa_active\nalice,true\n";

/// An input that was read: its rows, or why it failed.
#[derive(Debug)]
struct Outcome {
    path: String,
    input: Option<Input>,
    text: Vec<u8>,
    blocks: usize,
    error: Option<InputError>,
}

impl Outcome {
    fn rows(&self) -> Vec<csv::ByteRecord> {
        let delimiter = self.input.as_ref().map_or(b',', |input| input.header.delimiter());
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(delimiter);
        let records = reader.from_reader(&*self.text).into_byte_records();
        records.map(|record| record.expect("bytes in memory")).collect()
    }

    fn input(&self) -> &Input {
        self.input
            .as_ref()
            .unwrap_or_else(|| panic!("not read: {self:?}"))
    }

    fn message(&self) -> String {
        let error = self.error.as_ref();
        error.unwrap_or_else(|| panic!("no error: {self:?}")).to_string()
    }
}

fn options(limits: Limits) -> InputOptions {
    InputOptions {
        hashed: 0,
        compared: false,
        as_of: None,
        now: Timestamp(0),
        limits,
    }
}

fn read(arguments: Vec<PathBuf>, stdin: impl Read + Send + 'static, options: InputOptions) -> Vec<Outcome> {
    let mut source = Inputs::new(arguments, Box::new(stdin), options);
    let mut blocks = SequentialSource::new(&mut source);
    let (mut text, mut all, mut open) = (Vec::new(), Vec::<Outcome>::new(), false);
    while let Some(block) = blocks.next(&mut text) {
        let (path, input, last, error) = match block {
            Ok((input, last)) => (input.path.clone(), Some((*input).clone()), last, None),
            Err((path, error)) => {
                let error = error.downcast::<InputError>().expect("inputs fail in known ways");
                (path, None, true, Some(*error))
            }
        };
        if !open {
            all.push(Outcome {
                path: path.clone(),
                input,
                text: Vec::new(),
                blocks: 0,
                error: None,
            });
        }
        let current = all.last_mut().expect("pushed above");
        assert_eq!(current.path, path, "blocks of an input follow each other");
        current.text.extend_from_slice(&text);
        current.blocks += usize::from(error.is_none());
        current.error = error;
        open = !last;
    }
    assert!(!open, "the last input was not closed");
    all
}

fn read_bytes(bytes: impl Into<Vec<u8>>, limits: Limits) -> Outcome {
    let mut all = read(vec!["-".into()], Cursor::new(bytes.into()), options(limits));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn fixture(name: &str) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let mut all = read(vec![path], io::empty(), options(Limits::default()));
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("a vector takes all")
}

fn users(read: &Outcome) -> Vec<String> {
    let at = read
        .input()
        .header
        .position(TextColumn::User)
        .expect("a user column");
    let name = |row: &csv::ByteRecord| String::from_utf8_lossy(&row[at]).into_owned();
    read.rows().iter().map(name).collect()
}

fn rows(count: u32, row: impl Fn(u32) -> String) -> String {
    (0..count).map(row).collect()
}
