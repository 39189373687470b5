//! What was odd, on standard error.

use std::collections::BTreeMap;

use credlens::finding::{Diagnostic, Level};
use credlens::output::{diagnostic_line, harmless};

use super::tell;

/// How many of one code are told, unless all are wanted.
const TOLD: usize = 3;

/// Tells these diagnostics; of many of one code the first ones and how many more there are. Each error is
/// told: it names an input that was not judged, or not wholly.
pub(super) fn tell_all<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>, verbose: bool) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        if !verbose && diagnostic.level != Level::Error {
            let count = counts.entry(&diagnostic.code).or_default();
            *count += 1;
            if *count > TOLD {
                continue;
            }
        }
        tell(diagnostic_line(diagnostic));
    }
    for (code, count) in counts {
        if count > TOLD {
            let (more, code) = (count - TOLD, harmless(code));
            tell(format_args!("… and {more} more of {code} (-v shows all)"));
        }
    }
}
