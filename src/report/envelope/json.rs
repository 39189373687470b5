//! JSON: answers of the API one after another, alone or in arrays, and strings that hold a report.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::text::begins_report;
use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::recognise::{is_python_bytes, recognise};
use crate::report::shown;
use crate::report::trace::has_trace_in_json;

/// What is read of an answer; everything else is skipped without being stored.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "Content", borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(rename = "GeneratedTime", default)]
    generated: Generated,
    #[serde(rename = "ReportFormat")]
    format: Option<IgnoredAny>,
    /// Answer of `GenerateCredentialReport`, in which it is a string; other answers have one of another kind.
    #[serde(rename = "State")]
    state: Option<serde_json::Value>,
    /// Recordings of boto's placebo.
    #[serde(borrow)]
    data: Option<Box<Answer<'a>>>,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
    /// An error of AWS.
    #[serde(rename = "Error", alias = "__type")]
    error: Option<IgnoredAny>,
}

/// One value of a sequence.
enum Document<'a> {
    Text(Cow<'a, str>),
    Answer(Box<Answer<'a>>),
    Array(Vec<Document<'a>>),
    Other,
}

/// What the values of a text come to.
#[derive(Default)]
struct Found {
    reports: Reports,
    /// Why a value is not a report, where none has been found.
    other: Option<NotAReport>,
    /// Whether there are strings that are not a report.
    has_strings: bool,
}

/// What is read of a value that is not an answer.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(rename = "Content")]
    content: Option<IgnoredAny>,
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
}

/// The reports in a text of JSON values.
pub(super) fn open(text: &[u8]) -> Reports {
    let mut found = Found::default();
    let mut at = 0;
    while let Some(rest) = rest(text, at) {
        at = text.len() - rest.len();
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Document<'_>>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => match found.add_other(rest, &error) {
                Ok(length) => {
                    at += length;
                    continue;
                }
                Err(error) => {
                    found.reports.error = Some(error);
                    return found.reports;
                }
            },
            None => break,
        };
        at += values.byte_offset();
        if let Err(error) = found.add(value) {
            found.reports.error = Some(error);
            return found.reports;
        }
    }
    found.end(text)
}

impl Found {
    /// The reports, and why there is none.
    fn end(self, text: &[u8]) -> Reports {
        let Self {
            mut reports,
            other,
            has_strings,
        } = self;
        if reports.reports.is_empty() {
            let mut error = other.unwrap_or(NotAReport::Empty);
            if error == NotAReport::OtherJson && has_trace_in_json(text) {
                error = NotAReport::Json("it has no Content".to_owned());
            }
            reports.error = Some(error);
        } else if has_strings || other.is_some_and(|other| other != NotAReport::Generation) {
            reports.error = Some(NotAReport::Json(
                "a value beside the reports is not one".to_owned(),
            ));
        }
        reports
    }

    /// Notes why a value is not a report. That of the call that starts a report may stand beside reports.
    fn note(&mut self, other: NotAReport) {
        if self
            .other
            .as_ref()
            .is_none_or(|known| *known == NotAReport::Generation)
        {
            self.other = Some(other);
        }
    }

    /// Adds a value at the beginning of a text that is not an answer; its length, or why it is not a value at all.
    fn add_other(&mut self, text: &[u8], error: &serde_json::Error) -> Result<usize, NotAReport> {
        let broken = || NotAReport::Json(shown(&error.to_string(), 120));
        let is_first = self.reports.reports.is_empty() && self.other.is_none();
        if is_first && !begins_value(text) {
            return Err(recognise(text));
        }
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
        if !error.is_data() || !matches!(values.next(), Some(Ok(_))) {
            return Err(broken());
        }
        let length = values.byte_offset();
        let named = serde_json::from_slice::<Named<'_>>(&text[..length]);
        let (content, schema) = named.map_or((None, None), |named| (named.content, named.schema));
        if content.is_some() {
            return Err(broken());
        }
        let is_ours = schema.is_some_and(|schema| is_ours(&schema));
        self.note(if is_ours {
            NotAReport::OwnOutput
        } else {
            NotAReport::OtherJson
        });
        Ok(length)
    }
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

/// Whether AWS says so how far a report is. Other answers have other states.
fn is_progress(state: &serde_json::Value) -> bool {
    matches!(state.as_str(), Some("STARTED" | "INPROGRESS" | "COMPLETE"))
}

/// Our own outputs name their shape.
fn is_ours(schema: &str) -> bool {
    schema.starts_with("credlens.")
}

/// The text after blanks and byte order marks, which appending programs put between values.
fn rest(text: &[u8], at: usize) -> Option<&[u8]> {
    let mut rest = text[at..].trim_ascii_start();
    while let Some(behind) = rest.strip_prefix(super::BYTE_ORDER_MARK) {
        rest = behind.trim_ascii_start();
    }
    (!rest.is_empty()).then_some(rest)
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
        || !matches!(Header::parse(text), Err(error) if error.is_other_data())
}

impl Found {
    fn add(&mut self, value: Document<'_>) -> Result<(), NotAReport> {
        match value {
            Document::Text(text) if is_content(text.as_bytes()) => self.report(&text, Generated::default()),
            Document::Text(_) => {
                self.has_strings = true;
                self.note(NotAReport::OtherJson);
                Ok(())
            }
            Document::Answer(answer) => self.answer(*answer),
            Document::Array(values) => values.into_iter().try_for_each(|value| self.add(value)),
            Document::Other => {
                self.note(NotAReport::OtherJson);
                Ok(())
            }
        }
    }

    fn answer(&mut self, mut answer: Answer<'_>) -> Result<(), NotAReport> {
        while answer.content.is_none()
            && let Some(inner) = answer.data
        {
            answer = *inner;
        }
        if let Some(content) = answer.content {
            return self.report(&content, answer.generated);
        }
        if answer.format.is_some() || answer.generated != Generated::Missing {
            return Err(NotAReport::Json("it has no Content".to_owned()));
        }
        if answer.error.is_some() && answer.schema.is_none() {
            self.note(NotAReport::Json("an error of AWS".to_owned()));
            return Ok(());
        }
        // The answer of the call that starts a report may precede the report.
        let other = match (answer.state, answer.schema.filter(|schema| is_ours(schema))) {
            (_, Some(_)) => NotAReport::OwnOutput,
            (Some(state), None) if is_progress(&state) => NotAReport::Generation,
            (_, None) => NotAReport::OtherJson,
        };
        self.note(other);
        Ok(())
    }

    fn report(&mut self, content: &str, generated: Generated) -> Result<(), NotAReport> {
        self.reports.reports.push(Unwrapped {
            csv: open_content(content.as_bytes())?,
            generated,
            kind: Envelope::Json,
        });
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Document<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Document::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Document::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let answer = Answer::deserialize(MapAccessDeserializer::new(map)).map_err(A::Error::custom)?;
        Ok(Document::Answer(Box::new(answer)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Document::Array(values))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Document::Other)
    }
}
