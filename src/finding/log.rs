//! Collects the diagnostics of a run, and decides which are listed and which are only counted.

use std::collections::BTreeMap;

use super::{Code, Diagnostic, Level};

/// How many diagnostics of one code are listed for one input; the rest is only counted.
const LISTED_OF_INPUT: u64 = 100;

/// How many diagnostics a run lists besides errors; the rest is only counted.
const LISTED_OF_RUN: usize = 2_000;

/// How many diagnostics of one code are shown to people, unless they ask for all.
const SHOWN: u64 = 3;

/// The diagnostics of a run: a bounded list, and the number of the others.
#[derive(Debug, Default)]
pub struct DiagnosticLog {
    listed: Vec<Diagnostic>,
    /// The numbers in the current input, by code.
    of_input: BTreeMap<Code, u64>,
    /// How many of the run are only counted.
    omitted: u64,
    /// How many were listed and omitted before the current input.
    before: (usize, u64),
}

impl DiagnosticLog {
    /// Lists a diagnostic, or only counts it if enough of its code are listed for this input. Errors are always listed.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let count = self.of_input.entry(diagnostic.code).or_default();
        *count += 1;
        if diagnostic.level == Level::Error || *count <= LISTED_OF_INPUT {
            self.list(diagnostic);
        }
    }

    /// How many more of this code are listed for this input.
    pub fn room(&self, code: Code) -> usize {
        let count = self.of_input.get(&code).copied().unwrap_or_default();
        usize::try_from(LISTED_OF_INPUT.saturating_sub(count)).unwrap_or(usize::MAX)
    }

    /// Counts diagnostics that were not created, since there was no [`Self::room`].
    pub fn count(&mut self, code: Code, more: u64) {
        *self.of_input.entry(code).or_default() += more;
    }

    /// Begins an input.
    pub fn begin_input(&mut self) {
        self.before = (self.listed.len(), self.omitted);
    }

    /// Takes back what was said of the current input, but for errors: nothing of it was asked for.
    pub fn take_back_input(&mut self) {
        let (listed, omitted) = self.before;
        let of_input = self.listed.split_off(listed);
        let errors = of_input.into_iter().filter(|it| it.level == Level::Error);
        self.listed.extend(errors);
        self.omitted = omitted;
        self.of_input.clear();
    }

    /// Ends the current input: lists how many of each code were only counted.
    pub fn end_input(&mut self, path: &str) {
        for (code, count) in std::mem::take(&mut self.of_input) {
            if count > LISTED_OF_INPUT && code.level() != Level::Error {
                let unlisted = count - LISTED_OF_INPUT;
                let rest = Diagnostic::new(code, format!("{unlisted} more like this")).in_path(path);
                self.list(Diagnostic { unlisted, ..rest });
            }
        }
    }

    /// The listed diagnostics, in order.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        if self.omitted > 0 {
            let message = format!("{} more diagnostics are not listed", self.omitted);
            let unlisted = self.omitted;
            let rest = Diagnostic::new(Code::Omitted, message);
            self.listed.push(Diagnostic { unlisted, ..rest });
        }
        self.listed
    }

    fn list(&mut self, diagnostic: Diagnostic) {
        if diagnostic.level == Level::Error || self.listed.len() < LISTED_OF_RUN {
            self.listed.push(diagnostic);
        } else {
            self.omitted += diagnostic.unlisted.max(1);
        }
    }
}

/// The diagnostics that are not shown to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HiddenDiagnostics {
    /// How many there are.
    pub count: u64,
    /// How many of them are listed; the others are only counted.
    listed: u64,
}

impl HiddenDiagnostics {
    fn add(&mut self, diagnostic: &Diagnostic) {
        self.count += diagnostic.unlisted.max(1);
        self.listed += u64::from(diagnostic.unlisted == 0);
    }

    /// How many of them the list has: `them` or `97 of them`.
    pub fn in_list(&self) -> String {
        if self.listed == self.count {
            "them".to_owned()
        } else {
            format!("{} of them", self.listed)
        }
    }
}

/// The first few diagnostics of each code and every error, and the others by code.
pub fn first_of_each<'a>(
    diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
) -> (Vec<&'a Diagnostic>, BTreeMap<Code, HiddenDiagnostics>) {
    let mut counts: BTreeMap<Code, u64> = BTreeMap::new();
    let mut hidden: BTreeMap<Code, HiddenDiagnostics> = BTreeMap::new();
    let mut shown = Vec::new();
    for diagnostic in diagnostics {
        let count = counts.entry(diagnostic.code).or_default();
        // Each error names an input that was not evaluated, or not to its end.
        *count += u64::from(diagnostic.level != Level::Error);
        if diagnostic.level == Level::Error || *count <= SHOWN {
            shown.push(diagnostic);
        } else {
            hidden.entry(diagnostic.code).or_default().add(diagnostic);
        }
    }
    (shown, hidden)
}

/// At most this many diagnostics, errors first, then warnings; and the others.
pub fn gravest<'a>(
    diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
    most: usize,
) -> (Vec<&'a Diagnostic>, HiddenDiagnostics) {
    let mut shown: Vec<&Diagnostic> = diagnostics.into_iter().collect();
    shown.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.level));
    let mut hidden = HiddenDiagnostics::default();
    for diagnostic in shown.iter().skip(most) {
        hidden.add(diagnostic);
    }
    shown.truncate(most);
    (shown, hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(log: &mut DiagnosticLog, count: u64) {
        for row in 1..=count {
            log.push(Diagnostic::new(Code::RaggedRow, "ragged").in_row(row));
        }
    }

    #[test]
    fn an_input_lists_a_hundred_of_a_code_and_counts_the_rest() {
        let mut log = DiagnosticLog::default();
        rows(&mut log, 103);
        assert_eq!((log.room(Code::RaggedRow), log.room(Code::BadCell)), (0, 100));
        log.count(Code::BadCell, 101);
        log.end_input("a.csv");
        rows(&mut log, 1);
        log.end_input("b.csv");
        let listed = log.finish();
        assert_eq!(listed.len(), 103);
        let words = |at: usize| (listed[at].code, listed[at].row, &*listed[at].message);
        assert_eq!(words(100), (Code::RaggedRow, None, "3 more like this"));
        assert_eq!(words(101), (Code::BadCell, None, "1 more like this"));
        assert_eq!(words(102), (Code::RaggedRow, Some(1), "ragged"));
    }

    #[test]
    fn a_run_lists_two_thousand_and_every_error() {
        let mut log = DiagnosticLog::default();
        for _ in 0..25 {
            rows(&mut log, 100);
            log.push(Diagnostic::new(Code::Unreadable, "gone"));
            log.end_input("a.csv");
        }
        let listed = log.finish();
        let errors = listed.iter().filter(|one| one.level == Level::Error).count();
        assert_eq!(errors, 25);
        let last = listed.last().map(|last| (last.code, &*last.message));
        // Nineteen errors are among the first two thousand.
        assert_eq!(last, Some((Code::Omitted, "519 more diagnostics are not listed")));
    }

    #[test]
    fn people_see_the_first_three_of_a_code_and_every_error() {
        let mut all = vec![Diagnostic::new(Code::Unreadable, "gone"); 5];
        all.extend(vec![Diagnostic::new(Code::Gap, "gap"); 5]);
        let (shown, more) = first_of_each(&all);
        let two = HiddenDiagnostics { count: 2, listed: 2 };
        assert_eq!((shown.len(), more), (8, BTreeMap::from([(Code::Gap, two)])));
    }
}
