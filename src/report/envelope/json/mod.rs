//! JSON: answers of the API, strings that hold a report, and rows, one after another or at any depth of other values.

use std::borrow::Cow;

use super::text::begins_report;
use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::recognise::{is_python_bytes, recognise};
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
    let mut found = Found::default();
    let added = values.iter().try_for_each(|value| found.add(value));
    let closed = added.and_then(|()| found.close());
    match closed.err().or(broken) {
        Some(error) => Reports {
            reports: found.reports,
            error: Some(error),
        },
        None => found.end(text),
    }
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
                let what = if values.is_empty() {
                    NotAReport::Json(shown(&error.to_string(), 120))
                } else {
                    NotAReport::BehindJson(shown(&error.to_string(), 120))
                };
                return (values, Some(what));
            }
            None => break,
        }
        at += stream.byte_offset();
    }
    (values, None)
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
    reports: Vec<Unwrapped>,
    /// The rows that are being collected.
    table: Option<Table<'v>>,
    /// Why a value is not a report, where none has been found.
    other: Option<NotAReport>,
}

impl<'v> Found<'v> {
    /// Adds a value that is not part of another one.
    fn add(&mut self, value: &'v Value<'v>) -> Result<(), NotAReport> {
        let before = self.reports.len();
        self.search(value)?;
        if self.reports.len() == before && self.table.is_none() {
            self.note(what(value));
        }
        Ok(())
    }

    /// Adds the reports in a value.
    fn search(&mut self, value: &'v Value<'v>) -> Result<(), NotAReport> {
        match value {
            Value::Object(members) if is_ours(members) => self.close(),
            Value::Object(members) => {
                let is_row = match &self.table {
                    Some(table) => table.has_names_of(members) || table::names_user(members),
                    None => table::is_row(members),
                };
                if is_row {
                    self.table.get_or_insert_default().add(members);
                    return Ok(());
                }
                if self.table.is_some() {
                    self.note(NotAReport::OtherJson);
                }
                self.close()?;
                self.search_object(members)?;
                self.close()
            }
            Value::Array(values) => {
                self.close()?;
                values.iter().try_for_each(|value| self.search(value))?;
                self.close()
            }
            Value::Text(text) if is_content(text.as_bytes()) => {
                self.close()?;
                self.report(text.as_bytes(), Generated::Missing)
            }
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {
                if self.table.is_some() {
                    self.note(NotAReport::OtherJson);
                }
                Ok(())
            }
        }
    }

    fn search_object(&mut self, members: &'v [(Cow<'v, str>, Value<'v>)]) -> Result<(), NotAReport> {
        if let Some(table) = Table::of_columns(members).or_else(|| Table::of_split(members)) {
            self.table = Some(table);
            return Ok(());
        }
        for (key, value) in members {
            if let Some(content) = content(key, value)? {
                let time = members.iter().find(|(key, _)| key == "GeneratedTime");
                let generated = time.map_or(Generated::Missing, |(_, time)| Generated::of_json(time));
                self.report(&content, generated)?;
            } else if !matches!(value, Value::Text(_)) {
                self.search(value)?;
            }
        }
        Ok(())
    }

    fn report(&mut self, content: &[u8], generated: Generated) -> Result<(), NotAReport> {
        self.reports.push(Unwrapped {
            csv: open_content(content)?,
            generated,
            kind: Envelope::Json,
        });
        Ok(())
    }

    /// Ends the rows that are being collected.
    fn close(&mut self) -> Result<(), NotAReport> {
        if let Some(table) = self.table.take() {
            self.reports.push(Unwrapped {
                csv: table.into_csv()?,
                generated: Generated::Missing,
                kind: Envelope::Json,
            });
        }
        Ok(())
    }

    /// Notes why a value is not a report. That of the call that starts a report may stand beside reports.
    fn note(&mut self, other: NotAReport) {
        if matches!(self.other, None | Some(NotAReport::Generation)) {
            self.other = Some(other);
        }
    }

    /// The reports, and why there is none.
    fn end(self, text: &[u8]) -> Reports {
        let Self { reports, other, .. } = self;
        let error = if !reports.is_empty() {
            let is_beside = other.is_some_and(|other| other != NotAReport::Generation);
            is_beside.then(|| NotAReport::BehindJson("a value that is not a report".to_owned()))
        } else if other == Some(NotAReport::OtherJson) && has_trace_in_json(text) {
            Some(NotAReport::Json("it has no Content".to_owned()))
        } else {
            Some(other.unwrap_or(NotAReport::Empty))
        };
        Reports { reports, error }
    }
}

/// What a value is in which there is no report.
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
        || begins_report(text)
        || text.starts_with(b"dXNlci")
        || has_trace_in_json(text)
        || is_python_bytes(text)
        || !matches!(Header::parse(text), Err(error) if error.is_other_data() || error == NotAReport::Parts)
}
