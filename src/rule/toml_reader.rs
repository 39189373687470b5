//! Reads TOML files table by table and key by key, and reports all errors of a file at once, each with its line.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::ops::Range;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Error, did_you_mean};
use crate::gsl;
use crate::report::time::Timestamp;

/// A file that is being read, and its errors so far.
pub(super) struct File<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
    errors: RefCell<Vec<gsl::Error>>,
}

impl<'a> File<'a> {
    /// Reads a file with `read`, and fails with all errors that were reported meanwhile.
    pub(super) fn read<T>(
        origin: &'a str,
        text: &'a str,
        read: impl FnOnce(Table<'_, 'a>) -> T,
    ) -> Result<T, Error> {
        Self::read_table(origin, text, parse(origin, text)?, read)
    }

    /// The same for a text that was parsed to this table.
    pub(super) fn read_table<T>(
        origin: &'a str,
        text: &'a str,
        table: DeTable<'a>,
        read: impl FnOnce(Table<'_, 'a>) -> T,
    ) -> Result<T, Error> {
        let file = Self {
            origin,
            text,
            errors: RefCell::default(),
        };
        let value = read(Table::new(&file, table, 0..0));
        let mut errors = file.errors.into_inner();
        if errors.is_empty() {
            return Ok(value);
        }
        errors.sort_by_key(|error| error.span.start);
        Err(Error::text(origin, 1, text, errors))
    }

    pub(super) fn error(&self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        let error = gsl::Error {
            span,
            message: message.into(),
            label: String::new(),
            help,
        };
        self.add(error);
    }

    pub(super) fn add(&self, error: gsl::Error) {
        self.errors.borrow_mut().push(error);
    }

    fn wrong_type(&self, span: Range<usize>, key: &str, expected: &str) {
        self.error(span, format!("'{key}' must be {expected}"), None);
    }

    /// The line, from 1, that contains this byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or_default();
        1 + before.matches('\n').count()
    }
}

/// Parses a file; fails with every syntax error.
pub(super) fn parse<'a>(origin: &str, text: &'a str) -> Result<DeTable<'a>, Error> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table.into_inner());
    }
    let mut errors: Vec<_> = errors.iter().map(toml_error).collect();
    errors.sort_by_key(|error| error.span.start);
    Err(Error::text(origin, 1, text, errors))
}

/// An error of the TOML parser or of serde, at its position.
pub(super) fn toml_error(error: &toml::de::Error) -> gsl::Error {
    gsl::Error {
        span: error.span().unwrap_or(0..0),
        message: error.message().to_owned(),
        label: String::new(),
        help: None,
    }
}

/// A value and where it is in the file.
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// An item of a list: text, or a table that says more.
pub(super) enum TextOrTable<'f, 'a> {
    Text(String),
    Table(Table<'f, 'a>),
}

/// A table whose keys are taken one by one; [`Table::finish`] reports the keys that were never taken.
pub(super) struct Table<'f, 'a> {
    pub(super) file: &'f File<'a>,
    /// The first line of the table, where missing keys are reported.
    pub(super) span: Range<usize>,
    entries: DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'f, 'a> Table<'f, 'a> {
    fn new(file: &'f File<'a>, entries: DeTable<'a>, span: Range<usize>) -> Self {
        Self {
            file,
            span,
            entries,
            known: Vec::new(),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.entries.remove(key)
    }

    /// Whether the key is present and not yet taken.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The value of the key and its location, if it is present; a value of another type is an error.
    pub(super) fn located<T: Value>(&mut self, key: &'static str) -> Option<Located<T>> {
        let value = self.take(key)?;
        let span = value.span();
        let read = T::read(value.into_inner());
        if read.is_none() {
            self.file.wrong_type(span.clone(), key, T::EXPECTED);
        }
        read.map(|value| Located { value, span })
    }

    /// The value of the key, if it is present; a value of another type is an error.
    pub(super) fn optional<T: Value>(&mut self, key: &'static str) -> Option<T> {
        self.located(key).map(|located| located.value)
    }

    /// Reports the key if it is missing.
    fn expect(&self, key: &str) {
        if !self.has(key) {
            let message = format!("'{key}' is missing");
            self.file.error(self.span.clone(), message, None);
        }
    }

    /// The value of the key and its location; a missing key is an error.
    pub(super) fn required_located<T: Value>(&mut self, key: &'static str) -> Option<Located<T>> {
        self.expect(key);
        self.located(key)
    }

    /// The value of the key; a missing key is an error.
    pub(super) fn required<T: Value + Default>(&mut self, key: &'static str) -> T {
        let located = self.required_located(key);
        located.map(|located| located.value).unwrap_or_default()
    }

    /// The value of the key parsed from its text, if it is present.
    pub(super) fn word<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        let Located { value, span } = self.located::<String>(key)?;
        value
            .parse()
            .map_err(|error: T::Err| self.file.error(span, error.to_string(), None))
            .ok()
    }

    /// The same; a missing key is an error.
    pub(super) fn required_word<T: FromStr<Err: Display>>(&mut self, key: &'static str) -> Option<T> {
        self.expect(key);
        self.word(key)
    }

    /// The table of the key, if it is present.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Self> {
        let value = self.take(key)?;
        self.as_table(key, value)
    }

