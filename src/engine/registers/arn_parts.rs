//! Tests of the parts of ARNs that are attributes of their own: partition and path.

use std::ops::Range;

use super::{Leaf, set};
use crate::gsl::typed::TextTest;
use crate::report::cell;
use crate::report::schema::TextColumn;

impl Leaf<'_> {
    /// All ARNs of a run have the same partition.
    pub(super) fn partition(self, test: &TextTest) -> bool {
        self.yes.fill(0);
        // Accounts that alternate have one partition all the same.
        let mut known: (&[u8], bool) = (b"", test.holds(b""));
        for (rows, prefix) in self.chunk.arn_runs(self.header) {
            if known.0.is_empty() || !prefix.starts_with(known.0) {
                let partition = cell::partition_of(prefix);
                let length = "arn:".len() + partition.len() + ":".len();
                known = (prefix.get(..length).unwrap_or_default(), test.holds(partition));
            }
            if known.1 {
                set_all(self.yes, rows);
            }
        }
        self.part_of_arn()
    }

    pub(super) fn path(self, test: &TextTest) -> bool {
        self.yes.fill(0);
        let rows = &self.chunk.rows;
        match self.header.position(TextColumn::Arn) {
            Some(position) => {
                for (row, arn) in rows.fields(0..rows.len(), position).enumerate() {
                    set(
                        self.yes,
                        row,
                        test.holds(cell::path_of(cell::text(arn)).unwrap_or_default()),
                    );
                }
            }
            None if test.holds(b"") => self.yes.fill(u64::MAX),
            None => {}
        }
        self.part_of_arn()
    }

    /// A part of the ARN is absent without a readable ARN, also where the report lacks the column; only of a ragged
    /// record nothing is known.
    fn part_of_arn(self) -> bool {
        let any_unknown = !self.chunk.rows.ragged().is_empty();
        if any_unknown {
            self.unknown.fill(0);
            self.forget_ragged();
        }
        any_unknown
    }
}

fn set_all(bits: &mut [u64], rows: Range<usize>) {
    let words = rows.start / 64..rows.end.div_ceil(64);
    for (word, bits) in words.clone().zip(&mut bits[words]) {
        let first = word * 64;
        let (start, end) = (rows.start.max(first), rows.end.min(first + 64));
        *bits |= u64::MAX >> (64 - (end - start)) << (start - first);
    }
}
