//! The figures of a trend over time, by account, as the formats for people show them.

use super::phrases;
use crate::finding::Severity;
use crate::history::trend::{AccountGap, Point, TrendDocument};
use crate::output::phrases::{number, to_the_minute};

/// The points of one account, or of all.
pub(super) struct Series<'a> {
    /// None for all accounts together, or the only one.
    pub(super) account: Option<&'a str>,
    /// The account's name as the last report that has one says.
    pub(super) name: Option<&'a str>,
    pub(super) points: Vec<&'a Point>,
    /// Where the account is missing; none of all accounts together.
    pub(super) gaps: Vec<&'a AccountGap>,
    /// Whether the account has no newer report.
    pub(super) is_stale: bool,
}

/// One figure over time.
pub(super) struct Figure {
    pub(super) name: String,
    /// By point; none where the value is unknown.
    pub(super) values: Vec<Option<f64>>,
    pub(super) unit: FigureUnit,
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FigureUnit {
    Count,
    Percent,
}

impl Figure {
    /// A value as people read it.
    pub(super) fn text(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "–".to_owned(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts are whole and not negative"
            )]
            (Some(value), FigureUnit::Count) => number(value as u64),
            // Rounded down: 100 % means all.
            (Some(value), FigureUnit::Percent) => format!("{} %", (value * 100.0).floor()),
        }
    }

    /// The values of the first and of the last point. One of these that is unknown stays so: a value from between would
    /// be read as its value.
    pub(super) fn ends(&self) -> [Option<f64>; 2] {
        [self.values.first(), self.values.last()].map(|value| value.copied().flatten())
    }
}

/// The points by account: one series, or one per account.
pub(super) fn series(document: &TrendDocument) -> Vec<Series<'_>> {
    let accounts: std::collections::BTreeSet<_> =
        document.snapshots.iter().map(|point| &point.account).collect();
    let is_one = document.snapshots.iter().any(|point| point.accounts > 1) || accounts.len() <= 1;
    if is_one {
        let points = document.snapshots.iter().collect();
        return vec![Series {
            account: None,
            name: None,
            points,
            gaps: Vec::new(),
            is_stale: false,
        }];
    }
    let of = |account: &'_ Option<String>| -> Vec<&Point> {
        let points = document.snapshots.iter();
        points.filter(|point| &point.account == account).collect()
    };
    let all = accounts.into_iter().map(|account| {
        let points = of(account);
        let mut names = points.iter().rev().map(|point| point.account_name.as_deref());
        Series {
            account: Some(account.as_deref().unwrap_or("(unknown)")),
            name: names.find_map(|name| name),
            points,
            gaps: document
                .gaps
                .iter()
                .filter(|gap| &gap.account == account)
                .collect(),
            is_stale: document
                .stale_accounts
                .iter()
                .any(|stale| &stale.account == account),
        }
    });
    all.collect()
}

impl Series<'_> {
    /// The times of the first and the last point: days, or minutes if that is one day.
    pub(super) fn ends(&self) -> [String; 2] {
        let ends = [self.points.first(), self.points.last()];
        let [first, last] = ends.map(|point| point.map_or("", |point| &*point.as_of));
        if phrases::day(first) == phrases::day(last) && first != last {
            return [first, last].map(to_the_minute);
        }
        [first, last].map(|time| phrases::day(time).to_owned())
    }

    /// The number of snapshots that are missing before each point, and after the last one.
    pub(super) fn missing(&self) -> Vec<u64> {
        let mut missing = vec![0; self.points.len() + 1];
        for gap in &self.gaps {
            let before = self.points.partition_point(|point| point.as_of <= gap.after);
            missing[before] += gap.snapshots;
        }
        missing
    }

    /// The figures, in the order in which they are shown. Severities that no rule has are left out.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut figures: Vec<Figure> = self
            .severities()
            .into_iter()
            .map(|severity| {
                let name = format!("{severity} findings");
                self.count(&name, move |point| {
                    Some(point.by_severity.get(&severity).copied().unwrap_or(0))
                })
            })
            .collect();
        figures.extend([self.count("opened", |point| Some(point.opened))]);
        if self.has_unveiled() {
            figures.push(self.count("unveiled by more columns", |point| Some(point.unveiled)));
        }
        figures.extend([
            self.count("resolved", |point| Some(point.resolved)),
            self.count("users", |point| Some(point.users)),
            self.count("console users", |point| point.console_users),
        ]);
        figures.push(Figure {
            name: "MFA coverage".to_owned(),
            values: self.points.iter().map(|point| point.mfa_coverage).collect(),
            unit: FigureUnit::Percent,
        });
        figures.extend([
            self.count("active keys", |point| point.active_keys),
            self.count("keys over 90 days", |point| point.keys_over_90_days),
            self.count("keys over 180 days", |point| point.keys_over_180_days),
            self.count("keys over 365 days", |point| point.keys_over_365_days),
            self.count("key age, median, days", |point| point.key_age_median),
            self.count("key age, 90th percentile, days", |point| point.key_age_p90),
            self.count("key age, oldest, days", |point| point.key_age_max),
            self.count("unused credentials", |point| point.unused_credentials),
            self.count("dormant users", |point| point.dormant_users),
            self.count("accounts with root use in 90 days", |point| point.root_used),
        ]);
        figures
    }

    /// Whether findings became visible because of more columns.
    pub(super) fn has_unveiled(&self) -> bool {
        self.points.iter().any(|point| point.unveiled > 0)
    }

    /// The severities that rules of the trend have, worst first.
    pub(super) fn severities(&self) -> Vec<Severity> {
        let known = |severity: &Severity| {
            self.points
                .iter()
                .any(|point| point.by_severity.contains_key(severity))
        };
        Severity::ALL.into_iter().rev().filter(known).collect()
    }

    fn count<T: Into<i128>>(&self, name: &str, of: impl Fn(&Point) -> Option<T>) -> Figure {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let value = |point: &&Point| of(point).map(|count| count.into() as f64);
        Figure {
            name: name.to_owned(),
            values: self.points.iter().map(value).collect(),
            unit: FigureUnit::Count,
        }
    }
}