    /// The tables in the list of the key; empty if the key is missing.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.file.wrong_type(span, key, "a list of tables");
            return Vec::new();
        };
        items
            .into_iter()
            .filter_map(|item| self.as_table(key, item))
            .collect()
    }

    /// The texts and tables in the list of the key; empty if the key is missing.
    pub(super) fn texts_or_tables(&mut self, key: &'static str) -> Vec<TextOrTable<'f, 'a>> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.file.wrong_type(span, key, "a list");
            return Vec::new();
        };
        let read = |item: Spanned<DeValue<'a>>| {
            let (span, value) = (item.span(), item.into_inner());
            if let DeValue::Table(entries) = value {
                return Some(TextOrTable::Table(Self::new(self.file, entries, span)));
            }
            let text = String::read(value);
            if text.is_none() {
                self.file.wrong_type(span, key, "a list of texts and tables");
            }
            text.map(TextOrTable::Text)
        };
        items.into_iter().filter_map(read).collect()
    }

    fn as_table(&self, key: &str, value: Spanned<DeValue<'a>>) -> Option<Self> {
        let span = value.span();
        if let DeValue::Table(entries) = value.into_inner() {
            return Some(Self::new(self.file, entries, span));
        }
        self.file.wrong_type(span, key, "a table");
        None
    }

    /// All entries, each a table, by key.
    pub(super) fn into_tables(mut self) -> Vec<(String, Self)> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        let tables = entries.filter_map(|(key, value)| {
            let mut table = self.as_table(key.get_ref(), value)?;
            table.span = key.span();
            Some((key.get_ref().to_string(), table))
        });
        tables.collect()
    }

    /// All entries that were not taken, each of this type, with the location of their keys.
    pub(super) fn into_map<T: Value>(self) -> BTreeMap<String, Located<T>> {
        let entries = self.entries.into_iter().filter_map(|(key, value)| {
            let (name, span) = (key.get_ref().to_string(), key.span());
            let at = value.span();
            let Some(value) = T::read(value.into_inner()) else {
                self.file.wrong_type(at, &name, T::EXPECTED);
                return None;
            };
            Some((name, Located { value, span }))
        });
        entries.collect()
    }

    /// All values of this type in the table and the tables in it, each with its dotted key.
    pub(super) fn into_leaves<T: Value>(self) -> Vec<(String, Located<T>)> {
        let mut leaves = Vec::new();
        for (key, value) in self.entries {
            let name = key.get_ref().to_string();
            let (at, span, value) = (key.span(), value.span(), value.into_inner());
            if let DeValue::Table(entries) = value {
                let below = Self::new(self.file, entries, at.clone()).into_leaves();
                leaves.extend(below.into_iter().map(|(rest, Located { value, span })| {
                    // The whole dotted key, unless its first part is in the line of a table header.
                    let keys = at.start..span.end;
                    let is_line = self
                        .file
                        .text
                        .get(keys.clone())
                        .is_some_and(|keys| !keys.contains('\n'));
                    let span = if is_line { keys } else { span };
                    (format!("{name}.{rest}"), Located { value, span })
                }));
                continue;
            }
            if let Some(value) = T::read(value) {
                leaves.push((name, Located { value, span: at }));
            } else {
                self.file.wrong_type(span, &name, T::EXPECTED);
            }
        }
        leaves
    }

    /// Reports the keys that were never taken.
    pub(super) fn finish(self) {
        for key in self.entries.keys() {
            let name = key.get_ref();
            let help = did_you_mean(name, self.known.iter().copied())
                .or_else(|| Some(format!("known keys: {}", self.known.join(", "))));
            self.file.error(key.span(), format!("unknown key '{name}'"), help);
        }
    }
}

/// A type that the value of a key can have.
pub(super) trait Value: Sized {
    /// Describes the type in an error message.
    const EXPECTED: &'static str;

    fn read(value: DeValue<'_>) -> Option<Self>;
}

impl Value for String {
    const EXPECTED: &'static str = "text in quotes";

    fn read(value: DeValue<'_>) -> Option<Self> {
        value.as_str().map(|text| text.trim_end().to_owned())
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: DeValue<'_>) -> Option<Self> {
        value.as_bool()
    }
}

impl Value for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn read(value: DeValue<'_>) -> Option<Self> {
        let number = value.as_integer()?;
        Self::from_str_radix(number.as_str(), number.radix()).ok()
    }
}

impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(value: DeValue<'_>) -> Option<Self> {
        let DeValue::Array(items) = value else {
            return None;
        };
        items.into_iter().map(|item| T::read(item.into_inner())).collect()
    }
}

/// A day, as its first second in UTC; in a file, text in quotes or a TOML date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date(pub(super) Timestamp);

impl Value for Date {
    const EXPECTED: &'static str = "a date such as 2026-12-31";

    fn read(value: DeValue<'_>) -> Option<Self> {
        let text = match value {
            DeValue::String(text) => text.into_owned(),
            DeValue::Datetime(date) => date.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return None,
        };
        let is_day = text.len() == "2026-12-31".len();
        Timestamp::parse(text.as_bytes()).filter(|_| is_day).map(Self)
    }
}

impl Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.to_string();
        f.write_str(time.split('T').next().unwrap_or_default())
    }
}
