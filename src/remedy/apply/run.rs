//! Applies steps, one call at a time: each is examined, recorded, changed and recorded again.

use std::io;

use super::meaning::{self, Times};
use super::step::{Ending, Meaning, Next, Question, next};
use crate::remedy::journal::{
    Begin, ChangeOutcome, End, Entry, Intent, KeyAction, KeyResult, Recorded, Skip, StepKey,
};
use crate::remedy::live::{KeyStatus, LiveIam};
use crate::remedy::skip::SkipReason;
use crate::remedy::step::{PlanAccount, Step};
use crate::report::time::Timestamp;

/// Keeps the records of a run.
pub trait Recorder {
    /// Adds a record. It is on the disk when this returns.
    ///
    /// # Errors
    /// If it may not be there: then nothing that it announces may be done.
    fn record(&mut self, at: Timestamp, entry: Entry) -> io::Result<()>;
}

/// What became of a step, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// The key, with its id where AWS said it.
    pub key: StepKey,
    /// How the step ended; none if nothing stands against it, and it was only to be shown.
    pub ending: Option<Ending>,
    /// What AWS answered, where that is the reason.
    pub error: Option<String>,
}

/// A record that could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unrecorded {
    /// Why.
    pub error: io::Error,
    /// The key that was changed, or may have been, and whose result is not recorded.
    pub changed: Option<StepKey>,
    /// What was done before.
    pub end: End,
}

/// What a run is made of.
pub struct Applying<'a> {
    /// AWS.
    pub iam: &'a mut dyn LiveIam,
    /// The clock of this machine.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// The first record of the journal: limits and exemptions.
    pub begin: &'a Begin,
    /// Gets what becomes of each step.
    pub show: Box<dyn FnMut(&StepReport) + 'a>,
}

/// A step that was examined.
enum Examined {
    /// Nothing stands against it.
    Ready(StepKey),
    Ended(StepReport, Ending),
}

