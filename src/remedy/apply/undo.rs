//! Takes back what a journal says was done, the last change first. It needs neither report nor rules, and trusts no status that
//! IAM reports, since that may be old: AWS is asked to activate every key that it was asked to deactivate.

use super::meaning;
use super::run::{Recorder, StepReport};
use super::step::{Ending, Meaning};
use crate::remedy::journal::{ChangeOutcome, Entry, Intent, KeyAction, KeyResult, StepKey};
use crate::remedy::live::{Change, KeyStatus, LiveIam};
use crate::remedy::skip::SkipReason;
use crate::report::time::Timestamp;

/// What an undo is made of.
pub struct Undoing<'a> {
    /// AWS.
    pub iam: &'a mut dyn LiveIam,
    /// The clock of this machine.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Gets what becomes of each key.
    pub show: Box<dyn FnMut(&StepReport) + 'a>,
}

/// How an undo ended.
#[derive(Debug, Default)]
pub struct UndoEnd {
    /// Keys that are active again.
    pub active: u64,
    /// Keys that are not, or may not be.
    pub failed: u64,
    /// Keys that were not begun.
    pub left: u64,
    /// Whether a signal ended it.
    pub interrupted: bool,
    /// Why records could not be kept: the first error. Keys are activated all the same.
    pub unrecorded: Option<std::io::Error>,
}

impl Undoing<'_> {
    /// Activates keys, in this order.
    pub fn undo(&mut self, keys: &[StepKey], recorder: &mut dyn Recorder) -> UndoEnd {
        let mut end = UndoEnd::default();
        for (position, key) in keys.iter().enumerate() {
            let (ending, error) = self.key(key, recorder, &mut end);
            if ending == Ending::Interrupted {
                end.interrupted = true;
                end.left = (keys.len() - position) as u64;
                break;
            }
            if ending == Ending::Done {
                end.active += 1;
            } else {
                end.failed += 1;
            }
            (self.show)(&StepReport {
                key: key.clone(),
                ending: Some(ending),
                error,
            });
        }
        end
    }

    fn key(
        &mut self,
        key: &StepKey,
        recorder: &mut dyn Recorder,
        end: &mut UndoEnd,
    ) -> (Ending, Option<String>) {
        let (meaning, error) = meaning::answered(self.iam.account_for(&key.account), |found| {
            meaning::account(&key.account, &found)
        });
        match meaning {
            // AWS knows a key by its id: in another account the change fails. Credentials of another account are still a mistake.
            Meaning::GoOn | Meaning::Skip(SkipReason::Unreadable) => {}
            Meaning::Interrupted => return (Ending::Interrupted, None),
            Meaning::Skip(reason) => return (Ending::Skipped(reason), error),
            Meaning::Changed | Meaning::Rejected | Meaning::Unknown => return (Ending::Failed, error),
        }
        let Some(id) = &key.access_key_id else {
            return (Ending::Skipped(SkipReason::Ambiguous), None);
        };
        let intent = Intent {
            action: KeyAction::Activate,
            key: key.clone(),
            prior_status: None,
        };
        self.record(recorder, Entry::Intent(intent), end);
        let change = self
            .iam
            .set_status(&key.account, &key.user, id, KeyStatus::Active);
        let (outcome, ending, error) = outcome_of(change);
        let result = KeyResult {
            action: KeyAction::Activate,
            key: key.clone(),
            outcome,
            found_later: false,
            error: error.clone(),
        };
        self.record(recorder, Entry::Result(result), end);
        (ending, error)
    }

    fn record(&self, recorder: &mut dyn Recorder, entry: Entry, end: &mut UndoEnd) {
        if let Err(error) = recorder.record((self.clock)(), entry) {
            end.unrecorded.get_or_insert(error);
        }
    }
}

fn outcome_of(change: Change) -> (ChangeOutcome, Ending, Option<String>) {
    match change {
        Change::Done => (ChangeOutcome::Done, Ending::Done, None),
        Change::Gone => {
            let reason = SkipReason::Gone;
            let why = reason.why().to_owned();
            (ChangeOutcome::Failed, Ending::Skipped(reason), Some(why))
        }
        Change::Rejected(error) => (ChangeOutcome::Failed, Ending::Failed, Some(error)),
        Change::Unknown(error) => (ChangeOutcome::Unknown, Ending::Unknown, Some(error)),
        Change::NotAsked => (ChangeOutcome::Failed, Ending::Interrupted, None),
    }
}
