//! Phrases that the table and the Markdown of a diff share.

use std::borrow::Cow;

use super::{DiffEvent, DiffFinding, DiffView};
use crate::finding::Status;
use crate::history::{Cause, Findings, Kind, Move, Moved};
use crate::output::phrases::{by_severity, counted, number, short, to_the_minute};
use crate::report::escape::escape;

/// `findings: 1 opened (1 high), 3 resolved (3 high), 2 still open (2 low)`; unveiled ones, and those of accounts without
/// a newer report, only if there are any.
pub(super) fn summary(view: &DiffView<'_>) -> String {
    let diff = view.diff;
    let all = Move::ALL.into_iter().filter_map(|which| {
        let name = match which {
            Move::Opened | Move::Resolved => which.name(),
            Move::Unveiled if diff.findings(which).count() == 0 => return None,
            Move::Unveiled => "unveiled by more columns",
            Move::Open => "still open",
        };
        Some(counts(view, name, diff.findings(which)))
    });
    let stale = (!view.stale.is_empty()).then(|| {
        let findings: u64 = view.stale.iter().map(|account| account.findings).sum();
        let accounts = counted(view.stale.len() as u64, "account");
        format!(
            "; not counted here: {} of {accounts} without a newer report",
            counted(findings, "finding")
        )
    });
    let all = all.collect::<Vec<_>>().join(", ");
    format!("findings: {all}{}", stale.unwrap_or_default())
}

/// What unveiled findings are.
pub(super) const UNVEILED: &str = "Not new: the older report lacks columns that show these findings.";

/// `3 opened (1 critical, 2 high)`.
pub(super) fn counts(view: &DiffView<'_>, what: &str, findings: Findings<'_>) -> String {
    let by_rule = findings.by_rule();
    let severities = by_severity(|severity| {
        let all = view.diff.rules.iter().zip(by_rule);
        let of_severity = all.filter(|(rule, _)| rule.bound.severity == severity);
        of_severity.map(|(_, count)| count).sum()
    });
    let all = number(by_rule.iter().sum());
    match severities.as_str() {
        "" => format!("{all} {what}"),
        _ => format!("{all} {what} ({severities})"),
    }
}

/// What happened, besides the kind of the event and the user.
pub(super) fn event(event: &DiffEvent) -> String {
    let minute = |time: &Option<String>| time.as_deref().map_or("never".to_owned(), to_the_minute);
    let key = event.key_created.as_deref().map(to_the_minute);
    let key = |what: &str| {
        key.as_ref()
            .map_or(String::new(), |key| format!("{what} created {key}"))
    };
    match event.kind {
        Kind::UserCreated => minute(&event.new),
        Kind::UserDeleted => format!("was created {}", minute(&event.old)),
        Kind::UserRecreated | Kind::PasswordChanged => {
            format!("{} → {}", minute(&event.old), minute(&event.new))
        }
        Kind::PasswordUsedAfterIdle | Kind::RootUsed => {
            format!("used {}, previously {}", minute(&event.new), minute(&event.old))
        }
        Kind::KeyFirstUsed | Kind::KeyUsedAfterIdle => {
            let (new, old) = (minute(&event.new), minute(&event.old));
            format!("{}, used {new}, previously {old}", key("key"))
        }
        Kind::KeyRotated => format!("key created {} → {}", minute(&event.old), minute(&event.new)),
        Kind::KeyCreated | Kind::KeyDeleted => key("key") + state(event),
        Kind::CertificateCreated | Kind::CertificateDeleted => key("certificate") + state(event),
        Kind::KeyActivated | Kind::KeyDeactivated => key("key"),
        Kind::CertificateActivated | Kind::CertificateDeactivated => key("certificate"),
        Kind::PasswordEnabled | Kind::PasswordDisabled | Kind::MfaActivated | Kind::MfaDeactivated => {
            String::new()
        }
    }
}

/// Whether a key or certificate that was created or deleted is or was inactive.
fn state(event: &DiffEvent) -> &'static str {
    match event.old.as_deref().or(event.new.as_deref()) {
        Some("false") => ", inactive",
        Some(_) | None => "",
    }
}

/// `last rotated 2026-01-02`: a column without the credential, which is shown already, and the day.
fn date(column: &str, time: &str, credential: Option<&str>) -> String {
    format!("{} {}", short(column, credential), time.get(..10).unwrap_or(time))
}

/// What a finding is about, where nothing else says what became of it.
pub(super) fn standing<'a>(message: &'a str, moved: &Moved) -> Cow<'a, str> {
    let causes: Vec<&str> = moved.by.iter().map(Cause::name).collect();
    match moved.after {
        Some(Status::Suppressed) => format!("suppressed now: {message}").into(),
        _ if !causes.is_empty() => format!("resolved by {}; it was: {message}", causes.join(", ")).into(),
        Some(Status::Undetermined) => format!("cannot be determined any more; it was: {message}").into(),
        Some(Status::Fail | Status::Pass | Status::Due) | None => message.into(),
    }
}

/// What resolved a finding, or what an opened one is about.
pub(super) fn reason(finding: &DiffFinding) -> String {
    let before = finding.before.map(|status| format!("was {status}; "));
    match finding.resolved_by.as_slice() {
        [] => {
            let message = escape(&format!("{}{}", before.unwrap_or_default(), finding.message)).into_owned();
            let credential = finding.credential.as_deref();
            let dates = finding
                .dates
                .iter()
                .map(|(column, time)| date(column, time, credential));
            [message].into_iter().chain(dates).collect::<Vec<_>>().join(", ")
        }
        causes => format!("by {}", causes.join(", ")),
    }
}
