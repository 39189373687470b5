//! Results of a program -> verdicts: counted, and told as hits.

use std::collections::BTreeMap;

use super::hit::{Hit, UserRow};
use super::program::{Judgement, Program};
use super::registers::Registers;
use super::sink::{Sink, Told};
use super::source::Input;
use crate::finding::{Severity, Status, Suppression};
use crate::report::chunk::Chunk;
use crate::rule::RuleSuppressions;

/// What is told. What is not is still counted.
#[derive(Clone, Copy, Debug)]
pub struct Tell {
    /// The statuses told.
    statuses: [bool; Status::ALL.len()],
    /// The mildest severity told.
    pub min_severity: Severity,
}

impl Tell {
    /// Tells findings of these statuses and at least this severity.
    pub fn new(statuses: &[Status], min_severity: Severity) -> Self {
        let mut told = [false; Status::ALL.len()];
        for &status in statuses {
            told[status as usize] = true;
        }
        Self {
            statuses: told,
            min_severity,
        }
    }

    /// Tells nothing: counts alone are wanted.
    pub fn nothing() -> Self {
        Self::new(&[], Severity::Critical)
    }

    fn is_nothing(self) -> bool {
        self.statuses == [false; Status::ALL.len()]
    }

    pub(super) fn tells(self, status: Status, severity: Severity) -> bool {
        self.statuses[status as usize] && severity >= self.min_severity
    }
}

impl Default for Tell {
    /// Failing and undetermined, of any severity.
    fn default() -> Self {
        Self::new(&[Status::Fail, Status::Undetermined], Severity::Informational)
    }
}

/// Verdicts of one rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) tested: u64,
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) undetermined: u64,
    pub(super) suppressed: u64,
    /// Undetermined ones that fold into one finding, since the input lacks a column.
    pub(super) folded: u64,
}

/// Verdicts of one chunk. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'s> {
    /// One a rule.
    pub(super) counts: Vec<Counts>,
    /// For each word of 64 records and each judgement, what is told: a bitmap a status.
    told: Vec<[u64; Status::ALL.len()]>,
    /// What accepts a failing verdict, by record and judgement.
    accepted: BTreeMap<(usize, usize), &'s Suppression>,
}

/// The chunk that is judged, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) input: &'a Input,
    pub(super) chunk: &'a Chunk,
    /// Number of the chunk's first record in its input, from 1.
    pub(super) first_row: u64,
}

/// The verdicts of one judgement on 64 records, as bitmaps.
#[derive(Clone, Copy)]
struct Word {
    tested: u64,
    /// By status.
    verdicts: [u64; Status::ALL.len()],
}

