//! Traces of a report in something that is not one: words of its header and rows, also in base64. What has them may be a
//! damaged report.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::chunk::ROOT;
use super::schema::Column;

/// Words that few other texts have, beside the names of columns.
const WORDS: [&str; 5] = [
    ROOT,
    "N/A,N/A",
    ",not_supported",
    ",false,false",
    "credential-report",
];

/// Words of which one is enough: calls that failed.
const CALLS: [&str; 2] = ["GetCredentialReport", "CredentialReportNot"];

/// Words of answers of the API in JSON.
const KEYS: [&str; 3] = ["\"Content\"", "\"ReportFormat\"", "\"GeneratedTime\""];

/// The names of columns that other tables do not have.
fn names() -> impl Iterator<Item = &'static str> {
    let names = Column::ALL.into_iter().map(Column::name);
    names.filter(|name| name.contains('_'))
}

/// The words, then those of which one is enough: calls, and words in base64, where they do not occur by chance.
static MARKS: LazyLock<(AhoCorasick, usize)> = LazyLock::new(|| {
    let words: Vec<&str> = names().chain(WORDS).collect();
    let packed = words
        .iter()
        .flat_map(|word| (0..3).map(|shift| in_base64(word, shift)));
    let begins = in_base64("user,arn", 0);
    let plain = words.iter().chain(&CALLS).map(|word| word.as_bytes().to_vec());
    let marks = AhoCorasick::new(plain.chain(packed).chain([begins]));
    (marks.expect("invariant: few short words"), words.len())
});

/// The characters of base64 that depend only on the word, where it begins this many bytes after a group of three.
fn in_base64(word: &str, shift: usize) -> Vec<u8> {
    let text = STANDARD_NO_PAD.encode([&b"\0\0"[..shift], word.as_bytes()].concat());
    let first = (shift * 8).div_ceil(6);
    let last = (shift + word.len()) * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

/// Whether a text has a trace of a report. A page about reports may mention one of their columns.
pub(super) fn has_trace(text: &[u8]) -> bool {
    let (marks, words) = &*MARKS;
    let mut marks = marks.find_iter(text);
    let first = marks.next();
    first.is_some_and(|first| first.pattern().as_usize() >= *words || marks.next().is_some())
}

/// Whether JSON has a trace of a report, or of an answer that should hold one.
pub(super) fn has_trace_in_json(text: &[u8]) -> bool {
    let has = |key: &&str| memchr::memmem::find(text, key.as_bytes()).is_some();
    // A policy names the actions that it allows.
    let is_action = |start: usize| {
        let before = text[..start].strip_suffix(b"iam:");
        before.is_some_and(|before| before.is_empty() || before.ends_with(b"\""))
    };
    let mut marks = MARKS.0.find_iter(text);
    marks.any(|mark| !is_action(mark.start())) || KEYS.iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_base64_wherever_they_begin() {
        for word in names().chain(WORDS) {
            for shift in 0..7 {
                let text = format!("{}{word}{}", "x".repeat(shift), "y".repeat(shift));
                let encoded = STANDARD_NO_PAD.encode(&text);
                assert!(has_trace(encoded.as_bytes()), "{text}");
            }
        }
    }

    #[test]
    fn other_texts_have_none() {
        for text in [
            "user,team\nalice,red\n",
            "{\"Users\": [{\"Arn\": \"arn:aws:iam::111122223333:user/x\", \"PasswordLastUsed\": \"2026\"}]}",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
            "The table of <root_account>, in short.",
        ] {
            assert!(!has_trace(text.as_bytes()), "{text}");
        }
        assert!(has_trace(
            b"operation error IAM: GetCredentialReport, exceeded maximum number of attempts"
        ));
        assert!(has_trace(b",N/A,N/A,N/A,N/A,false,N/A,false,N/A"));
    }
}
