//! Output files that are complete or not there: a regular file is replaced only when all of it is written.

use std::error::Error;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::temporary::{TemporaryFile, directory};

/// Bytes that are buffered before they are written.
const BUFFER: usize = 256 * 1024;

/// How many symlinks are followed to a file that does not exist yet: Linux's limit.
const MOST_LINKS: usize = 40;

/// An output that is being written. A regular file, or one that does not exist yet, is written beside its target, which
/// [`Output::finish`] replaces; dropped before that, it leaves nothing behind. A symlink is followed. Pipes, devices
/// and everything else that is not a regular file are written directly.
#[must_use = "an output that is not finished is discarded"]
pub struct Output(BufWriter<OutputTarget>);

enum OutputTarget {
    Replaced { file: TemporaryFile, target: PathBuf },
    Direct(File),
}

impl Output {
    /// Starts writing to `path`. An existing file keeps its permissions and must be writable; the umask applies to a
    /// new one.
    pub fn create(path: &Path) -> io::Result<Self> {
        let sink = match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() || is_device(path) => {
                OutputTarget::Direct(OpenOptions::new().append(true).open(path)?)
            }
            Ok(metadata) => {
                let target = fs::canonicalize(path)?;
                // A rename would replace even a read-only file.
                drop(OpenOptions::new().append(true).open(&target)?);
                replaced(target, Some(&metadata))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => replaced(new_target(path)?, None)?,
            Err(error) => return Err(error),
        };
        Ok(Self(BufWriter::with_capacity(BUFFER, sink)))
    }

    /// Writes the rest, and replaces the target if it is a regular file. After an error the target is unchanged. Does
    /// not sync to disk: an output can be produced again, and syncing gigabytes takes longer than evaluating them.
    pub fn finish(self) -> io::Result<()> {
        match self.0.into_inner().map_err(io::IntoInnerError::into_error)? {
            OutputTarget::Direct(mut file) => file.flush(),
            OutputTarget::Replaced { file, target } => file.replace(&target),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OutputTarget {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Replaced { file, .. } => file.file(),
            Self::Direct(file) => file,
        }
    }
}

impl Write for OutputTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

/// Whether the path is an open file descriptor: `/dev/stdout` may be a regular file that the shell redirected to.
fn is_device(path: &Path) -> bool {
    let standard = ["/dev/stdout", "/dev/stderr"].map(Path::new);
    standard.contains(&path) || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

fn replaced(target: PathBuf, existing: Option<&Metadata>) -> io::Result<OutputTarget> {
    let directory = directory(&target);
    let mut file = TemporaryFile::new(directory, ".credlens-").map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot create a file in {}: {error}", directory.display()),
        )
    })?;
    if let Some(metadata) = existing {
        file.file().set_permissions(metadata.permissions())?;
    }
    Ok(OutputTarget::Replaced { file, target })
}

/// The path of a file that does not exist yet, with symlinks followed.
fn new_target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = directory(&target).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Whether an error, or one of its sources, is that the reader of an output is gone.
pub fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(ErrorKind::BrokenPipe) {
            return true;
        }
        next = error.source();
    }
    false
}
