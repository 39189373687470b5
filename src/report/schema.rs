//! The columns of a credential report: the only place where a column name is spelled.
//!
//! Source: IAM User Guide, "Getting credential reports"; the order is that of every report AWS has
//! written since 2015, with the documented `additional_credentials_info` last. After them come the columns of the table of
//! service-specific credentials, which the engine makes from details: no report has these.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::word::{UnknownWord, find};

/// Declares the columns of one type: each with its position in report order and its name as AWS spells it.
macro_rules! columns {
    (
        $(#[$meta:meta])*
        $enum:ident $kind:ident {
            $($(#[$member_meta:meta])* $column:ident = $position:literal $name:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $enum {
            $(#[doc = concat!("`", $name, "`.")] $(#[$member_meta])* $column,)*
        }

        impl $enum {
            /// How many there are, those of details included.
            pub const COUNT: usize = Self::ALL.len();

            /// How many of them a report can have; they are the first.
            pub const IN_REPORT: usize = {
                let mut count = 0;
                while count < Self::COUNT && Self::ALL[count].0 < Column::COUNT {
                    count += 1;
                }
                count
            };

            const ALL: &[(usize, &str, Column)] = &[$(($position, $name, Column::$kind(Self::$column))),*];
        }

        impl From<$enum> for Column {
            fn from(column: $enum) -> Self {
                Self::$kind(column)
            }
        }
    };
}

columns! {
    /// A column that holds a time.
    TimeColumn Time {
        UserCreation = 2 "user_creation_time",
        PasswordLastUsed = 4 "password_last_used",
        PasswordLastChanged = 5 "password_last_changed",
        /// The only time that is normally in the future.
        PasswordNextRotation = 6 "password_next_rotation",
        /// The key's creation time.
        Key1LastRotated = 9 "access_key_1_last_rotated",
        Key1LastUsed = 10 "access_key_1_last_used_date",
        /// The key's creation time.
        Key2LastRotated = 14 "access_key_2_last_rotated",
        Key2LastUsed = 15 "access_key_2_last_used_date",
        Cert1LastRotated = 19 "cert_1_last_rotated",
        Cert2LastRotated = 21 "cert_2_last_rotated",
        ServiceCredentialCreated = 26 "service_credential_created",
        ServiceCredentialExpires = 27 "service_credential_expires",
    }
}

columns! {
    /// A column that holds a flag.
    FlagColumn Flag {
        PasswordEnabled = 3 "password_enabled",
        MfaActive = 7 "mfa_active",
        Key1Active = 8 "access_key_1_active",
        Key2Active = 13 "access_key_2_active",
        Cert1Active = 18 "cert_1_active",
        Cert2Active = 20 "cert_2_active",
        ServiceCredentialActive = 25 "service_credential_active",
    }
}

columns! {
    /// A column that holds text.
    TextColumn Text {
        User = 0 "user",
        Arn = 1 "arn",
        Key1LastUsedRegion = 11 "access_key_1_last_used_region",
        Key1LastUsedService = 12 "access_key_1_last_used_service",
        Key2LastUsedRegion = 16 "access_key_2_last_used_region",
        Key2LastUsedService = 17 "access_key_2_last_used_service",
        /// Documented, but not seen in real reports.
        AdditionalCredentials = 22 "additional_credentials_info",
        ServiceCredentialId = 23 "service_credential_id",
        ServiceCredentialService = 24 "service_credential_service",
    }
}

/// Any column of a credential report, with the type of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Its cells are times.
    Time(TimeColumn),
    /// Its cells are flags.
    Flag(FlagColumn),
    /// Its cells are text.
    Text(TextColumn),
}

impl Column {
    /// How many columns a report can have.
    pub const COUNT: usize = 23;

    /// How many there are, those of details included.
    pub const WITH_DETAILS: usize = TimeColumn::COUNT + FlagColumn::COUNT + TextColumn::COUNT;

    /// All columns of a report, in report order.
    pub const ALL: [Self; Self::COUNT] = Self::in_order();

    /// The columns about one service-specific credential.
    pub const DETAILS: [Self; Self::WITH_DETAILS - Self::COUNT] = {
        let all = Self::in_order::<{ Self::WITH_DETAILS }>();
        let mut details = [Self::Text(TextColumn::User); Self::WITH_DETAILS - Self::COUNT];
        let mut at = 0;
        while at < details.len() {
            details[at] = all[Self::COUNT + at];
            at += 1;
        }
        details
    };

    /// The first columns, in order.
    const fn in_order<const N: usize>() -> [Self; N] {
        let types = [TimeColumn::ALL, FlagColumn::ALL, TextColumn::ALL];
        let mut all = [Self::Text(TextColumn::User); N];
        let mut of_type = 0;
        while of_type < types.len() {
            let mut at = 0;
            while at < types[of_type].len() {
                let (position, _, column) = types[of_type][at];
                if position < N {
                    all[position] = column;
                }
                at += 1;
            }
            of_type += 1;
        }
        all
    }

    /// Columns that a report may lack without a loss: their cells are absent. The cells of any other column that a
    /// report lacks are unknown.
    pub const OPTIONAL: ColumnSet = ColumnSet::of(Self::Text(TextColumn::AdditionalCredentials));

    const fn entry(self) -> &'static (usize, &'static str, Self) {
        match self {
            Self::Time(column) => &TimeColumn::ALL[column as usize],
            Self::Flag(column) => &FlagColumn::ALL[column as usize],
            Self::Text(column) => &TextColumn::ALL[column as usize],
        }
    }

    /// Position in report order, from 0.
    pub const fn index(self) -> usize {
        self.entry().0
    }

    /// The name as AWS spells it in the header.
    pub const fn name(self) -> &'static str {
        self.entry().1
    }

    /// The column of this name, as AWS or another tool spells it; case, blanks, underscores and other signs do not
    /// matter, so that `accessKey1Active` and `Access Key 1 Active` are `access_key_1_active`.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().map(|column| (column.name(), column));
        let others = ALIASES.into_iter().chain(known);
        others
            .into_iter()
            .find(|(known, _)| are_alike(known, name))
            .map(|(_, column)| column)
    }

    /// The column of exactly this name, one of details included.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter().chain(Self::DETAILS);
        all.find(|column| column.name() == name)
    }

    /// The column that another name stands for only where a report lacks it under its own.
    pub(super) fn from_weak_name(name: &str) -> Option<Self> {
        let found = WEAK_ALIASES.into_iter().find(|(known, _)| are_alike(known, name));
        found.map(|(_, column)| column)
    }

    /// The credential that this column describes, if it is one credential: AWS begins the column's name with it.
    pub fn credential(self) -> Option<Credential> {
        Credential::ALL.into_iter().find(|credential| {
            let rest = self.name().strip_prefix(credential.name());
            rest.is_some_and(|rest| rest.starts_with('_'))
        })
    }
}

