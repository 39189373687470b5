//! Reads a file of owners, as spreadsheets write it.

use std::sync::atomic::AtomicBool;

use csv::{ReaderBuilder, StringRecord};
use memchr::memchr_iter;

use super::glob::Glob;
use super::owners::Line;
use crate::report::escape::escape;

/// The lines of the file, or what is wrong with it.
pub(super) fn read(file: &[u8]) -> Result<Vec<Line>, String> {
    let (text, delimiter, before) = opened(file)?;
    let mut reader = ReaderBuilder::new();
    let mut reader = reader
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let columns = Columns::find(&header).map_err(|error| format!("line {}: {error}", before + 1))?;
    let mut counter = LineCounter {
        text,
        at: 0,
        line: before + 1,
    };
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let number = counter.line_of(record.position());
        let line = columns.line(&record, number);
        lines.extend(line.map_err(|error| format!("line {number}: {error}"))?);
    }
    Ok(lines)
}

/// Counts the lines of a text up to a record, the records in order.
struct LineCounter<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line of a record, which begins behind the blank lines at its position.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let start = position.and_then(|position| usize::try_from(position.byte()).ok());
        let start = start.unwrap_or(0).clamp(self.at, self.text.len());
        let text = self.text.as_bytes();
        let blank = text[start..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let start = start + blank.count();
        self.line += memchr_iter(b'\n', &text[self.at..start]).count() as u64;
        self.at = start;
        self.line
    }
}

/// The text of a file of owners, its delimiter, and how many lines were before the header: spreadsheets write semicolons
/// or tabs where the comma is part of numbers, and some say so in a first line `sep=;`.
fn opened(file: &[u8]) -> Result<(&str, u8, u64), String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let text = str::from_utf8(file).map_err(|error| {
        let before = &file[..error.valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        format!("line {line}: not UTF-8: save the file as CSV UTF-8")
    })?;
    if text.contains('\0') {
        return Err("not UTF-8: save the file as CSV UTF-8".to_owned());
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_separator = |first: &str| Some(first.trim_end_matches('\r').strip_prefix("sep=")?.bytes().next());
    if let Some(Some(delimiter)) = is_separator(first) {
        return Ok((rest, delimiter, 1));
    }
    let columns = |delimiter: u8| {
        let cells = first.split(char::from(delimiter));
        let known = cells.filter(|cell| {
            KNOWN
                .iter()
                .any(|name| is_column(cell.trim().trim_matches('"'), name))
        });
        known.count()
    };
    // Of equal ones the first: the comma.
    let best = DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|&delimiter| columns(delimiter));
    Ok((text, best.unwrap_or(b','), 0))
}

const DELIMITERS: [u8; 3] = *b",;\t";

/// The columns of a file of owners.
const KNOWN: [&str; 4] = ["user", "path", "account", "owner"];

fn is_column(head: &str, name: &str) -> bool {
    head.trim().eq_ignore_ascii_case(name)
}

/// The positions of the columns in a file of owners.
struct Columns {
    /// How many columns there are.
    width: usize,
    owner: usize,
    user: Option<usize>,
    path: Option<usize>,
    account: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        if let Some(unknown) = header
            .iter()
            .find(|head| !KNOWN.iter().any(|name| is_column(head, name)))
        {
            return Err(format!(
                "unknown column '{}'; the columns are user, path, account and owner, separated by commas, semicolons or tabs",
                escape(unknown)
            ));
        }
        let find = |name: &str| header.iter().position(|head| is_column(head, name));
        if let Some(twice) = KNOWN
            .iter()
            .find(|name| header.iter().filter(|head| is_column(head, name)).count() > 1)
        {
            return Err(format!("the column '{twice}' is there twice"));
        }
        let columns = Self {
            width: header.len(),
            owner: find("owner").ok_or("the column 'owner' is missing")?,
            user: find("user"),
            path: find("path"),
            account: find("account"),
        };
        if columns.user.is_none() && columns.path.is_none() && columns.account.is_none() {
            return Err("besides 'owner', one of the columns user, path and account is needed".to_owned());
        }
        Ok(columns)
    }

    /// What a line says; nothing if it is blank.
    fn line(&self, record: &StringRecord, number: u64) -> Result<Option<Line>, String> {
        let cell = |position: usize| record.get(position).unwrap_or_default().trim();
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        // A spreadsheet may pad lines with empty cells.
        if record.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "it has {} cells, but the header has {}: put a cell that contains the separator in double quotes",
                record.len(),
                self.width
            ));
        }
        let glob = |name: &str, position: Option<usize>| {
            let pattern = position.map(cell).filter(|pattern| !pattern.is_empty());
            let compiled = pattern.map(Glob::new).transpose();
            compiled.map_err(|error| format!("the {name} is not a valid pattern: {error}"))
        };
        let line = Line {
            number,
            is_used: AtomicBool::new(false),
            user: glob("user", self.user)?,
            path: glob("path", self.path)?,
            account: glob("account", self.account)?,
            owner: cell(self.owner).to_owned(),
        };
        if line.owner.is_empty() {
            return Err("there is no owner".to_owned());
        }
        if line.user.is_none() && line.path.is_none() && line.account.is_none() {
            return Err("this line names no user, path or account; write * for all users".to_owned());
        }
        Ok(Some(line))
    }
}
