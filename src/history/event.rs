//! The events that can happen to a user between two snapshots.

use crate::finding::{Severity, word_enum};
use crate::report::cell::known;
use crate::report::schema::{ACCESS_KEY, CERTIFICATE, ColumnSet, FlagColumn, KEY_LAST_USED, TimeColumn};
use crate::report::time::Timestamp;

word_enum! {
    /// What happened. The events of a user are in this order. A user who was created, deleted or recreated has only that
    /// event.
    #[non_exhaustive]
    pub enum Kind {
        /// The user is new.
        UserCreated = "user-created",
        /// The user is gone.
        UserDeleted = "user-deleted",
        /// The user was deleted, and a new user has the same ARN.
        UserRecreated = "user-recreated",
        /// The password was enabled.
        PasswordEnabled = "password-enabled",
        /// The password was disabled.
        PasswordDisabled = "password-disabled",
        /// The password was changed; it is enabled in both reports.
        PasswordChanged = "password-changed",
        /// The password was used, and had been idle at the older snapshot.
        PasswordUsedAfterIdle = "password-used-after-idle",
        /// The user has an MFA device and had none before.
        MfaActivated = "mfa-activated",
        /// The user no longer has an MFA device.
        MfaDeactivated = "mfa-deactivated",
        /// An access key is new.
        KeyCreated = "key-created",
        /// An access key is gone.
        KeyDeleted = "key-deleted",
        /// An access key was activated.
        KeyActivated = "key-activated",
        /// An access key was deactivated.
        KeyDeactivated = "key-deactivated",
        /// An access key was used for the first time.
        KeyFirstUsed = "key-first-used",
        /// An access key was used, and had been idle at the older snapshot.
        KeyUsedAfterIdle = "key-used-after-idle",
        /// A key was created, and one that was active is inactive or gone. Emitted besides the events it consists of.
        KeyRotated = "key-rotated",
        /// A signing certificate is new.
        CertificateCreated = "certificate-created",
        /// A signing certificate is gone.
        CertificateDeleted = "certificate-deleted",
        /// A signing certificate was activated.
        CertificateActivated = "certificate-activated",
        /// A signing certificate was deactivated.
        CertificateDeactivated = "certificate-deactivated",
        /// Root's password or one of root's keys was used.
        RootUsed = "root-used",
    }
}

impl Kind {
    /// How much it matters to someone who watches over the account.
    pub const fn severity(self) -> Severity {
        match self {
            Self::MfaDeactivated | Self::RootUsed => Severity::High,
            Self::UserRecreated
            | Self::PasswordEnabled
            | Self::PasswordUsedAfterIdle
            | Self::KeyActivated
            | Self::KeyUsedAfterIdle
            | Self::CertificateActivated => Severity::Medium,
            Self::UserCreated | Self::KeyCreated | Self::KeyFirstUsed | Self::CertificateCreated => {
                Severity::Low
            }
            Self::UserDeleted
            | Self::PasswordDisabled
            | Self::PasswordChanged
            | Self::MfaActivated
            | Self::KeyDeleted
            | Self::KeyDeactivated
            | Self::KeyRotated
            | Self::CertificateDeleted
            | Self::CertificateDeactivated => Severity::Informational,
        }
    }

    /// The columns whose cells such an event changes; for keys and certificates, of both slots.
    pub(super) fn columns(self) -> ColumnSet {
        let password = [TimeColumn::PasswordLastUsed, TimeColumn::PasswordLastChanged];
        let used = KEY_LAST_USED.date;
        match self {
            Self::UserCreated | Self::UserDeleted | Self::UserRecreated => ColumnSet::default(),
            Self::PasswordEnabled | Self::PasswordDisabled => {
                columns(&[FlagColumn::PasswordEnabled], &password)
            }
            Self::PasswordChanged => columns(&[], &password[1..]),
            Self::PasswordUsedAfterIdle => columns(&[], &password[..1]),
            Self::MfaActivated | Self::MfaDeactivated => columns(&[FlagColumn::MfaActive], &[]),
            Self::KeyCreated | Self::KeyDeleted | Self::KeyRotated => {
                columns(&ACCESS_KEY.active, &ACCESS_KEY.last_rotated).union(columns(&[], &used))
            }
            Self::KeyActivated | Self::KeyDeactivated => columns(&ACCESS_KEY.active, &[]),
            Self::KeyFirstUsed | Self::KeyUsedAfterIdle => columns(&[], &used),
            Self::CertificateCreated | Self::CertificateDeleted => {
                columns(&CERTIFICATE.active, &CERTIFICATE.last_rotated)
            }
            Self::CertificateActivated | Self::CertificateDeactivated => columns(&CERTIFICATE.active, &[]),
            Self::RootUsed => columns(&[], &used).union(columns(&[], &password[..1])),
        }
    }
}

/// The set of these columns.
pub(super) fn columns(flags: &[FlagColumn], times: &[TimeColumn]) -> ColumnSet {
    let flags = flags.iter().map(|&flag| flag.into());
    flags.chain(times.iter().map(|&time| time.into())).collect()
}

/// The value of a cell before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Absent or unreadable.
    None,
    /// A time.
    Time(Timestamp),
    /// A flag.
    Flag(bool),
}

impl Value {
    pub(super) fn of(time: Option<Timestamp>) -> Self {
        time.map_or(Self::None, Self::Time)
    }

    /// The value of a time cell.
    pub(super) fn of_time(cell: i64) -> Self {
        Self::of(known(cell))
    }

    /// The text in outputs.
    pub fn text(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Time(time) => Some(time.to_string()),
            Self::Flag(flag) => Some(flag.to_string()),
        }
    }
}

/// One event. The rows lead to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// Index of the user in the older snapshot.
    pub old_row: Option<u32>,
    /// Index of the user in the newer snapshot.
    pub new_row: Option<u32>,
    /// Creation time of the key or certificate; for a rotation, of the new key.
    pub key_created: Option<Timestamp>,
    /// The cell that changed, before.
    pub old: Value,
    /// The cell that changed, after.
    pub new: Value,
}

/// What resolved a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An event.
    Event(Kind),
    /// A suppression covers it now.
    Suppressed,
    /// The credential was used.
    Used,
    /// Something else: another cell changed, or time passed.
    Other,
}

impl Cause {
    /// The word in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event(kind) => kind.name(),
            Self::Suppressed => "suppressed",
            Self::Used => "used",
            Self::Other => "other",
        }
    }
}

/// A set of causes: events in the order of [`Kind`], then the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes(u32);

impl Causes {
    const OTHERS: [Cause; 3] = [Cause::Suppressed, Cause::Used, Cause::Other];

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The causes in order.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        let all = Kind::ALL.into_iter().map(Cause::Event).chain(Self::OTHERS);
        all.filter(move |&cause| self.0 & Self::bit(cause) != 0)
    }

    fn bit(cause: Cause) -> u32 {
        let others = Kind::ALL.len();
        1 << match cause {
            Cause::Event(kind) => kind as usize,
            Cause::Suppressed => others,
            Cause::Used => others + 1,
            Cause::Other => others + 2,
        }
    }
}

impl FromIterator<Cause> for Causes {
    fn from_iter<T: IntoIterator<Item = Cause>>(causes: T) -> Self {
        Self(causes.into_iter().fold(0, |bits, cause| bits | Self::bit(cause)))
    }
}
