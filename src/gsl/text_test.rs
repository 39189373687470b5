//! Tests text against the predicates of rules, `like` among them.

use super::typed::TextTest;

impl TextTest {
    /// Whether the text, '' where it is absent, passes the test.
    pub fn holds(&self, text: &[u8]) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted.as_bytes(),
            Self::In(wanted) => wanted.iter().any(|wanted| text == wanted.as_bytes()),
            Self::Like(pattern) => like(pattern.as_bytes(), text),
            Self::Matches(pattern) => pattern.is_match(text),
            Self::IsEmpty => text.is_empty(),
        }
    }

    /// The first byte of every text that passes, if it is always the same: it rules out most names quickly where a rule
    /// asks for root.
    pub fn first_byte(&self) -> Option<u8> {
        match self {
            Self::Equals(wanted) => wanted.bytes().next(),
            Self::Like(pattern) => pattern.bytes().next().filter(|&byte| byte != b'%'),
            Self::Matches(pattern) => {
                let literal = pattern.source().strip_prefix('^')?.as_bytes();
                let [first, rest @ ..] = literal else { return None };
                let is_itself = matches!(first, b'<' | b'_' | b'-' | b'/' | b'@' | b'0'..=b'9');
                let is_needed =
                    !matches!(rest.first(), Some(b'*' | b'?' | b'+' | b'{')) && !rest.contains(&b'|');
                (is_itself && is_needed).then_some(*first)
            }
            Self::In(_) | Self::IsEmpty => None,
        }
    }
}

/// Whether the text matches the pattern, in which `%` is any run of bytes. Between two `%` the first match is as good as
/// any other, so this never backtracks.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|&byte| byte == b'%');
    let first = parts.next().unwrap_or(b"");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = memchr::memmem::find(rest, part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::like;
    use crate::gsl::typed::{Pattern, TextTest};

    proptest! {
        #[test]
        fn every_text_that_passes_begins_with_the_first_byte(
            pattern in "\\^?[<_a0%.][*?+{|<a$]{0,3}[<a>$]?",
            text in "[<_a0|]{0,3}",
            ignore_case: bool,
        ) {
            let regex = Pattern::new(&pattern, ignore_case).ok().map(TextTest::Matches);
            let tests = [TextTest::Equals(pattern.clone()), TextTest::Like(pattern)];
            for test in regex.into_iter().chain(tests) {
                let first = test.first_byte();
                if first.is_some() && text.bytes().next() != first {
                    prop_assert!(!test.holds(text.as_bytes()), "{:?} {:?}", test, text);
                }
            }
        }
    }

    #[test]
    fn percent_is_any_run_of_bytes() {
        for (pattern, text, matches) in [
            ("%root_account%", "<root_account>", true),
            ("root", "root", true),
            ("root", "roots", false),
            ("a%", "a", true),
            ("a%a", "a", false),
            ("%b%b", "abb", true),
            ("%ab%ab%", "abab", true),
            ("%ab%ab%", "aba", false),
            ("%", "", true),
            ("", "", true),
            ("", "x", false),
            ("a_c", "abc", false),
        ] {
            assert_eq!(
                like(pattern.as_bytes(), text.as_bytes()),
                matches,
                "{pattern} on {text}"
            );
        }
    }
}
