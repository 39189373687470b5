//! `table`: counts, then the worst findings by user, for people at a terminal.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::summary::{inputs, rules_with_findings, verdict};
use super::{ScanView, ScanWriter, compliance, due, fixes, ranking};
use crate::finding::{Finding, Status};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{self, counted};
use crate::output::terminal::{
    self, BOLD, DIM, GAP, GREEN, MAGENTA, TextCell, TextTable, YELLOW, cut, cut_start, join_sections,
    severity_style, wrap,
};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "table",
    "counts and the worst findings by user",
    Readers::Terminal,
    ScanWriter::RenderWorst(render),
);

/// How many inputs are listed by name.
pub(super) const INPUTS: usize = 5;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 5;
/// Parts of a user's line that would get fewer columns are left out.
const LEAST: usize = 12;

fn render(view: &ScanView<'_>) -> String {
    join_sections(vec![
        inputs(view, view.options.most(INPUTS)),
        ranking::text(view),
        rules_with_findings(view),
        compliance::text(view),
        findings(view),
        due::text(view),
        fixes::next_step(view),
        terminal::diagnostics(
            &view.tally.diagnostics,
            view.options.most(DIAGNOSTICS),
            view.options,
        ),
        verdict(view),
    ])
}

fn findings(view: &ScanView<'_>) -> String {
    let mut out = String::new();
    if !view.worst.is_empty() {
        let mut table = TextTable::of_findings(view.options);
        let ages = phrases::ages_counted_to(view.tally);
        table.line(view.options.paint(DIM, format!("worst first; {ages}")));
        for group in by_user(view.worst) {
            table.line("");
            table.line(head(view, group[0]));
            for finding in group {
                table.finding(cells(finding), &phrases::sentences(finding), view.options);
                for line in fixes::lines(finding, view.options) {
                    table.line(line);
                }
            }
        }
        out = table.render(view.options);
    }
    if view.hidden() > 0 {
        out.push_str(&hidden(view));
    }
    out
}

/// The findings of each user, users in the order of their worst finding.
pub(super) fn by_user(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut positions = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let position = *positions
            .entry((&finding.source.path, finding.source.row))
            .or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// The user, and where: `alice  account 123456789012, row 17 of report.csv`.
pub(super) fn head(view: &ScanView<'_>, finding: &Finding) -> String {
    let user = match (&finding.user, finding.source.row) {
        (Some(user), _) => escape(user),
        (None, Some(_)) => "a user without a name".into(),
        (None, None) => "all users".into(),
    };
    let options = view.options;
    let user = cut(&user, options.width);
    let path = (view.tally.evaluated_inputs().len() > 1).then(|| escape(&finding.source.path));
    let room = options.width.saturating_sub(user.width() + GAP);
    let about = About::of(finding, path.as_deref());
    let mut out = options.paint(BOLD, &user);
    if about.least() <= room {
        out.push_str("  ");
        out.push_str(&options.paint(DIM, about.text(room)));
    } else {
        // Beside a long name, there is no room for an account and a line.
        for line in wrap(&about.text(options.width), options.width.saturating_sub(GAP)) {
            out.push_str("\n  ");
            out.push_str(&options.paint(DIM, line));
        }
    }
    out
}

/// Where a user is: what finds it again comes before names, which may be long.
struct About<'a> {
    account: Option<String>,
    account_name: Option<Cow<'a, str>>,
    owner: Option<String>,
    line: Option<String>,
    path: Option<&'a str>,
}

impl<'a> About<'a> {
    fn of(finding: &'a Finding, path: Option<&'a str>) -> Self {
        let line = finding.source.line.map(|line| format!("line {line}"));
        let owner = finding.owner.as_deref();
        Self {
            account: finding
                .account
                .as_deref()
                .map(|id| format!("account {}", escape(id))),
            account_name: finding.account_name.as_deref().map(escape),
            owner: owner.map(|owner| format!("owner {}", escape(owner))),
            line: line.or_else(|| finding.source.row.map(|row| format!("row {row}"))),
            path,
        }
    }

    /// The account and the line, which are never cut.
    fn found_at(&self) -> String {
        let parts = [self.account.as_deref(), self.line.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn path_in(&self, room: usize) -> String {
        let path = self.path.filter(|_| room >= LEAST);
        path.map_or(String::new(), |path| {
            format!(" in {}", cut_start(path, room - " in ".len()))
        })
    }

    /// The columns that it needs at least.
    fn least(&self) -> usize {
        self.found_at().width()
    }

    fn text(&self, room: usize) -> String {
        let name = self.account_name.as_deref();
        let named = name.map_or(String::new(), |name| format!(" ({name})"));
        let account = self.account.as_ref().map(|account| format!("{account}{named}"));
        let all = [account.as_deref(), self.owner.as_deref(), self.line.as_deref()];
        let mut out = all.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if out.width() + self.path.map_or(0, |_| LEAST) <= room {
            out.push_str(&self.path_in(room - out.width()));
            return out;
        }
        let mut out = self.found_at();
        out.push_str(&self.path_in(room.saturating_sub(out.width())));
        for name in [self.owner.as_deref(), name].into_iter().flatten() {
            let left = room.saturating_sub(out.width() + 2);
            if left >= LEAST {
                write!(out, ", {}", cut(name, left)).expect("invariant: a string takes all");
            }
        }
        out
    }
}

fn cells(finding: &Finding) -> [TextCell; 4] {
    [
        TextCell::styled(finding.severity.name(), severity_style(finding.severity)),
        TextCell::styled(finding.status.name(), status_style(finding.status)),
        TextCell::new(escape(&finding.rule)),
        TextCell::new(phrases::credential(finding)),
    ]
}

const fn status_style(status: Status) -> Style {
    match status {
        Status::Fail => Style::new(),
        Status::Undetermined => MAGENTA,
        Status::Suppressed => DIM,
        Status::Pass => GREEN,
        Status::Due => YELLOW,
    }
}

/// How many findings are not shown, and how to see them.
fn hidden(view: &ScanView<'_>) -> String {
    let (blank, before, what) = match view.worst {
        [] => ("", "", "finding"),
        _ => ("\n", "… and ", "more finding"),
    };
    let line = format!(
        "{before}{}; see all with --limit {} or --format ndjson",
        counted(view.hidden(), what),
        view.emitted
    );
    blank.to_owned() + &view.options.paragraph(Style::new(), &line)
}
