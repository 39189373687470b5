//! Events, then findings, for people at a terminal.

use anstyle::{AnsiColor, Style};

use super::{DiffEvent, DiffFinding, DiffView, input};
use crate::history::{Kind, Move};
use crate::output::escape;
use crate::output::layout::{Align, Cell, Grid, Paint, cut_start, wrap};
use crate::output::overview::{BOLD, DIM, severity_style};
use crate::output::words::{self, diagnostic_line};

/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 10;

pub(super) fn render(view: &DiffView<'_>) -> String {
    let sections = [
        snapshots(view),
        events(view),
        findings(view, Move::Opened),
        findings(view, Move::Resolved),
        diagnostics(view),
        verdict(view),
    ];
    let told: Vec<String> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    told.join("\n")
}

fn snapshots(view: &DiffView<'_>) -> String {
    let mut grid = Grid::new(0, [Align::Left, Align::Left, Align::Right, Align::Wrapped]);
    for (name, snapshot) in [("old", view.diff.old), ("new", view.diff.new)] {
        let input = input(snapshot);
        let as_of = words::as_of(
            &input.as_of,
            input.as_of_source,
            input.generated.as_deref(),
            view.settings.now,
        );
        grid.cells(vec![
            Cell::styled(name, DIM),
            Cell::new(cut_start(&escape(&input.path), view.settings.width / 3)),
            Cell::new(words::counted(input.users, "user")),
            Cell::styled(as_of, DIM),
        ]);
    }
    grid.render(view.settings.width, Paint(view.settings.color))
}

fn events(view: &DiffView<'_>) -> String {
    let all = &view.diff.events;
    if all.is_empty() {
        return "nothing happened to users and credentials\n".to_owned();
    }
    let paint = Paint(view.settings.color);
    let mut grid = Grid::new(2, [Align::Left, Align::Left, Align::Left, Align::Wrapped]);
    grid.free(paint.text(BOLD, words::counted(all.len() as u64, "event")));
    for event in all.iter().take(view.settings.limit) {
        let told = view.event(event);
        grid.cells(vec![
            Cell::styled(event.kind.name(), kind_style(event.kind)),
            Cell::new(escape(told.user.as_deref().unwrap_or(""))),
            Cell::styled(told.account.clone().unwrap_or_default(), DIM),
            Cell::new(saying(&told)),
        ]);
    }
    let mut out = grid.render(view.settings.width, paint);
    out.push_str(&more(view, all.len() as u64, "event"));
    out
}