/// Names of columns in other tools' tables of the report, beside those that differ in signs only: Steampipe, `CloudQuery`,
/// Fix Inventory.
const ALIASES: [(&str, Column); 5] = [
    ("user_name", Column::Text(TextColumn::User)),
    ("user_arn", Column::Text(TextColumn::Arn)),
    ("access_key_1_last_used", Column::Time(TimeColumn::Key1LastUsed)),
    ("access_key_2_last_used", Column::Time(TimeColumn::Key2LastUsed)),
    ("user_created", Column::Time(TimeColumn::UserCreation)),
];

/// `CloudQuery` names the flag so; Steampipe has another column of this name beside the flag.
const WEAK_ALIASES: [(&str, Column); 1] = [("password_status", Column::Flag(FlagColumn::PasswordEnabled))];

/// Whether two names have the same letters and digits.
fn are_alike(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|name| {
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase())
    });
    one.eq(other)
}

/// A column that merged and enriched reports have, and reports by AWS do not: rules do not read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraColumn {
    /// The id of the account.
    AccountId,
    /// Its name.
    AccountName,
    /// The id of the access key in the first slot.
    Key1Id,
    /// The id of the access key in the second slot.
    Key2Id,
    /// When the report was generated.
    GeneratedTime,
}

impl ExtraColumn {
    /// How many there are.
    pub(super) const COUNT: usize = Self::NAMES.len();

