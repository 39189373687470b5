//! Requests of `BatchImportFindings`: at most 100 findings of one account, in order, in bounded memory.
//!
//! A consolidated report may have its accounts in any order, so each account has a request that fills up. Where all of
//! these together become too large, the largest is written before it is full.

use std::collections::BTreeMap;
use std::mem;

use super::Arranger;
use crate::finding::{Code, Diagnostic};
use crate::output::phrases::counted;
use crate::output::region::Region;
use crate::report::partition::Partition;

/// Most findings of a request, its most bytes (of 6 MB), and most bytes of a finding (of 240 KB).
/// <https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html>
const FINDINGS: usize = 100;
const BYTES: usize = 6_000_000;
const FINDING_BYTES: usize = 240_000;

/// Most bytes of all requests that are not full.
const WAITING_BYTES: usize = 32_000_000;

/// What begins and ends a request.
const OPENING: &[u8] = br#"{"Findings":["#;
const ENDING: &[u8] = b"]}\n";

type AccountId = [u8; 12];

/// Puts findings into requests.
#[derive(Debug, Default)]
pub(super) struct AsffBatches {
    region: Option<Region>,
    /// The requests that are not full, by account.
    waiting: BTreeMap<AccountId, AsffBatch>,
    /// The bytes of all of them.
    bytes: usize,
    /// The partitions of accounts, other than `aws`, for findings about a whole input.
    partitions: BTreeMap<AccountId, String>,
    /// Findings without an account.
    without_account: u64,
    /// Findings that are too large.
    too_large: u64,
}

/// A request that is not full.
#[derive(Debug, Default)]
struct AsffBatch {
    findings: usize,
    /// The findings, separated by commas.
    text: Vec<u8>,
}

impl AsffBatches {
    pub(super) fn new(region: Option<Region>) -> Self {
        Self {
            region,
            ..Self::default()
        }
    }

    /// Adds one finding; see `asff` for its form.
    fn add(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let parts = line.split_first_chunk::<12>();
        let Some((&account, rest)) = parts else {
            self.without_account += 1;
            return;
        };
        let tab = memchr::memchr(b'\t', rest).expect("invariant: workers write a tab");
        let (partition, members) = (&rest[..tab], &rest[tab + 1..]);
        let product = self.product(account, partition);
        let length = product.len() + members.len();
        if length > FINDING_BYTES {
            self.too_large += 1;
            return;
        }
        let batch = self.waiting.entry(account).or_default();
        let around = OPENING.len() + ENDING.len() + 1;
        if batch.findings == FINDINGS || batch.text.len() + length + around > BYTES {
            self.bytes -= batch.text.len();
            mem::take(batch).write(out);
        }
        let before = batch.text.len();
        batch.add(&[product.as_bytes(), members]);
        self.bytes += batch.text.len() - before;
        if self.bytes > WAITING_BYTES {
            self.write_largest(out);
        }
    }

    /// The beginning of a finding: the ARN of the product that imports it, which names the region.
    fn product(&mut self, account: AccountId, partition: &[u8]) -> String {
        let partition = match str::from_utf8(partition).unwrap_or_default() {
            "" => self.partitions.get(&account).map_or("aws", String::as_str),
            "aws" => "aws",
            other => self.partitions.entry(account).or_insert_with(|| other.to_owned()),
        };
        let given = self
            .region
            .as_ref()
            .filter(|region| region.partition() == partition);
        // The ARN needs a region even where the partition is not known.
        let usual = || Partition::named(partition).map_or("us-east-1", |known| known.usual_region);
        let region = given.map_or_else(usual, Region::name);
        let account = str::from_utf8(&account).unwrap_or_default();
        format!(
            r#"{{"ProductArn":"arn:{partition}:securityhub:{region}:{account}:product/{account}/default","#
        )
    }

    /// Writes the largest request, of several the first, so that others can wait.
    fn write_largest(&mut self, out: &mut Vec<u8>) {
        let largest = self
            .waiting
            .iter()
            .rev()
            .max_by_key(|(_, batch)| batch.text.len());
        let Some((&account, _)) = largest else {
            return;
        };
        if let Some(batch) = self.waiting.remove(&account) {
            self.bytes -= batch.text.len();
            batch.write(out);
        }
    }
}

impl AsffBatch {
    fn add(&mut self, parts: &[&[u8]]) {
        if self.findings > 0 {
            self.text.push(b',');
        }
        for part in parts {
            self.text.extend_from_slice(part);
        }
        self.findings += 1;
    }

    fn write(self, out: &mut Vec<u8>) {
        for part in [OPENING, &self.text, ENDING] {
            out.extend_from_slice(part);
        }
    }
}

