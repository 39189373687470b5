//! How a report writes its CSV: line ends, quotes, the spelling of times, the columns. With it, the typed cells of an
//! archived row become its CSV again, byte for byte, and the encoder knows which cells must be stored as written.

use serde::{Deserialize, Serialize};

use crate::report::header::Header;
use crate::report::schema::{
    ACCESS_KEY, CERTIFICATE, Column, ColumnSet, FlagColumn, KEY_LAST_USED, Slot, TextColumn, TimeColumn,
};
use crate::report::time::Timestamp;

/// How many columns of each kind a report can have.
pub(super) const TIMES: usize = TimeColumn::IN_REPORT;
pub(super) const FLAGS: usize = FlagColumn::IN_REPORT;
pub(super) const TEXTS: usize = Column::COUNT - TIMES - FLAGS;

/// The CSV of a typed cell that is null.
pub(super) const ABSENT: &[u8] = b"N/A";

/// The line end of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum LineEnd {
    #[serde(rename = "lf")]
    LineFeed,
    #[serde(rename = "crlf")]
    CarriageReturn,
}

impl LineEnd {
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::LineFeed => b"\n",
            Self::CarriageReturn => b"\r\n",
        }
    }
}

/// How the times of a report end: AWS wrote `+00:00` until 2024, and `Z` since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum UtcSuffix {
    #[serde(rename = "Z")]
    Letter,
    #[serde(rename = "+00:00")]
    Offset,
}

impl UtcSuffix {
    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Letter => b"Z",
            Self::Offset => b"+00:00",
        }
    }

    /// The suffix of a cell, if the cell is a time as AWS writes it.
    pub(super) fn of(cell: &[u8]) -> Option<Self> {
        [Self::Letter, Self::Offset]
            .into_iter()
            .find(|utc| cell.ends_with(utc.bytes()) && cell.len() == 19 + utc.bytes().len())
    }
}

/// Whether a report quotes every cell, or only those that need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Quotes {
    Needed,
    Always,
}

/// The style of a report's CSV. Cells and rows with another style are stored as written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CsvStyle {
    pub(super) utc: UtcSuffix,
    pub(super) line_end: LineEnd,
    pub(super) quotes: Quotes,
}

/// How a report writes its rows.
#[derive(Clone, Debug)]
pub(super) struct CsvFormat {
    pub(super) style: CsvStyle,
    delimiter: u8,
    /// By position in the row, the typed column that stores the cell; none where the cell is always stored as written:
    /// in columns that no credential report has, and in those that are there twice.
    columns: Vec<Option<Column>>,
    names: Vec<String>,
    /// By position, the one of [`CREDENTIAL_RUNS`] that begins there, and its CSV for a credential that does not exist.
    runs: Vec<Option<(usize, Vec<u8>)>>,
}

/// Neighbouring columns of credentials that most users do not have: such cells are written in one go.
pub(super) const CREDENTIAL_RUNS: [&[Column]; 3] = [&key(Slot::One), &key(Slot::Two), &CERTIFICATES];

const fn key(slot: Slot) -> [Column; 5] {
    let at = slot as usize;
    [
        Column::Flag(ACCESS_KEY.active[at]),
        Column::Time(ACCESS_KEY.last_rotated[at]),
        Column::Time(KEY_LAST_USED.date[at]),
        Column::Text(KEY_LAST_USED.region[at]),
        Column::Text(KEY_LAST_USED.service[at]),
    ]
}

const CERTIFICATES: [Column; 4] = {
    let ([active_1, active_2], [created_1, created_2]) = (CERTIFICATE.active, CERTIFICATE.last_rotated);
    [
        Column::Flag(active_1),
        Column::Time(created_1),
        Column::Flag(active_2),
        Column::Time(created_2),
    ]
};

/// The typed cells of a row: times in seconds, `None` for cells that are absent or unknown.
pub(super) trait TypedCells {
    fn time(&self, column: TimeColumn) -> Option<i64>;

    fn flag(&self, column: FlagColumn) -> Option<bool>;

    fn text(&self, column: TextColumn) -> Option<&[u8]>;

    /// Whether in one of [`CREDENTIAL_RUNS`] every flag is false and every other cell is null.
    fn is_unused(&self, run: usize) -> bool;
}

