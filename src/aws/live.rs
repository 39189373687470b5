//! Live reports as the engine's source.

use std::sync::{Arc, Mutex, PoisonError};

use super::fetch::Report;
use super::keys::Resolved;
use super::outcomes::{Outcome, State};
use super::policy::Wanted;
use super::run::Fetched;
use crate::engine::{self, Input, Source, SourceEvent};
use crate::finding::AsOfSource;
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// What became of the accounts, as far as they have been handed over.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// How each came out.
    pub outcomes: Vec<Outcome>,
    /// What AWS refused, each once.
    pub denied: Vec<Wanted>,
}

impl Record {
    /// Notes what came of an account.
    pub fn add(&mut self, fetched: &Fetched) {
        let denied = match &fetched.result {
            Ok((_, resolved)) => resolved.denied.clone(),
            Err(error) => error.denied(),
        };
        self.denied.extend(denied);
        self.denied.sort();
        self.denied.dedup();
        let account = &fetched.account;
        let report = fetched.result.as_ref().ok().map(|(report, _)| report);
        self.outcomes.push(Outcome {
            account: account.id.clone(),
            name: account.name.clone(),
            roles: account.roles.clone(),
            wrong: account.wrong.clone(),
            outcome: report.map_or(State::Failed, |_| State::Fetched),
            generated: report.map(|report| report.generated.to_string()),
            error: fetched.result.as_ref().err().map(ToString::to_string),
        });
    }

    /// The last account's report came, but is of no use.
    pub fn failed(&mut self, error: &str) {
        if let Some(last) = self.outcomes.last_mut() {
            last.outcome = State::Failed;
            last.error = Some(error.to_owned());
        }
    }
}

/// Reports as they arrive, each one block.
pub struct Live<I> {
    arrivals: I,
    as_of: Option<Timestamp>,
    record: Arc<Mutex<Record>>,
    opened: usize,
}

impl<I: Iterator<Item = Fetched> + Send> Live<I> {
    /// CompiledRule at `as_of`, or when AWS made each report. What becomes of the accounts is noted in the record.
    pub fn new(arrivals: I, as_of: Option<Timestamp>, record: Arc<Mutex<Record>>) -> Self {
        Self {
            arrivals,
            as_of,
            record,
            opened: 0,
        }
    }

    fn input(
        &mut self,
        header: Header,
        report: &Report,
        path: String,
        account: engine::AccountInfo,
    ) -> Input {
        self.opened += 1;
        Input {
            index: self.opened - 1,
            path,
            kind: "live".to_owned(),
            header,
            as_of: self.as_of.unwrap_or(report.generated),
            as_of_source: self.as_of.map_or(AsOfSource::Generated, |_| AsOfSource::Argument),
            generated: Some(report.generated),
            account,
        }
    }
}

impl<I: Iterator<Item = Fetched> + Send> Source for Live<I> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        text.clear();
        let fetched = self.arrivals.next()?;
        let record = Arc::clone(&self.record);
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        record.add(&fetched);
        let path = path(&fetched.account.id);
        let (report, resolved) = match fetched.result {
            Ok(given) => given,
            Err(error) => {
                return Some(SourceEvent::Failed {
                    path,
                    error: Box::new(error),
                });
            }
        };
        match Header::split(&report.csv) {
            Ok((header, rows)) => {
                text.extend_from_slice(rows);
                let account = known(fetched.account.name, resolved, &path);
                let input = Arc::new(self.input(header, &report, path, account));
                Some(SourceEvent::Block { input, last: true })
            }
            Err(error) => {
                record.failed(&error.to_string());
                Some(SourceEvent::Failed {
                    path,
                    error: Box::new(error),
                })
            }
        }
    }
}

/// How an account stands in outputs where a file's path would.
pub fn path(account: &str) -> String {
    if account.is_empty() {
        return "aws".to_owned();
    }
    format!("aws://{account}")
}

fn known(name: Option<String>, resolved: Resolved, path: &str) -> engine::AccountInfo {
    let remarks = resolved.remarks.into_iter();
    engine::AccountInfo {
        name,
        key_ids: resolved.ids,
        diagnostics: remarks.map(|remark| remark.in_path(path)).collect(),
    }
}
