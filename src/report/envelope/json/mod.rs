//! JSON: answers of the API, strings that hold a report, and rows, one after another or at any depth of other values.

use std::borrow::Cow;

use super::text::begins_report;
use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::recognise::{is_python_bytes, recognise};
use crate::report::schema::ExtraColumn;
use crate::report::shown;
use crate::report::trace::has_trace_in_json;
use table::Table;

mod table;
#[cfg(test)]
mod tests;
mod value;

pub(super) use value::Value;

/// The reports in a text of JSON values.
pub(super) fn open(text: &[u8]) -> Reports {
    let (values, broken) = values(text);
    if broken.is_some()
        && let Some(text) = without_nan(text)
    {
        return open(&text);
    }
    let mut found = Found::default();
    let is_row = |value: &Value<'_>| {
        let is_ours = value.members().is_some_and(is_ours);
        !is_ours && table::row(value).is_some()
    };
    let added = if values.iter().any(is_row) {
        found.add_rows(values.iter());
        Ok(())
    } else {
        values.iter().try_for_each(|value| found.add(value))
    };
    let (reports, other) = match found.into_reports() {
        Ok(reports) => reports,
        Err(error) => (Vec::new(), Some(error)),
    };
    match added.err().or(broken) {
        Some(error) => Reports {
            reports,
            error: Some(error),
        },
        None => end(reports, other, text),
    }
}

/// The text with null in place of the words that Python writes for what is not a number, if it has any.
fn without_nan(text: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];
    let (mut plain, mut at, mut in_string) = (Vec::with_capacity(text.len()), 0, false);
    while let Some(&byte) = text.get(at) {
        let word = WORDS
            .iter()
            .find(|word| !in_string && text[at..].starts_with(word));
        if let Some(word) = word {
            plain.extend_from_slice(b"null");
            at += word.len();
            continue;
        }
        let length = if in_string && byte == b'\\' { 2 } else { 1 };
        in_string ^= byte == b'"';
        plain.extend_from_slice(&text[at..text.len().min(at + length)]);
        at += length;
    }
    (plain != text).then_some(plain)
}

/// The values of a text, and what is wrong behind them.
fn values(text: &[u8]) -> (Vec<Value<'_>>, Option<NotAReport>) {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(rest) = rest(text, at) {
        at = text.len() - rest.len();
        if values.is_empty() && !begins_value(rest) {
            return (values, Some(recognise(rest)));
        }
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Value<'_>>();
        match stream.next() {
            Some(Ok(value)) => values.push(value),
            Some(Err(error)) => {
                let message = shown(&in_file(&error, &text[..at]), 120);
                let what = if values.is_empty() {
                    NotAReport::Json(message)
                } else {
                    NotAReport::BehindJson(message)
                };
                return (values, Some(what));
            }
            None => break,
        }
        at += stream.byte_offset();
    }
    (values, None)
}

/// The message of an error, with its position in the file; `before` is what stands before the faulty value.
fn in_file(error: &serde_json::Error, before: &[u8]) -> String {
    let message = error.to_string();
    let what = message.split(" at line ").next().unwrap_or_default();
    let line = error.line() + memchr::memchr_iter(b'\n', before).count();
    format!("{what} at line {line} column {}", error.column())
}

/// Whether a text begins with a value of JSON, as far as brackets and the next word show. TOML, Markdown and what Python
/// prints begin with brackets, too.
fn begins_value(text: &[u8]) -> bool {
    let mut rest = text.trim_ascii_start();
    while let Some(inner) = rest.strip_prefix(b"[") {
        rest = inner.trim_ascii_start();
    }
    match rest {
        [b'{', inner @ ..] => matches!(inner.trim_ascii_start().first(), None | Some(b'"' | b'}')),
        [] | [b'"' | b']' | b'-' | b'0'..=b'9', ..] => true,
        word => [&b"true"[..], b"false", b"null"]
            .iter()
            .any(|known| word.starts_with(known)),
    }
}

