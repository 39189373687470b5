//! The header line: the delimiter of a report, and the position of each column.
//!
//! Columns are found by name, in any order. An unusual header of a credential report is accepted with issues.

use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::cell;
use super::envelope::without_byte_order_mark;
use super::issue::Issue;
use super::not_a_report::NotAReport;
use super::recognise::{is_python_bytes, recognise};
use super::schema::{Column, ColumnSet, ExtraColumn, KEY_LAST_USED, TextColumn};
use super::word::nearest;

/// More columns are refused. A report has at most 23; merged ones add a few.
const MOST_COLUMNS: usize = 256;

/// Longer header lines are refused, in bytes.
pub const LONGEST: usize = 64 * 1024;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The header of a credential report. Cheap to clone: reports of an organization share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    delimiter: u8,
    names: Arc<[String]>,
    positions: [Option<usize>; Column::WITH_DETAILS],
    extras: [Option<usize>; ExtraColumn::COUNT],
    issues: Arc<[Issue]>,
    has_underscores: bool,
    written: Arc<[u8]>,
}

impl Header {
    /// Reads the header at the start of a text: the first record that is not an empty line. Of comma, semicolon and
    /// tab, the delimiter is the one that gives the most known columns.
    pub fn parse(text: &[u8]) -> Result<Self, NotAReport> {
        Self::split(text).map(|(header, _)| header)
    }

    /// The header at the start of a text, and the bytes after it. The text must contain the whole header or more than
    /// [`LONGEST`] bytes.
    pub fn split(text: &[u8]) -> Result<(Self, &[u8]), NotAReport> {
        let blank = before_header(text);
        let whole = text;
        let text = &text[blank..];
        let head = &text[..text.len().min(LONGEST)];
        let mut best: Option<(Self, usize)> = None;
        for delimiter in DELIMITERS {
            let Some((record, length)) = first_record(head, delimiter) else {
                return Err(NotAReport::Empty);
            };
            let header = Self::of(&record, delimiter);
            let all_known = header.known() == header.width();
            if best
                .as_ref()
                .is_none_or(|(best, _)| header.known() > best.known())
            {
                best = Some((header, length));
            }
            if all_known {
                break;
            }
        }
        let (mut header, length) = best.ok_or(NotAReport::Empty)?;
        if !header.is_of_report() {
            return Err(recognise(text));
        }
        if is_python_bytes(text) {
            return Err(NotAReport::PythonBytes);
        }
        if header.has_escaped_line_breaks() {
            return Err(NotAReport::EscapedLineBreaks);
        }
        if length == head.len() && head.len() < text.len() {
            return Err(NotAReport::LongLine);
        }
        if header.width() > MOST_COLUMNS {
            return Err(recognise(text));
        }
        // To the `csv` crate, the line feed after a carriage return belongs to the next line.
        let is_crlf = text[..length].ends_with(b"\r") && text.get(length) == Some(&b'\n');
        let (written, rows) = whole.split_at(blank + length + usize::from(is_crlf));
        header.written = written.into();
        Ok((header, rows))
    }

