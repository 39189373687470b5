//! One block of records as typed columns, with its root rows and its bad cells.

use std::ops::Range;
use std::sync::Arc;

use super::cell::{self, Flag, StandIn, account_of};
use super::decode::Decoding;
use super::header::Header;
use super::records::Records;
use super::rows::offset;
use super::schema::{Column, ColumnSet, ExtraColumn, FlagColumn, TextColumn, TimeColumn};
use super::stored::{FlagCells, StoredBlock, StoredRows, TimeCells};
use super::time::Timestamp;
use super::wide::widest;

/// Root's name, in GSL and in output, however the report spells it.
pub const ROOT: &str = "<root_account>";

/// A cell that is neither absent nor valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCell {
    /// Record in the block, from 0.
    pub row: u32,
    /// Its column.
    pub column: Column,
}

/// The records of one block as typed columns. A column that was not requested, or that the report lacks, has no
/// cells.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// The records themselves.
    pub rows: Records,
    times: TimeCells,
    flags: FlagCells,
    /// Which records are root's.
    root: Vec<bool>,
    /// Records that are named as root and are not root's by their ARN.
    named_as_root: Vec<u32>,
    arn_runs: Vec<ArnRun>,
    bad_cells: BadCells,
    newest: Option<i64>,
}

/// Records that follow one another, whose ARNs begin alike: up to what they name in their account.
#[derive(Clone, Copy, Debug)]
struct ArnRun {
    /// The first of the records.
    first: u32,
    /// The length of the beginning; 0 if the ARNs are not readable.
    prefix: u32,
}

/// The cells of a time column: seconds, [`cell::ABSENT`] or [`cell::UNKNOWN`].
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// One a record.
    pub cells: Vec<i64>,
    /// Whether any of them is unknown.
    pub any_unknown: bool,
    /// Whether any of them is absent as other tools write it.
    pub any_stand_in: bool,
}

/// The cells of a flag column.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// One a record.
    pub cells: Vec<Flag>,
    /// Whether any of them is unknown.
    pub any_unknown: bool,
}

/// How many bad cells of a chunk are listed; the rest is only counted.
const MOST_LISTED: usize = 100;

/// The id of an account as programs write it: with a mark for text in front, or as a number. Leading zeros may be lost.
fn account_id(cell: &[u8]) -> Option<&[u8]> {
    let cell = cell.strip_prefix(b"'").unwrap_or(cell);
    let cell = cell.strip_suffix(b".0").unwrap_or(cell);
    let is_id = (9..=12).contains(&cell.len()) && cell.iter().all(u8::is_ascii_digit);
    is_id.then_some(cell)
}

/// Whether a cell is the name of an account, and not a number in some form.
fn is_name(cell: &[u8]) -> bool {
    let text = str::from_utf8(cell)
        .unwrap_or_default()
        .trim_matches(['\'', '=', '"']);
    !text.is_empty() && text.parse::<f64>().is_err()
}

impl Chunk {
    /// Decodes the wanted columns of the records, which have been split.
    pub fn decode(&mut self, header: &Header, wanted: ColumnSet) {
        self.find_root(header);
        self.newest = widest(Decoding {
            rows: self.rows.split(),
            header,
            wanted,
            times: Arc::make_mut(&mut self.times),
            flags: Arc::make_mut(&mut self.flags),
        });
        self.forget_ragged();
        self.note_bad_cells(header, wanted);
    }

    /// Takes a block of stored columns. Diagnostics are only of these, whatever else was decoded.
    pub fn store(&mut self, header: &Header, mut block: StoredBlock, read: ColumnSet) {
        for column in Column::ALL.into_iter().filter(|&column| !read.contains(column)) {
            if let Column::Time(time) = column {
                block.times[time as usize].any_stand_in = false;
            }
        }
        let stored = StoredRows::new(header, block);
        (self.times, self.flags) = stored.typed();
        self.rows.stored = Some(stored);
        self.find_root(header);
        let past = read.iter().filter_map(|column| match column {
            Column::Time(TimeColumn::PasswordNextRotation) | Column::Flag(_) | Column::Text(_) => None,
            Column::Time(time) => self
                .times(time)
                .cells
                .iter()
                .filter(|&&time| time != cell::UNKNOWN)
                .max(),
        });
        self.newest = past.copied().max().filter(|&newest| newest != cell::ABSENT);
        self.note_bad_cells(header, read);
    }

