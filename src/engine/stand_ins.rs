//! Which rules pass by cells that other tools left empty, or filled with a zero time, in place of `N/A`: the verdicts are
//! compared with those that the cells would give if they were unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::program::Program;
use super::registers::{Registers, Restriction};
use super::verdicts::{ChunkView, word_of};
use crate::finding::Status;
use crate::report::cell::StandInCounts;
use crate::report::schema::{Column, TimeColumn};

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
    let mut report = StandInsOfReport::new();
    if found.is_empty() {
        return report;
    }
    let chunk = view
        .chunk
        .with_unknown(found.iter().map(|it| (it.column, &*it.rows)));
    let mut unknown = Registers::default();
    let all = Restriction::default();
    unknown.run(program, cutoffs, &chunk, &view.input.header, all);
    for stand_ins in found {
        let of_column = StandIns {
            counts: stand_ins.counts,
            passing: passing(program, (registers, &unknown), &stand_ins),
        };
        report.insert(
            Column::from(stand_ins.column).index(),
            (stand_ins.column, of_column),
        );
    }
    report
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

/// The rules that read this column and would be undetermined in one of these rows if stand-ins were unknown, and are
/// not, and do not fail. Of a rule about keys or certificates, only the verdicts on the slot of the column count.
fn passing(
    program: &Program,
    (registers, unknown): (&Registers, &Registers),
    stand_ins: &InChunk,
) -> BTreeSet<usize> {
    let column = Column::Time(stand_ins.column);
    let reading = program.instances.iter().filter(|instance| {
        let rule = &program.rules[instance.rule].bound;
        rule.typed.columns(instance.slot).contains(column)
    });
    let passes = reading.filter(|instance| {
        stand_ins.bits.iter().enumerate().any(|(word, &mask)| {
            let verdicts = |registers| word_of(registers, instance, (word, mask)).verdicts;
            let (here, there) = (verdicts(registers), verdicts(unknown));
            let [fail, undetermined] = [Status::Fail, Status::Undetermined].map(|status| status as usize);
            there[undetermined] & !here[fail] & !here[undetermined] != 0
        })
    });
    passes.map(|instance| instance.rule).collect()
}
