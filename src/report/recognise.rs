//! Recognises what an input is whose first record is not the header of a report.

use super::chunk::ROOT;
use super::escape::shown;
use super::not_a_report::NotAReport;
use super::schema::{Column, TimeColumn};
use super::trace;

const PACKED: [(&[u8], &str); 2] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
];

/// What compresses one file, which may be a report.
const COMPRESSED: [(&[u8], &str); 3] = [
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
];

const BINARY: [(&[u8], &str); 7] = [
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a picture, a sound or a film"),
    (b"\xd0\xcf\x11\xe0", "a document of an office program"),
];

/// What a tar archive has at this place.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Parts of the AWS CLI's error messages.
const CLI_MESSAGES: [&str; 27] = [
    "An error occurred (",
    "Credentials were refreshed, but",
    "Enter MFA code for",
    "Failed to connect to proxy",
    "aws: [ERROR]",
    "aws: not found",
    "'aws' is not recognized",
    "Get-IAMCredentialReport",
    "Unable to locate credentials",
    "Partial credentials found",
    "Unable to parse config file",
    "Could not connect to the endpoint",
    "Connect timeout on endpoint",
    "Read timeout on endpoint",
    "SSL validation failed",
    "The config profile (",
    "You must specify a region",
    "Invalid choice:",
    "Unknown options:",
    "Error loading SSO Token",
    "Error when retrieving token from sso",
    "The SSO session ",
    "Token has expired",
    "Your session has expired",
    "usage: aws",
    "aws: error:",
    "aws: command not found",
];

/// How our own CSV outputs begin.
const OWN_CSV: [&str; 3] = [
    "id,rule,parameters,",
    "as_of,account,account_name,accounts,",
    // Before trends had the names of accounts.
    "as_of,account,accounts,users,",
];

/// How many bytes at the beginning of an input are examined.
const EXAMINED: usize = 16 * 1024;

/// Fewer cells than every row of a report has.
const FEWEST_CELLS: usize = 14;

/// What an input is whose first record is not the header of a report.
pub(super) fn recognise(bytes: &[u8]) -> NotAReport {
    let found = by_beginning(bytes);
    let may_have_parts = matches!(
        found,
        NotAReport::Text(_)
            | NotAReport::OtherColumns(_)
            | NotAReport::OtherYaml
            | NotAReport::Binary(NotAReport::UNKNOWN)
    );
    if may_have_parts && trace::has_trace(bytes) {
        return NotAReport::Parts;
    }
    found
}

fn by_beginning(bytes: &[u8]) -> NotAReport {
    let head = &bytes[..bytes.len().min(EXAMINED)];
    let known = |table: &[(&[u8], &'static str)]| {
        let entry = table.iter().find(|(magic, _)| head.starts_with(magic));
        entry.map(|&(_, name)| name)
    };
    if head.starts_with(b"PK") && memchr::memmem::find(bytes, b"xl/").is_some() {
        return NotAReport::Workbook;
    }
    if let Some(name) = known(&PACKED) {
        return NotAReport::Packed(name);
    }
    if let Some(name) = known(&COMPRESSED) {
        return NotAReport::Compressed(name);
    }
    if let Some(name) = known(&BINARY) {
        return NotAReport::Binary(name);
    }
    if head.starts_with(b"PAR1") {
        return NotAReport::Parquet;
    }
    if head.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        return NotAReport::Packed("a tar archive");
    }
    if head.contains(&0) {
        return with_nul(head);
    }
    let text = String::from_utf8_lossy(head);
    let text = match text.rsplit_once('\n') {
        // The last line may be cut off.
        Some((lines, _)) if head.len() < bytes.len() => lines,
        _ => &text,
    };
    of_text(text.trim())
}

/// Whether a text is what Python prints of bytes, or of a response with bytes.
pub(super) fn is_python_bytes(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let begins = |with: &[&str]| with.iter().any(|with| text.starts_with(with.as_bytes()));
    let head = &text[..text.len().min(EXAMINED)];
    begins(&["b'", "b\""]) || begins(&["{'", "[{'"]) && memchr::memmem::find(head, b"'Content'").is_some()
}

