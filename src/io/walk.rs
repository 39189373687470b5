//! Finds the files that the INPUT arguments name, one at a time.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::archived_details::{self, FoundDetails};
use super::container::is_numbered;
use super::error::InputError;
use super::remote::{Remote, is_remote};

/// The files that the arguments name, in the order of the arguments. A directory stands for the files in and below it,
/// in the byte order of their names, without hidden entries, pipes and devices. Symlinks in a directory are followed. A
/// directory behind a symlink is read once, and not at all if it is read anyway or contains the symlink, so that no
/// file is read twice and no walk goes in circles. A [`Remote`] lists `s3://` URLs.
pub(super) struct FileWalk {
    arguments: Vec<PathBuf>,
    /// The steps still to take, the next one last.
    pending: Vec<WalkStep>,
    /// Number of arguments begun so far.
    begun: usize,
    /// Number of files found so far, and of paths that failed.
    found: usize,
    /// The real paths of the directories among the arguments, once they are needed.
    roots: Option<HashSet<PathBuf>>,
    /// The real paths of the directories read through symlinks.
    linked: HashSet<PathBuf>,
    /// The details of archived reports that were found so far: they are not inputs of their own.
    details: FoundDetails,
}

enum WalkStep {
    Argument(PathBuf),
    Remote(PathBuf),
    Directory(PathBuf),
    /// A symlink to a directory, or a directory below one.
    Linked(PathBuf),
    File(PathBuf),
    /// A file that an earlier search found, as an argument of its own.
    Found(FoundFile),
    /// The end of a directory argument, and the number of files found before it.
    End(PathBuf, usize),
}

/// A file that arguments name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path.
    pub path: PathBuf,
    /// Whether it is not an argument itself: the search of a directory, or of a prefix of URLs, found it.
    pub searched: bool,
    /// Which of the reports in it are read, from 0; the end may be more than there are.
    pub reports: Range<usize>,
}

impl FoundFile {
    /// An argument.
    pub(super) fn named(path: PathBuf) -> Self {
        Self {
            path,
            searched: false,
            reports: 0..usize::MAX,
        }
    }

    /// What a search found.
    pub(super) fn searched(path: PathBuf) -> Self {
        Self {
            searched: true,
            ..Self::named(path)
        }
    }
}

/// A path that cannot be read, and why.
pub(super) type UnreadablePath = (FoundFile, InputError);

/// The argument that means standard input.
pub(super) const STDIN: &str = "-";

impl FileWalk {
    pub(super) fn new(arguments: Vec<PathBuf>) -> Self {
        Self {
            pending: arguments.iter().rev().cloned().map(WalkStep::Argument).collect(),
            arguments,
            begun: 0,
            found: 0,
            roots: None,
            linked: HashSet::new(),
            details: FoundDetails::default(),
        }
    }

    /// Files that an earlier walk found.
    pub(super) fn again(files: Vec<FoundFile>) -> Self {
        let step = |file: &FoundFile| {
            if file.searched || file.reports != (0..usize::MAX) {
                WalkStep::Found(file.clone())
            } else {
                WalkStep::Argument(file.path.clone())
            }
        };
        let pending = files.iter().rev().map(step).collect();
        Self {
            pending,
            ..Self::new(files.into_iter().map(|file| file.path).collect())
        }
    }

    /// The next file.
    pub(super) fn next(&mut self, remote: &mut dyn Remote) -> Result<Option<FoundFile>, UnreadablePath> {
        while let Some(step) = self.pending.pop() {
            let found = self.step(step, remote).transpose();
            if let Some(found) = found {
                self.found += 1;
                return found.map(Some);
            }
        }
        Ok(None)
    }

    /// Number of arguments begun: the last file found belongs to the last of them.
    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// The details of archived reports that were found so far.
    pub(super) fn details(&self) -> &FoundDetails {
        &self.details
    }

