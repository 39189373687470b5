//! `github`: annotations of GitHub Actions, which are lines in the log of a step.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>. GitHub shows 10 of each kind per
//! step, so the worst 10 are written, and a notice counts the rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::common_parts::{account_id, user_name};
use super::foremost::{Mildness, mildness};
use super::{Arranger, FindingStream, ScanWriter};
use crate::engine::{FindingRef, UserRow};
use crate::finding::{Severity, Status};
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::counted;
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "github",
    "annotations of GitHub Actions, the worst 10 of each kind",
    Readers::Program,
    ScanWriter::StreamFindings(|| Box::new(Annotations)),
);

/// GitHub shows so many annotations of each kind per step.
const MOST: usize = 10;

/// The kinds of annotations, worst first.
const KINDS: [&str; 3] = ["error", "warning", "notice"];

/// Where [`KINDS`] has notices.
const NOTICE: usize = 2;

/// Writes findings as lines for [`WorstAnnotations`]: the kind's position and the rank, a byte each, then the annotation.
#[derive(Debug)]
struct Annotations;

impl FindingStream for Annotations {
    fn finding(&mut self, finding: &FindingRef<'_>, out: &mut Vec<u8>) {
        let kind = kind(finding);
        // No rank is a line end: it would end the line.
        let rank = mildness(finding) + b' ';
        out.extend_from_slice(&[b'0' + u8::try_from(kind).unwrap_or_default(), rank]);
        out.extend_from_slice(annotation(finding, KINDS[kind]).as_bytes());
        out.push(b'\n');
    }

    fn shows_lines(&self) -> bool {
        true
    }

    fn arranger(&self, _options: DisplayOptions) -> Option<Box<dyn Arranger>> {
        Some(Box::new(WorstAnnotations::default()))
    }
}

/// By severity; only what fails is an error, and what passes or is accepted is at most a notice.
fn kind(finding: &FindingRef<'_>) -> usize {
    let severity = finding.rule().bound.severity;
    match (finding.status, severity) {
        (Status::Fail, Severity::Critical | Severity::High) => 0,
        (Status::Fail, Severity::Medium)
        | (Status::Undetermined, Severity::Critical | Severity::High | Severity::Medium) => 1,
        (Status::Fail | Status::Undetermined, Severity::Low | Severity::Informational)
        | (Status::Suppressed | Status::Pass | Status::Due, _) => NOTICE,
    }
}

fn annotation(finding: &FindingRef<'_>, kind: &str) -> String {
    let bound = &finding.rule().bound;
    let mut out = format!("::{kind} title={}", property(&bound.rule.title));
    let path = &finding.input().path;
    if is_file(path) {
        write!(out, ",file={}", property(path)).expect("invariant: a string takes all");
    }
    if let Some(line) = line(finding) {
        write!(out, ",line={line}").expect("invariant: a string takes all");
    }
    out.push_str("::");
    out.push_str(&data(&message(finding)));
    out
}

/// Whether an annotation can be on it: live accounts, S3 and standard input are not files of a repository.
fn is_file(path: &str) -> bool {
    path != "-" && !path.contains("://")
}

fn line(finding: &FindingRef<'_>) -> Option<u64> {
    let input = finding.input();
    match finding.row() {
        Some(row) => row.line().filter(|_| is_file(&input.path)),
        None => (is_file(&input.path) && input.file.lines_before.is_some()).then_some(1),
    }
}

fn message(finding: &FindingRef<'_>) -> String {
    let row = finding.row();
    let user = user_name(finding).map(std::borrow::Cow::into_owned);
    let user = user.unwrap_or_else(|| match row.map(UserRow::number) {
        Some(number) => format!("row {number}"),
        None => "all users".to_owned(),
    });
    let account = account_id(finding).map(|account| match finding.account_name() {
        Some(name) => format!(" (account {account}, {name})"),
        None => format!(" (account {account})"),
    });
    let credential = finding.credential().map(|it| format!(", {}", it.name()));
    let status = match finding.status {
        Status::Suppressed => "accepted: ",
        Status::Fail | Status::Undetermined | Status::Pass | Status::Due => "",
    };
    let [account, credential] = [account, credential].map(Option::unwrap_or_default);
    format!(
        "{user}{account}{credential}: {status}{} [{}]",
        finding.message(),
        finding.rule().bound.rule.id
    )
}

/// The text of a command: GitHub's rules for `%` and line ends. What is not printable is escaped before that.
fn data(text: &str) -> String {
    escape(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, in which `:` and `,` are escaped as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The worst annotations of each kind.
#[derive(Debug, Default)]
struct WorstAnnotations {
    kinds: [KindOfAnnotations; KINDS.len()],
}

/// The worst annotations of one kind, by rank and number, and how many there are.
#[derive(Debug, Default)]
struct KindOfAnnotations {
    worst: BTreeMap<(Mildness, u64), Vec<u8>>,
    all: u64,
}

impl KindOfAnnotations {
    fn add(&mut self, rank: Mildness, annotation: &[u8]) {
        let key = (rank, self.all);
        self.all += 1;
        let has_room = self.worst.len() < MOST;
        if has_room || self.worst.last_key_value().is_some_and(|(last, _)| key < *last) {
            self.worst.insert(key, annotation.to_owned());
        }
        if self.worst.len() > MOST {
            self.worst.pop_last();
        }
    }
}

impl Arranger for WorstAnnotations {
    fn take(&mut self, findings: &[u8], _out: &mut Vec<u8>) {
        for line in findings.split_inclusive(|&byte| byte == b'\n') {
            let (head, annotation) = line.split_at(2);
            self.kinds[usize::from(head[0] - b'0')].add(head[1], annotation);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let all: u64 = self.kinds.iter().map(|kind| kind.all).sum();
        let shown: usize = self.kinds.iter().map(|kind| kind.worst.len()).sum();
        let notices = &mut self.kinds[NOTICE].worst;
        let mut rest = all - shown as u64;
        // The count of the rest is a notice, too.
        if rest > 0 && notices.len() == MOST {
            notices.pop_last();
            rest += 1;
        }
        for annotation in self.kinds.iter().flat_map(|kind| kind.worst.values()) {
            out.extend_from_slice(annotation);
        }
        if rest > 0 {
            let more = counted(rest, "more finding");
            let line =
                format!("::notice title=credlens::{more}; --format markdown and --format sarif show more\n");
            out.extend_from_slice(line.as_bytes());
        }
    }
}
