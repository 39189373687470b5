//! Checked rules. Every value of these types makes sense: a time is only ever compared with times, a flag
//! only with flags, and every attribute is a column of the report.

use crate::report::schema::{Column, ColumnSet, Credential, FlagColumn, Slot, TextColumn, TimeColumn};
use crate::report::time::Unit;

/// What a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// One a row.
    IamUser,
    /// One a key that exists: active, or with a `last_rotated`. An extension of GSL.
    IamAccessKey,
    /// One a certificate that exists: active, or with a `last_rotated`. An extension of GSL.
    IamSigningCertificate,
}

impl Entity {
    /// All entities.
    pub const ALL: [Self; 3] = [Self::IamUser, Self::IamAccessKey, Self::IamSigningCertificate];

    /// The word in GSL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IamUser => "IamUser",
            Self::IamAccessKey => "IamAccessKey",
            Self::IamSigningCertificate => "IamSigningCertificate",
        }
    }

    /// The slots in which a row can hold such an entity; for [`Entity::IamUser`] the one that stands for the row.
    pub const fn slots(self) -> &'static [Slot] {
        match self {
            Self::IamUser => &[Slot::One],
            Self::IamAccessKey | Self::IamSigningCertificate => &Slot::ALL,
        }
    }

    /// The two columns that say whether the entity in this slot exists; none for a user, whose row is enough.
    pub const fn existence(self, slot: Slot) -> Option<(FlagColumn, TimeColumn)> {
        match (self, slot) {
            (Self::IamUser, _) => None,
            (Self::IamAccessKey, Slot::One) => Some((FlagColumn::Key1Active, TimeColumn::Key1LastRotated)),
            (Self::IamAccessKey, Slot::Two) => Some((FlagColumn::Key2Active, TimeColumn::Key2LastRotated)),
            (Self::IamSigningCertificate, Slot::One) => {
                Some((FlagColumn::Cert1Active, TimeColumn::Cert1LastRotated))
            }
            (Self::IamSigningCertificate, Slot::Two) => {
                Some((FlagColumn::Cert2Active, TimeColumn::Cert2LastRotated))
            }
        }
    }

    /// The credential that the entity in this slot is, if it is one.
    pub const fn credential(self, slot: Slot) -> Option<Credential> {
        match self {
            Self::IamUser => None,
            Self::IamAccessKey => Some(Credential::AccessKey(slot)),
            Self::IamSigningCertificate => Some(Credential::Certificate(slot)),
        }
    }
}

/// An attribute of an entity: its name in GSL, and the column that holds it for each slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attribute<C> {
    name: &'static str,
    slots: [C; 2],
}

impl<C: Copy> Attribute<C> {
    /// Only `attributes` makes these.
    pub(super) const fn new(name: &'static str, slots: [C; 2]) -> Self {
        Self { name, slots }
    }

    /// The path in GSL, such as `firstAccessKey.isActive`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The column that holds it for the entity in this slot.
    pub const fn column(&self, slot: Slot) -> C {
        match slot {
            Slot::One => self.slots[0],
            Slot::Two => self.slots[1],
        }
    }
}

/// A condition. `!=`, `unlike` and `not in` are [`Expr::Not`] of their opposites.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expr {
    /// All hold. At least two, none of them an `And`: [`Expr::and`] sees to it.
    And(Vec<Expr>),
    /// Any holds. At least two, none of them an `Or`: [`Expr::or`] sees to it.
    Or(Vec<Expr>),
    /// Does not hold.
    Not(Box<Expr>),
    /// The flag is exactly this.
    Flag(Attribute<FlagColumn>, bool),
    /// A question to a time.
    Time(Attribute<TimeColumn>, TimeTest),
    /// A question to text.
    Text(Attribute<TextColumn>, TextTest),
    /// The absolute difference of two times, compared with a count of units.
    Difference {
        /// One time.
        left: Attribute<TimeColumn>,
        /// The other.
        right: Attribute<TimeColumn>,
        /// In what the difference is counted.
        unit: Unit,
        /// How it is compared.
        comparison: Comparison,
        /// With what.
        count: i64,
    },
}

/// What can be asked of a time. Counts of units are from the as-of, negative in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeTest {
    /// Strictly before as-of + n units.
    Before(i64, Unit),
    /// Strictly after as-of + n units.
    After(i64, Unit),
    /// Absent.
    IsEmpty,
}

/// What can be asked of text. Absent text compares as ''.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// Exactly this.
    Equals(String),
    /// Exactly one of these; at least one.
    In(Vec<String>),
    /// Matches the pattern, in which `%` stands for any run of characters.
    Like(String),
    /// Matches the regular expression somewhere.
    Matches(Pattern),
    /// Absent or empty.
    IsEmpty,
}

/// A regular expression that is known to compile within its size limit. `\/` in it means `/` and becomes it.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    ignore_case: bool,
    regex: regex::bytes::Regex,
}

impl Pattern {
    /// Compiles it; the size of the compiled program is bounded.
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

    /// As written between the slashes, but with plain slashes in it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it carries the flag `i`.
    pub const fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether it matches somewhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }
}

/// Takes the backslash from each `\/`; other escapes stay.
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

/// How a difference is compared; `!=` is `not … =`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

/// A checked rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypedRule {
    /// What it judges.
    pub entity: Entity,
    /// `where`: what is relevant.
    pub relevant: Option<Expr>,
    /// Whether the condition is forbidden (`should not`) or demanded (`should`).
    pub forbidden: bool,
    /// The condition, as written after `should`.
    pub condition: Expr,
    /// `exclude`: what is not relevant after all.
    pub exclude: Option<Expr>,
}

impl Expr {
    /// All of these; nested `And`s are taken apart, a single one stays itself.
    ///
    /// # Panics
    /// On an empty list.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            if let Self::And(inner) = part {
                flat.extend(inner);
            } else {
                flat.push(part);
            }
        }
        single(flat).unwrap_or_else(Self::And)
    }

    /// Any of these; nested `Or`s are taken apart, a single one stays itself.
    ///
    /// # Panics
    /// On an empty list.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            if let Self::Or(inner) = part {
                flat.extend(inner);
            } else {
                flat.push(part);
            }
        }
        single(flat).unwrap_or_else(Self::Or)
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

    /// The columns that this reads for the entity in this slot.
    pub fn columns(&self, slot: Slot) -> ColumnSet {
        let mut set = ColumnSet::default();
        match self {
            Self::And(parts) | Self::Or(parts) => {
                return parts.iter().fold(set, |set, part| set.union(part.columns(slot)));
            }
            Self::Not(inner) => return inner.columns(slot),
            Self::Flag(attribute, _) => set.insert(attribute.column(slot)),
            Self::Time(attribute, _) => set.insert(attribute.column(slot)),
            Self::Text(attribute, _) => set.insert(attribute.column(slot)),
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
    /// The columns that the rule reads for the entity in this slot: those of its logic and those that say
    /// whether the entity exists.
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

    /// The credential that a verdict on the entity in this slot is about: the entity itself, or the one
    /// credential whose columns the logic reads.
    pub fn credential(&self, slot: Slot) -> Option<Credential> {
        self.entity.credential(slot).or_else(|| {
            let mut credentials = self.columns(slot).iter().filter_map(Column::credential);
            let first = credentials.next()?;
            credentials.all(|other| other == first).then_some(first)
        })
    }
}
