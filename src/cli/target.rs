//! Where formats go: standard output or a file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use credlens::io::outputs::Output;

use super::args::FormatTo;

/// Two formats must not be mixed in one stream or file.
pub(super) fn check_formats<F: Display>(formats: &[FormatTo<F>]) -> anyhow::Result<()> {
    let mut taken = BTreeSet::new();
    for FormatTo { format, path } in formats {
        // `a.csv` and `./a.csv` are one place.
        let place = path.as_deref().map(std::path::absolute).transpose()?;
        if !taken.insert(place) {
            let place = path
                .as_ref()
                .map_or("standard output".into(), |path| path.to_string_lossy());
            bail!("two formats go to {place}; give each its own: --format {format}=PATH");
        }
    }
    Ok(())
}

/// Where a format goes.
pub(super) enum Target {
    Stdout(io::Stdout),
    File(Output, PathBuf),
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

/// Opens what the formats go to.
pub(super) fn open_outputs<F: Copy>(formats: &[FormatTo<F>]) -> anyhow::Result<Vec<(F, Target)>> {
    let open = |to: &FormatTo<F>| {
        let target = match &to.path {
            None => Target::Stdout(io::stdout()),
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
