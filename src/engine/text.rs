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
    use super::like;

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
