//! Text that must not reach a terminal as it is.

/// One of each class: controls of both sets, bidirectional, zero-width, fillers, blanks, selectors, tags, private,
/// unassigned.
pub(crate) const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{2003}\u{200b}\u{200d}\
    \u{2028}\u{2029}\u{202e}\u{2065}\u{2066}\u{2800}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{ffa0}\u{fffb}\u{ffff}\u{e0041}\u{e01ef}\u{e0fff}\
    \u{e0001}\u{10ffff}";

/// Its characters in a text.
pub(crate) fn raw(text: &str) -> Vec<char> {
    let is_raw = |char: &char| HOSTILE.contains(*char) && !"]0;x".contains(*char);
    text.chars().filter(is_raw).collect()
}
