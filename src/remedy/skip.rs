//! Why a step is not done when it is to be applied: one place for these words.

use crate::report::word::word_enum;

word_enum! {
    /// Why a step is not done.
    pub enum SkipReason as "reason" {
        /// The key was used since the report, or within the quiet days.
        InUse = "in-use",
        /// The key was created less than a day ago, or was never used and is not older than the quiet days.
        TooNew = "too-new",
        /// The key is not active.
        AlreadyInactive = "already-inactive",
        /// The key has expired.
        Expired = "expired",
        /// The user or the key does not exist any more.
        Gone = "gone",
        /// A tag of the user exempts it.
        Exempt = "exempt",
        /// A group of the user exempts it.
        ExemptGroup = "exempt-group",
        /// Tags say that infrastructure as code makes the user.
        InfrastructureAsCode = "infrastructure-as-code",
        /// The key was last used for SES.
        SesSmtp = "ses-smtp",
        /// It is not certain which key is meant.
        Ambiguous = "ambiguous",
        /// The credentials are of another account.
        WrongAccount = "wrong-account",
        /// What decides about the step could not be read.
        Unreadable = "unreadable",
    }
}

impl SkipReason {
    /// Whether the step is settled: nothing is to be done, or nothing may be. Else it failed, and may be tried again.
    pub fn is_settled(self) -> bool {
        match self {
            Self::InUse
            | Self::TooNew
            | Self::AlreadyInactive
            | Self::Expired
            | Self::Gone
            | Self::Exempt
            | Self::ExemptGroup
            | Self::InfrastructureAsCode
            | Self::SesSmtp => true,
            Self::Ambiguous | Self::WrongAccount | Self::Unreadable => false,
        }
    }

    /// Why, in a phrase after the name of the key.
    pub fn why(self) -> &'static str {
        match self {
            Self::InUse => "it was used since the report, or within the quiet days",
            Self::TooNew => "it is too new to be called unused",
            Self::AlreadyInactive => "it is not active any more",
            Self::Expired => "it has expired",
            Self::Gone => "the user or the key does not exist any more",
            Self::Exempt => "a tag exempts the user",
            Self::ExemptGroup => "a group exempts the user",
            Self::InfrastructureAsCode => {
                "infrastructure as code makes the user: change the template, which would undo this"
            }
            Self::SesSmtp => {
                "it was last used for SES: applications may send mail with a password derived from it"
            }
            Self::Ambiguous => "it is not certain which key is meant",
            Self::WrongAccount => "the credentials are of another account",
            Self::Unreadable => "AWS did not say what decides about it",
        }
    }
}
