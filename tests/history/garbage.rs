//! Reports of any cells, under any header: nothing panics, and nothing changes from a report to itself.

use credlens::engine::Workers;
use credlens::history::trend::{Trend, TrendOptions};
use credlens::history::{self, Options};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::simulation::{HEADER, START};
use super::{Report, judge, program, snapshots};

fn cell() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "N/A",
        "no_information",
        "not_supported",
        "true",
        "FALSE",
        "maybe",
        "a",
        "b",
        "<root_account>",
        "arn:aws:iam::111111111111:user/a",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::222222222222:user/b",
        "2020-01-01",
        "2024-06-01T00:00:00Z",
        "2024-12-31T23:59:59+00:00",
        "9999-12-31",
        "0001-01-01",
    ])
}

fn report() -> impl Strategy<Value = (String, String)> {
    let names: Vec<&str> = HEADER.split(',').map(str::trim).collect();
    let columns = subsequence(names[1..].to_vec(), 8..=21);
    columns.prop_flat_map(|columns| {
        let header = std::iter::once("user")
            .chain(columns.iter().copied())
            .collect::<Vec<_>>();
        let width = header.len();
        let records = vec(vec(cell(), width), 0..8);
        let header = header.join(",");
        records.prop_map(move |records| {
            let lines: Vec<String> = records.into_iter().map(|cells| cells.join(",") + "\n").collect();
            (header.clone(), lines.concat())
        })
    })
}

proptest! {
    #[test]
    fn anything_can_be_compared(old in report(), new in report(), same: bool) {
        let program = program();
        let new = if same { (old.0.clone(), new.1) } else { new };
        let reports = [&old, &old, &new].into_iter().zip([START, START, START + 86_400]);
        let reports = reports.map(|((header, records), as_of)| Report {
            header: header.clone(),
            records: records.clone(),
            as_of,
        });
        let reports: Vec<Report> = reports.collect();
        let mut judged = Vec::new();
        snapshots(&program, reports.clone(), |snapshot| judged.push(snapshot));
        let trend = Trend::new(&program, TrendOptions::default());
        judge(&program, reports, &trend);
        let document = trend.finish();
        let resolved: u64 = document.rules.iter().map(|rule| rule.resolved).sum();
        let of_points: u64 = document.snapshots.iter().map(|point| point.resolved).sum();
        prop_assert_eq!(resolved, of_points);
        for rule in &document.rules {
            prop_assert_eq!(rule.open + rule.resolved, rule.at_start + rule.opened);
        }
        if let Ok(diff) = history::diff(&program, &judged[0], &judged[1], Options::default(), &Workers::one()) {
            prop_assert_eq!(&diff.events, &[]);
            prop_assert!(diff.opened.is_empty() && diff.resolved.is_empty(), "{:?}", diff);
        }
        for pair in [[0, 2], [2, 0]] {
            drop(history::diff(&program, &judged[pair[0]], &judged[pair[1]], Options::default(), &Workers::one()));
        }
    }
}