    /// Each with the names that tools give it.
    const NAMES: [(Self, &[&str]); 5] = [
        (
            Self::AccountId,
            &["account_id", "aws_account_id", "account_number"],
        ),
        (
            Self::AccountName,
            &["account_name", "aws_account_name", "account_alias"],
        ),
        (
            Self::Key1Id,
            &["access_key_1_id", "access_key_id_1", "access_key_1"],
        ),
        (
            Self::Key2Id,
            &["access_key_2_id", "access_key_id_2", "access_key_2"],
        ),
        (Self::GeneratedTime, &["generated_time", "report_generated_time"]),
    ];

    /// Whether a column of this name has ids or names of accounts.
    pub(super) fn is_account(name: &str) -> bool {
        ["account", "aws_account"]
            .iter()
            .any(|known| are_alike(known, name))
    }

    /// The ids of access keys, by slot.
    pub const KEY_ID: BySlot<Self> = [Self::Key1Id, Self::Key2Id];

    /// The column of this name; see [`Column::from_name`].
    pub fn from_name(name: &str) -> Option<Self> {
        let is_meant = |(_, names): &(Self, &[&str])| names.iter().any(|known| are_alike(known, name));
        Self::NAMES.into_iter().find(is_meant).map(|(column, _)| column)
    }
}

/// One of the two positions that a row has for access keys and for certificates. Not stable over time:
/// AWS re-packs slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `access_key_1_*`, `cert_1_*`
    One,
    /// `access_key_2_*`, `cert_2_*`
    Two,
}

impl Slot {
    /// Both slots, in report order.
    pub const ALL: BySlot<Self> = [Self::One, Self::Two];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::One => Self::Two,
            Self::Two => Self::One,
        }
    }
}

/// One value for each slot: `values[slot as usize]`.
pub type BySlot<T> = [T; 2];

/// The columns of one kind of credential, by slot.
#[derive(Debug)]
pub struct SlotColumns {
    /// The name of the credential in each slot, with which its columns' names begin.
    pub name: BySlot<&'static str>,
    /// Whether it is active.
    pub active: BySlot<FlagColumn>,
    /// When it was created.
    pub last_rotated: BySlot<TimeColumn>,
}

/// The columns of access keys.
pub const ACCESS_KEY: SlotColumns = SlotColumns {
    name: ["access_key_1", "access_key_2"],
    active: [FlagColumn::Key1Active, FlagColumn::Key2Active],
    last_rotated: [TimeColumn::Key1LastRotated, TimeColumn::Key2LastRotated],
};

/// The columns of signing certificates.
pub const CERTIFICATE: SlotColumns = SlotColumns {
    name: ["cert_1", "cert_2"],
    active: [FlagColumn::Cert1Active, FlagColumn::Cert2Active],
    last_rotated: [TimeColumn::Cert1LastRotated, TimeColumn::Cert2LastRotated],
};

/// The columns about the last use of access keys, by slot.
#[derive(Debug)]
pub struct LastUsedColumns {
    /// When it was.
    pub date: BySlot<TimeColumn>,
    /// In which region.
    pub region: BySlot<TextColumn>,
    /// Of which service.
    pub service: BySlot<TextColumn>,
}

/// The columns about the last use of access keys.
pub const KEY_LAST_USED: LastUsedColumns = LastUsedColumns {
    date: [TimeColumn::Key1LastUsed, TimeColumn::Key2LastUsed],
    region: [TextColumn::Key1LastUsedRegion, TextColumn::Key2LastUsedRegion],
    service: [TextColumn::Key1LastUsedService, TextColumn::Key2LastUsedService],
};

/// One credential of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// The console password.
    Password,
    /// The access key in this slot.
    AccessKey(Slot),
    /// The signing certificate in this slot.
    Certificate(Slot),
    /// A service-specific credential.
    ServiceCredential,
}

