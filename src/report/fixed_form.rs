//! Reads and writes times in the form of AWS, `YYYY-MM-DDTHH:MM:SS` with `Z` or `+00:00`: read by position and without
//! branches, so that many are read at once, and written two digits at a time.

#![expect(
    clippy::inline_always,
    reason = "functions called from the loops of `decode` must be compiled with them for their instruction set"
)]

/// Bytes of the longer form.
pub(super) const LONGEST: usize = 25;

/// Bytes of each form.
pub(super) const LENGTHS: [usize; 2] = [20, LONGEST];

/// Where the text is read as little-endian numbers of eight bytes. The first three have the instant, the last two the
/// zone, after its seconds.
const WORDS: [usize; 4] = [0, 8, 16, 17];

/// Seconds in the 719,468 days between 0000-03-01 and 1970-01-01, and in one more, since days of a month are counted
/// from 1.
const EPOCH: u64 = 719_469 * 86_400;

/// The bytes from the start of a cell, including those after a shorter cell.
#[inline(always)]
pub(super) fn words(bytes: &[u8; LONGEST]) -> [u64; 4] {
    WORDS.map(|at| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(eight)
    })
}

/// The first bytes of a text as [`words`] has them.
const fn word<const N: usize>(text: &[u8; N]) -> u64 {
    let mut eight = [0; 8];
    let mut at = 0;
    while at < N {
        eight[at] = text[at];
        at += 1;
    }
    u64::from_le_bytes(eight)
}

/// The instant of a cell of this length, in seconds since 1970-01-01T00:00:00Z. None if the cell has another form, or
/// is not a real instant of the years 1 to 9999.
#[expect(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
#[inline(always)]
pub(super) fn seconds(length: u64, [year_month, day_clock, second, zone]: [u64; 4]) -> Option<i64> {
    let is_z = (length == 20) & (byte(zone, 2) == u64::from(b'Z'));
    let is_offset = (length == 25) & (zone >> 16 == word(b"+00:00"));
    // Digits become 0 to 9 and separators 0; any other byte sets a high bit.
    let year_month = year_month ^ word(b"0000-00-");
    let day_clock = day_clock ^ word(b"00T00:00");
    let second = (second & 0xff_ffff) ^ word(b":00");
    let malformed = beyond_digits(year_month, *b"0000-00-")
        | beyond_digits(day_clock, *b"00T00:00")
        | beyond_digits(second, *b":00\0\0\0\0\0");
    let (year_month, day_clock, second) = (pairs(year_month), pairs(day_clock), byte(pairs(second), 1));
    let (century, year, month) = (byte(year_month, 0), byte(year_month, 2), byte(year_month, 5));
    let (day, hour, minute) = (byte(day_clock, 0), byte(day_clock, 3), byte(day_clock, 6));
    let is_real = (century + year != 0)
        & (month.wrapping_sub(1) < 12)
        & (day.wrapping_sub(1) < days_of(century, year, month))
        & (hour < 24)
        & (minute < 60)
        & (second < 60);
    let days = days(century * 100 + year, month, day);
    let seconds = (days * 86_400 + hour * 3_600 + minute * 60 + second).wrapping_sub(EPOCH);
    ((is_z | is_offset) & (malformed == 0) & is_real).then_some(seconds.cast_signed())
}

/// Each digit times ten plus the next one, for all digits at once. By shifts: few machines multiply numbers of 64 bits
/// in many lanes.
#[inline(always)]
const fn pairs(word: u64) -> u64 {
    (word << 3).wrapping_add(word << 1).wrapping_add(word >> 8)
}

#[inline(always)]
const fn byte(word: u64, at: u32) -> u64 {
    (word >> (8 * at)) & 0xff
}

/// A high bit for every byte that is above 9, or above 0 where the form has no digit.
#[inline(always)]
const fn beyond_digits(word: u64, form: [u8; 8]) -> u64 {
    let mut most = [0; 8];
    let mut at = 0;
    while at < 8 {
        most[at] = if form[at] == b'0' { 0x7f - 9 } else { 0x7f };
        at += 1;
    }
    let low_bits = 0x7f7f_7f7f_7f7f_7f7f;
    (((word & low_bits) + u64::from_le_bytes(most)) | word) & !low_bits
}

/// Days of a month, which is 1 to 12.
#[inline(always)]
fn days_of(century: u64, year: u64, month: u64) -> u64 {
    let leaps = if year == 0 { century } else { year };
    if month == 2 {
        28 + u64::from(leaps % 4 == 0)
    } else {
        30 + ((month + (month >> 3)) & 1)
    }
}

/// Days since 0000-03-01, plus one. In a year that begins in March the leap day is the last one, and the starts of the
/// months are a linear function, rounded.
#[inline(always)]
fn days(year: u64, month: u64, day: u64) -> u64 {
    let is_early = u64::from(month < 3);
    // The result for an unreal date does not matter, but must stay small.
    let year = year.wrapping_sub(is_early) & 0xffff;
    let month = month + 12 * is_early;
    // Divided by a hundred, exact up to 43,698.
    let century = (year * 5_243) >> 19;
    let before_year = ((year * 1_461) >> 2) + (century >> 2);
    let before_month = (979 * month).wrapping_sub(2_919) >> 5;
    (before_year + before_month + day).wrapping_sub(century) & 0xff_ffff
}

/// Seconds from the start of the year 0 to 1970.
const BEFORE_1970: i64 = 719_528 * 86_400;
/// Seconds of a day.
const DAY: u64 = 86_400;
/// Days of four centuries.
const ERA: u32 = 146_097;

/// `YYYY-MM-DDTHH:MM:SS` of an instant in the years 1 to 9999.
pub(super) fn digits(seconds: i64) -> [u8; 19] {
    let seconds = u64::try_from(seconds.saturating_add(BEFORE_1970)).unwrap_or_default();
    let day = u32::try_from(seconds / DAY).unwrap_or_default();
    let second = u32::try_from(seconds % DAY).unwrap_or_default();
    let [year, month, day] = civil(day);
    let mut text = *b"0000-00-00T00:00:00";
    for (at, number) in [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, second / 3_600),
        (14, second / 60 % 60),
        (17, second % 60),
    ] {
        text[at..at + 2].copy_from_slice(&PAIRS[number as usize % 100]);
    }
    text
}

/// The numbers from 0 to 99 as two digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0_u8;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Year, month and day of the day this many days after 0000-01-01. Counts from March of that year, so that the leap day
/// is the last of a year.
fn civil(days: u32) -> [u32; 3] {
    // No time is before the year 1.
    let days = days.saturating_sub(60);
    let (era, day_of_era) = (days / ERA, days % ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    [era * 400 + year_of_era + next, month, day]
}
