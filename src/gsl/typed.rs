//! Checked rules. Every value of these types is meaningful: a time is compared only with times, a flag only with
//! flags, and every attribute is a column of the report.

use crate::report::schema::{
    ACCESS_KEY, BySlot, CERTIFICATE, Column, ColumnSet, Credential, FlagColumn, Slot, SlotColumns,
    TextColumn, TimeColumn,
};
use crate::report::time::Unit;
use crate::report::word::word_enum;

word_enum! {
    /// The entities that rules evaluate.
    pub enum Entity {
        /// One for each row.
        IamUser = "IamUser",
        /// One for each key that exists: active, or with a `last_rotated`. An extension of GSL.
        IamAccessKey = "IamAccessKey",
        /// One for each certificate that exists: active, or with a `last_rotated`. An extension of GSL.
        IamSigningCertificate = "IamSigningCertificate",
        /// One for each service-specific credential. Only details have these. An extension of GSL.
        IamServiceCredential = "IamServiceCredential",
    }
}

impl Entity {
    /// The slots in which a row can have such an entity; one where the row itself is the entity.
    pub const fn slots(self) -> &'static [Slot] {
        match self {
            Self::IamUser | Self::IamServiceCredential => &[Slot::One],
            Self::IamAccessKey | Self::IamSigningCertificate => &Slot::ALL,
        }
    }

    /// The two columns that say whether the entity in this slot exists; none where the row is enough.
    pub const fn existence(self, slot: Slot) -> Option<(FlagColumn, TimeColumn)> {
        match self.slot_columns() {
            Some(columns) => Some((columns.active[slot as usize], columns.last_rotated[slot as usize])),
            None => None,
        }
    }

    /// The columns of such entities by slot; none where there are no slots.
    pub const fn slot_columns(self) -> Option<&'static SlotColumns> {
        match self {
            Self::IamUser | Self::IamServiceCredential => None,
            Self::IamAccessKey => Some(&ACCESS_KEY),
            Self::IamSigningCertificate => Some(&CERTIFICATE),
        }
    }

    /// Whether it is in details alone, and in no report.
    pub const fn needs_details(self) -> bool {
        matches!(self, Self::IamServiceCredential)
    }

    /// The credential that the entity in this slot is, if it is one.
    pub const fn credential(self, slot: Slot) -> Option<Credential> {
        match self {
            Self::IamUser => None,
            Self::IamAccessKey => Some(Credential::AccessKey(slot)),
            Self::IamSigningCertificate => Some(Credential::Certificate(slot)),
            Self::IamServiceCredential => Some(Credential::ServiceCredential),
        }
    }
}

/// An attribute of an entity: its name in GSL, and its column for each slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attribute<C> {
    name: &'static str,
    slots: BySlot<C>,
}

impl<C: Copy> Attribute<C> {
    /// Only `attributes` creates these.
    pub(super) const fn new(name: &'static str, slots: BySlot<C>) -> Self {
        Self { name, slots }
    }

    /// The path in GSL, such as `firstAccessKey.isActive`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its column for the entity in this slot.
    pub const fn column(&self, slot: Slot) -> C {
        self.slots[slot as usize]
    }
}

/// Where the text of an attribute comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextSource {
    /// A cell.
    Cell(TextColumn),
    /// The partition in the ARN, such as `aws-us-gov`.
    Partition,
    /// The IAM path in the ARN, such as `/` or `/division/team/`; root has none.
    Path,
}

impl TextSource {
    /// The column that it is in.
    pub const fn column(self) -> TextColumn {
        match self {
            Self::Cell(column) => column,
            Self::Partition | Self::Path => TextColumn::Arn,
        }
    }
}

/// A condition. `!=`, `unlike` and `not in` are [`Expr::Not`] of their opposites.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// All are true. At least two, none of them an `And`: [`Expr::and`] ensures this.
    And(Vec<Expr>),
    /// Any is true. At least two, none of them an `Or`: [`Expr::or`] ensures this.
    Or(Vec<Expr>),
    /// It is false.
    Not(Box<Expr>),
    /// The flag has exactly this value.
    Flag(Attribute<FlagColumn>, bool),
    /// A test of a time.
    Time(Attribute<TimeColumn>, TimeTest),
    /// A test of text.
    Text(Attribute<TextSource>, TextTest),
    /// The absolute difference of two times, compared with a count of units.
    Difference {
        /// One time.
        left: Attribute<TimeColumn>,
        /// The other.
        right: Attribute<TimeColumn>,
        /// The unit of `count`.
        unit: Unit,
        /// How the difference is compared with `count`.
        comparison: Comparison,
        /// A number of units.
        count: i64,
    },
}

/// A test of a time. Counts of units are from the as-of, negative in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeTest {
    /// Strictly before as-of + n units.
    Before(i64, Unit),
    /// Strictly after as-of + n units.
    After(i64, Unit),
    /// Absent.
    IsEmpty,
}

/// A test of text. Absent text is compared as ''.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// Exactly this.
    Equals(String),
    /// Exactly one of these; the list is not empty.
    In(Vec<String>),
    /// Matches the pattern, in which `%` is any run of characters.
    Like(String),
    /// Matches the regular expression somewhere.
    Matches(Pattern),
    /// Absent or empty.
    IsEmpty,
}

