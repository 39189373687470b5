//! What rules ask of text.

use crate::gsl::typed::TextTest;

/// Whether the text, which is '' where it is absent, passes the test.
pub(super) fn holds(test: &TextTest, text: &[u8]) -> bool {
    match test {
        TextTest::Equals(wanted) => text == wanted.as_bytes(),
        TextTest::In(wanted) => wanted.iter().any(|wanted| text == wanted.as_bytes()),
        TextTest::Like(pattern) => like(pattern.as_bytes(), text),
        TextTest::Matches(pattern) => pattern.is_match(text),
        TextTest::IsEmpty => text.is_empty(),
    }
}

/// The byte that every text begins with that passes, if there is one: most names are told from root's by it.
pub(super) fn first_byte(test: &TextTest) -> Option<u8> {
    match test {
        TextTest::Equals(wanted) => wanted.bytes().next(),
        TextTest::Like(pattern) => pattern.bytes().next().filter(|&byte| byte != b'%'),
        TextTest::Matches(pattern) => {
            let literal = pattern.source().strip_prefix('^')?.as_bytes();
            let [first, rest @ ..] = literal else { return None };
            let is_itself = matches!(first, b'<' | b'_' | b'-' | b'/' | b'@' | b'0'..=b'9');
            let is_needed = !matches!(rest.first(), Some(b'*' | b'?' | b'+' | b'{')) && !rest.contains(&b'|');
            (is_itself && is_needed).then_some(*first)
        }
        TextTest::In(_) | TextTest::IsEmpty => None,
    }
}

/// Whether the text fits the pattern, in which `%` stands for any run of bytes. Between two `%` the first
/// place that fits is as good as any, so this never goes back.
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

    use super::{first_byte, holds, like};
    use crate::gsl::typed::{Pattern, TextTest};

    proptest! {
        #[test]
        fn what_passes_begins_with_its_first_byte(
            pattern in "\\^?[<_a0%.][*?+{|<a$]{0,3}[<a>$]?",
            text in "[<_a0|]{0,3}",
            ignore_case: bool,
        ) {
            let regex = Pattern::new(&pattern, ignore_case).ok().map(TextTest::Matches);
            let tests = [TextTest::Equals(pattern.clone()), TextTest::Like(pattern)];
            for test in regex.into_iter().chain(tests) {
                let first = first_byte(&test);
                if first.is_some() && text.bytes().next() != first {
                    prop_assert!(!holds(&test, text.as_bytes()), "{:?} {:?}", test, text);
                }
            }
        }
    }

    #[test]
    fn percent_stands_for_any_run() {
        for (pattern, text, fits) in [
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
                fits,
                "{pattern} on {text}"
            );
        }
    }
}
