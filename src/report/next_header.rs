//! Where another report begins in the middle of a CSV: reports that were written into one file one after another.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::cut::is_closed;
use super::envelope::without_byte_order_mark;
use super::header::Header;
use super::schema::Column;
use super::time::Timestamp;

/// Every header of a report contains one of these words, and few rows do. Every byte of every report is
/// searched for them.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(["active", "enabled"]);
    marks.expect("invariant: two short words")
});

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The beginning of a report after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHeader {
    /// Where the rows before it end. Further on than its line starts, where AWS's missing last line break has glued it
    /// to a row.
    pub rows_end: usize,
    /// Where the header starts.
    pub start: usize,
}

/// The first header in a text of whole lines, after rows of a report with this header. `text` starts where a line starts.
pub fn next_header(text: &[u8], header: &Header) -> Option<NextHeader> {
    let first_name = header.names().first().map_or("", String::as_str);
    let mut searched = 0;
    for mark in MARKS.find_iter(text) {
        if mark.start() < searched {
            continue;
        }
        let is_end = |&byte: &u8| matches!(byte, b'\n' | b'\r');
        let before = &text[searched..mark.start()];
        let start = before
            .iter()
            .rposition(is_end)
            .map_or(searched, |at| searched + at + 1);
        let after = &text[mark.end()..];
        let end = memchr::memchr2(b'\n', b'\r', after).map_or(text.len(), |at| mark.end() + at);
        searched = end;
        let Some(next) = in_line(&text[start..end], first_name) else {
            continue;
        };
        // A line of a quoted cell is not a header. A quote that is never closed ends with its line.
        let is_quoted = !is_closed(&text[..start], header.delimiter()) && is_closed(text, header.delimiter());
        if !is_quoted {
            return Some(NextHeader {
                rows_end: start + next.rows_end,
                start: start + next.start,
            });
        }
    }
    None
}

/// The header in a line: all of it, or the end of a line that begins with a row.
fn in_line(line: &[u8], first_name: &str) -> Option<NextHeader> {
    DELIMITERS
        .into_iter()
        .find_map(|delimiter| with_delimiter(line, first_name, delimiter))
}

fn with_delimiter(line: &[u8], first_name: &str, delimiter: u8) -> Option<NextHeader> {
    memchr::memchr(delimiter, line)?;
    // No field of a header is a value. Of the fields after the last value, the first may begin with a value.
    let mut from = line.len() + 1;
    let is_name = |field: &&[u8]| !is_value(field) || cuts(field, first_name).any(|cut| cut > 0);
    for field in line.rsplit(|&byte| byte == delimiter).take_while(is_name) {
        from -= field.len() + 1;
    }
    if from > line.len() {
        return None;
    }
    let bare = without_byte_order_mark(line);
    let first = bare.split(|&byte| byte == delimiter).next().unwrap_or_default();
    let begins_as_header = column(first).is_some() || first == first_name.as_bytes();
    let whole = || NextHeader {
        rows_end: 0,
        start: line.len() - bare.len(),
    };
    if from == 0 && begins_as_header && is_header(bare, delimiter) {
        return Some(whole());
    }
    // With a column without a name, the delimiter before the next name begins the header.
    let unnamed = first_name.is_empty().then(|| from.checked_sub(1)).flatten();
    let mut start = from;
    let mut starts: Vec<usize> = unnamed.into_iter().collect();
    for field in line[from..].split(|&byte| byte == delimiter) {
        // Where no value is before it, the header must begin within a field.
        let inside = cuts(field, first_name).filter(|&cut| cut > 0 || from > 0);
        starts.extend(inside.map(|cut| start + cut));
        start += field.len() + 1;
    }
    let is_glued =
        |&start: &usize| is_header(&line[start..], delimiter) && columns(&line[start..], delimiter) > 2;
    if let Some(start) = starts.into_iter().find(is_glued) {
        let row = &line[..start];
        let rows_end = row.strip_suffix("\u{feff}".as_bytes()).unwrap_or(row).len();
        return Some(NextHeader { rows_end, start });
    }
    (from == 0 && is_header(bare, delimiter)).then(whole)
}

/// Whether a field has a value, so that it is not the name of a column. Names of users may be names of columns.
fn is_value(field: &[u8]) -> bool {
    const TOKENS: [&str; 5] = ["true", "false", "N/A", "not_supported", "no_information"];
    let field = field.trim_ascii();
    let field = field.strip_prefix(b"\"").unwrap_or(field);
    let field = field.strip_suffix(b"\"").unwrap_or(field);
    field.starts_with(b"arn:")
        || Timestamp::parse(field).is_some()
        || TOKENS
            .iter()
            .any(|token| field.eq_ignore_ascii_case(token.as_bytes()))
}

