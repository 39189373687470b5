//! `credlens archive`: add, list, export and verify.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::bail;
use credlens::archive::add::{Added, add};
use credlens::archive::list::{Listed, list};
use credlens::archive::store::{Directory, Store};
use credlens::archive::verify::verify;
use credlens::engine::Source;
use credlens::io::inputs::{Inputs, Limits, Options};
use credlens::io::remote::is_remote;
use credlens::output::archive::Contents;
use credlens::output::{counted, escape};

use super::args::{Archive, ArchiveAdd, ArchiveList, ArchiveVerify, At, ListFormat, Which, until};
use super::export;
use super::progress::Progress;
use super::scan::with_archives;
use super::signals;
use super::{Exit, list_options, now, print_error, tell};

pub(super) fn run(command: Archive) -> anyhow::Result<Exit> {
    match command {
        Archive::Add(args) => add_inputs(args),
        Archive::List(args) => list_reports(&args),
        Archive::Export(args) => export::run(&args),
        Archive::Verify(args) => verify_all(&args),
    }
}

/// The archive of this name, which tells where it has to wait, unless it is to be quiet.
pub(super) fn store(archive: &At, quiet: bool) -> anyhow::Result<Box<dyn Store>> {
    let path = &archive.archive;
    let waiting: fn(&str) = if quiet { |_| {} } else { tell_waiting };
    if !is_remote(path) {
        if path.exists() && !path.is_dir() {
            bail!("{} is no directory, as an archive is", path.display());
        }
        return Ok(Box::new(Directory::new(path).telling(waiting)));
    }
    #[cfg(feature = "aws")]
    {
        let at = path.to_string_lossy().parse();
        let at =
            at.map_err(|error: credlens::aws::NoS3Url| anyhow::anyhow!("{}: {error}", path.display()))?;
        let s3 = credlens::aws::S3::connect(&archive.place.settings()?)?;
        Ok(Box::new(super::bucket::ReportingBucket::new(s3, at)))
    }
    #[cfg(not(feature = "aws"))]
    bail!(
        "{} is in S3, and this credlens was built without the feature aws",
        path.display()
    )
}

fn tell_waiting(archive: &str) {
    tell(format_args!(
        "another run is adding to {}; waiting for it to end",
        escape(archive)
    ));
}

/// An archive that is there, not one yet to be made.
pub(super) fn existing(archive: &At) -> anyhow::Result<Box<dyn Store>> {
    let path = &archive.archive;
    if !is_remote(path) && !path.exists() {
        bail!(
            "{} is no archive: there is no such directory; `credlens archive add` makes one",
            path.display()
        );
    }
    store(archive, false)
}

fn add_inputs(args: ArchiveAdd) -> anyhow::Result<Exit> {
    let mut limits = Limits::default();
    if let Some(gib) = args.max_unpacked {
        limits.unpacked = gib.saturating_mul(1 << 30);
        limits.ratio = u64::MAX;
    }
    let options = Options {
        as_of: args.as_of,
        now: now(),
        limits,
    };
    let inputs = with_archives(Inputs::new(args.inputs, Box::new(io::empty()), options)).in_time_order();
    let source = with_archives(Inputs::new(inputs, Box::new(io::stdin()), options));
    let mut source = Progress::new(source, args.verbosity.quiet);
    let store = store(&args.at, args.verbosity.quiet)?;
    signals::leave_nothing();
    add_all(&*store, &mut source, args.verbosity.quiet)
}

/// Adds what a source gives, and tells what became of it.
fn add_all(store: &dyn Store, source: &mut dyn Source, quiet: bool) -> anyhow::Result<Exit> {
    let mut added = Added::default();
    let ended = add(store, source, &mut added);
    tell_added(store, &added, quiet, true)?;
    ended?;
    Ok(
        match (added.added.len() + added.known.len(), added.failed.len()) {
            (_, 0) => Exit::Clean,
            (0, _) => Exit::NothingEvaluated,
            _ => Exit::Partial,
        },
    )
}

/// Tells what became of reports; `failed` says whether also what failed.
pub(super) fn tell_added(store: &dyn Store, added: &Added, quiet: bool, failed: bool) -> anyhow::Result<()> {
    for (path, why) in added.failed.iter().filter(|_| failed) {
        print_error(format_args!("{path}: {why}"));
    }
    let twins = added
        .twins
        .iter()
        .map(|(path, message)| format!("{path} {message}"));
    let warnings = twins.chain(added.unreadable.iter().map(ToString::to_string));
    for warning in warnings.filter(|_| !quiet) {
        tell(format_args!("warning: {}", escape(&warning)));
    }
    for file in &added.files {
        writeln!(io::stdout(), "{}", escape(&format!("{}/{file}", store.name())))?;
    }
    if !quiet {
        tell(summary(added));
    }
    Ok(())
}

fn summary(added: &Added) -> String {
    let users: u64 = added.added.iter().map(|report| report.rows).sum();
    let told = [
        format!(
            "{} with {} added",
            counted(added.added.len() as u64, "report"),
            counted(users, "user")
        ),
        match added.known.len() {
            1 => "1 was there already".to_owned(),
            count => format!("{count} were there already"),
        },
        format!("{} not added", added.failed.len()),
    ];
    let wanted = [true, !added.known.is_empty(), !added.failed.is_empty()];
    let told = told.into_iter().zip(wanted).filter(|&(_, wanted)| wanted);
    told.map(|(text, _)| text).collect::<Vec<_>>().join(", ")
}