    /// Whether its records were stored as columns, and so need not be decoded.
    pub fn is_stored(&self) -> bool {
        self.rows.stored.is_some()
    }

    fn find_root(&mut self, header: &Header) {
        self.root.clear();
        self.arn_runs.clear();
        let rows = &self.rows;
        let user = header.position(TextColumn::User);
        let is_named_root =
            |row: usize| user.is_some_and(|user| cell::text(rows.field(row, user)) == ROOT.as_bytes());
        match header.position(TextColumn::Arn) {
            Some(arn) => {
                let mut prefix: &[u8] = b"";
                for (row, field) in (0_u32..).zip(rows.fields(0..rows.len(), arn)) {
                    let arn = match field {
                        // Almost every ARN: there are no blanks around it.
                        [b'a', .., last] if *last > b' ' => field,
                        _ => cell::text(field),
                    };
                    self.root.push(match arn {
                        b"" => is_named_root(row as usize),
                        arn => is_root(arn),
                    });
                    if !prefix.is_empty() && arn.starts_with(prefix) {
                        continue;
                    }
                    let own = cell::arn_prefix(arn);
                    if row == 0 || own != prefix {
                        let prefix = offset(own.len());
                        self.arn_runs.push(ArnRun { first: row, prefix });
                    }
                    prefix = own;
                }
            }
            None => self.root.extend((0..rows.len()).map(is_named_root)),
        }
        self.named_as_root.clear();
        if let Some(user) = user {
            let names = rows.fields(0..rows.len(), user);
            let others = (0_u32..).zip(names).filter(|&(row, name)| {
                matches!(name.first(), Some(b'<' | b' ' | b'\t'))
                    && cell::text(name) == ROOT.as_bytes()
                    && !self.root[row as usize]
            });
            self.named_as_root.extend(others.map(|(row, _)| row));
        }
    }

    /// A ragged record has empty cells, which are not absent but unknown.
    fn forget_ragged(&mut self) {
        let ragged = self.rows.ragged();
        if ragged.is_empty() {
            return;
        }
        let times = Arc::make_mut(&mut self.times).iter_mut();
        for times in times.filter(|times| !times.cells.is_empty()) {
            times.any_unknown = true;
            for &row in ragged {
                times.cells[row as usize] = cell::UNKNOWN;
            }
        }
    }

    fn note_bad_cells(&mut self, header: &Header, read: ColumnSet) {
        self.bad_cells.listed.clear();
        self.bad_cells.count = 0;
        for column in Column::ALL {
            let Some(position) = header.position(column).filter(|_| read.contains(column)) else {
                continue;
            };
            match column {
                Column::Time(time) if self.times(time).any_unknown => {
                    let cells = self.times[time as usize].cells.iter();
                    let unknown = cells.map(|&time| time == cell::UNKNOWN);
                    self.bad_cells.note(&self.rows, column, position, unknown);
                }
                Column::Flag(flag) if self.flags(flag).any_unknown => {
                    let cells = self.flags[flag as usize].cells.iter();
                    let unknown = cells.map(|&flag| flag == Flag::Unknown);
                    self.bad_cells.note(&self.rows, column, position, unknown);
                }
                Column::Time(_) | Column::Flag(_) | Column::Text(_) => {}
            }
        }
        let listed = &mut self.bad_cells.listed;
        listed.sort_by_key(|bad| (bad.row, bad.column.index()));
        listed.truncate(MOST_LISTED);
    }

    /// The cells of a time column.
    pub fn times(&self, column: TimeColumn) -> &Times {
        &self.times[column as usize]
    }

    /// The cells of a flag column.
    pub fn flags(&self, column: FlagColumn) -> &Flags {
        &self.flags[column as usize]
    }