    fn of(record: &ByteRecord, delimiter: u8) -> Self {
        let mut header = Self {
            delimiter,
            names: record
                .iter()
                .map(|name| String::from_utf8_lossy(name).trim().to_owned())
                .collect(),
            positions: [None; Column::WITH_DETAILS],
            extras: [None; ExtraColumn::COUNT],
            issues: Arc::default(),
            has_underscores: false,
            written: Arc::default(),
        };
        let mut duplicates = ColumnSet::default();
        let mut others = Vec::new();
        let Self {
            names,
            positions,
            extras,
            ..
        } = &mut header;
        for (position, name) in names.iter().enumerate() {
            match Column::from_name(name) {
                None => others.push((position, name)),
                Some(column) => match &mut positions[column.index()] {
                    free @ None => *free = Some(position),
                    Some(_) => duplicates.insert(column),
                },
            }
        }
        let mut unknown = Vec::new();
        let mut accounts = Vec::new();
        for (position, name) in others {
            let free = match (Column::from_weak_name(name), ExtraColumn::from_name(name)) {
                (Some(column), _) => &mut positions[column.index()],
                (None, Some(column)) => &mut extras[column as usize],
                (None, None) if ExtraColumn::is_account(name) => {
                    accounts.push(position);
                    continue;
                }
                (None, None) => {
                    unknown.push(name.clone());
                    continue;
                }
            };
            if free.is_none() {
                *free = Some(position);
            }
        }
        // Such a column has the ids, or the names where another one has the ids.
        for position in accounts {
            let wanted = [ExtraColumn::AccountId, ExtraColumn::AccountName];
            let free = wanted
                .into_iter()
                .find(|&column| extras[column as usize].is_none());
            if let Some(column) = free {
                extras[column as usize] = Some(position);
            }
        }
        header.has_underscores = header.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            name.contains("_active") || name.contains("_enabled")
        });
        header.issues = header.find_issues(duplicates, unknown).into();
        header
    }

    fn find_issues(&self, duplicates: ColumnSet, unknown: Vec<String>) -> Vec<Issue> {
        let mut issues = Vec::new();
        if self.delimiter != b',' {
            issues.push(Issue::Delimiter(self.delimiter));
        }
        issues.extend(duplicates.iter().map(Issue::DuplicateColumn));
        let missing = self.missing().minus(Column::OPTIONAL);
        let mut ignored = Vec::new();
        for name in unknown {
            match nearest(&name, missing.iter().map(Column::name)) {
                Some(meant) => issues.push(Issue::MisspelledColumn(name, meant)),
                None => ignored.push(name),
            }
        }
        if !ignored.is_empty() {
            issues.push(Issue::UnknownColumns(ignored));
        }
        if missing == since_2015() {
            issues.push(Issue::Before2015);
        } else if !missing.is_empty() {
            issues.push(Issue::MissingColumns(missing));
        }
        issues
    }

    /// The header of a table of service-specific credentials: each row is that of a user, followed by a credential.
    #[must_use]
    pub fn with_details(&self) -> Self {
        let mut header = self.clone();
        let mut names = self.names.to_vec();
        for column in Column::DETAILS {
            header.positions[column.index()] = Some(names.len());
            names.push(column.name().to_owned());
        }
        header.names = names.into();
        header.issues = Arc::default();
        header
    }

    /// Whether it has one of the flags that say whether a credential is active, as every report has.
    pub fn has_flag(&self) -> bool {
        let flags = |column: &Column| matches!(column, Column::Flag(_));
        let mut flags = Column::ALL.into_iter().filter(flags);
        flags.any(|column| self.position(column).is_some())
    }

    /// A report has a name or an ARN for each row, and something to evaluate.
    fn is_of_report(&self) -> bool {
        let naming = [TextColumn::User, TextColumn::Arn];
        let named = naming
            .into_iter()
            .filter(|&column| self.position(column).is_some())
            .count();
        // Other tables of users have some of the columns, too, under their own names.
        named > 0 && self.known() > named && (self.has_flag() || self.is_spelled_by_aws())
    }

    /// Whether its columns have the names that AWS gives them, in any case.
    fn is_spelled_by_aws(&self) -> bool {
        Column::ALL.into_iter().all(|column| {
            let written = self.position(column).map(|position| &self.names[position]);
            written.is_none_or(|written| written.eq_ignore_ascii_case(column.name()))
        })
    }

    /// Whether the words in the names of flags are joined by underscores, as AWS joins them.
    pub(super) fn has_underscores(&self) -> bool {
        self.has_underscores
    }

    /// Whether the line goes on behind a column with a line break that is written as two characters.
    fn has_escaped_line_breaks(&self) -> bool {
        let ends_line = |name: &String| {
            let column = name.split("\\r").next().unwrap_or_default();
            let column = column.split("\\n").next().unwrap_or_default();
            column.len() < name.len() && Column::from_name(column.trim_matches(['"', '\''])).is_some()
        };
        self.names.iter().any(ends_line)
    }

    fn known(&self) -> usize {
        self.positions.iter().flatten().count()
    }

    /// The byte between two cells: a comma, a semicolon or a tab.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// How many cells a row has.
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The position of the column's cells in a row, from 0; none where the report lacks the column.
    pub fn position(&self, column: impl Into<Column>) -> Option<usize> {
        self.positions[column.into().index()]
    }

    /// Whether only a column says which account a row is of.
    pub fn tells_accounts_apart_by_column(&self) -> bool {
        let columns = [ExtraColumn::AccountId, ExtraColumn::AccountName];
        self.position(TextColumn::Arn).is_none() && columns.iter().any(|&column| self.extra(column).is_some())
    }

    /// The position of the cells of a column that reports by AWS do not have.
    pub fn extra(&self, column: ExtraColumn) -> Option<usize> {
        self.extras[column as usize]
    }

    /// Whether it has any such column.
    pub fn has_extras(&self) -> bool {
        self.extras.iter().any(Option::is_some)
    }

    /// What the first of these rows that says it says about when the report was generated, if there is a column for it.
    pub fn first_generated(&self, rows: &[u8]) -> Option<Vec<u8>> {
        let position = self.extra(ExtraColumn::GeneratedTime)?;
        let mut reader = ReaderBuilder::new();
        let mut reader = reader
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(rows);
        let mut cells = reader.byte_records().map_while(Result::ok);
        cells.find_map(|row| {
            let cell = row.get(position).filter(|cell| cell::stands_in(cell).is_none())?;
            (!cell::text(cell).is_empty()).then(|| cell.to_vec())
        })
    }

    /// The columns that the report lacks, `additional_credentials_info` included.
    pub fn missing(&self) -> ColumnSet {
        Column::ALL
            .into_iter()
            .filter(|&column| self.position(column).is_none())
            .collect()
    }

    /// The names as written, without the blanks around them.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The bytes before the first row, as written.
    pub fn written(&self) -> &[u8] {
        &self.written
    }

    /// Its issues.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }
}

