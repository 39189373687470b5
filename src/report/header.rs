//! The header line: which delimiter a report uses, and where each column stands.
//!
//! Columns are found by name, in any order. What is odd about a header is told, never refused, as long as
//! it is the header of a credential report.

use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::not_a_report::{NotAReport, shown};
use super::schema::{Column, ColumnSet, TextColumn, TimeColumn};

/// Most columns of a report. A report has 23; merged ones add a few.
const MOST_COLUMNS: usize = 256;

/// Longest header line that is read, in bytes.
pub const LONGEST: usize = 64 * 1024;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The header of a credential report. Cheap to clone: reports of an organization have the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    delimiter: u8,
    names: Arc<[String]>,
    positions: [Option<usize>; Column::COUNT],
    oddities: Arc<[Oddity]>,
    written: Arc<[u8]>,
}

/// Something odd about a header; becomes a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// The delimiter is no comma.
    Delimiter(u8),
    /// The column stands there more than once; the first counts.
    Duplicate(Column),
    /// Columns that no credential report has, as written; they are not read.
    Unknown(Vec<String>),
    /// Exactly the six columns are missing that AWS added in April 2015.
    Before2015,
    /// Columns that are missing otherwise.
    Missing(ColumnSet),
}

impl Header {
    /// Reads the header at the start of a text: the first record that is no empty line. Tries comma,
    /// semicolon and tab, and takes the delimiter that yields the most known columns.
    pub fn parse(text: &[u8]) -> Result<Self, NotAReport> {
        Self::split(text).map(|(header, _)| header)
    }

    /// The header at the start of a text, and the bytes behind it. The text must reach to the header's end
    /// or hold more than [`LONGEST`] bytes.
    pub fn split(text: &[u8]) -> Result<(Self, &[u8]), NotAReport> {
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
            return Err(NotAReport::recognise(text));
        }
        if length == head.len() && head.len() < text.len() {
            return Err(NotAReport::LongLine);
        }
        if header.width() > MOST_COLUMNS {
            return Err(NotAReport::recognise(text));
        }
        // The `csv` crate takes the line feed behind a carriage return for the next line's begin.
        let is_crlf = text[..length].ends_with(b"\r") && text.get(length) == Some(&b'\n');
        let (written, rows) = text.split_at(length + usize::from(is_crlf));
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
            positions: [None; Column::COUNT],
            oddities: Arc::default(),
            written: Arc::default(),
        };
        let mut duplicates = ColumnSet::default();
        let mut unknown = Vec::new();
        let positions = &mut header.positions;
        for (position, name) in header.names.iter().enumerate() {
            match Column::from_name(name) {
                None => unknown.push(name.clone()),
                Some(column) => match &mut positions[column.index()] {
                    free @ None => *free = Some(position),
                    Some(_) => duplicates.insert(column),
                },
            }
        }
        header.oddities = header.judge(duplicates, unknown).into();
        header
    }

    fn judge(&self, duplicates: ColumnSet, unknown: Vec<String>) -> Vec<Oddity> {
        let mut oddities = Vec::new();
        if self.delimiter != b',' {
            oddities.push(Oddity::Delimiter(self.delimiter));
        }
        oddities.extend(duplicates.iter().map(Oddity::Duplicate));
        if !unknown.is_empty() {
            oddities.push(Oddity::Unknown(unknown));
        }
        let missing = self.missing().minus(Column::OPTIONAL);
        if missing == since_2015() {
            oddities.push(Oddity::Before2015);
        } else if !missing.is_empty() {
            oddities.push(Oddity::Missing(missing));
        }
        oddities
    }

    /// A name or an ARN to tell rows apart, and something to judge.
    fn is_of_report(&self) -> bool {
        let naming = [TextColumn::User, TextColumn::Arn];
        let named = naming
            .into_iter()
            .filter(|&column| self.position(column).is_some())
            .count();
        named > 0 && self.known() > named
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

    /// Where the column's cells stand in a row, from 0; none where the report lacks the column.
    pub fn position(&self, column: impl Into<Column>) -> Option<usize> {
        self.positions[column.into().index()]
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

    /// All that stands before the first row, as it stands there.
    pub fn written(&self) -> &[u8] {
        &self.written
    }

    /// What is odd about it.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }
}

/// The first record by this delimiter, and its length in bytes with all that stands before it.
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

/// The columns that reports have since 2015-04-22.
fn since_2015() -> ColumnSet {
    [
        Column::Time(TimeColumn::Key1LastUsed),
        Column::Text(TextColumn::Key1LastUsedRegion),
        Column::Text(TextColumn::Key1LastUsedService),
        Column::Time(TimeColumn::Key2LastUsed),
        Column::Text(TextColumn::Key2LastUsedRegion),
        Column::Text(TextColumn::Key2LastUsedService),
    ]
    .into_iter()
    .collect()
}

impl Oddity {
    /// What kind of oddity, in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Delimiter(_) => "delimiter",
            Self::Duplicate(_) => "duplicate-column",
            Self::Unknown(_) => "unknown-columns",
            Self::Before2015 | Self::Missing(_) => "missing-columns",
        }
    }

    /// Whether it may change what is found; otherwise it is good to know.
    pub const fn is_warning(&self) -> bool {
        match self {
            Self::Duplicate(_) | Self::Missing(_) => true,
            Self::Delimiter(_) | Self::Unknown(_) | Self::Before2015 => false,
        }
    }

    /// The column that it is about, if it is one.
    pub const fn column(&self) -> Option<Column> {
        match self {
            Self::Duplicate(column) => Some(*column),
            Self::Delimiter(_) | Self::Unknown(_) | Self::Before2015 | Self::Missing(_) => None,
        }
    }

    /// One sentence for people, bounded and without control characters.
    pub fn message(&self) -> String {
        match self {
            Self::Delimiter(delimiter) => {
                let name = if *delimiter == b';' { "semicolons" } else { "tabs" };
                format!("cells are parted by {name}, not commas: probably saved by a spreadsheet")
            }
            Self::Duplicate(column) => format!(
                "the column '{}' stands in the header more than once; the first one is read",
                column.name()
            ),
            Self::Unknown(names) => {
                let names = list(names.iter().map(|name| shown(name, 40)));
                format!("columns that no credential report has are not read: {names}")
            }
            Self::Before2015 => {
                "a report from before April 2015: it does not tell when, where and for what access \
                 keys were last used"
                    .to_owned()
            }
            Self::Missing(columns) => {
                let names = list(columns.iter().map(|column| column.name().to_owned()));
                format!("columns are missing, so that what depends on them is undetermined: {names}")
            }
        }
    }
}

