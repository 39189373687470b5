//! Which rules pass by cells that other tools left empty, or filled with a zero time, in place of `N/A`: the verdicts are
//! compared with those that the cells would give if they were unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::program::{Program, RuleInstance};
use super::registers::{Registers, Restriction};
use super::verdicts::{ChunkView, word_of};
use super::without::ops_of;
use crate::finding::Status;
use crate::report::cell::StandInCounts;
use crate::report::schema::{Column, ColumnSet, TimeColumn};

/// The stand-ins of one column.
#[derive(Clone, Debug, Default)]
pub(super) struct StandIns {
    pub(super) counts: StandInCounts,
    /// The positions of the rules that pass by them.
    pub(super) passing: BTreeSet<usize>,
}

/// The stand-ins of a report, by the index of the column.
pub(super) type StandInsOfReport = BTreeMap<usize, (TimeColumn, StandIns)>;

/// The stand-ins of one column in a chunk.
struct InChunk {
    column: TimeColumn,
    counts: StandInCounts,
    rows: Vec<usize>,
    /// The same as bitmaps of 64.
    bits: Vec<u64>,
}

/// The stand-ins in the selected rows of a chunk, of which `registers` have the results.
pub(super) fn find(
    program: &Program,
    registers: &Registers,
    cutoffs: &[i64],
    view: ChunkView<'_>,
) -> StandInsOfReport {
    let found = in_chunk(view);
    if found.is_empty() {
        return StandInsOfReport::new();
    }
    let columns = |instance: &RuleInstance| {
        let rule = &program.rules[instance.rule].bound;
        rule.typed.columns(instance.slot)
    };
    let run = Run {
        program,
        registers,
        cutoffs,
        view,
        columns: program.instances.iter().map(columns).collect(),
    };
    let passing = run.passing(&found);
    let of_column = |(found, passing): (InChunk, BTreeSet<usize>)| {
        let counts = found.counts;
        let index = Column::from(found.column).index();
        (index, (found.column, StandIns { counts, passing }))
    };
    found.into_iter().zip(passing).map(of_column).collect()
}

fn in_chunk(view: ChunkView<'_>) -> Vec<InChunk> {
    let mut found: Vec<InChunk> = Vec::new();
    for column in Column::ALL {
        let Column::Time(column) = column else { continue };
        let mut of_column = InChunk {
            column,
            counts: StandInCounts::default(),
            rows: Vec::new(),
            bits: vec![0; view.selected.len()],
        };
        for (row, kind) in view.chunk.stand_ins(&view.input.header, column) {
            let (word, bit) = (row / 64, 1 << (row % 64));
            if view.selected[word] & bit == 0 {
                continue;
            }
            of_column.counts.add(kind);
            of_column.rows.push(row);
            of_column.bits[word] |= bit;
        }
        if !of_column.rows.is_empty() {
            found.push(of_column);
        }
    }
    found
}

/// By rule instance, rows as bitmaps of 64; empty if there are none.
type RowsOfInstances = Vec<Vec<u64>>;

/// A run of the rules on a chunk, to be compared with others in which stand-ins are unknown.
struct Run<'a> {
    program: &'a Program,
    registers: &'a Registers,
    cutoffs: &'a [i64],
    view: ChunkView<'a>,
    /// What each rule instance reads: of a rule about keys or certificates, the columns of its slot.
    columns: Vec<ColumnSet>,
}

