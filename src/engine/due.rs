//! Verdicts that are due: not failing and certain at the as-of, and failing by time alone at some later second of a window.
//!
//! First the rules run once at all as-ofs of the window, with what may turn as unknown: only where a rule then may fail is
//! there anything to find. There its expression is evaluated at each instant at which one of its time comparisons turns,
//! until it fails. Between these instants nothing changes, so the second that is found is the first.

use super::finding_ref::{FindingRef, UserRow};
use super::program::{Node, Op, Program};
use super::registers::{AsOfSpan, Registers, Restriction, counted};
use super::turning::{Comparison, Window};
use super::verdicts::ChunkView;
use super::without::ops_of;
use crate::finding::Status;
use crate::report::cell;
use crate::report::time::{LAST, Timestamp};
use crate::rule::RuleSuppressions;

/// The longest window, in seconds: ten years.
pub const LONGEST_DUE_WINDOW: u64 = 3_650 * 86_400;

/// A verdict that passes or is not applicable, and fails by time alone within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueVerdict {
    /// Index of the row in its block.
    pub row: usize,
    /// Position of the rule instance in the program, as in [`StatusBitmaps::instances`].
    ///
    /// [`StatusBitmaps::instances`]: super::StatusBitmaps::instances
    pub instance: usize,
    /// The first second at which it fails.
    pub due_at: Timestamp,
}

/// The verdicts of a block that are due.
#[derive(Debug, Default)]
pub(super) struct DueVerdicts {
    /// In (row, instance) order.
    all: Vec<DueVerdict>,
    /// For each word of rows and each rule instance a bitmap; empty if there are none.
    rows: Vec<u64>,
    instances: usize,
}

impl DueVerdicts {
    /// All of them, in (row, instance) order.
    pub(super) fn all(&self) -> &[DueVerdict] {
        &self.all
    }

    /// Those of a rule instance on 64 records, as a bitmap.
    pub(super) fn rows(&self, word: usize, instance: usize) -> u64 {
        let bits = self.rows.get(word * self.instances + instance);
        bits.copied().unwrap_or(0)
    }

    /// When this verdict is due.
    pub(super) fn due_at(&self, row: usize, instance: usize) -> Option<Timestamp> {
        let found = self
            .all
            .binary_search_by_key(&(row, instance), |due| (due.row, due.instance));
        found.ok().map(|at| self.all[at].due_at)
    }

    fn clear(&mut self, instances: usize) {
        self.all.clear();
        self.rows.clear();
        self.instances = instances;
    }

    fn add(&mut self, due: DueVerdict, words: usize) {
        self.rows.resize(words * self.instances, 0);
        self.rows[due.row / 64 * self.instances + due.instance] |= 1 << (due.row % 64);
        self.all.push(due);
    }
}

/// What of a program may be due.
#[derive(Debug)]
pub(super) struct DuePlan {
    /// The length of the window in seconds.
    seconds: i64,
    /// The operations that depend on the as-of.
    dated: Vec<bool>,
    /// The operations of rule instances that depend on it.
    ops: Vec<bool>,
    /// The positions of these instances.
    instances: Vec<usize>,
}

impl DuePlan {
    pub(super) fn new(program: &Program, seconds: u64) -> Self {
        let mut dated: Vec<bool> = Vec::with_capacity(program.ops.len());
        for op in &program.ops {
            let is_dated = match op {
                Op::Not(of) => dated[*of],
                Op::All(of) | Op::Any(of) => of.iter().any(|&of| dated[of]),
                Op::Before(..) | Op::After(..) => true,
                Op::Flag(..) | Op::IsEmpty(_) | Op::Text(..) | Op::Difference { .. } => false,
            };
            dated.push(is_dated);
        }
        let instances = program.instances.iter().enumerate();
        let instances = instances.filter(|(_, instance)| dated[instance.fail]);
        let instances: Vec<usize> = instances.map(|(position, _)| position).collect();
        let ops = ops_of(program, instances.iter().map(|&at| &program.instances[at]));
        let seconds = i64::try_from(seconds.min(LONGEST_DUE_WINDOW)).unwrap_or(i64::MAX);
        Self {
            seconds,
            dated,
            ops,
            instances,
        }
    }

