//! The columns of a list: what each format writes, and what lines can be sorted by.

use std::str::FromStr;

use crate::engine::ItemRef;
use crate::report::schema::{Column, FlagColumn};
use crate::report::time::Timestamp;
use crate::report::word::{UnknownWord, find};

/// The flags of a report keep their names.
const PASSWORD_ENABLED: &str = Column::Flag(FlagColumn::PasswordEnabled).name();
const MFA_ACTIVE: &str = Column::Flag(FlagColumn::MfaActive).name();

/// Declares [`ListColumn`]: each column with its name.
macro_rules! columns {
    ($(#[$meta:meta])* pub enum ListColumn { $($(#[$of_column:meta])* $column:ident = $name:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ListColumn {
            $($(#[$of_column])* $column,)*
        }

        impl ListColumn {
            /// All columns, in order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$column),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$column => $name,)*
                }
            }
        }
    };
}

columns! {
    /// A column of a list, in the order of CSV and JSON.
    pub enum ListColumn {
        /// The id of the account.
        Account = "account",
        /// Its name.
        AccountName = "account_name",
        /// The user.
        User = "user",
        /// The user's IAM path.
        Path = "path",
        /// The user's ARN.
        Arn = "arn",
        /// When the user was created.
        UserCreated = "user_created",
        /// The key or certificate.
        Credential = "credential",
        /// Whether it is active.
        Active = "active",
        /// When it was created.
        Created = "created",
        /// Days since then.
        AgeDays = "age_days",
        /// When it was last used.
        LastUsed = "last_used",
        /// Days since then.
        IdleDays = "idle_days",
        /// The region of the last use.
        LastUsedRegion = "last_used_region",
        /// The service of the last use.
        LastUsedService = "last_used_service",
        /// Whether the user has a console password.
        PasswordEnabled = PASSWORD_ENABLED,
        /// Whether the user has MFA.
        MfaActive = MFA_ACTIVE,
        /// The access key's id.
        AccessKeyId = "access_key_id",
        /// What the access key is for.
        AccessKeyDescription = "access_key_description",
        /// Who owns the user.
        Owner = "owner",
        /// How many findings there are.
        Findings = "findings",
        /// The severity of the worst.
        Severity = "severity",
        /// When the next rule will fail.
        DueAt = "due_at",
        /// The instant to which days are counted.
        AsOf = "as_of",
        /// The input.
        SourcePath = "source_path",
        /// The data row.
        SourceRow = "source_row",
    }
}

impl FromStr for ListColumn {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find("column", word, &Self::ALL, Self::name)
    }
}

/// What is in a column of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    Null,
    /// From a report, or a path: it must be escaped.
    Text(&'a [u8]),
    /// One of our own words.
    Word(&'static str),
    Time(Timestamp),
    Number(u64),
    Flag(bool),
}

impl ListColumn {
    /// What is in this column of an item.
    pub(super) fn cell<'a>(self, item: &ItemRef<'a>) -> Cell<'a> {
        let row = item.row;
        match self {
            Self::Account => text(row.account()),
            Self::AccountName => text(row.account_name().map(str::as_bytes)),
            Self::User => text(row.user().filter(|user| !user.is_empty())),
            Self::Path => text(row.path()),
            Self::Arn => text(row.arn()),
            Self::UserCreated => time(item.user_created),
            Self::Credential => item
                .credential
                .map_or(Cell::Null, |credential| Cell::Word(credential.name())),
            Self::Active => flag(item.active),
            Self::Created => time(item.created),
            Self::AgeDays => days(item, item.created),
            Self::LastUsed => time(item.last_used()),
            Self::IdleDays => days(item, item.last_used()),
            Self::LastUsedRegion => text(item.last_used_region()),
            Self::LastUsedService => text(item.last_used_service()),
            Self::PasswordEnabled => flag(item.password_enabled),
            Self::MfaActive => flag(item.mfa_active),
            Self::AccessKeyId => text(item.access_key_id().map(str::as_bytes)),
            Self::AccessKeyDescription => text(item.access_key_description().map(str::as_bytes)),
            Self::Owner => text(item.owner.map(str::as_bytes)),
            Self::Findings => Cell::Number(item.findings),
            Self::Severity => item
                .severity
                .map_or(Cell::Null, |severity| Cell::Word(severity.name())),
            Self::DueAt => time(item.due_at),
            Self::AsOf => Cell::Time(item.input().as_of),
            Self::SourcePath => Cell::Text(item.input().path.as_bytes()),
            Self::SourceRow => Cell::Number(row.number()),
        }
    }
}

fn text(text: Option<&[u8]>) -> Cell<'_> {
    text.map_or(Cell::Null, Cell::Text)
}

fn time<'a>(time: Option<Timestamp>) -> Cell<'a> {
    time.map_or(Cell::Null, Cell::Time)
}

fn flag<'a>(flag: Option<bool>) -> Cell<'a> {
    flag.map_or(Cell::Null, Cell::Flag)
}

fn days<'a>(item: &ItemRef<'_>, since: Option<Timestamp>) -> Cell<'a> {
    let days = since.and_then(|since| since.days_until(item.input().as_of));
    days.map_or(Cell::Null, Cell::Number)
}
