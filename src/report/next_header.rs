//! Where another report begins in the middle of a CSV: reports that were written into one file one after another.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::envelope::without_byte_order_mark;
use super::header::Header;
use super::schema::Column;

/// Every header of a report contains one of these words, and hardly any row does. Every byte of every report is
/// searched for them.
static MARKS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(["_active", "_enabled"]);
    marks.expect("invariant: two short words")
});

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The beginning of a report behind another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHeader {
    /// Where the rows before it end. Further on than its line starts, where AWS's missing last line break has glued it
    /// to a row.
    pub rows_end: usize,
    /// Where the header starts.
    pub start: usize,
}

/// The first header in a text of whole lines, behind rows of a report whose header has `width` columns. `text` starts
/// where a line starts.
pub fn next_header(text: &[u8], width: usize) -> Option<NextHeader> {
    let mut searched = 0;
    for mark in MARKS.find_iter(text) {
        if mark.start() < searched {
            continue;
        }
        let is_end = |&byte: &u8| matches!(byte, b'\n' | b'\r');
        let start = text[..mark.start()]
            .iter()
            .rposition(&is_end)
            .map_or(0, |at| at + 1);
        let end = text[mark.end()..]
            .iter()
            .position(is_end)
            .map_or(text.len(), |at| mark.end() + at);
        searched = end;
        if let Some(NextHeader {
            rows_end,
            start: header,
        }) = in_line(&text[start..end], width)
        {
            return Some(NextHeader {
                rows_end: start + rows_end,
                start: start + header,
            });
        }
    }
    None
}

/// The header in a line: all of it, or what is glued behind a row.
fn in_line(line: &[u8], width: usize) -> Option<NextHeader> {
    if let Some(next) = glued(line, width) {
        return Some(next);
    }
    let bare = without_byte_order_mark(line);
    is_header(bare).then(|| NextHeader {
        rows_end: 0,
        start: line.len() - bare.len(),
    })
}

/// The header after a whole row on the same line: the name of its first column ends the row's last field. The two may
/// have different delimiters.
fn glued(line: &[u8], width: usize) -> Option<NextHeader> {
    let all = DELIMITERS.into_iter();
    let mut pairs = all.flat_map(|of_row| DELIMITERS.into_iter().map(move |of_header| (of_row, of_header)));
    pairs.find_map(|(of_row, of_header)| glued_with(line, width, (of_row, of_header)))
}

fn glued_with(line: &[u8], width: usize, (of_row, of_header): (u8, u8)) -> Option<NextHeader> {
    let before = match width.checked_sub(2) {
        None => 0,
        Some(nth) => memchr::memchr_iter(of_row, line).nth(nth)? + 1,
    };
    let mut fields = line[before..].split(|&byte| byte == of_header);
    let (field, next) = (fields.next()?, fields.next()?);
    if column(next).is_none() || column(field).is_some() {
        return None;
    }
    let start = cuts(field)
        .map(|cut| before + cut)
        .find(|&start| is_header(&line[start..]))?;
    let row = &line[..start];
    let rows_end = row.strip_suffix("\u{feff}".as_bytes()).unwrap_or(row).len();
    Some(NextHeader { rows_end, start })
}

/// Where the name of a column may start at the end of a field, quoted or not; longest names first.
fn cuts(field: &[u8]) -> impl Iterator<Item = usize> {
    let quoted = usize::from(field.ends_with(b"\""));
    let text = &field[..field.len() - quoted];
    let mut cuts: Vec<usize> = Column::ALL
        .into_iter()
        .filter_map(|column| {
            let cut = text.len().checked_sub(column.name().len())?;
            let ends_so = text[cut..].eq_ignore_ascii_case(column.name().as_bytes());
            ends_so.then(|| cut.checked_sub(quoted))?
        })
        .collect();
    cuts.sort_unstable();
    cuts.into_iter()
}

fn column(field: &[u8]) -> Option<Column> {
    Column::from_name(str::from_utf8(field).ok()?.trim().trim_matches('"'))
}

/// Whether a line is a header and cannot be a row: a flag's name is in it, and a user's or an ARN's.
fn is_header(line: &[u8]) -> bool {
    Header::parse(line).is_ok_and(|header| header.has_flag())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(&str, &str)> {
        let next = next_header(text.as_bytes(), 3)?;
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
        ] {
            assert_eq!(parts(row), None, "{row}");
        }
    }
}
