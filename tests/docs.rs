//! The pages under `docs/` that are made from data. `UPDATE=1 cargo test` writes them anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use credlens::rule::{Catalogue, Framework, Rule, framework_index, framework_page, rule_index, rule_page};

/// The pages of a folder, by file name.
type Pages = BTreeMap<String, String>;

fn frameworks(catalogue: &Catalogue) -> Vec<Framework> {
    let names = Catalogue::framework_names();
    names
        .map(|name| catalogue.framework(name).expect("a framework"))
        .collect()
}

fn assert_folder_has(folder: &str, pages: &Pages) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("UPDATE").is_some() {
        write(&folder, pages);
    }
    let stale = files(&folder)
        .into_iter()
        .filter(|(name, text)| pages.get(name) != Some(text));
    let missing = pages.keys().filter(|name| !folder.join(name).exists());
    let differing: Vec<String> = stale.map(|(name, _)| name).chain(missing.cloned()).collect();
    assert!(
        differing.is_empty(),
        "run the tests with UPDATE=1, these are out of date: {differing:?}"
    );
}

fn write(folder: &Path, pages: &Pages) {
    fs::create_dir_all(folder).expect("a folder");
    for name in files(folder).keys().filter(|name| !pages.contains_key(*name)) {
        fs::remove_file(folder.join(name)).expect("a page");
    }
    for (name, text) in pages {
        fs::write(folder.join(name), text).expect("a page");
    }
}

fn files(folder: &Path) -> Pages {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry"));
    let read = entries.map(|entry| {
        let name = entry.file_name().into_string().expect("a name");
        (name, fs::read_to_string(entry.path()).expect("a page"))
    });
    read.collect()
}

#[test]
fn rule_pages_are_up_to_date() {
    let catalogue = Catalogue::builtin();
    let frameworks = frameworks(&catalogue);
    let page = |rule: &Arc<Rule>| (format!("{}.md", rule.id), rule_page(rule, &frameworks));
    let mut pages: Pages = catalogue.rules().map(page).collect();
    pages.insert("README.md".to_owned(), rule_index(&catalogue));
    assert_folder_has("docs/rules", &pages);
}

#[test]
fn framework_pages_are_up_to_date() {
    let frameworks = frameworks(&Catalogue::builtin());
    let page = |framework: &Framework| (format!("{}.md", framework.name), framework_page(framework));
    let mut pages: Pages = frameworks.iter().map(page).collect();
    pages.insert("README.md".to_owned(), framework_index(&frameworks));
    assert_folder_has("docs/frameworks", &pages);
}
