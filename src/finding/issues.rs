//! Diagnostics for the issues of a header, a row or a cell: their messages.

use super::{Code, Diagnostic, Level};
use crate::report::cell::StandInCounts;
use crate::report::issue::Issue;
use crate::report::schema::Column;
use crate::report::shown;

impl Diagnostic {
    /// The diagnostic of an issue with a header or a row; its message is bounded and without control characters.
    /// `width` is the number of the header's columns.
    pub fn of_issue(issue: &Issue, width: usize) -> Self {
        match issue {
            Issue::Delimiter(delimiter) => {
                let name = if *delimiter == b';' { "semicolons" } else { "tabs" };
                Self::new(
                    Code::Delimiter,
                    format!("cells are separated by {name}, not commas"),
                )
            }
            Issue::DuplicateColumn(column) => {
                let message = format!(
                    "the header has the column '{}' more than once; the first one is read",
                    column.name()
                );
                Self::new(Code::DuplicateColumn, message).in_column(*column)
            }
            Issue::UnknownColumns(names) => {
                let written = |name: &String| match &**name {
                    "" => "one without a name".to_owned(),
                    name => shown(name, 40),
                };
                let names = list(names.iter().map(written));
                let message = format!("ignored columns that no credential report has: {names}");
                Self::new(Code::UnknownColumns, message)
            }
            Issue::MisspelledColumn(name, meant) => {
                let message = format!(
                    "ignored the column '{}', which no credential report has; did you mean '{meant}'?",
                    shown(name, 40)
                );
                Self::new(Code::UnknownColumns, message).with_level(Level::Warning)
            }
            Issue::Before2015 => {
                let message = "this report is from before April 2015: it has no last use of access keys";
                Self::new(Code::MissingColumns, message).with_level(Level::Note)
            }
            Issue::MissingColumns(columns) => {
                let names = list(columns.iter().map(|column| column.name().to_owned()));
                let message = format!("missing columns; what depends on them is undetermined: {names}");
                Self::new(Code::MissingColumns, message)
            }
            Issue::UnquotedCommas => Self::new(
                Code::RepairedRow,
                "the user name has commas and is not quoted; its parts were joined",
            ),
            Issue::GluedHeader => Self::new(
                Code::RepairedRow,
                "the next report's header follows without a line break; it was cut off",
            ),
            Issue::GluedRow => Self::new(
                Code::RepairedRow,
                "the line break to the next row was missing; the rows were taken apart where the ARN shows it",
            ),
            Issue::RepeatedHeader => {
                Self::new(Code::RepeatedHeader, "the header is repeated before this row")
            }
            Issue::UnclosedQuote => Self::new(
                Code::UnclosedQuote,
                "a quote opens in this row and is never closed; it is read to the end of its line",
            ),
            Issue::LineBreak => Self::new(
                Code::LineBreak,
                "a quoted cell of this row contains a line break; if the quote is a mistake, it hides the rows between",
            ),
            Issue::LeftOut => Self::new(
                Code::Unreadable,
                "thousands of rows before this one cannot be matched to the header; this row and others like it were \
                 not evaluated. Is this one report with one header?",
            ),
            Issue::Ragged(fields) => Self::of_ragged_row((*fields, width), (b"", b""), false),
        }
    }

    /// The diagnostic of a row whose fields cannot be matched to the header's columns. `user` and `arn` are its user's, as far
    /// as they are known; `is_last` says whether it is the last row of the report.
    pub fn of_ragged_row(
        (fields, width): (usize, usize),
        (user, arn): (&[u8], &[u8]),
        is_last: bool,
    ) -> Self {
        if arn.is_empty() && !may_be_cut(user) {
            let message = format!(
                "this line is not a row of the report ('{}'); if it is another report, save it to a file of its own",
                shown(&String::from_utf8_lossy(user), 40)
            );
            return Self::new(Code::RaggedRow, message).with_level(Level::Error);
        }
        let whose = match str::from_utf8(user) {
            Ok("") => "this row".to_owned(),
            _ => format!("the row of '{}'", shown(&String::from_utf8_lossy(user), 64)),
        };
        let cut = if is_last && fields < width {
            "the file may be cut off. "
        } else {
            ""
        };
        let message = format!(
            "{cut}{whose} has {fields} fields and the header {width}, and they cannot be matched; everything about \
             this user is undetermined"
        );
        Self::new(Code::RaggedRow, message)
    }

