//! What is to be done about findings: a plan, decided from plain data. Each step is about one credential, whatever number of
//! rules it breaks; only keys that were not used for a while are ever deactivated.
//!
//! [`Collect`] is the engine's sink that gathers what a report says of users with findings; [`decide()`] says what is done about
//! each credential, or why nothing is; [`plan()`] puts the steps in order.

mod apply;
mod audit;
mod collect;
mod decide;
mod earlier;
mod exemption;
mod facts;
mod history;
mod instructions;
mod journal;
mod live;
mod plan;
mod reason;
mod skip;
mod step;

pub use apply::{
    Applying, Chosen, Ending, Recorder, Refusal, Selection, StepReport, UndoEnd, Undoing, Unrecorded,
    check_again, choose, span,
};
pub use audit::{AuditRecord, AuditRun, AuditStep, KeyCheck, RunKind, audit};
pub use collect::{AccountKeys, Collect, Collected};
pub use decide::{Decided, Options, decide};
pub use earlier::{ChangedKey, EarlierChanges};
pub use exemption::{EXEMPT_TAG, ExemptTag};
pub use facts::{Credentials, Key, LastUse, Problem, User};
pub use history::{Inactive, InactiveKeys, KeyHistory, KeyIdentity};
pub use journal::{
    Begin, CallerRef, ChangeOutcome, End, Entry, Guards, Intent, JournalError, JournalText, KeyAction,
    KeyChanges, KeyResult, Limits, PlanRef, Record, Recorded, Replay, Session, Skip, StepKey,
};
pub use live::{Answer, Change, KeyStatus, LiveIam, LiveKey, LiveUse, NoAnswer};
pub use plan::{Announced, PlanInput, plan};
pub use reason::Reason;
pub use skip::SkipReason;
pub use step::{Action, Excluded, Plan, PlanAccount, Step, Target};
