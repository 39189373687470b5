//! How a report spells its cells: what a typed cell looks like in its CSV, so that the CSV can be written again
//! byte for byte, and which cells that does not give back.

use serde::{Deserialize, Serialize};

use crate::report::header::Header;
use crate::report::schema::{Column, FlagColumn, TextColumn, TimeColumn};
use crate::report::time::Timestamp;
use {FlagColumn as F, TextColumn as X, TimeColumn as T};

/// How often each kind of column can stand in a report.
pub(super) const TIMES: usize = TimeColumn::COUNT;
pub(super) const FLAGS: usize = FlagColumn::COUNT;
pub(super) const TEXTS: usize = Column::COUNT - TIMES - FLAGS;

/// What a report writes where a typed cell is null.
pub(super) const ABSENT: &[u8] = b"N/A";

/// How a report ends its lines.
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

/// How a report ends its times: AWS wrote `+00:00` until 2024, and has written `Z` since.
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

    /// What a cell ends in, if it is a time as AWS writes it.
    pub(super) fn of(cell: &[u8]) -> Option<Self> {
        [Self::Letter, Self::Offset]
            .into_iter()
            .find(|utc| cell.ends_with(utc.bytes()) && cell.len() == 19 + utc.bytes().len())
    }
}

/// Whether a report puts every cell in quotes, or those alone that need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Quotes {
    Needed,
    Always,
}

/// What stands at one place of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CsvColumn {
    /// A cell that a typed column holds.
    Typed(Column),
    /// A column that no credential report has, or one that stands there again.
    AsWritten,
}

/// How a report spells its rows.
#[derive(Clone, Debug)]
pub(super) struct CsvFormat {
    pub(super) utc: UtcSuffix,
    pub(super) line_end: LineEnd,
    pub(super) quotes: Quotes,
    delimiter: u8,
    columns: Vec<CsvColumn>,
    names: Vec<String>,
    /// By place, the one of [`CREDENTIAL_RUNS`] that begins there, and what it says where it is unused.
    runs: Vec<Option<(usize, Vec<u8>)>>,
}

/// Columns that stand side by side in a report, and most often all say that there is nothing.
pub(super) const CREDENTIAL_RUNS: [&[Column]; 3] = [
    &[
        Column::Flag(F::Key1Active),
        Column::Time(T::Key1LastRotated),
        Column::Time(T::Key1LastUsed),
        Column::Text(X::Key1LastUsedRegion),
        Column::Text(X::Key1LastUsedService),
    ],
    &[
        Column::Flag(F::Key2Active),
        Column::Time(T::Key2LastRotated),
        Column::Time(T::Key2LastUsed),
        Column::Text(X::Key2LastUsedRegion),
        Column::Text(X::Key2LastUsedService),
    ],
    &[
        Column::Flag(F::Cert1Active),
        Column::Time(T::Cert1LastRotated),
        Column::Flag(F::Cert2Active),
        Column::Time(T::Cert2LastRotated),
    ],
];

/// A row's typed cells: times in seconds, nulls where a cell is absent or unknown.
pub(super) trait TypedCells {
    /// A time.
    fn time(&self, column: TimeColumn) -> Option<i64>;

    /// A flag.
    fn flag(&self, column: FlagColumn) -> Option<bool>;

    /// A text.
    fn text(&self, column: TextColumn) -> Option<&[u8]>;

    /// Whether all flags of one of [`CREDENTIAL_RUNS`] are false, and all else in it is null.
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

/// Typed cells one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TypedRow<'a> {
    pub(super) times: [Option<i64>; TIMES],
    pub(super) flags: [Option<bool>; FLAGS],
    pub(super) texts: [Option<&'a [u8]>; TEXTS],
}

impl CsvFormat {
    /// Of a report with this header.
    pub(super) fn new(header: &Header, utc: UtcSuffix, line_end: LineEnd, quotes: Quotes) -> Self {
        let columns: Vec<_> = (0..header.width())
            .map(|place| column_at(header, place))
            .collect();
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for (place, written) in header.names().iter().enumerate() {
            let mut name = match columns[place] {
                CsvColumn::Typed(column) => column.name().to_owned(),
                CsvColumn::AsWritten => written.clone(),
            };
            // A name that is there already: each place needs one of its own.
            while names.contains(&name)
                || (columns[place] == CsvColumn::AsWritten && Column::from_name(&name).is_some())
            {
                name = format!("{name}#{}", place + 1);
            }
            names.push(name);
        }
        let mut format = Self {
            utc,
            line_end,
            quotes,
            delimiter: header.delimiter(),
            runs: vec![None; columns.len()],
            columns,
            names,
        };
        for (run, credential) in CREDENTIAL_RUNS.iter().enumerate() {
            let typed = |&column: &Column| CsvColumn::Typed(column);
            let wanted: Vec<_> = credential.iter().map(typed).collect();
            if let Some(at) = format
                .columns
                .windows(wanted.len())
                .position(|places| places == wanted)
            {
                format.runs[at] = Some((run, format.unused(credential)));
            }
        }
        format
    }