impl Credential {
    /// All credentials, those of a report in its order.
    pub const ALL: [Self; 6] = [
        Self::Password,
        Self::AccessKey(Slot::One),
        Self::AccessKey(Slot::Two),
        Self::Certificate(Slot::One),
        Self::Certificate(Slot::Two),
        Self::ServiceCredential,
    ];

    /// The word in outputs: `password`, `access_key_1`, `cert_2`, `service_credential`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AccessKey(slot) => ACCESS_KEY.name[slot as usize],
            Self::Certificate(slot) => CERTIFICATE.name[slot as usize],
            Self::ServiceCredential => "service_credential",
        }
    }
}

impl Credential {
    /// When it was created; a password, when it was set.
    pub const fn created(self) -> TimeColumn {
        match self {
            Self::Password => TimeColumn::PasswordLastChanged,
            Self::AccessKey(slot) => ACCESS_KEY.last_rotated[slot as usize],
            Self::Certificate(slot) => CERTIFICATE.last_rotated[slot as usize],
            Self::ServiceCredential => TimeColumn::ServiceCredentialCreated,
        }
    }

    /// When it was last used; AWS does not say this of certificates and service-specific credentials.
    pub const fn last_used(self) -> Option<TimeColumn> {
        match self {
            Self::Password => Some(TimeColumn::PasswordLastUsed),
            Self::AccessKey(slot) => Some(KEY_LAST_USED.date[slot as usize]),
            Self::Certificate(_) | Self::ServiceCredential => None,
        }
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Credential {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find("credential", word, &Self::ALL, Self::name)
    }
}

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// A set of columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnSet(u32);

impl ColumnSet {
    /// The set of one column.
    pub const fn of(column: Column) -> Self {
        Self(1 << column.index())
    }

    /// Adds a column.
    pub fn insert(&mut self, column: impl Into<Column>) {
        self.0 |= 1 << column.into().index();
    }

    /// Whether the column is in the set.
    pub fn contains(self, column: impl Into<Column>) -> bool {
        self.0 & (1 << column.into().index()) != 0
    }

    /// Whether no column is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The columns in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The columns in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The columns of this set that the other lacks.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The columns, in report order, those of details last.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        let all = Column::ALL.into_iter().chain(Column::DETAILS);
        all.filter(move |&column| self.contains(column))
    }
}

impl FromIterator<Column> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        let mut set = Self::default();
        for column in columns {
            set.insert(column);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_names_agree() {
        for (position, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column.index(), position);
            assert_eq!(Column::from_name(column.name()), Some(column));
        }
        assert_eq!(Column::from_name(" User "), Some(TextColumn::User.into()));
        assert_eq!(Column::from_name("account_id"), None);
        for name in [
            "accessKey1Active",
            "access_key1_active",
            "Access Key 1 Active",
            "ACCESS-KEY-1-ACTIVE",
        ] {
            assert_eq!(
                Column::from_name(name),
                Some(FlagColumn::Key1Active.into()),
                "{name}"
            );
        }
        assert_eq!(Column::from_name("userName"), Some(TextColumn::User.into()));
        assert_eq!(Column::from_name("password_status"), None);
        assert_eq!(ExtraColumn::from_name("AccountId"), Some(ExtraColumn::AccountId));
        assert_eq!(ExtraColumn::from_name("access key 1"), Some(ExtraColumn::Key1Id));
        assert_eq!(ExtraColumn::from_name("user"), None);
    }

    #[test]
    fn columns_belong_to_the_credential_that_their_name_begins_with() {
        let columns = |credential| {
            Column::ALL
                .into_iter()
                .filter(move |it| it.credential() == credential)
        };
        let counts = Credential::ALL.map(|credential| columns(Some(credential)).count());
        assert_eq!(counts, [4, 5, 5, 2, 2, 0]);
        for column in [Column::from(TextColumn::User), FlagColumn::MfaActive.into()] {
            assert_eq!(column.credential(), None);
        }
    }
}
