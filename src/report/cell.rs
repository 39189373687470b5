//! Reads one cell as a time, a flag or text. Blanks around it are ignored; tokens are read case-insensitively.

use super::rows::trim;
use super::time::Timestamp;

/// An absent time: the cell is `N/A` or `no_information`, or what other tools write in their place ([`stands_in`]).
pub const ABSENT: i64 = i64::MIN;

/// An unknown time: the cell is garbage or `not_supported`, or the column is missing.
pub const UNKNOWN: i64 = i64::MAX;

/// The value of a flag cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Flag {
    /// `false`, or `N/A`.
    False,
    /// `true`.
    True,
    /// `not_supported`: known to be neither true nor false.
    NotSupported,
    /// Anything else, or the column is missing.
    Unknown,
}

const NOT_SUPPORTED: &[u8] = b"not_supported";

/// Seconds since 1970-01-01T00:00:00Z, [`ABSENT`] or [`UNKNOWN`].
pub fn time(cell: &[u8]) -> i64 {
    let cell = trim(cell);
    if is_absent(cell) || cell.eq_ignore_ascii_case(b"no_information") {
        return ABSENT;
    }
    match stands_in(cell) {
        Some(_) => ABSENT,
        None => Timestamp::parse(cell).map_or(UNKNOWN, |time| time.0),
    }
}

/// The time in a cell of seconds; none if the cell is [`ABSENT`] or [`UNKNOWN`].
pub fn known(seconds: i64) -> Option<Timestamp> {
    (seconds != ABSENT && seconds != UNKNOWN).then_some(Timestamp(seconds))
}

/// What other tools write in a time cell in place of `N/A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandIn {
    /// Nothing.
    Empty,
    /// A time that their languages begin to count at: 1970-01-01T00:00:00Z, or one of the year 1.
    Zero,
}

/// How many cells have each kind of stand-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StandInCounts {
    /// Empty cells.
    pub empty: u64,
    /// Zero times.
    pub zero: u64,
}

impl StandInCounts {
    /// Counts a cell.
    pub fn add(&mut self, kind: StandIn) {
        match kind {
            StandIn::Empty => self.empty += 1,
            StandIn::Zero => self.zero += 1,
        }
    }

    /// Adds the counts of other cells.
    pub fn append(&mut self, other: Self) {
        self.empty += other.empty;
        self.zero += other.zero;
    }
}

/// The stand-in for an absent time in a cell, if there is one.
pub fn stands_in(cell: &[u8]) -> Option<StandIn> {
    let cell = trim(cell);
    if cell.is_empty() {
        return Some(StandIn::Empty);
    }
    let time = Timestamp::parse(cell)?;
    is_zero(time.0).then_some(StandIn::Zero)
}

/// Whether a time is one that languages begin to count at.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called from the loops of `decode`")]
pub(super) fn is_zero(seconds: i64) -> bool {
    // 0002-01-01T00:00:00Z
    seconds == 0 || seconds < -62_104_060_800
}

/// The value of a flag cell.
pub fn flag(cell: &[u8]) -> Flag {
    let cell = trim(cell);
    match cell {
        _ if cell.eq_ignore_ascii_case(b"true") => Flag::True,
        _ if cell.eq_ignore_ascii_case(b"false") || is_absent(cell) => Flag::False,
        _ if cell.eq_ignore_ascii_case(NOT_SUPPORTED) => Flag::NotSupported,
        _ => Flag::Unknown,
    }
}

/// The text of a cell; empty where it is absent (empty or `N/A`).
#[inline]
pub fn text(cell: &[u8]) -> &[u8] {
    let cell = trim(cell);
    if is_absent(cell) { b"" } else { cell }
}

/// The account that an ARN names, as in `arn:PARTITION:iam::ACCOUNT:…`.
pub fn account_of(arn: &[u8]) -> Option<&[u8]> {
    let account = arn.split(|&byte| byte == b':').nth(4)?;
    let is_id = arn.starts_with(b"arn:") && !account.is_empty() && account.iter().all(u8::is_ascii_digit);
    is_id.then_some(account)
}

/// Whether this is an account id, which is safe in a file name: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What an ARN names in its account, as in `arn:PARTITION:iam::ACCOUNT:RESOURCE`: `root` or `user/PATH/NAME`.
pub fn resource_of(arn: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr_iter(b':', arn).nth(4)?;
    arn.starts_with(b"arn:").then(|| &arn[colon + 1..])
}

