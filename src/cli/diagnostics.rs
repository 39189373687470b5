//! Diagnostics on standard error.

use credlens::finding::{Diagnostic, first_of_each};
use credlens::output::diagnostic_line;

use super::tell;

/// Prints these diagnostics, unless `verbose` only the first few of each code and how many more there are.
pub(super) fn print_all<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>, verbose: bool) {
    if verbose {
        return diagnostics.for_each(|diagnostic| tell(diagnostic_line(diagnostic)));
    }
    let (shown, more) = first_of_each(diagnostics);
    shown
        .into_iter()
        .for_each(|diagnostic| tell(diagnostic_line(diagnostic)));
    for (code, count) in more {
        tell(format_args!("… and {count} more of {code} (-v shows all)"));
    }
}
