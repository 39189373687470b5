//! `table`: the first items for people at a terminal, with as many columns as fit.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

use super::ListColumn as C;
use super::{ItemWriter, ListColumn, ListKind, ListView};
use crate::finding::{Code, Diagnostic, ListItem};
use crate::output::format::{FormatSpec, Readers};
use crate::output::phrases::{self, counted};
use crate::output::scan;
use crate::output::terminal::{
    self, Align, DIM, GAP, TextCell, TextTable, cut, join_sections, severity_style,
};
use crate::report::escape::escape;
use crate::report::schema::Credential;
use crate::report::time::Timestamp;

pub(super) const FORMAT: FormatSpec<ItemWriter> = FormatSpec::new(
    "table",
    "as many columns as fit",
    Readers::Terminal,
    ItemWriter::Render(render),
);

/// The rank of what there is seldom room for.
const LAST: u8 = 20;
/// Where there is no room for all, words are wrapped to this before other columns are left out.
const WORDS: usize = 24;
/// Of longer words, as tags may have, the rest is cut: one item must not fill the screen.
const LONGEST: usize = 3 * WORDS;
/// How many diagnostics are shown.
const DIAGNOSTICS: usize = 5;

/// A cell, and its style.
type Shown = (String, Style);

/// What is shown of an item in one column.
struct Column {
    /// The column that it shows: a list that is sorted by it always has it.
    shows: ListColumn,
    head: &'static str,
    align: Align,
    /// The lower, the longer it stays where there is no room for all; those of 0 always stay.
    rank: u8,
    cell: fn(&ListItem) -> Shown,
}

const fn column(
    shows: ListColumn,
    head: &'static str,
    (align, rank): (Align, u8),
    cell: fn(&ListItem) -> Shown,
) -> Column {
    Column {
        shows,
        head,
        align,
        rank,
        cell,
    }
}

/// All columns, in order. Those that say nothing about the items are left out.
const COLUMNS: [Column; 20] = [
    column(C::Account, "account", (Align::Name, 0), |item| {
        name(item.account.as_deref())
    }),
    column(C::AccountName, "account name", (Align::Wrapped, 9), |item| {
        words(item.account_name.as_deref())
    }),
    column(C::User, "user", (Align::Wrapped, 0), user),
    column(C::Credential, "credential", (Align::Left, 0), |item| {
        plain(item.credential.map_or("", Credential::name))
    }),
    column(C::AccessKeyId, "access key id", (Align::Name, 8), |item| {
        name(item.access_key_id.as_deref())
    }),
    column(
        C::AccessKeyDescription,
        "description",
        (Align::Wrapped, 7),
        |item| words(item.access_key_description.as_deref()),
    ),
    column(C::Path, "path", (Align::Wrapped, 10), |item| {
        words(item.path.as_deref())
    }),
    column(C::Owner, "owner", (Align::Wrapped, 3), |item| {
        words(item.owner.as_deref())
    }),
    column(C::Active, "active", (Align::Left, 4), |item| flag(item.active)),
    column(C::PasswordEnabled, "password", (Align::Left, 6), |item| {
        flag(item.password_enabled)
    }),
    column(C::MfaActive, "mfa", (Align::Left, 5), |item| {
        flag(item.mfa_active)
    }),
    column(C::AgeDays, "age", (Align::Right, 1), |item| {
        days(item.age_days, "unknown")
    }),
    column(C::IdleDays, "idle", (Align::Right, 2), |item| {
        days(item.idle_days, if item.never_used { "never" } else { "unknown" })
    }),
    column(C::Created, "created", (Align::Left, 11), |item| day(item.created)),
    column(C::LastUsed, "last used", (Align::Left, 12), |item| {
        day(item.last_used)
    }),
    column(C::LastUsedService, "service", (Align::Left, 13), |item| {
        name(item.last_used_service.as_deref())
    }),
    column(C::LastUsedRegion, "region", (Align::Left, 14), |item| {
        name(item.last_used_region.as_deref())
    }),
    column(C::DueAt, "due", (Align::Left, 3), |item| day(item.due_at)),
    column(C::Findings, "findings", (Align::Right, 7), |item| {
        plain(phrases::number(item.findings))
    }),
    column(C::Severity, "severity", (Align::Left, 3), severity),
];

fn render(view: &ListView<'_>) -> String {
    let listed: Vec<Diagnostic> = view
        .tally
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code != Code::NotListed)
        .cloned()
        .collect();
    join_sections(vec![
        scan::inputs_section(view.tally, view.options),
        items(view),
        terminal::diagnostics(&listed, DIAGNOSTICS, view.options),
        ending(view),
    ])
}

fn items(view: &ListView<'_>) -> String {
    if view.shown.is_empty() {
        return String::new();
    }
    let columns = chosen(view);
    let heads: Vec<_> = columns.iter().map(|column| (column.head, column.align)).collect();
    let mut table = TextTable::with_heads(&heads);
    for item in view.shown {
        let cells = columns.iter().map(|column| (column.cell)(item));
        table.row(cells.map(|(text, style)| TextCell::styled(text, style)));
    }
    let mut out = table.render(view.options);
    let listed = view.counts.listed;
    let hidden = listed.saturating_sub(view.shown.len() as u64);
    if let Some(more) = phrases::more(hidden, view.request.kind.singular(), listed) {
        out.push_str(&view.options.paragraph(Style::new(), &more));
    }
    out
}

