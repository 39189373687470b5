//! Settings from credlens.toml and from the command line, resolved. What the command line says goes first.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use credlens::finding::{Severity, Status};
#[cfg(feature = "aws")]
use credlens::io::remote;
use credlens::output::Format;
use credlens::report::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::args::{Color, FailOn, FormatTo, Scan, StatusWord};
#[cfg(feature = "aws")]
use super::aws_args::{Aws, Place};
#[cfg(feature = "aws")]
use super::objects::Objects;

/// Read from the working directory where `--config` names no other.
const DEFAULT_FILE: &str = "credlens.toml";

/// More than any machine has cores; a typing error must not start a million.
const MOST_THREADS: usize = 1024;

/// What `credlens scan` is to do.
pub(crate) struct Config {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) as_of: Option<Timestamp>,
    pub(crate) rules: Vec<String>,
    pub(crate) frameworks: Vec<String>,
    pub(crate) rules_from: Vec<PathBuf>,
    pub(crate) set: Vec<String>,
    pub(crate) formats: Vec<FormatTo>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) min_severity: Severity,
    pub(crate) limit: usize,
    pub(crate) fail_on: FailOn,
    pub(crate) suppressions: Suppressing,
    pub(crate) threads: usize,
    pub(crate) max_unpacked: Option<u64>,
    pub(crate) color: Color,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    #[cfg(feature = "aws")]
    pub(crate) aws: Aws,
    #[cfg(feature = "aws")]
    pub(crate) resolve_keys: bool,
    /// Reads the inputs that are in S3.
    #[cfg(feature = "aws")]
    pub(crate) objects: Objects,
    /// The file whose settings hold besides the command line's.
    pub(crate) file: Option<ConfigFile>,
}

impl Config {
    /// The files and directories that are read, which no output may replace. Outcomes of an earlier run are none:
    /// those of this one may take their place.
    pub(crate) fn reads(&self) -> Vec<PathBuf> {
        let suppressions = match &self.suppressions {
            Suppressing::Files(path) => path.clone(),
            Suppressing::Off => None,
        };
        let mut paths = [&self.inputs[..], &self.rules_from].concat();
        paths.extend(suppressions);
        paths.extend(self.file.as_ref().map(|file| file.path.clone()));
        #[cfg(feature = "aws")]
        paths.extend(self.aws.accounts_file.clone());
        paths
    }
}

/// A configuration file as text: its `[set]` and its `[[suppress]]` entries are read by who knows the rules.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) enum Suppressing {
    /// Entries of the configuration file, and of this one.
    Files(Option<PathBuf>),
    /// Nothing.
    Off,
}

/// credlens.toml: the names are those of the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Settings {
    as_of: Option<Word<Timestamp>>,
    rule: Option<Vec<String>>,
    framework: Option<Vec<String>>,
    rules_from: Option<Vec<PathBuf>>,
    /// Read with the rules at hand.
    #[serde(default, rename = "set")]
    _set: toml::Table,
    #[serde(default)]
    format: Vec<Word<StdoutFormat>>,
    #[serde(default)]
    status: Vec<Word<StatusWord>>,
    min_severity: Option<Severity>,
    limit: Option<usize>,
    fail_on: Option<Word<FailOn>>,
    suppressions: Option<PathBuf>,
    no_suppressions: Option<bool>,
    threads: Option<usize>,
    max_unpacked: Option<u64>,
    color: Option<Color>,
    quiet: Option<bool>,
    verbose: Option<bool>,
    /// Read with the rules at hand.
    #[serde(default, rename = "suppress")]
    _suppress: Vec<toml::Table>,
}

/// What is written as on the command line; an error in it is shown where it stands.
#[derive(Debug)]
struct Word<T>(T);

impl<'de, T> Deserialize<'de> for Word<T>
where
    T: FromStr<Err: Display>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A format that goes to standard output: which files are written is said on the command line alone.
#[derive(Debug)]
struct StdoutFormat(Format);

impl FromStr for StdoutFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let FormatTo { format, path } = text.parse()?;
        match path {
            None => Ok(Self(format)),
            Some(_) => Err(format!(
                "a path is for the command line alone: --format {format}=PATH"
            )),
        }
    }
}

