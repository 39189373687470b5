//! Diagnostics on standard error.

use credlens::finding::{Diagnostic, Level, first_of_each};
use credlens::output::diagnostic_line;

use super::terminal::print_message;

/// Whether a part of the inputs could not be evaluated.
pub(super) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == Level::Error)
}

/// Prints these diagnostics; without `verbose`, only the first few of each code and how many more there are.
pub(super) fn print_all<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>, verbose: bool) {
    if verbose {
        return diagnostics.for_each(|diagnostic| print_message(diagnostic_line(diagnostic)));
    }
    let (shown, more) = first_of_each(diagnostics);
    for diagnostic in shown {
        print_message(diagnostic_line(diagnostic));
    }
    for (code, count) in more {
        print_message(format_args!("… and {count} more of {code} (-v shows all)"));
    }
}
