//! The file of `--outcomes`: each account's result, written at the end of a run and when Ctrl-C ends it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use credlens::aws::accounts::Account;
use credlens::aws::{Error, FetchedAccount, OutcomeStatus, Outcomes, RunRecord};
use credlens::io::outputs::Output;

use crate::cli::failure::Failure;

/// The file, and what is known so far. If it is dropped before it is written, no trace of the file is left.
pub(in crate::cli) struct OutcomesWriter(Arc<Mutex<PendingOutcomes>>);

#[derive(Default)]
struct PendingOutcomes {
    /// Whether reports are of use one by one. If not, a run that resumes an interrupted one fetches all of them again.
    saves_each: bool,
    /// None where no file is asked for, or it is written.
    file: Option<(Output, PathBuf)>,
    /// The accounts to fetch.
    planned: Vec<Account>,
    /// The outcomes of the run that this one resumes.
    earlier: Option<Outcomes>,
    record: Arc<Mutex<RunRecord>>,
}

impl OutcomesWriter {
    /// Opens the file, so that a file that cannot be written is an error before any call to AWS.
    pub(super) fn open(path: Option<&Path>, saves_each: bool) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let output = Output::create(path).map_err(cannot_write(path))?;
            Ok::<_, Failure>((output, path.to_owned()))
        };
        Ok(Self(Arc::new(Mutex::new(PendingOutcomes {
            saves_each,
            file: path.map(open).transpose()?,
            ..PendingOutcomes::default()
        }))))
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
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.planned = accounts.to_vec();
        pending.earlier = earlier;
        pending.record = Arc::clone(record);
    }

    /// Writes the result of a run that was not interrupted, or of the part that was saved.
    pub(in crate::cli) fn write(&self) -> Result<(), Failure> {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.write(false)
    }

    /// Writes which accounts are done in a run that is interrupted.
    pub(in crate::cli) fn interrupted(&self) -> Result<(), Failure> {
        // Another thread that holds it is writing it.
        let Ok(mut pending) = self.0.try_lock() else {
            return Ok(());
        };
        let saves_each = pending.saves_each;
        pending.write(!saves_each)
    }
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> Failure {
    Failure::output(format!("cannot write the outcomes (json) to {}", path.display()))
}

impl PendingOutcomes {
    fn write(&mut self, none_is_done: bool) -> Result<(), Failure> {
        let Some((mut output, path)) = self.file.take() else {
            return Ok(());
        };
        if self.planned.is_empty() {
            return Ok(());
        }
        let text = self.outcomes(none_is_done).text();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.finish());
        written.map_err(cannot_write(&path))
    }

    /// Accounts that are planned but not done are to be fetched again.
    fn outcomes(&mut self, none_is_done: bool) -> Outcomes {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for outcome in &mut record.outcomes {
            if none_is_done && outcome.outcome == OutcomeStatus::Fetched {
                outcome.outcome = OutcomeStatus::Failed;
                outcome.error = Some(Error::Interrupted.to_string());
            }
        }
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
            }
        }
        match self.earlier.take() {
            Some(earlier) => earlier.updated(record.outcomes),
            None => Outcomes::new(record.outcomes),
        }
    }
}
