//! What can happen to a user between two snapshots.

use serde::{Deserialize, Serialize};

use crate::report::cell;
use crate::report::schema::{ColumnSet, FlagColumn, TimeColumn};
use crate::report::time::Timestamp;

/// What happened. A user made, deleted or made again stands for all that happened to its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A user is new.
    UserCreated,
    /// A user is gone.
    UserDeleted,
    /// A user was deleted, and one of the same ARN was made.
    UserRecreated,
    /// A password was set where there was none.
    PasswordEnabled,
    /// The password was taken away.
    PasswordDisabled,
    /// The password was changed; it is enabled in both reports.
    PasswordChanged,
    /// The password was used, and had been idle at the older snapshot.
    PasswordUsedAfterIdle,
    /// The user has an MFA device where there was none.
    MfaActivated,
    /// The user has no MFA device any more.
    MfaDeactivated,
    /// An access key is new.
    KeyCreated,
    /// An access key is gone.
    KeyDeleted,
    /// An access key was switched on.
    KeyActivated,
    /// An access key was switched off.
    KeyDeactivated,
    /// An access key that had never been used was used.
    KeyFirstUsed,
    /// An access key was used, and had been idle at the older snapshot.
    KeyUsedAfterIdle,
    /// A key was made, and one that was active is inactive or gone. Emitted besides what it consists of.
    KeyRotated,
    /// A signing certificate is new.
    CertificateCreated,
    /// A signing certificate is gone.
    CertificateDeleted,
    /// A signing certificate was switched on.
    CertificateActivated,
    /// A signing certificate was switched off.
    CertificateDeactivated,
    /// Root's password or a key of root was used.
    RootUsed,
}

impl Kind {
    /// All kinds, in the order in which they are told of a user.
    pub const ALL: [Self; 21] = [
        Self::UserCreated,
        Self::UserDeleted,
        Self::UserRecreated,
        Self::PasswordEnabled,
        Self::PasswordDisabled,
        Self::PasswordChanged,
        Self::PasswordUsedAfterIdle,
        Self::MfaActivated,
        Self::MfaDeactivated,
        Self::KeyCreated,
        Self::KeyDeleted,
        Self::KeyActivated,
        Self::KeyDeactivated,
        Self::KeyFirstUsed,
        Self::KeyUsedAfterIdle,
        Self::KeyRotated,
        Self::CertificateCreated,
        Self::CertificateDeleted,
        Self::CertificateActivated,
        Self::CertificateDeactivated,
        Self::RootUsed,
    ];

    /// The word in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user-created",
            Self::UserDeleted => "user-deleted",
            Self::UserRecreated => "user-recreated",
            Self::PasswordEnabled => "password-enabled",
            Self::PasswordDisabled => "password-disabled",
            Self::PasswordChanged => "password-changed",
            Self::PasswordUsedAfterIdle => "password-used-after-idle",
            Self::MfaActivated => "mfa-activated",
            Self::MfaDeactivated => "mfa-deactivated",
            Self::KeyCreated => "key-created",
            Self::KeyDeleted => "key-deleted",
            Self::KeyActivated => "key-activated",
            Self::KeyDeactivated => "key-deactivated",
            Self::KeyFirstUsed => "key-first-used",
            Self::KeyUsedAfterIdle => "key-used-after-idle",
            Self::KeyRotated => "key-rotated",
            Self::CertificateCreated => "certificate-created",
            Self::CertificateDeleted => "certificate-deleted",
            Self::CertificateActivated => "certificate-activated",
            Self::CertificateDeactivated => "certificate-deactivated",
            Self::RootUsed => "root-used",
        }
    }

    /// The columns whose cells such an event changes; of keys and certificates those of either slot.
    pub(super) fn columns(self) -> ColumnSet {
        use FlagColumn as F;
        use TimeColumn as T;
        let password = [T::PasswordLastUsed, T::PasswordLastChanged];
        let keys = [T::Key1LastRotated, T::Key2LastRotated];
        let used = [T::Key1LastUsed, T::Key2LastUsed];
        match self {
            Self::UserCreated | Self::UserDeleted | Self::UserRecreated => ColumnSet::default(),
            Self::PasswordEnabled | Self::PasswordDisabled => columns(&[F::PasswordEnabled], &password),
            Self::PasswordChanged => columns(&[], &password[1..]),
            Self::PasswordUsedAfterIdle => columns(&[], &password[..1]),
            Self::MfaActivated | Self::MfaDeactivated => columns(&[F::MfaActive], &[]),
            Self::KeyCreated | Self::KeyDeleted | Self::KeyRotated => {
                columns(&[F::Key1Active, F::Key2Active], &keys).union(columns(&[], &used))
            }
            Self::KeyActivated | Self::KeyDeactivated => columns(&[F::Key1Active, F::Key2Active], &[]),
            Self::KeyFirstUsed | Self::KeyUsedAfterIdle => columns(&[], &used),
            Self::CertificateCreated | Self::CertificateDeleted => columns(
                &[F::Cert1Active, F::Cert2Active],
                &[T::Cert1LastRotated, T::Cert2LastRotated],
            ),
            Self::CertificateActivated | Self::CertificateDeactivated => {
                columns(&[F::Cert1Active, F::Cert2Active], &[])
            }
            Self::RootUsed => columns(&[], &[used[0], used[1], T::PasswordLastUsed]),
        }
    }
}

fn columns(flags: &[FlagColumn], times: &[TimeColumn]) -> ColumnSet {
    let flags = flags.iter().map(|&flag| flag.into());
    flags.chain(times.iter().map(|&time| time.into())).collect()
}

/// What a cell said before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or nothing that can be read.
    None,
    /// A time.
    Time(Timestamp),
    /// A flag.
    Flag(bool),
}

impl Value {
    /// An instant's, if there is one.
    pub(super) fn of(time: Option<Timestamp>) -> Self {
        time.map_or(Self::None, Self::Time)
    }

    /// A time cell's.
    pub(super) fn of_time(cell: i64) -> Self {
        Self::of(known(cell))
    }

    /// As outputs write it.
    pub fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Time(time) => Some(time.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
        }
    }
}

/// The instant of a time cell, if it says one.
pub(super) fn known(cell: i64) -> Option<Timestamp> {
    (cell != cell::ABSENT && cell != cell::UNKNOWN).then_some(Timestamp(cell))
}

/// One event. What else is to tell of it is the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Index of the user in the older snapshot.
    pub old_row: Option<u32>,
    /// Index of the user in the newer snapshot.
    pub new_row: Option<u32>,
    /// When the key or certificate was made; of a rotation, the new one.
    pub key_created: Option<Timestamp>,
    /// The cell that tells it, before.
    pub old: Value,
    /// The cell that tells it, after.
    pub new: Value,
}
