//! ARNs repeat what other columns have. Where that gives them back, they are not read: they take most of a row.

use crate::report::cell;

/// The parts of an ARN in columns of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArnParts<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    /// None of root.
    pub(super) path: Option<&'a str>,
    pub(super) user: &'a str,
}

impl ArnParts<'_> {
    /// Appends the ARN.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for part in ["arn:", self.partition, ":iam::", self.account] {
            out.extend_from_slice(part.as_bytes());
        }
        match self.path {
            None => out.extend_from_slice(b":root"),
            Some(path) => {
                for part in [":user", path, self.user] {
                    out.extend_from_slice(part.as_bytes());
                }
            }
        }
    }

    /// Whether they give back this ARN.
    pub(super) fn are_of(&self, arn: &[u8]) -> bool {
        let mut written = Vec::with_capacity(arn.len());
        self.write(&mut written);
        written == arn
    }
}

/// The parts of an ARN, if they give it back.
pub(super) fn usual_arn<'a>(arn: &'a [u8], user: &'a [u8]) -> Option<ArnParts<'a>> {
    let text = |bytes: &'a [u8]| str::from_utf8(bytes).ok();
    let parts = ArnParts {
        partition: text(cell::partition_of(arn))?,
        account: text(cell::account_of(arn)?)?,
        path: match cell::path_of(arn) {
            None => None,
            Some(path) => Some(text(path)?),
        },
        user: text(user)?,
    };
    parts.are_of(arn).then_some(parts)
}
