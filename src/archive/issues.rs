//! What was wrong with rows, as text in the column `issues`: `unquoted-commas,line-break`. What is about rows that were not
//! stored is with the next stored row, or with the report, and has the number of its row: `left-out@17`.

use crate::report::issue::Issue;

/// The issues of rows, with how they are written.
const WORDS: [(&str, Issue); 8] = [
    ("unquoted-commas", Issue::UnquotedCommas),
    ("glued-header", Issue::GluedHeader),
    ("glued-row", Issue::GluedRow),
    ("repeated-header", Issue::RepeatedHeader),
    ("unclosed-quote", Issue::UnclosedQuote),
    ("line-break", Issue::LineBreak),
    ("left-out", Issue::LeftOut),
    // With the number of fields.
    ("ragged", Issue::Ragged(0)),
];

/// Adds an issue of the data row with this number to the text of the row numbered `own`.
pub(super) fn write(issue: &Issue, number: u64, own: u64, text: &mut String) {
    if !text.is_empty() {
        text.push(',');
    }
    let fields = match issue {
        Issue::Ragged(fields) => Some(*fields),
        Issue::Delimiter(_)
        | Issue::DuplicateColumn(_)
        | Issue::UnknownColumns(_)
        | Issue::MisspelledColumn(..)
        | Issue::Before2015
        | Issue::MissingColumns(_)
        | Issue::UnquotedCommas
        | Issue::GluedHeader
        | Issue::GluedRow
        | Issue::RepeatedHeader
        | Issue::UnclosedQuote
        | Issue::LineBreak
        | Issue::LeftOut => None,
    };
    let is_it = |known: &Issue| std::mem::discriminant(known) == std::mem::discriminant(issue);
    let word = WORDS
        .iter()
        .find(|(_, known)| is_it(known))
        .map(|(word, _)| *word);
    text.push_str(word.expect("invariant: the other issues are about headers"));
    if let Some(fields) = fields {
        text.extend(["=", &fields.to_string()]);
    }
    if number != own {
        text.extend(["@", &number.to_string()]);
    }
}

/// The issues in the text of the row numbered `own`, each with the number of its row. None if it cannot be read.
pub(super) fn parse(text: &str, own: u64) -> Option<Vec<(u64, Issue)>> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    let issue = |part: &str| {
        let (part, number) = match part.split_once('@') {
            Some((part, number)) => (part, number.parse().ok()?),
            None => (part, own),
        };
        let (word, fields) = match part.split_once('=') {
            Some((word, fields)) => (word, Some(fields.parse().ok()?)),
            None => (part, None),
        };
        let (_, issue) = WORDS.iter().find(|(known, _)| *known == word)?;
        Some((number, fields.map_or_else(|| issue.clone(), Issue::Ragged)))
    };
    parts.map(issue).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_round_trip() {
        let mut text = String::new();
        let all = WORDS.map(|(_, issue)| issue);
        for (number, issue) in (5..).zip(&all) {
            write(issue, number, 7, &mut text);
        }
        write(&Issue::Ragged(12), 7, 7, &mut text);
        let numbered = (5..).zip(all).chain([(7, Issue::Ragged(12))]);
        assert_eq!(parse(&text, 7), Some(numbered.collect()), "{text}");
        assert_eq!(parse("", 1), Some(Vec::new()));
        assert_eq!(parse("what", 1), None);
    }
}