impl Config {
    /// Reads the configuration file, if there is one, and lets the command line go first.
    pub(crate) fn resolve(scan: Scan) -> anyhow::Result<Self> {
        let file = ConfigFile::find(scan.config.as_deref())?;
        let settings = match &file {
            Some(file) => file.settings()?,
            None => Settings::default(),
        };
        let base = file
            .as_ref()
            .and_then(|file| file.path.parent())
            .unwrap_or(Path::new(""));
        let in_base = |path: &PathBuf| base.join(path);
        let formats = settings
            .format
            .into_iter()
            .map(|word| FormatTo::to_stdout(word.0.0))
            .collect();
        let statuses = settings.status.into_iter().map(|word| word.0).collect();
        let rules_from: Vec<PathBuf> = settings.rules_from.iter().flatten().map(in_base).collect();
        let threads = scan.threads.or(settings.threads).unwrap_or(0);
        ensure!(
            threads <= MOST_THREADS,
            "{threads} threads are too many; the most are {MOST_THREADS}"
        );
        let asked = &scan.selection;
        let inputs = scan.inputs;
        let selected = !asked.rule.is_empty() || !asked.framework.is_empty();
        Ok(Self {
            as_of: scan.as_of.or(settings.as_of.map(|word| word.0)),
            // Rules and frameworks are one choice: who makes it on the command line makes it all.
            rules: if selected {
                asked.rule.clone()
            } else {
                settings.rule.unwrap_or_default()
            },
            frameworks: if selected {
                asked.framework.clone()
            } else {
                settings.framework.unwrap_or_default()
            },
            rules_from: rules_from.into_iter().chain(asked.rules_from.clone()).collect(),
            set: asked.set.clone(),
            formats: first_given(scan.format, formats, || {
                vec![FormatTo::to_stdout(Format::default())]
            }),
            statuses: statuses_of(&first_given(scan.status, statuses, default_statuses)),
            min_severity: scan
                .min_severity
                .or(settings.min_severity)
                .unwrap_or(Severity::Informational),
            limit: match scan.limit.or(settings.limit).unwrap_or(50) {
                0 => usize::MAX,
                limit => limit,
            },
            fail_on: {
                let file = settings.fail_on.map(|word| word.0);
                scan.fail_on.or(file).unwrap_or(FailOn::AtLeast(Severity::Low))
            },
            suppressions: match scan.suppressions {
                Some(path) => Suppressing::Files(Some(path)),
                None if scan.no_suppressions || settings.no_suppressions == Some(true) => Suppressing::Off,
                None => Suppressing::Files(settings.suppressions.as_ref().map(in_base)),
            },
            threads,
            max_unpacked: scan.max_unpacked.or(settings.max_unpacked),
            color: scan.verbosity.color.or(settings.color).unwrap_or(Color::Auto),
            quiet: scan.verbosity.quiet || (settings.quiet == Some(true) && scan.verbosity.verbose == 0),
            verbose: scan.verbosity.verbose > 0 || (settings.verbose == Some(true) && !scan.verbosity.quiet),
            #[cfg(feature = "aws")]
            objects: objects(&inputs, &scan.aws, scan.resolve_keys)?,
            inputs,
            #[cfg(feature = "aws")]
            aws: scan.aws,
            #[cfg(feature = "aws")]
            resolve_keys: scan.resolve_keys,
            file,
        })
    }
}

/// What reads inputs in S3. Saved reports are judged without AWS otherwise.
#[cfg(feature = "aws")]
fn objects(inputs: &[PathBuf], aws: &Aws, resolve_keys: bool) -> anyhow::Result<Objects> {
    let place = &aws.place;
    let of_place = Aws {
        place: place.clone(),
        ..Aws::default()
    };
    let is_remote = inputs.iter().any(|input| remote::is_remote(input));
    let is_of_use = inputs.is_empty() || (*aws == of_place && !resolve_keys);
    ensure!(
        is_of_use && (inputs.is_empty() || is_remote || *place == Place::default()),
        "saved reports are judged without AWS; leave out the inputs, or the flags for AWS"
    );
    Ok(Objects::new(place.settings()?))
}

impl ConfigFile {
    fn find(named: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(Self {
                path: path.to_owned(),
                text,
            })),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error)
                .with_context(|| format!("the configuration file {} cannot be read", path.display())),
        }
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        toml::from_str(&self.text).map_err(|error| {
            let text = error.to_string();
            anyhow::anyhow!(
                "the configuration file {} is wrong: {}",
                self.path.display(),
                text.trim_end()
            )
        })
    }
}

fn first_given<T>(given: Vec<T>, settings: Vec<T>, default: impl Fn() -> Vec<T>) -> Vec<T> {
    match (given.is_empty(), settings.is_empty()) {
        (false, _) => given,
        (true, false) => settings,
        (true, true) => default(),
    }
}

fn default_statuses() -> Vec<StatusWord> {
    [Status::Fail, Status::Undetermined].map(StatusWord::One).to_vec()
}

fn statuses_of(words: &[StatusWord]) -> Vec<Status> {
    let meant = |word: &StatusWord| match word {
        StatusWord::All => Status::ALL.to_vec(),
        StatusWord::One(status) => vec![*status],
    };
    words.iter().flat_map(meant).collect()
}
