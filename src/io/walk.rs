//! From the INPUT arguments to the files that they name, one at a time.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::contained::is_numbered;
use super::error::InputError;
use super::remote::{Remote, is_remote};

/// The files named by the arguments, in their order; a directory stands for the files in it and below it,
/// in the byte order of the names. Hidden entries of a directory are passed over, symlinks in it are
/// followed to files only, so that no walk goes in circles, and what is neither is no input. What `s3://` names is
/// listed by a [`Remote`].
pub(super) struct Walk {
    /// What is still to come, next one last.
    pending: Vec<Step>,
    /// Files found so far.
    found: usize,
}

enum Step {
    Argument(PathBuf),
    Remote(PathBuf),
    Directory(PathBuf),
    File(PathBuf),
    /// The end of an argument that is a directory; as many files had been found before it.
    End(PathBuf, usize),
}

/// A file to read, or a name that leads to none.
pub(super) type Found = Result<PathBuf, (PathBuf, InputError)>;

/// The argument that means standard input.
pub(super) const STDIN: &str = "-";

impl Walk {
    pub(super) fn new(arguments: Vec<PathBuf>) -> Self {
        Self {
            pending: arguments.into_iter().rev().map(Step::Argument).collect(),
            found: 0,
        }
    }

    /// The next file.
    pub(super) fn next(&mut self, remote: &mut dyn Remote) -> Option<Found> {
        loop {
            let step = self.pending.pop()?;
            if let Some(found) = self.step(step, remote) {
                return Some(found);
            }
        }
    }

    /// One step; none where it leads to no file by itself.
    fn step(&mut self, step: Step, remote: &mut dyn Remote) -> Option<Found> {
        match step {
            Step::Argument(path) => {
                if is_remote(&path) && !is_numbered(&path) {
                    return self.step(Step::Remote(path), remote);
                }
                if path.as_os_str() == STDIN || is_remote(&path) || !path.is_dir() {
                    return self.step(Step::File(path), remote);
                }
                self.pending.push(Step::End(path.clone(), self.found));
                self.step(Step::Directory(path), remote)
            }
            Step::Remote(path) => match remote.list(&path.to_string_lossy()) {
                Ok(urls) => {
                    self.pending.push(Step::End(path, self.found));
                    let files = urls.into_iter().rev().map(PathBuf::from).map(Step::File);
                    self.pending.extend(files);
                    None
                }
                Err(error) => {
                    self.found += 1;
                    Some(Err((path, error)))
                }
            },
            Step::Directory(path) => match steps(&path) {
                Ok(steps) => {
                    self.pending.extend(steps);
                    None
                }
                Err(error) => {
                    self.found += 1;
                    Some(Err((path, InputError::Open(error))))
                }
            },
            Step::File(path) => {
                self.found += 1;
                Some(Ok(path))
            }
            Step::End(path, before) => {
                let is_empty = self.found == before;
                is_empty.then_some(Err((path, InputError::EmptyDirectory)))
            }
        }
    }
}

/// The steps into a directory, first one last.
fn steps(directory: &Path) -> io::Result<Vec<Step>> {
    let mut entries: Vec<(OsString, Step)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            entries.push((name, Step::Directory(path)));
        } else if kind.is_file() || kind.is_symlink() && leads_to_file(&path) {
            entries.push((name, Step::File(path)));
        }
    }
    entries.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    Ok(entries.into_iter().map(|(_, step)| step).collect())
}

/// A broken symlink counts: the error of opening it is worth knowing.
fn leads_to_file(symlink: &Path) -> bool {
    fs::metadata(symlink).map_or(true, |metadata| metadata.is_file())
}
