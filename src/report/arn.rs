//! ARNs of users.

/// The account in `arn:PARTITION:iam::ACCOUNT:…`.
pub fn account(arn: &[u8]) -> Option<&[u8]> {
    let account = arn.split(|&byte| byte == b':').nth(4)?;
    let is_id = arn.starts_with(b"arn:") && !account.is_empty() && account.iter().all(u8::is_ascii_digit);
    is_id.then_some(account)
}
