//! Recognises inputs that are not a credential report, and says what to do about them.

use super::escape::shown;

/// An input is not a credential report. The message says what it is instead and what to do; it is one bounded line
/// without control characters of the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAReport {
    /// Only blanks.
    #[error("an empty file, not a credential report; fetch the report again")]
    Empty,
    /// A table of other data.
    #[error(
        "a CSV with {0}, not a credential report, whose header is 'user,arn,user_creation_time,…'; \
         if the header line was removed, add it again"
    )]
    OtherColumns(String),
    /// Text without a delimiter in its first line.
    #[error(
        "text that starts with '{0}', not a credential report, whose header is 'user,arn,user_creation_time,…'"
    )]
    Text(String),
    /// A first line that is longer than any header.
    #[error(
        "its first line is longer than {} KiB, so it is not a credential report, whose header is 'user,arn,…'",
        super::header::LONGEST / 1024
    )]
    LongLine,
    /// A header, and no row.
    #[error("a header without a single user: every report has at least root's row; fetch the report again")]
    NoUsers,
    /// JSON of other data, or broken JSON.
    #[error("JSON without a report ({0}); save the output of 'aws iam get-credential-report'")]
    Json(String),
    /// JSON of something else.
    #[error("JSON without a report; save the output of 'aws iam get-credential-report'")]
    OtherJson,
    /// An output of this program.
    #[error("an output of credlens, not a credential report")]
    OwnOutput,
    /// A report on one line, whose line breaks are written as two characters each.
    #[error(
        "a credential report whose line breaks are written as \\n; turn them into line breaks, for instance with \
         printf '%b'"
    )]
    EscapedLineBreaks,
    /// Rows without a header.
    #[error("rows of a credential report without its header line; put 'user,arn,user_creation_time,…' back")]
    Headerless,
    /// The response of the call that starts a report.
    #[error(
        "the response of 'aws iam generate-credential-report', which has no report; \
         save the output of 'aws iam get-credential-report'"
    )]
    Generation,
    /// YAML of other data.
    #[error("YAML without a Content; save the output of 'aws iam get-credential-report'")]
    Yaml,
    /// `Content`, or the whole input, is base64 that cannot be decoded.
    #[error("its base64 is damaged ({0}); fetch the report again")]
    Base64(String),
    /// `str()` of a Python bytes object.
    #[error(
        "a report written as a Python bytes literal (b'…'); write the bytes themselves, or decode() them"
    )]
    PythonBytes,
    /// UTF-16 with an odd length or lone surrogates, or without a byte order mark.
    #[error("damaged UTF-16, or UTF-16 without a byte order mark; save it as UTF-8")]
    Utf16,
    /// A web page.
    #[error("an HTML page, not a credential report; download the report itself (CSV)")]
    Html,
    /// XML, such as an error of AWS.
    #[error("an XML document, not a credential report; save the output of 'aws iam get-credential-report'")]
    Xml,
    /// An error message of the AWS CLI.
    #[error(
        "a message of the AWS CLI, not a credential report: '{0}'; solve that problem and fetch the report again"
    )]
    CliMessage(String),
    /// `--output table` of the AWS CLI.
    #[error("a table drawn by the AWS CLI; save the output with '--output json'")]
    CliTable,
    /// An archive, or an unsupported compression.
    #[error("{0}; unpack it first")]
    Packed(&'static str),
    /// Bytes that are not text.
    #[error("{0}, not a credential report")]
    Binary(&'static str),
}

const PACKED: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
];

