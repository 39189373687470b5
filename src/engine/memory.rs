//! Reports and findings in memory: for programs without files, for examples and for tests.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{AccountInfo, BlockEnd, FileFacts, FindingRef, Input, ReportId, Sink, Source, SourceEvent};
use crate::finding::{AsOfSource, Finding};
use crate::report::details::Details;
use crate::report::header::Header;
use crate::report::not_a_report::NotAReport;
use crate::report::time::Timestamp;

/// Reports in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    blocks: VecDeque<(Arc<Input>, Vec<u8>, BlockEnd)>,
    inputs: usize,
}

impl Memory {
    /// One report: a CSV with its header, and its as-of. `path` is its name in findings.
    ///
    /// # Errors
    /// If the text does not begin with the header of a credential report.
    pub fn csv(path: &str, csv: &str, as_of: Timestamp) -> Result<Self, NotAReport> {
        let mut memory = Self::default();
        memory.add(path, csv, as_of)?;
        Ok(memory)
    }

    /// Adds another report after the others.
    ///
    /// # Errors
    /// If the text does not begin with the header of a credential report.
    pub fn add(&mut self, path: &str, csv: &str, as_of: Timestamp) -> Result<(), NotAReport> {
        let (header, rows) = Header::split(csv.as_bytes())?;
        self.add_blocks(path, header, as_of, [rows.to_vec()]);
        Ok(())
    }

    /// Adds a report in blocks of whole records, without the header.
    pub fn add_blocks(
        &mut self,
        path: &str,
        header: Header,
        as_of: Timestamp,
        blocks: impl IntoIterator<Item = Vec<u8>>,
    ) {
        let input = Arc::new(Input {
            id: ReportId::first_of(self.inputs),
            path: path.to_owned(),
            kind: "csv".to_owned(),
            header,
            as_of,
            as_of_source: AsOfSource::Argument,
            generated: None,
            account: AccountInfo::default(),
            file: FileFacts::default(),
        });
        self.inputs += 1;
        let mut blocks: Vec<_> = blocks.into_iter().collect();
        let last = blocks.pop().unwrap_or_default();
        for block in blocks {
            self.blocks
                .push_back((Arc::clone(&input), block, BlockEnd::Nothing));
        }
        self.blocks.push_back((input, last, BlockEnd::Input));
    }
}

impl Memory {
    /// The same reports, each with these details.
    #[must_use]
    pub fn with_details(self, details: &Arc<Details>) -> Self {
        self.of_account(&AccountInfo {
            details: Some(Arc::clone(details)),
            ..AccountInfo::default()
        })
    }

    /// The same reports, each of this account.
    #[must_use]
    pub fn of_account(mut self, account: &AccountInfo) -> Self {
        let mut known: BTreeMap<ReportId, Arc<Input>> = BTreeMap::new();
        for (input, ..) in &mut self.blocks {
            let of_account = known.entry(input.id).or_insert_with(|| {
                Arc::new(Input {
                    account: account.clone(),
                    ..Input::clone(input)
                })
            });
            *input = Arc::clone(of_account);
        }
        self
    }
}

impl Source for Memory {
    fn next(&mut self, text: &mut Vec<u8>) -> Option<SourceEvent> {
        let (input, block, end) = self.blocks.pop_front()?;
        text.clear();
        text.extend_from_slice(&block);
        Some(SourceEvent::Block { input, end })
    }
}

/// Collects all emitted findings.
#[derive(Debug, Default)]
pub struct Collect(Mutex<Vec<Finding>>);

impl Collect {
    /// The findings, in (input, row, rule) order.
    pub fn into_findings(self) -> Vec<Finding> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Collect {
    type Part = Vec<Finding>;

    fn part(&self) -> Self::Part {
        Vec::new()
    }

    fn finding(&self, part: &mut Self::Part, finding: &FindingRef<'_>) {
        part.push(finding.to_finding());
    }

    fn accept(&self, part: &mut Self::Part) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(part);
        Ok(())
    }
}

/// Drops all findings, for callers that need only the tally.
impl Sink for () {
    type Part = ();

    fn part(&self) {}

    fn finding(&self, (): &mut (), _: &FindingRef<'_>) {}

    fn accept(&self, (): &mut ()) -> io::Result<()> {
        Ok(())
    }
}
