//! What hand-written pages say of the program. `UPDATE=1 cargo test` rewrites the parts between markers.

mod aliases;
mod generated;
mod peers;

use std::fs;
use std::path::{Path, PathBuf};

use credlens::rule::{Catalogue, Document};

/// A fenced block of a page.
struct Block {
    place: String,
    language: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the project's folder, and those directly in docs/.
fn pages() -> Vec<PathBuf> {
    let folders = [root().to_owned(), root().join("docs")];
    let entries = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    let pages = entries.map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<_> = pages
        .filter(|path| path.extension() == Some("md".as_ref()))
        .collect();
    pages.sort();
    pages
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for page in pages() {
        let name = page.file_name().expect("a name").to_string_lossy().into_owned();
        let mut open: Option<Block> = None;
        for (number, line) in fs::read_to_string(&page).expect("a page").lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(language), None) => {
                    open = Some(Block {
                        place: format!("{name}:{}", number + 1),
                        language: language.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => {
                    block.text += line;
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{name}: a block is not closed");
    }
    blocks
}

/// Every `gsl` block is whole rules, every `toml` block a rule, an override, suppressions or settings.
#[test]
fn rules_and_suppressions_on_pages_can_be_read() {
    for Block {
        place,
        language,
        text,
    } in blocks()
    {
        let first = text
            .lines()
            .find(|line| !line.starts_with('#'))
            .unwrap_or_default();
        let is_rule = first.starts_with("title") || first.starts_with("extends");
        if language == "gsl" || language == "toml" && is_rule {
            let added = Catalogue::builtin().add("page.toml", &text);
            assert!(added.is_ok_and(|ids| !ids.is_empty()), "{place}");
        } else if language == "toml" {
            let read = Document::parse(&place, &text)
                .and_then(|document| document.suppressions(&Catalogue::builtin()));
            assert!(read.is_ok(), "{place}: {}", read.unwrap_err());
        }
    }
}

/// The anchors of a page, as web hosts make them from its headings.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading
            .chars()
            .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
        kept.map(|char| if char == ' ' { '-' } else { char }).collect()
    };
    headings.map(anchor).collect()
}

/// Links to files of the project and to headings lead somewhere.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let linked = if path.is_empty() {
                page.clone()
            } else {
                page.parent().expect("a folder").join(path)
            };
            let leads =
                linked.exists() && (anchor.is_empty() || anchors(&linked).contains(&anchor.to_owned()));
            assert!(leads, "{}: {target}", page.display());
        }
    }
}
