//! Diagnostics: what is worth knowing about an input, a rule or a setting, besides the findings.
//!
//! [`Code`] is the registry: every kind of diagnostic has one entry with its level, its meaning and what to do.
//! `docs/diagnostics.md` is generated from it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::word_enum;
use crate::report::schema::Column;

word_enum! {
    /// How much a diagnostic matters.
    pub enum Level {
        /// Good to know.
        Note = "note",
        /// Something may not be as it seems.
        Warning = "warning",
        /// An input was not evaluated, or not to its end.
        Error = "error",
    }
}

/// One kind of diagnostic: an entry of the registry.
struct Entry {
    name: &'static str,
    level: Level,
    meaning: &'static str,
    help: &'static str,
}

/// Declares [`Code`] and its registry together, so that no code lacks an entry.
macro_rules! registry {
    ($($code:ident $name:literal $level:ident: $meaning:literal, $help:literal;)*) => {
        /// The kinds of diagnostics. Their names are part of the output contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(
                #[doc = $meaning]
                #[serde(rename = $name)]
                $code,
            )*
        }

        impl Code {
            /// All kinds, in the order of `docs/diagnostics.md`.
            pub const ALL: &[Self] = &[$(Self::$code),*];
        }

        const REGISTRY: &[Entry] = &[$(Entry {
            name: $name,
            level: Level::$level,
            meaning: $meaning,
            help: $help,
        }),*];
    };
}

registry! {
    Unreadable "unreadable" Error:
        "An input, or the rest of one, could not be read.",
        "The message says why. The other inputs are evaluated; the exit status is 4, or 3 if nothing is left.";
    Delimiter "delimiter" Note:
        "Cells are separated by semicolons or tabs.",
        "Nothing to do: the report is read as it is. Spreadsheets save CSV this way.";
    DuplicateColumn "duplicate-column" Warning:
        "A column appears more than once in the header; the first one is read.",
        "Remove the extra column if it is not the one you mean.";
    UnknownColumns "unknown-columns" Note:
        "The header has columns that no credential report has; they are ignored.",
        "Check the spelling if one of them should be a column of the report.";
    MissingColumns "missing-columns" Warning:
        "The report lacks columns; what depends on them is undetermined.",
        "Use the report as AWS generated it. Reports from before April 2015 have no last use of access keys.";
    RepairedRow "repaired-row" Note:
        "A row was not well-formed and was repaired without doubt about its cells.",
        "Nothing to do; the message says what was repaired.";
    RepeatedHeader "repeated-header" Note:
        "The header appears again between rows; it is not read as a user.",
        "Nothing to do: several reports were concatenated into this file.";
    UnclosedQuote "unclosed-quote" Warning:
        "A quoted cell is never closed; it is taken to end with its line.",
        "Check the row in the original report.";
    LineBreak "line-break" Warning:
        "A quoted cell contains a line break, which reports by AWS never have.",
        "Check the row: a stray quote can hide the rows up to the next quote.";
    RaggedRow "ragged-row" Warning:
        "A row has more or fewer fields than the header, and they cannot be matched to columns.",
        "Everything about this user is undetermined. Get the report again, or correct the row.";
    BadCell "bad-cell" Warning:
        "A cell is not a valid time or flag; what depends on it is undetermined.",
        "Correct the cell, or use the report as AWS generated it.";
    NewerThanAsOf "newer-than-as-of" Warning:
        "The report has a time after its own as-of.",
        "Check --as-of or the date in the file name.";
    UnreadableTime "unreadable-time" Warning:
        "The report's GeneratedTime is not a valid time; something else dates the report.",
        "Give --as-of if the as-of in use is wrong.";
    Undated "undated" Warning:
        "Nothing says when the report was generated, so its ages are counted to now.",
        "Put the date into the file name, or give the as-of on the command line.";
    Untold "untold" Warning:
        "More diagnostics arose than are listed.",
        "Correct the first ones and run again.";
    Settings "settings" Note:
        "Settings of this file were used.",
        "Give --config to use another file.";
    LooserThanFramework "looser-than-framework" Warning:
        "A parameter was set so that less is found than a selected framework requires.",
        "Remove the setting, or do not claim the requirement.";
    SuppressionExpired "suppression-expired" Warning:
        "A suppression has expired; its findings are emitted again.",
        "Fix the findings, or renew the suppression.";
    SuppressionUnused "suppression-unused" Warning:
        "A suppression matched no finding.",
        "Remove the suppression, or correct what it matches.";
    KeyIdsUnknown "key-ids-unknown" Warning:
        "The ids of some access keys could not be listed.",
        "The message says why; findings without an id name the slot and creation time.";
    KeyIdAmbiguous "key-id-ambiguous" Warning:
        "A user's two keys have the same creation second and status, so their ids cannot be told apart.",
        "Compare both keys in the console before you change one.";
    KeyGone "key-gone" Note:
        "Access keys of the report have been deleted since.",
        "Nothing to do: the keys are gone.";
    Order "order" Warning:
        "OLD is not older than NEW.",
        "Swap the two reports, or date them with --old-as-of and --new-as-of.";
    DuplicateSnapshot "duplicate-snapshot" Warning:
        "Two reports of one account have the same as-of; the first one counts.",
        "Remove one of the two.";
    LostColumn "lost-column" Warning:
        "One report has a column that another one lacks, so what depends on it cannot be compared.",
        "Compare reports with the same columns.";
    AccountNotCompared "account-not-compared" Warning:
        "An account is in only one of the two reports; it is not compared.",
        "Compare reports of the same accounts.";
    DuplicateUser "duplicate-user" Warning:
        "A user appears twice in a report.",
        "The row created last counts, else the first. Check how the file was put together.";
    SameSecondKeys "same-second-keys" Note:
        "Two keys or certificates of a user were created in the same second.",
        "The pair that changed least is taken as the same.";
    UnclearKeys "unclear-keys" Warning:
        "Cells are unknown, so it is undetermined which keys or certificates were created or deleted.",
        "Compare reports without damaged cells.";
    EmptyReport "empty-report" Warning:
        "A report without users.",
        "Get the report again: root always has a row.";
    Gap "gap" Note:
        "Snapshots are missing: for longer than usual, or for an account that others have.",
        "Check the job that fetches the reports.";
}

