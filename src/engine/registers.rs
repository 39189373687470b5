//! Runs a program on a chunk: the result of each operation is a bitmap of true and one of unknown records.

#![expect(
    clippy::inline_always,
    reason = "functions called from `Work::run` must be compiled with it for its instruction set"
)]

mod arn_parts;
mod at_many;

pub(super) use at_many::AsOfSpan;

use super::bits::{fill, set};
use super::program::{Node, Op, Program};
use crate::gsl::typed::{Comparison, TextSource, TextTest};
use crate::report::cell::{self, Flag};
use crate::report::chunk::{Chunk, ROOT};
use crate::report::header::Header;
use crate::report::schema::{Column, ColumnSet, TextColumn, TimeColumn};
use crate::report::time::{ABSENT_AS, Timestamp};
use crate::report::wide::{Work, widest};

/// The results of all operations on one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Registers {
    words: usize,
    /// `words` words for each operation: the records for which it is true.
    yes: Vec<u64>,
    /// Likewise those for which it is unknown; never both.
    unknown: Vec<u64>,
    /// For each operation, whether any record is unknown. If not, its words in `unknown` are stale.
    any_unknown: Vec<bool>,
}

/// One operation's result: bit i of word w is record 64 w + i. Bits after the last record have no meaning.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    pub(super) yes: &'a [u64],
    /// None if nothing is unknown.
    pub(super) unknown: Option<&'a [u64]>,
}

/// What a run leaves out; nothing by default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restriction<'a> {
    /// Columns whose cells are unknown, whatever they are.
    pub(super) hidden: ColumnSet,
    /// The operations to run, if not all. The results of the others have no meaning.
    pub(super) ops: Option<&'a [bool]>,
    /// The as-ofs that are meant, if not one alone.
    pub(super) span: Option<AsOfSpan<'a>>,
}

/// The run of a program on a chunk.
struct ProgramRun<'a> {
    registers: &'a mut Registers,
    program: &'a Program,
    cutoffs: &'a [i64],
    chunk: &'a Chunk,
    header: &'a Header,
    restriction: Restriction<'a>,
}

impl Work for ProgramRun<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (node, op) in self.program.ops.iter().enumerate() {
            if self.restriction.ops.is_some_and(|ops| !ops[node]) {
                self.registers.any_unknown.push(false);
                continue;
            }
            if let Some(span) = self.restriction.span.filter(|span| !span.dated[node]) {
                let any_unknown = self.registers.copy(node, span.others);
                self.registers.any_unknown.push(any_unknown);
                continue;
            }
            let any_unknown = match op {
                Op::Not(of) => self.registers.not(node, *of),
                Op::All(of) => self.registers.all(node, of),
                Op::Any(of) => self.registers.any(node, of),
                Op::Flag(..)
                | Op::Before(..)
                | Op::After(..)
                | Op::IsEmpty(_)
                | Op::Text(..)
                | Op::Difference { .. } => {
                    let (yes, unknown) = self.registers.target(node);
                    Leaf {
                        chunk: self.chunk,
                        header: self.header,
                        hidden: self.restriction.hidden,
                        greatest: self.restriction.span.map(|span| span.greatest[node]),
                        yes,
                        unknown,
                    }
                    .run(op, self.cutoffs[node])
                }
            };
            self.registers.any_unknown.push(any_unknown);
        }
    }
}

impl Registers {
    /// Runs the program.
    pub(super) fn run(
        &mut self,
        program: &Program,
        cutoffs: &[i64],
        chunk: &Chunk,
        header: &Header,
        restriction: Restriction<'_>,
    ) {
        self.words = chunk.rows.len().div_ceil(64);
        self.yes.resize(self.words * program.ops.len(), 0);
        self.unknown.resize(self.words * program.ops.len(), 0);
        self.any_unknown.clear();
        widest(ProgramRun {
            registers: self,
            program,
            cutoffs,
            chunk,
            header,
            restriction,
        });
    }