/// What made it safer is green, what made it less so is red or yellow.
fn kind_style(kind: Kind) -> Style {
    match kind {
        Kind::MfaDeactivated | Kind::RootUsed => AnsiColor::Red.on_default(),
        Kind::PasswordUsedAfterIdle
        | Kind::KeyUsedAfterIdle
        | Kind::KeyActivated
        | Kind::CertificateActivated => AnsiColor::Yellow.on_default(),
        Kind::MfaActivated
        | Kind::KeyRotated
        | Kind::KeyDeactivated
        | Kind::KeyDeleted
        | Kind::PasswordDisabled
        | Kind::CertificateDeactivated
        | Kind::CertificateDeleted => AnsiColor::Green.on_default(),
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

/// What an event tells besides its kind and user.
pub(super) fn saying(event: &DiffEvent) -> String {
    let day = |time: &Option<String>| time.as_deref().map_or("never".to_owned(), short);
    let key = event.key_created.as_deref().map(short);
    let key = |what: &str| {
        key.as_ref()
            .map_or(String::new(), |key| format!("{what} of {key}"))
    };
    match event.kind {
        Kind::UserCreated => day(&event.new),
        Kind::UserDeleted => format!("was created {}", day(&event.old)),
        Kind::UserRecreated | Kind::PasswordChanged => format!("{} → {}", day(&event.old), day(&event.new)),
        Kind::PasswordUsedAfterIdle | Kind::RootUsed => {
            format!("used {}, before that {}", day(&event.new), day(&event.old))
        }
        Kind::KeyFirstUsed | Kind::KeyUsedAfterIdle => {
            format!(
                "{} used {}, before that {}",
                key("key"),
                day(&event.new),
                day(&event.old)
            )
        }
        Kind::KeyRotated => format!("key of {} → {}", day(&event.old), day(&event.new)),
        Kind::KeyCreated | Kind::KeyDeleted => key("key") + state(event),
        Kind::CertificateCreated | Kind::CertificateDeleted => key("certificate") + state(event),
        Kind::KeyActivated | Kind::KeyDeactivated => key("key"),
        Kind::CertificateActivated | Kind::CertificateDeactivated => key("certificate"),
        Kind::PasswordEnabled | Kind::PasswordDisabled | Kind::MfaActivated | Kind::MfaDeactivated => {
            String::new()
        }
    }
}

/// What a key or certificate was that was made or deleted.
fn state(event: &DiffEvent) -> &'static str {
    match event.old.as_deref().or(event.new.as_deref()) {
        Some("false") => ", inactive",
        Some(_) | None => "",
    }
}

/// `2026-01-02 03:04`.
fn short(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn findings(view: &DiffView<'_>, which: Move) -> String {
    let findings = view.diff.findings(which);
    let count = findings.count();
    if count == 0 {
        return String::new();
    }
    let paint = Paint(view.settings.color);
    let columns = [Align::Left, Align::Left, Align::Left, Align::Left, Align::Wrapped];
    let mut grid = Grid::new(2, columns);
    grid.free(paint.text(BOLD, view.counts(which.name(), findings)));
    for finding in view.worst(findings) {
        grid.cells(vec![
            Cell::styled(finding.severity.name(), severity_style(finding.severity)),
            Cell::new(escape(finding.user.as_deref().unwrap_or(""))),
            Cell::new(escape(&finding.rule)),
            Cell::styled(finding.credential.clone().unwrap_or_default(), DIM),
            Cell::new(about(&finding)),
        ]);
    }
    let mut out = grid.render(view.settings.width, paint);
    out.push_str(&more(view, count, "finding"));
    out
}

/// Why a finding is where it is.
pub(super) fn about(finding: &DiffFinding) -> String {
    let before = finding.before.map(|status| format!("was {status}; "));
    match finding.resolved_by.as_slice() {
        [] => escape(&format!("{}{}", before.unwrap_or_default(), finding.message)).into_owned(),
        causes => format!("by {}", causes.join(", ")),
    }
}

fn more(view: &DiffView<'_>, all: u64, what: &str) -> String {
    match all.saturating_sub(view.settings.limit as u64) {
        0 => String::new(),
        more => format!(
            "  … and {} (--limit {all} shows them)\n",
            words::counted(more, &format!("more {what}"))
        ),
    }
}

fn diagnostics(view: &DiffView<'_>) -> String {
    let mut out = String::new();
    for diagnostic in view.diagnostics.iter().take(DIAGNOSTICS) {
        let lines = wrap(
            &diagnostic_line(diagnostic),
            view.settings.width.saturating_sub(2),
        );
        out.push_str(&lines.join("\n  "));
        out.push('\n');
    }
    let more = view.diagnostics.len().saturating_sub(DIAGNOSTICS);
    if more > 0 {
        let more = words::counted(more as u64, "more diagnostic");
        out.push_str(&more);
        out.push_str("; --format json tells all\n");
    }
    out
}

fn verdict(view: &DiffView<'_>) -> String {
    let diff = view.diff;
    let style = if diff.findings(Move::Opened).count() == 0 {
        AnsiColor::Green.on_default()
    } else {
        AnsiColor::Red.on_default()
    };
    let line = summary(view);
    let lines = wrap(&line, view.settings.width);
    let paint = Paint(view.settings.color);
    lines.iter().map(|line| paint.text(style, line) + "\n").collect()
}

/// All in one line.
pub(super) fn summary(view: &DiffView<'_>) -> String {
    let diff = view.diff;
    format!(
        "findings: {}, {}, {}",
        view.counts("opened", diff.findings(Move::Opened)),
        view.counts("resolved", diff.findings(Move::Resolved)),
        view.counts("still open", diff.findings(Move::Open))
    )
}
