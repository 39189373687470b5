//! Applies the filters of a run to the records of a chunk.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::bits::set;
use super::source::Input;
use super::verdicts::is_selected;
use crate::report::chunk::Chunk;
use crate::report::header::Header;
use crate::report::schema::TextColumn;
use crate::rule::{Filters, NearMisses};

/// The filters, and what they may have meant while no user is admitted.
#[derive(Debug)]
pub(super) struct Filtering<'a> {
    filters: &'a Filters,
    admitted: AtomicBool,
    /// Of the workers that have ended.
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
        (!self.is_any_admitted()).then(|| misses.message(self.filters))
    }

    /// Adds what a worker saw.
    pub(super) fn add_misses(&self, misses: NearMisses) {
        let mut all = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(misses);
    }

    /// Clears the bits of the records that are not admitted. `misses` are those of the worker.
    pub(super) fn apply(&self, input: &Input, chunk: &Chunk, misses: &mut NearMisses, selected: &mut [u64]) {
        let header = &input.header;
        let given = input.account.name.as_deref().map(str::as_bytes);
        let has_names = given.is_none() && chunk.has_account_column(header);
        for (rows, account) in chunk.account_runs(header) {
            let length = if has_names { 1 } else { rows.len().max(1) };
            for first in rows.clone().step_by(length) {
                let name = given.or_else(|| chunk.account_name(header, first));
                let rows = first..rows.end.min(first + length);
                self.apply_to_account((chunk, header), rows, (account, name), misses, selected);
            }
        }
    }

    /// The same for records that follow one another, of one account.
    fn apply_to_account(
        &self,
        (chunk, header): (&Chunk, &Header),
        rows: Range<usize>,
        (account, name): (Option<&[u8]>, Option<&[u8]>),
        misses: &mut NearMisses,
        selected: &mut [u64],
    ) {
        let is_account_admitted = self.filters.admits_account(account, name);
        if !self.filters.is_partial() {
            let is_any_selected = rows.clone().any(|row| is_selected(selected, row));
            if is_account_admitted && is_any_selected {
                self.admitted.store(true, Ordering::Relaxed);
            } else if is_any_selected && !self.is_any_admitted() {
                misses.add_account(self.filters, account, name);
            }
            if !is_account_admitted {
                rows.for_each(|row| set(selected, row, false));
            }
            return;
        }
        let mut is_account_seen = false;
        for row in rows {
            if !is_selected(selected, row) {
                continue;
            }
            // What was meant is only of interest if no user is admitted.
            let is_any_admitted = self.is_any_admitted();
            if !is_account_admitted && is_any_admitted {
                set(selected, row, false);
                continue;
            }
            let user = chunk.text(header, row, TextColumn::User);
            let user = user.filter(|user| !user.is_empty());
            let path = chunk.path(header, row);
            if is_account_admitted && self.filters.admits_user(user, path) {
                if !is_any_admitted {
                    self.admitted.store(true, Ordering::Relaxed);
                }
                continue;
            }
            set(selected, row, false);
            if !is_any_admitted {
                if !std::mem::replace(&mut is_account_seen, true) {
                    misses.add_account(self.filters, account, name);
                }
                misses.add_user(self.filters, user, path);
            }
        }
    }

    /// Notes accounts whose rows are not read, because none is admitted.
    pub(super) fn pass_over<'t>(
        &self,
        accounts: impl Iterator<Item = (&'t [u8], Option<&'t [u8]>)>,
        misses: &mut NearMisses,
    ) {
        if !self.is_any_admitted() {
            accounts.for_each(|(account, name)| misses.add_account(self.filters, Some(account), name));
        }
    }

    fn is_any_admitted(&self) -> bool {
        self.admitted.load(Ordering::Relaxed)
    }
}
