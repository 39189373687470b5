//! Packs the times and flags of each user into a few words, so that comparing users is fast.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the CPU that runs it"
)]

use std::ops::Range;

use super::cells::holds_key;
use crate::report::cell::{self, Flag, known};
use crate::report::chunk::Chunk;
use crate::report::schema::{
    ACCESS_KEY, CERTIFICATE, Column, FlagColumn, KEY_LAST_USED, SlotColumns, TimeColumn,
};
use crate::report::time::Timestamp;
use crate::report::wide::Work;

/// All times and flags of a user. Cells of missing columns are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// Almost all times are between 1970 and 2106 and fit into 32 bits; the others are [`WIDE`].
    times: [u32; TimeColumn::IN_REPORT],
    /// Two bits per flag, and [`ROOT`].
    flags: u32,
}

const WIDE: u32 = u32::MAX - 2;
const ABSENT: u32 = u32::MAX - 1;
const UNKNOWN: u32 = u32::MAX;

/// Which credentials have a different last use. For a credential that was already in use this is not an event; it only
/// explains why a finding was resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) password: bool,
    pub(super) keys: bool,
}

/// Columns of last uses, with the columns that say whether the slot has a key.
const USES: [(TimeColumn, Option<(TimeColumn, FlagColumn)>); 3] = {
    let ([used_1, used_2], [active_1, active_2]) = (KEY_LAST_USED.date, ACCESS_KEY.active);
    let [created_1, created_2] = ACCESS_KEY.last_rotated;
    [
        (TimeColumn::PasswordLastUsed, None),
        (used_1, Some((created_1, active_1))),
        (used_2, Some((created_2, active_2))),
    ]
};

const ROOT: u32 = 1 << (2 * FlagColumn::IN_REPORT);

impl Packed {
    /// A time cell; none if it does not fit, and is stored elsewhere.
    #[inline]
    pub(super) fn time(&self, column: TimeColumn) -> Option<i64> {
        match self.times[column as usize] {
            ABSENT => Some(cell::ABSENT),
            UNKNOWN => Some(cell::UNKNOWN),
            WIDE => None,
            time => Some(i64::from(time)),
        }
    }

    #[inline]
    pub(super) fn flag(&self, column: FlagColumn) -> Flag {
        const FLAGS: [Flag; 4] = [Flag::False, Flag::True, Flag::NotSupported, Flag::Unknown];
        FLAGS[(self.flags >> (2 * column as u32) & 3) as usize]
    }

    pub(super) fn is_root(&self) -> bool {
        self.flags & ROOT != 0
    }

    /// Whether the keys and certificates can be identified: the contents of the slots are clear, and no two were created in
    /// the same second. Times that do not fit are unclear.
    pub(super) fn is_clear(&self) -> bool {
        let are_clear = |columns: &SlotColumns| {
            let [Some(one), Some(other)] = columns.last_rotated.map(|column| self.time(column)) else {
                return false;
            };
            let [one_active, other_active] = columns.active.map(|column| self.flag(column));
            match (holds_key(one, one_active), holds_key(other, other_active)) {
                (Some(both), Some(true)) => !both || one != other,
                (Some(_), Some(false)) => true,
                (None, _) | (_, None) => false,
            }
        };
        are_clear(&ACCESS_KEY) && are_clear(&CERTIFICATE)
    }

    /// Which credentials were used since, if the newer cells differ in nothing else. None if anything else changed, or if
    /// the use is an event: of root, or of a credential that was not in use, that is not used after `idle`.
    pub(super) fn used_since(&self, newer: &Self, idle: Timestamp) -> Option<Used> {
        let (mut older, mut used) = (*self, Used::default());
        for (column, key) in USES {
            let (then, now) = (&mut older.times[column as usize], newer.times[column as usize]);
            if *then == now {
                continue;
            }
            let was_in_use = self.time(column).and_then(known).is_some_and(|used| used > idle);
            let is_there = key.is_none_or(|(created, active)| {
                let created = self.time(created);
                created.and_then(|created| holds_key(created, self.flag(active))) == Some(true)
            });
            if !was_in_use || !is_there {
                return None;
            }
            *then = now;
            match key {
                None => used.password = true,
                Some(_) => used.keys = true,
            }
        }
        (older == *newer && !self.is_root()).then_some(used)
    }

    /// Whether a time does not fit.
    pub(super) fn has_wide_time(&self) -> bool {
        self.times.contains(&WIDE)
    }
}

#[inline(always)]
fn narrowed(cell: i64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times that do not fit become WIDE"
    )]
    let (low, fits) = (cell as u32, (cell as u64) < u64::from(WIDE));
    let time = if fits { low } else { WIDE };
    let time = if cell == cell::ABSENT { ABSENT } else { time };
    if cell == cell::UNKNOWN { UNKNOWN } else { time }
}

/// Packs the rows of a chunk. The result is whether a time does not fit.
pub(super) struct Packing<'a> {
    pub(super) chunk: &'a Chunk,
    pub(super) packed: &'a mut Vec<Packed>,
}

