//! How findings are fixed: `--fix` in table and markdown, and what to do next under the findings of the table.

use unicode_width::UnicodeWidthStr as _;

use super::ScanView;
use crate::finding::{Command, Finding, Fix, Status};
use crate::output::DisplayOptions;
use crate::output::markdown_text::{Markdown, code, plain};
use crate::output::prose::for_terminal;
use crate::output::steps::{self, COPIED, WORDS, fenced, indented};
use crate::output::terminal::{DIM, wrap};
use crate::report::escape::escape;

/// The findings that are shown, those that are due last.
fn shown<'a>(view: &ScanView<'a>) -> impl Iterator<Item = &'a Finding> {
    view.worst.iter().chain(view.due)
}

/// How the findings of this view are fixed: whether they say so.
fn shows_fixes(view: &ScanView<'_>) -> bool {
    shown(view).any(|finding| finding.fix.is_some())
}

/// The lines below a finding of the table.
pub(super) fn lines(finding: &Finding, options: DisplayOptions) -> Vec<String> {
    let Some(fix) = &finding.fix else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let words = |text: &str, out: &mut Vec<String>| {
        let lines = wrap(&escape(&for_terminal(text)), options.width.saturating_sub(WORDS));
        out.extend(lines.into_iter().map(|line| indented(WORDS, &line)));
    };
    if fix.steps.is_empty() {
        words("The rule has no instructions for a fix.", &mut out);
    }
    out.extend(steps::lines(&fix.steps, options));
    if let Some(entry) = &fix.suppression {
        words("To accept it instead, in credlens.toml:", &mut out);
        out.extend(
            entry
                .lines()
                .map(|line| options.paint(DIM, indented(COPIED, line))),
        );
    }
    out
}

/// A section for each finding that says how it is fixed.
pub(super) fn markdown(view: &ScanView<'_>, out: &mut Markdown) {
    if !shows_fixes(view) {
        return;
    }
    out.heading("How to fix them");
    for finding in shown(view) {
        if let Some(fix) = &finding.fix {
            out.paragraph(&format!("### {}", title(finding)));
            section(fix, out);
        }
    }
}

/// `user, account: rule, credential`.
fn title(finding: &Finding) -> String {
    let user = finding.user.as_deref().unwrap_or("a user without a name");
    let account = finding.account.as_deref();
    let account = account.map(|account| format!(" in {}", code(account)));
    let credential = finding.credential.map(|it| format!(", {}", code(it.name())));
    format!(
        "{}{}: {}{}",
        code(user),
        account.unwrap_or_default(),
        code(&finding.rule),
        credential.unwrap_or_default()
    )
}

fn section(fix: &Fix, out: &mut Markdown) {
    if fix.steps.is_empty() {
        out.paragraph("The rule has no instructions for a fix.");
    }
    steps::markdown(&fix.steps, out);
    if let Some(entry) = &fix.suppression {
        out.paragraph(&plain("To accept it instead, in credlens.toml:"));
        out.paragraph(&fenced("toml", entry.trim_end()));
    }
}

/// What to do next: what explains the rule of the worst finding, and how to see the steps of each finding. Nothing if
/// there is nothing to do: only what passed or was accepted is shown.
pub(super) fn next_step(view: &ScanView<'_>) -> String {
    let is_open = |finding: &&Finding| !matches!(finding.status, Status::Suppressed | Status::Pass);
    let Some(worst) = view.worst.iter().find(is_open) else {
        return String::new();
    };
    let rule = view.tally.rules.iter().find(|rule| rule.id == worst.rule);
    let file = rule.and_then(|rule| rule.file.as_deref());
    let file = file.map(|path| format!("--rules-from={path}"));
    let argv = ["credlens", "rules", "show", &worst.rule].into_iter();
    let command = Command::new(argv.chain(file.as_deref())).shell();
    let mut lines = labelled(WHY, &escape(&command), view.options);
    if !shows_fixes(view) {
        lines.extend(labelled(HOW, "run this scan with --fix", view.options));
    }
    let lines = lines.iter().map(|line| view.options.paint(DIM, line) + "\n");
    lines.collect()
}

/// The labels of what to do next, as wide as each other.
const WHY: &str = "why it matters:   ";
const HOW: &str = "how to fix each:  ";

/// What is copied stays in one line: below its label where there is no room beside it.
fn labelled(label: &str, text: &str, options: DisplayOptions) -> Vec<String> {
    if label.len() + text.width() <= options.width {
        vec![format!("{label}{text}")]
    } else {
        vec![label.trim_end().to_owned(), format!("  {text}")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::test_support::{hostile_with_fixes, unescaped};

    #[test]
    fn what_is_copied_is_not_cut() {
        let options = |width| DisplayOptions {
            width,
            ..DisplayOptions::default()
        };
        assert_eq!(
            labelled(WHY, "credlens", options(26)),
            ["why it matters:   credlens"]
        );
        assert_eq!(
            labelled(WHY, "credlens", options(25)),
            ["why it matters:", "  credlens"]
        );
    }

    #[test]
    fn hostile_names_are_escaped_in_fixes() {
        for format in ["table", "markdown", "json", "ndjson"] {
            let text = hostile_with_fixes(format, DisplayOptions::default());
            assert_eq!(unescaped(&text), "", "{format}");
            assert!(text.contains("cannot be the name of a user"), "{text}");
            assert!(!text.contains("user-name==cmd"), "{text}");
        }
        let markdown = hostile_with_fixes("markdown", DisplayOptions::default());
        assert!(!markdown.contains("|`x`<script>"), "{markdown}");
    }
}