/// Where the name of a column may start at the end of a field, quoted or not; longest names first. `first_name` is the
/// name with which the present header begins.
fn cuts(field: &[u8], first_name: &str) -> impl Iterator<Item = usize> {
    let quoted = usize::from(field.ends_with(b"\""));
    let text = &field[..field.len() - quoted];
    let cut_before = |name: &str| {
        let cut = text.len().checked_sub(name.len())?;
        let ends_so = text[cut..].eq_ignore_ascii_case(name.as_bytes());
        ends_so.then(|| cut.checked_sub(quoted))?
    };
    let known = Column::ALL
        .into_iter()
        .filter_map(|column| cut_before(column.name()));
    let mut cuts: Vec<usize> = known.chain(cut_before(first_name)).collect();
    cuts.sort_unstable();
    cuts.into_iter()
}

/// How many fields are names of columns.
fn columns(line: &[u8], delimiter: u8) -> usize {
    let fields = line.split(|&byte| byte == delimiter);
    fields.filter(|field| column(field).is_some()).count()
}

fn column(field: &[u8]) -> Option<Column> {
    Column::from_name(str::from_utf8(field).ok()?.trim().trim_matches('"'))
}

/// Whether a line is a header and cannot be a row: it has a flag's name, and a user's or an ARN's.
fn is_header(line: &[u8], delimiter: u8) -> bool {
    Header::parse(line).is_ok_and(|header| header.has_flag() && header.delimiter() == delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(&str, &str)> {
        let header = Header::parse(b"user,arn,mfa_active").expect("a header");
        let next = next_header(text.as_bytes(), &header)?;
        Some((&text[..next.rows_end], &text[next.start..]))
    }

    #[test]
    fn a_header_of_any_order_width_and_case() {
        let rows = "alice,arn:aws:iam::1:user/alice,true\n";
        for header in [
            "user,arn,mfa_active\nbob",
            "mfa_active,user\nbob",
            "\"arn\";\"Password_Enabled\"\r\n",
            "USER\tMFA_ACTIVE",
            "user,arn,user_creation_time,access_key_1_active\n",
        ] {
            assert_eq!(
                parts(&format!("{rows}{header}")),
                Some((rows, header)),
                "{header}"
            );
            assert_eq!(
                parts(&format!("{rows}\u{feff}{header}")),
                Some((rows, header)),
                "{header}"
            );
            assert_eq!(parts(header), Some(("", header)));
        }
    }

    #[test]
    fn a_header_glued_to_a_row() {
        for (row, header) in [
            ("alice,arn:aws:iam::1:user/alice,N/A", "user,arn,mfa_active\n"),
            (
                "alice,arn:aws:iam::1:user/alice,2026-01-01T00:00:00Z",
                "arn,user,mfa_active,x\n",
            ),
            ("\"alice\",\"x\",\"true\"", "\"user\",\"arn\",\"mfa_active\"\n"),
            ("alice,2026-01-01T00:00:00Z,N/A", "arn,user,mfa_active,x\n"),
            ("alice,arn:aws:iam::1:user/alice,N/A", "user;arn;mfa_active\n"),
            // Rows with fewer fields, with more of them, and two rows without a line break between them.
            ("alice,arn:aws:iam::1:user/alice", "user,arn,mfa_active\n"),
            (
                "\"a,b\",arn:aws:iam::1:user/a,true,false",
                "user,arn,mfa_active\n",
            ),
            (
                "a,arn:aws:iam::1:user/a,trueb,arn:aws:iam::1:user/b,N/A",
                "user,arn,mfa_active\n",
            ),
            (",alice,arn:aws:iam::1:user/alice,false", "user,arn,mfa_active\n"),
            // Another column after the first one.
            (
                "a;arn:aws:iam::1:user/a;false",
                "user_creation_time,tag,mfa_active,user,arn\n",
            ),
        ] {
            assert_eq!(parts(&format!("{row}{header}")), Some((row, header)));
            assert_eq!(parts(&format!("{row}\u{feff}{header}")), Some((row, header)));
        }
    }

    #[test]
    fn rows_are_not_headers() {
        for row in [
            "mfa_active,arn:aws:iam::1:user/mfa_active,true\n",
            "user,arn:aws:iam::1:user/user,true\n",
            "inactive,enabled,active\n",
            "user,arn\n",
            "mfa_active,password_enabled\n",
            "the user is active",
            "mfa_active,arn:aws:iam::1:user/mfa_active,true,false,arn\n",
            "alice,arn:aws:iam::1:user/alice,\"see\nuser,arn,mfa_active\nabove\"\n",
        ] {
            assert_eq!(parts(row), None, "{row}");
        }
    }
}
