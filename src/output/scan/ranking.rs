//! Rankings of accounts, users, rules, paths or owners: a section of the formats for people, and a table of its own in CSV.

use anstyle::Style;

use super::ScanView;
use crate::finding::{RankBy, RankEntry, Ranking, Severity};
use crate::output::csv_text::write_record;
use crate::output::html_text::Html;
use crate::output::markdown_text::{Markdown, code, plain};
use crate::output::phrases::{self, capitalised, number};
use crate::output::terminal::{Align, BOLD, DIM, TextCell, TextTable, severity_style};
use crate::report::escape::escape;

/// How many accounts are shown where no ranking is asked for.
const ACCOUNTS: usize = 10;

/// The entries that are shown, and how many there are.
struct Shown<'a> {
    by: RankBy,
    entries: &'a [RankEntry],
    all: usize,
}

impl<'a> Shown<'a> {
    /// The ranking that is asked for; else that of accounts, where there are several.
    fn of(view: &ScanView<'a>) -> Option<Self> {
        Self::up_to([view.options.limit, view.options.most(ACCOUNTS)], view)
    }

    /// The same with at most so many entries: where a ranking is asked for, and else.
    fn up_to([asked, unasked]: [usize; 2], view: &ScanView<'a>) -> Option<Self> {
        let (by, entries, most) = match &view.tally.ranking {
            Some(Ranking { by, entries }) => (*by, entries, asked),
            None => (RankBy::Account, &view.tally.accounts, unasked),
        };
        // Rules that found nothing come last, and are counted elsewhere.
        let found = |it: &&RankEntry| by != RankBy::Rule || it.found_something();
        let all = entries.iter().take_while(found).count();
        (all > 0).then(|| Self {
            by,
            entries: &entries[..all.min(most)],
            all,
        })
    }

    /// `accounts, worst first`
    fn title(&self) -> String {
        format!("{}s, worst first", self.by.name())
    }

    fn more(&self) -> Option<String> {
        let hidden = (self.all - self.entries.len()) as u64;
        phrases::more(hidden, self.by.name(), self.all as u64)
    }

    fn has(&self, is: impl Fn(&RankEntry) -> bool) -> bool {
        self.entries.iter().any(is)
    }

    /// The columns that say what an entry is.
    fn names(&self) -> Vec<Name> {
        let account: [Name; 2] = [
            ("account", Align::Whole, |entry| {
                let id = entry.account.as_deref();
                id.unwrap_or(if entry.account_name.is_some() {
                    ""
                } else {
                    phrases::NO_ACCOUNT
                })
                .to_owned()
            }),
            (ACCOUNT_NAME_HEAD, Align::Wrapped, |entry| {
                entry.account_name.clone().unwrap_or_default()
            }),
        ];
        let has_names = self.has(|entry| entry.account_name.is_some());
        let account = &account[..=usize::from(has_names)];
        match self.by {
            RankBy::Account => account.to_vec(),
            RankBy::User => {
                let user: Name = ("user", Align::Wrapped, |entry| {
                    let user = entry.user.as_deref();
                    user.unwrap_or("a user without a name").to_owned()
                });
                let mut names = vec![user];
                if self.has(|entry| entry.account != self.entries[0].account) {
                    names.extend(account);
                }
                names
            }
            RankBy::Rule => {
                let severity: Name = ("severity", Align::Left, |entry| {
                    entry.severity.map_or("", Severity::name).to_owned()
                });
                vec![severity, ("rule", Align::Wrapped, rule_name)]
            }
            RankBy::Owner => vec![("owner", Align::Wrapped, |entry| {
                entry.owner.as_deref().unwrap_or(phrases::NO_OWNER).to_owned()
            })],
            RankBy::Path => vec![("path", Align::Wrapped, |entry| {
                entry.path.as_deref().unwrap_or(phrases::NO_PATH).to_owned()
            })],
        }
    }

    /// The columns of counts that are not all zero.
    fn counts(&self) -> Vec<Count> {
        let severities: [Count; Severity::ALL.len()] = [
            ("critical", Some(Severity::Critical), |entry| entry.critical),
            ("high", Some(Severity::High), |entry| entry.high),
            ("medium", Some(Severity::Medium), |entry| entry.medium),
            ("low", Some(Severity::Low), |entry| entry.low),
            ("informational", Some(Severity::Informational), |entry| {
                entry.informational
            }),
        ];
        let others: [Count; 3] = [
            ("undetermined", None, |entry| entry.undetermined),
            ("suppressed", None, |entry| entry.suppressed),
            ("due", None, |entry| entry.due.unwrap_or(0)),
        ];
        let failed: [Count; 1] = [("failed", None, |entry| entry.failed)];
        let fails = if self.by == RankBy::Rule {
            &failed[..]
        } else {
            &severities[..]
        };
        let counts = fails.iter().copied().chain(others);
        counts
            .filter(|(_, _, count)| self.has(|it| count(it) > 0))
            .collect()
    }

