//! What the rows of root say about the accounts of inputs: every whole report has one for each account.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::program::Program;
use super::verdicts::{ChunkView, is_selected};
use crate::finding::{Code, Diagnostic};

/// How many accounts a note names.
const NAMED: usize = 3;

/// The accounts of evaluated rows, and whether root's row is among them. It is not in reports of China regions and in
/// partial exports: rules about root have no verdict there, and nothing may count that as a pass.
#[derive(Debug, Default)]
pub(super) struct RootRows {
    accounts: BTreeMap<Vec<u8>, bool>,
    /// The same for rows without an account, if there are any.
    others: Option<bool>,
}

/// The accounts of the evaluated rows of a chunk, and whether root's row is among them.
pub(super) type AccountsOfChunk = Vec<(Option<Vec<u8>>, bool)>;

impl RootRows {
    /// Those of a chunk, in no order; none if no rule is about root.
    pub(super) fn of_chunk(program: &Program, view: ChunkView<'_>) -> AccountsOfChunk {
        if !program.is_about_root() {
            return AccountsOfChunk::new();
        }
        let ragged = view.chunk.rows.ragged();
        let is_ragged = |row: usize| ragged.binary_search_by(|&it| (it as usize).cmp(&row)).is_ok();
        let root = view.chunk.root();
        let has_roots = root.contains(&true);
        // Rows of one account may be among those of others.
        let mut runs: HashMap<Option<&[u8]>, bool> = HashMap::new();
        for (rows, account) in view.chunk.account_runs(&view.input.header) {
            // Nothing is known of a ragged record, not even that it has no account; unless it is root's, whatever is in other
            // blocks.
            let counts = |row: usize| account.is_some() || !is_ragged(row) || root[row];
            if has_row(view, rows.clone(), counts) {
                *runs.entry(account).or_default() |= has_roots && has_row(view, rows, |row| root[row]);
            }
        }
        let accounts = runs
            .into_iter()
            .map(|(account, has_root)| (account.map(<[u8]>::to_vec), has_root));
        accounts.collect()
    }

    fn insert(&mut self, account: Option<&[u8]>, has_root: bool) {
        match account {
            None => self.others = Some(has_root || self.others == Some(true)),
            Some(account) => match self.accounts.get_mut(account) {
                Some(known) => *known |= has_root,
                None => {
                    self.accounts.insert(account.to_vec(), has_root);
                }
            },
        }
    }

    /// Adds those of the next chunk.
    pub(super) fn append(&mut self, next: &AccountsOfChunk) {
        for (account, has_root) in next {
            self.insert(account.as_deref(), *has_root);
        }
    }

    /// Adds those of a whole report. Its rows without an account are of one that is not known, if there is no other.
    pub(super) fn append_report(&mut self, mut report: Self) {
        report.join_others();
        for (account, has_root) in report.accounts {
            self.insert(Some(&account), has_root);
        }
        // Of several such reports, each must have root's row.
        if let Some(has_root) = report.others {
            self.others = Some(has_root && self.others != Some(false));
        }
    }

    /// Rows with a damaged ARN are of the report's account. Where it has several, theirs is not known.
    fn join_others(&mut self) {
        if !self.accounts.is_empty() {
            let others = self.others.take();
            if let (1, Some((_, has_root))) = (self.accounts.len(), self.accounts.iter_mut().next()) {
                *has_root |= others == Some(true);
            }
        }
    }

    /// Whether an account has no row of root.
    pub(super) fn is_any_missing(&self) -> bool {
        self.others == Some(false) || self.accounts.values().any(|has_root| !has_root)
    }

    /// The note about a whole report, if an account of it has no row of root.
    pub(super) fn note(&mut self) -> Option<Diagnostic> {
        self.join_others();
        if !self.is_any_missing() {
            return None;
        }
        let without: Vec<_> = self.accounts.iter().filter(|(_, has_root)| !**has_root).collect();
        let who = match (without.len(), self.accounts.len()) {
            (_, 0 | 1) => "the report has no row of root".to_owned(),
            (count, all) => {
                let named = without.iter().take(NAMED);
                let mut names: Vec<_> = named
                    .map(|(account, _)| String::from_utf8_lossy(account).into_owned())
                    .collect();
                names.extend((count > NAMED).then(|| format!("and {} more", count - NAMED)));
                let have = if count == 1 { "has" } else { "have" };
                format!(
                    "{count} of its {all} accounts {have} no row of root ({})",
                    names.join(", ")
                )
            }
        };
        let message = format!(
            "{who}, so rules about root say nothing there; without one in another report, the requirements that they decide are undetermined"
        );
        Some(Diagnostic::new(Code::NoRoot, message))
    }
}

/// The accounts whose root row the current input has, with whether they have two.
#[derive(Debug, Default)]
pub(super) struct AccountsTwice {
    /// The number of the input.
    input: Option<usize>,
    accounts: BTreeMap<Vec<u8>, bool>,
}

impl AccountsTwice {
    /// A file may have an account twice, in one report or in several: every whole report has its root row.
    pub(super) fn add(&mut self, view: ChunkView<'_>) -> Vec<Diagnostic> {
        let ChunkView { input, chunk, .. } = view;
        if self.input != Some(input.id.input) {
            *self = Self {
                input: Some(input.id.input),
                accounts: BTreeMap::new(),
            };
        }
        let mut diagnostics = Vec::new();
        if !chunk.root().contains(&true) {
            return diagnostics;
        }
        for row in 0..chunk.rows.len() {
            if !chunk.root()[row] || !is_selected(view.selected, row) {
                continue;
            }
            let Some(account) = chunk.account(&input.header, row) else {
                continue;
            };
            let Some(is_noted) = self.accounts.get_mut(account) else {
                self.accounts.insert(account.to_vec(), false);
                continue;
            };
            if !std::mem::replace(is_noted, true) {
                let account = String::from_utf8_lossy(account);
                let message = format!(
                    "account {account} appears twice in this file, so its findings are counted twice"
                );
                let line = view.lines.line(&chunk.rows, row);
                let row = view.first_row + chunk.rows.data_rows_before(row) as u64;
                diagnostics.push(
                    Diagnostic::new(Code::AccountTwice, message)
                        .in_path(&input.path)
                        .in_row(row)
                        .on_line(line),
                );
            }
        }
        diagnostics
    }
}

/// Whether one of the rows is evaluated and fulfils the condition.
fn has_row(view: ChunkView<'_>, rows: Range<usize>, holds: impl Fn(usize) -> bool) -> bool {
    let mut rows = rows;
    rows.any(|row| is_selected(view.selected, row) && holds(row))
}
