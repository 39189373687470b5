//! What the formats that stream have in common.

use crate::report::time::Timestamp;

/// Appends a time of the years 1 to 9999, as all cells are: RFC 3339 UTC.
pub(super) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&time.digits());
    out.push(b'Z');
}

/// The word of a flag.
pub(super) const fn flag(flag: bool) -> &'static [u8] {
    if flag { b"true" } else { b"false" }
}
