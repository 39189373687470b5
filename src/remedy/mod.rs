//! What is to be done about findings: a plan, decided from plain data. Each step is about one credential, whatever number of
//! rules it breaks; only keys that were not used for a while are ever deactivated.
//!
//! [`Collect`] is the engine's sink that gathers what a report says of users with findings; [`decide()`] says what is done about
//! each credential, or why nothing is; [`plan()`] puts the steps in order.

mod collect;
mod decide;
mod facts;
mod history;
mod instructions;
mod journal;
mod plan;
mod reason;
mod step;

pub use collect::{AccountKeys, Collect, Collected};
pub use decide::{Decided, Options, decide};
pub use facts::{Credentials, Key, LastUse, Problem, User};
pub use history::{Inactive, InactiveKeys, KeyHistory, KeyIdentity};
pub use journal::{Journal, JournalError, JournalKey};
pub use plan::{Announced, PlanInput, plan};
pub use reason::Reason;
pub use step::{Action, Excluded, Plan, PlanAccount, Step, Target};
