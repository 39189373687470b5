//! Why nothing is done about a credential, and what a person does: one place for these words.

use crate::report::time::Timestamp;
use crate::report::word::word_enum;

word_enum! {
    /// Why a credential is left out of the plan's steps.
    pub enum Reason {
        /// It is root's.
        Root = "root",
        /// The user was made for a long-term API key.
        ApiKeyUser = "api-key-user",
        /// Its key is the source of an SMTP password of SES.
        SesSmtp = "ses-smtp",
        /// Tags say that infrastructure as code makes the user.
        InfrastructureAsCode = "infrastructure-as-code",
        /// A tag of the user exempts it.
        Exempt = "exempt",
        /// `--exclude-user` or `--exclude-path`.
        Filtered = "filtered",
        /// The report has several rows of the user.
        DuplicateUser = "duplicate-user",
        /// Cells are unknown that decide whether there is anything to do.
        Undetermined = "undetermined",
        /// A suppression accepts the findings.
        Suppressed = "suppressed",
        /// The rules do not fail yet.
        Due = "due",
        /// It was used within the quiet days.
        InUse = "in-use",
        /// It was never used, and is not older than the quiet days.
        NotQuiet = "not-quiet",
        /// It is younger than a day: the report lags.
        TooNew = "too-new",
        /// Its last use is an empty cell, which proves no disuse.
        EmptyLastUse = "empty-last-use",
        /// Its last use is unknown.
        UnknownLastUse = "unknown-last-use",
        /// When it was created is unknown, so it cannot be identified.
        UnknownCreation = "unknown-creation",
        /// Both keys are active, and this one is not idle: a rotation is under way.
        RotationUnderWay = "rotation-under-way",
        /// It is inactive, and nothing shows for how long.
        DeactivationUnknown = "deactivation-unknown",
        /// It was deactivated before, and is active again: someone needed it.
        Reactivated = "reactivated",
        /// It was deactivated after the report was generated.
        ReportTooOld = "report-too-old",
        /// Nothing says when the report was generated.
        UndatedReport = "undated-report",
        /// Another key of the user was created in the same second, and its id is not known.
        Ambiguous = "ambiguous",
        /// The report does not say whose account it is.
        UnknownAccount = "unknown-account",
        /// IAM allows no user of this name.
        InvalidName = "invalid-name",
    }
}

impl Reason {
    /// Why, in one sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Root => "root's credentials are never changed automatically",
            Self::ApiKeyUser => "the user was made for a long-term API key, which may be in use",
            Self::SesSmtp => {
                "applications may send mail with a password that is derived from a key of this user"
            }
            Self::InfrastructureAsCode => {
                "the user's tags say that infrastructure as code makes it, which would undo the change"
            }
            Self::Exempt => "a tag exempts the user",
            Self::Filtered => "an --exclude filter leaves the user out",
            Self::DuplicateUser => {
                "the report has several rows of this user, and it is not certain which one holds"
            }
            Self::Suppressed => "a suppression accepts the findings",
            Self::Undetermined => "cells are unknown that decide whether there is anything to do",
            Self::Due => "the rules do not fail yet",
            Self::InUse => "the key was used within the quiet days",
            Self::NotQuiet => "the key was never used, but is not older than the quiet days",
            Self::TooNew => "the key is younger than a day, and reports lag behind by hours",
            Self::EmptyLastUse => {
                "its last use is an empty cell, not N/A, which does not prove that it was never used"
            }
            Self::UnknownLastUse => "the report does not say when it was last used",
            Self::UnknownCreation => {
                "the report does not say when it was created, so that it cannot be distinguished from another key"
            }
            Self::RotationUnderWay => {
                "both keys of the user are active and this one has not been idle for the quiet days: this looks like a rotation \
                 under way"
            }
            Self::DeactivationUnknown => {
                "the key is inactive, and nothing shows that it has been so for 30 days: keep it"
            }
            Self::Reactivated => "the key was deactivated before and is active again: someone needed it",
            Self::ReportTooOld => "the key was deactivated after this report was generated",
            Self::UndatedReport => {
                "nothing says when the report was generated, so that a key may have been used since"
            }
            Self::Ambiguous => {
                "the user's other key was created in the same second, and only their ids distinguish them"
            }
            Self::UnknownAccount => "the report does not say whose account it is",
            Self::InvalidName => "IAM allows no user of this name",
        }
    }

    /// What a person does instead.
    pub fn instead(self) -> &'static str {
        match self {
            Self::Root => {
                "Sign in as root, or use central root access, and follow `credlens rules show` for each rule."
            }
            Self::ApiKeyUser => {
                "Find out who uses the API key: `credlens rules show api-key-user`. If the user has an access key or a password, \
                 treat it as an incident."
            }
            Self::SesSmtp => {
                "Create new SMTP credentials in the SES console, switch the applications over, then deactivate the user's old key by \
                 hand."
            }
            Self::InfrastructureAsCode => "Change the template or code that makes the user.",
            Self::Exempt => "Nothing, as long as the exemption holds. Review exemptions regularly.",
            Self::Filtered => "Run the plan without the filter when the user is to be included.",
            Self::DuplicateUser => "Get the report again from AWS, which has one row of each user.",
            Self::Suppressed => "Nothing until the suppression expires.",
            Self::Undetermined => {
                "Look at the cells that the findings name, and get the report again from AWS."
            }
            Self::Due => "Warn the owner before the date on which the rule fails.",
            Self::InUse => "Nothing, as long as it is needed. Ask the owner whether it is.",
            Self::NotQuiet => {
                "Ask the owner whether the key is still to be used. It is planned once it is older."
            }
            Self::TooNew => "Run the plan again tomorrow.",
            Self::EmptyLastUse => "Use the report as AWS wrote it, or look the key up in IAM.",
            Self::UnknownLastUse => "Get the report again from AWS, or look the key up in IAM.",
            Self::UnknownCreation => "Get the report again from AWS.",
            Self::RotationUnderWay => {
                "Ask the owner to finish the rotation: switch over, then deactivate the old key."
            }
            Self::DeactivationUnknown => {
                "Earlier snapshots (--history) or a journal (--journal) can show it; after 30 days it may be deleted."
            }
            Self::Reactivated => {
                "Ask the owner what needs the key, and rotate it or move the application to a role."
            }
            Self::ReportTooOld => "Get a newer report.",
            Self::UndatedReport => {
                "Give the time of the report with --as-of, or use a report with its date in its name."
            }
            Self::Ambiguous => {
                "Use --details, which finds the ids of keys, or compare both keys in the console."
            }
            Self::UnknownAccount => "Use the report as AWS wrote it: its ARNs name the account.",
            Self::InvalidName => "Look for the user in IAM, and check where the report comes from.",
        }
    }
}

/// How long a time is before another, in whole days.
pub(super) fn days_between(earlier: Timestamp, later: Timestamp) -> u64 {
    earlier.days_until(later).unwrap_or(0)
}
