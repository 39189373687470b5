//! Reads a journal, which may be cut off where a run was killed.

use super::{Entry, Record, SCHEMA};

/// Why a file is not a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A line is not a record.
    #[error("line {0}: not a record of a journal: {1}")]
    Record(usize, serde_json::Error),
    /// It has another schema.
    #[error("line {0}: its schema is '{1}', and this version reads {SCHEMA}")]
    Schema(usize, String),
    /// There is no record.
    #[error("it is empty: a journal begins with a record of its plan")]
    Empty,
    /// The first record is not the right one.
    #[error("it does not begin with the record of a plan")]
    Begin,
}

/// The records of a journal, and what is wrong with other lines.
#[derive(Debug, Default)]
pub struct JournalText {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Lines that are not records.
    pub damaged: Vec<JournalError>,
}

impl JournalText {
    /// Reads what can be read. A line that a killed run cut off does not count as damage: it is the last one, or the record of a later run
    /// follows.
    pub fn read(text: &str) -> Self {
        let mut read = Self::default();
        let mut cut_off: Option<JournalError> = None;
        for (number, line) in (1..).zip(text.lines()) {
            // A machine that loses its power may leave zeros where the end of a file was to be.
            let line = line.split('\0').next().unwrap_or_default();
            if line.trim().is_empty() {
                continue;
            }
            match record(number, line) {
                Ok(record) => {
                    let goes_on = matches!(record.entry, Entry::Resume(_) | Entry::Undo(_));
                    read.damaged.extend(cut_off.take().filter(|_| !goes_on));
                    read.records.push(record);
                }
                Err(error) => {
                    read.damaged.extend(cut_off.take());
                    if matches!(&error, JournalError::Record(_, error) if error.is_eof()) && number > 1 {
                        cut_off = Some(error);
                    } else {
                        read.damaged.push(error);
                    }
                }
            }
        }
        if read.records.is_empty() && read.damaged.is_empty() {
            read.damaged.push(JournalError::Empty);
        }
        read
    }

    /// The records of a journal that is whole.
    ///
    /// # Errors
    /// The first line that is not a record.
    pub fn whole(text: &str) -> Result<Vec<Record>, JournalError> {
        let read = Self::read(text);
        match read.damaged.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(read.records),
        }
    }
}

fn record(number: usize, line: &str) -> Result<Record, JournalError> {
    #[derive(serde::Deserialize)]
    struct WithSchema {
        schema: String,
    }
    let of_line = |error| JournalError::Record(number, error);
    let WithSchema { schema } = serde_json::from_str(line).map_err(of_line)?;
    if schema != SCHEMA {
        return Err(JournalError::Schema(number, schema));
    }
    serde_json::from_str(line).map_err(of_line)
}

#[cfg(test)]
mod tests {
    use super::super::{End, Session};
    use super::*;
    use crate::report::time::Timestamp;

    fn line(entry: Entry) -> String {
        serde_json::to_string(&Record::new(Timestamp(0), entry)).unwrap()
    }

    fn session() -> Session {
        Session {
            version: "1".to_owned(),
            caller: None,
        }
    }

    #[test]
    fn what_a_killed_run_cut_off_is_not_damage() {
        let end = line(Entry::End(End::default()));
        let resume = line(Entry::Resume(session()));
        let undo = line(Entry::Undo(session()));
        let cut = &end[..end.len() / 2];
        for whole in [
            format!("{end}\n{end}\n"),
            format!("{end}\n{cut}"),
            format!("{end}\n{cut}\n{resume}\n{end}\n"),
            format!("{end}\n{cut}\n\n{undo}\n{cut}"),
            format!("{end}\n{cut}\0\0\n{undo}\n\0\0\0"),
        ] {
            assert!(JournalText::whole(&whole).is_ok(), "{whole}");
        }
        for damaged in [
            format!("{end}\n{cut}\n{end}\n"),
            format!("{end}\n{cut}\n{cut}\n{resume}\n"),
            format!("{end}\nhello\n{resume}\n"),
            format!("{end}\nhello\n"),
            format!("{cut}\n"),
            cut.to_owned(),
            String::new(),
        ] {
            assert!(JournalText::whole(&damaged).is_err(), "{damaged}");
        }
        let read = JournalText::read(&format!("{end}\nhello\n{end}\n"));
        assert_eq!((read.records.len(), read.damaged.len()), (2, 1));
    }

    #[test]
    fn what_is_not_a_journal_is_an_error() {
        let error = |text: &str| JournalText::whole(text).unwrap_err().to_string();
        assert!(error("hello").starts_with("line 1: not a record of a journal"));
        assert!(
            error("{\"schema\":\"credlens.journal/v9\",\"record\":\"x\"}").starts_with("line 1: its schema")
        );
        assert!(error("{\"sch").starts_with("line 1: not a record"));
        assert!(error("").starts_with("it is empty"));
    }
}
