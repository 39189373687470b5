//! Runs a program at many as-ofs at once.

use super::super::bits::fill;
use super::super::program::{Node, Op};
use super::{Leaf, Registers, counted};
use crate::report::cell;

/// Many as-ofs at once. A result is true or false where it is so at each of them, and unknown where it may turn.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct AsOfSpan<'a> {
    /// For every operation the greatest cutoff; the run has the least ones.
    pub(in super::super) greatest: &'a [i64],
    /// The operations that depend on the as-of.
    pub(in super::super) dated: &'a [bool],
    /// Results at some as-of: those of all other operations are copied.
    pub(in super::super) others: &'a Registers,
}

impl Registers {
    /// Takes over the result of an operation.
    pub(super) fn copy(&mut self, node: Node, from: &Self) -> bool {
        let words = node * self.words..(node + 1) * self.words;
        self.yes[words.clone()].copy_from_slice(&from.yes[words.clone()]);
        if from.any_unknown[node] {
            self.unknown[words.clone()].copy_from_slice(&from.unknown[words]);
        }
        from.any_unknown[node]
    }
}

impl Leaf<'_> {
    /// A comparison whose cutoff is one of these, or between them.
    pub(super) fn at_many(self, op: &Op, (least, greatest): (i64, i64)) -> bool {
        let (Op::Before(column, ..) | Op::After(column, ..)) = op else {
            unreachable!("other leaves do not depend on the as-of");
        };
        let (column, is_before) = (*column, matches!(op, Op::Before(..)));
        let times = self.chunk.times(column);
        if times.cells.is_empty() || self.hidden.contains(column) {
            return self.all_unknown();
        }
        if is_before {
            fill(self.yes, &times.cells, |time| counted(time) < least);
            fill(self.unknown, &times.cells, |time| {
                time == cell::UNKNOWN || (least..greatest).contains(&counted(time))
            });
        } else {
            fill(self.yes, &times.cells, |time| {
                time != cell::UNKNOWN && counted(time) > greatest
            });
            fill(self.unknown, &times.cells, |time| {
                time == cell::UNKNOWN || (counted(time) > least && counted(time) <= greatest)
            });
        }
        self.unknown.iter().any(|&unknown| unknown != 0)
    }
}