impl Code {
    fn entry(self) -> &'static Entry {
        &REGISTRY[self as usize]
    }

    /// The name in outputs, in kebab-case, such as `bad-cell`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// How much it matters, where nothing else is said.
    pub fn level(self) -> Level {
        self.entry().level
    }

    /// What it means: one sentence.
    pub fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// What to do about it.
    pub fn help(self) -> &'static str {
        self.entry().help
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something about an input, a rule or a setting that is worth knowing. Only errors change the exit status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnostic {
    /// How much it matters.
    pub level: Level,
    /// Which kind it is, in kebab-case, such as `bad-cell`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub code: Code,
    /// The input or file that it is about.
    pub path: Option<String>,
    /// Data row, from 1.
    pub row: Option<u64>,
    /// Column, as AWS spells it.
    pub column: Option<String>,
    /// The cell or word, as written.
    pub value: Option<String>,
    /// One sentence for people.
    pub message: String,
}

impl Diagnostic {
    /// A diagnostic about nothing in particular; the methods below add its place.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            level: code.level(),
            code,
            path: None,
            row: None,
            column: None,
            value: None,
            message: message.into(),
        }
    }

    /// At another level than its code's.
    #[must_use]
    pub fn with_level(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// About this input or file.
    #[must_use]
    pub fn in_path(self, path: impl Into<String>) -> Self {
        let path = Some(path.into());
        Self { path, ..self }
    }

    /// About this data row, from 1.
    #[must_use]
    pub fn in_row(self, row: u64) -> Self {
        Self {
            row: Some(row),
            ..self
        }
    }

    /// About this column.
    #[must_use]
    pub fn in_column(self, column: Column) -> Self {
        let column = Some(column.name().to_owned());
        Self { column, ..self }
    }

    /// About this cell or word, as written.
    #[must_use]
    pub fn with_value(self, value: impl Into<String>) -> Self {
        let value = Some(value.into());
        Self { value, ..self }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        self.code.help()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_its_own_entry_and_has_words() {
        for (position, &code) in Code::ALL.iter().enumerate() {
            assert_eq!(code as usize, position);
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            for text in [code.meaning(), code.help()] {
                assert!(text.ends_with('.') && text.len() > 10, "{code}: {text}");
            }
        }
    }
}