    /// The result of an operation.
    pub(super) fn bits(&self, node: Node) -> Bits<'_> {
        let words = node * self.words..(node + 1) * self.words;
        Bits {
            yes: &self.yes[words.clone()],
            unknown: self.any_unknown[node].then(|| &self.unknown[words]),
        }
    }

    /// Number of words in each bitmap.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    fn target(&mut self, node: Node) -> (&mut [u64], &mut [u64]) {
        let words = node * self.words..(node + 1) * self.words;
        (&mut self.yes[words.clone()], &mut self.unknown[words])
    }

    #[inline(always)]
    fn not(&mut self, node: Node, of: Node) -> bool {
        let words = self.words;
        let any_unknown = self.any_unknown[of];
        let (yes_before, yes) = self.yes.split_at_mut(node * words);
        let source = &yes_before[of * words..(of + 1) * words];
        for (word, &value) in yes.iter_mut().zip(source) {
            *word = !value;
        }
        if any_unknown {
            let (before, unknown) = self.unknown.split_at_mut(node * words);
            let source = &before[of * words..(of + 1) * words];
            for ((yes, unknown), &value) in yes.iter_mut().zip(unknown).zip(source) {
                *unknown = value;
                *yes &= !value;
            }
        }
        any_unknown
    }

    #[inline(always)]
    fn all(&mut self, node: Node, of: &[Node]) -> bool {
        self.combine(node, of, u64::MAX, |all, part| all & part)
    }

    #[inline(always)]
    fn any(&mut self, node: Node, of: &[Node]) -> bool {
        self.combine(node, of, 0, |any, part| any | part)
    }

    /// Kleene's and / or: the records that are certainly true, and those that may be true, are combined separately.
    #[inline(always)]
    fn combine(&mut self, node: Node, of: &[Node], start: u64, join: impl Fn(u64, u64) -> u64) -> bool {
        let words = self.words;
        let (yes_before, yes) = self.yes.split_at_mut(node * words);
        let yes = &mut yes[..words];
        yes.fill(start);
        for &part in of {
            for (word, &value) in yes.iter_mut().zip(&yes_before[part * words..]) {
                *word = join(*word, value);
            }
        }
        if !of.iter().any(|&part| self.any_unknown[part]) {
            return false;
        }
        let (unknown_before, maybe) = self.unknown.split_at_mut(node * words);
        let maybe = &mut maybe[..words];
        maybe.fill(start);
        for &part in of {
            let at = part * words;
            let unknown = self.any_unknown[part].then(|| &unknown_before[at..at + words]);
            for (word, maybe) in maybe.iter_mut().enumerate() {
                let part = yes_before[at + word] | unknown.map_or(0, |unknown| unknown[word]);
                *maybe = join(*maybe, part);
            }
        }
        for (maybe, &yes) in maybe.iter_mut().zip(yes.iter()) {
            *maybe &= !yes;
        }
        true
    }
}

/// An operation on cells, and the words for its result. Every method returns whether any record is unknown.
struct Leaf<'a> {
    chunk: &'a Chunk,
    header: &'a Header,
    hidden: ColumnSet,
    /// The greatest cutoff, in a run at many as-ofs.
    greatest: Option<i64>,
    yes: &'a mut [u64],
    unknown: &'a mut [u64],
}

