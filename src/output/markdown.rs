//! Counts, then the worst findings by severity, for pull requests and wikis. Bounded, since such places are.

use std::fmt::Write as _;

use super::View;
use super::compliance;
use super::escape::escape;
use super::overview;
use super::words;
use crate::finding::{Finding, RuleTally, Severity};

/// How many inputs, and how many diagnostics, are listed.
const LISTED: usize = 20;

pub(super) fn render(view: &View<'_>) -> String {
    let mut out = format!("# IAM credential report: {}\n", words::verdict(view.tally));
    inputs(view, &mut out);
    rules(&view.tally.rules, &mut out);
    out.push_str(&compliance::markdown(view));
    if !view.worst.is_empty() {
        out.push_str("\nWorst first; ages are at the as-of.\n");
    }
    for severity in Severity::ALL.into_iter().rev() {
        let findings: Vec<_> = view
            .worst
            .iter()
            .filter(|finding| finding.severity == severity)
            .collect();
        if !findings.is_empty() {
            section(severity, &findings, view.tally.inputs.len(), &mut out);
        }
    }
    if view.hidden() > 0 {
        let hidden = words::counted(view.hidden(), "more finding");
        line(
            &mut out,
            format_args!("\n{hidden} (`--limit {}` shows all)", view.told),
        );
    }
    diagnostics(view, &mut out);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("invariant: a string takes all");
}

fn inputs(view: &View<'_>, out: &mut String) {
    out.push('\n');
    for input in view.tally.inputs.iter().take(LISTED) {
        let as_of = words::as_of(
            &input.as_of,
            input.as_of_source,
            input.generated.as_deref(),
            view.settings.now,
        );
        let users = words::counted(input.users, "user");
        line(
            out,
            format_args!("- {}: {users}, judged as of {as_of}", code(&words::place(input))),
        );
    }
    more(view.tally.inputs.len(), out);
}

fn more(all: usize, out: &mut String) {
    if all > LISTED {
        line(
            out,
            format_args!("- and {} more", words::number((all - LISTED) as u64)),
        );
    }
}

/// The rules that have something to say; the others are counted.
fn rules(all: &[RuleTally], out: &mut String) {
    let mut rules: Vec<&RuleTally> = all.iter().filter(|rule| overview::speaks(rule)).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.severity));
    if !rules.is_empty() {
        out.push_str("\n| Severity | Rule | Failed | Undetermined | Suppressed | Passed |\n");
        out.push_str("|---|---|--:|--:|--:|--:|\n");
    }
    for rule in rules {
        let name = code(&words::rule(&rule.id, &rule.parameters));
        let counts = [rule.failed, rule.undetermined, rule.suppressed, rule.passed].map(words::number);
        let counts = counts.join(" | ");
        line(out, format_args!("| {} | {name} | {counts} |", rule.severity));
    }
    if let Some(silent) = overview::silent(all) {
        line(out, format_args!("\n{silent}"));
    }
}

fn section(severity: Severity, findings: &[&Finding], reports: usize, out: &mut String) {
    let (report, rule) = if reports > 1 {
        (" Report |", "---|")
    } else {
        ("", "")
    };
    line(out, format_args!("\n## {severity}\n"));
    line(
        out,
        format_args!("| User | Account |{report} Status | Rule | Credential | What |"),
    );
    line(out, format_args!("|---|---|{rule}---|---|---|---|"));
    for finding in findings {
        let user = finding.user.as_deref().unwrap_or("all users");
        let cell = |text: &Option<String>| text.as_deref().map_or(String::new(), code);
        let mut account = cell(&finding.account);
        if let Some(name) = &finding.account_name {
            account = format!("{account} {}", plain(name));
        }
        let credential = match words::credential(finding) {
            none if none.is_empty() => none,
            credential => code(&credential),
        };
        let mut cells = vec![code(user), account];
        if reports > 1 {
            cells.push(code(&finding.source.path));
        }
        cells.extend([
            finding.status.to_string(),
            code(&finding.rule),
            credential,
            plain(&words::sayings(finding).join("; ")),
        ]);
        line(out, format_args!("| {} |", cells.join(" | ")));
    }
}

fn diagnostics(view: &View<'_>, out: &mut String) {
    let diagnostics = words::weightiest_first(&view.tally.diagnostics);
    if diagnostics.is_empty() {
        return;
    }
    out.push_str("\n## Diagnostics\n\n");
    for diagnostic in diagnostics.iter().copied().take(LISTED) {
        line(
            out,
            format_args!("- {}", plain(&words::diagnostic_line(diagnostic))),
        );
    }
    more(diagnostics.len(), out);
}

/// The text as it is: every sign that could be markup is a character reference, which never is.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for char in escape(text).chars() {
        if is_markup(char) {
            write!(out, "&#{};", u32::from(char)).expect("invariant: a string takes all");
        } else {
            out.push(char);
        }
    }
    // GitHub makes links of addresses without any sign.
    out.replace('_', "\\_")
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
}

/// Signs that make markup, links or mentions in the middle of a line.
const fn is_markup(char: char) -> bool {
    matches!(
        char,
        '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '!' | '#' | '$' | '@' | '"'
    )
}

/// The text as a code span, in which nothing is markup, or plain where it cannot be one.
pub(super) fn code(text: &str) -> String {
    let shown = escape(text);
    if shown.is_empty() || shown.contains(['`', '|']) || shown.trim() != shown {
        return plain(text);
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_report_is_markup() {
        assert_eq!(code("<script>alert(1)</script>"), "`<script>alert(1)</script>`");
        assert_eq!(code("a|b"), "a&#124;b");
        assert_eq!(code("`<img src=x>"), "&#96;&#60;img src=x&#62;");
        assert_eq!(
            plain("![x](https://evil.example) @team"),
            "&#33;&#91;x&#93;(https&#58;//evil.example) &#64;team"
        );
        assert_eq!(plain("a\n# b"), r"a&#92;n&#35; b");
    }
}
