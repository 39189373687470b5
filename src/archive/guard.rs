//! The Parquet library panics on some damaged bytes, and where memory or threads run out. Here that becomes an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::thread::current;

use super::error::Error;

thread_local! {
    /// Whether a panic of this thread is caught here.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// How the threads of the library are named. Their panics reach the thread that waits for them.
const THREADS: &str = "polars";

/// Parts of panics that are about the machine, not about the bytes: threads and memory that cannot be had, and what
/// such a panic left half made.
const RESOURCES: [&str; 7] = [
    "spawn",
    "thread",
    "memory",
    "alloc",
    "capacity",
    "poisoned",
    "Resource temporarily unavailable",
];

/// Runs a part of the library; the text of a panic, which is not printed.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    QUIET.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            let of_library = || current().name().is_some_and(|name| name.starts_with(THREADS));
            if !GUARDED.get() && !of_library() {
                usual(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(outer);
    result.map_err(|panic| text(&*panic))
}

/// What a panic while bytes were read means.
pub(super) fn unreadable(path: &str, panic: String) -> Error {
    if RESOURCES.iter().any(|part| panic.contains(part)) {
        return Error::Stopped(format!("cannot read {path}"), panic);
    }
    Error::Unreadable(path.to_owned())
}

/// The first line of a panic's message.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let line = text.and_then(|text| text.lines().next());
    line.unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(guarded(|| 1), Ok(1));
        let panic = guarded(|| panic!("the bytes are odd")).unwrap_err();
        assert!(
            unreadable("a.parquet", panic)
                .to_string()
                .starts_with("a.parquet is damaged or cut off; "),
        );
    }

    #[test]
    fn a_panic_for_want_of_threads_or_memory_says_what_to_do() {
        let message = "could not spawn threads: Resource temporarily unavailable";
        let panic = guarded(|| panic!("{message}")).unwrap_err();
        let error = unreadable("a.parquet", panic).to_string();
        assert!(
            error
                .starts_with("cannot read a.parquet: the Parquet library stopped (could not spawn threads: "),
            "{error}"
        );
        assert!(error.contains("POLARS_MAX_THREADS=1"), "{error}");
    }
}
