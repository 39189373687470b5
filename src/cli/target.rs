//! Where formats go: standard output or a file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use credlens::io::inputs::files;
use credlens::io::outputs::Output;

use super::args::FormatTo;
use super::signals;

/// Two formats must not be mixed in one stream or file, and none may replace what is being read.
pub(super) fn check_formats<F: Display>(formats: &[FormatTo<F>], inputs: &[PathBuf]) -> anyhow::Result<()> {
    let mut taken = BTreeSet::new();
    for FormatTo { format, path } in formats {
        if let Some(path) = path
            && is_read(path, inputs)
        {
            bail!(
                "{} is an input; give --format {format}= another path",
                path.display()
            );
        }
        let place = path.as_deref().map(one_place).transpose()?;
        if !taken.insert(place) {
            let place = path
                .as_ref()
                .map_or("standard output".into(), |path| path.to_string_lossy());
            bail!("two formats go to {place}; give each its own: --format {format}=PATH");
        }
    }
    Ok(())
}

/// Whether a file is, or lies below, one of these inputs, so that writing it would replace what is to be read.
pub(super) fn is_read(path: &Path, inputs: &[PathBuf]) -> bool {
    // What is not there yet replaces nothing; neither do pipes and devices.
    let Some(place) = std::fs::canonicalize(path).ok().filter(|place| place.is_file()) else {
        return false;
    };
    let name = place.file_name().unwrap_or_default();
    // Only what may be the file is looked up: there may be many.
    let may_be = |file: &Path| {
        let is_called_so = file
            .file_name()
            .is_some_and(|file| file.eq_ignore_ascii_case(name));
        is_called_so || file.is_symlink()
    };
    files(inputs.to_vec())
        .any(|file| may_be(&file) && std::fs::canonicalize(file).is_ok_and(|file| file == place))
}

/// Whether a format goes to this file.
#[cfg(feature = "aws")]
pub(super) fn is_taken<F>(formats: &[FormatTo<F>], path: &Path) -> bool {
    let paths = formats.iter().filter_map(|to| to.path.as_deref());
    let mut places = paths.map(one_place);
    one_place(path).is_ok_and(|path| places.any(|place| place.is_ok_and(|place| place == path)))
}

/// `a.csv`, `./a.csv` and a symlink to it are one place.
fn one_place(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}

/// Where a format goes.
pub(super) enum Target {
    Stdout(Stdout),
    File(Output, PathBuf),
}

/// Standard output. Who closes it has read enough of it, but not of the other outputs.
pub(super) struct Stdout {
    stream: io::Stdout,
    is_alone: bool,
}

impl Stdout {
    fn forgive<T>(&self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.is_alone => Ok(instead),
            result => result,
        }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes);
        self.forgive(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stream.flush();
        self.forgive(flushed, ())
    }
}

impl Target {
    /// Puts a file in its place.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Stdout(mut stdout) => Ok(stdout.flush()?),
            Self::File(output, path) => output
                .finish()
                .with_context(|| format!("cannot write {}", path.display())),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(output, _) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(output, _) => output.flush(),
        }
    }
}

/// Has a signal that ends the run leave nothing half-written, where there is something to write. For runs that no
/// Ctrl-C asks to end by themselves.
pub(super) fn end_cleanly<F>(formats: &[FormatTo<F>]) {
    if formats.iter().any(|to| to.path.is_some()) {
        signals::leave_nothing();
    }
}

/// Opens what the formats go to.
pub(super) fn open_outputs<F: Copy>(formats: &[FormatTo<F>]) -> anyhow::Result<Vec<(F, Target)>> {
    let open = |to: &FormatTo<F>| {
        let target = match &to.path {
            None => Target::Stdout(Stdout {
                stream: io::stdout(),
                is_alone: formats.len() == 1,
            }),
            Some(path) => {
                let output = Output::create(path);
                let output = output.with_context(|| format!("cannot write {}", path.display()))?;
                Target::File(output, path.clone())
            }
        };
        Ok((to.format, target))
    };
    formats.iter().map(open).collect()
}
