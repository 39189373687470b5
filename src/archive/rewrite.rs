//! Writes files of an archive again: those of earlier versions in the present one, and the many files of a month as one
//! in which what repeats from day to day packs. A file is removed once the files that have its reports were written and
//! read back; until then each of these is there twice, and read once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polars::prelude::{DataFrame, IdxCa, IdxSize, PlSmallStr, PolarsResult, StringChunked};

use super::columns::{ACCOUNT_ID, USER_NAME};
use super::encode::ReportEncoder;
use super::error::Error;
use super::file::ArchiveFile;
use super::layout::{FileName, month};
use super::list::is_archived;
use super::meta::{ReportMeta, RowOrder};
use super::store::Store;
use super::writer::{FileWriter, ROWS_PER_GROUP};
use crate::engine::{AccountInfo, FileFacts, Input, ReportId};
use crate::report::header::Header;
use crate::report::time::Timestamp;

/// Rows of a compacted file, unless a report has more: they are sorted in memory.
const MOST_ROWS: u64 = 4 * ROWS_PER_GROUP as u64;

/// The outcome of writing files again.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The files that were removed, below the archive, and their bytes.
    pub removed: Vec<(String, u64)>,
    /// The files that have their reports now.
    pub written: Vec<(String, u64)>,
    /// How many reports these are.
    pub reports: usize,
    /// How many files stayed as they were.
    pub left: usize,
    /// The errors of files that could not be read: they stayed as they were.
    pub errors: Vec<Error>,
}

impl Rewritten {
    /// Notes that files stayed as they were, because what was to replace them could not be made. An error if others cannot be
    /// replaced either.
    fn note(&mut self, replaced: Result<(), Error>, files: usize) -> Result<(), Error> {
        match replaced {
            Err(error @ (Error::Unwritable { .. } | Error::Stopped(..))) => return Err(error),
            Err(error) => {
                self.left += files;
                self.errors.push(error);
            }
            Ok(()) => {}
        }
        Ok(())
    }
}

/// Writes the files of earlier versions again, in the present one.
pub fn upgrade(store: &dyn Store, outcome: &mut Rewritten) -> Result<(), Error> {
    let _lock = store.lock()?;
    for found in found(store, outcome)? {
        if found.is_current {
            outcome.left += 1;
            continue;
        }
        let reports = (0..found.reports.len()).map(|report| (0, report)).collect();
        let order = found.order;
        let mut readers = None;
        let files = [&found];
        let written = write(store, &files, &reports, order, &mut readers);
        let replaced =
            written.and_then(|name| replace(store, &files, &[(name.path(), reports.len())], outcome));
        outcome.note(replaced, files.len())?;
    }
    Ok(())
}

/// Writes the files of each month again as one, or as few as their rows fit into. Only files whose reports are all as of
/// `until` at the latest.
pub fn compact(store: &dyn Store, until: Option<Timestamp>, outcome: &mut Rewritten) -> Result<(), Error> {
    let _lock = store.lock()?;
    let mut months: BTreeMap<String, Vec<Found>> = BTreeMap::new();
    for found in found(store, outcome)? {
        let reports = &found.reports;
        let months_of: BTreeSet<String> = reports.iter().map(|report| month(report.as_of)).collect();
        let is_old = reports
            .iter()
            .all(|report| until.is_none_or(|until| report.as_of <= until));
        let is_small = reports.iter().all(|report| report.rows <= ROWS_PER_GROUP as u64);
        match months_of.first() {
            Some(month) if months_of.len() == 1 && is_old && is_small => {
                months.entry(month.clone()).or_default().push(found);
            }
            _ => outcome.left += 1,
        }
    }
    let is_done = |files: &[Found]| {
        let mut compacted = files
            .iter()
            .map(|found| found.order == RowOrder::User && found.is_current);
        files.len() == 1 || compacted.all(|is_compacted| is_compacted)
    };
    for (_, mut files) in months {
        if is_done(&files) {
            outcome.left += files.len();
            continue;
        }
        // A file that cannot be read stays, and does not keep the others from being compacted.
        files.retain(|found| match ArchiveFile::open(store, &found.path) {
            Ok(_) => true,
            Err(error) => {
                outcome.left += 1;
                outcome.errors.push(error);
                false
            }
        });
        if is_done(&files) {
            outcome.left += files.len();
            continue;
        }
        let compacted = compact_month(store, &files.iter().collect::<Vec<_>>(), outcome);
        outcome.note(compacted, files.len())?;
    }
    Ok(())
}

/// A file that may be written again.
struct Found {
    path: String,
    size: u64,
    reports: Vec<ReportMeta>,
    order: RowOrder,
    is_current: bool,
}