    /// The records whose cell in this column is absent as other tools write it, and how. Ragged records are not among
    /// them.
    pub fn stand_ins(&self, header: &Header, column: TimeColumn) -> Vec<(usize, StandIn)> {
        let position = header
            .position(column)
            .filter(|_| self.times(column).any_stand_in);
        let cells = position.map(|position| (position, self.times(column).cells.iter().enumerate()));
        let cells = cells
            .into_iter()
            .flat_map(|(position, cells)| cells.map(move |cell| (position, cell)));
        let absent = cells.filter(|&(position, (row, &time))| {
            time == cell::ABSENT && self.rows.may_be_unusual(row, position)
        });
        let in_place = absent
            .filter_map(|(position, (row, _))| Some((row, cell::stands_in(self.rows.field(row, position))?)));
        let ragged = self.rows.ragged();
        in_place
            .filter(|(row, _)| !ragged.iter().any(|ragged| *ragged as usize == *row))
            .collect()
    }

    /// The same records, with these cells unknown.
    #[must_use]
    pub fn with_unknown<'a>(&self, cells: impl Iterator<Item = (TimeColumn, &'a [usize])>) -> Self {
        let mut other = self.clone();
        for (column, rows) in cells {
            let times = &mut Arc::make_mut(&mut other.times)[column as usize];
            times.any_unknown = true;
            for &row in rows {
                times.cells[row] = cell::UNKNOWN;
            }
        }
        other
    }

    /// The records in runs whose ARNs begin alike, with this beginning: `arn:PARTITION:iam::ACCOUNT:`, or nothing where
    /// ARNs are not readable.
    pub fn arn_runs<'a>(&'a self, header: &Header) -> impl Iterator<Item = (Range<usize>, &'a [u8])> {
        let position = header.position(TextColumn::Arn).unwrap_or_default();
        // Without ARNs, all records are one run.
        let all = ArnRun { first: 0, prefix: 0 };
        let count = self.arn_runs.len().max(1);
        (0..count).map(move |at| {
            let run = self.arn_runs.get(at).unwrap_or(&all);
            let end = self
                .arn_runs
                .get(at + 1)
                .map_or(self.rows.len(), |next| next.first as usize);
            let prefix = match run.prefix {
                0 => &[],
                length => &self.rows.field(run.first as usize, position)[..length as usize],
            };
            (run.first as usize..end, prefix)
        })
    }

    /// The records in runs of one account, as their ARNs say, or else the columns of ids and names.
    pub fn account_runs<'a>(
        &'a self,
        header: &'a Header,
    ) -> impl Iterator<Item = (Range<usize>, Option<&'a [u8]>)> {
        self.arn_runs(header).flat_map(move |(rows, prefix)| {
            let account = account_of(prefix);
            let length = if account.is_none() && self.has_account_column(header) {
                1
            } else {
                rows.len().max(1)
            };
            let end = rows.end;
            rows.step_by(length).map(move |row| {
                let in_columns = || self.account_in_columns(header, row);
                (row..end.min(row + length), account.or_else(in_columns))
            })
        })
    }

    /// Whether columns have ids or names of accounts, which may differ from row to row.
    pub fn has_account_column(&self, header: &Header) -> bool {
        let columns = [ExtraColumn::AccountId, ExtraColumn::AccountName];
        columns.into_iter().any(|column| header.extra(column).is_some())
    }

    /// The IAM path of a record, as its ARN says; root has none.
    pub fn path(&self, header: &Header, row: usize) -> Option<&[u8]> {
        self.text(header, row, TextColumn::Arn).and_then(cell::path_of)
    }

    /// The account of a record, as its ARN says, or else the column of account ids.
    pub fn account(&self, header: &Header, row: usize) -> Option<&[u8]> {
        let arn = self.rows.cell(header, row, TextColumn::Arn);
        arn.and_then(|arn| account_of(cell::text(arn)))
            .or_else(|| self.account_id(header, row))
    }

    /// The account of a record whose ARN names none, as columns say: its id, or else its name.
    pub fn account_in_columns(&self, header: &Header, row: usize) -> Option<&[u8]> {
        self.account_id(header, row)
            .or_else(|| self.account_name(header, row))
    }

    fn account_id(&self, header: &Header, row: usize) -> Option<&[u8]> {
        account_id(self.extra(header, row, ExtraColumn::AccountId)?)
    }

    /// The name of a record's account: a column of accounts may have names.
    pub fn account_name(&self, header: &Header, row: usize) -> Option<&[u8]> {
        let name = self
            .extra(header, row, ExtraColumn::AccountName)
            .filter(|name| is_name(name));
        name.or_else(|| {
            self.extra(header, row, ExtraColumn::AccountId)
                .filter(|id| is_name(id))
        })
    }

    /// The records whose column of accounts has something else than an id or a name, and those where it has another
    /// account than the ARN.
    pub fn unclear_accounts(&self, header: &Header) -> [usize; 2] {
        let rows = header
            .extra(ExtraColumn::AccountId)
            .map_or(0, |_| self.rows.len());
        let mut counts = [0, 0];
        for row in 0..rows {
            let Some(cell) = self.extra(header, row, ExtraColumn::AccountId) else {
                continue;
            };
            let id = account_id(cell);
            let in_arn = self
                .rows
                .cell(header, row, TextColumn::Arn)
                .and_then(|arn| account_of(cell::text(arn)));
            counts[0] +=
                usize::from(in_arn.is_none() && !is_name(cell) && id.is_none_or(|id| id.len() != 12));
            counts[1] += usize::from(in_arn.zip(id).is_some_and(|(one, other)| !one.ends_with(other)));
        }
        counts
    }

    /// When a record was generated, in a report with a column for it.
    pub fn generated(&self, header: &Header, row: usize) -> Option<Timestamp> {
        let cell = self.extra(header, row, ExtraColumn::GeneratedTime)?;
        Timestamp::parse(cell).filter(|time| !cell::is_zero(time.0))
    }

    /// The text of a cell that reports by AWS do not have; none where it is absent.
    pub fn extra(&self, header: &Header, row: usize, column: ExtraColumn) -> Option<&[u8]> {
        let position = header.extra(column)?;
        let is_ragged = |row: usize| {
            let found = self.rows.ragged().binary_search_by(|it| (*it as usize).cmp(&row));
            found.is_ok()
        };
        let text = cell::text(self.rows.field(row, position));
        (!text.is_empty() && !is_ragged(row)).then_some(text)
    }

    /// Which records are root's.
    pub fn root(&self) -> &[bool] {
        &self.root
    }

    /// Records that are named as root and are not root's by their ARN: rules and outputs know them by what the ARN
    /// names, such as `user/x`.
    pub fn named_as_root(&self) -> &[u32] {
        &self.named_as_root
    }

    /// The text of a cell as rules see it, '' where it is absent; none where the report lacks the column.
    pub fn text(&self, header: &Header, row: usize, column: TextColumn) -> Option<&[u8]> {
        if column == TextColumn::User && self.root[row] {
            return Some(ROOT.as_bytes());
        }
        let is_named_as_root = || {
            self.named_as_root
                .binary_search_by(|named| (*named as usize).cmp(&row))
                .is_ok()
        };
        if column == TextColumn::User && is_named_as_root() {
            let arn = self.rows.cell(header, row, TextColumn::Arn).map(cell::text)?;
            let resource = cell::resource_of(arn).filter(|resource| *resource != ROOT.as_bytes());
            return Some(resource.unwrap_or(arn));
        }
        self.rows.cell(header, row, column).map(cell::text)
    }

    /// Cells that are neither absent nor valid.
    pub fn bad_cells(&self) -> &BadCells {
        &self.bad_cells
    }

    /// The columns whose cells are unknown in this record, of those that were decoded.
    pub fn unknown_cells(&self, row: usize) -> ColumnSet {
        let mut unknown = ColumnSet::default();
        for column in Column::ALL {
            let is_unknown = match column {
                Column::Time(time) => {
                    let times = self.times(time);
                    times.any_unknown && times.cells[row] == cell::UNKNOWN
                }
                Column::Flag(flag) => {
                    let flags = self.flags(flag);
                    flags.any_unknown && flags.cells[row] == Flag::Unknown
                }
                Column::Text(_) => false,
            };
            if is_unknown {
                unknown.insert(column);
            }
        }
        unknown
    }

    /// The newest time of an event in the past, in the columns that were decoded.
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }
}