    /// The length of the window.
    pub(super) fn seconds(&self) -> u64 {
        self.seconds.unsigned_abs()
    }

    /// The window after this as-of; it ends with the calendar.
    fn window(&self, as_of: Timestamp) -> Window {
        Window {
            after: as_of.0,
            until: as_of.0.saturating_add(self.seconds).min(LAST),
        }
    }
}

/// Bounds of the cutoffs in the window of an as-of.
#[derive(Debug)]
struct Bounds {
    as_of: Timestamp,
    least: Vec<i64>,
    greatest: Vec<i64>,
}

impl Bounds {
    fn new(program: &Program, plan: &DuePlan, as_of: Timestamp) -> Self {
        let window = plan.window(as_of);
        let of_op = |op| Comparison::of(op).map_or((0, 0), |comparison| comparison.cutoffs(window));
        let (least, greatest) = program.ops.iter().map(of_op).unzip();
        Self {
            as_of,
            least,
            greatest,
        }
    }
}

/// Finds the verdicts that are due; a worker reuses it for every block.
#[derive(Debug, Default)]
pub(super) struct DueFinder {
    /// The results at all as-ofs of the window.
    registers: Registers,
    bounds: Option<Bounds>,
    turns: Vec<i64>,
    pub(super) found: DueVerdicts,
}

impl DueFinder {
    /// Evaluates a chunk, of which `now` has the results at the as-of.
    pub(super) fn find(
        &mut self,
        (program, plan): (&Program, &DuePlan),
        now: &Registers,
        view: ChunkView<'_>,
        suppressions: &[RuleSuppressions<'_>],
    ) {
        self.found.clear(program.instances.len());
        let as_of = view.input.as_of;
        let window = plan.window(as_of);
        if window.until <= window.after || plan.instances.is_empty() {
            return;
        }
        if self.bounds.as_ref().is_none_or(|bounds| bounds.as_of != as_of) {
            self.bounds = Some(Bounds::new(program, plan, as_of));
        }
        let Some(bounds) = &self.bounds else { return };
        let span = AsOfSpan {
            greatest: &bounds.greatest,
            dated: &plan.dated,
            others: now,
        };
        let restriction = Restriction {
            ops: Some(&plan.ops),
            span: Some(span),
            ..Restriction::default()
        };
        let header = &view.input.header;
        self.registers
            .run(program, &bounds.least, view.chunk, header, restriction);
        for &position in &plan.instances {
            self.find_instance((program, position), now, view, window, suppressions);
        }
        self.found.all.sort_unstable();
    }

    fn find_instance(
        &mut self,
        (program, position): (&Program, usize),
        now: &Registers,
        view: ChunkView<'_>,
        window: Window,
        suppressions: &[RuleSuppressions<'_>],
    ) {
        let instance = &program.instances[position];
        let words = now.words();
        for word in 0..words {
            let possible = |registers: &Registers| {
                let bits = registers.bits(instance.fail);
                bits.yes[word] | bits.unknown.map_or(0, |unknown| unknown[word])
            };
            let mut rows = possible(&self.registers) & !possible(now) & view.rows_of(instance, word);
            while rows != 0 {
                let row = word * 64 + rows.trailing_zeros() as usize;
                rows &= rows - 1;
                let later = RowLater {
                    program,
                    registers: &self.registers,
                    view,
                    row,
                };
                let Some(due_at) = later.first_fail(instance.fail, window, &mut self.turns) else {
                    continue;
                };
                let suppressions = suppressions.get(instance.rule);
                if suppressions.is_none_or(|it| !is_accepted(program, view, it, (row, position), due_at)) {
                    let due = DueVerdict {
                        row,
                        instance: position,
                        due_at,
                    };
                    self.found.add(due, words);
                }
            }
        }
    }
}

/// Whether a suppression accepts what fails from this second on.
fn is_accepted(
    program: &Program,
    view: ChunkView<'_>,
    suppressions: &RuleSuppressions<'_>,
    (row, position): (usize, usize),
    due_at: Timestamp,
) -> bool {
    let instance = &program.instances[position];
    let compiled = &program.rules[instance.rule];
    let row = UserRow::new(view, row);
    let finding = FindingRef::of_row(view.input, compiled, instance.slot, Status::Due, &row);
    suppressions.accept_later(&finding.subject(), due_at)
}

/// One row at later as-ofs.
struct RowLater<'a> {
    program: &'a Program,
    /// The results at all as-ofs of the window: what is certain there is the same at each of them.
    registers: &'a Registers,
    view: ChunkView<'a>,
    row: usize,
}

impl RowLater<'_> {
    /// The first second of the window at which this operation is certainly true.
    fn first_fail(&self, fail: Node, window: Window, turns: &mut Vec<i64>) -> Option<Timestamp> {
        turns.clear();
        turns.push(window.after + 1);
        self.turns(fail, window, turns);
        turns.sort_unstable();
        turns.dedup();
        let first = turns.iter().find(|&&as_of| self.value(fail, as_of) == Some(true));
        first.copied().map(Timestamp)
    }