impl Leaf<'_> {
    #[inline(always)]
    fn run(self, op: &Op, cutoff: i64) -> bool {
        if let Some(greatest) = self.greatest {
            return self.at_many(op, (cutoff, greatest));
        }
        match op {
            Op::Flag(column, _) if self.hidden.contains(*column) => self.all_unknown(),
            Op::Flag(column, wanted) => {
                let flags = self.chunk.flags(*column);
                let wanted = wanted.flag();
                let unknown = flags.any_unknown.then_some(|flag| flag == Flag::Unknown);
                self.cells(&flags.cells, |flag| flag == wanted, unknown)
            }
            // Usual cutoffs are after the instant that an absent time is compared as, so that its cell, the least
            // number, gives the same result.
            Op::Before(column, ..) if cutoff > ABSENT_AS => self.time(*column, |time| time < cutoff),
            Op::After(column, ..) if cutoff >= ABSENT_AS => self.time(*column, |time| time > cutoff),
            Op::Before(column, ..) => self.time(*column, |time| counted(time) < cutoff),
            Op::After(column, ..) => self.time(*column, |time| counted(time) > cutoff),
            Op::IsEmpty(column) => self.time(*column, |time| time == cell::ABSENT),
            Op::Text(TextSource::Cell(column), test) => self.text(*column, test),
            Op::Text(TextSource::Partition, test) => self.partition(test),
            Op::Text(TextSource::Path, test) => self.path(test),
            Op::Difference {
                left,
                right,
                unit,
                comparison,
                count,
            } => match unit.seconds() {
                Some(seconds) => {
                    let length = count.saturating_mul(seconds);
                    self.difference(*left, *right, |earlier, later| {
                        compare(later, *comparison, earlier.saturating_add(length))
                    })
                }
                None => self.difference(*left, *right, |earlier, later| {
                    compare(later, *comparison, Timestamp(earlier).plus(*count, *unit).0)
                }),
            },
            Op::Not(_) | Op::All(_) | Op::Any(_) => unreachable!("operations on results are not leaves"),
        }
    }

    #[inline(always)]
    fn time(self, column: TimeColumn, test: impl Fn(i64) -> bool) -> bool {
        if self.hidden.contains(column) {
            return self.all_unknown();
        }
        let times = self.chunk.times(column);
        let unknown = times.any_unknown.then_some(|time| time == cell::UNKNOWN);
        self.cells(&times.cells, test, unknown)
    }

    /// `unknown` is given if any cell is unknown.
    #[inline(always)]
    fn cells<T: Copy>(
        self,
        cells: &[T],
        test: impl Fn(T) -> bool,
        unknown: Option<impl Fn(T) -> bool>,
    ) -> bool {
        if cells.is_empty() {
            return self.all_unknown();
        }
        fill(self.yes, cells, test);
        let Some(is_unknown) = unknown else {
            return false;
        };
        fill(self.unknown, cells, is_unknown);
        for (yes, &unknown) in self.yes.iter_mut().zip(self.unknown.iter()) {
            *yes &= !unknown;
        }
        true
    }

    fn all_unknown(self) -> bool {
        self.yes.fill(0);
        self.unknown.fill(u64::MAX);
        !self.chunk.rows.is_empty()
    }

    #[inline(always)]
    fn text(self, column: TextColumn, test: &TextTest) -> bool {
        self.yes.fill(0);
        let rows = &self.chunk.rows;
        let missing = match self.header.position(column) {
            _ if self.hidden.contains(column) => true,
            Some(position) => {
                let first = test.first_byte();
                for (row, field) in rows.fields(0..rows.len(), position).enumerate() {
                    // A cell that does not begin with a blank is its text, or absent.
                    let fails = |first: u8| field.first().is_some_and(|&byte| byte > b' ' && byte != first);
                    if !first.is_some_and(fails) {
                        set(self.yes, row, test.holds(cell::text(field)));
                    }
                }
                false
            }
            None if Column::OPTIONAL.contains(column) => {
                let absent = test.holds(b"");
                self.yes.fill(if absent { u64::MAX } else { 0 });
                false
            }
            None => true,
        };
        let any_unknown = missing || !rows.ragged().is_empty();
        if any_unknown {
            self.unknown.fill(if missing { u64::MAX } else { 0 });
        }
        if column == TextColumn::User {
            // The name of root is the same for every spelling, and also if the report lacks the column.
            let root = test.holds(ROOT.as_bytes());
            for (row, _) in self
                .chunk
                .root()
                .iter()
                .enumerate()
                .filter(|&(_, &is_root)| is_root)
            {
                set(self.yes, row, root);
                if any_unknown {
                    set(self.unknown, row, false);
                }
            }
        }
        if column == TextColumn::User {
            for &row in self.chunk.named_as_root() {
                let name = self.chunk.text(self.header, row as usize, column);
                set(self.yes, row as usize, name.is_some_and(|name| test.holds(name)));
            }
        }
        self.forget_ragged();
        any_unknown
    }

    fn forget_ragged(self) {
        for &row in self.chunk.rows.ragged() {
            set(self.yes, row as usize, false);
            set(self.unknown, row as usize, true);
        }
    }

    #[inline(always)]
    fn difference(self, left: TimeColumn, right: TimeColumn, test: impl Fn(i64, i64) -> bool) -> bool {
        if [left, right]
            .into_iter()
            .any(|column| self.hidden.contains(column))
        {
            return self.all_unknown();
        }
        let (left, right) = (self.chunk.times(left), self.chunk.times(right));
        if left.cells.is_empty() || right.cells.is_empty() {
            return self.all_unknown();
        }
        self.yes.fill(0);
        self.unknown.fill(0);
        for (row, (&left, &right)) in left.cells.iter().zip(&right.cells).enumerate() {
            let bit = 1 << (row % 64);
            if left == cell::UNKNOWN || right == cell::UNKNOWN {
                self.unknown[row / 64] |= bit;
            } else {
                let (left, right) = (counted(left), counted(right));
                if test(left.min(right), left.max(right)) {
                    self.yes[row / 64] |= bit;
                }
            }
        }
        left.any_unknown || right.any_unknown
    }
}

/// The instant as which a time is compared.
#[inline(always)]
pub(super) fn counted(time: i64) -> i64 {
    if time == cell::ABSENT { ABSENT_AS } else { time }
}

/// The difference of two times compares with a number of units as the later time does with the earlier one plus these
/// units.
#[inline(always)]
fn compare(later: i64, comparison: Comparison, bound: i64) -> bool {
    match comparison {
        Comparison::Less => later < bound,
        Comparison::AtMost => later <= bound,
        Comparison::Equal => later == bound,
        Comparison::AtLeast => later >= bound,
        Comparison::More => later > bound,
    }
}