/// The files of the archive, in the order of their paths, by their metadata.
fn found(store: &dyn Store, outcome: &mut Rewritten) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for entry in store.list("")? {
        let is_named = FileName::parse(&entry.path).is_some();
        if !is_named && !is_archived(store, &entry.path) {
            continue;
        }
        match ArchiveFile::open_unchecked(store, &entry.path) {
            Ok(file) => found.push(Found {
                path: entry.path,
                size: entry.size,
                reports: file.reports().to_vec(),
                order: file.order(),
                is_current: file.is_current(),
            }),
            Err(Error::NotAnArchive(_)) if !is_named => {}
            Err(error) => {
                outcome.left += 1;
                outcome.errors.push(error);
            }
        }
    }
    Ok(found)
}

/// Reports, by the position of their file and their number in it.
type Reports = Vec<(usize, usize)>;

/// The reports of these files, each once, in groups that each become a file: those of an account are together.
fn groups(files: &[&Found]) -> Vec<Reports> {
    /// Reports, each once.
    type Once<'a> = BTreeMap<(Timestamp, &'a str), (usize, usize)>;
    let mut accounts: BTreeMap<&[String], Once<'_>> = BTreeMap::new();
    for (at, found) in files.iter().enumerate() {
        for (number, report) in found.reports.iter().enumerate() {
            let of_accounts = accounts.entry(&report.accounts).or_default();
            of_accounts
                .entry((report.as_of, &report.sha256))
                .or_insert((at, number));
        }
    }
    let rows = |&(at, number): &(usize, usize)| files[at].reports[number].rows;
    let mut groups: Vec<(u64, Reports)> = vec![(0, Vec::new())];
    for of_accounts in accounts.into_values() {
        let reports: Reports = of_accounts.into_values().collect();
        let all: u64 = reports.iter().map(rows).sum();
        for part in parts(&reports, rows) {
            let count: u64 = reports[part.clone()].iter().map(rows).sum();
            let fits =
                |before: &(u64, Reports)| before.0 + all.max(count) <= MOST_ROWS || before.1.is_empty();
            if !groups.last().is_some_and(fits) {
                groups.push((0, Vec::new()));
            }
            if let Some((total, group)) = groups.last_mut() {
                *total += count;
                group.extend_from_slice(&reports[part]);
            }
        }
    }
    groups
        .into_iter()
        .map(|(_, group)| group)
        .filter(|group| !group.is_empty())
        .collect()
}

/// Cuts the reports of an account that are too many for a file.
fn parts(reports: &Reports, rows: impl Fn(&(usize, usize)) -> u64) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut count) = (Vec::new(), 0, 0);
    for (at, report) in reports.iter().enumerate() {
        if at > start && count + rows(report) > MOST_ROWS {
            parts.push(start..at);
            (start, count) = (at, 0);
        }
        count += rows(report);
    }
    parts.push(start..reports.len());
    parts
}

fn compact_month(store: &dyn Store, files: &[&Found], outcome: &mut Rewritten) -> Result<(), Error> {
    let (mut written, mut readers) = (Vec::new(), None);
    for mut reports in groups(files) {
        reports.sort_by_key(|&(at, number)| {
            let report = &files[at].reports[number];
            // Of two at the same time the one that was read first stays the first.
            (report.as_of, at, number)
        });
        let name = write(store, files, &reports, RowOrder::User, &mut readers)?;
        written.push((name.path(), reports.len()));
    }
    replace(store, files, &written, outcome)
}

/// Removes files whose reports are in those that were written, which are read back first. What does not give them back is
/// removed instead.
fn replace(
    store: &dyn Store,
    files: &[&Found],
    written: &[(String, usize)],
    outcome: &mut Rewritten,
) -> Result<(), Error> {
    if let Err(error) = check(store, files, written) {
        let was_there = |path: &String| files.iter().any(|found| found.path == *path);
        for (path, _) in written.iter().filter(|(path, _)| !was_there(path)) {
            store.remove(path)?;
        }
        return Err(error);
    }
    let is_written = |path: &String| written.iter().any(|(written, _)| written == path);
    for found in files.iter().filter(|found| !is_written(&found.path)) {
        store.remove(&found.path)?;
        outcome.removed.push((found.path.clone(), found.size));
    }
    for (path, reports) in written {
        let size = store
            .read(path)?
            .length()
            .map_err(Error::io(format!("cannot read {}", store.shown(path))))?;
        outcome.written.push((path.clone(), size));
        outcome.reports += reports;
    }
    Ok(())
}

