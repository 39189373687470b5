//! Compiles typed rules into one list of column operations. Equal subexpressions, of one rule or of several, are one
//! operation.

use std::collections::HashMap;
use std::sync::Arc;

use crate::gsl::typed::{Comparison, Entity, Expr, TextSource, TextTest, TimeTest, TypedRule};
use crate::report::cell::Flag;
use crate::report::schema::{
    BySlot, Column, ColumnSet, Credential, FlagColumn, Slot, TextColumn, TimeColumn,
};
use crate::report::time::{Timestamp, Unit};
use crate::rule::{BoundRule, FixTemplate, Owners};

/// Position of an operation in its program; operands are before the operations that use them.
pub(super) type Node = usize;

/// One operation on whole columns. Its result for each record is true, false or unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Flag(FlagColumn, IsTrue),
    Before(TimeColumn, i64, Unit),
    After(TimeColumn, i64, Unit),
    IsEmpty(TimeColumn),
    Text(TextSource, TextTest),
    Difference {
        left: TimeColumn,
        right: TimeColumn,
        unit: Unit,
        comparison: Comparison,
        count: i64,
    },
    Not(Node),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// The value that a flag is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct IsTrue(pub(super) bool);

impl IsTrue {
    pub(super) const fn flag(self) -> Flag {
        if self.0 { Flag::True } else { Flag::False }
    }
}

/// One rule on the entities of one slot.
#[derive(Clone, Debug)]
pub(super) struct RuleInstance {
    /// Position of the rule in the program.
    pub(super) rule: usize,
    pub(super) slot: Slot,
    /// It evaluates a table made from details.
    pub(super) needs_details: bool,
    /// The entity exists; none if it exists in every record.
    pub(super) exists: Option<Node>,
    /// It exists, is relevant, not excluded, and violates the rule.
    pub(super) fail: Node,
    /// It exists, is relevant and not excluded; none if this is true of every record.
    pub(super) scope: Option<Node>,
}

/// Rules compiled for the columns of a report: compiled once, bound to an as-of for each input.
#[derive(Debug)]
pub struct Program {
    pub(super) rules: Vec<CompiledRule>,
    pub(super) ops: Vec<Op>,
    /// In the order of rules, then of slots.
    pub(super) instances: Vec<RuleInstance>,
    /// What is listed; none if nothing is.
    pub(super) listing: Option<CompiledListing>,
    columns: ColumnSet,
    is_about_root: bool,
    /// Where the owners of users come from.
    pub(super) owners: Arc<Owners>,
}

/// What a program lists, besides evaluating its rules.
#[derive(Debug)]
pub(super) struct CompiledListing {
    pub(super) entity: Entity,
    /// For each slot of the entity, whether the entity is listed; none if it is for every record.
    pub(super) slots: Vec<(Slot, Option<Node>)>,
}

/// A rule of a program, with what all its findings share.
#[derive(Debug)]
pub struct CompiledRule {
    /// The rule with its parameters.
    pub bound: BoundRule,
    /// Position in its program, from 0.
    pub position: usize,
    /// Identifies the rule and its parameters in the ids of findings.
    pub(super) key: u128,
    /// The columns that it reads, in all slots.
    pub needs: ColumnSet,
    /// How its findings are fixed, if that is asked for.
    pub(super) fix: Option<FixTemplate>,
    /// Where the owners of users come from.
    pub(super) owners: Arc<Owners>,
    /// The position of its first rule instance in the program: it has one for each slot.
    first_instance: usize,
    slots: BySlot<SlotFacts>,
}

#[derive(Debug)]
struct SlotFacts {
    credential: Option<Credential>,
    /// The columns that the rule reads, except the user's name and ARN, ordered by name.
    evidence: Vec<Column>,
}

impl CompiledRule {
    fn new(position: usize, first_instance: usize, bound: BoundRule) -> Self {
        let slots = Slot::ALL.map(|slot| SlotFacts {
            credential: bound.typed.credential(slot),
            evidence: evidence(&bound.typed, slot),
        });
        Self {
            key: rule_key(&bound),
            needs: bound.typed.all_columns(),
            bound,
            position,
            fix: None,
            owners: Arc::default(),
            first_instance,
            slots,
        }
    }

    /// The position of the instance of this rule for a slot, among all rule instances of the program.
    pub fn instance(&self, slot: Slot) -> usize {
        let slots = self.bound.typed.entity.slots().iter();
        self.first_instance + slots.take_while(|&&other| other != slot).count()
    }

    /// The credential that a verdict on the entity in this slot is about.
    pub fn credential(&self, slot: Slot) -> Option<Credential> {
        self.slots[slot as usize].credential
    }

