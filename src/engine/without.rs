//! Verdicts as they would be if the cells of some columns were unknown: what a report with fewer columns can say. Sinks that
//! compare reports need them.

use super::program::{Op, Program, RuleInstance};
use super::registers::{Registers, Restriction};
use super::verdicts::{ChunkView, ragged, word_of};
use crate::finding::Status;
use crate::report::schema::{Column, ColumnSet};

/// The failing verdicts of a block as they would be if the cells of some columns were unknown.
#[derive(Debug)]
pub struct FailsWithout {
    /// These columns.
    pub columns: ColumnSet,
    /// For each word of rows and each rule instance the rows that would fail. Only rules that read one of the columns
    /// have bits.
    pub rows: Vec<u64>,
}

/// What a worker evaluates for such sinks, and reuses for every block.
#[derive(Debug, Default)]
pub(super) struct Without {
    registers: Registers,
    /// By columns, the operations of the rules that read one of them.
    ops: Vec<(ColumnSet, Vec<bool>)>,
    pub(super) unseen: Vec<u64>,
    pub(super) fails: Vec<FailsWithout>,
}

impl Without {
    /// Evaluates a chunk, of which `registers` have the results: what its report cannot say because it lacks columns, and
    /// what would fail without each of these sets of columns.
    pub(super) fn evaluate(
        &mut self,
        program: &Program,
        (registers, cutoffs): (&Registers, &[i64]),
        view: ChunkView<'_>,
        gained: &[ColumnSet],
    ) {
        let read = program.columns();
        let missing = view.input.header.missing().intersection(read);
        self.unseen.clear();
        if missing.intersection(Column::OPTIONAL).is_empty() {
            if !missing.is_empty() {
                fill(
                    &mut self.unseen,
                    (program, registers),
                    view,
                    Status::Undetermined,
                    missing,
                );
            }
        } else {
            // An optional column that is missing counts as empty in verdicts.
            self.run(program, cutoffs, view, missing);
            let results = (program, &self.registers);
            fill(&mut self.unseen, results, view, Status::Undetermined, missing);
        }
        self.fails.clear();
        for &columns in gained {
            self.run(program, cutoffs, view, columns);
            let mut rows = Vec::new();
            fill(&mut rows, (program, &self.registers), view, Status::Fail, columns);
            self.fails.push(FailsWithout { columns, rows });
        }
    }

    fn run(&mut self, program: &Program, cutoffs: &[i64], view: ChunkView<'_>, hidden: ColumnSet) {
        let at = self.ops.iter().position(|(columns, _)| *columns == hidden);
        let at = at.unwrap_or_else(|| {
            let reading = program.instances.iter();
            let reading = reading.filter(|instance| reads(program, instance, hidden));
            self.ops.push((hidden, ops_of(program, reading)));
            self.ops.len() - 1
        });
        let restriction = Restriction {
            hidden,
            ops: Some(&self.ops[at].1),
            ..Restriction::default()
        };
        self.registers
            .run(program, cutoffs, view.chunk, &view.input.header, restriction);
    }
}

/// Whether the rule of this instance reads one of the columns.
fn reads(program: &Program, instance: &RuleInstance, columns: ColumnSet) -> bool {
    let needs = program.rules[instance.rule].needs;
    !needs.intersection(columns).is_empty()
}

/// The operations of these rule instances.
pub(super) fn ops_of<'a>(program: &Program, instances: impl Iterator<Item = &'a RuleInstance>) -> Vec<bool> {
    let mut wanted = vec![false; program.ops.len()];
    for instance in instances {
        wanted[instance.fail] = true;
        for node in instance.exists.into_iter().chain(instance.scope) {
            wanted[node] = true;
        }
    }
    // An operation comes after those whose results it combines.
    for (node, op) in program.ops.iter().enumerate().rev() {
        match op {
            Op::Not(of) => wanted[*of] |= wanted[node],
            Op::All(of) | Op::Any(of) => of.iter().for_each(|&of| wanted[of] |= wanted[node]),
            Op::Flag(..)
            | Op::Before(..)
            | Op::After(..)
            | Op::IsEmpty(_)
            | Op::Text(..)
            | Op::Difference { .. } => {}
        }
    }
    wanted
}

/// Fills `rows` with the verdicts with this status, of the rules that read one of the columns.
fn fill(
    rows: &mut Vec<u64>,
    (program, registers): (&Program, &Registers),
    view: ChunkView<'_>,
    status: Status,
    columns: ColumnSet,
) {
    for word in 0..registers.words() {
        let is_whole = !ragged(view.chunk, word);
        rows.extend(program.instances.iter().map(|instance| {
            if instance.needs_details || !reads(program, instance, columns) {
                return 0;
            }
            let verdicts = word_of(registers, instance, (word, view.selected[word])).verdicts;
            verdicts[status as usize] & is_whole
        }));
    }
}