fn with_nul(head: &[u8]) -> NotAReport {
    // A header in UTF-16 is ASCII with a zero beside each letter.
    let (pairs, _) = head.as_chunks::<2>();
    let mut letters = pairs.iter().take(8);
    if !pairs.is_empty() && letters.all(|[one, other]| (*one == 0) != (*other == 0)) {
        return NotAReport::Utf16;
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if has_trace(&String::from_utf8_lossy(line)) {
        return NotAReport::PartOfHeader;
    }
    NotAReport::Binary(NotAReport::UNKNOWN)
}

fn of_text(text: &str) -> NotAReport {
    let first_line = text.lines().next().unwrap_or_default();
    if text.is_empty() {
        return NotAReport::Empty;
    }
    // `--query Content --output text`, where there is none.
    if matches!(text, "None" | "null") {
        return NotAReport::CliMessage(text.to_owned());
    }
    let mut messages = text.lines();
    if let Some(line) = messages.find(|line| CLI_MESSAGES.iter().any(|message| line.contains(message))) {
        return NotAReport::CliMessage(shown(line, 120));
    }
    if text.contains("\u{1b}[") && is_coloured_report(text) {
        return NotAReport::Colours;
    }
    if text.starts_with("---") && text.contains("GetCredentialReport") {
        return NotAReport::CliTable;
    }
    if is_python_bytes(text.as_bytes()) {
        return NotAReport::PythonBytes;
    }
    if text.starts_with('<') && !text.starts_with(ROOT) {
        return of_markup(text);
    }
    if OWN_CSV.iter().any(|own| text.starts_with(own)) {
        return NotAReport::OwnOutput;
    }
    of_lines(text, first_line)
}

/// Whether a text is a report, or JSON, between escapes for colours.
fn is_coloured_report(text: &str) -> bool {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default();
    let others = parts.map(|part| {
        let end = part.find(|letter: char| letter.is_ascii_alphabetic());
        &part[end.map_or(part.len(), |end| end + 1)..]
    });
    let plain: String = std::iter::once(first).chain(others).collect();
    plain.trim_start().starts_with(['{', '[']) || trace::has_trace(plain.as_bytes())
}

fn of_markup(text: &str) -> NotAReport {
    let lower = text.to_ascii_lowercase();
    if lower.contains("<html") || lower.contains("<!doctype html") {
        return NotAReport::Html;
    }
    let of_aws = ["<errorresponse", "<error>", "getcredentialreport"];
    if of_aws.iter().any(|word| lower.contains(word)) {
        NotAReport::AwsXml
    } else {
        NotAReport::Xml
    }
}

fn of_lines(text: &str, first_line: &str) -> NotAReport {
    if first_line.contains("\\n") && has_trace(first_line) {
        return NotAReport::EscapedLineBreaks;
    }
    if text.lines().take(2).any(is_row) {
        return NotAReport::Headerless;
    }
    if has_trace(first_line) || is_beginning_of_header(text) {
        return NotAReport::PartOfHeader;
    }
    if has_lines_before_report(text) {
        return NotAReport::LinesBefore;
    }
    if is_yaml(text) {
        return NotAReport::OtherYaml;
    }
    other_columns(&cells(first_line), is_table(text))
}

/// Whether lines are of YAML, as far as keys and dashes show.
fn is_yaml(text: &str) -> bool {
    let is_key = |line: &str| {
        let key = line
            .split_once(':')
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with(' '));
        key.is_some_and(|(key, _)| !key.trim().contains([' ', ',']))
    };
    let is_item = |line: &str| line.trim_start().starts_with("- ") || line == "---";
    let lines = || {
        text.lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    };
    lines().count() > 1 && lines().take(2).all(|line| is_key(line) || is_item(line))
}