/// Checks that files that were written have all reports of these files.
fn check(store: &dyn Store, files: &[&Found], written: &[(String, usize)]) -> Result<(), Error> {
    let mut there: BTreeSet<(Timestamp, String)> = BTreeSet::new();
    for (path, _) in written {
        let mut file = ArchiveFile::open(store, path)?;
        for (number, report) in file.reports().to_vec().into_iter().enumerate() {
            file.check_report(number)?;
            file.check_columns(number)?;
            there.insert((report.as_of, report.sha256));
        }
    }
    let has_all = |found: &&Found| {
        let mut reports = found.reports.iter();
        reports.all(|report| there.contains(&(report.as_of, report.sha256.clone())))
    };
    if files.iter().all(has_all) {
        return Ok(());
    }
    let message =
        "the files that were written lack reports of those that they replace, which stay as they were";
    Err(Error::Refused(message.to_owned()))
}

/// Writes these reports as one file, with rows in this order. `readers` keeps them out from then on.
fn write(
    store: &dyn Store,
    files: &[&Found],
    reports: &Reports,
    order: RowOrder,
    readers: &mut Option<Box<dyn Send>>,
) -> Result<FileName, Error> {
    let mut writer = FileWriter::new(store, order)?;
    let mut all: Option<DataFrame> = None;
    let mut open: Option<(usize, ArchiveFile)> = None;
    for &(at, number) in reports {
        let (_, file) = match &mut open {
            Some(open) if open.0 == at => open,
            other => other.insert((at, ArchiveFile::open(store, &files[at].path)?)),
        };
        let (meta, rows) = encode(file, number, &mut writer, order)?;
        if meta.sha256 != files[at].reports[number].sha256 {
            return Err(Error::other_bytes(&store.shown(&files[at].path), number));
        }
        match order {
            RowOrder::Report => writer.add_rows(rows)?,
            RowOrder::User => {
                let report = writer.reports().len() + 1;
                let joined = writer.watched(|| {
                    let rows = rows.finish(report);
                    all.take()
                        .map_or_else(|| Ok(rows.clone()), |all| all.vstack(&rows))
                })?;
                all = Some(joined);
            }
        }
        writer.add_report(meta);
    }
    if let Some(all) = all {
        let sorted = writer.watched(|| by_user(all))?;
        for start in (0..sorted.height()).step_by(ROWS_PER_GROUP) {
            let length = ROWS_PER_GROUP.min(sorted.height() - start);
            writer.add_frame(&sorted.slice(i64::try_from(start).unwrap_or(i64::MAX), length))?;
        }
    }
    // A reader lists an archive more than once: between its first look and its last nothing comes and nothing goes.
    if readers.is_none() {
        *readers = Some(store.lock_out_readers()?);
    }
    writer.finish(store)
}

/// Encodes a report again as when it was added.
fn encode(
    file: &mut ArchiveFile,
    number: usize,
    writer: &mut FileWriter,
    order: RowOrder,
) -> Result<(ReportMeta, super::columns::RowBuilder), Error> {
    let header = file.complete_header(number)?;
    let meta = file.reports()[number].clone();
    let parsed = Header::parse(&header).map_err(|error| Error::Refused(error.to_string()))?;
    let input = Input {
        id: ReportId::first_of(0),
        path: meta.path,
        kind: "archive".to_owned(),
        header: parsed,
        as_of: meta.as_of,
        as_of_source: meta.as_of_source,
        generated: meta.generated,
        account: AccountInfo {
            name: meta.account_name,
            ..AccountInfo::default()
        },
        file: FileFacts::default(),
    };
    let mut encoder = ReportEncoder::new(&input)?;
    let blocks = file.rows(number)?;
    let last = blocks.len() - 1;
    let mut text = Vec::new();
    for (at, block) in blocks.into_iter().enumerate() {
        text.clear();
        block.append_to(&mut text)?;
        encoder.add_block(&input.header, &text, at == last);
        if order == RowOrder::Report && encoder.row_count() >= ROWS_PER_GROUP {
            writer.add_rows(encoder.take_rows())?;
        }
    }
    Ok(encoder.finish(&input.header))
}

/// The rows by account and user; those of one user stay in the order of their reports, which are in that of time.
fn by_user(mut rows: DataFrame) -> PolarsResult<DataFrame> {
    rows.rechunk_mut_par();
    let column = |name: &str| -> PolarsResult<StringChunked> { Ok(rows.column(name)?.str()?.clone()) };
    let (accounts, users) = (column(ACCOUNT_ID)?, column(USER_NAME)?);
    let accounts: Vec<Option<&str>> = accounts.iter().collect();
    let users: Vec<Option<&str>> = users.iter().collect();
    let mut order: Vec<IdxSize> = (0..rows.height())
        .map(|row| IdxSize::try_from(row).unwrap_or_default())
        .collect();
    order.sort_by_key(|&row| (accounts[row as usize], users[row as usize]));
    rows.take(&IdxCa::from_vec(PlSmallStr::EMPTY, order))
}
