//! A pattern over names, as filters and suppressions have them: case matters, `*` stands for any run of characters, `/`
//! included.

use std::sync::OnceLock;

use globset::{GlobBuilder, GlobMatcher};

/// A compiled pattern. One without wildcards is compared, not matched.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    pattern: String,
    matcher: Option<GlobMatcher>,
    /// The same for any case, compiled where what was meant is asked for.
    any_case: OnceLock<Option<GlobMatcher>>,
}

impl Glob {
    /// Compiles a pattern; the error says what is wrong with it.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let is_plain = !pattern.contains(['*', '?', '[', ']', '{', '}', '\\']);
        let matcher = if is_plain {
            None
        } else {
            Some(compiled(pattern, false)?)
        };
        Ok(Self {
            pattern: pattern.to_owned(),
            matcher,
            any_case: OnceLock::new(),
        })
    }

    /// Whether it stands for this text.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        match &self.matcher {
            None => text == self.pattern.as_bytes(),
            Some(matcher) => matches(matcher, text),
        }
    }

    /// The text that it stands for, if that is only one.
    pub(super) fn exact(&self) -> Option<&str> {
        self.matcher.is_none().then_some(&*self.pattern)
    }

    /// As written.
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether it would match this text if case did not matter.
    pub(super) fn matches_in_other_case(&self, text: &[u8]) -> bool {
        if self.matcher.is_none() {
            return text.eq_ignore_ascii_case(self.pattern.as_bytes());
        }
        let any_case = self.any_case.get_or_init(|| compiled(&self.pattern, true).ok());
        any_case.as_ref().is_some_and(|matcher| matches(matcher, text))
    }
}

fn compiled(pattern: &str, any_case: bool) -> Result<GlobMatcher, String> {
    let mut builder = GlobBuilder::new(pattern);
    let glob = builder.backslash_escape(true).case_insensitive(any_case).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

/// Names that are not UTF-8 are matched with replacement characters.
fn matches(matcher: &GlobMatcher, text: &[u8]) -> bool {
    matcher.is_match(&*String::from_utf8_lossy(text))
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs() {
        for (pattern, matching, others) in [
            ("alice", &["alice"][..], &["Alice", "alice2", ""][..]),
            ("svc-*", &["svc-", "svc-a", "svc-a/b"], &["SVC-a", "asvc-"]),
            (
                "/team-a/*",
                &["/team-a/", "/team-a/x/", "/team-a/x/y/"],
                &["/team-a", "/team-ab/", "/"],
            ),
            ("*", &["", "a", "/"], &[]),
            ("a?c", &["abc", "a/c"], &["ac"]),
            ("{a,b}1", &["a1", "b1"], &["c1"]),
            (r"a\*", &["a*"], &["ab"]),
            ("", &[""], &["a"]),
            ("<root_account>", &["<root_account>"], &["root"]),
        ] {
            let glob = Glob::new(pattern).unwrap();
            assert!(
                matching.iter().all(|text| glob.matches(text.as_bytes())),
                "{pattern}"
            );
            assert!(
                !others.iter().any(|text| glob.matches(text.as_bytes())),
                "{pattern}"
            );
        }
        assert!(Glob::new("a[").is_err() && Glob::new("{a").is_err());
        assert!(Glob::new("*").unwrap().matches(b"\xff"));
    }
}
