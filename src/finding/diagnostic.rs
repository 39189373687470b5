//! Diagnostics: problems and notes about an input, a rule or a setting, besides the findings.
//!
//! [`Code`] is the registry: every kind of diagnostic has one entry with its level, its meaning and what to do.
//! `docs/diagnostics.md` is generated from it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::word_enum;
use crate::report::schema::Column;

word_enum! {
    /// How serious a diagnostic is.
    pub enum Level {
        /// For information.
        Note = "note",
        /// Results may be incomplete or not as intended.
        Warning = "warning",
        /// An input was not evaluated, or not to its end.
        Error = "error",
    }
}

/// Declares [`Code`]: the word, level, meaning and help of every kind.
macro_rules! registry {
    ($($code:ident $name:literal $level:ident: $meaning:literal, $help:literal;)*) => {
        word_enum! {
            /// The kinds of diagnostics, in the order of `docs/diagnostics.md`. Their names, in kebab-case, are part of
            /// the output contract.
            #[non_exhaustive]
            pub enum Code {
                $(#[doc = $meaning] $code = $name,)*
            }
        }

        impl Code {
            /// Its usual level.
            pub const fn level(self) -> Level {
                match self { $(Self::$code => Level::$level,)* }
            }

            /// What it means: one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning,)* }
            }

            /// What to do about it.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$code => $help,)* }
            }
        }
    };
}