    /// The diagnostic of a cell of this column that is neither absent nor valid.
    pub fn of_bad_cell(column: Column) -> Self {
        let valid = match column {
            Column::Time(_) => "not a valid time",
            Column::Flag(_) => "neither true nor false",
            Column::Text(_) => "not valid text",
        };
        let message = format!("{valid}; what depends on this cell is undetermined");
        Self::new(Code::BadCell, message).in_column(column)
    }
}

impl Diagnostic {
    /// The note about cells of this column that another tool left empty, or filled with a zero time. `passing` are the
    /// rules that pass by them.
    pub fn of_stand_ins(counts: StandInCounts, column: Column, passing: &[&str]) -> Self {
        let StandInCounts { empty, zero } = counts;
        let count = empty + zero;
        let (cells, are, they) = if count == 1 {
            ("cell", "is", "it")
        } else {
            ("cells", "are", "them")
        };
        let what = match (empty, zero) {
            (_, 0) => format!("{count} {cells} {are} empty and read as absent"),
            (0, _) => format!("{count} {cells} with a zero time {are} read as absent"),
            _ => format!("{count} {cells} are read as absent: {empty} empty, {zero} with a zero time"),
        };
        let passing = match passing {
            [] => String::new(),
            _ => format!(
                "; by {they}, these rules do not fail: {}",
                list(passing.iter().map(ToString::to_string))
            ),
        };
        Self::new(Code::EmptyTime, what + &passing).in_column(column)
    }
}

/// Whether a field may be the name of a user, or its beginning.
fn may_be_cut(field: &[u8]) -> bool {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"+=,.@_-<>\"".contains(byte);
    field.len() <= 64 && field.iter().all(is_of_name)
}

/// `a, b, c and 4 more`
fn list(mut names: impl Iterator<Item = String>) -> String {
    const MOST: usize = 25;
    let listed: Vec<String> = names.by_ref().take(MOST).collect();
    match names.count() {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::header::{Header, LONGEST};

    fn of_header(line: &str) -> Vec<Diagnostic> {
        let header = Header::parse(line.as_bytes()).unwrap();
        header
            .issues()
            .iter()
            .map(|issue| Diagnostic::of_issue(issue, header.width()))
            .collect()
    }

    #[test]
    fn issues_of_a_header() {
        let diagnostics = of_header("MFA_Active,team,pasword_enabled,user,USER\n");
        let codes: Vec<_> = diagnostics.iter().map(|it| (it.code, it.level)).collect();
        let expected = [
            (Code::DuplicateColumn, Level::Warning),
            (Code::UnknownColumns, Level::Warning),
            (Code::UnknownColumns, Level::Note),
            (Code::MissingColumns, Level::Warning),
        ];
        let meant = "'pasword_enabled', which no credential report has; did you mean 'password_enabled'?";
        assert!(
            diagnostics[1].message.contains(meant),
            "{}",
            diagnostics[1].message
        );
        assert_eq!(codes, expected);
        assert_eq!(diagnostics[0].column.as_deref(), Some("user"));
        for (delimiter, named) in [(';', "semicolons"), ('\t', "tabs")] {
            let diagnostics = of_header(&format!("user{delimiter}mfa_active"));
            assert!(diagnostics[0].message.contains(named));
        }
    }

    #[test]
    fn hostile_headers_are_bounded() {
        let wide = format!("user,mfa_active,{}", "\x1b,".repeat(200));
        assert!(wide.len() < LONGEST);
        for diagnostic in of_header(&wide) {
            assert!(diagnostic.message.len() < 1_000 && !diagnostic.message.contains('\x1b'));
        }
    }
}
