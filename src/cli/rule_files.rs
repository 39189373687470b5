//! Rule files: those that `--rules-from` and the `rules` commands name.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use credlens::rule::{self, Catalogue};

use super::failure::{Attempt as _, Failure};
use super::settings::DEFAULT_FILE;

/// The built-in rules and those of these files and directories.
pub(super) fn catalogue(paths: &[PathBuf]) -> Result<Catalogue, Failure> {
    let read = read(paths)?;
    if read.errors.is_empty() {
        Ok(read.catalogue)
    } else {
        Err(read.errors.into())
    }
}

/// What was read of rule files.
pub(super) struct RulesRead {
    /// The built-in rules and those of the files.
    pub(super) catalogue: Catalogue,
    /// The ids of the rules in the files, as far as they have no errors.
    pub(super) ids: Vec<String>,
    pub(super) errors: Vec<rule::Error>,
    /// Settings files that a search of a directory found.
    pub(super) passed_over: Vec<PathBuf>,
}

/// The built-in rules and those of these files and directories, with the errors.
pub(super) fn read(paths: &[PathBuf]) -> Result<RulesRead, Failure> {
    let mut read = RulesRead {
        catalogue: Catalogue::builtin(),
        ids: Vec::new(),
        errors: Vec::new(),
        passed_over: Vec::new(),
    };
    for (path, text) in rule_files(paths, &mut read.passed_over)? {
        match read.catalogue.add(&path.to_string_lossy(), &text) {
            Ok(added) => read.ids.extend(added),
            Err(wrong) => read.errors.extend(wrong),
        }
    }
    Ok(read)
}

/// Rule files with their text: the files named, and the `*.toml` and `*.gsl` files of directories, by name. Settings are
/// read only where they are named.
fn rule_files(paths: &[PathBuf], passed_over: &mut Vec<PathBuf>) -> Result<Vec<(PathBuf, String)>, Failure> {
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
            if file != *path && file.file_name() == Some(DEFAULT_FILE.as_ref()) {
                passed_over.push(file);
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