/// Whether a text is a table of something else: rows of equal width below short names. A sentence may have commas. The last
/// row may be cut off.
fn is_table(text: &str) -> bool {
    let is_name = |cell: &str| {
        let is_token = ["true", "false", "N/A", "not_supported"].contains(&cell);
        !cell.contains([':', '(']) && cell.split_whitespace().count() < 6 && !is_token
    };
    [b',', b';', b'\t'].into_iter().any(|delimiter| {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(text.as_bytes());
        let Ok(header) = reader.headers().cloned() else {
            return false;
        };
        let rows: Vec<csv::StringRecord> = reader.records().flatten().collect();
        let whole = match &*rows {
            [whole @ .., _] if !whole.is_empty() => whole,
            only => only,
        };
        let least = if rows.is_empty() { 3 } else { 2 };
        header.len() >= least
            && header.iter().all(is_name)
            && whole.iter().all(|row| row.len() == header.len())
    })
}

/// The cells of a line, for each delimiter that a report may have, without quotes.
fn cells(line: &str) -> Vec<&str> {
    line.split([',', ';', '\t']).collect()
}

/// Whether a line has columns of a report, even if they are not separated as in one.
fn has_trace(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let mut parts = line.split([',', ';', '\t', '|', ' ']).map(unquoted);
    // An inventory has these columns, too, and then others.
    let begins_so = ["user", "arn"].iter().all(|name| parts.next() == Some(name))
        && parts
            .next()
            .is_none_or(|third| Column::from(TimeColumn::UserCreation).name().starts_with(third));
    let cells: Vec<&str> = line.split([',', ';', '\t', '|']).map(unquoted).collect();
    let columns = Column::ALL.into_iter().map(Column::name);
    // `user` and `arn` are columns of other tables, too.
    let mut names = columns.filter(|name| name.contains('_'));
    let mut mentioned = names.clone().filter(|name| line.contains(name));
    begins_so || names.any(|name| cells.len() > 1 && cells.contains(&name)) || mentioned.nth(1).is_some()
}

fn unquoted(cell: &str) -> &str {
    cell.trim().trim_matches(['"', '\''])
}

/// Whether the text is a header that was cut off.
fn is_beginning_of_header(text: &str) -> bool {
    let columns = Column::ALL.into_iter().map(Column::name);
    let header = columns.collect::<Vec<_>>().join(",");
    let text = text.to_ascii_lowercase().replace(['"', '\''], "");
    header.starts_with(&text.replace([';', '\t'], ","))
}

/// Whether a line is a row of a report: it has as many cells, the ARN is in its place or behind an index, and there are
/// flags.
fn is_row(line: &str) -> bool {
    let cells: Vec<&str> = cells(line).into_iter().map(unquoted).collect();
    let is_arn = |cell: &&str| cell.starts_with("arn:") && cell.contains(":iam::");
    let is_flag = |cell: &&&str| matches!(**cell, "true" | "false" | "not_supported");
    cells.len() >= FEWEST_CELLS
        && cells.iter().take(3).any(is_arn)
        && cells.iter().filter(is_flag).count() > 1
}

/// Whether there is a whole report behind other lines: a header and rows up to the end. A page about reports goes on with
/// other text.
fn has_lines_before_report(text: &str) -> bool {
    const MOST: usize = 50;
    let columns = |line: &str| {
        let names = cells(line).into_iter().map(unquoted);
        names.filter(|name| Column::from_name(name).is_some()).count()
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let Some(header) = lines.iter().take(MOST).position(|line| columns(line) > 4) else {
        return false;
    };
    let width = cells(lines[header]).len();
    let rows = &lines[header + 1..];
    !rows.is_empty() && rows.iter().all(|row| cells(row).len() >= width)
}

fn other_columns(names: &[&str], is_table: bool) -> NotAReport {
    const MOST: usize = 4;
    if let [line] = names {
        return NotAReport::Text(shown(line.trim(), 40));
    }
    let mut shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("'{}'", shown(name.trim().trim_matches('"'), 24)))
        .collect();
    if names.len() > MOST {
        shown.push("…".to_owned());
    }
    let columns = format!("{} columns ({})", names.len(), shown.join(", "));
    if is_table {
        NotAReport::OtherTable(columns)
    } else {
        NotAReport::OtherColumns(columns)
    }
}

#[cfg(test)]
mod tests;
