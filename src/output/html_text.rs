//! Text for HTML: pages of one file that fetch nothing, and text from reports with nothing in it that is markup.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use crate::report::escape::escape;

/// The colours and the type that all pages share.
pub(super) const STYLE: &str = include_str!("html_text.css");

/// The text, escaped as for terminals, with nothing in it that is markup. All text of a page goes through this function.
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in escape(text).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
    out
}

/// A page up to its body. Only this style applies, and only this script runs: browsers check their hashes. The script, if
/// there is one, goes to [`script_element`] at the end of the body.
pub(super) fn page_start(title: &str, style: &str, script: Option<&str>) -> String {
    let style = lines(style);
    let script = script.map(|script| format!("script-src '{}'; ", hash_source(&lines(script))));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; {}\
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n<body>\n",
        hash_source(&style),
        script.unwrap_or_default(),
        escape_html(title)
    )
}

/// The script of a page.
pub(super) fn script_element(script: &str) -> String {
    format!("<script>{}</script>\n", lines(script))
}

/// A page has no carriage returns: browsers drop them before they compute hashes.
fn lines(text: &str) -> String {
    text.replace('\r', "")
}

/// The text as a source of a content security policy: `sha256-…`.
fn hash_source(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}

/// HTML, piece by piece. Markup is constant; everything else is escaped, in attributes too.
pub(super) struct Html(String);

impl Html {
    /// A page up to its body.
    pub(super) fn page(title: &str, style: &str, script: &'static str) -> Self {
        Self(page_start(title, style, Some(script)))
    }

    /// The page.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// Constant markup.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escape_html(text));
        self
    }

    /// The start of an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) -> &mut Self {
        self.markup("<").markup(name);
        for (attribute, value) in attributes {
            self.markup(" ").markup(attribute).markup("=\"");
            self.text(value).markup("\"");
        }
        self.markup(">")
    }

    /// The end of an element.
    pub(super) fn close(&mut self, name: &'static str) -> &mut Self {
        self.markup("</").markup(name).markup(">")
    }

    /// An element with text in it.
    pub(super) fn element(&mut self, name: &'static str, text: &str) -> &mut Self {
        self.open(name, &[]).text(text).close(name)
    }

    /// An element of this class with text in it.
    pub(super) fn classed(&mut self, name: &'static str, class: &str, text: &str) -> &mut Self {
        self.open(name, &[("class", class)]).text(text).close(name)
    }

    /// A paragraph in a softer colour.
    pub(super) fn note(&mut self, text: &str) -> &mut Self {
        self.classed("p", "soft", text).markup("\n")
    }

    /// The start of a section with a heading of the second level.
    pub(super) fn section(&mut self, id: &'static str, heading: &str) -> &mut Self {
        let label = format!("{id}-heading");
        self.open("section", &[("id", id), ("aria-labelledby", &label)]);
        self.open("h2", &[("id", &label)]).text(heading);
        self.markup("</h2>\n")
    }

    /// The start of a table, which scrolls by itself where it is too wide, up to its rows: columns of words, then columns
    /// of numbers. [`Self::end_table`] ends it.
    pub(super) fn table(&mut self, label: &str, words: &[&str], numbers: &[&str]) -> &mut Self {
        let scrolls = [
            ("class", "wide"),
            ("tabindex", "0"),
            ("role", "region"),
            ("aria-label", label),
        ];
        self.open("div", &scrolls).markup("<table>\n<thead><tr>");
        for head in words {
            self.open("th", &[("scope", "col")]).text(head).close("th");
        }
        for head in numbers {
            self.open("th", &[("scope", "col"), ("class", "number")]);
            self.text(head).close("th");
        }
        self.markup("</tr></thead>\n<tbody>\n")
    }

    /// The end of a table.
    pub(super) fn end_table(&mut self) -> &mut Self {
        self.markup("</tbody></table></div>\n")
    }

    /// A cell of words.
    pub(super) fn cell(&mut self, text: &str) -> &mut Self {
        self.element("td", text)
    }

    /// A cell with a number, softer if it is 0.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        let class = if number == 0 { "number none" } else { "number" };
        self.classed("td", class, &super::phrases::number(number))
    }

    /// A cell with a severity or another word that has a colour.
    pub(super) fn marked(&mut self, word: &str) -> &mut Self {
        self.markup("<td>").classed("i", word, word).close("td")
    }

    /// The script, and the end of the page.
    pub(super) fn end_page(&mut self, script: &'static str) {
        self.0.push_str(&script_element(script));
        self.markup("</body>\n</html>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_text_is_markup() {
        assert_eq!(
            escape_html("<b onclick='x' id=\"y\">&amp;\x1b\u{202e}"),
            "&lt;b onclick=&#39;x&#39; id=&quot;y&quot;&gt;&amp;amp;\\x1b\\u{202e}"
        );
        let mut html = Html(String::new());
        html.open("td", &[("title", "\"><script>")]).text("</td>");
        assert_eq!(html.0, "<td title=\"&quot;&gt;&lt;script&gt;\">&lt;/td&gt;");
    }

    #[test]
    fn a_policy_names_the_hash_of_what_is_in_the_page() {
        // printf 'a{}' | openssl dgst -sha256 -binary | base64
        let page = page_start("t", "a{}\r", None);
        let policy = "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; base-uri";
        assert!(page.contains(policy), "{page}");
        assert!(page.contains("<style>a{}</style>"), "{page}");
        assert!(!page.contains("script-src"), "{page}");
    }
}
