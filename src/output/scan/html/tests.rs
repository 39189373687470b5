//! The page: what is in it, and that nothing of a report is markup.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::output::DisplayOptions;
use crate::output::scan::tests::options;
use crate::output::test_support::{HOSTILE, NAMED, hostile_with_fixes, unescaped, written};

/// The elements of the page. A report adds none.
const ELEMENTS: [&str; 42] = [
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "main",
    "section", "ul", "li", "b", "i", "span", "dl", "div", "dt", "dd", "details", "summary", "table", "thead",
    "tbody", "tr", "th", "td", "label", "input", "select", "option", "button", "code", "pre", "footer",
    "script", "!doctype",
];

fn page() -> String {
    hostile_with_fixes("html", options(80))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("the start");
    rest.split_once(end).expect("the end").0
}

/// The page without its style and its script, which are constant.
fn markup(page: &str) -> String {
    let style = between(page, "<style>", "</style>");
    let script = between(page, "<script>", "</script>");
    page.replace(style, "").replace(script, "")
}

#[test]
fn a_report_adds_no_markup() {
    let page = page();
    let markup = markup(&page);
    let tags = Regex::new("<(/?)([^ >/]*)([^>]*)>").unwrap();
    for tag in tags.captures_iter(&markup) {
        let name = tag[2].to_lowercase();
        assert!(ELEMENTS.contains(&&*name), "{}", &tag[0]);
        let attributes = tag[3].to_lowercase();
        for forbidden in [" on", " style=", " src=", "javascript:"] {
            assert!(!attributes.contains(forbidden), "{}", &tag[0]);
        }
    }
    // Each `<` begins a tag.
    assert_eq!(tags.replace_all(&markup, "").matches('<').count(), 0);
    assert_eq!(markup.matches("<script").count(), 1);
    assert_eq!(unescaped(&page), "");
    for name in [
        "|`x`&lt;script&gt;",
        "&lt;root_account&gt;",
        "=cmd|&#39;/c calc&#39;!A1",
        "\\u{202e}evil",
    ] {
        assert!(markup.contains(name), "{name}");
    }
}

#[test]
fn the_policy_names_the_style_and_the_script() {
    let page = page();
    let policy = between(&page, "Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (kind, element) in [("style-src", "style"), ("script-src", "script")] {
        let (start, end) = (format!("<{element}>"), format!("</{element}>"));
        let text = between(&page, &start, &end);
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("{kind} 'sha256-{hash}'")), "{policy}");
    }
    assert_eq!(between(&page, "<script>", "</script>"), SCRIPT);
}

#[test]
fn each_finding_opens_to_why_and_how_it_is_fixed() {
    let page = page();
    assert_eq!(page.matches("<dt>Why it matters</dt>").count(), 6);
    assert_eq!(page.matches("<dt>Evidence</dt>").count(), 6);
    // Undetermined findings have no fix.
    assert_eq!(page.matches("<dt>How to fix it</dt>").count(), 4);
    assert!(
        page.contains("<span class=\"mark undetermined\">undetermined</span>"),
        "{page}"
    );
    assert!(page.contains("soon\\x07"), "{page}");
}

fn of_copies(copies: usize, options: DisplayOptions) -> String {
    let format = "html".parse().expect("a format");
    let paths: Vec<String> = (0..copies).map(|number| format!("{number}.csv")).collect();
    let reports: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), HOSTILE.as_bytes()))
        .collect();
    written(&[format], options, &reports, 2).remove(0)
}

fn rows(page: &str) -> usize {
    page.matches("<tr class=\"fail\"").count() + page.matches("<tr class=\"undetermined\"").count()
}

#[test]
fn more_findings_than_usual_are_shown_up_to_a_limit_that_is_given() {
    let page = of_copies(20, options(80));
    assert_eq!(rows(&page), 120);
    assert!(!page.contains("not on this page"), "{page}");
    let limited = |limit| {
        let options = DisplayOptions {
            limit,
            is_limit_given: true,
            ..options(80)
        };
        of_copies(2, options)
    };
    let page = limited(5);
    assert_eq!(rows(&page), 5);
    let rest =
        "7 findings are not on this page: --format csv or ndjson writes all, --limit 12 shows all here.";
    assert!(page.contains(rest), "{page}");
}

#[test]
fn a_page_of_nothing_says_so() {
    let page = of_copies(0, options(80));
    assert!(page.contains("no report could be evaluated"), "{page}");
    assert!(page.contains("There are no findings to show."), "{page}");
}

#[test]
fn accounts_have_their_names() {
    let format = "html".parse().expect("a format");
    let page = written(&[format], options(80), &[(NAMED, HOSTILE.as_bytes())], 1).remove(0);
    assert!(
        page.contains("account 123456789012 (pro\\x1bd &quot;east&quot;)"),
        "{page}"
    );
    assert!(page.contains("AKIAIOSFODNN7EXAMPLE"), "{page}");
}