/// How many bytes a text begins with before its header: blank lines, byte order marks, and lines that say how programs
/// read it (`#TYPE` of `PowerShell`, `sep=` of Excel).
fn before_header(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let rest = without_byte_order_mark(&text[length..]);
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let first = rest.iter().position(|byte| !byte.is_ascii_whitespace());
        let before = &rest[..first.unwrap_or(rest.len())];
        let mut blank = before.iter().rposition(is_end).map_or(0, |end| end + 1);
        let line = &rest[blank..];
        let head = &line[..line.len().min(6)].to_ascii_lowercase();
        if [&b"#type "[..], b"sep=", b"\"sep="]
            .iter()
            .any(|mark| head.starts_with(mark))
        {
            let end = line.iter().position(is_end);
            blank += end.map_or(0, |end| end + 1);
        }
        let skipped = text.len() - length - rest.len() + blank;
        if skipped == 0 {
            return length;
        }
        length += skipped;
    }
}

/// The first record with this delimiter, and where it ends, in bytes.
fn first_record(text: &[u8], delimiter: u8) -> Option<(ByteRecord, usize)> {
    let mut record = ByteRecord::new();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(text);
    let found = reader.read_byte_record(&mut record).ok()?;
    let length = usize::try_from(reader.position().byte()).ok()?;
    found.then_some((record, length))
}

