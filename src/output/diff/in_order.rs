//! Formats the items of a diff in parallel and writes them in order, in bounded memory.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::DiffView;

/// How many events, or users with their findings, a thread formats at a time.
const PART: usize = 256;
/// How many formatted parts are in memory at most, for each thread.
const PARTS: usize = 16;

/// Formats this many events, or users with their findings, in parallel, and writes them in order.
pub(super) fn write_in_order(
    view: &DiffView<'_>,
    all: usize,
    format: impl Fn(Range<usize>, &mut Vec<u8>) + Sync,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let at_once = PART * PARTS * view.workers.count();
    let spare = Mutex::new(Vec::<Vec<u8>>::new());
    let spare = || spare.lock().unwrap_or_else(PoisonError::into_inner);
    for start in (0..all).step_by(at_once) {
        let some = start..all.min(start + at_once);
        let texts = view.workers.in_parts(some, PART, |part| {
            let mut text = spare().pop().unwrap_or_default();
            format(part, &mut text);
            text
        });
        for mut text in texts {
            write(&text)?;
            text.clear();
            spare().push(text);
        }
    }
    Ok(())
}
