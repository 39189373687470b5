//! Splits the source text into tokens.

use super::error::{ERROR_LIMIT, Error, Span, quoted};

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'s> {
    pub(super) kind: TokenKind<'s>,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'s> {
    /// A keyword, an entity, an attribute's path.
    Word(&'s str),
    /// Begins with a digit.
    Number(&'s str),
    /// The text between single quotes, with inner quotes still doubled.
    Text(&'s str),
    /// The text between slashes, and the letters after them.
    Regex {
        source: &'s str,
        flags: &'s str,
    },
    /// The name between braces.
    Parameter(&'s str),
    Symbol(&'static str),
    End,
}

impl<'s> TokenKind<'s> {
    /// The word or sign; empty for other tokens.
    pub(super) const fn code(self) -> &'s str {
        match self {
            Self::Word(code) | Self::Symbol(code) => code,
            Self::Number(_) | Self::Text(_) | Self::Regex { .. } | Self::Parameter(_) | Self::End => "",
        }
    }
}

/// The token of each sign; where it is another word or sign, the author thought of another language. A longer sign is
/// before those that it starts with.
const SIGNS: [(&str, TokenKind<'static>); 19] = [
    ("==", TokenKind::Symbol("=")),
    ("<>", TokenKind::Symbol("!=")),
    ("=<", TokenKind::Symbol("<=")),
    ("=>", TokenKind::Symbol(">=")),
    ("&&", TokenKind::Word("and")),
    ("||", TokenKind::Word("or")),
    ("<=", TokenKind::Symbol("<=")),
    (">=", TokenKind::Symbol(">=")),
    ("!=", TokenKind::Symbol("!=")),
    ("!", TokenKind::Word("not")),
    ("<", TokenKind::Symbol("<")),
    (">", TokenKind::Symbol(">")),
    ("=", TokenKind::Symbol("=")),
    ("(", TokenKind::Symbol("(")),
    (")", TokenKind::Symbol(")")),
    ("[", TokenKind::Symbol("[")),
    ("]", TokenKind::Symbol("]")),
    (",", TokenKind::Symbol(",")),
    ("-", TokenKind::Symbol("-")),
];

/// The tokens, the last of them [`TokenKind::End`], and the errors in the text between them.
pub(super) fn lex(source: &str) -> (Vec<Token<'_>>, Vec<Error>) {
    let mut lexer = Lexer {
        source,
        at: 0,
        tokens: Vec::new(),
        errors: Vec::new(),
    };
    while lexer.errors.len() < ERROR_LIMIT && lexer.next() {}
    let end = source.trim_end().len();
    lexer.tokens.push(Token {
        kind: TokenKind::End,
        span: Span { start: end, end },
    });
    (lexer.tokens, lexer.errors)
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
    tokens: Vec<Token<'s>>,
    errors: Vec<Error>,
}

impl<'s> Lexer<'s> {
    /// Reads one token, and says whether there was one.
    fn next(&mut self) -> bool {
        let rest = self.source[self.at..].trim_start();
        self.at = self.source.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return false;
        };
        match first {
            '\'' => self.text(rest),
            '"' => self.double_quoted(rest),
            '/' => self.regex(rest),
            '{' => self.parameter(rest),
            '0'..='9' => {
                let length = run(rest, |char| char.is_alphanumeric() || matches!(char, '.' | '_'));
                self.push(TokenKind::Number(&rest[..length]), length);
            }
            '$' | '_' => self.word(rest),
            _ if first.is_alphabetic() => self.word(rest),
            _ => self.sign(rest),
        }
        true
    }

    /// Reads the next `length` bytes, and returns their range.
    fn advance(&mut self, length: usize) -> Span {
        let start = self.at;
        self.at += length;
        Span { start, end: self.at }
    }

    fn push(&mut self, kind: TokenKind<'s>, length: usize) {
        let span = self.advance(length);
        self.tokens.push(Token { kind, span });
    }

    fn text(&mut self, rest: &'s str) {
        let mut end = 1;
        while let Some(quote) = rest[end..].find('\'') {
            end += quote + 1;
            if !rest[end..].starts_with('\'') {
                self.push(TokenKind::Text(&rest[1..end - 1]), end);
                return;
            }
            end += 1;
        }
        self.unclosed(
            rest,
            "string",
            "close it with `'`; a quote in a string is written twice: ''",
        );
    }

    fn double_quoted(&mut self, rest: &'s str) {
        let length = rest[1..].find('"').map_or(rest.len(), |quote| quote + 2);
        let span = self.advance(length);
        self.errors.push(
            Error::new(span, "strings need single quotes", "in double quotes")
                .with_help("write 'text'; a quote in a string is written twice: ''"),
        );
    }

    fn regex(&mut self, rest: &'s str) {
        let mut chars = rest.char_indices().skip(1);
        while let Some((end, char)) = chars.next() {
            if char == '\\' {
                chars.next();
            } else if char == '/' {
                let flags = &rest[end + 1..][..run(&rest[end + 1..], char::is_alphanumeric)];
                let source = &rest[1..end];
                self.push(TokenKind::Regex { source, flags }, end + 1 + flags.len());
                return;
            }
        }
        self.unclosed(
            rest,
            "regular expression",
            "close it with `/`; a slash in it is written \\/",
        );
    }

    fn unclosed(&mut self, rest: &str, what: &str, help: &str) {
        let line = rest.lines().next().unwrap_or_default().len();
        let mut span = self.advance(rest.len());
        span.end = span.start + line;
        self.errors
            .push(Error::new(span, format!("unclosed {what}"), "begins here").with_help(help));
    }

    fn parameter(&mut self, rest: &'s str) {
        let name = &rest[1..][..run(&rest[1..], |char| {
            char.is_alphanumeric() || matches!(char, '_' | '-')
        })];
        let closed = rest[1 + name.len()..].starts_with('}');
        if closed && !name.is_empty() {
            self.push(TokenKind::Parameter(name), name.len() + 2);
        } else {
            let span = self.advance(name.len() + 1 + usize::from(closed));
            self.errors.push(
                Error::new(span, "a parameter is a name in braces", "not a parameter")
                    .with_help("write {name}"),
            );
        }
    }

    /// Dots, colons and inner hyphens belong to words, so that `contain-any` and `aws:username` are one word each.
    fn word(&mut self, rest: &'s str) {
        let mut length = 0;
        loop {
            length += run(&rest[length..], |char| {
                char.is_alphanumeric() || matches!(char, '_' | '$' | '.' | ':')
            });
            let mut next = rest[length..].chars();
            if next.next() != Some('-') || !next.next().is_some_and(char::is_alphabetic) {
                break;
            }
            length += 1;
        }
        self.push(TokenKind::Word(&rest[..length]), length);
    }

    fn sign(&mut self, rest: &'s str) {
        let Some(&(sign, kind)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) else {
            self.stray(rest);
            return;
        };
        self.push(kind, sign.len());
        let meant = kind.code();
        if meant != sign {
            let span = Span {
                start: self.at - sign.len(),
                end: self.at,
            };
            self.errors.push(
                Error::new(span, format!("GSL has no `{sign}`"), "").with_help(format!("write `{meant}`")),
            );
        }
    }

    fn stray(&mut self, rest: &str) {
        let length = run(rest, |char| !char.is_whitespace() && !char.is_ascii_graphic()).max(1);
        let message = match &rest[..length] {
            "‘" | "’" | "“" | "”" => "strings need straight single quotes, as in 'text'".to_owned(),
            stray => format!("unexpected {}", quoted(stray)),
        };
        let span = self.advance(length);
        self.errors.push(Error::new(span, message, ""));
    }
}

/// How many bytes at the start of the text are of such characters.
fn run(text: &str, is_of_run: impl Fn(char) -> bool) -> usize {
    text.find(|char| !is_of_run(char)).unwrap_or(text.len())
}