impl Run<'_> {
    /// By column, the rules that do not fail by its stand-ins: those that are undetermined if these are unknown, or, where
    /// the stand-ins of no single column decide, if those of all columns are.
    fn passing(&self, found: &[InChunk]) -> Vec<BTreeSet<usize>> {
        let all = self.undetermined(found, &self.words(|_, _| u64::MAX));
        let alone: Vec<_> = found
            .iter()
            .map(|one| self.undetermined_alone(one, found, &all))
            .collect();
        let is_decided = |at: usize, word: usize| {
            let of_columns = alone
                .iter()
                .filter_map(|rows: &RowsOfInstances| rows[at].get(word));
            of_columns.fold(0, |decided, bits| decided | bits)
        };
        let of_column = |(one, alone): (&InChunk, &RowsOfInstances)| {
            let reading = (0..self.program.instances.len()).filter(|&at| self.reads(at, one));
            let passes = reading.filter(|&at| {
                all[at].iter().enumerate().any(|(word, all)| {
                    let jointly = all & one.bits[word] & !is_decided(at, word);
                    jointly | alone[at].get(word).copied().unwrap_or_default() != 0
                })
            });
            passes.map(|at| self.program.instances[at].rule).collect()
        };
        found.iter().zip(&alone).map(of_column).collect()
    }

    /// The rows in which the stand-ins of this column alone make rule instances undetermined. `all` are the rows in which
    /// those of all columns do.
    fn undetermined_alone(&self, one: &InChunk, found: &[InChunk], all: &RowsOfInstances) -> RowsOfInstances {
        let of_all = |at: usize, word: usize| {
            let bits = all[at].get(word).copied().unwrap_or_default();
            if self.reads(at, one) {
                bits & one.bits[word]
            } else {
                0
            }
        };
        let others = |at: usize, word: usize| {
            let others = found.iter().filter(|other| other.column != one.column);
            let others = others.filter(|other| other.bits[word] != 0 && self.reads(at, other));
            others.fold(0, |rows, other| rows | other.bits[word])
        };
        let mut alone = self.words(|at, word| of_all(at, word) & !others(at, word));
        let unsure = self.words(|at, word| of_all(at, word) & others(at, word));
        if unsure.iter().any(|rows| !rows.is_empty()) {
            let more = self.undetermined(std::slice::from_ref(one), &unsure);
            for (alone, more) in alone.iter_mut().zip(more) {
                alone.resize(alone.len().max(more.len()), 0);
                alone
                    .iter_mut()
                    .zip(more)
                    .for_each(|(alone, more)| *alone |= more);
            }
        }
        alone
    }

    /// Of these rows, those in which rule instances do not fail and are determined, but would not be if these stand-ins
    /// were unknown.
    fn undetermined(&self, stand_ins: &[InChunk], rows: &RowsOfInstances) -> RowsOfInstances {
        let program = self.program;
        let is_wanted = |at: usize| !rows[at].is_empty() && stand_ins.iter().any(|one| self.reads(at, one));
        let wanted = (0..program.instances.len()).filter(|&at| is_wanted(at));
        let ops = ops_of(program, wanted.map(|at| &program.instances[at]));
        let cells = stand_ins.iter().map(|one| (one.column, &*one.rows));
        let chunk = self.view.chunk.with_unknown(cells);
        let mut unknown = Registers::default();
        let restriction = Restriction {
            ops: Some(&ops),
            ..Restriction::default()
        };
        unknown.run(
            program,
            self.cutoffs,
            &chunk,
            &self.view.input.header,
            restriction,
        );
        self.words(|at, word| {
            if !is_wanted(at) {
                return 0;
            }
            let mask = rows[at][word];
            let verdicts = |registers| word_of(registers, &program.instances[at], (word, mask)).verdicts;
            let (here, there) = (verdicts(self.registers), verdicts(&unknown));
            let [fail, undetermined] = [Status::Fail, Status::Undetermined].map(|status| status as usize);
            there[undetermined] & !here[fail] & !here[undetermined]
        })
    }

    /// The words of rows of each rule instance.
    fn words(&self, word: impl Fn(usize, usize) -> u64) -> RowsOfInstances {
        let words = self.view.selected.len();
        let of_instance = |at: usize| {
            if self.program.instances[at].needs_details {
                return Vec::new();
            }
            let rows: Vec<u64> = (0..words).map(|number| word(at, number)).collect();
            if rows.iter().all(|&rows| rows == 0) {
                Vec::new()
            } else {
                rows
            }
        };
        (0..self.program.instances.len()).map(of_instance).collect()
    }

    /// Whether a rule instance reads the column.
    fn reads(&self, at: usize, stand_ins: &InChunk) -> bool {
        self.columns[at].contains(stand_ins.column)
    }
}
