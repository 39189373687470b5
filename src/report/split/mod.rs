//! Splits a block of whole records into fields.
//!
//! Plain records, almost all of them, are split in place: wide compares find every delimiter and line end, and a record
//! is plain if it has no quote and as many fields as the header. Any other record goes to the `csv` crate, alone. Both
//! ways give the same cells; a property test compares them.

mod reference;

use super::header::Header;
use super::issue::RowIssue;
use super::rows::{Rows, offset, trim};
use super::wide::{EndCounts, WINDOW, Windows, find_ends};
use reference::Reader;

/// How many bytes are searched at once; their field ends fit into the first-level cache.
const STRIP: usize = 64 * WINDOW;

/// The length of most records.
const FEW: usize = 4 * WINDOW;

/// More ragged records than this are left out: such a block is not of a report, and its records would take far more
/// memory than the block itself.
const MOST_RAGGED: usize = 10_000;

/// Splits blocks. Reused for block after block, since the reader for records that are not plain is costly to create.
#[derive(Debug, Default)]
pub struct Splitter {
    reader: Option<Reader>,
    /// The field ends of a strip. Longer than needed, since many ends are written at once.
    ends: Vec<u32>,
}

impl Splitter {
    /// Splits the text of `rows` into records and fields. Notes the issues of records.
    pub fn split(&mut self, rows: &mut Rows, header: &Header, issues: &mut Vec<RowIssue>) {
        rows.start(header.width());
        issues.clear();
        let text = std::mem::take(rows.text_mut());
        self.ends.resize(STRIP + WINDOW, 0);
        let mut block = Splitting {
            ends: &mut self.ends,
            text: &text,
            header,
            first_name: header.names().first().map_or(b"", |name| name.trim().as_bytes()),
            reader: &mut self.reader,
            rows,
            issues,
        };
        block.split();
        rows.put_before_rewritten(text);
    }
}

/// A block that is being split.
struct Splitting<'a> {
    text: &'a [u8],
    header: &'a Header,
    /// The header's first cell.
    first_name: &'a [u8],
    reader: &'a mut Option<Reader>,
    ends: &'a mut [u32],
    rows: &'a mut Rows,
    issues: &'a mut Vec<RowIssue>,
}

