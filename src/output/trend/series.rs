//! The points of a trend by account, and what people want to see of them.

use crate::finding::Severity;
use crate::history::trend::{Point, TrendDocument};
use crate::output::words;

/// The points of one account, or of all.
pub(super) struct Series<'a> {
    /// None where it is of all accounts, or of the only one.
    pub(super) account: Option<&'a str>,
    pub(super) points: Vec<&'a Point>,
}

/// One figure over time.
pub(super) struct Figure {
    pub(super) name: String,
    /// By point; none where there is none.
    pub(super) values: Vec<Option<f64>>,
    pub(super) unit: Unit,
}

/// How a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
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
            (Some(value), Unit::Count) => words::number(value as u64),
            // Cut off: only all is 100 %.
            (Some(value), Unit::Percent) => format!("{} %", (value * 100.0).floor()),
        }
    }

    /// The values of the first and of the last point. Where there is none, one from in between would be taken for
    /// it.
    pub(super) fn ends(&self) -> [Option<f64>; 2] {
        [self.values.first(), self.values.last()].map(|value| value.copied().flatten())
    }
}

/// The points by account: one series, or one an account.
pub(super) fn series(document: &TrendDocument) -> Vec<Series<'_>> {
    let accounts: std::collections::BTreeSet<_> =
        document.snapshots.iter().map(|point| &point.account).collect();
    let is_one = document.snapshots.iter().any(|point| point.accounts > 1) || accounts.len() <= 1;
    if is_one {
        let points = document.snapshots.iter().collect();
        return vec![Series {
            account: None,
            points,
        }];
    }
    let of = |account: &'_ Option<String>| -> Vec<&Point> {
        let points = document.snapshots.iter();
        points.filter(|point| &point.account == account).collect()
    };
    let all = accounts.into_iter().map(|account| Series {
        account: Some(account.as_deref().unwrap_or("no account told")),
        points: of(account),
    });
    all.collect()
}

impl Series<'_> {
    /// What is told, in this order; severities that no point knows are left out.
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
        figures.extend([
            self.count("opened", |point| Some(point.opened)),
            self.count("resolved", |point| Some(point.resolved)),
            self.count("users", |point| Some(point.users)),
            self.count("console users", |point| point.console_users),
        ]);
        figures.push(Figure {
            name: "MFA coverage".to_owned(),
            values: self.points.iter().map(|point| point.mfa_coverage).collect(),
            unit: Unit::Percent,
        });
        figures.extend([
            self.count("active keys", |point| point.active_keys),
            self.count("keys over 90 days", |point| point.keys_over_90_days),
            self.count("keys over 180 days", |point| point.keys_over_180_days),
            self.count("keys over 365 days", |point| point.keys_over_365_days),
            self.days("key age, median", |point| point.key_age_median),
            self.days("key age, 90th percentile", |point| point.key_age_p90),
            self.days("key age, oldest", |point| point.key_age_max),
            self.count("unused credentials", |point| point.unused_credentials),
            self.count("dormant users", |point| point.dormant_users),
            self.count("accounts with root use in 90 days", |point| point.root_used),
        ]);
        figures
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

    fn count(&self, name: &str, of: impl Fn(&Point) -> Option<u64>) -> Figure {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 things")]
        let value = |point: &&Point| of(point).map(|count| count as f64);
        Figure {
            name: name.to_owned(),
            values: self.points.iter().map(value).collect(),
            unit: Unit::Count,
        }
    }

    fn days(&self, name: &str, of: impl Fn(&Point) -> Option<i64>) -> Figure {
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 days")]
        let values = self
            .points
            .iter()
            .map(|point| of(point).map(|days| days as f64))
            .collect();
        Figure {
            name: format!("{name}, days"),
            values,
            unit: Unit::Count,
        }
    }
}