/// The text after blanks and byte order marks, which appending programs put between values.
fn rest(text: &[u8], at: usize) -> Option<&[u8]> {
    let mut rest = text[at..].trim_ascii_start();
    while let Some(behind) = rest.strip_prefix(super::BYTE_ORDER_MARK) {
        rest = behind.trim_ascii_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// What the values of a text come to.
#[derive(Default)]
struct Found<'v> {
    items: Vec<Item<'v>>,
    /// When what is searched was generated, as an object around it says.
    generated: Generated,
    /// Why a value is not a report, where none has been found.
    other: Option<NotAReport>,
    /// Whether something says that an error came, so that there may be less than was asked for.
    has_error: bool,
}

/// A report that was found.
enum Item<'v> {
    Answer(Unwrapped),
    Rows(Table<'v>, Generated),
}

impl<'v> Found<'v> {
    /// Adds a value that is not part of another one.
    fn add(&mut self, value: &'v Value<'v>) -> Result<(), NotAReport> {
        let before = self.items.len();
        self.search(value)?;
        if self.items.len() == before && !is_blank(value) {
            self.note(what(value));
        }
        Ok(())
    }

    /// Adds the reports in a value.
    fn search(&mut self, value: &'v Value<'v>) -> Result<(), NotAReport> {
        match value {
            Value::Object(members) if is_ours(members) => Ok(()),
            Value::Object(members) => {
                let around = std::mem::take(&mut self.generated);
                let own = generated(members);
                self.generated = if own == Generated::Missing {
                    around.clone()
                } else {
                    own
                };
                self.search_object(members)?;
                self.generated = around;
                self.has_error |= members.iter().any(|(key, value)| is_error(key, value));
                Ok(())
            }
            Value::Array(values) => self.search_list(values),
            Value::Text(text) if is_content(text.as_bytes()) => {
                self.answer(text.as_bytes(), Generated::Missing)
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => Ok(()),
        }
    }

    fn search_list(&mut self, values: &'v [Value<'v>]) -> Result<(), NotAReport> {
        if let Some((names, rows)) = values.split_first()
            && let Some(table) = Table::of_arrays(names, rows.iter())
        {
            self.rows(table);
            return Ok(());
        }
        if values.iter().any(|value| table::row(value).is_some()) {
            self.add_rows(values.iter());
            return Ok(());
        }
        values.iter().try_for_each(|value| self.search(value))
    }

    fn search_object(&mut self, members: &'v [(Cow<'v, str>, Value<'v>)]) -> Result<(), NotAReport> {
        if let Some(table) = Table::of_columns(members).or_else(|| Table::of_split(members)) {
            self.rows(table);
            return Ok(());
        }
        let rows = members
            .iter()
            .map(|(_, value)| value)
            .filter(|value| table::row(value).is_some());
        if rows.clone().next().is_some() {
            self.add_rows(rows);
            return Ok(());
        }
        for (key, value) in members {
            if let Some(content) = content(key, value)? {
                self.answer(&content, generated(members))?;
            } else if !matches!(value, Value::Text(_)) {
                self.search(value)?;
            }
        }
        Ok(())
    }

    /// Adds values of which at least one is a row; what names no user is none.
    fn add_rows(&mut self, values: impl Iterator<Item = &'v Value<'v>>) {
        let mut table = Table::default();
        for value in values {
            match table.row_of(value) {
                Some(row) => table.add(row),
                None => self.note(NotAReport::OtherJson),
            }
        }
        self.rows(table);
    }

    /// Adds rows. Those of the same time are one report: programs write the pages of one in several arrays.
    fn rows(&mut self, table: Table<'v>) {
        let own = table.generated();
        let generated = if own == Generated::Missing {
            self.generated.clone()
        } else {
            own
        };
        match self.items.last_mut() {
            Some(Item::Rows(last, time)) if *time == generated => last.append(table),
            _ => self.items.push(Item::Rows(table, generated)),
        }
    }

    fn answer(&mut self, content: &[u8], generated: Generated) -> Result<(), NotAReport> {
        self.items.push(Item::Answer(Unwrapped {
            csv: open_content(content)?,
            generated,
            kind: Envelope::Json,
        }));
        Ok(())
    }

    /// Notes why a value is not a report. That of the call that starts a report may stand beside reports.
    fn note(&mut self, other: NotAReport) {
        if matches!(self.other, None | Some(NotAReport::Generation)) {
            self.other = Some(other);
        }
    }

    /// The reports, and why a value is none.
    fn into_reports(self) -> Result<(Vec<Unwrapped>, Option<NotAReport>), NotAReport> {
        let reports = self.items.into_iter().map(|item| match item {
            Item::Answer(report) => Ok(report),
            Item::Rows(table, generated) => Ok(Unwrapped {
                csv: table.into_csv()?,
                generated,
                kind: Envelope::Json,
            }),
        });
        let reports = reports.collect::<Result<Vec<_>, _>>()?;
        let is_partial = self.has_error && !reports.is_empty();
        let error = is_partial.then(|| NotAReport::Json("an error".to_owned()));
        Ok((reports, error.or(self.other)))
    }
}

/// The reports, and why there is none, or what stands beside them.
fn end(reports: Vec<Unwrapped>, other: Option<NotAReport>, text: &[u8]) -> Reports {
    let error = match other {
        None | Some(NotAReport::Generation) if !reports.is_empty() => None,
        Some(NotAReport::Json(what)) if !reports.is_empty() => Some(NotAReport::BehindJson(what)),
        _ if !reports.is_empty() => Some(NotAReport::BehindJson("a value that is not a report".to_owned())),
        Some(NotAReport::OtherJson) if has_trace_in_json(text) => {
            Some(NotAReport::Json("it has no Content".to_owned()))
        }
        other => Some(other.unwrap_or(if text.trim_ascii().is_empty() {
            NotAReport::Empty
        } else {
            NotAReport::OtherJson
        })),
    };
    Reports { reports, error }
}

/// Whether there is nothing in a value, such as the answer to a query that found no rows.
fn is_blank(value: &Value<'_>) -> bool {
    matches!(value, Value::Array(_) | Value::Object(_)) && value.children().all(is_blank)
}

/// When a report was generated, as a member beside it says.
fn generated(members: &[(Cow<'_, str>, Value<'_>)]) -> Generated {
    let is_time = |key: &str| ExtraColumn::from_name(key) == Some(ExtraColumn::GeneratedTime);
    let time = members.iter().find(|(key, _)| is_time(key));
    time.map_or(Generated::Missing, |(_, time)| Generated::of_json(time))
}

/// Whether a member says that something went wrong, so that what stands beside it may not be all.
fn is_error(key: &str, value: &Value<'_>) -> bool {
    let is_empty = match value {
        Value::Null | Value::Bool(false) | Value::Integer(0) => true,
        Value::Text(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => value.children().next().is_none(),
        Value::Bool(true) | Value::Integer(_) | Value::Float(_) => false,
    };
    !is_empty
        && ["err", "error", "errors"]
            .iter()
            .any(|known| key.eq_ignore_ascii_case(known))
}

/// What a value is that has no report in it.
fn what(value: &Value<'_>) -> NotAReport {
    let Value::Object(members) = value else {
        return NotAReport::OtherJson;
    };
    let member = |wanted: &str| {
        members
            .iter()
            .find(|(key, _)| key == wanted)
            .map(|(_, value)| value)
    };
    if is_ours(members) {
        NotAReport::OwnOutput
    } else if member("ReportFormat").is_some() {
        NotAReport::Json("it has no Content".to_owned())
    } else if member("Error").or(member("__type")).is_some() {
        NotAReport::Json("an error of AWS".to_owned())
    } else if matches!(
        member("State").and_then(Value::text),
        Some("STARTED" | "INPROGRESS" | "COMPLETE")
    ) {
        // Other answers have other states.
        NotAReport::Generation
    } else {
        NotAReport::OtherJson
    }
}

/// Our own outputs name their shape.
fn is_ours(members: &[(Cow<'_, str>, Value<'_>)]) -> bool {
    let schema = members.iter().find(|(key, _)| key == "schema");
    let schema = schema.and_then(|(_, schema)| schema.text());
    schema.is_some_and(|schema| schema.starts_with("credlens."))
}

/// The content of a report that a member holds: `Content` must, and others may. Programs write bytes as arrays, too.
fn content<'v>(key: &str, value: &'v Value<'v>) -> Result<Option<Cow<'v, [u8]>>, NotAReport> {
    let is_content = key == "Content";
    if let Some(text) = value.text()
        && (is_content || begins_content(text.as_bytes()))
    {
        return Ok(Some(Cow::Borrowed(text.as_bytes())));
    }
    if !key.eq_ignore_ascii_case("Content") {
        return Ok(None);
    }
    match bytes(value) {
        Some(bytes) => Ok(Some(Cow::Owned(bytes))),
        None if is_content && !matches!(value, Value::Array(_) | Value::Object(_)) => {
            Err(NotAReport::Json("its Content is not text".to_owned()))
        }
        None => Ok(None),
    }
}

/// The bytes that an array of numbers stands for, alone or as the `data` of an object.
fn bytes(value: &Value<'_>) -> Option<Vec<u8>> {
    let data = || Some(&value.members()?.iter().find(|(key, _)| key == "data")?.1);
    let Value::Array(values) = data().unwrap_or(value) else {
        return None;
    };
    let bytes = values.iter().map(|value| u8::try_from(value.integer()?).ok());
    bytes
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| !bytes.is_empty())
}

/// Whether a string begins as a report, in base64 or not.
fn begins_content(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.starts_with(b"dXNlcixhcm4s") || Header::parse(text).is_ok()
}

/// Whether a string is a report, or what is left of one: its first bytes are a column's name, in base64 or not, or
/// the words of one occur.
fn is_content(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty()
        || text.len() > 8 && begins_report(text)
        || text.starts_with(b"dXNlci")
        || has_trace_in_json(text)
        || is_python_bytes(text)
        || !matches!(Header::parse(text), Err(error) if error.is_other_data() || error == NotAReport::Parts)
}
