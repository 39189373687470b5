//! Statements of SECURITY.md that can be checked.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.collect()
}

#[test]
fn unsafe_code_is_only_in_the_named_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let paragraph = text.split("\n\n").find(|text| text.contains("`unsafe`")).unwrap();
    let named = paragraph.split('`').filter(|word| word.starts_with("src/"));
    let is_unsafe = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("unsafe_code");
    let sources = sources(&root.join("src")).into_iter().filter(is_unsafe);
    let found = sources.map(|path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        named.map(str::to_owned).collect::<BTreeSet<_>>()
    );
}
