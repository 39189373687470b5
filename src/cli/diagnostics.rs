//! Diagnostics on standard error.

use std::collections::BTreeSet;

use credlens::finding::{Code, Diagnostic, Level, PassedOver, first_of_each};
use credlens::output::diagnostic_line;

use super::terminal::print_message;

/// Whether a part of the inputs could not be evaluated.
pub(super) fn has_errors<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> bool {
    let mut diagnostics = diagnostics.into_iter();
    diagnostics.any(|diagnostic| diagnostic.level == Level::Error)
}

/// Whether it is printed whatever the level, unless little is to be printed: what was read says what the results are
/// about.
pub(super) fn is_about_inputs(diagnostic: &Diagnostic) -> bool {
    matches!(
        diagnostic.code,
        Code::Settings | Code::Filtered | Code::SnapshotsLeftOut | Code::NotReports
    )
}

/// Whether it is printed even where standard output shows it, unless little is to be printed: that details are
/// missing is easily overlooked among the findings.
pub(super) fn is_cut_off(diagnostic: &Diagnostic) -> bool {
    let of_details = [
        Code::KeyIdsUnknown,
        Code::ServiceCredentialsUnknown,
        Code::TagsUnknown,
    ];
    of_details.contains(&diagnostic.code) && diagnostic.level == Level::Warning
}

/// Prints what each file is that was passed over.
pub(super) fn print_passed_over(files: &[PassedOver]) {
    for file in files {
        print_message(diagnostic_line(&file.note()));
    }
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
