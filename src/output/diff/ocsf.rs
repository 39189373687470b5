//! `ocsf`: an event for each finding: created where it was opened, updated where it is still open, closed where it is
//! resolved.

use std::io::{self, Write};
use std::ops::Range;

use super::in_order::write_in_order;
use super::{DiffView, DiffWriter, phrases};
use crate::engine::CompiledRule;
use crate::finding::{FindingId, Status};
use crate::gsl::typed::Entity;
use crate::history::{Cause, Kind, Move, Moved};
use crate::output::format::{FormatSpec, Readers};
use crate::output::ocsf::{Activity, Change, Event, EventUser, RuleParts};

pub(super) const FORMAT: FormatSpec<DiffWriter> = FormatSpec::new(
    "ocsf",
    "findings as OCSF events (create, update, close), one per line",
    Readers::Program,
    write,
);

fn write(view: &DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<RuleParts> = view.diff.rules.iter().map(RuleParts::new).collect();
    for which in Move::ALL {
        let findings = view.diff.findings(which);
        let events = |users: Range<usize>, out: &mut Vec<u8>| {
            for moved in findings.of(users, |_| true) {
                write_events(view, which, &moved, &rules[usize::from(moved.found.rule)], out);
            }
        };
        write_in_order(view, findings.users(), events, |text| out.write_all(text))?;
    }
    Ok(())
}

/// Whether the user is gone, or the key or certificate that a rule is about.
fn is_gone(rule: &CompiledRule, moved: &Moved) -> bool {
    let is_about_user = rule.bound.typed.entity == Entity::IamUser;
    moved.by.iter().any(|cause| match cause {
        Cause::Event(Kind::UserDeleted | Kind::UserRecreated) => true,
        Cause::Event(Kind::KeyDeleted | Kind::CertificateDeleted) => !is_about_user,
        Cause::Event(_) | Cause::Suppressed | Cause::Used | Cause::Other => false,
    })
}

/// An event about a finding; where its id in the older report is another one, two: who knows it by that id sees it closed.
fn write_events(view: &DiffView<'_>, which: Move, moved: &Moved, parts: &RuleParts, out: &mut Vec<u8>) {
    let id = view.id(moved);
    let earlier = view.earlier_id(moved);
    let activity = match which {
        Move::Opened | Move::Unveiled => Activity::Create,
        Move::Open if earlier.is_some() => Activity::Create,
        Move::Open => Activity::Update,
        Move::Resolved => Activity::Close,
    };
    if let Some(earlier) = earlier {
        write_event(
            view,
            (which, moved),
            (Activity::Close, earlier, Some(id)),
            parts,
            out,
        );
    }
    write_event(view, (which, moved), (activity, id, earlier), parts, out);
}

fn write_event(
    view: &DiffView<'_>,
    (which, moved): (Move, &Moved),
    (activity, id, other_id): (Activity, FindingId, Option<FindingId>),
    parts: &RuleParts,
    out: &mut Vec<u8>,
) {
    let rule = &view.diff.rules[usize::from(moved.found.rule)];
    let (snapshot, _) = view.subject(moved);
    let (users, row) = (snapshot.users(), moved.row as usize);
    let [old, new] = view.reports_of_account(moved);
    let is_shown_now = which != Move::Resolved || moved.after == Some(Status::Suppressed);
    let shown_last = if is_shown_now { new } else { old };
    let some = |text: &&[u8]| !text.is_empty();
    let account = users.account_or_name(row);
    let event = Event {
        activity,
        rule,
        id,
        as_of: new.as_of,
        last_seen: shown_last.as_of,
        status: moved.after,
        change: Some(Change {
            which,
            before: moved.before,
            resolved_by: moved.by.iter().map(Cause::name).collect(),
            is_gone: is_gone(rule, moved),
            other_id,
        }),
        message: &phrases::standing(&rule.bound.message, moved),
        account: users.account(row),
        account_name: account.and_then(|account| view.name_of(account)),
        user: Some(EventUser {
            is_root: users.is_root(row),
            name: Some(users.name(row)).filter(some),
            arn: Some(users.arn(row)).filter(some),
            owner: None,
            access_key: None,
        }),
        credential: rule.bound.typed.credential(moved.found.slot),
        due_at: None,
        suppression: None,
        source: (&shown_last.path, None),
    };
    let evidence = view.dates(moved).map(|(column, time)| (column, time.to_string()));
    event.write(parts, evidence, out);
}
