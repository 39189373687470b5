//! Outputs that are whole or not there: a regular file is replaced only once all of it is written.

use std::error::Error;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::temporary::{TemporaryFile, directory};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// How many symlinks are followed to a file that does not exist yet; the limit of Linux.
const MOST_LINKS: usize = 40;

/// An output that is being written. A regular file, or one that does not exist yet, is written beside its
/// target and takes its place by [`Output::finish`]; dropped before, it leaves no trace. A symlink is written
/// through to what it points to. Pipes, devices and whatever else is no regular file are written as they are.
#[must_use = "an output that is not finished is discarded"]
pub struct Output(BufWriter<OutputTarget>);

enum OutputTarget {
    Replacing { file: TemporaryFile, target: PathBuf },
    Through(File),
}

impl Output {
    /// Starts writing to `path`. An existing file keeps its permissions and must be writable; a new one gets
    /// those that the umask leaves.
    pub fn create(path: &Path) -> io::Result<Self> {
        let sink = match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() || is_device(path) => {
                OutputTarget::Through(OpenOptions::new().append(true).open(path)?)
            }
            Ok(metadata) => {
                let target = fs::canonicalize(path)?;
                // Renaming would replace a file that its owner has protected.
                drop(OpenOptions::new().append(true).open(&target)?);
                replacing(target, Some(&metadata))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => replacing(new_target(path)?, None)?,
            Err(error) => return Err(error),
        };
        Ok(Self(BufWriter::with_capacity(BUFFER, sink)))
    }

    /// Writes what is left and puts a regular file in its place. After an error the target is as it was
    /// before. Nobody waits for the disk: what is written here can be made again, and flushing gigabytes takes longer
    /// than judging them.
    pub fn finish(self) -> io::Result<()> {
        match self.0.into_inner().map_err(io::IntoInnerError::into_error)? {
            OutputTarget::Through(mut file) => file.flush(),
            OutputTarget::Replacing { file, target } => file.replace(&target),
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

impl Write for OutputTarget {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Replacing { file, .. } => file.write(bytes),
            Self::Through(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Replacing { file, .. } => file.flush(),
            Self::Through(file) => file.flush(),
        }
    }
}

/// `/dev/stdout` may lead to a regular file, which whoever redirected to it has open.
fn is_device(path: &Path) -> bool {
    let standard = ["/dev/stdout", "/dev/stderr"].map(Path::new);
    standard.contains(&path) || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

fn replacing(target: PathBuf, existing: Option<&Metadata>) -> io::Result<OutputTarget> {
    let directory = directory(&target);
    let mut file = TemporaryFile::new(directory, ".credlens-", fresh_permissions()).map_err(|error| {
        let kind = error.kind();
        io::Error::new(
            kind,
            format!("no file can be made in {}: {kind}", directory.display()),
        )
    })?;
    if let Some(metadata) = existing {
        file.file().set_permissions(metadata.permissions())?;
    }
    Ok(OutputTarget::Replacing { file, target })
}

/// What a program asks for when it makes a file, before the umask.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions")]
fn fresh_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn fresh_permissions() -> Option<Permissions> {
    None
}

/// Where a file that does not exist yet comes to be: symlinks may lead there.
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

/// Whether the error, or one that it comes from, is that nobody reads an output any more.
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