    /// What these columns say where there is nothing.
    fn unused(&self, columns: &[Column]) -> Vec<u8> {
        let nothing = TypedRow {
            flags: [Some(false); FLAGS],
            ..TypedRow::default()
        };
        let mut text = Vec::new();
        for (place, &column) in columns.iter().enumerate() {
            if place > 0 {
                text.push(self.delimiter);
            }
            self.write_typed(column, &nothing, &mut text);
        }
        text
    }

    /// What stands at each place of a row.
    pub(super) fn columns(&self) -> &[CsvColumn] {
        &self.columns
    }

    /// The name of each place, no two alike.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes a row as the report has it. `written` are the cells, by place, that are not what their typed
    /// cells spell; there may be none at all.
    pub(super) fn write_row(&self, row: &impl TypedCells, written: &[Option<Box<[u8]>>], out: &mut Vec<u8>) {
        let mut place = 0;
        while place < self.columns.len() {
            if place > 0 {
                out.push(self.delimiter);
            }
            if let Some((run, text)) = &self.runs[place]
                && written.is_empty()
                && row.is_unused(*run)
            {
                out.extend_from_slice(text);
                place += CREDENTIAL_RUNS[*run].len();
                continue;
            }
            match (written.get(place).and_then(Option::as_deref), self.columns[place]) {
                (Some(cell), _) => self.write_cell(cell, out),
                (None, CsvColumn::Typed(column)) => self.write_typed(column, row, out),
                (None, CsvColumn::AsWritten) => self.write_cell(b"", out),
            }
            place += 1;
        }
        out.extend_from_slice(self.line_end.bytes());
    }

    fn write_typed(&self, column: Column, row: &impl TypedCells, out: &mut Vec<u8>) {
        let quote = self.quotes == Quotes::Always;
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

    /// Writes an instant as the report does.
    pub(super) fn write_time(&self, seconds: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(&Timestamp(seconds).digits());
        out.extend_from_slice(self.utc.bytes());
    }

    /// Whether a cell needs quotes. Eight bytes a compare; the last eight may overlap those before.
    fn is_special(&self, cell: &[u8]) -> bool {
        let any =
            |word: u64| has(word, self.delimiter) | has(word, b'"') | has(word, b'\n') | has(word, b'\r');
        let (words, rest) = cell.as_chunks::<8>();
        let found = words
            .iter()
            .fold(0, |found, word| found | any(u64::from_le_bytes(*word)));
        // Filled up with a byte that is never special.
        let mut last = [b'_'; 8];
        last[..rest.len()].copy_from_slice(rest);
        let last = cell.last_chunk::<8>().copied().unwrap_or(last);
        found | any(u64::from_le_bytes(last)) != 0
    }

    fn write_cell(&self, cell: &[u8], out: &mut Vec<u8>) {
        if self.quotes == Quotes::Needed && !self.is_special(cell) {
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

/// Not zero where one of the eight bytes is this one.
fn has(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    let zero = word ^ (LOW * u64::from(byte));
    zero.wrapping_sub(LOW) & !zero & (LOW << 7)
}

/// The word of a flag.
pub(super) fn flag_word(flag: Option<bool>) -> &'static [u8] {
    match flag {
        Some(true) => b"true",
        Some(false) => b"false",
        None => ABSENT,
    }
}

fn column_at(header: &Header, place: usize) -> CsvColumn {
    Column::ALL
        .into_iter()
        .find(|&column| header.position(column) == Some(place))
        .map_or(CsvColumn::AsWritten, CsvColumn::Typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own() {
        let header = Header::parse(b"user,arn,mfa_active,user,owner,owner,MFA_ACTIVE").expect("a header");
        let format = CsvFormat::new(&header, UtcSuffix::Letter, LineEnd::LineFeed, Quotes::Needed);
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
        assert_eq!(format.columns()[3], CsvColumn::AsWritten);
    }

    #[test]
    fn quotes_where_they_are_needed_or_everywhere() {
        let header = Header::parse(b"user,mfa_active,user_creation_time,owner").expect("a header");
        let row = TypedRow {
            texts: [Some(b"a,\"b\""), None, None, None, None, None, None],
            ..TypedRow::default()
        };
        let spelled = |quotes| {
            let mut out = Vec::new();
            let written = [None, None, None, Some(Box::from(*b"x"))];
            CsvFormat::new(&header, UtcSuffix::Letter, LineEnd::CarriageReturn, quotes)
                .write_row(&row, &written, &mut out);
            String::from_utf8(out).expect("text")
        };
        assert_eq!(spelled(Quotes::Needed), "\"a,\"\"b\"\"\",N/A,N/A,x\r\n");
        assert_eq!(
            spelled(Quotes::Always),
            "\"a,\"\"b\"\"\",\"N/A\",\"N/A\",\"x\"\r\n"
        );
    }
}
