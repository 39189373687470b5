//! `html`: one page with charts. It fetches nothing and runs nothing, and no text of a report is markup.

use std::fmt::Write as _;

use super::charts::{Curve, Layer, bars, key_ages, lines, stacked, times_to_resolve};
use super::html_parts;
use super::series::{Figure, FigureUnit, Series, series};
use super::{TrendWriter, phrases};
use crate::history::trend::{Point, RuleTrend, TrendDocument};
use crate::output::DisplayOptions;
use crate::output::format::{FormatSpec, Readers};
use crate::output::html_text::{self, escape_html, page_start};
use crate::output::phrases::{counted, rule};

pub(super) const FORMAT: FormatSpec<TrendWriter> = FormatSpec::new(
    "html",
    "one page with charts",
    Readers::Program,
    |document, options| render(document, options).into_bytes(),
);

const STYLE: &str = include_str!("style.css");
/// Rules in the chart of times at most.
const TIMES: usize = 15;

fn render(document: &TrendDocument, options: DisplayOptions) -> String {
    let style = [html_text::STYLE, STYLE].concat();
    let mut page = Page(page_start("IAM credential reports: trend", &style, None));
    page.line(format_args!("<h1>IAM credential reports: trend</h1>"));
    page.line(format_args!(
        "<p class=\"soft\">{}</p>",
        html_parts::about(document, options)
    ));
    let all = series(document);
    page.0.push_str(&html_parts::ranking(&all, options.limit));
    for (number, one) in all.iter().enumerate().take(options.limit) {
        page.section((number, one), document, all.len() == 1);
    }
    if all.len() > options.limit {
        let more = counted((all.len() - options.limit) as u64, "more account");
        page.line(format_args!("<p class=\"soft\">and {more}</p>"));
    }
    if all.len() > 1 {
        page.line(format_args!(
            "<h2>How long findings last</h2>\n<div class=\"charts\">"
        ));
        page.times(document);
        page.line(format_args!("</div>"));
    }
    page.notes(document);
    page.rules(document);
    page.oldest(document, options.limit);
    page.0.push_str(&html_parts::diagnostics(document));
    page.0.push_str("</body>\n</html>\n");
    page.0
}

/// An account with its name, as far as they are known.
pub(super) fn html_account(id: Option<&str>, name: Option<&str>) -> String {
    let id = escape_html(id.unwrap_or(""));
    name.map_or_else(|| id.clone(), |name| format!("{id} ({})", escape_html(name)))
}

struct Page(String);

