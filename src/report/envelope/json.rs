//! JSON: answers of the API one after another, alone or in arrays, and strings that hold a report.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Envelope, Generated, Reports, Unwrapped, open_content};
use crate::report::chunk::ROOT;
use crate::report::not_a_report::NotAReport;
use crate::report::schema::Column;
use crate::report::shown;

/// What is read of an answer; everything else is skipped without being stored.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "Content", borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(rename = "GeneratedTime", default)]
    generated: Generated,
    #[serde(rename = "ReportFormat")]
    format: Option<IgnoredAny>,
    /// Answer of `GenerateCredentialReport`.
    #[serde(rename = "State")]
    state: Option<IgnoredAny>,
    /// Recordings of boto's placebo.
    #[serde(borrow)]
    data: Option<Box<Answer<'a>>>,
    /// Our own outputs name their shape.
    #[serde(borrow)]
    schema: Option<Cow<'a, str>>,
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
            Some(Err(error)) => {
                found.reports.error = Some(NotAReport::Json(shown(&error.to_string(), 120)));
                return found.reports;
            }
            None => break,
        };
        at += values.byte_offset();
        if let Err(error) = found.add(value) {
            found.reports.error = Some(error);
            return found.reports;
        }
    }
    if found.reports.reports.is_empty() {
        let other = found.other.unwrap_or(NotAReport::Empty);
        found.reports.error = Some(match other {
            NotAReport::OtherJson if has_trace(text) => NotAReport::Json("it has no Content".to_owned()),
            other => other,
        });
    }
    found.reports
}

/// What is left of the text behind blanks and byte order marks, which appending programs put between values.
fn rest(text: &[u8], at: usize) -> Option<&[u8]> {
    let mut rest = text[at..].trim_ascii_start();
    while let Some(behind) = rest.strip_prefix(super::BYTE_ORDER_MARK) {
        rest = behind.trim_ascii_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// Whether the words of a report occur in a text that parses whole, so that it is worth an error.
fn has_trace(text: &[u8]) -> bool {
    let flags = Column::ALL
        .into_iter()
        .filter(|column| matches!(column, Column::Flag(_)));
    let mut words = flags.map(Column::name).chain([ROOT]);
    words.any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

impl Found {
    fn add(&mut self, value: Document<'_>) -> Result<(), NotAReport> {
        match value {
            Document::Text(content) => self.report(&content, Generated::default()),
            Document::Answer(answer) => self.answer(*answer),
            Document::Array(values) => values.into_iter().try_for_each(|value| self.add(value)),
            Document::Other => {
                self.other.get_or_insert(NotAReport::OtherJson);
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
        let is_ours = |schema: &Cow<'_, str>| schema.starts_with("credlens.");
        if let Some(content) = answer.content {
            return self.report(&content, answer.generated);
        }
        if answer.format.is_some() || answer.generated != Generated::Missing {
            return Err(NotAReport::Json("it has no Content".to_owned()));
        }
        // The answer of the call that starts a report may precede the report.
        let other = match (answer.state, answer.schema.filter(is_ours)) {
            (_, Some(_)) => NotAReport::OwnOutput,
            (Some(_), None) => NotAReport::Generation,
            (None, None) => NotAReport::OtherJson,
        };
        self.other.get_or_insert(other);
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
