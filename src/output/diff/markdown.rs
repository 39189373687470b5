//! `markdown`: totals, then what is new and what is resolved, worst first, then events: what one mails or posts.

use super::snapshots::{as_of, reports};
use super::{DiffView, DiffWriter, phrases};
use crate::history::Move;
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, account, code, optional_code, plain};
use crate::output::phrases::counted;

pub(super) const FORMAT: FormatSpec<DiffWriter> = FormatSpec::new(
    "markdown",
    "for pull requests and wikis",
    Readers::Document,
    |view, out| out.write_all(render(view).as_bytes()),
);

fn render(view: &DiffView<'_>) -> String {
    let mut out = Markdown::new("IAM credential reports: what changed", view.options);
    let snapshots = [("Old", view.diff.old), ("New", view.diff.new)];
    let snapshots = snapshots.into_iter().zip(view.diff.users);
    out.list(snapshots.map(|((name, snapshot), users)| {
        let path = match snapshot.reports().len() {
            1 => code(&reports(snapshot)),
            _ => reports(snapshot),
        };
        let users = counted(users, "user");
        format!(
            "{name}: {path}, {users}, as of {}",
            as_of(snapshot, view.options.now)
        )
    }));
    out.paragraph(&phrases::summary(view));
    findings(view, "Opened", Move::Opened, &mut out);
    findings(view, "Unveiled", Move::Unveiled, &mut out);
    findings(view, "Resolved", Move::Resolved, &mut out);
    events(view, &mut out);
    out.diagnostics(view.diagnostics);
    out.into_text()
}

fn events(view: &DiffView<'_>, out: &mut Markdown) {
    let all = &view.diff.events;
    if all.is_empty() {
        return;
    }
    out.heading("Events");
    let rows = all.iter().take(view.options.limit).map(|event| {
        let kind = event.kind.name().to_owned();
        let event = view.event(event);
        let user = optional_code(event.user.as_deref());
        let account = account(event.account.as_deref(), event.account_name.as_deref());
        vec![kind, user, account, plain(&phrases::event(&event))]
    });
    out.table(&["Event", "User", "Account", "What"], &[], rows);
    out.more(view.more("event", all.len() as u64));
}

fn findings(view: &DiffView<'_>, heading: &str, which: Move, out: &mut Markdown) {
    let findings = view.diff.findings(which);
    let count = findings.count();
    if count == 0 {
        return;
    }
    out.heading(heading);
    if which == Move::Unveiled {
        out.paragraph(phrases::UNVEILED);
    }
    let rows = view.worst(findings).into_iter().map(|finding| {
        let [user, credential] =
            [&finding.user, &finding.credential].map(|text| optional_code(text.as_deref()));
        let account = account(finding.account.as_deref(), finding.account_name.as_deref());
        let (severity, rule) = (finding.severity.to_string(), code(&finding.rule));
        vec![
            severity,
            user,
            account,
            rule,
            credential,
            plain(&phrases::reason(&finding)),
        ]
    });
    let heads = ["Severity", "User", "Account", "Rule", "Credential", "What"];
    out.table(&heads, &[], rows);
    out.more(view.more("finding", count));
}
