//! `xlsx`: a workbook for auditors, with sheets of a summary, findings, users, keys and requirements.

mod sheet;
#[cfg(test)]
mod tests;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use self::sheet::{Cell, Column, Formats};
use super::{ScanView, ScanWriter, compliance};
use crate::finding::{Decided, Finding, FrameworkTally, InputTally, ListItem, RequirementTally};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases;
use crate::report::schema::{self as report, Credential, FlagColumn};

pub(super) const FORMAT: FormatSpec<ScanWriter> = FormatSpec::new(
    "xlsx",
    "a workbook: summary, findings, users, keys, requirements",
    Readers::Program,
    ScanWriter::RenderBook(ROWS, render),
);

/// The most rows of a sheet, without its header.
const ROWS: usize = 1_048_575;

fn render(view: &ScanView<'_>) -> Vec<u8> {
    book(view, ROWS)
        .expect("invariant: no sheet has more rows, and no cell more text, than a workbook may have")
}

/// A workbook whose sheets have at most so many rows; the summary counts what is left out.
fn book(view: &ScanView<'_>, most: usize) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The same report gives the same bytes.
    let created = ExcelDateTime::from_timestamp(view.options.now.map_or(0, |now| now.0))?;
    book.set_properties(
        &DocProperties::new()
            .set_title("IAM credential reports")
            .set_creation_datetime(&created),
    );
    let formats = Formats::new();
    summary(view, most, &mut book, &formats)?;
    let findings = view.worst.iter().chain(view.due).take(most).map(finding);
    sheet::add(&mut book, ("Findings", &formats), &FINDING, findings)?;
    let users = view.users.iter().take(most).map(|user| item(user, false));
    sheet::add(&mut book, ("Users", &formats), &USER, users)?;
    let keys = view.keys.iter().take(most).map(|key| item(key, true));
    sheet::add(&mut book, ("Keys", &formats), &KEY, keys)?;
    let requirements = view.tally.compliance.iter().flat_map(|framework| {
        let all = framework.requirements.iter();
        all.map(move |requirement| of_requirement(framework, requirement))
    });
    sheet::add(&mut book, ("Requirements", &formats), &REQUIREMENT, requirements)?;
    book.save_to_buffer()
}

/// Facts of the run, then its rules and inputs, of which there may be many.
fn summary(
    view: &ScanView<'_>,
    most: usize,
    book: &mut Workbook,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let tally = view.tally;
    let beyond = |rows: usize| rows.saturating_sub(most) as u64;
    let hidden = view.hidden() + view.due_emitted - view.due.len() as u64;
    let hidden = hidden + beyond(view.worst.len() + view.due.len());
    let users: u64 = tally.inputs.iter().filter_map(|input| input.users).sum();
    let mut rows = vec![
        vec![Cell::word("credlens"), Cell::word(&tally.evidence.version)],
        vec![
            Cell::word("rules as bound, SHA-256"),
            Cell::word(&tally.evidence.rules_sha256),
        ],
        vec![Cell::word("as of"), Cell::text(tally.as_of.as_deref())],
        vec![Cell::word("users evaluated"), Cell::Count(users)],
        vec![Cell::word("verdicts"), Cell::Text(phrases::verdict_counts(tally))],
        vec![Cell::word("findings not in this workbook"), Cell::Count(hidden)],
        vec![
            Cell::word("users not in this workbook"),
            Cell::Count(beyond(view.users.len())),
        ],
        vec![
            Cell::word("keys not in this workbook"),
            Cell::Count(beyond(view.keys.len())),
        ],
    ];
    if !tally.filters.is_empty() {
        let filters =
            serde_json::to_string(&tally.filters).expect("invariant: the type has only texts and lists");
        rows.push(vec![Cell::word("filters"), Cell::Text(filters)]);
    }
    rows.push(Vec::new());
    let heads = [
        "rule",
        "severity",
        "failed",
        "undetermined",
        "suppressed",
        "passed",
        "title",
    ];
    rows.push(heads.map(Cell::word).to_vec());
    rows.extend(tally.rules.iter().map(|rule| {
        vec![
            Cell::Text(phrases::rule(&rule.id, &rule.parameters)),
            Cell::word(rule.severity.name()),
            Cell::Count(rule.failed),
            Cell::Count(rule.undetermined),
            Cell::Count(rule.suppressed),
            Cell::Count(rule.passed),
            Cell::word(&rule.texts.title),
        ]
    }));
    rows.push(Vec::new());
    let heads = ["input", "users", "as of", "generated", "SHA-256"];
    rows.push(heads.map(Cell::word).to_vec());
    rows.extend(tally.inputs.iter().map(input));
    let sheet = book.add_worksheet().set_name("Summary")?;
    for (at, width) in [(0, 44), (1, 18), (2, 22), (3, 22), (4, 20), (5, 12), (6, 50)] {
        sheet.set_column_width(at, width)?;
    }
    for (row, cells) in (0..).zip(rows.into_iter().take(ROWS)) {
        for (at, cell) in (0..).zip(cells) {
            sheet::write(sheet, (row, at), cell, formats)?;
        }
    }
    Ok(())
}