impl Splitting<'_> {
    fn split(&mut self) {
        // After a record that is not plain only as many bytes are searched as it was long: the next one may not be
        // plain either.
        let mut strip = STRIP;
        // Where the current record starts; its field ends before `at` are in `rows` already.
        let mut record = self.skip_line_feed(0);
        let mut at = record;
        while at < self.text.len() || record < self.text.len() {
            let (length, found) = self.find(at, strip);
            self.rows.add_ends(&self.ends[..found.fields]);
            let is_plain;
            (record, is_plain) = self.finish_records(record, found.line_ends);
            if is_plain && !found.is_quoted {
                at += length;
                strip = STRIP;
            } else {
                let length = self.add_first(record).max(1);
                record = self.skip_line_feed(record + length);
                at = record;
                strip = length.next_multiple_of(WINDOW).min(FEW);
            }
        }
    }

    /// Adds the record that starts here, which is not plain. Returns its length.
    #[cold]
    fn add_first(&mut self, start: usize) -> usize {
        self.rows.drop_unfinished();
        self.rows.rewrite_from(start);
        let delimiter = self.header.delimiter();
        let reader = match &mut *self.reader {
            Some(reader) if reader.delimiter() == delimiter => reader,
            reader => reader.insert(Reader::new(delimiter)),
        };
        reader.add_first(&self.text[start..], self.header, self.rows, self.issues)
    }

    /// Finds the field ends of the next strip; returns its length in bytes, too. The text's last window is filled up,
    /// so that the end of a text without a final line end counts as one.
    fn find(&mut self, at: usize, strip: usize) -> (usize, EndCounts) {
        let rest = &self.text[at..];
        let mut window = [0; WINDOW];
        let length = rest.len().min(strip) / WINDOW * WINDOW;
        let (length, text) = if length > 0 {
            (length, &rest[..length])
        } else {
            window[..rest.len()].copy_from_slice(rest);
            window[rest.len()] = b'\n';
            (rest.len().max(1), window.as_slice())
        };
        let windows = Windows {
            text,
            base: offset(at),
            after_return: self.is_return(at.wrapping_sub(1)),
            delimiter: self.header.delimiter(),
        };
        (length, find_ends(windows, self.ends))
    }

    /// Adds the records of the field ends that were added last; the first record starts at `first`. Returns where the
    /// next one starts, and whether all were plain; if not, the next one is the first that is not.
    fn finish_records(&mut self, first: usize, line_ends: usize) -> (usize, bool) {
        let before = self.rows.len();
        let next = self.finish(first, |_, _| true);
        if self.rows.len() - before == line_ends && self.rows.is_finished() {
            return (next, true);
        }
        self.rows.truncate(before);
        (
            self.finish(first, |block, ends| {
                !ends.iter().any(|&end| block.is_line_end(end))
            }),
            false,
        )
    }

    /// Adds records while the last of a record's field ends is a line end and the others pass. Returns where the next
    /// record starts.
    #[inline]
    fn finish(&mut self, mut record: usize, pass: impl Fn(&Self, &[u32]) -> bool) -> usize {
        while let Some((&end, others)) = self.rows.next_ends().and_then(|ends| ends.split_last())
            && self.is_line_end(end)
            && pass(self, others)
            && !self.is_header_again(record, others.first().copied().unwrap_or(end))
            && !self.is_blank(record, end)
        {
            self.rows.finish_record(record);
            record = self.skip_line_feed(end as usize + 1);
        }
        record
    }

    /// Whether this field end also ends the record, as the end of the text does.
    fn is_line_end(&self, end: u32) -> bool {
        matches!(self.text.get(end as usize), Some(b'\n' | b'\r') | None)
    }

    fn is_return(&self, at: usize) -> bool {
        self.text.get(at) == Some(&b'\r')
    }

    /// A line feed after a carriage return belongs to the same line end.
    fn skip_line_feed(&self, at: usize) -> usize {
        let is_second_half = self.is_return(at.wrapping_sub(1)) && self.text.get(at) == Some(&b'\n');
        at + usize::from(is_second_half)
    }

    /// Whether a record has no value; spreadsheets write such rows. The first byte of any other one shows it.
    #[inline]
    fn is_blank(&self, start: usize, end: u32) -> bool {
        let is_value = |byte: &u8| *byte != self.header.delimiter() && !matches!(byte, b' ' | b'\t');
        !self.text[start..end as usize].iter().any(is_value)
    }

    /// Whether the record that starts here may repeat the header: it starts with the same cell.
    fn is_header_again(&self, start: usize, end: u32) -> bool {
        trim(&self.text[start..end as usize]).eq_ignore_ascii_case(self.first_name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::cut::is_closed;
    use crate::report::issue::Issue;
    use crate::report::schema::{Column, TextColumn};

    /// The records that the `csv` crate reads from the whole text. An empty line before it keeps the crate from
    /// removing a byte order mark, which is data in the middle of a file.
    fn reference(text: &[u8], header: &Header) -> (Rows, Vec<RowIssue>) {
        let (mut rows, mut issues) = (Rows::default(), Vec::new());
        rows.start(header.width());
        let mut text = [b"\n", text].concat();
        loop {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(header.delimiter())
                .from_reader(text.as_slice());
            let mut records: Vec<_> = reader
                .byte_records()
                .map(|record| record.expect("memory"))
                .collect();
            // A quote that is never closed opens in the last record, and ends with its line.
            let unclosed = (!is_closed(&text, header.delimiter()))
                .then(|| records.pop())
                .flatten();
            let add = |record: &csv::ByteRecord, rows: &mut Rows, issues: &mut Vec<RowIssue>| {
                reference::add(&record.iter().collect::<Vec<_>>(), header, rows, issues);
            };
            for record in &records {
                add(record, &mut rows, &mut issues);
            }
            let Some(unclosed) = unclosed else { break };
            let start = usize::try_from(unclosed.position().expect("read").byte()).expect("small");
            let end = start + reference::line_end(&text[start..]);
            reference::note(&rows, &mut issues, Issue::UnclosedQuote);
            let line = [b"\n", &text[start..end]].concat();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .delimiter(header.delimiter())
                .from_reader(line.as_slice());
            let line = reader.byte_records().next().expect("a line").expect("memory");
            add(&line, &mut rows, &mut issues);
            text.drain(..end);
        }
        rows.put_before_rewritten(Vec::new());
        (rows, issues)
    }

    fn fast(text: &[u8], header: &Header) -> (Rows, Vec<RowIssue>) {
        let (mut rows, mut issues) = (Rows::default(), Vec::new());
        rows.text_mut().extend_from_slice(text);
        Splitter::default().split(&mut rows, header, &mut issues);
        (rows, issues)
    }

    fn cells(rows: &Rows, header: &Header) -> Vec<Vec<Vec<u8>>> {
        let fields = |row| {
            (0..header.width())
                .map(|at| rows.field(row, at).to_vec())
                .collect()
        };
        (0..rows.len()).map(fields).collect()
    }

    /// Both ways give the same cells, the same ragged records and the same issues.
    fn assert_equal(text: &[u8], header: &Header) {
        let (expected, expected_issues) = reference(text, header);
        let (actual, actual_issues) = fast(text, header);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(cells(&actual, header), cells(&expected, header), "{shown:?}");
        assert_eq!(actual.ragged(), expected.ragged(), "{shown:?}");
        assert_eq!(actual.data_rows(), expected.data_rows(), "{shown:?}");
        assert_eq!(actual_issues, expected_issues, "{shown:?}");
    }

    fn header() -> Header {
        Header::parse(b"user,arn,mfa_active").expect("a header")
    }

    fn record() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "[a-z]{0,40},arn:aws:iam::1:user/[a-z]{0,40},(true|false| |N/A)",
            1 => "\"[a-z,\n\"]{0,9}\",arn:aws:iam::1:user/[a-z,]{0,9},true",
            1 => "a,b,arn:aws:iam::1:user/a,b,true",
            1 => Just("user,arn,mfa_active".to_owned()),
            1 => Just(" USER ,arn,mfa_active".to_owned()),
            1 => "[a-z,\"]{0,80}",
        ]
    }

    proptest! {
        #[test]
        fn both_ways_agree_on_records(
            records in prop::collection::vec((record(), prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n"])), 0..40),
            cut in 0_usize..4,
        ) {
            let text: String = records.iter().flat_map(|(record, end)| [record.as_str(), end]).collect();
            let text = &text.as_bytes()[..text.len().saturating_sub(cut)];
            assert_equal(text, &header());
        }

        #[test]
        fn both_ways_agree_on_anything(
            text in prop::collection::vec(prop::sample::select(b",,,\"\r\n\n ax:\xef\xbb\xbf".to_vec()), 0..400),
        ) {
            assert_equal(&text, &header());
            assert_equal(&text, &Header::parse(b"user,mfa_active").expect("a header"));
        }
    }

    #[test]
    fn records_without_a_value_are_not_rows() {
        for record in [
            ",,",
            " , ,\t",
            "          ,  ,          ",
            "\"\",,",
            "\" \",\"\", ",
        ] {
            let text = format!("{record}\na,arn:aws:iam::1:user/a,true\n{record}");
            assert_equal(text.as_bytes(), &header());
            assert_eq!(fast(text.as_bytes(), &header()).0.len(), 1, "{record:?}");
        }
    }

    #[test]
    fn records_of_every_length_around_the_windows() {
        for length in 0..200 {
            for end in ["", "\n", "\r\n", "\r", "\n\n"] {
                let record = format!("{},arn:aws:iam::1:user/x,true{end}", "n".repeat(length));
                assert_equal(record.as_bytes(), &header());
                assert_equal(record.repeat(3).as_bytes(), &header());
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_hides_no_user() {
        let text =
            b"a,arn:aws:iam::1:user/a,\"tr\nb,arn:aws:iam::1:user/b,true\nc,arn:aws:iam::1:user/c,true\n";
        let (rows, issues) = fast(text, &header());
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.field(0, 2), b"tr");
        assert_eq!(rows.field(2, 0), b"c");
        let in_row = |row, issue| RowIssue { row, issue };
        assert_eq!(issues, [in_row(0, Issue::UnclosedQuote)]);

        let text =
            b"a,arn:aws:iam::1:user/a,\"tr\nb,arn:aws:iam::1:user/b,\"true\nc,arn:aws:iam::1:user/c,true\n";
        let (_, issues) = fast(text, &header());
        assert_eq!(issues[0], in_row(0, Issue::LineBreak));
    }

    #[test]
    fn plain_records_are_not_copied() {
        let text = b"a,arn:aws:iam::1:user/a,true\r\nb,arn:aws:iam::1:user/b,false";
        let (rows, issues) = fast(text, &header());
        assert_eq!(rows.text(), text);
        assert_eq!(issues, []);
        assert_eq!(
            rows.cell(&header(), 1, Column::Text(TextColumn::User)),
            Some(&b"b"[..])
        );
    }
}
