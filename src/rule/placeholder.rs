//! What instructions leave open: `{user}` and the like, filled in for a finding, or generic words on pages.

/// A name in braces in the instructions of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Placeholder {
    /// The user's name.
    User,
    /// The account's id.
    Account,
    /// The access key's id.
    KeyId,
    /// The signing certificate's id.
    CertificateId,
    /// The id of the service-specific credential.
    ServiceCredentialId,
    /// What no report has: the serial number of an MFA device.
    DeviceArn,
    /// The first code of an MFA device.
    FirstCode,
    /// The second code of an MFA device.
    SecondCode,
    /// A new password.
    Password,
}

/// An id that a command of IAM lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedId {
    pub(super) placeholder: Placeholder,
    /// The command.
    pub(super) listing: &'static str,
    /// The member of its answer with the time of creation.
    pub(super) created: &'static str,
}

impl ListedId {
    pub(super) const ALL: [Self; 3] = [
        Self {
            placeholder: Placeholder::KeyId,
            listing: "list-access-keys",
            created: "CreateDate",
        },
        Self {
            placeholder: Placeholder::CertificateId,
            listing: "list-signing-certificates",
            created: "UploadDate",
        },
        Self {
            placeholder: Placeholder::ServiceCredentialId,
            listing: "list-service-specific-credentials",
            created: "CreateDate",
        },
    ];
}

impl Placeholder {
    pub(super) const ALL: [Self; 9] = [
        Self::User,
        Self::Account,
        Self::KeyId,
        Self::CertificateId,
        Self::ServiceCredentialId,
        Self::DeviceArn,
        Self::FirstCode,
        Self::SecondCode,
        Self::Password,
    ];

    /// As written in rule files.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::User => "{user}",
            Self::Account => "{account}",
            Self::KeyId => "{key_id}",
            Self::CertificateId => "{certificate_id}",
            Self::ServiceCredentialId => "{service_credential_id}",
            Self::DeviceArn => "{device_arn}",
            Self::FirstCode => "{code_1}",
            Self::SecondCode => "{code_2}",
            Self::Password => "{new_password}",
        }
    }

    /// The word on pages, and where the value is not known.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "USER_NAME",
            Self::Account => "ACCOUNT_ID",
            Self::KeyId => "KEY_ID",
            Self::CertificateId => "CERTIFICATE_ID",
            Self::ServiceCredentialId => "SERVICE_CREDENTIAL_ID",
            Self::DeviceArn => "DEVICE_ARN",
            Self::FirstCode => "CODE_1",
            Self::SecondCode => "CODE_2",
            Self::Password => "NEW_PASSWORD",
        }
    }

    /// Whether one of these words has it.
    pub(super) fn is_in(self, words: &[String]) -> bool {
        words.iter().any(|word| word.contains(self.name()))
    }

    /// The text with generic words in the place of all placeholders.
    pub(super) fn generic(text: &str) -> String {
        Self::filled(text, Self::word)
    }

    /// The text with these values in the place of the placeholders. One pass: a value is never searched for others.
    pub(super) fn filled<'a>(text: &str, value: impl Fn(Self) -> &'a str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let (before, at) = rest.split_at(start);
            out.push_str(before);
            let found = Self::ALL
                .into_iter()
                .find_map(|it| Some((it, at.strip_prefix(it.name())?)));
            rest = if let Some((placeholder, after)) = found {
                out.push_str(value(placeholder));
                after
            } else {
                out.push('{');
                &at[1..]
            };
        }
        out + rest
    }
}

#[cfg(test)]
mod tests {
    use super::Placeholder;

    #[test]
    fn values_are_not_searched_for_placeholders() {
        let value = |placeholder| {
            if placeholder == Placeholder::User {
                "{key_id}"
            } else {
                "K"
            }
        };
        let text = "{user} {key_id} {other} {";
        assert_eq!(Placeholder::filled(text, value), "{key_id} K {other} {");
        assert_eq!(Placeholder::generic("--x={user}"), "--x=USER_NAME");
    }
}
