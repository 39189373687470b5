//! The rows of a block that were left out, as gaps between its records.

use super::rows::offset;

/// Where rows were left out.
#[derive(Clone, Debug, Default)]
pub struct Gaps(
    /// Records before which rows were left out, ascending, and how many rows were left out up to there.
    Vec<(u32, u32)>,
);

impl Gaps {
    /// Nothing is left out.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Leaves out rows before this record, which is none before the last gap.
    pub fn leave_out(&mut self, record: usize, rows: u32) {
        let record = offset(record);
        match self.0.last_mut() {
            Some((at, count)) if *at == record => *count = count.saturating_add(rows),
            last => {
                let before = last.map_or(0, |&mut (_, count)| count);
                self.0.push((record, before.saturating_add(rows)));
            }
        }
    }

    /// How many data rows are before this record, including those that were left out.
    #[inline]
    pub(super) fn data_rows_before(&self, record: usize) -> usize {
        if self.0.is_empty() {
            return record;
        }
        let gaps = self.0.partition_point(|&(at, _)| at as usize <= record);
        let left_out = gaps.checked_sub(1).map_or(0, |gap| self.0[gap].1);
        record + left_out as usize
    }

    /// Which of so many records is this data row, from 0; none if the row was left out.
    pub(super) fn record_of_data_row(&self, row: usize, records: usize) -> Option<usize> {
        let gaps = self
            .0
            .partition_point(|&(at, count)| at as usize + count as usize <= row);
        let left_out = gaps.checked_sub(1).map_or(0, |gap| self.0[gap].1);
        let record = row - left_out as usize;
        let end = self.0.get(gaps).map_or(records, |&(at, _)| at as usize);
        (record < end).then_some(record)
    }
}
