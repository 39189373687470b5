//! Live reports as a source of the engine, and the record of the results of all accounts.

use std::sync::{Arc, Mutex, PoisonError};

use super::accounts::Account;
use super::error::Error;
use super::fetch::Report;
use super::fetch_accounts::FetchedAccount;
use super::outcomes::{Outcome, OutcomeStatus};
use super::permissions::MissingPermission;
use crate::engine::{AccountInfo, BlockEnd, FileFacts, Input, ReportId, Source, SourceEvent};
use crate::finding::AsOfSource;
use crate::finding::digest::sha256;
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::time::Timestamp;

/// The results of the accounts that were handed over so far.
#[derive(Clone, Debug, Default)]
pub struct RunRecord {
    /// One for each account.
    pub outcomes: Vec<Outcome>,
    /// The permissions that are missing, each once.
    pub missing: Vec<MissingPermission>,
    /// Whether details are fetched, too.
    pub has_details: bool,
    /// Whether the caller's credentials ended before all accounts were fetched.
    pub credentials_ended: bool,
}

impl RunRecord {
    /// Adds the result of an account.
    pub fn add(&mut self, fetched: &FetchedAccount) {
        match &fetched.result {
            Ok((_, Some(details))) => self.missing.extend(details.missing.iter().cloned()),
            Ok((_, None)) => {}
            Err(error) => self.missing.extend(error.missing_permission()),
        }
        self.missing.sort();
        self.missing.dedup();
        let error = fetched.result.as_ref().err();
        self.credentials_ended |= error.is_some_and(Error::is_end_of_credentials);
        let account = &fetched.account;
        let report = fetched.result.as_ref().ok().map(|(report, _)| report);
        self.outcomes.push(Outcome {
            account: account.id.clone(),
            name: account.name.clone(),
            roles: account.roles.clone(),
            invalid: account.invalid.clone(),
            outcome: report.map_or(OutcomeStatus::Failed, |_| OutcomeStatus::Fetched),
            generated: report.map(|report| report.generated.to_string()),
            error: fetched.result.as_ref().err().map(ToString::to_string),
            state: None,
        });
    }

    /// How many accounts may fail without an effect on the exit status, where so many are allowed. That the caller's
    /// credentials ended is not the failure of some accounts.
    pub fn allowed_failures(&self, allowed: usize) -> usize {
        if self.credentials_ended { 0 } else { allowed }
    }

    /// Adds an account that is not fetched, because it is not active.
    pub fn skip(&mut self, account: &Account) {
        self.outcomes.push(Outcome {
            account: account.id.clone(),
            name: account.name.clone(),
            roles: account.roles.clone(),
            invalid: None,
            outcome: OutcomeStatus::Skipped,
            generated: None,
            error: None,
            state: account.inactive.clone(),
        });
    }

    /// Marks the last account as failed, whose report arrived but cannot be used.
    pub fn failed(&mut self, error: &str) {
        if let Some(last) = self.outcomes.last_mut() {
            last.outcome = OutcomeStatus::Failed;
            last.error = Some(error.to_owned());
        }
    }

    /// Marks the fetched accounts as failed whose reports are not kept, for the reason that `why` gives.
    pub fn keep(&mut self, is_kept: impl Fn(&str) -> bool, why: impl Fn(&str) -> String) {
        let fetched = |outcome: &&mut Outcome| outcome.outcome == OutcomeStatus::Fetched;
        for outcome in self.outcomes.iter_mut().filter(fetched) {
            if !is_kept(&outcome.account) {
                outcome.outcome = OutcomeStatus::Failed;
                outcome.error = Some(why(&outcome.account));
            }
        }
    }
}

/// Reports as they arrive, each as one block.
pub struct LiveSource<I> {
    accounts: I,
    as_of: Option<Timestamp>,
    record: Arc<Mutex<RunRecord>>,
    opened: usize,
    /// Bytes up to which a report is hashed.
    hashed: u64,
}

impl<I: Iterator<Item = FetchedAccount> + Send> LiveSource<I> {
    /// Evaluated at `as_of`, or else at each report's generation time. The results are added to `record`.
    pub fn new(accounts: I, as_of: Option<Timestamp>, record: Arc<Mutex<RunRecord>>) -> Self {
        Self {
            accounts,
            as_of,
            record,
            opened: 0,
            hashed: 0,
        }
    }

    /// Computes the SHA-256 of reports of up to so many bytes.
    #[must_use]
    pub fn hashed(self, most: u64) -> Self {
        Self { hashed: most, ..self }
    }

    /// What it reads from.
    pub fn accounts(&self) -> &I {
        &self.accounts
    }

    fn input(&mut self, header: Header, report: &Report, path: String, account: AccountInfo) -> Input {
        self.opened += 1;
        let file = FileFacts::default();
        if report.csv.len() as u64 <= self.hashed {
            file.digest.set(Some(sha256(&report.csv)));
        }
        Input {
            id: ReportId::first_of(self.opened - 1),
            path,
            kind: "live".to_owned(),
            header,
            as_of: self.as_of.unwrap_or(report.generated),
            as_of_source: self.as_of.map_or(AsOfSource::Generated, |_| AsOfSource::Argument),
            generated: Some(report.generated),
            account,
            file,
        }
    }
}

impl<I: Iterator<Item = FetchedAccount> + Send> Source for LiveSource<I> {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        text.clear();
        let fetched = self.accounts.next()?;
        let record = Arc::clone(&self.record);
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        record.add(&fetched);
        let path = path_of(&fetched.account.id);
        let (report, fetched_details) = match fetched.result {
            Ok(given) => given,
            Err(error) => {
                let error = Box::new(error);
                return Some(SourceEvent::Failed {
                    path,
                    error,
                    ends_input: true,
                });
            }
        };
        let split = Header::split(&report.csv).and_then(|(header, rows)| match rows.trim_ascii() {
            [] => Err(NotAReport::NoUsers),
            _ => Ok((header, rows)),
        });
        match split {
            Ok((header, rows)) => {
                text.extend_from_slice(rows);
                let mut account = AccountInfo {
                    name: fetched.account.name,
                    ..AccountInfo::default()
                };
                if let Some(fetched) = fetched_details {
                    let diagnostics = fetched.diagnostics.into_iter();
                    account.diagnostics = diagnostics.map(|it| it.in_path(&path)).collect();
                    account.details = Some(Arc::new(fetched.details));
                }
                let input = Arc::new(self.input(header, &report, path, account));
                Some(SourceEvent::Block {
                    input,
                    end: BlockEnd::Input,
                })
            }
            Err(error) => {
                record.failed(&error.to_string());
                let error = Box::new(error);
                Some(SourceEvent::Failed {
                    path,
                    error,
                    ends_input: true,
                })
            }
        }
    }
}

const SCHEME: &str = "aws://";

/// What outputs show of an account in place of a file's path.
pub fn path_of(account: &str) -> String {
    if account.is_empty() {
        return "aws".to_owned();
    }
    format!("{SCHEME}{account}")
}

/// The account that has this in place of a file's path.
pub fn account_of(path: &str) -> Option<&str> {
    path.strip_prefix(SCHEME)
}
