//! The attributes of each entity, and the columns that hold them.

use crate::report::schema::{Column, FlagColumn, Slot, TextColumn, TimeColumn};

use super::typed::{Attribute, Entity};
use FlagColumn as F;
use TextColumn as X;
use TimeColumn as T;

/// An attribute, with its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnyAttribute {
    /// It is true or false.
    Flag(Attribute<FlagColumn>),
    /// It is a time.
    Time(Attribute<TimeColumn>),
    /// It is text.
    Text(Attribute<TextColumn>),
}

impl AnyAttribute {
    /// The path in GSL, such as `firstAccessKey.isActive`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Flag(attribute) => attribute.name(),
            Self::Time(attribute) => attribute.name(),
            Self::Text(attribute) => attribute.name(),
        }
    }

    /// The column that holds it for the entity in this slot.
    pub const fn column(&self, slot: Slot) -> Column {
        match self {
            Self::Flag(attribute) => Column::Flag(attribute.column(slot)),
            Self::Time(attribute) => Column::Time(attribute.column(slot)),
            Self::Text(attribute) => Column::Text(attribute.column(slot)),
        }
    }
}

/// All attributes of an entity: its own, then, for a key or certificate, those of its user.
///
/// ```
/// use credlens::gsl::{attributes, typed::Entity};
///
/// let names: Vec<_> = attributes(Entity::IamSigningCertificate).map(|attribute| attribute.name()).collect();
/// assert_eq!(names[..3], ["isActive", "lastRotated", "user.name"]);
/// ```
pub fn attributes(entity: Entity) -> impl Iterator<Item = AnyAttribute> + Clone {
    let (own, owner): (&[_], &[_]) = match entity {
        Entity::IamUser => (&USER, &[]),
        Entity::IamAccessKey => (&KEY, &OWNER),
        Entity::IamSigningCertificate => (&CERTIFICATE, &OWNER),
    };
    own.iter().chain(owner).copied()
}

const KEY: [AnyAttribute; 5] = [
    AnyAttribute::Flag(Attribute::new("isActive", [F::Key1Active, F::Key2Active])),
    AnyAttribute::Time(Attribute::new(
        "lastRotated",
        [T::Key1LastRotated, T::Key2LastRotated],
    )),
    AnyAttribute::Time(Attribute::new("lastUsedDate", [T::Key1LastUsed, T::Key2LastUsed])),
    AnyAttribute::Text(Attribute::new(
        "lastUsedRegion",
        [X::Key1LastUsedRegion, X::Key2LastUsedRegion],
    )),
    AnyAttribute::Text(Attribute::new(
        "lastUsedService",
        [X::Key1LastUsedService, X::Key2LastUsedService],
    )),
];

const CERTIFICATE: [AnyAttribute; 2] = [
    AnyAttribute::Flag(Attribute::new("isActive", [F::Cert1Active, F::Cert2Active])),
    AnyAttribute::Time(Attribute::new(
        "lastRotated",
        [T::Cert1LastRotated, T::Cert2LastRotated],
    )),
];

/// Makes `USER`, and `OWNER`: the same as seen from a key or certificate.
macro_rules! user_attributes {
    ($($name:literal $kind:ident $column:expr;)*) => {
        const USER: [AnyAttribute; Column::COUNT] =
            [$(AnyAttribute::$kind(Attribute::new($name, [$column; 2]))),*];
        const OWNER: [AnyAttribute; Column::COUNT] =
            [$(AnyAttribute::$kind(Attribute::new(concat!("user.", $name), [$column; 2]))),*];
    };
}

user_attributes! {
    "name" Text X::User;
    "arn" Text X::Arn;
    "createDate" Time T::UserCreation;
    "passwordEnabled" Flag F::PasswordEnabled;
    "passwordLastUsed" Time T::PasswordLastUsed;
    "passwordLastChanged" Time T::PasswordLastChanged;
    "passwordNextRotation" Time T::PasswordNextRotation;
    "mfaActive" Flag F::MfaActive;
    "firstAccessKey.isActive" Flag F::Key1Active;
    "firstAccessKey.lastRotated" Time T::Key1LastRotated;
    "firstAccessKey.lastUsedDate" Time T::Key1LastUsed;
    "firstAccessKey.lastUsedRegion" Text X::Key1LastUsedRegion;
    "firstAccessKey.lastUsedService" Text X::Key1LastUsedService;
    "secondAccessKey.isActive" Flag F::Key2Active;
    "secondAccessKey.lastRotated" Time T::Key2LastRotated;
    "secondAccessKey.lastUsedDate" Time T::Key2LastUsed;
    "secondAccessKey.lastUsedRegion" Text X::Key2LastUsedRegion;
    "secondAccessKey.lastUsedService" Text X::Key2LastUsedService;
    "firstCertificate.isActive" Flag F::Cert1Active;
    "firstCertificate.lastRotated" Time T::Cert1LastRotated;
    "secondCertificate.isActive" Flag F::Cert2Active;
    "secondCertificate.lastRotated" Time T::Cert2LastRotated;
    "additionalCredentialsInfo" Text X::AdditionalCredentials;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_one_attribute_of_a_user_in_report_order() {
        let columns: Vec<_> = attributes(Entity::IamUser)
            .map(|attribute| attribute.column(Slot::One))
            .collect();
        assert_eq!(columns, Column::ALL);
    }

    #[test]
    fn own_attributes_follow_the_slot_and_the_users_do_not() {
        for entity in Entity::ALL {
            for attribute in attributes(entity) {
                let same = attribute.column(Slot::One) == attribute.column(Slot::Two);
                let users = entity == Entity::IamUser || attribute.name().starts_with("user.");
                assert_eq!(same, users, "{entity:?} {}", attribute.name());
            }
        }
    }
}