/// A compiled regular expression within its size limit. `\/` in its source becomes `/`.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    ignore_case: bool,
    regex: regex::bytes::Regex,
}

impl Pattern {
    /// Compiles the source; the size of the compiled program is bounded.
    pub fn new(source: &str, ignore_case: bool) -> Result<Self, regex::Error> {
        const SIZE_LIMIT: usize = 1 << 20;
        let source = unescape_slashes(source);
        let regex = regex::bytes::RegexBuilder::new(&source)
            .case_insensitive(ignore_case)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()?;
        Ok(Self {
            source,
            ignore_case,
            regex,
        })
    }

    /// The text between the slashes, with `\/` as `/`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it has the flag `i`.
    pub const fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether it matches somewhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// Removes the backslash from each `\/`; other escapes are unchanged.
fn unescape_slashes(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut chars = source.chars();
    while let Some(char) = chars.next() {
        let escaped = if char == '\\' { chars.next() } else { None };
        if escaped != Some('/') {
            plain.push(char);
        }
        plain.extend(escaped);
    }
    plain
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.ignore_case == other.ignore_case
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.ignore_case.hash(state);
    }
}

word_enum! {
    /// How a difference is compared; `!=` is `not … =`.
    pub enum Comparison {
        /// `<`
        Less = "<",
        /// `<=`
        AtMost = "<=",
        /// `=`
        Equal = "=",
        /// `>=`
        AtLeast = ">=",
        /// `>`
        More = ">",
    }
}

/// A checked rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypedRule {
    /// The entities that it evaluates.
    pub entity: Entity,
    /// `where`: which of them are relevant.
    pub relevant: Option<Expr>,
    /// Whether the condition is forbidden (`should not`) or required (`should`).
    pub forbidden: bool,
    /// The condition, as written after `should`.
    pub condition: Expr,
    /// `exclude`: which relevant ones are excluded.
    pub exclude: Option<Expr>,
}

impl Expr {
    /// All of these; nested `And`s are flattened, and a single part is returned as it is.
    ///
    /// # Panics
    /// On an empty list.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| {
            if let Self::And(inner) = part {
                inner
            } else {
                vec![part]
            }
        });
        single(flat.collect()).unwrap_or_else(Self::And)
    }

    /// Any of these; nested `Or`s are flattened, and a single part is returned as it is.
    ///
    /// # Panics
    /// On an empty list.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| {
            if let Self::Or(inner) = part {
                inner
            } else {
                vec![part]
            }
        });
        single(flat.collect()).unwrap_or_else(Self::Or)
    }

    /// The opposite of this.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "`and`, `or` and `not` are the words of GSL"
    )]
    pub fn not(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The columns that this reads for the entity in this slot. Parts of the ARN count as none: without a readable ARN
    /// they are absent, so that no verdict is undetermined for want of it.
    pub fn columns(&self, slot: Slot) -> ColumnSet {
        let mut set = ColumnSet::default();
        match self {
            Self::And(parts) | Self::Or(parts) => {
                return parts.iter().fold(set, |set, part| set.union(part.columns(slot)));
            }
            Self::Not(inner) => return inner.columns(slot),
            Self::Flag(attribute, _) => set.insert(attribute.column(slot)),
            Self::Time(attribute, _) => set.insert(attribute.column(slot)),
            Self::Text(attribute, _) => match attribute.column(slot) {
                TextSource::Cell(column) => set.insert(column),
                TextSource::Partition | TextSource::Path => {}
            },
            Self::Difference { left, right, .. } => {
                set.insert(left.column(slot));
                set.insert(right.column(slot));
            }
        }
        set
    }
}

fn single(mut parts: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    assert!(!parts.is_empty(), "a condition has at least one part");
    if parts.len() == 1 {
        parts.pop().ok_or(parts)
    } else {
        Err(parts)
    }
}

impl TypedRule {
    /// The columns that the rule reads for the entity in this slot: those of its logic and those that decide whether
    /// the entity exists.
    pub fn columns(&self, slot: Slot) -> ColumnSet {
        let mut set = self.condition.columns(slot);
        for expr in [&self.relevant, &self.exclude].into_iter().flatten() {
            set = set.union(expr.columns(slot));
        }
        if let Some((active, created)) = self.entity.existence(slot) {
            set.insert(active);
            set.insert(created);
        }
        set
    }

    /// The columns that the rule reads for entities in any slot.
    pub fn all_columns(&self) -> ColumnSet {
        self.entity
            .slots()
            .iter()
            .fold(ColumnSet::default(), |set, &slot| set.union(self.columns(slot)))
    }

    /// The credential that a verdict on the entity in this slot is about: the entity itself, or the only credential
    /// whose columns the logic reads.
    pub fn credential(&self, slot: Slot) -> Option<Credential> {
        self.entity.credential(slot).or_else(|| {
            let mut credentials = self.columns(slot).iter().filter_map(Column::credential);
            let first = credentials.next()?;
            credentials.all(|other| other == first).then_some(first)
        })
    }
}