impl Applying<'_> {
    /// Examines steps, and changes nothing.
    pub fn show(&mut self, steps: &[(&Step, Recorded)]) -> End {
        let mut end = End::default();
        for (position, (step, state)) in steps.iter().enumerate() {
            let examined = self.examine(step, *state);
            let report = match examined {
                Examined::Ready(key) => StepReport {
                    key,
                    ending: None,
                    error: None,
                },
                Examined::Ended(report, Ending::Interrupted) => {
                    drop(report);
                    return interrupted(end, steps.len() - position);
                }
                Examined::Ended(report, ending) => {
                    end.count(ending);
                    report
                }
            };
            (self.show)(&report);
            if end.failed >= self.begin.limits.max_errors {
                end.left = (steps.len() - position - 1) as u64;
                break;
            }
        }
        end
    }

    /// Applies steps, until there are too many errors or a signal arrives.
    ///
    /// # Errors
    /// A record could not be kept: nothing was done after it.
    pub fn apply(
        &mut self,
        steps: &[(&Step, Recorded)],
        recorder: &mut dyn Recorder,
    ) -> Result<End, Box<Unrecorded>> {
        let mut end = End::default();
        for (position, (step, state)) in steps.iter().enumerate() {
            let ending = self.step(step, *state, recorder, end)?;
            if ending == Ending::Interrupted {
                end = interrupted(end, steps.len() - position);
                break;
            }
            end.count(ending);
            if end.failed >= self.begin.limits.max_errors {
                end.left = (steps.len() - position - 1) as u64;
                break;
            }
        }
        self.record(recorder, Entry::End(end), (None, end))?;
        Ok(end)
    }

    fn step(
        &mut self,
        step: &Step,
        state: Recorded,
        recorder: &mut dyn Recorder,
        end: End,
    ) -> Result<Ending, Box<Unrecorded>> {
        let (report, ending) = match self.examine(step, state) {
            Examined::Ready(key) => return self.change(key, recorder, end),
            Examined::Ended(report, ending) => (report, ending),
        };
        let key = report.key.clone();
        let entry = match ending {
            Ending::FoundDone => Some(Entry::Result(KeyResult {
                action: KeyAction::Deactivate,
                key,
                outcome: ChangeOutcome::Done,
                found_later: true,
                error: None,
            })),
            Ending::Skipped(reason) | Ending::Doubtful(reason) => Some(Entry::Skip(Skip {
                key,
                reason,
                error: report.error.clone(),
            })),
            // Only a change ends so.
            Ending::Done | Ending::Failed | Ending::Unknown => None,
            Ending::Interrupted => return Ok(ending),
        };
        if let Some(entry) = entry {
            self.record(recorder, entry, (None, end))?;
        }
        (self.show)(&report);
        Ok(ending)
    }

    /// Records, asks AWS, and records its answer.
    fn change(
        &mut self,
        key: StepKey,
        recorder: &mut dyn Recorder,
        end: End,
    ) -> Result<Ending, Box<Unrecorded>> {
        let id = key.access_key_id.clone().unwrap_or_default();
        let intent = Intent {
            action: KeyAction::Deactivate,
            key: key.clone(),
            prior_status: Some(KeyStatus::Active),
        };
        self.record(recorder, Entry::Intent(intent), (None, end))?;
        let change = self
            .iam
            .set_status(&key.account, &key.user, &id, KeyStatus::Inactive);
        let (meaning, error) = meaning::change(change);
        let ending = match next(Question::Change, meaning, false) {
            Next::End(ending) => ending,
            // The table asks nothing after the change.
            Next::Ask(_) => Ending::Unknown,
        };
        let result = result_of(key.clone(), ending, error.as_deref());
        let changed = (result.outcome != ChangeOutcome::Failed).then(|| key.clone());
        self.record(recorder, Entry::Result(result), (changed, end))?;
        if ending != Ending::Interrupted {
            let ending = Some(ending);
            (self.show)(&StepReport { key, ending, error });
        }
        Ok(ending)
    }

    fn record(
        &self,
        recorder: &mut dyn Recorder,
        entry: Entry,
        (changed, end): (Option<StepKey>, End),
    ) -> Result<(), Box<Unrecorded>> {
        let recorded = recorder.record((self.clock)(), entry);
        recorded.map_err(|error| Box::new(Unrecorded { error, changed, end }))
    }

    /// Asks AWS all questions before the change.
    fn examine(&mut self, step: &Step, state: Recorded) -> Examined {
        let Some(mut key) = StepKey::of(step) else {
            // `choose` lets none through.
            let key = StepKey {
                step: step.id.clone(),
                account: String::new(),
                user: step.target.user.clone(),
                key_created: Timestamp(0),
                access_key_id: None,
            };
            return ended(key, Ending::Skipped(SkipReason::Ambiguous), None);
        };
        let may_be_done = state == Recorded::MaybeDone;
        let mut question = Question::Account;
        loop {
            let (meaning, error) = self.ask(question, step, &mut key);
            match next(question, meaning, may_be_done) {
                Next::Ask(Question::Change) => return Examined::Ready(key),
                Next::Ask(other) => question = other,
                Next::End(ending) => return ended(key, ending, error),
            }
        }
    }

    fn ask(&mut self, question: Question, step: &Step, key: &mut StepKey) -> (Meaning, Option<String>) {
        let now = (self.clock)();
        let guards = &self.begin.guards;
        match question {
            Question::Account => self.ask_account(key),
            Question::Key => {
                let mut id = None;
                let asked = meaning::answered(self.iam.keys(&key.account, &key.user), |keys| {
                    let (meaning, found) = meaning::key(key, keys, now);
                    id = found;
                    meaning
                });
                if id.is_some() {
                    key.access_key_id = id;
                }
                asked
            }
            Question::Tags => meaning::answered(self.iam.tags(&key.account, &key.user), |tags| {
                meaning::tags(guards, tags.as_ref())
            }),
            Question::Groups if guards.exempt_groups.is_empty() => (Meaning::GoOn, None),
            Question::Groups => meaning::answered(self.iam.groups(&key.account, &key.user), |groups| {
                meaning::groups(guards, groups.as_ref())
            }),
            Question::LastUse => self.ask_last_use(step, key, now),
            // That is `change`.
            Question::Change => (Meaning::Unknown, None),
        }
    }

    fn ask_account(&mut self, key: &StepKey) -> (Meaning, Option<String>) {
        let answer = self.iam.account_for(&key.account);
        let found = answer.as_ref().ok().cloned();
        let (meaning, error) = meaning::answered(answer, |found| meaning::account(&key.account, &found));
        let wrong = found.filter(|_| meaning == Meaning::Skip(SkipReason::WrongAccount));
        let wrong = wrong.map(|found| format!("they are of account {found}"));
        (meaning, error.or(wrong))
    }

    fn ask_last_use(&mut self, step: &Step, key: &StepKey, now: Timestamp) -> (Meaning, Option<String>) {
        let id = key.access_key_id.clone().unwrap_or_default();
        let times = Times {
            now,
            reported: reported(&self.begin.accounts, &key.account),
            quiet_days: step.quiet_days.unwrap_or(i64::MAX),
            planned: step.target.last_used,
        };
        let answer = self.iam.last_use(&key.account, &id);
        let used = answer.as_ref().ok().and_then(|live| live.time);
        let (meaning, error) = meaning::answered(answer, |live| meaning::last_use(key, &live, times));
        let is_in_use = meaning == Meaning::Skip(SkipReason::InUse);
        let when = used.filter(|_| is_in_use).map(|time| format!("last used {time}"));
        (meaning, error.or(when))
    }
}