/// The columns that say something and fit, in order: where there is no room for all, those of the highest rank are left
/// out rather than names cut.
fn chosen(view: &ListView<'_>) -> Vec<&'static Column> {
    let columns = COLUMNS.iter().filter(|column| says_something(column, view));
    // What is long is wrapped before it takes the place of everything else.
    let most = |column: &Column| {
        if column.shows == C::User {
            view.options.width / 2
        } else {
            WORDS
        }
    };
    let width = |column: &Column| {
        let cells = view.shown.iter().map(|item| (column.cell)(item).0.width());
        let widest = cells.max().unwrap_or(0).max(column.head.width());
        if column.align == Align::Wrapped {
            widest.min(most(column))
        } else {
            widest
        }
    };
    let mut columns: Vec<(&Column, usize)> = columns.map(|column| (column, width(column))).collect();
    let total = |columns: &[(&Column, usize)]| {
        let widths: usize = columns.iter().map(|(_, width)| width + GAP).sum();
        widths.saturating_sub(GAP)
    };
    while total(&columns) > view.options.width {
        let ranks = columns.iter().map(|(column, _)| rank(column, view)).enumerate();
        match ranks.max_by_key(|&(_, rank)| rank) {
            Some((last, 1..)) => columns.remove(last),
            Some(_) | None => break,
        };
    }
    columns.into_iter().map(|(column, _)| column).collect()
}

/// Whether a column says something about the items.
fn says_something(column: &Column, view: &ListView<'_>) -> bool {
    let (shows, kind) = (column.shows, view.request.kind);
    let any = |says: &dyn Fn(&ListItem) -> bool| view.shown.iter().any(says);
    if shows == C::Account {
        view.counts.accounts.are_several && any(&|item| item.account.is_some())
    } else if shows == C::Credential {
        kind != ListKind::Users
    } else if shows == C::IdleDays {
        kind != ListKind::Certificates
    } else if shows == C::Path {
        any(&|item| !matches!(item.path.as_deref(), None | Some("/")))
    } else {
        column.rank == 0 || any(&|item| !(column.cell)(item).0.is_empty())
    }
}

/// Whether only the account's name says which of several accounts an item is of.
fn is_named_only(item: &ListItem) -> bool {
    item.account.is_none() && item.account_name.is_some()
}

/// The rank of a column in this list. Whether the owner of a key can sign in matters less than the key's use.
fn rank(column: &Column, view: &ListView<'_>) -> u8 {
    let shows = column.shows;
    let is_sorted_by = view.request.sort.is_some_and(|order| order.column() == shows);
    let is_of_owner =
        view.request.kind != ListKind::Users && [C::PasswordEnabled, C::MfaActive].contains(&shows);
    let says_the_account =
        shows == C::AccountName && view.counts.accounts.are_several && view.shown.iter().any(is_named_only);
    if is_sorted_by || says_the_account {
        0
    } else if is_of_owner {
        LAST
    } else {
        column.rank
    }
}

/// `12 users`, and what they were chosen by.
fn ending(view: &ListView<'_>) -> String {
    let inputs = view.tally.evaluated_inputs();
    if inputs.iter().all(|input| input.users == Some(0)) {
        return view.options.paragraph(Style::new(), "nothing was evaluated");
    }
    if !view.counts.determined {
        return view
            .options
            .paragraph(Style::new(), "nothing could be determined");
    }
    let what = view.request.kind.singular();
    let line = match (view.counts.listed, view.request.condition.is_some()) {
        (0, false) => format!("no {what} is listed"),
        (0, true) => format!("no {what} matches --where"),
        (1, true) => format!("1 {what} matches --where"),
        (listed, true) => format!("{} match --where", counted(listed, what)),
        (listed, false) => counted(listed, what),
    };
    view.options.paragraph(Style::new(), &line)
}

fn plain(text: impl Into<String>) -> Shown {
    (text.into(), Style::new())
}

/// Text from a report.
fn name(text: Option<&str>) -> Shown {
    plain(escape(text.unwrap_or_default()))
}

/// Text from a report, or about it, of any length.
fn words(text: Option<&str>) -> Shown {
    plain(cut(&escape(text.unwrap_or_default()), LONGEST))
}

fn user(item: &ListItem) -> Shown {
    let name = item.user.as_deref().or(item.arn.as_deref());
    plain(name.map_or("a user without a name".into(), escape))
}

fn flag(flag: Option<bool>) -> Shown {
    match flag {
        Some(true) => plain("yes"),
        Some(false) => plain("no"),
        None => ("unknown".to_owned(), DIM),
    }
}

/// Days gone by, or why there are none.
fn days(days: Option<u64>, otherwise: &str) -> Shown {
    match days {
        Some(days) => plain(format!("{}d", phrases::number(days))),
        None => (otherwise.to_owned(), DIM),
    }
}

fn day(time: Option<Timestamp>) -> Shown {
    let time = time.map(|time| time.to_string());
    plain(time.map_or(String::new(), |time| time.chars().take(10).collect()))
}

fn severity(item: &ListItem) -> Shown {
    match item.severity {
        Some(severity) => (severity.name().to_owned(), severity_style(severity)),
        None => plain(""),
    }
}
