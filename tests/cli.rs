//! The command line as people use it: the program itself, its exit status and what it writes.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

mod catalogue;
mod compliance;
#[cfg(unix)]
mod cookbook;
mod demo;
mod details;
mod diffs;
mod directories;
mod due;
mod empty_times;
mod escaping;
mod evidence;
mod exit;
mod filters;
mod fix;
mod help;
mod html;
mod init;
mod inputs;
mod list;
mod list_outputs;
mod malformed_reports;
mod outputs;
mod owners;
mod ranking;
mod readable;
mod remedy;
mod remedy_safety;
mod root_rows;
mod selection;
mod settings;
mod several_reports;
mod shapes;
mod sheets;

#[cfg(unix)]
mod signals;
mod snapshots;
mod suppressions;

const FORMATS: [&str; 7] = ["table", "summary", "json", "ndjson", "csv", "markdown", "html"];

/// A temporary directory in which the program runs, with an empty environment.
struct Workspace(TempDir);

/// How a run ended.
#[derive(Debug)]
struct Outcome {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Workspace {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Copies these fixtures into it, without their folders.
    fn with(fixtures: &[&str]) -> Self {
        let place = Self::new();
        for name in fixtures {
            let from = fixture(name);
            fs::copy(&from, place.path(from.file_name().unwrap())).unwrap();
        }
        place
    }

    fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .env("COLUMNS", "100");
        command
    }

    /// Runs `credlens` with these arguments.
    fn run(&self, args: impl Args) -> Outcome {
        self.run_with(args, "")
    }

    fn run_with(&self, args: impl Args, stdin: impl Into<Vec<u8>>) -> Outcome {
        let output = self.command().args(args.list()).write_stdin(stdin).output();
        let output = output.unwrap();
        Outcome {
            status: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// Panics unless the run ended so, with this on standard error.
    #[track_caller]
    fn ends(&self, status: i32, stderr: &str) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert!(self.stderr.contains(stderr), "no '{stderr}' in {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// Panics unless this is on standard output.
    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no '{text}' in {}", self.stdout);
        self
    }

    /// Panics if this is on standard output.
    #[track_caller]
    fn hides(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text), "'{text}' in {}", self.stdout);
        self
    }
}

/// Arguments: one string that is split at blanks, or a list.
trait Args {
    fn list(self) -> Vec<OsString>;
}

impl Args for &str {
    fn list(self) -> Vec<OsString> {
        self.split_whitespace().map(OsString::from).collect()
    }
}

impl<const N: usize> Args for [&str; N] {
    fn list(self) -> Vec<OsString> {
        self.as_slice().list()
    }
}

impl Args for &[&str] {
    fn list(self) -> Vec<OsString> {
        self.iter().map(OsString::from).collect()
    }
}

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fixtures", name].iter().collect()
}
