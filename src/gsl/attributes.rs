//! The attributes of each entity, and their columns.

use crate::report::schema::{
    ACCESS_KEY, BySlot, CERTIFICATE, Column, FlagColumn, KEY_LAST_USED, Slot, TextColumn, TimeColumn,
};

use super::typed::{Attribute, Entity, TextSource};
use FlagColumn as F;
use TextColumn as X;
use TextSource as S;
use TimeColumn as T;

/// An attribute, with its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnyAttribute {
    /// It is true or false.
    Flag(Attribute<FlagColumn>),
    /// It is a time.
    Time(Attribute<TimeColumn>),
    /// It is text.
    Text(Attribute<TextSource>),
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

    /// The column that it is in, for the entity in this slot.
    pub const fn column(&self, slot: Slot) -> Column {
        match self {
            Self::Flag(attribute) => Column::Flag(attribute.column(slot)),
            Self::Time(attribute) => Column::Time(attribute.column(slot)),
            Self::Text(attribute) => Column::Text(attribute.column(slot).column()),
        }
    }
}

/// All attributes of an entity: its own, and for a credential also those of its user.
///
/// ```
/// use credlens::gsl::{attributes, typed::Entity};
///
/// let names: Vec<_> = attributes(Entity::IamSigningCertificate).map(|attribute| attribute.name()).collect();
/// assert_eq!(names[..3], ["isActive", "lastRotated", "user.name"]);
/// ```
pub fn attributes(entity: Entity) -> impl Iterator<Item = AnyAttribute> + Clone {
    let (own, owner): (&[_], &[_]) = match entity {
        Entity::IamUser => (&OF_USER, &[]),
        Entity::IamAccessKey => (&OF_KEY, &OF_OWNER),
        Entity::IamSigningCertificate => (&OF_CERTIFICATE, &OF_OWNER),
        Entity::IamServiceCredential => (&OF_SERVICE_CREDENTIAL, &OF_OWNER),
    };
    own.iter().chain(owner).copied()
}

const OF_KEY: [AnyAttribute; 5] = [
    AnyAttribute::Flag(Attribute::new("isActive", ACCESS_KEY.active)),
    AnyAttribute::Time(Attribute::new("lastRotated", ACCESS_KEY.last_rotated)),
    AnyAttribute::Time(Attribute::new("lastUsedDate", KEY_LAST_USED.date)),
    AnyAttribute::Text(Attribute::new("lastUsedRegion", cells(KEY_LAST_USED.region))),
    AnyAttribute::Text(Attribute::new("lastUsedService", cells(KEY_LAST_USED.service))),
];

const OF_CERTIFICATE: [AnyAttribute; 2] = [
    AnyAttribute::Flag(Attribute::new("isActive", CERTIFICATE.active)),
    AnyAttribute::Time(Attribute::new("lastRotated", CERTIFICATE.last_rotated)),
];

const OF_SERVICE_CREDENTIAL: [AnyAttribute; 4] = [
    AnyAttribute::Text(Attribute::new(
        "service",
        [S::Cell(X::ServiceCredentialService); _],
    )),
    AnyAttribute::Flag(Attribute::new("isActive", [F::ServiceCredentialActive; _])),
    AnyAttribute::Time(Attribute::new("created", [T::ServiceCredentialCreated; _])),
    AnyAttribute::Time(Attribute::new("expires", [T::ServiceCredentialExpires; _])),
];

const fn cells([one, two]: BySlot<TextColumn>) -> BySlot<TextSource> {
    [S::Cell(one), S::Cell(two)]
}

/// The parts of the ARN are attributes of their own.
const OF_USER_COUNT: usize = Column::COUNT + 2;

/// Declares `OF_USER`, and `OF_OWNER`: the same for the owner of a credential.
macro_rules! user_attributes {
    ($($name:literal $kind:ident $column:expr;)*) => {
        const OF_USER: [AnyAttribute; OF_USER_COUNT] =
            [$(AnyAttribute::$kind(Attribute::new($name, [$column; _]))),*];
        const OF_OWNER: [AnyAttribute; OF_USER_COUNT] =
            [$(AnyAttribute::$kind(Attribute::new(concat!("user.", $name), [$column; _]))),*];
    };
}

user_attributes! {
    "name" Text S::Cell(X::User);
    "arn" Text S::Cell(X::Arn);
    "partition" Text S::Partition;
    "path" Text S::Path;
    "createDate" Time T::UserCreation;
    "passwordEnabled" Flag F::PasswordEnabled;
    "passwordLastUsed" Time T::PasswordLastUsed;
    "passwordLastChanged" Time T::PasswordLastChanged;
    "passwordNextRotation" Time T::PasswordNextRotation;
    "mfaActive" Flag F::MfaActive;
    "firstAccessKey.isActive" Flag F::Key1Active;
    "firstAccessKey.lastRotated" Time T::Key1LastRotated;
    "firstAccessKey.lastUsedDate" Time T::Key1LastUsed;
    "firstAccessKey.lastUsedRegion" Text S::Cell(X::Key1LastUsedRegion);
    "firstAccessKey.lastUsedService" Text S::Cell(X::Key1LastUsedService);
    "secondAccessKey.isActive" Flag F::Key2Active;
    "secondAccessKey.lastRotated" Time T::Key2LastRotated;
    "secondAccessKey.lastUsedDate" Time T::Key2LastUsed;
    "secondAccessKey.lastUsedRegion" Text S::Cell(X::Key2LastUsedRegion);
    "secondAccessKey.lastUsedService" Text S::Cell(X::Key2LastUsedService);
    "firstCertificate.isActive" Flag F::Cert1Active;
    "firstCertificate.lastRotated" Time T::Cert1LastRotated;
    "secondCertificate.isActive" Flag F::Cert2Active;
    "secondCertificate.lastRotated" Time T::Cert2LastRotated;
    "additionalCredentialsInfo" Text S::Cell(X::AdditionalCredentials);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_one_attribute_of_a_user_in_report_order() {
        let mut columns: Vec<_> = attributes(Entity::IamUser)
            .map(|attribute| attribute.column(Slot::One))
            .collect();
        assert_eq!(columns.len(), OF_USER_COUNT);
        // The parts of the ARN follow it.
        columns.dedup();
        assert_eq!(columns, Column::ALL);
    }

    #[test]
    fn own_attributes_follow_the_slot_and_the_users_do_not() {
        for entity in Entity::ALL {
            for attribute in attributes(entity) {
                let same = attribute.column(Slot::One) == attribute.column(Slot::Two);
                let is_row = matches!(entity, Entity::IamUser | Entity::IamServiceCredential);
                let users = is_row || attribute.name().starts_with("user.");
                assert_eq!(same, users, "{entity:?} {}", attribute.name());
            }
        }
    }
}
