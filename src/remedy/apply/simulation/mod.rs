//! Runs against a simulated IAM and journal.

mod choices;
mod crashes;
mod live_facts;
mod place;
mod world;