    /// The head of the column that says how many users fail; none where each entry is a user.
    fn users_head(&self) -> Option<&'static str> {
        (self.by != RankBy::User).then_some("failing users")
    }

    /// The table for a terminal: with the names of accounts, or where the account's id is enough without; with the heads
    /// of counts in full, or short.
    fn table(&self, has_names: bool, is_short: bool) -> TextTable {
        let is_needed = self.by == RankBy::Account || self.has(|entry| entry.account.is_none());
        let mut names = self.names();
        names.retain(|&(head, ..)| has_names || is_needed || head != ACCOUNT_NAME_HEAD);
        let counts = self.counts();
        let heads = counts.iter().map(|&(head, ..)| head).chain(self.users_head());
        let heads = heads.map(|head| if is_short { short(head) } else { head });
        let mut columns: Vec<(&str, Align)> = names.iter().map(|&(head, align, _)| (head, align)).collect();
        columns.extend(heads.map(|head| (head, Align::Right)));
        let mut table = TextTable::with_heads(&columns);
        for entry in self.entries {
            let names = names.iter().map(|(head, _, name)| {
                let style = entry.severity.filter(|_| *head == "severity");
                let text = escape(&name(entry)).into_owned();
                TextCell::styled(text, style.map_or(Style::new(), severity_style))
            });
            let counts = counts.iter().map(|(_, severity, count)| {
                let style = match (count(entry), severity) {
                    (0, _) => DIM,
                    (_, Some(severity)) => severity_style(*severity),
                    (_, None) => Style::new(),
                };
                TextCell::styled(number(count(entry)), style)
            });
            let users = self.users(entry).map(TextCell::new);
            table.row(names.chain(counts).chain(users));
        }
        table
    }

    /// `3 of 40`
    fn users(&self, entry: &RankEntry) -> Option<String> {
        let of_all = format!("{} of {}", number(entry.failing_users), number(entry.users));
        self.users_head().map(|_| of_all)
    }
}

/// The head of the column of account names.
const ACCOUNT_NAME_HEAD: &str = "name";

