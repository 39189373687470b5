//! Applies the filters of a run to the records of a chunk.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::source::Input;
use crate::report::cell::path_of;
use crate::report::chunk::Chunk;
use crate::report::header::Header;
use crate::report::schema::TextColumn;
use crate::rule::{Filters, NearMisses, UserToFilter};

/// The filters, and what they may have meant while no user is admitted.
#[derive(Debug)]
pub(super) struct Filtering<'a> {
    filters: &'a Filters,
    admitted: AtomicBool,
    misses: Mutex<NearMisses>,
}

impl<'a> Filtering<'a> {
    /// None if every user is admitted.
    pub(super) fn new(filters: Option<&'a Filters>) -> Option<Self> {
        let filters = filters.filter(|filters| !filters.is_empty())?;
        Some(Self {
            filters,
            admitted: AtomicBool::new(false),
            misses: Mutex::default(),
        })
    }

    pub(super) fn filters(&self) -> &Filters {
        self.filters
    }

    /// What to say if no user was admitted.
    pub(super) fn no_match(&self) -> Option<String> {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        (!self.admitted.load(Ordering::Relaxed)).then(|| misses.message(self.filters))
    }

    /// Clears the bits of the records that are not admitted.
    pub(super) fn apply(&self, input: &Input, chunk: &Chunk, selected: &mut [u64]) {
        let header = &input.header;
        for (rows, account) in chunk.account_runs(header) {
            for row in rows {
                let bit = 1 << (row % 64);
                if selected[row / 64] & bit == 0 {
                    continue;
                }
                let name = input.account.name.as_deref().map(str::as_bytes);
                let user = UserToFilter {
                    account,
                    account_name: name.or_else(|| chunk.account_name(header, row)),
                    ..user(chunk, header, row)
                };
                if !self.admits(&user) {
                    selected[row / 64] &= !bit;
                }
            }
        }
    }

    fn admits(&self, user: &UserToFilter<'_>) -> bool {
        if self.filters.admits(user) {
            self.admitted.store(true, Ordering::Relaxed);
            return true;
        }
        // What was meant is only of interest if no user is admitted.
        if !self.admitted.load(Ordering::Relaxed) {
            let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
            misses.add(self.filters, user);
        }
        false
    }
}

/// The name and the path of a record. Root's ARN has none.
fn user<'a>(chunk: &'a Chunk, header: &Header, row: usize) -> UserToFilter<'a> {
    let some = |text: &&[u8]| !text.is_empty();
    let arn = chunk.text(header, row, TextColumn::Arn);
    UserToFilter {
        user: chunk.text(header, row, TextColumn::User).filter(some),
        path: arn.map(path_of).filter(some),
        ..UserToFilter::default()
    }
}
