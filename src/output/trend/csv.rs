//! `csv`: one snapshot per record, with a header; a column for each severity and each rule.

use std::collections::BTreeSet;

use super::TrendWriter;
use crate::finding::Severity;
use crate::history::trend::{Point, TrendDocument};
use crate::output::csv_text::write_record;
use crate::output::format::{FormatSpec, Readers};

pub(super) const FORMAT: FormatSpec<TrendWriter> =
    FormatSpec::new("csv", "for spreadsheets", Readers::Program, |document, _| {
        render(document)
    });

type Column = (&'static str, fn(&Point) -> String);

const COLUMNS: [Column; 27] = [
    ("as_of", |point| point.as_of.clone()),
    ("account", |point| point.account.clone().unwrap_or_default()),
    ("account_name", |point| {
        point.account_name.clone().unwrap_or_default()
    }),
    ("accounts", |point| point.accounts.to_string()),
    ("users", |point| point.users.to_string()),
    ("console_users", |point| optional(point.console_users)),
    ("console_users_with_mfa", |point| {
        optional(point.console_users_with_mfa)
    }),
    ("mfa_coverage", |point| {
        point
            .mfa_coverage
            .map_or(String::new(), |share| format!("{share:.4}"))
    }),
    ("active_keys", |point| optional(point.active_keys)),
    ("keys_over_90_days", |point| optional(point.keys_over_90_days)),
    ("keys_over_180_days", |point| optional(point.keys_over_180_days)),
    ("keys_over_365_days", |point| optional(point.keys_over_365_days)),
    ("key_age_median", |point| optional(point.key_age_median)),
    ("key_age_p90", |point| optional(point.key_age_p90)),
    ("key_age_max", |point| optional(point.key_age_max)),
    ("unused_credentials", |point| optional(point.unused_credentials)),
    ("dormant_users", |point| optional(point.dormant_users)),
    ("root_used", |point| optional(point.root_used)),
    ("root_last_used", |point| {
        point.root_last_used.clone().unwrap_or_default()
    }),
    ("opened", |point| point.opened.to_string()),
    ("resolved", |point| point.resolved.to_string()),
    ("unveiled", |point| point.unveiled.to_string()),
    ("failing_critical", |point| severity(point, Severity::Critical)),
    ("failing_high", |point| severity(point, Severity::High)),
    ("failing_medium", |point| severity(point, Severity::Medium)),
    ("failing_low", |point| severity(point, Severity::Low)),
    ("failing_informational", |point| {
        severity(point, Severity::Informational)
    }),
];

fn render(document: &TrendDocument) -> Vec<u8> {
    let rules: BTreeSet<&String> = document
        .snapshots
        .iter()
        .flat_map(|point| point.by_rule.keys())
        .collect();
    let mut out = Vec::new();
    let heads = COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    write_record(
        heads.chain(rules.iter().map(|rule| format!("rule_{rule}"))),
        &mut out,
    );
    for point in &document.snapshots {
        let cells = COLUMNS.iter().map(|(_, cell)| cell(point));
        let counts = rules
            .iter()
            .map(|&rule| point.by_rule.get(rule).copied().unwrap_or(0).to_string());
        write_record(cells.chain(counts), &mut out);
    }
    out
}

/// An empty cell where the value is unknown.
fn optional(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

fn severity(point: &Point, severity: Severity) -> String {
    point.by_severity.get(&severity).copied().unwrap_or(0).to_string()
}
