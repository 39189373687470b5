//! The columns of a credential report: the only place where a column name is spelled.
//!
//! Source: IAM User Guide, "Getting credential reports"; the order is that of every report AWS has
//! written since 2015, with the documented `additional_credentials_info` last.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A column that holds a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TimeColumn {
    /// `user_creation_time`
    UserCreation,
    /// `password_last_used`
    PasswordLastUsed,
    /// `password_last_changed`
    PasswordLastChanged,
    /// `password_next_rotation`; the only time that normally lies in the future
    PasswordNextRotation,
    /// `access_key_1_last_rotated`: the key's creation time
    Key1LastRotated,
    /// `access_key_1_last_used_date`
    Key1LastUsed,
    /// `access_key_2_last_rotated`: the key's creation time
    Key2LastRotated,
    /// `access_key_2_last_used_date`
    Key2LastUsed,
    /// `cert_1_last_rotated`
    Cert1LastRotated,
    /// `cert_2_last_rotated`
    Cert2LastRotated,
}

impl TimeColumn {
    /// How many there are.
    pub const COUNT: usize = Self::Cert2LastRotated as usize + 1;
}

impl FlagColumn {
    /// How many there are.
    pub const COUNT: usize = Self::Cert2Active as usize + 1;
}

/// A column that holds a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FlagColumn {
    /// `password_enabled`
    PasswordEnabled,
    /// `mfa_active`
    MfaActive,
    /// `access_key_1_active`
    Key1Active,
    /// `access_key_2_active`
    Key2Active,
    /// `cert_1_active`
    Cert1Active,
    /// `cert_2_active`
    Cert2Active,
}

/// A column that holds text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TextColumn {
    /// `user`
    User,
    /// `arn`
    Arn,
    /// `access_key_1_last_used_region`
    Key1LastUsedRegion,
    /// `access_key_1_last_used_service`
    Key1LastUsedService,
    /// `access_key_2_last_used_region`
    Key2LastUsedRegion,
    /// `access_key_2_last_used_service`
    Key2LastUsedService,
    /// `additional_credentials_info`: documented, not seen live; its absence says nothing
    AdditionalCredentials,
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

use FlagColumn as F;
use TextColumn as X;
use TimeColumn as T;

impl Column {
    /// How many columns a report can have.
    pub const COUNT: usize = 23;

