//! What a journal says of each step: what was done, what may have been, and what was not.

use super::{
    Begin, ChangeOutcome, Entry, Intent, JournalError, KeyAction, KeyResult, Record, Session, Skip, StepKey,
};
use crate::remedy::skip::SkipReason;
use crate::report::time::Timestamp;
use crate::report::word::word_enum;

word_enum! {
    /// What a journal says of a step.
    pub enum Recorded as "state" {
        /// AWS was not asked to change the key.
        NotDone = "not-done",
        /// The same, and it is settled that AWS will not be.
        Skipped = "skipped",
        /// AWS was asked, and may have deactivated the key.
        MaybeDone = "maybe-done",
        /// AWS deactivated the key.
        Done = "done",
        /// AWS was asked to activate the key again, and may have.
        MaybeUndone = "maybe-undone",
        /// AWS activated the key again.
        Undone = "undone",
    }
}

impl Recorded {
    /// Whether an undo has something to do: AWS deactivated the key or may have, and did not surely activate it again.
    pub fn needs_undo(self) -> bool {
        match self {
            Self::MaybeDone | Self::Done | Self::MaybeUndone => true,
            Self::NotDone | Self::Skipped | Self::Undone => false,
        }
    }

    /// Whether a resumed run has something to do.
    pub fn needs_apply(self) -> bool {
        match self {
            Self::NotDone | Self::MaybeDone => true,
            Self::Skipped | Self::Done | Self::MaybeUndone | Self::Undone => false,
        }
    }

    /// After AWS is going to be asked.
    fn after_intent(action: KeyAction) -> Self {
        match action {
            KeyAction::Deactivate => Self::MaybeDone,
            KeyAction::Activate => Self::MaybeUndone,
        }
    }

    /// After an answer; `before` was the state before AWS was asked.
    fn after_result(before: Self, action: KeyAction, outcome: ChangeOutcome) -> Self {
        match (action, outcome) {
            (KeyAction::Deactivate, ChangeOutcome::Done) => Self::Done,
            (KeyAction::Activate, ChangeOutcome::Done) => Self::Undone,
            (KeyAction::Deactivate | KeyAction::Activate, ChangeOutcome::Failed) => before,
            (KeyAction::Deactivate | KeyAction::Activate, ChangeOutcome::Unknown) => {
                Self::after_intent(action)
            }
        }
    }

    /// After a step was not done: what may have been done before still may have been.
    fn after_skip(self, reason: SkipReason) -> Self {
        match self {
            Self::NotDone | Self::Skipped if reason.is_settled() => Self::Skipped,
            Self::NotDone
            | Self::Skipped
            | Self::MaybeDone
            | Self::Done
            | Self::MaybeUndone
            | Self::Undone => self,
        }
    }
}

/// What a journal says of the key of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChanges {
    /// The key, with its id as soon as AWS was asked to change it.
    pub key: StepKey,
    /// What was done to it.
    pub state: Recorded,
    /// When AWS was last asked to deactivate it.
    pub deactivated: Option<Timestamp>,
    /// When AWS was last asked to activate it again.
    pub activated: Option<Timestamp>,
    /// Why it was not changed in the end.
    pub skip: Option<(SkipReason, Option<String>)>,
    /// The last error.
    pub error: Option<String>,
    /// The state before the last intent.
    before: Recorded,
}

/// A whole journal, replayed.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Its first record, and when that was written. None if that is damaged.
    pub begin: Option<(Timestamp, Begin)>,
    /// The later runs, in order: when, whether they undid, and by whom.
    pub sessions: Vec<(Timestamp, KeyAction, Session)>,
    /// The steps, in the order in which they are applied.
    pub keys: Vec<KeyChanges>,
}

impl Replay {
    /// Replays records.
    pub fn of(records: &[Record]) -> Self {
        let mut replay = Self {
            begin: None,
            sessions: Vec::new(),
            keys: Vec::new(),
        };
        for Record { at, entry, .. } in records {
            match entry {
                Entry::Begin(begin) => replay.begin(*at, begin),
                Entry::Resume(session) => {
                    replay
                        .sessions
                        .push((*at, KeyAction::Deactivate, session.clone()));
                }
                Entry::Undo(session) => {
                    replay.sessions.push((*at, KeyAction::Activate, session.clone()));
                }
                Entry::Intent(intent) => replay.intent(*at, intent),
                Entry::Result(result) => replay.result(result),
                Entry::Skip(skip) => replay.skip(skip),
                Entry::End(_) => {}
            }
        }
        replay
    }

    /// The first record.
    ///
    /// # Errors
    /// If the journal does not begin with it.
    pub fn first(&self) -> Result<&(Timestamp, Begin), JournalError> {
        self.begin.as_ref().ok_or(JournalError::Begin)
    }

    fn begin(&mut self, at: Timestamp, begin: &Begin) {
        for step in &begin.steps {
            if let Some(key) = StepKey::of(step) {
                self.known(&key);
            }
        }
        self.begin.get_or_insert_with(|| (at, begin.clone()));
    }

    fn known(&mut self, key: &StepKey) -> &mut KeyChanges {
        let is_same = |known: &KeyChanges| {
            let known = &known.key;
            (&known.step, &known.account, &known.user, known.key_created)
                == (&key.step, &key.account, &key.user, key.key_created)
        };
        let known = self.keys.iter().position(is_same);
        let position = known.unwrap_or_else(|| {
            self.keys.push(KeyChanges {
                key: key.clone(),
                state: Recorded::NotDone,
                deactivated: None,
                activated: None,
                skip: None,
                error: None,
                before: Recorded::NotDone,
            });
            self.keys.len() - 1
        });
        let known = &mut self.keys[position];
        if key.access_key_id.is_some() {
            known.key.access_key_id.clone_from(&key.access_key_id);
        }
        known
    }

    fn intent(&mut self, at: Timestamp, intent: &Intent) {
        let of_key = self.known(&intent.key);
        of_key.before = of_key.state;
        of_key.state = Recorded::after_intent(intent.action);
        of_key.skip = None;
        of_key.error = None;
        match intent.action {
            KeyAction::Deactivate => of_key.deactivated = Some(at),
            KeyAction::Activate => of_key.activated = Some(at),
        }
    }

    fn result(&mut self, result: &KeyResult) {
        let of_key = self.known(&result.key);
        of_key.state = Recorded::after_result(of_key.before, result.action, result.outcome);
        of_key.error.clone_from(&result.error);
    }

    fn skip(&mut self, skip: &Skip) {
        let of_key = self.known(&skip.key);
        of_key.state = of_key.state.after_skip(skip.reason);
        of_key.skip = Some((skip.reason, skip.error.clone()));
    }
}