/// What is recorded of a change that ended so.
fn result_of(key: StepKey, ending: Ending, error: Option<&str>) -> KeyResult {
    let outcome = match ending {
        Ending::Done | Ending::FoundDone => ChangeOutcome::Done,
        Ending::Failed | Ending::Skipped(_) | Ending::Doubtful(_) | Ending::Interrupted => {
            ChangeOutcome::Failed
        }
        Ending::Unknown => ChangeOutcome::Unknown,
    };
    let because = match ending {
        Ending::Skipped(reason) | Ending::Doubtful(reason) => Some(reason.why()),
        Ending::Interrupted => Some("interrupted before AWS was asked"),
        Ending::Done | Ending::FoundDone | Ending::Failed | Ending::Unknown => error,
    };
    KeyResult {
        action: KeyAction::Deactivate,
        key,
        outcome,
        found_later: false,
        error: because.map(str::to_owned),
    }
}

impl End {
    fn count(&mut self, ending: Ending) {
        match ending {
            Ending::Done | Ending::FoundDone => self.done += 1,
            ending if ending.is_error() => self.failed += 1,
            Ending::Skipped(_)
            | Ending::Doubtful(_)
            | Ending::Failed
            | Ending::Unknown
            | Ending::Interrupted => {
                self.skipped += 1;
            }
        }
    }
}

fn interrupted(end: End, left: usize) -> End {
    End {
        left: left as u64,
        interrupted: true,
        ..end
    }
}

fn ended(key: StepKey, ending: Ending, error: Option<String>) -> Examined {
    let report = StepReport {
        key,
        ending: Some(ending),
        error,
    };
    Examined::Ended(report, ending)
}

/// When the report of an account was generated: nothing may have been used since. What is not known is the beginning of all times.
fn reported(accounts: &[PlanAccount], id: &str) -> Timestamp {
    let account = accounts.iter().find(|account| account.id.as_deref() == Some(id));
    account
        .and_then(|account| account.generated)
        .unwrap_or(Timestamp(i64::MIN))
}