fn input(input: &InputTally) -> Vec<Cell> {
    vec![
        Cell::word(&input.path),
        Cell::count(input.users),
        Cell::word(&input.as_of),
        Cell::text(input.generated.as_deref()),
        Cell::text(input.sha256.as_deref()),
    ]
}

const FINDING: [Column; 17] = [
    ("severity", 14),
    ("status", 14),
    ("rule", 30),
    ("title", 36),
    ("account", 15),
    ("account_name", 18),
    ("user", 24),
    ("credential", 15),
    ("access_key_id", 22),
    ("owner", 20),
    ("message", 60),
    ("evidence", 60),
    ("requirements", 30),
    ("suppression_reason", 30),
    ("due_at", 20),
    ("as_of", 20),
    ("source", 40),
];

fn finding(finding: &Finding) -> Vec<Cell> {
    let source = match finding.source.line.or(finding.source.row) {
        Some(line) => format!("{}:{line}", finding.source.path),
        None => finding.source.path.clone(),
    };
    vec![
        Cell::word(finding.severity.name()),
        Cell::word(finding.status.name()),
        Cell::Text(phrases::rule(&finding.rule, &finding.parameters)),
        Cell::word(&finding.title),
        Cell::text(finding.account.as_deref()),
        Cell::text(finding.account_name.as_deref()),
        Cell::text(finding.user.as_deref()),
        Cell::text(finding.credential.map(Credential::name)),
        Cell::text(finding.access_key_id.as_deref()),
        Cell::text(finding.owner.as_deref()),
        Cell::word(&finding.message),
        Cell::Text(phrases::evidence(finding)),
        Cell::Text(finding.requirements.join("; ")),
        Cell::text(finding.suppression.as_ref().map(|it| it.reason.as_str())),
        Cell::time(finding.due_at),
        Cell::Time(finding.as_of),
        Cell::Text(source),
    ]
}

/// The flags of a report keep their names.
const PASSWORD_ENABLED: &str = report::Column::Flag(FlagColumn::PasswordEnabled).name();
const MFA_ACTIVE: &str = report::Column::Flag(FlagColumn::MfaActive).name();

const USER: [Column; 13] = [
    ("account", 15),
    ("account_name", 18),
    ("user", 24),
    ("path", 18),
    ("created", 20),
    ("age_days", 10),
    ("last_used", 20),
    ("idle_days", 10),
    (PASSWORD_ENABLED, 18),
    (MFA_ACTIVE, 12),
    ("owner", 20),
    ("findings", 10),
    ("severity", 14),
];

const KEY: [Column; 15] = [
    ("account", 15),
    ("account_name", 18),
    ("user", 24),
    ("credential", 15),
    ("access_key_id", 22),
    ("active", 10),
    ("created", 20),
    ("age_days", 10),
    ("last_used", 20),
    ("idle_days", 10),
    ("last_used_region", 16),
    ("last_used_service", 18),
    ("owner", 20),
    ("findings", 10),
    ("severity", 14),
];

fn item(item: &ListItem, is_key: bool) -> Vec<Cell> {
    let mut cells = vec![
        Cell::text(item.account.as_deref()),
        Cell::text(item.account_name.as_deref()),
        Cell::text(item.user.as_deref()),
    ];
    let times = [
        Cell::time(item.created),
        Cell::count(item.age_days),
        Cell::time(item.last_used),
        Cell::count(item.idle_days),
    ];
    if is_key {
        cells.push(Cell::text(item.credential.map(Credential::name)));
        cells.push(Cell::text(item.access_key_id.as_deref()));
        cells.push(Cell::flag(item.active));
        cells.extend(times);
        cells.push(Cell::text(item.last_used_region.as_deref()));
        cells.push(Cell::text(item.last_used_service.as_deref()));
    } else {
        cells.push(Cell::text(item.path.as_deref()));
        cells.extend(times);
        cells.push(Cell::flag(item.password_enabled));
        cells.push(Cell::flag(item.mfa_active));
    }
    cells.push(Cell::text(item.owner.as_deref()));
    cells.push(Cell::Count(item.findings));
    cells.push(Cell::text(item.severity.map(crate::finding::Severity::name)));
    cells
}

const REQUIREMENT: [Column; 10] = [
    ("requirement", 24),
    ("title", 60),
    ("decided", 10),
    ("status", 16),
    ("passed", 10),
    ("failed", 10),
    ("undetermined", 14),
    ("accounts_passing", 16),
    ("accounts_failing", 16),
    ("note", 40),
];

fn of_requirement(framework: &FrameworkTally, requirement: &RequirementTally) -> Vec<Cell> {
    let is_decided = requirement.decided != Decided::No;
    let count = |count: u64| {
        if is_decided {
            Cell::Count(count)
        } else {
            Cell::Nothing
        }
    };
    let accounts = requirement.accounts.unwrap_or_default();
    vec![
        Cell::Text(format!("{}/{}", framework.framework, requirement.id)),
        Cell::word(&requirement.title),
        Cell::Text(requirement.decided.to_string()),
        Cell::Text(requirement.outcome.to_string()),
        count(requirement.passed),
        count(requirement.failed),
        count(requirement.undetermined),
        count(accounts.passing),
        count(accounts.failing),
        Cell::text(compliance::note(requirement).as_deref()),
    ]
}
