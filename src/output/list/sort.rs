//! The order of a list: `--sort`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::column::{Cell, ListColumn};
use crate::engine::ItemRef;
use crate::report::time::Timestamp;
use crate::report::word::UnknownWord;

/// By which column a list is sorted. Lines without a value come last, equal ones stay in the order of inputs and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortOrder {
    column: ListColumn,
    descending: bool,
}

/// Short names of columns.
const ALIASES: [(&str, ListColumn); 4] = [
    ("age", ListColumn::AgeDays),
    ("idle", ListColumn::IdleDays),
    ("due", ListColumn::DueAt),
    ("source", ListColumn::SourcePath),
];

impl SortOrder {
    /// The words for columns, the short ones first.
    pub fn words() -> Vec<&'static str> {
        let short = ALIASES.iter().map(|(alias, _)| *alias);
        short.chain(ListColumn::ALL.map(ListColumn::name)).collect()
    }
}

impl FromStr for SortOrder {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let (word, descending) = match text.strip_prefix('-') {
            Some(word) => (word, true),
            None => (text, false),
        };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == word);
        let column = match alias {
            Some(&(_, column)) => column,
            None => word.parse().map_err(|error: UnknownWord| UnknownWord {
                known: format!("age, idle, due, {}", error.known),
                ..error
            })?,
        };
        Ok(Self { column, descending })
    }
}

impl fmt::Display for SortOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", self.column.name())
    }
}

/// What an item is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortKey {
    Number(i64),
    Text(Box<[u8]>),
}

impl SortOrder {
    /// Whether it sorts by the time at which something will fail.
    pub fn is_by_due(self) -> bool {
        self.column == ListColumn::DueAt
    }

    /// The column.
    pub(super) fn column(self) -> ListColumn {
        self.column
    }

    /// What the item is sorted by; none where it has no value.
    pub(super) fn key(self, item: &ItemRef<'_>) -> Option<SortKey> {
        // Within a day, the exact time decides.
        let exact = |time: Option<Timestamp>| {
            let seconds = time?.seconds_until(item.input().as_of)?;
            Some(SortKey::of_number(seconds))
        };
        if self.column == ListColumn::AgeDays {
            return exact(item.created);
        }
        if self.column == ListColumn::IdleDays {
            return exact(item.last_used());
        }
        if self.column == ListColumn::Severity {
            return item.severity.map(|severity| SortKey::Number(severity as i64));
        }
        match self.column.cell(item) {
            Cell::Null => None,
            Cell::Text(text) => Some(SortKey::Text(text.into())),
            Cell::Word(word) => Some(SortKey::Text(word.as_bytes().into())),
            Cell::Time(time) => Some(SortKey::Number(time.0)),
            Cell::Number(number) => Some(SortKey::of_number(number)),
            Cell::Flag(flag) => Some(SortKey::Number(i64::from(flag))),
        }
    }

    pub(super) fn compare(self, one: Option<&SortKey>, other: Option<&SortKey>) -> Ordering {
        match (one, other) {
            (Some(one), Some(other)) if self.descending => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}

impl SortKey {
    fn of_number(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_column_in_both_directions() {
        for column in ListColumn::ALL {
            let name = column.name();
            assert_eq!(name.parse::<SortOrder>().unwrap().to_string(), name);
            let descending = format!("-{name}");
            assert_eq!(descending.parse::<SortOrder>().unwrap().to_string(), descending);
        }
        assert_eq!("-age".parse::<SortOrder>().unwrap().to_string(), "-age_days");
        assert_eq!("due".parse::<SortOrder>().unwrap().to_string(), "due_at");
        let error = "--age".parse::<SortOrder>().unwrap_err().to_string();
        assert!(
            error.contains("column") && error.contains("age, idle, due, account"),
            "{error}"
        );
    }

    #[test]
    fn lines_without_a_value_come_last() {
        for descending in [false, true] {
            let order = SortOrder {
                column: ListColumn::AgeDays,
                descending,
            };
            let key = SortKey::Number(1);
            assert_eq!(order.compare(None, Some(&key)), Ordering::Greater);
            assert_eq!(order.compare(Some(&key), None), Ordering::Less);
            let greater = order.compare(Some(&key), Some(&SortKey::Number(0)));
            assert_eq!(greater == Ordering::Less, descending);
        }
    }
}