    /// The columns that are evidence for a verdict on the entity in this slot, ordered by name.
    pub fn evidence(&self, slot: Slot) -> &[Column] {
        &self.slots[slot as usize].evidence
    }
}

/// All columns that the rule reads but name and ARN, which are in the finding itself; of a service-specific credential also its
/// id and service.
fn evidence(typed: &TypedRule, slot: Slot) -> Vec<Column> {
    let identity = [TextColumn::User, TextColumn::Arn].map(Column::Text);
    let identity = identity.into_iter().collect();
    let mut read = typed.columns(slot).minus(identity);
    if typed.entity.needs_details() {
        // They say which of a user's credentials it is.
        read.insert(TextColumn::ServiceCredentialId);
        read.insert(TextColumn::ServiceCredentialService);
    }
    let mut columns: Vec<Column> = read.iter().collect();
    columns.sort_by_key(|column| column.name());
    columns
}

fn rule_key(bound: &BoundRule) -> u128 {
    let parameters = bound
        .parameters
        .iter()
        .map(|(name, value)| format!("\0{name}={value}"));
    let text: String = std::iter::once(bound.rule.id.clone()).chain(parameters).collect();
    xxhash_rust::xxh3::xxh3_128(text.as_bytes())
}

impl Program {
    /// Compiles the rules; the findings of a row have the same order.
    pub fn new(rules: Vec<BoundRule>) -> Self {
        let mut compiler = Compiler::default();
        let mut instances = Vec::new();
        for (position, bound) in rules.iter().enumerate() {
            for &slot in bound.typed.entity.slots() {
                instances.push(compiler.instance(position, &bound.typed, slot));
            }
        }
        let columns = rules.iter().fold(ColumnSet::default(), |set, bound| {
            set.union(bound.typed.all_columns())
        });
        let is_about_root = rules.iter().any(BoundRule::is_about_root);
        let compiled = rules.into_iter().enumerate().map(|(position, bound)| {
            let first = instances.iter().position(|instance| instance.rule == position);
            CompiledRule::new(position, first.unwrap_or_default(), bound)
        });
        let compiled = compiled.collect();
        Self {
            is_about_root,
            rules: compiled,
            ops: compiler.ops,
            instances,
            listing: None,
            columns,
            owners: Arc::default(),
        }
    }

    /// The same program, which also lists the entities of a kind that exist and meet the condition. They are in
    /// the same columns as those of the rules, and one pass computes both.
    #[must_use]
    pub fn with_listing(mut self, entity: Entity, condition: Option<&Expr>) -> Self {
        let mut compiler = Compiler {
            known: self.ops.iter().cloned().zip(0..).collect(),
            ops: self.ops,
        };
        let slots = entity.slots().iter().map(|&slot| {
            let mut nodes: Vec<Node> = compiler.exists(entity, slot).into_iter().collect();
            nodes.extend(condition.map(|condition| compiler.expr(condition, slot)));
            (slot, (!nodes.is_empty()).then(|| compiler.all(nodes)))
        });
        let slots = slots.collect();
        for &slot in entity.slots() {
            if let Some((active, created)) = entity.existence(slot) {
                self.columns.insert(active);
                self.columns.insert(created);
            }
            let read = condition.map_or(ColumnSet::default(), |condition| condition.columns(slot));
            self.columns = self.columns.union(read);
        }
        Self {
            ops: compiler.ops,
            listing: Some(CompiledListing { entity, slots }),
            ..self
        }
    }

    /// The same, whose findings say how they are fixed.
    #[must_use]
    pub fn with_fixes(mut self) -> Self {
        for compiled in &mut self.rules {
            let BoundRule { rule, parameters, .. } = &compiled.bound;
            compiled.fix = Some(FixTemplate::new(rule, parameters));
        }
        self
    }

    /// The same, with the owners of users from there.
    #[must_use]
    pub fn with_owners(mut self, owners: &Arc<Owners>) -> Self {
        for compiled in &mut self.rules {
            compiled.owners = Arc::clone(owners);
        }
        Self {
            owners: Arc::clone(owners),
            ..self
        }
    }