registry! {
    Unreadable "unreadable" Error:
        "An input, or the rest of one, could not be read.",
        "The message says why. The other inputs are evaluated; the exit status is 4, or 3 if there are no others.";
    NotReports "not-reports" Note:
        "Files that the search of a directory found are not reports; they were passed over. An error where no report was \
         found.",
        "Nothing to do, unless one of them should be a report: -v says what each one is.";
    NothingDetermined "nothing-determined" Error:
        "Every verdict on an input is undetermined, so it counts as not evaluated.",
        "The other diagnostics of this input say which columns or cells are missing; fetch the report again.";
    Delimiter "delimiter" Note:
        "Cells are separated by semicolons or tabs, not commas.",
        "Nothing to do. Some spreadsheets save CSV this way.";
    DuplicateColumn "duplicate-column" Warning:
        "A column appears more than once in the header; the first one is read.",
        "If the first one is wrong, remove it.";
    UnknownColumns "unknown-columns" Note:
        "The header has columns that no credential report has; they are ignored.",
        "If one of them should be a column of the report, check its spelling.";
    MissingColumns "missing-columns" Warning:
        "The report lacks columns; verdicts that depend on them are undetermined.",
        "Use the report as AWS generated it. Reports from before April 2015 lack the last use of access keys.";
    RepairedRow "repaired-row" Note:
        "A malformed row was repaired; there is no doubt about its cells.",
        "Nothing to do. The message says what was repaired.";
    RepeatedHeader "repeated-header" Note:
        "The header appears again between rows; it is not read as a user.",
        "Nothing to do. The file has several reports, one after another.";
    UnclosedQuote "unclosed-quote" Warning:
        "A quoted cell is never closed; it is read to the end of its line.",
        "Check the row in the original report.";
    LineBreak "line-break" Warning:
        "A quoted cell contains a line break, which reports by AWS never have.",
        "Check the row: a stray quote can hide the rows up to the next quote.";
    RaggedRow "ragged-row" Warning:
        "A row has more or fewer fields than the header, and they cannot be matched to columns.",
        "Fetch the report again, or correct the row. Until then, everything about this user is undetermined.";
    BadCell "bad-cell" Warning:
        "A cell is not a valid time or flag; verdicts that depend on it are undetermined.",
        "Correct the cell, or use the report as AWS generated it.";
    EmptyTime "empty-time" Note:
        "Cells of a time column are empty, or have a zero time (1970-01-01T00:00:00Z, or one of the year 1): tools write \
         these in place of N/A, so they are read as absent.",
        "If the cells should have times, use the report as AWS generated it.";
    NewerThanAsOf "newer-than-as-of" Warning:
        "The report has a time after its as-of, so the as-of is probably wrong.",
        "Check --as-of or the date in the file name.";
    UnreadableTime "unreadable-time" Warning:
        "The report's GeneratedTime is not a valid time, so its as-of comes from elsewhere.",
        "If that as-of is wrong, give --as-of.";
    SeveralTimes "several-times" Warning:
        "The rows of a merged report say different times of generation; all ages are counted to that of the first row.",
        "Export each account on its own, or give the as-of on the command line.";
    UnclearAccount "unclear-account" Warning:
        "A column of accounts has something else than ids of 12 digits, or another account than the ARN.",
        "Write account ids as text. The account in the ARN counts, where there is one.";
    Undated "undated" Warning:
        "Nothing says when the report was generated, so its ages are counted to now.",
        "Put the date into the file name, or give the as-of on the command line.";
    Omitted "untold" Warning:
        "There are more diagnostics than are listed.",
        "Fix the first ones and run again.";
    SnapshotsLeftOut "snapshots-left-out" Note:
        "Of several snapshots of an account only the newest one was evaluated.",
        "Nothing to do. --all-snapshots evaluates all of them; `credlens trend` follows them over time.";
    DoubtfulSnapshot "doubtful-snapshot" Warning:
        "Which snapshot of an account is the newest is in doubt: two have the same time, or one has none, or one that \
         is still to come.",
        "Check the times in the file names, or name only the files that count.";
    LaggingAccount "lagging-account" Warning:
        "The newest snapshot of an account is over 7 days older than the newest one of all accounts.",
        "Fetch a new report of this account.";
    AccountTwice "account-twice" Warning:
        "An account appears twice in one file (its root row does), so its findings are counted twice.",
        "Split the file into one file per report, or keep only the report that counts.";
    NoRoot "no-root" Note:
        "A report, or an account in it, has no row of root: rules about root say nothing there, and requirements that they \
         decide are undetermined unless another input has the row.",
        "AWS writes no such row in China regions: check root by hand. Elsewhere, use the whole report.";
    NoMatch "no-match" Error:
        "The filters admit no user of the reports, so nothing was evaluated.",
        "Correct the pattern that the message names. Case matters; `*` stands for anything.";
    Filtered "filtered" Note:
        "Only some of the users were evaluated: `--user`, `--path`, `--account` or the like chose them.",
        "Counts and outcomes are those of these users. Where root may be left out, the requirements that rules about root \
         decide are not evaluated.";
    NotListed "not-listed" Warning:
        "Cells are unknown that say whether a user, key or certificate belongs in the list; it is left out.",
        "Use the report as AWS generated it. The other diagnostics of the input say which cells or columns are missing.";
    NotInFormat "not-in-format" Warning:
        "Findings are left out of an output, because its format does not take them.",
        "The message says why. Other formats have all findings.";
    Wildcard "wildcard" Warning:
        "The condition of `--where` compares with text that has `*` or `?`, which stand for themselves in GSL.",
        "Compare by `like`, and write `%` for any characters.";
    Settings "settings" Note:
        "Settings from a file were used.",
        "To use another file, give --config.";
    LooserThanFramework "looser-than-framework" Warning:
        "A parameter was weakened: the rule finds less than a selected framework requires.",
        "Remove the setting, or do not claim compliance with the requirement.";
    RetiredFramework "retired-framework" Note:
        "A selected framework was withdrawn by its publisher.",
        "Select the framework that took its place, unless you need the old one for a comparison.";
    PartlyDecided "partly-decided" Warning:
        "A check of another tool, selected by its name, asks for more than a report shows: a fail is a fail, but without \
         one the result is partial, not a pass.",
        "Check by hand what the message says.";
    SuppressionExpired "suppression-expired" Warning:
        "A suppression has expired; its findings are emitted again.",
        "Fix the findings, or renew the suppression.";
    SuppressionUnused "suppression-unused" Warning:
        "A suppression matched no finding.",
        "Remove the suppression, or correct what it matches.";
    OwnerUnused "owner-unused" Note:
        "Lines of the file of owners name the owner of no user: they match none, or an earlier line does.",
        "Correct what the lines match, or remove them.";
    DetailsNotUsed "details-not-used" Warning:
        "The details beside a report, or of one in an archive, are damaged, of a later version, or of another report; the \
         report is evaluated without them.",
        "Fetch the report and its details again, with `credlens fetch --details`.";
    CredentialsOfOthers "credentials-of-others" Warning:
        "Details have service-specific credentials of users who are not in the report, or of another account.",
        "Fetch the report and its details again. A report may be up to four hours older than its details.";
    TagsNotKnown "tags-not-known" Note:
        "A plan was made without the tags of users, so that no tag exempts them and none says that code makes them.",
        "Use --details with live accounts, or with `credlens fetch`.";
    ServicesNotKnown "services-not-known" Note:
        "A plan was made from a report that does not say for which services keys were used last, so that users of SES SMTP are \
         recognized by their names alone.",
        "Use the report as AWS wrote it. Before a key is deactivated, check its last service: a mail password may be derived from it.";
    OldReport "old-report" Note:
        "A plan was made from a report that is older than a day: credentials may have been used since.",
        "Look at the last use again before you change anything, or fetch a new report.";
    RulesNotRun "rules-not-run" Note:
        "Rules need data that no credential report has, and it was not at hand; the exit status does not change.",
        "Fetch the data with --details, live or with `credlens fetch`.";
    KeyIdsUnknown "key-ids-unknown" Warning:
        "The ids of some access keys could not be listed.",
        "The message says why. Findings without a key id name the slot and the creation time.";
    KeyIdAmbiguous "key-id-ambiguous" Warning:
        "A user's two keys have the same creation second and status, so their ids cannot be told apart.",
        "Compare both keys in the console before you change one.";
    KeyGone "key-gone" Note:
        "Access keys in the report have been deleted since.",
        "Nothing to do.";
    ServiceCredentialsUnknown "service-credentials-unknown" Warning:
        "The service-specific credentials of an account could not be listed, so rules about them were not run on it.",
        "The message says why. Run again, if need be with the permission that the message names.";
    TagsUnknown "tags-unknown" Warning:
        "The tags of some users could not be listed.",
        "The message says why. Findings about these users have no owner and no description from tags.";
    Order "order" Warning:
        "OLD is not older than NEW.",
        "Swap the two reports, or date them with --old-as-of and --new-as-of.";
    DuplicateSnapshot "duplicate-snapshot" Warning:
        "Two reports of one account have the same as-of; only the first one is used.",
        "Remove one of the two.";
    LostColumn "lost-column" Warning:
        "A report lacks a column that another one has, so verdicts that depend on it cannot be compared.",
        "Compare reports with the same columns.";
    AccountNotCompared "account-not-compared" Warning:
        "An account is in only one of the two reports; it is not compared.",
        "Compare reports of the same accounts.";
    DuplicateUser "duplicate-user" Warning:
        "A user appears twice in a report.",
        "The row with the latest creation time is used, or else the first. Check how the file was created.";
    SameSecondKeys "same-second-keys" Note:
        "Two keys or certificates of a user were created in the same second.",
        "Nothing to do. Those whose other cells changed least are treated as the same.";
    UnclearKeys "unclear-keys" Warning:
        "Cells are unknown, so it is undetermined which keys or certificates were created or deleted.",
        "Compare reports without damaged cells.";
    Gap "gap" Note:
        "Snapshots are missing: an interval is longer than usual, or an account has none where others do.",
        "Check the job that fetches the reports.";
    StaleAccount "stale-account" Warning:
        "Accounts have no newer report, where others do: what is known about them is old. Their findings count neither as \
         opened nor as resolved or open, but by themselves.",
        "Check why the job that fetches the reports fails for them: `credlens fetch --outcomes FILE` says the reason by \
         account. `credlens archive list --stale 36h` lists them.";
}

