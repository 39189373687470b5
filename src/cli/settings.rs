//! `credlens.toml`: the settings of the command line in a file. Read and parsed once in a run; the command line takes
//! precedence.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use credlens::finding::{RankBy, Severity};
use credlens::output::Format;
use credlens::report::time::Timestamp;
use credlens::rule::Document;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::fail_on::FailOn;
use super::failure::{Attempt as _, Failure};
use super::outputs::FormatTo;
use super::scan::StatusWord;
use super::span::Span;
use super::terminal::Color;

/// Read from the working directory where `--config` names no other file.
pub(super) const DEFAULT_FILE: &str = "credlens.toml";

/// The settings file as text, if there is one: its path, the path as errors print it, and its text.
pub(super) struct SettingsText(Option<(PathBuf, String, String)>);

/// The settings file, parsed.
pub(super) struct SettingsFile<'a> {
    /// None where there is no file.
    pub(super) file: Option<(&'a Path, Document<'a>)>,
    pub(super) values: SettingsValues,
}

/// The keys have the names of the flags.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct SettingsValues {
    pub(super) as_of: Option<Word<Timestamp>>,
    pub(super) rule: Option<Vec<String>>,
    pub(super) framework: Option<Vec<String>>,
    pub(super) level: Option<u8>,
    pub(super) rules_from: Option<Vec<PathBuf>>,
    #[serde(default)]
    pub(super) user: Vec<String>,
    #[serde(default)]
    pub(super) exclude_user: Vec<String>,
    #[serde(default)]
    pub(super) path: Vec<String>,
    #[serde(default)]
    pub(super) exclude_path: Vec<String>,
    #[serde(default)]
    pub(super) account: Vec<String>,
    #[serde(default)]
    pub(super) exclude_account: Vec<String>,
    /// Read once the rules are known.
    #[serde(default, rename = "set")]
    _set: IgnoredAny,
    #[serde(default)]
    pub(super) format: Vec<Word<StdoutFormat>>,
    #[serde(default)]
    pub(super) status: Vec<Word<StatusWord>>,
    pub(super) owners: Option<PathBuf>,
    pub(super) owner_tag: Option<String>,
    pub(super) due_within: Option<Word<Span>>,
    pub(super) by: Option<RankBy>,
    pub(super) min_severity: Option<Severity>,
    pub(super) limit: Option<usize>,
    pub(super) fix: Option<bool>,
    pub(super) fail_on: Option<Word<FailOn>>,
    pub(super) fail_on_undetermined: Option<bool>,
    pub(super) all_snapshots: Option<bool>,
    pub(super) hash_inputs: Option<bool>,
    pub(super) suppressions: Option<PathBuf>,
    pub(super) no_suppressions: Option<bool>,
    pub(super) threads: Option<usize>,
    pub(super) max_unpacked: Option<u64>,
    pub(super) color: Option<Color>,
    pub(super) quiet: Option<bool>,
    pub(super) verbose: Option<bool>,
    /// Read once the rules are known.
    #[serde(default, rename = "suppress")]
    _suppress: IgnoredAny,
}

/// A value that is written as on the command line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<T>(pub(super) T);

impl<'de, T> Deserialize<'de> for Word<T>
where
    T: FromStr<Err: Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A format on standard output: only the command line names files to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct StdoutFormat(pub(super) Format);

impl FromStr for StdoutFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let FormatTo { format, path } = text.parse()?;
        match path {
            None => Ok(Self(format)),
            Some(_) => Err(format!(
                "a path can be given only on the command line: --format {format}=PATH"
            )),
        }
    }
}

impl SettingsText {
    /// Reads the file that `--config` names, else the default one where it exists.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, Failure> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(Self(None)),
            read => {
                let text = read.attempt(|| format!("cannot read the settings file {}", path.display()))?;
                Ok(Self(Some((path.to_owned(), path.display().to_string(), text))))
            }
        }
    }

    pub(super) fn parse(&self) -> Result<SettingsFile<'_>, Failure> {
        let Some((path, origin, text)) = &self.0 else {
            return Ok(SettingsFile {
                file: None,
                values: SettingsValues::default(),
            });
        };
        let document = Document::parse(origin, text)?;
        let mut values: SettingsValues = document.deserialize()?;
        // Paths are relative to the file.
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = values
            .rules_from
            .iter_mut()
            .flatten()
            .chain(&mut values.suppressions)
            .chain(&mut values.owners);
        paths.for_each(|path| *path = folder.join(&*path));
        Ok(SettingsFile {
            file: Some((path, document)),
            values,
        })
    }
}

impl SettingsFile<'_> {
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|(path, _)| *path)
    }
}

/// What the command line gives, else the file.
pub(super) fn first_given<T>(given: Vec<T>, in_file: Vec<T>) -> Vec<T> {
    if given.is_empty() { in_file } else { given }
}
