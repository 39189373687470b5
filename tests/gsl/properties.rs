//! The rule language is robust against any input, and parses the rules that it prints.

use std::time::{Duration, Instant};

use credlens::gsl::{Error, render};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{errors, parse};
use crate::support::typed::typed_rule;

/// Parts of rules, and text that should not be in a rule.
const PIECES: [&str; 44] = [
    "IamUser",
    "IamAccessKey",
    "where",
    "should",
    "not",
    "have",
    "exclude",
    "and",
    "or",
    "(",
    ")",
    "mfaActive",
    "isActive",
    "name",
    "createDate",
    "user.name",
    "=",
    "!=",
    "<=",
    "in",
    "in('a','b')",
    "like",
    "'x%'",
    "''",
    "'",
    "regexMatch",
    "/^a/i",
    "/",
    "before(-90,'days')",
    "before",
    "isEmpty()",
    "dateDifference(",
    "'days'",
    ",",
    "90",
    "-",
    "{max_age}",
    "{",
    "contain",
    "[",
    "]",
    "true",
    "\u{1b}[31m",
    "é\u{202e}",
];

/// Whether the text has no control characters but line ends.
fn is_escaped(text: &str) -> bool {
    text.chars()
        .all(|char| char == '\n' || !(char.is_control() || ('\u{202a}'..='\u{202e}').contains(&char)))
}

/// Parses the source, and prints the rule or renders the errors.
fn check(source: &str) -> Result<(), TestCaseError> {
    match parse(source) {
        Ok(rule) => prop_assert_eq!(parse(&rule.to_string()), Ok(rule)),
        Err(errors) => {
            prop_assert!((1..=20).contains(&errors.len()));
            prop_assert!(errors.is_sorted_by_key(|error| error.span.start));
            for error in &errors {
                prop_assert!(source.get(error.span.clone()).is_some(), "{:?}", error);
            }
            prop_assert!(is_escaped(&render(Some(source), 1, source, &errors, false)));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn printed_rules_parse_to_the_same_rule(rule in typed_rule()) {
        let printed = rule.to_string();
        prop_assert_eq!(parse(&printed), Ok(rule), "{}", printed);
    }

    #[test]
    fn any_text_parses_or_gives_errors(source in any::<String>()) {
        check(&source)?;
    }

    #[test]
    fn any_words_parse_or_give_errors(words in vec(select(PIECES.to_vec()), 0..24)) {
        check(&words.join(" "))?;
        check(&words.concat())?;
    }

    #[test]
    fn mutated_rules_parse_or_give_errors(rule in typed_rule(), at: Index, cut in 0_usize..4, piece in select(PIECES.to_vec())) {
        let mut chars: Vec<char> = rule.to_string().chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        chars.splice(at..end, piece.chars());
        check(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn any_span_can_be_rendered(source: String, start in 0_usize..40, end in 0_usize..40, line: usize) {
        let error = Error { span: start..end, message: source.clone(), label: source.clone(), help: Some(source.clone()) };
        prop_assert!(is_escaped(&render(Some(&source), line, &source, &[error], false)));
    }
}

#[test]
fn hostile_rules_are_refused_quickly_and_briefly() {
    let rule = |condition: String| format!("IamUser should have {condition}");
    let hostile = [
        rule("(".repeat(60_000)),
        rule("not ".repeat(16_000)),
        rule(format!("{}mfaActive{}", "(".repeat(100), ")".repeat(100))),
        rule("mfaActive and (mfaActive or ".repeat(2_000)),
        rule("mfaActiv or ".repeat(5_000)),
        rule(format!("name regexMatch /{}/", "(".repeat(60_000))),
        rule(format!("name regexMatch /{}/", "a{1000}".repeat(8_000))),
        rule(format!(
            "name{}",
            r" regexMatch /\w{9}\pL{30}/ and name".repeat(1_500)
        )),
        rule("a".repeat(60_000)),
        rule(format!("name contain {}", "[".repeat(60_000))),
        rule(format!("name = '{}", "''".repeat(30_000))),
        rule(format!("createDate before({},'days')", "9".repeat(60_000))),
        "\u{1b}".repeat(60_000),
        "\"' / {".repeat(10_000),
        "x".repeat(1 << 20),
        "\n".repeat(60_000),
    ];
    let start = Instant::now();
    for source in hostile {
        let rendered = errors(&source);
        assert!(
            rendered.len() < 40_000,
            "{} bytes for {:.60}",
            rendered.len(),
            source
        );
        assert!(is_escaped(&rendered));
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn large_valid_rules_parse() {
    let names: Vec<_> = (0..4_000).map(|number| format!("'user-{number}'")).collect();
    assert!(parse(&format!("IamUser should have name not in({})", names.join(","))).is_ok());
    let nested = format!("{}mfaActive{}", "not (".repeat(31), ")".repeat(31));
    assert!(parse(&format!("IamUser should {nested}")).is_ok());
    let wide = vec!["mfaActive"; 5_000].join(" or ");
    assert!(parse(&format!("IamUser should have {wide}")).is_ok());
}

#[test]
fn colours_are_the_only_escape_sequences() {
    let source = "IamUser should have \u{1b}]0;title\u{7} and mfaActive\u{9b}31m";
    let errors = parse(source).unwrap_err();
    let coloured = render(Some("a\u{1b}[2J.toml"), 1, source, &errors, true);
    let mut pieces = coloured.split('\u{1b}');
    assert!(is_escaped(pieces.next().unwrap()));
    for piece in pieces {
        let (colour, text) = piece.split_once('m').unwrap();
        assert!(colour.starts_with('['), "{colour:?}");
        assert!(
            colour[1..]
                .chars()
                .all(|char| char.is_ascii_digit() || char == ';'),
            "{colour:?}"
        );
        assert!(is_escaped(text), "{text:?}");
    }
}
