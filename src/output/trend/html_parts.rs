//! Parts of the page of a trend: what it is about, the ranking of accounts, and what is to be known about the data.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::html::html_account;
use super::phrases;
use super::series::Series;
use crate::finding::{Code, Diagnostic, Level, Severity};
use crate::history::trend::TrendDocument;
use crate::output::DisplayOptions;
use crate::output::html_text::escape_html;
use crate::output::phrases::{counted, number};

/// Messages of one kind at most.
const MESSAGES: usize = 20;

/// Which snapshots of which accounts, and when the page was made.
pub(super) fn about(document: &TrendDocument, options: DisplayOptions) -> String {
    let points = &document.snapshots;
    let mut accounts: Vec<(&str, Option<&str>)> = Vec::new();
    for point in points {
        if let Some(id) = point.account.as_deref()
            && accounts.iter().all(|(known, _)| *known != id)
        {
            accounts.push((id, point.account_name.as_deref()));
        }
    }
    let most = points.iter().map(|point| point.accounts).max().unwrap_or(0);
    let of = match accounts.as_slice() {
        [(id, name)] if most <= 1 => format!(" of account {}", html_account(Some(id), *name)),
        [] | [_] => format!(" of {}", counted(most, "account")),
        several => format!(" of {}", counted(several.len() as u64, "account")),
    };
    let made = options.now.map_or_else(String::new, |now| {
        format!("; made {now} by credlens {}", env!("CARGO_PKG_VERSION"))
    });
    format!("{}{of}{made}", escape_html(&phrases::span(document)))
}

/// The id of an account's heading.
pub(super) fn anchor(number: usize) -> String {
    format!("account-{}", number + 1)
}

/// The accounts, worst first, each with a link to its charts; nothing for one.
pub(super) fn ranking(all: &[Series<'_>], limit: usize) -> String {
    let mut out = String::new();
    if all.len() < 2 {
        return out;
    }
    let severities: Vec<Severity> = Severity::ALL
        .into_iter()
        .rev()
        .filter(|severity| all.iter().any(|one| one.severities().contains(severity)))
        .collect();
    let mut ranked: Vec<(usize, &Series<'_>)> = all.iter().enumerate().collect();
    ranked.sort_by_key(|(number, one)| {
        let counts: Vec<u64> = severities
            .iter()
            .map(|severity| failing(one, *severity))
            .collect();
        (std::cmp::Reverse(counts), *number)
    });
    let heads: Vec<String> = severities
        .iter()
        .map(|severity| format!("<th class=\"number\">{severity}</th>"))
        .collect();
    let heads = heads.concat();
    add(
        &mut out,
        format_args!(
            "<h2>Accounts, worst first</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>account</th>{heads}\
             <th class=\"number\">all, at first</th><th class=\"number\">all, now</th><th class=\"number\">keys over 90 days</th>\
             <th>newest report</th></tr></thead>\n<tbody>\n"
        ),
    );
    for (number, one) in ranked {
        row(&mut out, (number, one), &severities, number < limit);
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn row(out: &mut String, (position, one): (usize, &Series<'_>), severities: &[Severity], is_shown: bool) {
    let name = html_account(one.account, one.name);
    let name = if is_shown {
        format!("<a href=\"#{}\">{name}</a>", anchor(position))
    } else {
        name
    };
    let counts: Vec<String> = severities
        .iter()
        .map(|severity| format!("<td class=\"number\">{}</td>", number(failing(one, *severity))))
        .collect();
    let counts = counts.concat();
    let all = |point: Option<&&crate::history::trend::Point>| -> u64 {
        point.map_or(0, |point| point.by_severity.values().sum())
    };
    let last = one.points.last();
    let keys = last.and_then(|point| point.keys_over_90_days);
    add(
        out,
        format_args!(
            "<tr><td class=\"name\">{name}</td>{counts}<td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td>{}</td></tr>\n",
            number(all(one.points.first())),
            number(all(last)),
            keys.map_or_else(|| "–".to_owned(), number),
            last.map_or("", |point| phrases::day(&point.as_of)),
        ),
    );
}

/// Failing findings at the last snapshot.
fn failing(one: &Series<'_>, severity: Severity) -> u64 {
    let last = one.points.last();
    last.and_then(|point| point.by_severity.get(&severity).copied())
        .unwrap_or(0)
}

/// What is to be known about the data, by kind: what it means and what to do, with the messages behind it.
pub(super) fn diagnostics(document: &TrendDocument) -> String {
    let mut kinds: BTreeMap<(std::cmp::Reverse<Level>, Code), Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in &document.diagnostics {
        let kind = (std::cmp::Reverse(diagnostic.level), diagnostic.code);
        kinds.entry(kind).or_default().push(diagnostic);
    }
    let mut out = String::new();
    if kinds.is_empty() {
        return out;
    }
    out.push_str("<h2>How far the data can be trusted</h2>\n");
    for ((_, code), all) in kinds {
        let times = counted(all.len() as u64, "time");
        add(
            &mut out,
            format_args!(
                "<details><summary>{} <span class=\"soft\">({times})</span></summary>\n<p>{}</p>\n<ul>\n",
                escape_html(code.meaning()),
                escape_html(code.help())
            ),
        );
        for diagnostic in all.iter().take(MESSAGES) {
            let path = diagnostic
                .path
                .as_deref()
                .map_or_else(String::new, |path| format!("{path}: "));
            let text = escape_html(&format!("{path}{}", diagnostic.message));
            add(&mut out, format_args!("<li>{text}</li>\n"));
        }
        if let Some(more) = all.len().checked_sub(MESSAGES).filter(|more| *more > 0) {
            add(
                &mut out,
                format_args!("<li>and {} more</li>\n", number(more as u64)),
            );
        }
        out.push_str("</ul></details>\n");
    }
    out
}

fn add(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("invariant: a string takes all");
}