/// A problem or note about an input, a rule or a setting. Only errors change the exit status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Diagnostic {
    /// How serious it is.
    pub level: Level,
    /// Which kind it is, in kebab-case, such as `bad-cell`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub code: Code,
    /// The input or file that it is about.
    pub path: Option<String>,
    /// Data row, from 1.
    pub row: Option<u64>,
    /// The line of the file, from 1, if it is known: for people, in place of the row.
    #[serde(skip)]
    pub line: Option<u64>,
    /// Column, as AWS spells it.
    pub column: Option<String>,
    /// The cell or word, as written.
    pub value: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// How many diagnostics that are not listed it stands for.
    #[serde(skip)]
    pub(super) unlisted: u64,
}

impl Diagnostic {
    /// A diagnostic without a position, which the methods below add.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            level: code.level(),
            code,
            path: None,
            row: None,
            line: None,
            column: None,
            value: None,
            message: message.into(),
            unlisted: 0,
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

    /// On this line of the file, if it is known.
    #[must_use]
    pub(crate) fn on_line(self, line: Option<u64>) -> Self {
        Self { line, ..self }
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

/// The page about all codes, in Markdown.
pub fn diagnostics_page() -> String {
    let mut page = "# Diagnostics

A diagnostic is a problem or a note about an input, a rule or a setting. Findings are separate. Every diagnostic has a
code and a level: a `note` is for information; after a `warning`, results may be incomplete or not as intended; an
`error` means that an input was not evaluated, or not to its end. Only errors change the exit status. Problems in rule
files are not in this list; `credlens rules check` reports them.

| code | level | meaning | what to do |
|---|---|---|---|
"
    .to_owned();
    for code in Code::ALL {
        let (level, meaning, help) = (code.level(), code.meaning(), code.help());
        let _ = writeln!(page, "| `{code}` | {level} | {meaning} | {help} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_sentences() {
        for code in Code::ALL {
            for text in [code.meaning(), code.help()] {
                assert!(text.ends_with('.') && text.len() > 10, "{code}: {text}");
            }
        }
    }
}