    /// The result that is the same at all as-ofs; none if it may turn or is unknown.
    fn certain(&self, node: Node) -> Option<bool> {
        let (word, bit) = (self.row / 64, 1 << (self.row % 64));
        let bits = self.registers.bits(node);
        let is_unknown = bits.unknown.is_some_and(|unknown| unknown[word] & bit != 0);
        (!is_unknown).then_some(bits.yes[word] & bit != 0)
    }

    /// Adds the instants at which a comparison turns on which the operation depends.
    fn turns(&self, node: Node, window: Window, turns: &mut Vec<i64>) {
        if self.certain(node).is_some() {
            return;
        }
        match &self.program.ops[node] {
            Op::Not(of) => self.turns(*of, window, turns),
            Op::All(of) | Op::Any(of) => of.iter().for_each(|&of| self.turns(of, window, turns)),
            leaf @ (Op::Before(..) | Op::After(..)) => {
                if let Some((comparison, time)) = self.comparison(leaf) {
                    comparison.turns(time, window, turns);
                }
            }
            Op::Flag(..) | Op::IsEmpty(_) | Op::Text(..) | Op::Difference { .. } => {}
        }
    }

    /// The result at one as-of; none if it is unknown.
    fn value(&self, node: Node, as_of: i64) -> Option<bool> {
        if let Some(value) = self.certain(node) {
            return Some(value);
        }
        match &self.program.ops[node] {
            Op::Not(of) => self.value(*of, as_of).map(|value| !value),
            Op::All(of) => self.combine(of, as_of, false),
            Op::Any(of) => self.combine(of, as_of, true),
            leaf @ (Op::Before(..) | Op::After(..)) => {
                let (comparison, time) = self.comparison(leaf)?;
                Some(comparison.holds(time, as_of))
            }
            Op::Flag(..) | Op::IsEmpty(_) | Op::Text(..) | Op::Difference { .. } => None,
        }
    }

    /// Kleene's and / or: `decisive` is the value that decides alone.
    fn combine(&self, parts: &[Node], as_of: i64, decisive: bool) -> Option<bool> {
        let mut result = Some(!decisive);
        for &part in parts {
            match self.value(part, as_of) {
                Some(value) if value == decisive => return Some(decisive),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    /// The comparison and the time that it is about, if this is known.
    fn comparison(&self, leaf: &Op) -> Option<(Comparison, i64)> {
        let (Op::Before(column, ..) | Op::After(column, ..)) = leaf else {
            return None;
        };
        let time = *self.view.chunk.times(*column).cells.get(self.row)?;
        (time != cell::UNKNOWN).then_some((Comparison::of(leaf)?, counted(time)))
    }
}
