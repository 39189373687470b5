//! `--due-within`: the window in which verdicts are due.

use credlens::engine::LONGEST_DUE_WINDOW;

use super::failure::Failure;
use super::settings::SettingsValues;
use super::span::Span;

/// The window in seconds: that of the command line, else that of the settings file.
pub(super) fn window(given: Option<Span>, in_file: &SettingsValues) -> Result<Option<u64>, Failure> {
    let Some(span) = given.or(in_file.due_within.map(|word| word.0)) else {
        return Ok(None);
    };
    let seconds = span.seconds();
    if (1..=LONGEST_DUE_WINDOW).contains(&seconds) {
        return Ok(Some(seconds));
    }
    let most = LONGEST_DUE_WINDOW / 86_400;
    Err(Failure::Usage(format!(
        "--due-within must be 1 second to {most} days, got {span}"
    )))
}