impl Page {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("invariant: a string takes all");
        self.0.push('\n');
    }

    /// Cards and charts of one series; `of_all`: of all accounts together.
    fn section(&mut self, (number, series): (usize, &Series<'_>), document: &TrendDocument, of_all: bool) {
        if let Some(account) = series.account {
            self.line(format_args!(
                "<h2 id=\"{}\">Account {}</h2>",
                html_parts::anchor(number),
                html_account(Some(account), series.name)
            ));
            self.line(format_args!(
                "<p class=\"soft\">{}</p>",
                escape_html(&phrases::reports(series))
            ));
        }
        let figures = series.figures();
        self.cards(&figures);
        let is_one = series.points.len() == 1;
        if is_one {
            self.line(format_args!(
                "<p>There is one snapshot: what changes over time needs at least two.</p>"
            ));
        }
        self.line(format_args!("<div class=\"charts\">"));
        if !is_one {
            self.severities(series);
            self.moved(series);
            self.coverage(series);
            self.key_age(series);
            self.old_keys(series);
        }
        self.ages(series);
        if of_all {
            self.times(document);
        }
        self.line(format_args!("</div>"));
    }

    fn cards(&mut self, figures: &[Figure]) {
        self.line(format_args!("<div class=\"cards\">"));
        for figure in figures.iter().filter(|figure| is_card(&figure.name)) {
            let [first, last] = figure.ends();
            let moved = first.zip(last).and_then(|(first, last)| first.partial_cmp(&last));
            let class = match (moved, figure.unit) {
                (Some(std::cmp::Ordering::Less), FigureUnit::Percent)
                | (Some(std::cmp::Ordering::Greater), FigureUnit::Count) => "better",
                (Some(std::cmp::Ordering::Equal) | None, _) => "same",
                (Some(std::cmp::Ordering::Less | std::cmp::Ordering::Greater), _) => "worse",
            };
            let class = if is_neutral(&figure.name) { "same" } else { class };
            let before = if figure.values.len() > 1 {
                format!(" <i class=\"{class}\">was {}</i>", figure.text(first))
            } else {
                String::new()
            };
            self.line(format_args!(
                "<div><b>{}</b><span>{}{before}</span></div>",
                figure.text(last),
                escape_html(&figure.name)
            ));
        }
        self.line(format_args!("</div>"));
    }

    fn figure(&mut self, title: &str, keys: &[(&str, &str)], chart: &str) {
        let keys: Vec<String> = keys
            .iter()
            .map(|(class, name)| format!("<span class=\"key {class}\">{}</span>", escape_html(name)))
            .collect();
        let title = escape_html(title);
        self.line(format_args!(
            "<figure class=\"{}\"><figcaption><strong>{title}</strong>{}</figcaption>\n{chart}</figure>",
            if title.contains("by rule") {
                "by-rule"
            } else {
                "over-time"
            },
            keys.concat()
        ));
    }

    fn severities(&mut self, series: &Series<'_>) {
        let title = "Failing findings by severity";
        let severities = series.severities();
        let layer = |severity: &crate::finding::Severity| {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 findings")]
            let values = series
                .points
                .iter()
                .map(|point| point.by_severity.get(severity).copied().unwrap_or(0) as f64)
                .collect();
            Layer {
                name: severity.name(),
                values,
            }
        };
        let layers: Vec<Layer> = severities.iter().map(layer).collect();
        let mut keys: Vec<_> = severities
            .iter()
            .map(|severity| (severity.name(), severity.name()))
            .collect();
        let chart = stacked(title, &series.points, &layers);
        if series.has_unveiled() {
            keys.push(("unveiled", "findings unveiled"));
        }
        self.figure(title, &keys, &chart);
    }

    fn coverage(&mut self, series: &Series<'_>) {
        let title = "Console users with MFA";
        let values = series
            .points
            .iter()
            .map(|point| point.mfa_coverage.map(|share| share * 100.0));
        let curve = Curve {
            name: "with MFA",
            class: "last",
            values: values.collect(),
        };
        let chart = lines(title, &series.points, &[curve], (" %", Some(100.0)));
        self.figure(title, &[], &chart);
    }

    fn moved(&mut self, series: &Series<'_>) {
        let title = "Findings opened and resolved";
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 findings")]
        let layer = |name: &'static str, of: fn(&Point) -> u64| Layer {
            name,
            values: series.points.iter().map(|point| of(point) as f64).collect(),
        };
        let layers = [
            layer("opened", |point| point.opened),
            layer("resolved", |point| point.resolved),
        ];
        let chart = bars(title, &series.points, &layers);
        self.figure(title, &[("opened", "opened"), ("resolved", "resolved")], &chart);
    }

    fn key_age(&mut self, series: &Series<'_>) {
        let title = "Age of active access keys, in days";
        let curve = |name: &'static str, class: &'static str, of: fn(&Point) -> Option<i64>| {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 days")]
            let values = series
                .points
                .iter()
                .map(|point| of(point).map(|days| days as f64));
            Curve {
                name,
                class,
                values: values.collect(),
            }
        };
        let curves = [
            curve("median", "last", |point| point.key_age_median),
            curve("90th percentile", "second", |point| point.key_age_p90),
        ];
        let chart = lines(title, &series.points, &curves, ("", None));
        self.figure(
            title,
            &[("last", "median"), ("second", "90th percentile")],
            &chart,
        );
    }

    fn old_keys(&mut self, series: &Series<'_>) {
        let title = "Active access keys over 90 days";
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 keys")]
        let values = series
            .points
            .iter()
            .map(|point| point.keys_over_90_days.map(|keys| keys as f64));
        let curve = Curve {
            name: "keys over 90 days:",
            class: "last",
            values: values.collect(),
        };
        let chart = lines(title, &series.points, &[curve], ("", None));
        self.figure(title, &[], &chart);
    }

    fn ages(&mut self, series: &Series<'_>) {
        let title = "Active access keys by age";
        if let Some((first, last)) = series.points.first().zip(series.points.last()) {
            let keys = [
                ("first", phrases::day(&first.as_of)),
                ("last", phrases::day(&last.as_of)),
            ];
            let before = (series.points.len() > 1).then_some(*first);
            let chart = key_ages(title, before, last);
            self.figure(title, if before.is_some() { &keys } else { &keys[1..] }, &chart);
        }
    }

    fn times(&mut self, document: &TrendDocument) {
        let title = "Days to resolve, by rule";
        let rules: Vec<&RuleTrend> = document
            .rules
            .iter()
            .filter(|rule| rule.opened > 0)
            .take(TIMES)
            .collect();
        if rules.is_empty() {
            return;
        }
        let keys = [("last", "median"), ("range", "90th percentile")];
        let chart = times_to_resolve(title, &rules);
        self.figure(title, &keys, &chart);
    }

    fn notes(&mut self, document: &TrendDocument) {
        self.line(format_args!(
            "<p class=\"soft\">Days to resolve are Kaplan–Meier estimates: an open finding counts for as long as it was \
             observed, findings of the first snapshot and unveiled ones are left out; – means that too few findings are resolved for \
             the percentile.</p>\n<p class=\"soft\">{}.</p>",
            escape_html(&phrases::rotation(&document.rotation))
        ));
        if let Some(text) = phrases::unveiled(document) {
            self.line(format_args!("<p class=\"soft\">{}</p>", escape_html(text)));
        }
    }

    fn head(&mut self, heads: &[(&str, &str)]) {
        let cells: Vec<String> = heads
            .iter()
            .map(|(class, head)| format!("<th class=\"{class}\">{head}</th>"))
            .collect();
        self.line(format_args!(
            "<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>",
            cells.concat()
        ));
    }

    fn rules(&mut self, document: &TrendDocument) {
        if document.rules.is_empty() {
            return;
        }
        self.line(format_args!("<h2>Rules</h2>"));
        let mut heads = vec![("", "severity"), ("", "rule")];
        heads.extend(
            phrases::rule_heads(document)
                .into_iter()
                .map(|head| ("number", head)),
        );
        self.head(&heads);
        for trend in &document.rules {
            let severity = trend.severity;
            let name = escape_html(&rule(&trend.rule, &trend.parameters));
            let cells: Vec<String> = phrases::rule_cells(document, trend)
                .iter()
                .map(|cell| format!("<td class=\"number\">{cell}</td>"))
                .collect();
            self.line(format_args!(
                "<tr><td><i class=\"{severity}\">{severity}</i></td><td class=\"name\">{name}</td>{}</tr>",
                cells.concat()
            ));
        }
        self.line(format_args!("</tbody></table></div>"));
    }

    fn oldest(&mut self, document: &TrendDocument, limit: usize) {
        if document.oldest.is_empty() {
            return;
        }
        self.line(format_args!("<h2>Open for longest</h2>"));
        self.head(&["severity", "since", "user", "account", "rule"].map(|head| ("", head)));
        for finding in document.oldest.iter().take(limit) {
            let severity = finding.severity;
            let user = escape_html(finding.user.as_deref().unwrap_or(""));
            let account = html_account(finding.account.as_deref(), finding.account_name.as_deref());
            self.line(format_args!(
                "<tr><td><i class=\"{severity}\">{severity}</i></td><td>{}</td><td class=\"name\">{user}</td>\
                 <td>{account}</td><td class=\"name\">{}</td></tr>",
                phrases::since(finding),
                escape_html(&finding.rule)
            ));
        }
        self.line(format_args!("</tbody></table></div>"));
        if let Some(more) = phrases::more_open(document, limit) {
            self.line(format_args!("<p class=\"soft\">{}</p>", escape_html(&more)));
        }
    }
}

/// The figures that have a card.
fn is_card(name: &str) -> bool {
    name.starts_with("critical")
        || name.starts_with("high")
        || [
            "users",
            "MFA coverage",
            "active keys",
            "keys over 90 days",
            "unused credentials",
            "dormant users",
        ]
        .contains(&name)
}

/// Whether a rise or fall is neither good nor bad.
fn is_neutral(name: &str) -> bool {
    ["users", "active keys"].contains(&name)
}
