//! `--format FMT[=PATH]`: formats go to standard output or to files.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use credlens::io::inputs::files;
use credlens::io::outputs::Output;
use credlens::output::{Format, FormatSpec, Formats, list_formats};

use super::failure::{Failure, Unwritable};

/// `FMT[=PATH]`.
#[derive(Clone, Debug)]
pub(super) struct FormatTo<F = Format> {
    pub(super) format: F,
    /// None is standard output.
    pub(super) path: Option<PathBuf>,
}

impl<F: Default> FormatTo<F> {
    /// These formats; where there are none, the default one on standard output.
    pub(super) fn or_default(formats: Vec<Self>) -> Vec<Self> {
        if formats.is_empty() {
            vec![Self::to_stdout(F::default())]
        } else {
            formats
        }
    }
}

impl<F> FormatTo<F> {
    pub(super) fn to_stdout(format: F) -> Self {
        Self { format, path: None }
    }
}

impl<W> FormatTo<&FormatSpec<W>> {
    /// Whether people read it where they run this.
    pub(super) fn is_shown(&self) -> bool {
        self.path.is_none() && self.format.is_for_people()
    }

    /// Whether a terminal shows it, so that errors are there on standard error already.
    pub(super) fn is_on_terminal(&self) -> bool {
        self.path.is_none() && self.format.is_for_terminals()
    }
}

/// The help of `--format`, from the registry of its formats.
pub(super) fn format_help<W: Formats>(what: &str) -> String {
    let (formats, default) = (list_formats::<W>(), <&FormatSpec<W>>::default());
    format!(
        "Format of the {what}, on standard output or in PATH. Repeatable. One of {formats} [default: {default}]"
    )
}

/// The same in a line of which no terminal breaks the others.
pub(super) fn short_format_help<W: Formats>() -> String {
    let names: Vec<&str> = W::ALL.iter().map(|format| format.name).take(4).collect();
    format!("{}, …", names.join(", "))
}

impl<F: FromStr<Err: Display>> FromStr for FormatTo<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = match text.split_once('=') {
            Some((_, "")) => return Err("no path after '='".to_owned()),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self {
            format: format.parse::<F>().map_err(|error| error.to_string())?,
            path: path.filter(|path| path.as_os_str() != "-"),
        })
    }
}

/// A limit that no format has is a mistake: what is written would be all.
pub(super) fn check_limit<W>(
    given: Option<usize>,
    formats: &[FormatTo<&'static FormatSpec<W>>],
) -> Result<(), Failure> {
    let has_limit = |to: &FormatTo<&FormatSpec<W>>| to.format.is_for_people() || to.format.is_limited;
    if given.is_none() || formats.iter().any(has_limit) {
        return Ok(());
    }
    let formats: Vec<String> = formats.iter().map(|to| to.format.to_string()).collect();
    Err(Failure::Usage(format!(
        "--limit has no effect on {}: programs get every line",
        formats.join(" and ")
    )))
}

/// Each format needs an output of its own, and none may replace a file that the run reads.
pub(super) fn check_formats<F: Display>(formats: &[FormatTo<F>], inputs: &[PathBuf]) -> Result<(), Failure> {
    let mut taken = BTreeSet::new();
    for FormatTo { format, path } in formats {
        if let Some(path) = path
            && is_read(path, inputs)
        {
            return Err(Failure::Usage(format!(
                "{} is an input; give --format {format}= another path",
                path.display()
            )));
        }
        let target = path.as_deref().map(canonical).transpose()?;
        if !taken.insert(target) {
            let target = path
                .as_ref()
                .map_or("standard output".into(), |path| path.to_string_lossy());
            return Err(Failure::Usage(format!(
                "two formats go to {target}; give each its own: --format {format}=PATH"
            )));
        }
    }
    Ok(())
}

/// Whether a file is one of these inputs, or is below one, so that writing it would replace what is to be read.
pub(super) fn is_read(path: &Path, inputs: &[PathBuf]) -> bool {
    // A file that does not exist yet replaces nothing; neither do pipes and devices.
    let Some(target) = std::fs::canonicalize(path).ok().filter(|target| target.is_file()) else {
        return false;
    };
    let name = target.file_name().unwrap_or_default();
    // There may be many files: only those that may be the target are looked up.
    let may_be = |file: &Path| {
        let has_name = file
            .file_name()
            .is_some_and(|file| file.eq_ignore_ascii_case(name));
        has_name || file.is_symlink()
    };
    files(inputs.to_vec())
        .any(|file| may_be(&file) && std::fs::canonicalize(file).is_ok_and(|file| file == target))
}

/// `a.csv`, `./a.csv` and a symlink to it are one path.
pub(super) fn canonical(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}

/// Where a format goes. Its errors say which output it is.
pub(super) struct Target {
    /// `cannot write out.json as json`.
    attempt: String,
    stream: TargetStream,
}

enum TargetStream {
    Stdout(Stdout),
    File(Output),
}

/// Standard output. A reader that closes it has read enough of it, but the other outputs are still to be written.
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
    fn open<F: Display>(to: &FormatTo<F>, is_alone: bool) -> Result<Self, Failure> {
        let attempt = match &to.path {
            None => format!("cannot write {} to standard output", to.format),
            Some(path) => format!("cannot write {} as {}", path.display(), to.format),
        };
        let stream = match &to.path {
            None => TargetStream::Stdout(Stdout {
                stream: io::stdout(),
                is_alone,
            }),
            Some(path) => TargetStream::File(Output::create(path).map_err(Failure::output(&attempt))?),
        };
        Ok(Self { attempt, stream })
    }

    /// Puts a file in its place.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let finished = match self.stream {
            TargetStream::Stdout(mut stdout) => stdout.flush(),
            TargetStream::File(output) => output.finish(),
        };
        finished.map_err(Failure::output(self.attempt))
    }

    fn named<T>(&self, result: io::Result<T>) -> io::Result<T> {
        // After an interruption the writer tries again.
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                error
            } else {
                Unwritable::new(&self.attempt, error).into_io()
            }
        })
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.stream {
            TargetStream::Stdout(stdout) => stdout.write(bytes),
            TargetStream::File(output) => output.write(bytes),
        };
        self.named(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.stream {
            TargetStream::Stdout(stdout) => stdout.flush(),
            TargetStream::File(output) => output.flush(),
        };
        self.named(flushed)
    }
}

/// Puts files in their places once their outputs are written to the end.
pub(super) fn finish_outputs(written: io::Result<Vec<Target>>) -> Result<(), Failure> {
    written?.into_iter().try_for_each(Target::finish)
}

/// Opens what the formats go to.
pub(super) fn open_outputs<F: Copy + Display>(formats: &[FormatTo<F>]) -> Result<Vec<(F, Target)>, Failure> {
    let is_alone = formats.len() == 1;
    let open = |to: &FormatTo<F>| Ok((to.format, Target::open(to, is_alone)?));
    formats.iter().map(open).collect()
}

/// Writes a document in each format by `write`, which renders it.
pub(super) fn write_documents<F: Copy + Display>(
    formats: &[FormatTo<F>],
    write: impl Fn(F, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    for (format, target) in open_outputs(formats)? {
        let mut out = io::BufWriter::new(target);
        write(format, &mut out)?;
        out.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()?;
    }
    Ok(())
}

/// Writes all of this, such as `the list (json)`, to standard output. A reader that closes it has read enough.
pub(super) fn print(what: &str, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    let printed = stdout.write_all(text.as_ref()).and_then(|()| stdout.flush());
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| Failure::stdout(what, error)),
    }
}