impl Arranger for AsffBatches {
    fn take(&mut self, findings: &[u8], out: &mut Vec<u8>) {
        let mut rest = findings;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.add(&rest[..end], out);
            rest = &rest[end + 1..];
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.bytes = 0;
        for batch in mem::take(&mut self.waiting).into_values() {
            batch.write(out);
        }
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        let left_out = |number: u64, why: &str| {
            let message = format!("asff leaves out {} {why}", counted(number, "finding"));
            (number > 0).then(|| Diagnostic::new(Code::NotInFormat, message))
        };
        let all = [
            left_out(
                self.without_account,
                "without the id of one account, which Security Hub asks for",
            ),
            left_out(
                self.too_large,
                "of more than 240 KB, which Security Hub does not take",
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: &str, partition: &str, members: &str) -> String {
        format!("{account}{partition}\t{members}}}\n")
    }

    /// The accounts and sizes of the requests.
    fn requests(out: &[u8]) -> Vec<(String, usize)> {
        let lines = str::from_utf8(out).unwrap().lines();
        let request = |line: &str| {
            assert!(line.len() <= BYTES, "{}", line.len());
            let request: serde_json::Value = serde_json::from_str(line).unwrap();
            let findings = request["Findings"].as_array().unwrap();
            let arns: Vec<&str> = findings
                .iter()
                .map(|it| it["ProductArn"].as_str().unwrap())
                .collect();
            let accounts: Vec<&str> = arns.iter().filter_map(|arn| arn.split(':').nth(4)).collect();
            assert!(
                accounts.iter().all(|account| *account == accounts[0]),
                "{accounts:?}"
            );
            (accounts[0].to_owned(), findings.len())
        };
        lines.map(request).collect()
    }

    #[test]
    fn a_request_has_at_most_100_findings_of_one_account() {
        let (mut batches, mut out) = (AsffBatches::default(), Vec::new());
        for number in 0..250 {
            let account = if number % 5 == 0 {
                "222222222222"
            } else {
                "111111111111"
            };
            batches.take(line(account, "aws", r#""Id":"x""#).as_bytes(), &mut out);
        }
        batches.take(b"\n\n", &mut out);
        batches.end(&mut out);
        let [one, two] = ["111111111111", "222222222222"].map(str::to_owned);
        assert_eq!(requests(&out), [(one.clone(), 100), (one, 100), (two, 50)]);
        let said = batches.diagnostics();
        assert_eq!(said.len(), 1);
        assert!(
            said[0].message.starts_with("asff leaves out 2 findings"),
            "{}",
            said[0].message
        );
    }

    #[test]
    fn requests_and_findings_stay_below_their_limits() {
        let (mut batches, mut out) = (AsffBatches::default(), Vec::new());
        let most = format!(r#""Id":"{}""#, "x".repeat(FINDING_BYTES - 200));
        for _ in 0..60 {
            batches.take(line("111111111111", "aws", &most).as_bytes(), &mut out);
        }
        let more = format!(r#""Id":"{}""#, "x".repeat(FINDING_BYTES));
        batches.take(line("111111111111", "aws", &more).as_bytes(), &mut out);
        batches.end(&mut out);
        let sizes: Vec<usize> = requests(&out).into_iter().map(|(_, size)| size).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 60);
        assert!(sizes.len() == 3 && sizes[0] == 25, "{sizes:?}");
        assert_eq!(batches.diagnostics().len(), 1);
    }

    #[test]
    fn many_accounts_wait_in_bounded_memory() {
        let (mut batches, mut out) = (AsffBatches::default(), Vec::new());
        let finding = format!(r#""Id":"{}""#, "x".repeat(100_000));
        for number in 0..1_000 {
            batches.take(
                line(&format!("{number:012}"), "aws", &finding).as_bytes(),
                &mut out,
            );
            let waiting: usize = batches.waiting.values().map(|batch| batch.text.len()).sum();
            assert!(waiting == batches.bytes && waiting <= WAITING_BYTES);
        }
        batches.end(&mut out);
        assert_eq!(requests(&out).len(), 1_000);
    }

    #[test]
    fn the_region_is_the_given_one_or_that_of_the_partition() {
        let arn = |region: Option<&str>, partition: &str| {
            let mut batches = AsffBatches::new(region.map(|region| region.parse().unwrap()));
            let product = batches.product(*b"111122223333", partition.as_bytes());
            product.split(':').skip(2).take(3).collect::<Vec<_>>().join(":")
        };
        assert_eq!(arn(None, "aws"), "aws:securityhub:us-east-1");
        assert_eq!(arn(None, ""), "aws:securityhub:us-east-1");
        assert_eq!(arn(None, "aws-cn"), "aws-cn:securityhub:cn-north-1");
        assert_eq!(arn(Some("eu-west-1"), "aws"), "aws:securityhub:eu-west-1");
        assert_eq!(
            arn(Some("eu-west-1"), "aws-us-gov"),
            "aws-us-gov:securityhub:us-gov-west-1"
        );
    }

    #[test]
    fn a_finding_about_a_whole_report_is_in_the_partition_of_its_account() {
        let mut batches = AsffBatches::default();
        batches.product(*b"111122223333", b"aws-cn");
        assert!(
            batches
                .product(*b"111122223333", b"")
                .contains("arn:aws-cn:securityhub:cn-north-1:")
        );
    }
}