    /// The rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &BoundRule> {
        self.rules.iter().map(|compiled| &compiled.bound)
    }

    /// The rules with what their findings share, in order.
    pub fn compiled_rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// The columns that the rules read.
    pub fn columns(&self) -> ColumnSet {
        self.columns
    }

    /// The positions of the rules that need details.
    pub(super) fn on_details(&self) -> Vec<usize> {
        let on_details = |(position, rule): (usize, &CompiledRule)| {
            rule.bound.typed.entity.needs_details().then_some(position)
        };
        self.rules.iter().enumerate().filter_map(on_details).collect()
    }

    /// Whether a rule is about root alone.
    pub(super) fn is_about_root(&self) -> bool {
        self.is_about_root
    }

    /// The columns to decode: those that the rules read, and all times if a verdict depends on the as-of, since a time
    /// after it means that it is wrong.
    pub(super) fn decoded(&self) -> ColumnSet {
        let is_dated = |op: &Op| matches!(op, Op::Before(..) | Op::After(..));
        let times = Column::ALL
            .into_iter()
            .filter(|column| matches!(column, Column::Time(_)));
        if self.ops.iter().any(is_dated) {
            self.columns.union(times.collect())
        } else {
            self.columns
        }
    }

    /// For every operation the instant with which it compares, if it does.
    pub(super) fn cutoffs(&self, as_of: Timestamp) -> Vec<i64> {
        self.ops
            .iter()
            .map(|op| match *op {
                Op::Before(_, n, unit) | Op::After(_, n, unit) => as_of.plus(n, unit).0,
                Op::Flag(..)
                | Op::IsEmpty(_)
                | Op::Text(..)
                | Op::Difference { .. }
                | Op::Not(_)
                | Op::All(_)
                | Op::Any(_) => 0,
            })
            .collect()
    }
}

#[derive(Default)]
struct Compiler {
    ops: Vec<Op>,
    known: HashMap<Op, Node>,
}

impl Compiler {
    fn instance(&mut self, rule: usize, typed: &TypedRule, slot: Slot) -> RuleInstance {
        let exists = self.exists(typed.entity, slot);
        let mut scope: Vec<Node> = exists.into_iter().collect();
        if let Some(relevant) = &typed.relevant {
            scope.push(self.expr(relevant, slot));
        }
        if let Some(exclude) = &typed.exclude {
            let excluded = self.expr(exclude, slot);
            scope.push(self.op(Op::Not(excluded)));
        }
        let condition = self.expr(&typed.condition, slot);
        let violation = if typed.forbidden {
            condition
        } else {
            self.op(Op::Not(condition))
        };
        let mut fail = scope.clone();
        fail.push(violation);
        RuleInstance {
            rule,
            slot,
            needs_details: typed.entity.needs_details(),
            exists,
            fail: self.all(fail),
            scope: (!scope.is_empty()).then(|| self.all(scope)),
        }
    }

    /// A key or certificate exists when it is active or has a creation time.
    fn exists(&mut self, entity: Entity, slot: Slot) -> Option<Node> {
        let (active, created) = entity.existence(slot)?;
        let active = self.op(Op::Flag(active, IsTrue(true)));
        let never_created = self.op(Op::IsEmpty(created));
        let created = self.op(Op::Not(never_created));
        Some(self.op(Op::Any(vec![active, created])))
    }

    fn expr(&mut self, expr: &Expr, slot: Slot) -> Node {
        let op = match expr {
            Expr::And(parts) => {
                let nodes = self.exprs(parts, slot);
                return self.all(nodes);
            }
            Expr::Or(parts) => Op::Any(self.exprs(parts, slot)),
            Expr::Not(inner) => Op::Not(self.expr(inner, slot)),
            Expr::Flag(attribute, value) => Op::Flag(attribute.column(slot), IsTrue(*value)),
            Expr::Time(attribute, test) => {
                let column = attribute.column(slot);
                match *test {
                    TimeTest::Before(n, unit) => Op::Before(column, n, unit),
                    TimeTest::After(n, unit) => Op::After(column, n, unit),
                    TimeTest::IsEmpty => Op::IsEmpty(column),
                }
            }
            Expr::Text(attribute, test) => Op::Text(attribute.column(slot), test.clone()),
            Expr::Difference {
                left,
                right,
                unit,
                comparison,
                count,
            } => Op::Difference {
                left: left.column(slot),
                right: right.column(slot),
                unit: *unit,
                comparison: *comparison,
                count: *count,
            },
        };
        self.op(op)
    }

    fn exprs(&mut self, exprs: &[Expr], slot: Slot) -> Vec<Node> {
        exprs.iter().map(|expr| self.expr(expr, slot)).collect()
    }

    fn all(&mut self, mut nodes: Vec<Node>) -> Node {
        match nodes.len() {
            1 => nodes.remove(0),
            _ => self.op(Op::All(nodes)),
        }
    }

    fn op(&mut self, op: Op) -> Node {
        let next = self.ops.len();
        *self.known.entry(op).or_insert_with_key(|op| {
            self.ops.push(op.clone());
            next
        })
    }
}
