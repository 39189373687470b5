//! Keeps how the accounts came out, in the file of `--outcomes`: at the end of a run, and where Ctrl-C ends it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::Context as _;
use credlens::aws::accounts::Account;
use credlens::aws::{Error, FetchedAccount, OutcomeStatus, Outcomes, RunRecord};
use credlens::io::outputs::Output;

/// When an account is done, so that who goes on from a run that was interrupted need not fetch it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SavePolicy {
    /// As soon as its report came: it is saved by itself.
    Each,
    /// Once all is written.
    Together,
}

/// The file, and what is known. Where it goes before it was written, so does what was begun of the file.
pub(super) struct OutcomesWriter(Arc<Mutex<Kept>>);

/// For who hears Ctrl-C on a thread that nobody waits for: it must not hold the file beyond the run.
pub(super) struct WeakOutcomesWriter(Weak<Mutex<Kept>>);

impl WeakOutcomesWriter {
    pub(super) fn upgrade(&self) -> Option<OutcomesWriter> {
        self.0.upgrade().map(OutcomesWriter)
    }
}

struct Kept {
    done: SavePolicy,
    /// None where nothing is to be kept, or all was.
    file: Option<(Output, PathBuf)>,
    /// The accounts that are to be fetched.
    planned: Vec<Account>,
    /// What an earlier run knew, if this one goes on from it.
    earlier: Option<Outcomes>,
    record: Arc<Mutex<RunRecord>>,
}

impl OutcomesWriter {
    /// Where it cannot be written is found out before anything is asked of AWS.
    pub(super) fn open(path: Option<&Path>, done: SavePolicy) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            let output = Output::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            anyhow::Ok((output, path.to_owned()))
        };
        Ok(Self(Arc::new(Mutex::new(Kept {
            done,
            file: path.map(open).transpose()?,
            planned: Vec::new(),
            earlier: None,
            record: Arc::default(),
        }))))
    }

    pub(super) fn weak(&self) -> WeakOutcomesWriter {
        WeakOutcomesWriter(Arc::downgrade(&self.0))
    }

    pub(super) fn plan(
        &self,
        accounts: &[Account],
        earlier: Option<Outcomes>,
        record: &Arc<Mutex<RunRecord>>,
    ) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.planned = accounts.to_vec();
        kept.earlier = earlier;
        kept.record = Arc::clone(record);
    }

    /// Keeps what came of a run that was not interrupted, or of what was written of one that was.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.write(SavePolicy::Each)
    }

    /// Keeps what is done of a run that is interrupted.
    pub(super) fn interrupted(&self) -> anyhow::Result<()> {
        // Who holds it is writing it.
        let Ok(mut kept) = self.0.try_lock() else {
            return Ok(());
        };
        let done = kept.done;
        kept.write(done)
    }
}

impl Kept {
    fn write(&mut self, done: SavePolicy) -> anyhow::Result<()> {
        let Some((mut output, path)) = self.file.take() else {
            return Ok(());
        };
        if self.planned.is_empty() {
            return Ok(());
        }
        let text = self.outcomes(done).text();
        let written = output.write_all(text.as_bytes()).and_then(|()| output.finish());
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// Of accounts that are planned but not done, it is told that they are to be fetched again.
    fn outcomes(&mut self, done: SavePolicy) -> Outcomes {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for outcome in &mut record.outcomes {
            if done == SavePolicy::Together && outcome.outcome == OutcomeStatus::Fetched {
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
        // They may have come in another order.
        record
            .outcomes
            .sort_by(|one, other| one.account.cmp(&other.account));
        match self.earlier.take() {
            Some(earlier) => earlier.updated(record.outcomes),
            None => Outcomes::new(record.outcomes),
        }
    }
}