/// The reports that are asked for, in the order of their as-of; what could not be read is told.
pub(super) fn select(store: &dyn Store, which: &Which) -> anyhow::Result<(Vec<Listed>, bool)> {
    let (mut reports, errors) = list(store)?;
    for error in &errors {
        print_error(error);
    }
    let until = which.until.or(which.at);
    reports.retain(|listed| {
        let report = &listed.report;
        let is_wanted = |account: &String| report.accounts.contains(account);
        (which.account.is_empty() || which.account.iter().any(is_wanted))
            && which.since.is_none_or(|since| since <= report.as_of)
            && until.is_none_or(|until| report.as_of <= until)
    });
    if which.at.is_some() {
        reports = latest(reports).into_iter().map(|(listed, _)| listed).collect();
    }
    Ok((reports, !errors.is_empty()))
}

/// Of each account the last report, with the accounts of which it is that.
fn latest(reports: Vec<Listed>) -> Vec<(Listed, BTreeSet<String>)> {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (place, listed) in reports.iter().enumerate() {
        let mut accounts = listed.report.accounts.clone();
        if accounts.is_empty() {
            // Reports without ARNs are taken for those of one account.
            accounts.push(String::new());
        }
        last.extend(accounts.into_iter().map(|account| (account, place)));
    }
    let mut of_each = vec![BTreeSet::new(); reports.len()];
    for (account, place) in last {
        of_each[place].insert(account);
    }
    let reports = reports.into_iter().zip(of_each);
    reports.filter(|(_, accounts)| !accounts.is_empty()).collect()
}

/// A report to compare, and of which of its accounts.
pub(super) type Compared = (PathBuf, BTreeSet<Vec<u8>>);

/// Of an archive, the reports to compare: of each account the last one as of each instant. None where there are none,
/// which is told, like the accounts that one of them lacks.
pub(super) fn sides(
    archive: &At,
    instants: [&Path; 2],
    accounts: &[String],
) -> anyhow::Result<Option<[Vec<Compared>; 2]>> {
    let store = existing(archive)?;
    let mut sides = Vec::new();
    for instant in instants {
        let text = instant.to_string_lossy();
        let at = until(&text)
            .map_err(|why| anyhow::anyhow!("'{text}': {why}; --archive compares two instants"))?;
        let which = Which {
            account: accounts.to_vec(),
            until: Some(at),
            ..Which::default()
        };
        let (reports, failed) = select(&*store, &which)?;
        if failed {
            print_error(
                "which reports are the last ones cannot be known while files of the archive are damaged",
            );
            return Ok(None);
        }
        if reports.is_empty() {
            print_error(format_args!(
                "the archive has no such report as of {at} or before"
            ));
            return Ok(None);
        }
        let mut reports = latest(reports);
        let is_wanted = |account: &String| accounts.is_empty() || accounts.contains(account);
        for (_, of) in &mut reports {
            of.retain(is_wanted);
        }
        sides.push(reports);
    }
    let known: Vec<BTreeSet<String>> = sides
        .iter()
        .map(|side| side.iter().flat_map(|(_, of)| of.clone()).collect())
        .collect();
    for account in known[1].difference(&known[0]) {
        tell(match &**account {
            "" => {
                "warning: of the reports that name no account none is as of OLD; they are left out".to_owned()
            }
            account => format!("warning: account {account} has no report as of OLD, and is left out"),
        });
    }
    let compared = |side: &[(Listed, BTreeSet<String>)]| -> Vec<Compared> {
        let both = side.iter().map(|(listed, of)| {
            let of = of
                .intersection(&known[0])
                .map(|account| account.clone().into_bytes());
            (archive.archive.join(listed.place()), of.collect())
        });
        both.filter(|(_, of): &Compared| !of.is_empty()).collect()
    };
    let compared = [compared(&sides[0]), compared(&sides[1])];
    if compared[1].is_empty() {
        print_error("no account has a report as of OLD and one as of NEW");
        return Ok(None);
    }
    Ok(Some(compared))
}

fn list_reports(args: &ArchiveList) -> anyhow::Result<Exit> {
    let store = existing(&args.at)?;
    let (reports, failed) = select(&*store, &args.which)?;
    let list = Contents::new(reports.iter().map(Listed::told).collect());
    let text = match args.format {
        ListFormat::Table => list.table(list_options()),
        ListFormat::Json => list.json(),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(if failed { Exit::Partial } else { Exit::Clean })
}

fn verify_all(args: &ArchiveVerify) -> anyhow::Result<Exit> {
    let store = existing(&args.at)?;
    let verified = verify(&*store)?;
    if verified.files == 0 && verified.problems.is_empty() {
        print_error(format_args!("{} holds no archived report", store.name()));
        return Ok(Exit::NothingEvaluated);
    }
    let text = match args.format {
        ListFormat::Json => verified.json(),
        ListFormat::Table => verified.text(),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(if verified.problems.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}