    /// All columns, in report order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Text(X::User),
        Self::Text(X::Arn),
        Self::Time(T::UserCreation),
        Self::Flag(F::PasswordEnabled),
        Self::Time(T::PasswordLastUsed),
        Self::Time(T::PasswordLastChanged),
        Self::Time(T::PasswordNextRotation),
        Self::Flag(F::MfaActive),
        Self::Flag(F::Key1Active),
        Self::Time(T::Key1LastRotated),
        Self::Time(T::Key1LastUsed),
        Self::Text(X::Key1LastUsedRegion),
        Self::Text(X::Key1LastUsedService),
        Self::Flag(F::Key2Active),
        Self::Time(T::Key2LastRotated),
        Self::Time(T::Key2LastUsed),
        Self::Text(X::Key2LastUsedRegion),
        Self::Text(X::Key2LastUsedService),
        Self::Flag(F::Cert1Active),
        Self::Time(T::Cert1LastRotated),
        Self::Flag(F::Cert2Active),
        Self::Time(T::Cert2LastRotated),
        Self::Text(X::AdditionalCredentials),
    ];

    /// Position in report order and the name as AWS spells it.
    const fn spec(self) -> (usize, &'static str) {
        match self {
            Self::Text(X::User) => (0, "user"),
            Self::Text(X::Arn) => (1, "arn"),
            Self::Time(T::UserCreation) => (2, "user_creation_time"),
            Self::Flag(F::PasswordEnabled) => (3, "password_enabled"),
            Self::Time(T::PasswordLastUsed) => (4, "password_last_used"),
            Self::Time(T::PasswordLastChanged) => (5, "password_last_changed"),
            Self::Time(T::PasswordNextRotation) => (6, "password_next_rotation"),
            Self::Flag(F::MfaActive) => (7, "mfa_active"),
            Self::Flag(F::Key1Active) => (8, "access_key_1_active"),
            Self::Time(T::Key1LastRotated) => (9, "access_key_1_last_rotated"),
            Self::Time(T::Key1LastUsed) => (10, "access_key_1_last_used_date"),
            Self::Text(X::Key1LastUsedRegion) => (11, "access_key_1_last_used_region"),
            Self::Text(X::Key1LastUsedService) => (12, "access_key_1_last_used_service"),
            Self::Flag(F::Key2Active) => (13, "access_key_2_active"),
            Self::Time(T::Key2LastRotated) => (14, "access_key_2_last_rotated"),
            Self::Time(T::Key2LastUsed) => (15, "access_key_2_last_used_date"),
            Self::Text(X::Key2LastUsedRegion) => (16, "access_key_2_last_used_region"),
            Self::Text(X::Key2LastUsedService) => (17, "access_key_2_last_used_service"),
            Self::Flag(F::Cert1Active) => (18, "cert_1_active"),
            Self::Time(T::Cert1LastRotated) => (19, "cert_1_last_rotated"),
            Self::Flag(F::Cert2Active) => (20, "cert_2_active"),
            Self::Time(T::Cert2LastRotated) => (21, "cert_2_last_rotated"),
            Self::Text(X::AdditionalCredentials) => (22, "additional_credentials_info"),
        }
    }

    /// Position in report order, from 0.
    pub const fn index(self) -> usize {
        self.spec().0
    }

    /// The name as AWS spells it in the header.
    pub const fn name(self) -> &'static str {
        self.spec().1
    }

    /// The columns whose lack says nothing; the cells of any other column that a report lacks are unknown.
    pub const OPTIONAL: ColumnSet = ColumnSet::of(Self::Text(X::AdditionalCredentials));

    /// The column of this name; blanks around it and its case do not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        Self::ALL
            .into_iter()
            .find(|column| column.name().eq_ignore_ascii_case(name))
    }

    /// The credential that this column tells about, if it is one credential.
    pub const fn credential(self) -> Option<Credential> {
        match self {
            Self::Flag(F::PasswordEnabled)
            | Self::Time(T::PasswordLastUsed | T::PasswordLastChanged | T::PasswordNextRotation) => {
                Some(Credential::Password)
            }
            Self::Flag(F::Key1Active)
            | Self::Time(T::Key1LastRotated | T::Key1LastUsed)
            | Self::Text(X::Key1LastUsedRegion | X::Key1LastUsedService) => {
                Some(Credential::AccessKey(Slot::One))
            }
            Self::Flag(F::Key2Active)
            | Self::Time(T::Key2LastRotated | T::Key2LastUsed)
            | Self::Text(X::Key2LastUsedRegion | X::Key2LastUsedService) => {
                Some(Credential::AccessKey(Slot::Two))
            }
            Self::Flag(F::Cert1Active) | Self::Time(T::Cert1LastRotated) => {
                Some(Credential::Certificate(Slot::One))
            }
            Self::Flag(F::Cert2Active) | Self::Time(T::Cert2LastRotated) => {
                Some(Credential::Certificate(Slot::Two))
            }
            Self::Flag(F::MfaActive)
            | Self::Time(T::UserCreation)
            | Self::Text(X::User | X::Arn | X::AdditionalCredentials) => None,
        }
    }
}

impl From<TimeColumn> for Column {
    fn from(column: TimeColumn) -> Self {
        Self::Time(column)
    }
}

impl From<FlagColumn> for Column {
    fn from(column: FlagColumn) -> Self {
        Self::Flag(column)
    }
}

impl From<TextColumn> for Column {
    fn from(column: TextColumn) -> Self {
        Self::Text(column)
    }
}

/// One of the two places that a row has for access keys and for certificates. Not stable over time:
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
    pub const ALL: [Self; 2] = [Self::One, Self::Two];
}

/// One credential of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// The console password.
    Password,
    /// The access key in this slot.
    AccessKey(Slot),
    /// The signing certificate in this slot.
    Certificate(Slot),
}

impl Credential {
    /// All credentials, in report order.
    pub const ALL: [Self; 5] = [
        Self::Password,
        Self::AccessKey(Slot::One),
        Self::AccessKey(Slot::Two),
        Self::Certificate(Slot::One),
        Self::Certificate(Slot::Two),
    ];

    /// The word that outputs use: `password`, `access_key_1`, `cert_2`, …
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AccessKey(Slot::One) => "access_key_1",
            Self::AccessKey(Slot::Two) => "access_key_2",
            Self::Certificate(Slot::One) => "cert_1",
            Self::Certificate(Slot::Two) => "cert_2",
        }
    }
}

impl std::fmt::Display for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Credential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|credential| credential.name() == name);
        found.ok_or_else(|| D::Error::custom(format_args!("unknown credential '{}'", name.escape_debug())))
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

    /// The columns, in report order.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        Column::ALL
            .into_iter()
            .filter(move |&column| self.contains(column))
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
        assert_eq!(Column::from_name(" User "), Some(Column::Text(X::User)));
        assert_eq!(Column::from_name("account_id"), None);
    }
}
