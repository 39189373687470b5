//! The file of `--outcomes`: each account's result, written at the end of a run and when a signal ends it.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use credlens::aws::accounts::Account;
use credlens::aws::{Error, FetchedAccount, Outcomes, RunRecord};
use credlens::io::outputs::Output;

use crate::cli::failure::Failure;

/// The file, and what is known so far. If it is dropped before it is written, no trace of the file is left.
pub(in crate::cli) struct OutcomesWriter(Arc<Mutex<PendingOutcomes>>);

/// Which accounts are done where a run is interrupted.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Done {
    /// None: reports are of no use one by one.
    #[default]
    None,
    /// Those in the record.
    Recorded,
    /// Those whose reports are in the archive.
    Archived,
}

/// How often a signal tries to get at the file, which the run itself may be writing, and the pauses: a second.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Default)]
struct PendingOutcomes {
    /// Which accounts are done where the run is interrupted.
    done: Done,
    /// The accounts whose reports are in the archive.
    archived: BTreeSet<String>,
    /// Why accounts that are not done are not, unless a signal ended the run.
    reason: Option<String>,
    /// None where no file is asked for, or it is written.
    file: Option<(Output, PathBuf)>,
    /// The accounts to fetch.
    planned: Vec<Account>,
    /// The outcomes of the run that this one resumes.
    earlier: Option<Outcomes>,
    record: Arc<Mutex<RunRecord>>,
}

impl OutcomesWriter {
    pub(super) fn new(done: Done) -> Self {
        let pending = PendingOutcomes {
            done,
            ..PendingOutcomes::default()
        };
        Self(Arc::new(Mutex::new(pending)))
    }

    /// Opens the file, so that a file that cannot be written is an error before any call to AWS.
    pub(super) fn open(&self, path: Option<&Path>) -> Result<(), Failure> {
        if let Some(path) = path {
            let output = Output::create(path).map_err(cannot_write(path))?;
            self.lock().file = Some((output, path.to_owned()));
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, PendingOutcomes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the report of an account is in the archive.
    #[cfg(feature = "archive")]
    pub(in crate::cli) fn archived(&self, account: &str) {
        self.lock().archived.insert(account.to_owned());
    }

    /// Settles the accounts of a run that saves into an archive: those whose reports are not there failed for the reason
    /// that `why` gives, and those that are not fetched for `reason`, or because of a signal.
    #[cfg(feature = "archive")]
    pub(in crate::cli) fn settle(
        &self,
        record: &Mutex<RunRecord>,
        why: impl Fn(&str) -> String,
        reason: Option<String>,
    ) {
        let mut pending = self.lock();
        pending.reason = reason;
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        record.keep(|account| pending.archived.contains(account), why);
        if pending.reason.is_some() {
            pending.complete(&mut record);
        }
    }

    /// What a thread that waits for signals calls at one. It must not hold the file beyond the run.
    pub(super) fn at_signal(&self) -> impl Fn() + Send + use<> {
        let outcomes = Arc::downgrade(&self.0);
        // That it fails can be printed nowhere: the run ends.
        move || drop(outcomes.upgrade().map(|outcomes| Self(outcomes).interrupted()))
    }

    pub(super) fn plan(
        &self,
        accounts: &[Account],
        earlier: Option<Outcomes>,
        record: &Arc<Mutex<RunRecord>>,
    ) {
        let mut pending = self.lock();
        pending.planned = accounts.to_vec();
        pending.earlier = earlier;
        pending.record = Arc::clone(record);
    }

    /// Writes the result of a run that was not interrupted, or of the part that was saved.
    pub(in crate::cli) fn write(&self) -> Result<(), Failure> {
        self.lock().write(false)
    }

    /// Writes which accounts are done in a run that is interrupted.
    pub(in crate::cli) fn interrupted(&self) -> Result<(), Failure> {
        // Another thread that holds it is writing it, perhaps to a pipe that no one reads.
        for _ in 0..TRIES {
            if let Ok(mut pending) = self.0.try_lock() {
                return pending.write(true);
            }
            sleep(PAUSE);
        }
        Ok(())
    }
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    Failure::output(format!("cannot write the outcomes (json) to {}", path.display()))
}

impl PendingOutcomes {
    fn write(&mut self, interrupted: bool) -> Result<(), Failure> {
        let Some((mut output, path)) = self.file.take() else {
            return Ok(());
        };
        if self.planned.is_empty() {
            return Ok(());
        }
        let text = self.outcomes(interrupted).text();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.finish());
        written.map_err(cannot_write(&path))
    }

    /// Accounts that are planned but not done are to be fetched again.
    fn outcomes(&mut self, interrupted: bool) -> Outcomes {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if interrupted {
            let is_done = |account: &str| match self.done {
                Done::None => false,
                Done::Recorded => true,
                Done::Archived => self.archived.contains(account),
            };
            record.keep(is_done, |_| Error::Interrupted.to_string());
        }
        self.complete(&mut record);
        match self.earlier.take() {
            Some(earlier) => earlier.updated(record.outcomes),
            None => Outcomes::new(record.outcomes),
        }
    }

    /// Adds the accounts that are planned and not in the record.
    fn complete(&self, record: &mut RunRecord) {
        let known = record.outcomes.len();
        for account in &self.planned {
            if record.outcomes[..known]
                .iter()
                .all(|outcome| outcome.account != account.id)
            {
                record.add(&FetchedAccount {
                    account: account.clone(),
                    result: Err(Error::Interrupted),
                });
                if let Some(reason) = &self.reason {
                    record.failed(reason);
                }
            }
        }
    }
}