impl Work for Packing<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let rows = self.chunk.rows.len();
        let mut tile = Tile {
            times: [[UNKNOWN; TILE]; TimeColumn::IN_REPORT],
            flags: [0; TILE],
        };
        let mut has_wide_time = false;
        for start in (0..rows).step_by(TILE) {
            let range = start..rows.min(start + TILE);
            let count = range.len();
            has_wide_time |= tile.fill(self.chunk, range);
            let packed = (0..count).map(|row| Packed {
                times: std::array::from_fn(|column| tile.times[column][row]),
                flags: tile.flags[row],
            });
            self.packed.extend(packed);
        }
        has_wide_time
    }
}

/// The number of rows packed at a time: few enough to stay in the L1 cache.
const TILE: usize = 64;

/// The columns of some rows.
struct Tile {
    times: [[u32; TILE]; TimeColumn::IN_REPORT],
    flags: [u32; TILE],
}

impl Tile {
    /// Reads rows. The result is whether a time does not fit.
    #[inline(always)]
    fn fill(&mut self, chunk: &Chunk, rows: Range<usize>) -> bool {
        for (flags, &is_root) in self.flags.iter_mut().zip(&chunk.root()[rows.clone()]) {
            *flags = ROOT * u32::from(is_root);
        }
        let mut has_wide_time = false;
        for column in Column::ALL {
            match column {
                Column::Time(time) => {
                    // A missing column has no cells; its times stay unknown.
                    let cells = chunk.times(time).cells.get(rows.clone()).unwrap_or_default();
                    for (narrow, &cell) in self.times[time as usize].iter_mut().zip(cells) {
                        *narrow = narrowed(cell);
                        has_wide_time |= *narrow == WIDE;
                    }
                }
                Column::Flag(flag) => {
                    let shift = 2 * flag as u32;
                    let cells = chunk
                        .flags(flag)
                        .cells
                        .get(rows.clone())
                        .unwrap_or(&[Flag::Unknown; TILE]);
                    for (flags, &cell) in self.flags.iter_mut().zip(cells) {
                        *flags |= (cell as u32) << shift;
                    }
                }
                Column::Text(_) => {}
            }
        }
        has_wide_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uses_of_credentials_in_use_are_ignored() {
        use TimeColumn::{
            Key1LastRotated, Key1LastUsed, Key2LastUsed, PasswordLastChanged, PasswordLastUsed,
        };
        let user = |times: &[(TimeColumn, u32)]| {
            let mut user = Packed {
                times: [ABSENT; TimeColumn::IN_REPORT],
                flags: 0,
            };
            user.times[Key1LastRotated as usize] = 10;
            for &(column, time) in times {
                user.times[column as usize] = time;
            }
            user
        };
        let used = |password, keys| Some(Used { password, keys });
        let of = |older: &[_], newer: &[_]| user(older).used_since(&user(newer), Timestamp(50));
        assert_eq!(of(&[], &[]), used(false, false));
        let of_column = |column, then, now| of(&[(column, then)], &[(column, now)]);
        assert_eq!(of_column(PasswordLastUsed, 51, 90), used(true, false));
        assert_eq!(of_column(Key1LastUsed, 51, UNKNOWN), used(false, true));
        assert_eq!(
            of(
                &[(PasswordLastUsed, 51), (Key1LastUsed, 60)],
                &[(PasswordLastUsed, 52), (Key1LastUsed, 51)]
            ),
            used(true, true)
        );
        for then in [50, ABSENT, UNKNOWN, WIDE] {
            assert_eq!(of_column(PasswordLastUsed, then, 90), None, "{then}");
            assert_eq!(of_column(Key1LastUsed, then, 90), None, "{then}");
        }
        // There is no such key.
        assert_eq!(of_column(Key2LastUsed, 51, 90), None);
        assert_eq!(of_column(PasswordLastChanged, 51, 90), None);
        let root = Packed {
            flags: ROOT,
            ..user(&[(PasswordLastUsed, 51)])
        };
        let now = Packed {
            flags: ROOT,
            ..user(&[(PasswordLastUsed, 90)])
        };
        assert_eq!(root.used_since(&now, Timestamp(50)), None);
    }

    #[test]
    fn times_that_fit_are_restored() {
        let fit = [
            0,
            1,
            1_780_272_000,
            i64::from(WIDE) - 1,
            cell::ABSENT,
            cell::UNKNOWN,
        ];
        let wide = [
            i64::from(WIDE),
            i64::from(ABSENT),
            i64::from(UNKNOWN),
            1 << 32,
            -1,
            -62_135_596_800,
            253_402_300_799,
        ];
        let back = |time: i64| {
            let packed = Packed {
                times: [narrowed(time); TimeColumn::IN_REPORT],
                flags: 0,
            };
            packed.time(TimeColumn::Key2LastUsed)
        };
        assert_eq!(fit.map(back), fit.map(Some));
        assert_eq!(wide.map(back), [None; 7]);
    }
}
