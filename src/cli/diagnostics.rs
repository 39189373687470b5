//! Diagnostics on standard error.

use std::collections::BTreeSet;

use credlens::finding::{Diagnostic, Level, first_of_each};
use credlens::output::diagnostic_line;

use super::terminal::print_message;

/// Whether a part of the inputs could not be evaluated.
pub(super) fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == Level::Error)
}

/// Prints these diagnostics; without `verbose`, only the first few of each code and how many more there are, else the
/// help after the first of each code.
pub(super) fn print_all<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>, verbose: bool) {
    if verbose {
        let mut codes = BTreeSet::new();
        for diagnostic in diagnostics {
            print_message(diagnostic_line(diagnostic));
            if codes.insert(diagnostic.code) {
                print_message(format_args!("  help: {}", diagnostic.help()));
            }
        }
        return;
    }
    let (shown, hidden) = first_of_each(diagnostics);
    for diagnostic in shown {
        print_message(diagnostic_line(diagnostic));
    }
    for (code, hidden) in hidden {
        let (count, listed) = (hidden.count, hidden.in_list());
        print_message(format_args!("… and {count} more of {code} (-v shows {listed})"));
    }
}
