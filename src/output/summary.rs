//! The counts alone.

use super::View;
use super::compliance;
use super::overview;
use super::words;

/// How many inputs are listed by name.
const INPUTS: usize = 20;

pub(super) fn render(view: &View<'_>) -> String {
    let mut out = overview::inputs(view, INPUTS);
    out.push('\n');
    out.push_str(&overview::rules(view, view.tally.rules.iter()));
    out.push('\n');
    let compliance = compliance::text(view);
    if !compliance.is_empty() {
        out.push_str(&compliance);
        out.push('\n');
    }
    let diagnostics = view.tally.diagnostics.len() as u64;
    if diagnostics > 0 {
        out.push_str(&words::counted(diagnostics, "diagnostic"));
        out.push('\n');
    }
    out.push_str(&overview::verdict(view));
    out
}