/// The columns that AWS added on 2015-04-22.
fn since_2015() -> ColumnSet {
    let dates = KEY_LAST_USED.date.map(Column::Time);
    let [regions, services] = [KEY_LAST_USED.region, KEY_LAST_USED.service].map(|it| it.map(Column::Text));
    dates.into_iter().chain(regions).chain(services).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schema::FlagColumn;

    fn modern() -> Vec<&'static str> {
        let columns = Column::ALL
            .into_iter()
            .filter(|&column| !Column::OPTIONAL.contains(column));
        columns.map(Column::name).collect()
    }

    #[test]
    fn a_modern_report_has_no_issues() {
        for delimiter in [",", "\",\""] {
            let line = modern().join(delimiter);
            let line = if delimiter == "," {
                line
            } else {
                format!("\"{line}\"")
            };
            for end in ["", "\n", "\r\n", "\r"] {
                let (header, rest) = (format!("{line}{end}"), "alice,x");
                let text = if end.is_empty() { header } else { header + rest };
                let (header, after) = Header::split(text.as_bytes()).unwrap();
                assert_eq!((header.delimiter(), header.width()), (b',', modern().len()));
                assert_eq!(header.issues(), []);
                assert_eq!(header.position(TextColumn::Arn), Some(1));
                assert_eq!(header.position(TextColumn::AdditionalCredentials), None);
                let rows = after.strip_prefix(b"\n").unwrap_or(after);
                assert_eq!(rows, if end.is_empty() { "" } else { rest }.as_bytes());
            }
        }
    }

    #[test]
    fn columns_in_any_order_case_and_number() {
        let header = Header::parse(b"\n\r\n MFA_Active ,account_id,\"user\",USER\n").unwrap();
        assert_eq!(header.position(FlagColumn::MfaActive), Some(0));
        assert_eq!(header.position(TextColumn::User), Some(2));
        assert_eq!(header.names(), ["MFA_Active", "account_id", "user", "USER"]);
    }

    #[test]
    fn the_delimiter_with_most_known_columns_wins() {
        for delimiter in [b';', b'\t'] {
            let mut line = modern();
            line.push("a,b");
            let line = line.join(str::from_utf8(&[delimiter]).unwrap());
            let header = Header::parse(line.as_bytes()).unwrap();
            assert_eq!(header.delimiter(), delimiter);
            assert_eq!(header.issues()[0], Issue::Delimiter(delimiter));
        }
    }

    #[test]
    fn a_report_of_2014_is_only_noted() {
        let old: Vec<_> = modern()
            .into_iter()
            .filter(|name| !name.contains("_last_used_"))
            .collect();
        assert_eq!(old.len(), modern().len() - 6);
        let header = Header::parse(old.join(",").as_bytes()).unwrap();
        assert_eq!(header.issues(), [Issue::Before2015]);
    }

    #[test]
    fn needs_a_name_and_something_to_evaluate() {
        assert!(Header::parse(b"user,mfa_active").is_ok());
        assert!(Header::parse(b"arn,mfa_active").is_ok());
        assert!(Header::parse(b"user,arn\nalice,x").is_err());
        assert!(Header::parse(b"mfa_active,password_enabled").is_err());
        assert_eq!(Header::parse(b""), Err(NotAReport::Empty));
        assert_eq!(Header::parse(b" \r\n\n"), Err(NotAReport::Empty));
    }

    #[test]
    fn hostile_headers_are_bounded() {
        let long = format!("user,mfa_active,{}\nalice,true", "x,".repeat(LONGEST));
        assert_eq!(Header::parse(long.as_bytes()), Err(NotAReport::LongLine));
        let wide = format!("user,mfa_active,{}", "\x1b,".repeat(20_000));
        assert_eq!(Header::parse(wide.as_bytes()), Err(NotAReport::PartOfHeader));
    }

    #[test]
    fn blank_lines_before_it_are_skipped() {
        for blank in [
            "\n",
            "\r\n\r\n",
            "  \n\t\n",
            "\r",
            "\n\u{feff}",
            "\u{feff}\n\u{feff}",
            "#TYPE System.Management.Automation.PSCustomObject\r\n",
            "\u{feff}#TYPE Selected.X\n\n",
            "sep=,\r\n",
        ] {
            let text = format!("{blank}user,mfa_active\nalice,true\n");
            let (header, rows) = Header::split(text.as_bytes()).expect("a header");
            assert_eq!((header.width(), rows), (2, &b"alice,true\n"[..]), "{blank:?}");
            assert_eq!(header.written(), &text.as_bytes()[..text.len() - rows.len()]);
        }
    }
}
