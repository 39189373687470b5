//! Which rules pass by cells that other tools left empty, or filled with a zero time, in place of `N/A`: the verdicts are
//! compared with those that the cells would give if they were unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::program::Program;
use super::registers::{Registers, Restriction};
use super::verdicts::{ChunkView, word_of};
use crate::finding::Status;
use crate::report::cell::StandIn;
use crate::report::schema::{Column, TimeColumn};

/// The stand-ins of one column, of one kind.
#[derive(Clone, Debug, Default)]
pub(super) struct StandIns {
    pub(super) count: u64,
    /// The positions of the rules that pass by them.
    pub(super) passing: BTreeSet<usize>,
}

/// The stand-ins of a report, by column and kind.
pub(super) type StandInsOfReport = BTreeMap<(usize, StandIn), (TimeColumn, StandIns)>;

/// The stand-ins of one column in a chunk.
struct InChunk {
    column: TimeColumn,
    kind: StandIn,
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
        let entry = report.entry((Column::from(stand_ins.column).index(), stand_ins.kind));
        let (_, of_column) = entry.or_insert_with(|| (stand_ins.column, StandIns::default()));
        of_column.count += stand_ins.rows.len() as u64;
        of_column
            .passing
            .extend(passing(program, (registers, &unknown), &stand_ins));
    }
    report
}

fn in_chunk(view: ChunkView<'_>) -> Vec<InChunk> {
    let mut found: Vec<InChunk> = Vec::new();
    for column in Column::ALL {
        let Column::Time(column) = column else { continue };
        for (row, kind) in view.chunk.stand_ins(&view.input.header, column) {
            let (word, bit) = (row / 64, 1 << (row % 64));
            if view.selected[word] & bit == 0 {
                continue;
            }
            let is_same = |known: &InChunk| (known.column, known.kind) == (column, kind);
            let at = found.iter().position(is_same).unwrap_or_else(|| {
                found.push(InChunk {
                    column,
                    kind,
                    rows: Vec::new(),
                    bits: vec![0; view.selected.len()],
                });
                found.len() - 1
            });
            found[at].rows.push(row);
            found[at].bits[word] |= bit;
        }
    }
    found
}

/// The rules that read this column and would be undetermined in one of these rows if stand-ins were unknown, and are
/// not, and do not fail.
fn passing(
    program: &Program,
    (registers, unknown): (&Registers, &Registers),
    stand_ins: &InChunk,
) -> BTreeSet<usize> {
    let column = Column::Time(stand_ins.column);
    let reading = program
        .instances
        .iter()
        .filter(|instance| program.rules[instance.rule].needs.contains(column));
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