    /// Whether to skip a directory behind a symlink: it is read anyway, or contains the symlink.
    fn is_skipped(&mut self, linked: &Path) -> bool {
        // A path that cannot be resolved cannot be listed either, and listing it reports the error.
        let Ok(target) = fs::canonicalize(linked) else {
            return false;
        };
        let roots = self.roots.get_or_insert_with(|| {
            let directories = self.arguments.iter().filter(|path| path.is_dir());
            directories.flat_map(fs::canonicalize).collect()
        });
        let is_hidden = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
        let is_read = |root: &Path| {
            let below = target
                .strip_prefix(root)
                .is_ok_and(|below| !below.iter().any(is_hidden));
            below && roots.contains(root)
        };
        let parent = linked.parent().and_then(|parent| fs::canonicalize(parent).ok());
        target.ancestors().any(is_read)
            || parent.is_some_and(|parent| parent.starts_with(&target))
            || !self.linked.insert(target)
    }

    /// Takes one step, which may yield a file.
    fn step(&mut self, step: WalkStep, remote: &mut dyn Remote) -> Result<Option<FoundFile>, UnreadablePath> {
        match step {
            WalkStep::Argument(path) => {
                self.begun += 1;
                if is_remote(&path) && !is_numbered(&path) {
                    return self.step(WalkStep::Remote(path), remote);
                }
                if path.as_os_str() == STDIN || is_remote(&path) || !path.is_dir() {
                    return Ok(Some(FoundFile::named(path)));
                }
                self.pending.push(WalkStep::End(path.clone(), self.found));
                self.list(path, WalkStep::Directory)
            }
            WalkStep::Linked(path) if self.is_skipped(&path) => Ok(None),
            WalkStep::Linked(path) => self.list(path, WalkStep::Linked),
            WalkStep::Directory(path) => self.list(path, WalkStep::Directory),
            WalkStep::Remote(path) => match remote.list(&path.to_string_lossy()) {
                // The URL of an object stands for itself.
                Ok(urls) if urls.iter().map(Path::new).eq([&*path]) => Ok(Some(FoundFile::named(path))),
                Ok(urls) => {
                    self.pending.push(WalkStep::End(path, self.found));
                    let urls = urls.into_iter().rev().map(PathBuf::from);
                    let (details, files): (Vec<_>, Vec<_>) =
                        urls.partition(|url| archived_details::is_named_so(url));
                    self.details.extend(details);
                    self.pending.extend(files.into_iter().map(WalkStep::File));
                    Ok(None)
                }
                Err(error) => Err((FoundFile::named(path), error)),
            },
            WalkStep::File(path)
            | WalkStep::Found(FoundFile {
                path, searched: true, ..
            }) if archived_details::is_named_so(&path) => {
                self.details.add(path);
                Ok(None)
            }
            WalkStep::File(path) => Ok(Some(FoundFile::searched(path))),
            WalkStep::Found(file) => {
                self.begun += 1;
                Ok(Some(file))
            }
            WalkStep::End(path, before) if self.found == before => {
                Err((FoundFile::named(path), InputError::EmptyDirectory))
            }
            WalkStep::End(..) => Ok(None),
        }
    }

    /// Lists a directory; `below` makes the step for a directory in it.
    fn list(
        &mut self,
        path: PathBuf,
        below: fn(PathBuf) -> WalkStep,
    ) -> Result<Option<FoundFile>, UnreadablePath> {
        match steps(&path, below) {
            Ok(steps) => {
                self.pending.extend(steps);
                Ok(None)
            }
            Err(error) => Err((FoundFile::named(path), InputError::Open(error))),
        }
    }
}

/// The steps for the entries of a directory, the first one last.
fn steps(directory: &Path, below: fn(PathBuf) -> WalkStep) -> io::Result<Vec<WalkStep>> {
    let mut entries: Vec<(OsString, WalkStep)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            entries.push((name, below(path)));
        } else if kind.is_file() {
            entries.push((name, WalkStep::File(path)));
        } else if kind.is_symlink() {
            match fs::metadata(&path) {
                Ok(target) if target.is_dir() => entries.push((name, WalkStep::Linked(path))),
                Ok(target) if !target.is_file() => {}
                // Opening a broken symlink reports the error.
                Ok(_) | Err(_) => entries.push((name, WalkStep::File(path))),
            }
        }
    }
    entries.sort_unstable_by(|(a, _), (b, _)| b.cmp(a));
    Ok(entries.into_iter().map(|(_, step)| step).collect())
}
