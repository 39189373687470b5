//! stub
use super::schema::{Column, ColumnSet};
#[derive(Clone, Debug)]
pub struct Header {
    pub delimiter: u8,
    pub width: usize,
    pub names: Vec<String>,
    positions: [Option<usize>; Column::COUNT],
}
impl Header {
    pub fn position(&self, c: impl Into<Column>) -> Option<usize> {
        self.positions[c.into().index()]
    }
    pub fn missing(&self) -> ColumnSet {
        Column::ALL
            .into_iter()
            .filter(|c| self.position(*c).is_none())
            .collect()
    }
    pub fn of(names: &[&str], delimiter: u8) -> Self {
        let mut positions = [None; Column::COUNT];
        for (i, n) in names.iter().enumerate() {
            if let Some(c) = Column::from_name(n) {
                positions[c.index()] = Some(i);
            }
        }
        Self {
            delimiter,
            width: names.len(),
            names: names.iter().map(|s| (*s).to_owned()).collect(),
            positions,
        }
    }
}