impl TypedCells for TypedRow<'_> {
    fn time(&self, column: TimeColumn) -> Option<i64> {
        self.times[column as usize]
    }

    fn flag(&self, column: FlagColumn) -> Option<bool> {
        self.flags[column as usize]
    }

    fn text(&self, column: TextColumn) -> Option<&[u8]> {
        self.texts[column as usize]
    }

    fn is_unused(&self, _: usize) -> bool {
        false
    }
}

/// By position, the cells that differ from the CSV of their typed cells; empty if none does.
pub(super) type WrittenCells = Vec<Option<Box<[u8]>>>;

/// Typed cells on their way into the archive.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TypedRow<'a> {
    pub(super) times: [Option<i64>; TIMES],
    pub(super) flags: [Option<bool>; FLAGS],
    pub(super) texts: [Option<&'a [u8]>; TEXTS],
}

impl CsvFormat {
    /// The format of a report with this header, in a file that has these typed columns.
    pub(super) fn new(header: &Header, typed: ColumnSet, style: CsvStyle) -> Self {
        let mut columns = vec![None; header.width()];
        for column in typed.iter() {
            if let Some(position) = header.position(column) {
                columns[position] = Some(column);
            }
        }
        let mut names = Vec::<String>::with_capacity(columns.len());
        for (position, (written, column)) in header.names().iter().zip(&columns).enumerate() {
            let mut name = column.map_or_else(|| written.clone(), |column| column.name().to_owned());
            let is_typed = |name: &str| Column::from_name(name).is_some_and(|column| typed.contains(column));
            while names.contains(&name) || (column.is_none() && is_typed(&name)) {
                name = format!("{name}#{}", position + 1);
            }
            names.push(name);
        }
        let mut format = Self {
            style,
            delimiter: header.delimiter(),
            runs: vec![None; columns.len()],
            columns,
            names,
        };
        for (run, credential) in CREDENTIAL_RUNS.iter().enumerate() {
            let wanted: Vec<_> = credential.iter().copied().map(Some).collect();
            let mut windows = format.columns.windows(wanted.len());
            if let Some(first) = windows.position(|columns| columns == wanted) {
                format.runs[first] = Some((run, format.unused(credential)));
            }
        }
        format
    }

    /// The CSV of these columns for a credential that does not exist.
    fn unused(&self, columns: &[Column]) -> Vec<u8> {
        let nothing = TypedRow {
            flags: [Some(false); FLAGS],
            ..TypedRow::default()
        };
        let mut text = Vec::new();
        for (index, &column) in columns.iter().enumerate() {
            if index > 0 {
                text.push(self.delimiter);
            }
            self.write_typed(column, &nothing, &mut text);
        }
        text
    }