/// Whether an ARN is root's: a path may end in `:root`, too.
#[inline]
fn is_root(arn: &[u8]) -> bool {
    arn.ends_with(b":root") && cell::resource_of(arn) == Some(b"root")
}

/// The bad cells of a chunk.
#[derive(Clone, Debug, Default)]
pub struct BadCells {
    /// The first hundred, in the order of records, then of columns.
    pub listed: Vec<BadCell>,
    /// How many there are.
    pub count: u64,
}

impl BadCells {
    /// Notes the unknown cells of a column that are not `not_supported` and not in a ragged record.
    fn note(&mut self, rows: &Records, column: Column, position: usize, unknown: impl Iterator<Item = bool>) {
        let before = self.listed.len();
        for (row, _) in (0_u32..).zip(unknown).filter(|&(_, is_unknown)| is_unknown) {
            let is_ragged = rows.ragged().binary_search(&row).is_ok();
            if is_ragged || cell::is_not_supported(rows.field(row as usize, position)) {
                continue;
            }
            self.count += 1;
            // The limit is for each column here; those that come first in the order of records are chosen later.
            if self.listed.len() - before < MOST_LISTED {
                self.listed.push(BadCell { row, column });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::issue::{Issue, RowIssue};
    use super::super::split::Splitter;
    use super::*;

    fn chunk(names: &[&str], text: &str) -> (Chunk, Vec<RowIssue>) {
        let header = Header::parse(names.join(",").as_bytes()).expect("a header");
        let mut chunk = Chunk::default();
        chunk.rows.text_mut().extend_from_slice(text.as_bytes());
        let mut issues = Vec::new();
        Splitter::default().split(chunk.rows.split_mut(), &header, &mut issues);
        chunk.decode(&header, Column::ALL.into_iter().collect());
        (chunk, issues)
    }

    #[test]
    fn cells_by_column_and_record() {
        let (chunk, issues) = chunk(
            &["mfa_active", "user", "user_creation_time"],
            "true,alice,1970-01-02\r\n TRUE ,\"b,o\"\"b\", N/A \nwhat,carol,soon\n",
        );
        assert_eq!(issues, []);
        assert_eq!(chunk.rows.field(1, 1), b"b,o\"b");
        assert_eq!(
            chunk.flags(FlagColumn::MfaActive).cells,
            [Flag::True, Flag::True, Flag::Unknown]
        );
        assert_eq!(
            chunk.times(TimeColumn::UserCreation).cells,
            [86_400, cell::ABSENT, cell::UNKNOWN]
        );
        assert_eq!(chunk.newest(), Some(86_400));
        assert_eq!(chunk.bad_cells().count, 2);
        assert!(chunk.times(TimeColumn::Key1LastUsed).cells.is_empty());
    }

    #[test]
    fn root_by_arn_else_by_name() {
        let header = ["user", "arn", "mfa_active"];
        let (with_arn, _) = chunk(
            &header,
            "root_account,arn:aws:iam::1:root,true\n<root_account>,arn:aws:iam::1:user/x,true\n\
             <root_account>,N/A,true\n<root_account>,,true\nx,,true",
        );
        assert_eq!(with_arn.root(), [true, false, true, true, false]);
        assert_eq!(with_arn.named_as_root(), [1]);
        let names = Header::parse(header.join(",").as_bytes()).expect("a header");
        assert_eq!(with_arn.text(&names, 0, TextColumn::User), Some(ROOT.as_bytes()));
        assert_eq!(with_arn.text(&names, 1, TextColumn::User), Some(&b"user/x"[..]));
        let path = "x,arn:aws:iam::1:user/a:root,true\nx,arn:aws:iam::1:root:root,true";
        assert_eq!(chunk(&header, path).0.root(), [false, false]);
        let (without, _) = chunk(&["user", "mfa_active"], "<root_account>,true\nroot,true");
        assert_eq!(without.root(), [true, false]);
    }

    #[test]
    fn issues_of_records() {
        let (chunk, issues) = chunk(
            &["user", "arn", "mfa_active"],
            "a,b,arn:aws:iam::1:user/a,b,true\nuser,arn,mfa_active\n\n \nc,arn:aws:iam::1:us\n",
        );
        assert_eq!(chunk.rows.len(), 2);
        assert_eq!(chunk.rows.ragged(), [1]);
        assert_eq!(chunk.rows.field(1, 0), b"c");
        assert_eq!(
            chunk.bad_cells().count,
            0,
            "a ragged record is one issue, not one for each cell"
        );
        let kinds: Vec<_> = issues.into_iter().map(|it| (it.row, it.issue)).collect();
        assert_eq!(
            kinds,
            [
                (0, Issue::UnquotedCommas),
                (1, Issue::RepeatedHeader),
                (1, Issue::Ragged(2))
            ]
        );
    }
}