/// The beginning of an ARN, up to what it names in its account: `arn:PARTITION:iam::ACCOUNT:`. Empty if it is not an
/// ARN.
pub fn arn_prefix(arn: &[u8]) -> &[u8] {
    let resource = resource_of(arn).map_or(arn.len(), <[u8]>::len);
    &arn[..arn.len() - resource]
}

/// The partition that an ARN names, such as `aws-us-gov`; empty if it is not an ARN.
pub fn partition_of(arn: &[u8]) -> &[u8] {
    arn_prefix(arn)
        .split(|&byte| byte == b':')
        .nth(1)
        .unwrap_or_default()
}

/// The IAM path in the ARN of a user, `/` or `/division/team/`; none if it is not the ARN of a user. Root has none.
pub fn path_of(arn: &[u8]) -> Option<&[u8]> {
    let path_and_name = resource_of(arn)?.strip_prefix(b"user")?;
    let end = memchr::memrchr(b'/', path_and_name)?;
    let is_path = path_and_name.starts_with(b"/") && end + 1 < path_and_name.len();
    is_path.then(|| &path_and_name[..=end])
}

/// Whether AWS wrote an unknown time or flag on purpose, so that it is not an issue.
pub fn is_not_supported(cell: &[u8]) -> bool {
    trim(cell).eq_ignore_ascii_case(NOT_SUPPORTED)
}

fn is_absent(cell: &[u8]) -> bool {
    cell.eq_ignore_ascii_case(b"N/A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_any_case() {
        for cell in ["N/A", "n/a", "no_information", "NO_INFORMATION"] {
            assert_eq!(time(cell.as_bytes()), ABSENT, "{cell}");
        }
        for cell in [
            "",
            " ",
            "1970-01-01",
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0001-12-31",
        ] {
            assert_eq!(time(cell.as_bytes()), ABSENT, "{cell}");
        }
        assert_eq!(time(b"1970-01-01T00:00:01Z"), 1);
        assert_eq!(time(b"0002-01-01"), -62_104_060_800);
        for cell in ["not_supported", "never", "0", "2026-02-30"] {
            assert_eq!(time(cell.as_bytes()), UNKNOWN, "{cell}");
        }
        assert_eq!(time(b"1970-01-02"), 86_400);
    }

    #[test]
    fn known_times() {
        let known = ["2026-01-02", "N/A", "", "soon"].map(|cell| known(time(cell.as_bytes())));
        assert_eq!(known, [Timestamp::parse(b"2026-01-02"), None, None, None]);
    }

    #[test]
    fn account_ids_are_twelve_digits() {
        assert!(is_account_id("012345678901"));
        for text in ["", "12345678901", "1234567890123", "12345678901a", "١٢٣٤٥٦"] {
            assert!(!is_account_id(text), "{text}");
        }
    }

    #[test]
    fn parts_of_arns() {
        let parts = |arn: &'static str| {
            let text = |bytes| str::from_utf8(bytes).expect("text");
            (
                text(partition_of(arn.as_bytes())),
                text(path_of(arn.as_bytes()).unwrap_or_default()),
            )
        };
        assert_eq!(parts("arn:aws:iam::111122223333:user/alice"), ("aws", "/"));
        let path = parts("arn:aws-cn:iam::111122223333:user/division/te:am/alice");
        assert_eq!(path, ("aws-cn", "/division/te:am/"));
        assert_eq!(parts("arn:aws-us-gov:iam::111122223333:root"), ("aws-us-gov", ""));
        assert_eq!(parts("arn:aws:iam::111122223333:role/a/b"), ("aws", ""));
        for user in ["user", "user/", "user/a/", "users/a"] {
            let arn = format!("arn:aws:iam::111122223333:{user}");
            assert_eq!(path_of(arn.as_bytes()), None, "{user}");
        }
        for arn in [
            "",
            "alice",
            "arn:aws:iam::111122223333",
            "x:aws:iam::111122223333:user/a/b",
        ] {
            assert_eq!(parts(arn), ("", ""), "{arn}");
        }
        assert_eq!(parts("arn::iam::111122223333:user/a/b"), ("", "/a/"));
    }

    #[test]
    fn flags_in_any_case() {
        assert_eq!(flag(b"TRUE"), Flag::True);
        assert_eq!(flag(b"False"), Flag::False);
        assert_eq!(flag(b"n/a"), Flag::False);
        assert_eq!(flag(b"Not_Supported"), Flag::NotSupported);
        for cell in ["", "1", "yes", "no_information", "t"] {
            assert_eq!(flag(cell.as_bytes()), Flag::Unknown, "{cell}");
        }
    }
}