/// The head of a column of counts where there is little room.
fn short(head: &'static str) -> &'static str {
    match head {
        "informational" => "info",
        "undetermined" => "undet.",
        "suppressed" => "suppr.",
        "failing users" => "failing",
        head => head,
    }
}

fn rule_name(entry: &RankEntry) -> String {
    match (&entry.rule, &entry.parameters) {
        (Some(id), Some(parameters)) => phrases::rule(id, parameters),
        _ => String::new(),
    }
}

/// A column of names: its head, its alignment, and its text, not escaped yet.
type Name = (&'static str, Align, fn(&RankEntry) -> String);

/// A column of counts: its head, the severity whose colour it has, and what it counts.
type Count = (&'static str, Option<Severity>, fn(&RankEntry) -> u64);

/// Whether the ranking that is asked for shows what the table of rules would.
pub(super) fn is_of_rules(view: &ScanView<'_>) -> bool {
    let ranking = view.tally.ranking.as_ref();
    ranking.is_some_and(|ranking| ranking.by == RankBy::Rule)
}

/// The section for a terminal; empty where there is nothing to rank.
pub(super) fn text(view: &ScanView<'_>) -> String {
    let Some(shown) = Shown::of(view) else {
        return String::new();
    };
    // Where there is no room for all, the account's name is left out before the heads of counts are shortened.
    let layouts = [(true, false), (false, false), (false, true)];
    let mut tables = layouts.map(|(has_names, is_short)| shown.table(has_names, is_short));
    let fitting = tables.iter().position(|table| table.fits(view.options.width));
    let table = &mut tables[fitting.unwrap_or(layouts.len() - 1)];
    table.more(shown.more());
    let title = view.options.paint(BOLD, shown.title());
    format!("{title}\n{}", table.render(view.options))
}

/// The section as Markdown.
pub(super) fn markdown(view: &ScanView<'_>, out: &mut Markdown) {
    let Some(shown) = Shown::of(view) else {
        return;
    };
    let (names, counts) = (shown.names(), shown.counts());
    out.heading(&plain(&capitalised(&shown.title())));
    let heads = |heads: Vec<&str>| heads.into_iter().map(capitalised).collect::<Vec<_>>();
    let words = heads(names.iter().map(|(head, ..)| *head).collect());
    let numbers = counts.iter().map(|(head, ..)| *head).chain(shown.users_head());
    let numbers = heads(numbers.collect());
    let rows = shown.entries.iter().map(|entry| {
        let names = names.iter().map(|(_, _, name)| match name(entry) {
            name if name.is_empty() => name,
            // Not a name.
            name if shown.by == RankBy::Owner && entry.owner.is_none() => plain(&name),
            name => code(&name),
        });
        let counts = counts.iter().map(|(_, _, count)| number(count(entry)));
        names.chain(counts).chain(shown.users(entry)).collect()
    });
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    out.table(&words, &numbers, rows);
    out.more(shown.more());
}

/// The section of a page, with at most so many entries.
pub(super) fn html(most: usize, view: &ScanView<'_>, out: &mut Html) {
    let Some(shown) = Shown::up_to([most; 2], view) else {
        return;
    };
    let (names, counts) = (shown.names(), shown.counts());
    let title = capitalised(&shown.title());
    out.section("ranking", &title);
    let words: Vec<String> = names.iter().map(|(head, ..)| capitalised(head)).collect();
    let numbers = counts.iter().map(|(head, ..)| *head).chain(shown.users_head());
    let numbers: Vec<String> = numbers.map(capitalised).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    out.table(&title, &words, &numbers);
    for entry in shown.entries {
        out.markup("<tr>");
        for (head, _, name) in &names {
            if *head == "severity" {
                out.marked(&name(entry));
            } else {
                out.classed("td", "name", &name(entry));
            }
        }
        for (_, _, count) in &counts {
            out.number(count(entry));
        }
        if let Some(users) = shown.users(entry) {
            out.classed("td", "number", &users);
        }
        out.markup("</tr>\n");
    }
    out.end_table();
    if let Some(more) = shown.more() {
        out.note(&more);
    }
    out.markup("</section>\n");
}

/// The ranking as CSV, all of it, with the columns of what it is of.
pub(super) fn csv(view: &ScanView<'_>) -> String {
    let Some(ranking) = &view.tally.ranking else {
        return String::new();
    };
    let names: &[NamedCell] = match ranking.by {
        RankBy::Account => &[ACCOUNT, ACCOUNT_NAME],
        RankBy::User => &[USER, ACCOUNT, ACCOUNT_NAME],
        RankBy::Rule => &[RULE, PARAMETERS, SEVERITY],
        RankBy::Path => &[PATH],
        RankBy::Owner => &[OWNER],
    };
    let heads = ["rank"].into_iter().chain(names.iter().map(|(head, _)| *head));
    let heads = heads.chain(COUNTS.map(|(head, _)| head)).map(str::to_owned);
    let mut out = Vec::new();
    write_record(heads, &mut out);
    for (rank, entry) in (1_u64..).zip(&ranking.entries) {
        let names = names.iter().map(|(_, cell)| cell(entry).unwrap_or_default());
        let counts = COUNTS.map(|(_, count)| count(entry).to_string());
        let cells = [rank.to_string()].into_iter().chain(names).chain(counts);
        write_record(cells, &mut out);
    }
    String::from_utf8(out).expect("invariant: cells are text")
}

/// A column of CSV: its head and its cell.
type NamedCell = (&'static str, fn(&RankEntry) -> Option<String>);

const ACCOUNT: NamedCell = ("account", |entry| entry.account.clone());
const ACCOUNT_NAME: NamedCell = ("account_name", |entry| entry.account_name.clone());
const USER: NamedCell = ("user", |entry| entry.user.clone());
const RULE: NamedCell = ("rule", |entry| entry.rule.clone());
const SEVERITY: NamedCell = ("severity", |entry| Some(entry.severity?.to_string()));
const OWNER: NamedCell = ("owner", |entry| entry.owner.clone());
const PATH: NamedCell = ("path", |entry| entry.path.clone());
const PARAMETERS: NamedCell = ("parameters", |entry| {
    Some(phrases::parameters(entry.parameters.as_ref()?))
});

type CountOf = fn(&RankEntry) -> u64;

/// The columns of counts in CSV.
const COUNTS: [(&str, CountOf); 12] = [
    ("critical", |entry| entry.critical),
    ("high", |entry| entry.high),
    ("medium", |entry| entry.medium),
    ("low", |entry| entry.low),
    ("informational", |entry| entry.informational),
    ("failed", |entry| entry.failed),
    ("undetermined", |entry| entry.undetermined),
    ("suppressed", |entry| entry.suppressed),
    ("passed", |entry| entry.passed),
    ("due", |entry| entry.due.unwrap_or(0)),
    ("failing_users", |entry| entry.failing_users),
    ("users", |entry| entry.users),
];
