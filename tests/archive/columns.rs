//! Archived reports are evaluated as columns, with the same results as their CSV.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use credlens::archive::add::{Added, add};
use credlens::archive::file::ArchiveFile;
use credlens::archive::inputs::ArchiveFormat;
use credlens::archive::store::Directory;
use credlens::engine::{self, AssessOptions, EmitFilter, Program, Source};
use credlens::finding::{Diagnostic, Finding, GivenFilters, Severity, Status, Tally};
use credlens::io::inputs::{InputOptions, Inputs, Limits};
use credlens::report::schema::{Column, ExtraColumn};
use credlens::rule::{self, Filters, Selection};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::lossless::{Blocks, report};
use super::{PLAIN, credlens, files, saved};
use crate::support::pipeline::{AS_OF, CATALOGUE, evaluate, evaluate_with};

/// Every built-in rule.
pub(super) static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let every = Selection {
        rules: vec!["*".to_owned()],
        ..Selection::default()
    };
    Program::new(rule::select(&CATALOGUE, &every).unwrap().rules)
});

/// Rules that read few columns.
static FEW: LazyLock<Program> = LazyLock::new(|| {
    let few = Selection {
        rules: vec!["two-active-access-keys".to_owned(), "user-dormant".to_owned()],
        ..Selection::default()
    };
    Program::new(rule::select(&CATALOGUE, &few).unwrap().rules)
});

fn archived(csv: &[u8], size: usize) -> Option<TempDir> {
    let directory = tempdir().unwrap();
    let mut added = Added::default();
    let mut source = Blocks::new(csv, size)?;
    add(&Directory::new(directory.path()), &mut source, &mut added).unwrap();
    assert_eq!(added.added.len(), 1);
    Some(directory)
}

pub(super) fn inputs(directory: &Path) -> Inputs {
    let options = InputOptions {
        as_of: None,
        now: AS_OF,
        compared: false,
        hashed: 0,
        limits: Limits::default(),
    };
    Inputs::new(vec![directory.to_owned()], Box::new(std::io::empty()), options)
        .with_container_format(Box::new(ArchiveFormat))
}

/// What is found, without where.
pub(super) fn found((findings, tally): (Vec<Finding>, Tally)) -> Value {
    let findings = findings.into_iter().map(|mut finding| {
        finding.source.path.clear();
        finding
    });
    let pathless = |mut diagnostic: Diagnostic| {
        diagnostic.path = None;
        diagnostic
    };
    let findings: Vec<_> = findings.collect();
    let diagnostics: Vec<_> = tally.diagnostics.into_iter().map(pathless).collect();
    serde_json::json!([findings, diagnostics, tally.rules, tally.evaluated])
}

/// The first values that differ.
fn first_difference(one: &Value, other: &Value) -> Option<(String, String)> {
    match (one, other) {
        _ if one == other => None,
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .find_map(|(one, other)| first_difference(one, other)),
        _ => Some((one.to_string(), other.to_string())),
    }
}

fn surveyed(source: impl Source, digests: bool) -> Vec<engine::ReportAccounts> {
    let (reports, _) = engine::survey(source, 1, digests).unwrap();
    // Only of archived reports it is known before they are read.
    let without = |mut rows: engine::ReportAccounts| {
        rows.quiet_from = None;
        rows
    };
    reports.into_iter().map(|report| without(report.rows)).collect()
}

/// Compares what is found in a report with what is found in it once it was archived.
fn compare(csv: &[u8], size: usize) -> Result<(), TestCaseError> {
    let Some(directory) = archived(csv, size) else {
        return Ok(());
    };
    for program in [&*PROGRAM, &*FEW] {
        let of_csv = found(evaluate(program, Blocks::new(csv, size).unwrap(), 1));
        let of_archive = found(evaluate(program, inputs(directory.path()), 1));
        prop_assert_eq!(first_difference(&of_archive, &of_csv), None);
    }
    for (account, excluded) in [
        ("111122223333", false),
        ("1*", true),
        ("4444*", false),
        ("999999999999", false),
    ] {
        let accounts = vec![account.to_owned()];
        let given = if excluded {
            GivenFilters {
                exclude_account: accounts,
                ..GivenFilters::default()
            }
        } else {
            GivenFilters {
                account: accounts,
                ..GivenFilters::default()
            }
        };
        let filters = Filters::new(&given).unwrap();
        let found_with = |source: &mut dyn Source| {
            let options = AssessOptions {
                emit: EmitFilter::new(&Status::ALL, Severity::Informational),
                filters: Some(&filters),
                ..AssessOptions::default()
            };
            found(evaluate_with(&PROGRAM, source, options))
        };
        let of_csv = found_with(&mut Blocks::new(csv, size).unwrap());
        let of_archive = found_with(&mut inputs(directory.path()));
        prop_assert_eq!(
            first_difference(&of_archive, &of_csv),
            None,
            "of account {}",
            account
        );
    }
    for digests in [false, true] {
        let of_csv = surveyed(Blocks::new(csv, size).unwrap(), digests);
        prop_assert_eq!(surveyed(inputs(directory.path()), digests), of_csv);
    }
    Ok(())
}

