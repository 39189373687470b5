//! Rule files: those that `--rules-from` and the `rules` commands name.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use credlens::rule::{self, Catalogue};

use super::failure::{Attempt as _, Failure};

/// The built-in rules and those of these files and directories.
pub(super) fn catalogue(paths: &[PathBuf]) -> Result<Catalogue, Failure> {
    let (catalogue, _, errors) = read(paths)?;
    if errors.is_empty() {
        Ok(catalogue)
    } else {
        Err(errors.into())
    }
}

/// The same, with the ids of the rules in these files, as far as they have no errors, and the errors.
pub(super) fn read(paths: &[PathBuf]) -> Result<(Catalogue, Vec<String>, Vec<rule::Error>), Failure> {
    let mut catalogue = Catalogue::builtin();
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    for (path, text) in rule_files(paths)? {
        match catalogue.add(&path.to_string_lossy(), &text) {
            Ok(added) => ids.extend(added),
            Err(wrong) => errors.extend(wrong),
        }
    }
    Ok((catalogue, ids, errors))
}

/// Rule files with their text: the files named, and the `*.toml` and `*.gsl` files of directories, by name.
fn rule_files(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, Failure> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let found = if path.is_dir() {
            in_directory(path)
        } else {
            Ok(vec![path.clone()])
        };
        for file in found.attempt(|| format!("cannot read {}", path.display()))? {
            // A file that the settings and the command line name, or that is in a named directory, too, is read once.
            if !seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())) {
                continue;
            }
            let text = std::fs::read_to_string(&file);
            let text = text.attempt(|| format!("cannot read the rule file {}", file.display()))?;
            files.push((file, text));
        }
    }
    Ok(files)
}

fn in_directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut entries = entries.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|path| is_rule_file(path));
    entries.sort();
    Ok(entries)
}

fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("toml" | "gsl"))
}