/// `a, b, c and 4 more`
fn list(mut names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 25;
    let told: Vec<String> = names.by_ref().take(MOST).collect();
    match names.count() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schema::FlagColumn;

    fn modern() -> Vec<&'static str> {
        Column::ALL[..22].iter().map(|column| column.name()).collect()
    }

    #[test]
    fn a_modern_report_has_nothing_odd() {
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
                assert_eq!((header.delimiter(), header.width()), (b',', 22));
                assert_eq!(header.oddities(), []);
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
        let codes: Vec<_> = header
            .oddities()
            .iter()
            .map(|oddity| (oddity.code(), oddity.is_warning()))
            .collect();
        let expected = [
            ("duplicate-column", true),
            ("unknown-columns", false),
            ("missing-columns", true),
        ];
        assert_eq!(codes, expected);
        assert_eq!(
            header.oddities()[0].column(),
            Some(Column::Text(TextColumn::User))
        );
    }

    #[test]
    fn the_delimiter_with_most_known_columns_wins() {
        for (delimiter, named) in [(b';', "semicolons"), (b'\t', "tabs")] {
            let mut line = modern();
            line.push("a,b");
            let line = line.join(str::from_utf8(&[delimiter]).unwrap());
            let header = Header::parse(line.as_bytes()).unwrap();
            assert_eq!(header.delimiter(), delimiter);
            assert!(header.oddities()[0].message().contains(named));
        }
    }

    #[test]
    fn a_report_of_2014_is_only_noted() {
        let old: Vec<_> = modern()
            .into_iter()
            .filter(|name| !name.contains("_last_used_"))
            .collect();
        assert_eq!(old.len(), 16);
        let header = Header::parse(old.join(",").as_bytes()).unwrap();
        assert_eq!(header.oddities(), [Oddity::Before2015]);
        assert!(!Oddity::Before2015.is_warning());
    }

    #[test]
    fn needs_a_name_and_something_to_judge() {
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
        assert!(matches!(
            Header::parse(wide.as_bytes()),
            Err(NotAReport::OtherColumns(_))
        ));
        let wide = format!("user,mfa_active,{}", "\x1b,".repeat(200));
        let header = Header::parse(wide.as_bytes()).unwrap();
        for oddity in header.oddities() {
            assert!(oddity.message().len() < 1_000);
            assert!(!oddity.message().contains('\x1b'));
        }
    }
}