/// Reports of other programs: with accounts, ids and times in columns of their own.
fn with_columns() -> impl Strategy<Value = Vec<u8>> {
    let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
    assert_eq!(ExtraColumn::from_name("account_id"), Some(ExtraColumn::AccountId));
    let header = names.join(",") + ",account_id,account_name,access_key_1_id,generated_time";
    let cell = prop_oneof![
        Just(""),
        Just("N/A"),
        Just("111122223333"),
        Just("prod"),
        Just("AKIAIOSFODNN7EXAMPLE"),
        Just(" x "),
        Just("2026-01-02T03:04:05Z"),
        Just("true"),
        Just("arn:aws-cn:iam::111122223333:user/a/b/c"),
        Just("arn:aws:iam::444455556666:root"),
        Just("1970-01-01T00:00:00Z"),
        Just("soon"),
        Just("<root_account>"),
    ];
    let row = proptest::collection::vec(cell, names.len() + 4);
    proptest::collection::vec(row, 1..8).prop_map(move |rows| {
        let rows = rows.into_iter().map(|row| row.join(","));
        std::iter::once(header.clone())
            .chain(rows)
            .collect::<Vec<_>>()
            .join("\n")
            .into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn reports_are_evaluated_as_their_csv(csv in report(), size in 1_usize..400) {
        compare(&csv, size)?;
    }

    #[test]
    fn reports_with_columns_of_other_programs_are(csv in with_columns(), size in 1_usize..400) {
        compare(&csv, size)?;
    }

    #[test]
    fn any_bytes_are(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..400) {
        compare(&[b"user,arn,mfa_active\n".as_slice(), &bytes].concat(), size)?;
    }
}

/// Damages the pages of files, which their names and metadata do not show.
fn damage(archive: &Path, is_meant: impl Fn(&str) -> bool) -> usize {
    let meant: Vec<_> = files(archive).into_iter().filter(|file| is_meant(file)).collect();
    for file in &meant {
        let path = archive.join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    meant.len()
}

/// Of older snapshots and of accounts that are not asked for only the metadata is read.
#[test]
fn only_the_files_that_are_needed_are_read() {
    let directory = saved();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let scan = |more: &[&str]| {
        let args = [&["scan", "archive", "--format", "ndjson"], more].concat();
        credlens(directory.path(), &args)
    };
    let (all, of_account) = (scan(&[]), scan(&["--account", "111122223333"]));
    assert!(
        all.0 == 1 && all.1.contains("444455556666") && of_account.0 == 1,
        "{all:?}"
    );
    assert!(!of_account.1.is_empty() && !of_account.1.contains("444455556666"));
    let archive = directory.path().join("archive");
    assert_eq!(damage(&archive, |file| file < "snapshot_date=2026-03"), 2);
    assert_eq!(scan(&[]), all);
    assert_eq!(scan(&["--all-snapshots"]).0, 4);
    // The newest ones are in one file, so that it is read for either account.
    assert_eq!(damage(&archive, |file| file > "snapshot_date=2026-03"), 1);
    assert_eq!(scan(&["--account", "111122223333"]).0, 3);
    // In files of their own, the other one is not.
    let apart = directory.path().join("apart");
    for report in ["reports/2026-03-01.csv", "reports/other-2026-03-01.csv"] {
        credlens(directory.path(), &["archive", "add", "apart", report]);
    }
    let scan = |account: &str| {
        let args = ["scan", "apart", "--format", "ndjson", "--account", account];
        credlens(directory.path(), &args)
    };
    let (one, other) = (scan("111122223333"), scan("444455556666"));
    let is_of = |file: &str, account: &str| {
        let file = ArchiveFile::open(&Directory::new(&apart), file).unwrap();
        file.reports()[0].accounts == [account]
    };
    assert_eq!(damage(&apart, |file| is_of(file, "444455556666")), 1);
    assert_eq!((scan("111122223333"), scan("444455556666").0), (one, 3));
    assert_eq!(other.0, 1);
}

/// Accounts of other row groups are left out without being read, with the same results.
#[test]
fn one_account_of_a_large_report() {
    let header = PLAIN.lines().next().unwrap();
    let row = |account: u64, user: u64| {
        format!("u{user},arn:aws:iam::{account}:user/u{user},2022-01-02T03:04:05Z,true,false,false,N/A\n")
    };
    let rows = (0..131_100)
        .map(|user| row(111_122_223_333, user))
        .chain((0..40).map(|user| row(444_455_556_666, user)));
    let csv = format!("{header}\n{}", rows.collect::<String>()).into_bytes();
    let directory = archived(&csv, 1 << 20).unwrap();
    let filters = GivenFilters {
        account: vec!["444455556666".to_owned()],
        ..GivenFilters::default()
    };
    let filters = Filters::new(&filters).unwrap();
    let found_with = |source: &mut dyn Source| {
        let options = AssessOptions {
            filters: Some(&filters),
            ..AssessOptions::default()
        };
        evaluate_with(&PROGRAM, source, options)
    };
    let of_csv = found_with(&mut Blocks::new(&csv, 1 << 20).unwrap());
    let of_archive = found_with(&mut inputs(directory.path()));
    assert_eq!(of_archive.0[0].source.row, Some(131_101));
    assert_eq!(first_difference(&found(of_archive), &found(of_csv)), None);
}

/// A plan counts the keys of every account, whoever is asked for.
#[test]
fn a_plan_knows_the_accounts_that_filters_leave_out() {
    let directory = saved();
    credlens(directory.path(), &["archive", "add", "archive", "reports"]);
    let accounts = |path: &str| {
        let args = [
            "remedy",
            "plan",
            path,
            "--format",
            "json",
            "--exclude-account",
            "111122223333",
        ];
        let (_, out, err) = credlens(directory.path(), &args);
        let plan: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
        let accounts = plan["accounts"].as_array().expect("accounts").iter();
        accounts
            .map(|account| (account["id"].clone(), account["as_of"].clone()))
            .collect::<Vec<_>>()
    };
    let of_reports = accounts("reports");
    assert_eq!(of_reports.len(), 2);
    assert_eq!(accounts("archive"), of_reports);
}
