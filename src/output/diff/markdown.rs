//! `markdown`: totals, then what was opened and resolved, worst first, then events: what one mails or posts. Where several
//! accounts are compared, or a grouping is asked for, by account, path or owner.

use super::groups::Group;
use super::snapshots::{as_of, reports};
use super::{DiffFinding, DiffView, DiffWriter, Grouping, phrases};
use crate::history::Move;
use crate::output::format::{FormatSpec, Readers};
use crate::output::markdown_text::{Markdown, account, code, optional_code, plain};
use crate::output::phrases::{capitalised, counted, more};

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
    let lines = snapshots.map(|((name, snapshot), users)| {
        let path = match snapshot.reports().len() {
            1 => code(&reports(snapshot)),
            _ => reports(snapshot),
        };
        let users = counted(users, "user");
        format!(
            "- {name}: {path}, {users}, as of {}",
            as_of(snapshot, view.options.now)
        )
    });
    out.paragraph(&lines.collect::<Vec<_>>().join("\n"));
    out.paragraph(&phrases::summary(view));
    let by_account = || view.has_several_accounts().then_some(Grouping::Account);
    if let Some(by) = view.by.or_else(by_account) {
        groups(view, by, &mut out);
    } else {
        findings(view, "Opened", Move::Opened, &mut out);
        findings(view, "Unveiled", Move::Unveiled, &mut out);
        findings(view, "Resolved", Move::Resolved, &mut out);
    }
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

/// The groups with what they count, then the findings of each that changed.
fn groups(view: &DiffView<'_>, by: Grouping<'_>, out: &mut Markdown) {
    let groups = view.groups(by);
    if groups.all.is_empty() {
        return;
    }
    let what = capitalised(by.name());
    out.heading(&format!("{what}s, worst first"));
    let unveiled = (view.diff.findings(Move::Unveiled).count() > 0).then_some((Move::Unveiled, "Unveiled"));
    let columns: Vec<(Move, &str)> = [(Move::Opened, "Opened")]
        .into_iter()
        .chain(unveiled)
        .chain([(Move::Resolved, "Resolved"), (Move::Open, "Still open")])
        .collect();
    let rows = groups.all.iter().take(view.options.limit).map(|group| {
        let counts = columns.iter().map(|(which, _)| group.count(*which));
        [name(group, by)].into_iter().chain(counts).collect()
    });
    let heads: Vec<&str> = columns.iter().map(|(_, head)| *head).collect();
    out.table(&[&what], &heads, rows);
    out.more(view.more(by.name(), groups.all.len() as u64));
    for (position, findings) in groups.shown(view.options.limit, view.options.most(OF_GROUP)) {
        let group = &groups.all[position];
        out.heading(&format!("{}: {}", name(group, by), group.summary()));
        of_group(&findings, by, out);
        let hidden = group.changed() - findings.len() as u64;
        out.more(more(hidden, "finding", group.changed()));
    }
}

/// How many findings each account, path or owner shows, unless a limit is given.
const OF_GROUP: usize = 20;

/// What a group is called, as Markdown.
fn name(group: &Group, by: Grouping<'_>) -> String {
    match (&group.name, by) {
        (None, _) => plain(by.unknown()),
        (Some(id), Grouping::Account) => account(Some(id), group.account_name.as_deref()),
        (Some(name), Grouping::Path | Grouping::Owner(_)) => code(name),
    }
}

fn of_group(findings: &[(Move, DiffFinding)], by: Grouping<'_>, out: &mut Markdown) {
    let has_account = !matches!(by, Grouping::Account);
    let rows = findings.iter().map(|(which, finding)| {
        let mut cells = cells(finding);
        if !has_account {
            cells.remove(ACCOUNT);
        }
        cells.insert(0, which.name().to_owned());
        cells
    });
    let mut heads = vec!["Change"];
    heads.extend(HEADS);
    if !has_account {
        heads.remove(ACCOUNT + 1);
    }
    out.table(&heads, &[], rows);
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
    let rows = view.worst(findings);
    out.table(&HEADS, &[], rows.iter().map(cells));
    out.more(view.more("finding", count));
}

/// The columns of a finding.
const HEADS: [&str; 6] = ["Severity", "User", "Account", "Rule", "Credential", "What"];

/// The position of the account among them.
const ACCOUNT: usize = 2;

fn cells(finding: &DiffFinding) -> Vec<String> {
    let [user, credential] = [&finding.user, &finding.credential].map(|text| optional_code(text.as_deref()));
    vec![
        finding.severity.to_string(),
        user,
        account(finding.account.as_deref(), finding.account_name.as_deref()),
        code(&finding.rule),
        credential,
        plain(&phrases::reason(finding)),
    ]
}