impl<'s> Verdicts<'s> {
    /// Judges the chunk on which the program was run.
    pub(super) fn judge(
        &mut self,
        program: &Program,
        registers: &Registers,
        view: View<'_>,
        suppressions: &'s [RuleSuppressions<'s>],
        tell: Tell,
    ) {
        self.counts.clear();
        self.counts.resize(program.rules.len(), Counts::default());
        self.told.clear();
        self.accepted.clear();
        let judgements = program.judgements.len();
        if !tell.is_nothing() {
            self.told
                .resize(registers.words() * judgements, Default::default());
        }
        let missing = view.input.lacks();
        for (position, judgement) in program.judgements.iter().enumerate() {
            let judged = &program.rules[judgement.rule];
            let folds = !missing.intersection(judged.needs).is_empty();
            let mut told = Status::ALL.map(|status| tell.tells(status, judged.bound.severity));
            told[Status::Undetermined as usize] &= !folds;
            for word in 0..registers.words() {
                let mut verdict = word_of(registers, judgement, word);
                if let Some(suppressions) = suppressions.get(judgement.rule) {
                    self.suppress(program, view, suppressions, (position, word), &mut verdict);
                }
                self.counts[judgement.rule].add(&verdict, folds);
                if let Some(slot) = self.told.get_mut(word * judgements + position) {
                    for (status, bits) in verdict.verdicts.into_iter().enumerate() {
                        slot[status] = if told[status] { bits } else { 0 };
                    }
                }
            }
        }
    }

    /// Turns failing verdicts that an entry accepts into suppressed ones.
    fn suppress(
        &mut self,
        program: &Program,
        view: View<'_>,
        suppressions: &'s RuleSuppressions<'s>,
        (position, word): (usize, usize),
        verdict: &mut Word,
    ) {
        let judgement = &program.judgements[position];
        let mut failing = verdict.verdicts[Status::Fail as usize];
        while failing != 0 {
            let bit = failing & failing.wrapping_neg();
            failing ^= bit;
            let index = word * 64 + bit.trailing_zeros() as usize;
            let row = UserRow::new(view, index);
            let hit = Hit::of_row(
                view.input,
                &program.rules[judgement.rule],
                judgement.slot,
                Status::Fail,
                &row,
            );
            if let Some(entry) = suppressions.find(&hit.subject(), view.input.as_of) {
                verdict.verdicts[Status::Fail as usize] ^= bit;
                verdict.verdicts[Status::Suppressed as usize] |= bit;
                self.accepted.insert((index, position), entry);
            }
        }
    }

    /// What is told, as bitmaps.
    pub(super) fn told<'a>(&'a self, program: &'a Program) -> Told<'a> {
        Told {
            judgements: &program.judgements,
            words: &self.told,
        }
    }

    /// Hands what is told to the sink, in (row, rule, slot) order.
    pub(super) fn hits<S: Sink>(&self, program: &Program, view: View<'_>, sink: &S, part: &mut S::Part) {
        let mut any = Vec::with_capacity(program.judgements.len());
        for (word, told) in self.told.chunks(program.judgements.len().max(1)).enumerate() {
            any.clear();
            any.extend(
                told.iter()
                    .map(|bits| bits.iter().fold(0, |any, bits| any | bits)),
            );
            let mut rows = any.iter().fold(0, |rows, bits| rows | bits);
            while rows != 0 {
                let bit = rows.trailing_zeros();
                rows &= rows - 1;
                let index = word * 64 + bit as usize;
                let row = UserRow::new(view, index);
                for (position, (judgement, told)) in program.judgements.iter().zip(told).enumerate() {
                    if any[position] >> bit & 1 == 0 {
                        continue;
                    }
                    let mut statuses = Status::ALL.into_iter();
                    let Some(status) = statuses.find(|&status| told[status as usize] >> bit & 1 == 1) else {
                        continue;
                    };
                    let judged = &program.rules[judgement.rule];
                    let mut hit = Hit::of_row(view.input, judged, judgement.slot, status, &row);
                    hit.suppression = self.accepted.get(&(index, position)).copied();
                    sink.hit(part, &hit);
                }
            }
        }
    }
}

impl Counts {
    fn add(&mut self, word: &Word, folds: bool) {
        let count = |bits: u64| u64::from(bits.count_ones());
        let of = |status: Status| count(word.verdicts[status as usize]);
        self.tested += count(word.tested);
        self.passed += of(Status::Pass);
        self.failed += of(Status::Fail);
        self.suppressed += of(Status::Suppressed);
        self.undetermined += of(Status::Undetermined);
        if folds {
            self.folded += of(Status::Undetermined);
        }
    }
}

/// Fail where that is true, undetermined where it is unknown, otherwise pass where the entity is surely in
/// scope.
fn word_of(registers: &Registers, judgement: &Judgement, word: usize) -> Word {
    let mask = registers.mask(word);
    let bits = |node| {
        let bits = registers.bits(node);
        (
            bits.yes[word] & mask,
            bits.unknown.map_or(0, |unknown| unknown[word] & mask),
        )
    };
    let (fail, undetermined) = bits(judgement.fail);
    let scope = judgement.scope.map_or(mask, |scope| bits(scope).0);
    let tested = judgement.exists.map_or(mask, |exists| {
        let (yes, unknown) = bits(exists);
        yes | unknown
    });
    let mut verdicts = [0; Status::ALL.len()];
    verdicts[Status::Fail as usize] = fail;
    verdicts[Status::Undetermined as usize] = undetermined;
    verdicts[Status::Pass as usize] = scope & !fail & !undetermined;
    Word { tested, verdicts }
}