const BINARY: [(&[u8], &str); 3] = [
    (b"PAR1", "Parquet data"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\0", "an SQLite database"),
];

/// Parts of the AWS CLI's error messages.
const CLI_MESSAGES: [&str; 7] = [
    "An error occurred (",
    "Unable to locate credentials",
    "Unable to parse config file",
    "Could not connect to the endpoint",
    "The config profile (",
    "usage: aws",
    "aws: error:",
];

/// How many bytes at the beginning of an input are examined.
const EXAMINED: usize = 2_048;

impl NotAReport {
    /// What an input is whose first record is not the header of a report.
    pub(super) fn recognise(bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(EXAMINED)];
        let known = |table: &[(&[u8], &'static str)]| {
            let entry = table.iter().find(|(magic, _)| head.starts_with(magic));
            entry.map(|&(_, name)| name)
        };
        if let Some(name) = known(&PACKED) {
            return Self::Packed(name);
        }
        if let Some(name) = known(&BINARY) {
            return Self::Binary(name);
        }
        if head.contains(&0) {
            return Self::with_nul(head);
        }
        let text = String::from_utf8_lossy(head);
        Self::of_text(text.trim())
    }

    fn with_nul(head: &[u8]) -> Self {
        // A header in UTF-16 is ASCII with a zero beside each letter.
        let (pairs, _) = head.as_chunks::<2>();
        let letters = pairs.iter().take(8);
        if pairs.is_empty()
            || !letters
                .into_iter()
                .all(|[one, other]| (*one == 0) != (*other == 0))
        {
            return Self::Binary("binary data");
        }
        Self::Utf16
    }

    fn of_text(text: &str) -> Self {
        let first_line = text.lines().next().unwrap_or_default();
        if text.is_empty() {
            return Self::Empty;
        }
        if let Some(line) = text
            .lines()
            .find(|line| CLI_MESSAGES.iter().any(|message| line.contains(message)))
        {
            return Self::CliMessage(shown(line, 120));
        }
        if text.starts_with("---") && text.contains("GetCredentialReport") {
            return Self::CliTable;
        }
        if text.starts_with("b'") || text.starts_with("b\"") {
            return Self::PythonBytes;
        }
        if text.starts_with('<') {
            let lower = text.to_ascii_lowercase();
            let html = lower.contains("<html") || lower.contains("<!doctype html");
            return if html { Self::Html } else { Self::Xml };
        }
        Self::other_columns(&first_line.split([',', ';', '\t']).collect::<Vec<_>>())
    }

    fn other_columns(names: &[&str]) -> Self {
        const MOST: usize = 4;
        if let [line] = names {
            return Self::Text(shown(line.trim(), 40));
        }
        let mut shown: Vec<String> = names
            .iter()
            .take(MOST)
            .map(|name| format!("'{}'", shown(name.trim().trim_matches('"'), 24)))
            .collect();
        if names.len() > MOST {
            shown.push("…".to_owned());
        }
        Self::OtherColumns(format!("{} columns ({})", names.len(), shown.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_the_input_is() {
        for (bytes, found) in [
            (&b" \n"[..], "an empty file"),
            (b"name,age\nx,1\n", "a CSV with 2 columns ('name', 'age')"),
            (b"# Notes\n- x, y\n", "text that starts with '# Notes', not"),
            (b"<!DOCTYPE html><p>", "an HTML page"),
            (b"<?xml version='1.0'?><ErrorResponse>", "an XML document"),
            (
                b"PK\x03\x04rest",
                "a zip archive or a spreadsheet; unpack it first",
            ),
            (b"PAR1....", "Parquet data"),
            (b"\x7fELF\x00\x01\x02", "binary data"),
            (b"u\0s\0e\0r\0", "damaged UTF-16, or UTF-16 without"),
            (
                b"\nAn error occurred (ReportNotPresent) when calling",
                "a message of the AWS CLI",
            ),
            (b"---\n|  GetCredentialReport  |", "a table drawn by the AWS CLI"),
            (
                b"b'user,arn\\nalice'",
                "a report written as a Python bytes literal",
            ),
        ] {
            let message = NotAReport::recognise(bytes).to_string();
            assert!(message.starts_with(found), "{message}");
        }
    }

    #[test]
    fn messages_are_bounded_and_without_control_characters() {
        let hostile = format!("\x1b[31m\u{202e}{},b,c,d,e", "x".repeat(5_000));
        let message = NotAReport::recognise(hostile.as_bytes()).to_string();
        assert!(message.chars().count() < 250, "{message}");
        assert!(!message.contains(['\x1b', '\u{202e}']), "{message}");
    }
}
