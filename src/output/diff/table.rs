//! `table`: events, then findings, for people at a terminal.

use anstyle::Style;

use super::snapshots::{as_of, reports};
use super::{DiffView, DiffWriter, Grouping, phrases};
use crate::history::{Kind, Move};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{account, counted};
use crate::output::terminal::{
    self, Align, BOLD, DIM, GREEN, RED, TextCell, TextTable, YELLOW, cut_start, join_sections, severity_style,
};
use crate::report::escape::escape;

pub(super) const FORMAT: FormatSpec<DiffWriter> = FormatSpec::new(
    "table",
    "events, then findings",
    Readers::Terminal,
    |view, out| out.write_all(render(view).as_bytes()),
);

/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 10;

fn render(view: &DiffView<'_>) -> String {
    join_sections(vec![
        snapshots(view),
        verdict(view),
        view.by.map_or_else(String::new, |by| groups(view, by)),
        events(view),
        findings(view, Move::Opened),
        findings(view, Move::Unveiled),
        findings(view, Move::Resolved),
        terminal::diagnostics(view.diagnostics, view.options.most(DIAGNOSTICS), view.options),
    ])
}

fn snapshots(view: &DiffView<'_>) -> String {
    let mut table = TextTable::new(0, [Align::Left, Align::Left, Align::Right, Align::Wrapped]);
    let sides = [("old", view.diff.old), ("new", view.diff.new)];
    for ((name, snapshot), users) in sides.into_iter().zip(view.diff.users) {
        table.row([
            TextCell::styled(name, DIM),
            TextCell::new(cut_start(&escape(&reports(snapshot)), view.options.width / 3)),
            TextCell::new(counted(users, "user")),
            TextCell::styled(as_of(snapshot, view.options.now), DIM),
        ]);
    }
    table.render(view.options)
}

/// What was opened and resolved in each account, path or owner.
fn groups(view: &DiffView<'_>, by: Grouping<'_>) -> String {
    let groups = view.groups(by).all;
    if groups.is_empty() {
        return String::new();
    }
    let moves = [(Move::Opened, "opened"), (Move::Unveiled, "unveiled")];
    let moves = moves
        .into_iter()
        .chain([(Move::Resolved, "resolved"), (Move::Open, "still open")]);
    let moves = moves.filter(|(which, _)| view.diff.findings(*which).count() > 0);
    let moves: Vec<(Move, &str)> = moves.collect();
    let mut columns = vec![(by.name(), Align::Wrapped)];
    columns.extend(moves.iter().map(|(_, head)| (*head, Align::Right)));
    let mut table = TextTable::with_heads(&columns);
    for group in groups.iter().take(view.options.limit) {
        let name = match (&group.name, by) {
            (None, _) => by.unknown().to_owned(),
            (Some(id), Grouping::Account) => account(Some(id), group.account_name.as_deref()),
            (Some(name), Grouping::Path | Grouping::Owner(_)) => escape(name).into_owned(),
        };
        let counts = moves.iter().map(|(which, _)| TextCell::new(group.count(*which)));
        table.row([TextCell::new(name)].into_iter().chain(counts));
    }
    table.more(view.more(by.name(), groups.len() as u64));
    let title = view.options.paint(BOLD, format!("{}s, worst first", by.name()));
    format!("{title}\n{}", table.render(view.options))
}

fn events(view: &DiffView<'_>) -> String {
    let all = &view.diff.events;
    if all.is_empty() {
        return "no changes to users and credentials\n".to_owned();
    }
    let mut table = TextTable::new(2, [Align::Left, Align::Left, Align::Left, Align::Wrapped]);
    table.line(view.options.paint(BOLD, counted(all.len() as u64, "event")));
    for event in all.iter().take(view.options.limit) {
        let kind = event.kind;
        let event = view.event(event);
        table.row([
            TextCell::styled(kind.name(), kind_style(kind)),
            TextCell::new(escape(event.user.as_deref().unwrap_or(""))),
            TextCell::styled(
                account(event.account.as_deref(), event.account_name.as_deref()),
                DIM,
            ),
            TextCell::new(phrases::event(&event)),
        ]);
    }
    table.more(view.more("event", all.len() as u64));
    table.render(view.options)
}

/// Events that make a user safer are green, those that make one less safe red or yellow.
fn kind_style(kind: Kind) -> Style {
    match kind {
        Kind::MfaDeactivated | Kind::RootUsed => RED,
        Kind::PasswordUsedAfterIdle
        | Kind::KeyUsedAfterIdle
        | Kind::KeyActivated
        | Kind::CertificateActivated => YELLOW,
        Kind::MfaActivated
        | Kind::KeyRotated
        | Kind::KeyDeactivated
        | Kind::KeyDeleted
        | Kind::PasswordDisabled
        | Kind::CertificateDeactivated
        | Kind::CertificateDeleted => GREEN,
        Kind::UserCreated
        | Kind::UserDeleted
        | Kind::UserRecreated
        | Kind::PasswordEnabled
        | Kind::PasswordChanged
        | Kind::KeyCreated
        | Kind::KeyFirstUsed
        | Kind::CertificateCreated => Style::new(),
    }
}

fn findings(view: &DiffView<'_>, which: Move) -> String {
    let findings = view.diff.findings(which);
    let count = findings.count();
    if count == 0 {
        return String::new();
    }
    let mut table = TextTable::of_findings(view.options);
    table.line(
        view.options
            .paint(BOLD, phrases::counts(view, which.name(), findings)),
    );
    if which == Move::Unveiled {
        table.line(view.options.paint(DIM, format!("  {}", phrases::UNVEILED)));
    }
    for finding in view.worst(findings) {
        let cells = [
            TextCell::styled(finding.severity.name(), severity_style(finding.severity)),
            TextCell::new(escape(finding.user.as_deref().unwrap_or(""))),
            TextCell::new(escape(&finding.rule)),
            TextCell::styled(finding.credential.as_deref().unwrap_or(""), DIM),
        ];
        let id = finding.account.as_deref().filter(|_| view.has_several_accounts());
        let account = id.map(|id| format!("account {}", account(Some(id), finding.account_name.as_deref())));
        let sentences: Vec<_> = account.into_iter().chain([phrases::reason(&finding)]).collect();
        table.finding(cells, &sentences, view.options);
    }
    table.more(view.more("finding", count));
    table.render(view.options)
}

fn verdict(view: &DiffView<'_>) -> String {
    let opened = view.diff.findings(Move::Opened).count();
    let style = if opened == 0 { GREEN } else { RED };
    view.options.paragraph(style, &phrases::summary(view))
}
