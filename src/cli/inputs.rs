//! The INPUT arguments: files, directories, standard input, archives, and `s3://` addresses.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _};
use std::path::PathBuf;

use clap::Args;
use credlens::engine::{self, Instants, Snapshots, SurveyedReport};
use credlens::io::inputs::{FoundFile, InputOptions, Inputs, KeptInputs, Limits, reads_once};

use super::evaluate::Evaluation;
use super::failure::{Attempt as _, Failure};
use super::{archive, aws};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct LimitArgs {
    /// Let a compressed input unpack to this many GiB, whatever the ratio [default: 64 GiB and a thousand times the
    /// input]
    #[arg(long, value_name = "GIB")]
    pub(super) max_unpacked: Option<u64>,
}

impl LimitArgs {
    pub(super) fn limits(self) -> Limits {
        let usual = Limits::default();
        match self.max_unpacked {
            None => usual,
            Some(gib) => Limits {
                unpacked: gib.saturating_mul(1 << 30),
                ratio: u64::MAX,
                ..usual
            },
        }
    }
}

/// What reads the inputs of a run.
pub(super) struct InputReader {
    pub(super) paths: Vec<PathBuf>,
    pub(super) options: InputOptions,
    pub(super) objects: aws::Objects,
}

impl InputReader {
    /// Refuses reports that cannot be compared: in one that is cut off, the missing users would seem to be deleted.
    pub(super) fn compared(mut self) -> Self {
        self.options.compared = true;
        self
    }

    pub(super) fn open(&self) -> Inputs {
        self.open_with(self.options)
    }

    fn open_with(&self, options: InputOptions) -> Inputs {
        let inputs = Inputs::new(self.paths.clone(), Box::new(io::stdin()), options);
        archive::with_archives(self.objects.attach(inputs, &self.paths))
    }

    fn open_files(&self, files: Vec<FoundFile>, options: InputOptions) -> Inputs {
        let paths: Vec<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
        let inputs = Inputs::of_files(files, Box::new(io::stdin()), options);
        archive::with_archives(self.objects.attach(inputs, &paths))
    }

    /// What is needed to read the inputs more than once; none if there is only one.
    pub(super) fn several(&self) -> Result<Option<SeveralInputs<'_>>, Failure> {
        let files = self.open().files();
        let are_several = files
            .as_ref()
            .map_or_else(|| self.open().are_several(), |files| files.len() > 1);
        let several = are_several.then(|| -> Result<_, Failure> {
            Ok(SeveralInputs {
                reader: self,
                files,
                copies: self.copies()?,
                kept: KeptInputs::default(),
            })
        });
        several.transpose()
    }

    /// Temporary copies of the arguments that can be read only once. Of standard input that is named twice the second
    /// one is an error, as ever.
    fn copies(&self) -> Result<BTreeMap<PathBuf, File>, Failure> {
        let mut copies = BTreeMap::new();
        for path in self.paths.iter().filter(|path| reads_once(path).is_some()) {
            if copies.contains_key(path) {
                continue;
            }
            let copy = || {
                let mut copy = tempfile::tempfile()?;
                if path.as_os_str() == "-" {
                    io::copy(&mut io::stdin(), &mut copy)?;
                } else {
                    io::copy(&mut File::open(path)?, &mut copy)?;
                }
                Ok::<_, io::Error>(copy)
            };
            let copy = copy().attempt(|| format!("cannot copy {} to read it twice", path.display()))?;
            copies.insert(path.clone(), copy);
        }
        Ok(copies)
    }

    /// The same reports, in the order of their as-of.
    pub(super) fn open_in_time_order(&self) -> Inputs {
        self.open_files(self.open().in_time_order(), self.options)
    }
}

/// Inputs that are read more than once, to choose the newest snapshot of each account.
pub(super) struct SeveralInputs<'a> {
    reader: &'a InputReader,
    /// The files among them; none where they are listed again.
    files: Option<Vec<FoundFile>>,
    copies: BTreeMap<PathBuf, File>,
    kept: KeptInputs,
}

impl SeveralInputs<'_> {
    /// Whether files with several reports are among them.
    pub(super) fn may_be_archived(&self) -> bool {
        self.files.is_none()
    }

    /// Reads them.
    pub(super) fn open(&self) -> io::Result<Inputs> {
        self.open_with(self.reader.options)
    }

    fn open_with(&self, options: InputOptions) -> io::Result<Inputs> {
        let inputs = match &self.files {
            Some(files) => self.reader.open_files(files.clone(), options),
            None => self.reader.open_with(options),
        };
        Ok(inputs.with_copies(rewound(&self.copies)?).with_kept(&self.kept))
    }

    /// Reads them, but for those that are left out.
    pub(super) fn open_chosen(&self, newest: &Snapshots) -> io::Result<Inputs> {
        Ok(self.open()?.without(newest.rows.left_out_inputs().clone()))
    }

    /// The newest snapshots among reports. None if rows must be compared and were not: two have the same time.
    pub(super) fn choose(&self, surveyed: &[SurveyedReport], digests: bool) -> Option<Snapshots> {
        let options = &self.reader.options;
        let instants = Instants {
            now: options.now,
            as_of: options.as_of,
        };
        engine::newest_snapshots(surveyed, instants, digests)
    }

    /// The newest snapshot of each account, after a survey.
    pub(super) fn newest(&self, evaluation: &Evaluation) -> Result<Snapshots, Failure> {
        let survey = |digests| -> Result<_, Failure> {
            // `--as-of` says to when ages are counted, not when a report was generated.
            let undated = InputOptions {
                as_of: None,
                hashed: 0,
                ..self.reader.options
            };
            let source = evaluation.progress(self.open_with(undated)?.with_details(false));
            let (surveyed, _) = engine::survey(source, evaluation.threads, digests)?;
            Ok(self.choose(&surveyed, digests))
        };
        Ok(match survey(false)? {
            Some(newest) => newest,
            None => survey(true)?.unwrap_or_default(),
        })
    }
}

/// The same files, to be read from their beginning.
fn rewound(copies: &BTreeMap<PathBuf, File>) -> io::Result<BTreeMap<PathBuf, File>> {
    let rewound = |(path, copy): (&PathBuf, &File)| {
        let mut copy = copy.try_clone()?;
        copy.rewind()?;
        Ok((path.clone(), copy))
    };
    copies.iter().map(rewound).collect()
}
