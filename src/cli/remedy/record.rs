//! `credlens remedy record`.

use std::time::Duration;

use credlens::finding::digest::sha256;
use credlens::output::DisplayOptions;
use credlens::remedy::{JournalText, KeyCheck, Replay, audit};

use super::access::print_policy;
use super::args::RecordArgs;
use super::files::read;
use crate::cli::failure::{Exit, Failure};
use crate::cli::now;
use crate::cli::outputs::{FormatTo, check_formats, write_documents};
use crate::cli::signals;
use crate::cli::terminal::print_warning;

pub(super) fn run(args: RecordArgs) -> Result<Exit, Failure> {
    args.access.check()?;
    let formats = FormatTo::or_default(args.format);
    check_formats(&formats, std::slice::from_ref(&args.journal))?;
    let path = &args.journal;
    let bytes = read(path, "journal")?;
    let text = JournalText::read(&String::from_utf8_lossy(&bytes));
    for error in &text.damaged {
        print_warning(format_args!("{}: {error}", path.display()));
    }
    let replay = Replay::of(&text.records);
    let of_file = |error| Failure::Usage(format!("{}: {error}", path.display()));
    let (_, begin) = replay.first().map_err(of_file)?;
    let mut access = args.access.connect(&begin.journal)?;
    access.ask_caller(Duration::MAX)?;
    let role = args.access.role_name.as_deref().or(begin.role_name.as_deref());
    let mut iam = args.access.iam(&access, &begin.journal, role, None);
    let record = audit(&replay, sha256(&bytes), &mut iam, now()).map_err(of_file)?;
    print_policy(&iam, access.session.partition());
    let Some(record) = record else {
        let signal = access.runtime.interrupted().unwrap_or(signals::INTERRUPT);
        return Err(Failure::Signal(signal, "interrupted; no record was written"));
    };
    write_documents(&formats, |format, out| {
        let text = format.write(&record, DisplayOptions::default());
        out.write_all(text.as_bytes())
    })?;
    let unread =
        |step: &&credlens::remedy::AuditStep| step.look_error.is_some() || step.check == KeyCheck::Unknown;
    let unread = record.steps.iter().filter(unread).count();
    Ok(if unread == 0 {
        Exit::Clean
    } else if unread == record.steps.len() {
        Exit::NothingEvaluated
    } else {
        Exit::Partial
    })
}
