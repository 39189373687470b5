//! Looks up the owners of all users, also of those without findings: lines of a file of owners that count for no user are
//! reported.

use super::finding_ref::UserRow;
use super::program::Program;
use super::verdicts::{ChunkView, is_selected};

/// Uses the lines of the file for the users of this chunk, if there is a file.
pub(super) fn use_owners(program: &Program, view: ChunkView<'_>) {
    let owners = &program.owners;
    if owners.is_of_tags_only() {
        return;
    }
    let rows = 0..view.chunk.rows.len();
    for row in rows.filter(|&row| is_selected(view.selected, row)) {
        UserRow::new(view, row).owner(owners);
    }
}