    /// The typed column of each position, if it has one.
    pub(super) fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }

    /// The name of each position; no two are the same.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes a row as it is in the report. `written` has, by position, the cells that differ from the CSV of their
    /// typed cells; it is empty if none does.
    pub(super) fn write_row(&self, row: &impl TypedCells, written: &[Option<Box<[u8]>>], out: &mut Vec<u8>) {
        let mut position = 0;
        while position < self.columns.len() {
            if position > 0 {
                out.push(self.delimiter);
            }
            if let Some((run, text)) = &self.runs[position]
                && written.is_empty()
                && row.is_unused(*run)
            {
                out.extend_from_slice(text);
                position += CREDENTIAL_RUNS[*run].len();
                continue;
            }
            let cell = written.get(position).and_then(Option::as_deref);
            match (cell, self.columns[position]) {
                (Some(cell), _) => self.write_cell(cell, out),
                (None, Some(column)) => self.write_typed(column, row, out),
                (None, None) => self.write_cell(b"", out),
            }
            position += 1;
        }
        out.extend_from_slice(self.style.line_end.bytes());
    }

    fn write_typed(&self, column: Column, row: &impl TypedCells, out: &mut Vec<u8>) {
        let quote = self.style.quotes == Quotes::Always;
        if let Column::Text(text) = column
            && let Some(text) = row.text(text)
        {
            return self.write_cell(text, out);
        }
        if quote {
            out.push(b'"');
        }
        match column {
            Column::Time(time) => match row.time(time) {
                Some(seconds) => self.write_time(seconds, out),
                None => out.extend_from_slice(ABSENT),
            },
            Column::Flag(flag) => out.extend_from_slice(flag_word(row.flag(flag))),
            Column::Text(_) => out.extend_from_slice(ABSENT),
        }
        if quote {
            out.push(b'"');
        }
    }

    /// Writes a time as the report does.
    pub(super) fn write_time(&self, seconds: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(&Timestamp(seconds).digits());
        out.extend_from_slice(self.style.utc.bytes());
    }

    /// Whether a cell needs quotes. Compares eight bytes at a time; the last eight may overlap those before.
    fn is_special(&self, cell: &[u8]) -> bool {
        let any =
            |word: u64| has(word, self.delimiter) | has(word, b'"') | has(word, b'\n') | has(word, b'\r');
        let (words, rest) = cell.as_chunks::<8>();
        let found = words
            .iter()
            .fold(0, |found, word| found | any(u64::from_le_bytes(*word)));
        // Padded with a byte that is never special.
        let mut last = [b'_'; 8];
        last[..rest.len()].copy_from_slice(rest);
        let last = cell.last_chunk::<8>().copied().unwrap_or(last);
        found | any(u64::from_le_bytes(last)) != 0
    }

    fn write_cell(&self, cell: &[u8], out: &mut Vec<u8>) {
        if self.style.quotes == Quotes::Needed && !self.is_special(cell) {
            return out.extend_from_slice(cell);
        }
        out.push(b'"');
        for &byte in cell {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

/// Not zero if one of the eight bytes is this one.
fn has(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    let zero = word ^ (LOW * u64::from(byte));
    zero.wrapping_sub(LOW) & !zero & (LOW << 7)
}

/// The CSV of a flag.
pub(super) fn flag_word(flag: Option<bool>) -> &'static [u8] {
    match flag {
        Some(true) => b"true",
        Some(false) => b"false",
        None => ABSENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> ColumnSet {
        Column::ALL.into_iter().collect()
    }

    fn style(quotes: Quotes) -> CsvStyle {
        CsvStyle {
            utc: UtcSuffix::Letter,
            line_end: LineEnd::CarriageReturn,
            quotes,
        }
    }

    #[test]
    fn names_are_unique() {
        let header = Header::parse(b"user,arn,mfa_active,user,owner,owner,MFA_ACTIVE").expect("a header");
        let format = CsvFormat::new(&header, all(), style(Quotes::Needed));
        assert_eq!(
            format.names(),
            [
                "user",
                "arn",
                "mfa_active",
                "user#4",
                "owner",
                "owner#6",
                "MFA_ACTIVE#7"
            ]
        );
        assert_eq!(format.columns()[3], None);
    }

    /// In a file from before a column was known, its cells are stored as written, under the name in the header.
    #[test]
    fn a_column_newer_than_the_file() {
        let header = Header::parse(b"user,MFA_Active,password_enabled").expect("a header");
        let newer = ColumnSet::of(Column::Flag(FlagColumn::MfaActive));
        let format = CsvFormat::new(&header, all().minus(newer), style(Quotes::Needed));
        assert_eq!(format.names(), ["user", "MFA_Active", "password_enabled"]);
        let written = [None, Some(Box::from(*b"TRUE")), None];
        let mut csv = Vec::new();
        format.write_row(&TypedRow::default(), &written, &mut csv);
        assert_eq!(csv, b"N/A,TRUE,N/A\r\n");
    }

    #[test]
    fn quotes_needed_or_always() {
        let header = Header::parse(b"user,mfa_active,user_creation_time,owner").expect("a header");
        let row = TypedRow {
            texts: [Some(b"a,\"b\""), None, None, None, None, None, None],
            ..TypedRow::default()
        };
        let csv = |quotes| {
            let mut out = Vec::new();
            let written = [None, None, None, Some(Box::from(*b"x"))];
            CsvFormat::new(&header, all(), style(quotes)).write_row(&row, &written, &mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(csv(Quotes::Needed), "\"a,\"\"b\"\"\",N/A,N/A,x\r\n");
        assert_eq!(csv(Quotes::Always), "\"a,\"\"b\"\"\",\"N/A\",\"N/A\",\"x\"\r\n");
    }
}
