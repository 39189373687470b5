//! `diff` of snapshots that cannot be compared, or only in part: errors, diagnostics and causes.

use credlens::engine::{self, Program};
use credlens::finding::Status;
use credlens::history::{Cause, Collector, Diff, Incomparable, Move, Moved, Snapshot};
use credlens::rule::{Catalogue, Selection, select};

use super::simulated_account::{HEADER, START};
use super::{Report, assert_same_however_read, collect_snapshots, diff_of, json, program};
use crate::support::pipeline::memory;

const DAY: i64 = 86_400;

fn report((header, records): (&str, &str), as_of: i64) -> Report {
    Report {
        header: header.to_owned(),
        records: records.to_owned(),
        as_of,
    }
}

fn pair(program: &Program, old: (&str, &str), new: (&str, &str)) -> (Snapshot, Snapshot) {
    let reports = vec![report(old, START), report(new, START + DAY)];
    let mut snapshots = collect_snapshots(program, reports);
    let new = snapshots.pop().unwrap();
    (snapshots.pop().unwrap(), new)
}

fn compare(old: (&str, &str), new: (&str, &str), check: impl FnOnce(&Diff<'_>)) {
    compare_by(&program(), old, new, check);
}

fn compare_by(program: &Program, old: (&str, &str), new: (&str, &str), check: impl FnOnce(&Diff<'_>)) {
    let newer = report(new, START + DAY);
    let (old, new) = pair(program, old, new);
    let diff = diff_of(program, [&old, &new]).unwrap();
    check(&diff);
    let whole = Ok(json(&diff));
    assert_same_however_read(program, (&old, &newer), &whole, &[(1, 1), (2, 2)]);
}

fn kinds(diff: &Diff<'_>) -> Vec<&'static str> {
    diff.events.iter().map(|event| event.kind.name()).collect()
}

fn moved(diff: &Diff<'_>, which: Move) -> Vec<Moved> {
    diff.findings(which).iter().collect()
}

/// The causes of all resolved findings.
fn causes(diff: &Diff<'_>) -> Vec<Cause> {
    let resolved = moved(diff, Move::Resolved);
    resolved.iter().flat_map(|moved| moved.by.iter()).collect()
}

fn codes<'a>(diff: &'a Diff<'_>) -> Vec<&'a str> {
    diff.diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.name())
        .collect()
}

const SHORT: &str = "user,arn,user_creation_time,mfa_active";

/// The error for reports that cannot be compared.
fn refused(old: (&str, &str), new: (&str, &str)) -> Incomparable {
    let program = program();
    let (old, new) = pair(&program, old, new);
    diff_of(&program, [&old, &new]).unwrap_err()
}

#[test]
fn reports_of_different_accounts_are_refused() {
    let error = refused(
        (SHORT, "a,arn:aws:iam::111111111111:user/a,2020-01-01,true"),
        (SHORT, "a,arn:aws:iam::222222222222:user/a,2020-01-01,true"),
    );
    assert!(matches!(&error, Incomparable::OtherAccount { old, .. } if old == "111111111111"));
    assert_eq!(
        error.to_string(),
        "the reports are of different accounts (111111111111 and 222222222222); compare reports of the same \
         account"
    );
}

#[test]
fn an_account_in_only_one_report_is_not_compared() {
    let both = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true\n";
    let more = "a,arn:aws:iam::111111111111:user/a,2020-01-01,false\n\
                b,arn:aws:iam::222222222222:user/b,2020-01-01,true";
    compare((SHORT, both), (SHORT, more), |diff| {
        assert_eq!(kinds(diff), ["mfa-deactivated"]);
        assert_eq!(codes(diff), ["account-not-compared"]);
    });
}

#[test]
fn without_arn_users_are_matched_by_name() {
    let with = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true\n\
                b,arn:aws:iam::111111111111:user/b,2020-01-01,true";
    let without = (
        "user,user_creation_time,mfa_active",
        "b,2020-01-01,false\na,2024-01-01,true",
    );
    compare((SHORT, with), without, |diff| {
        assert_eq!(kinds(diff), ["mfa-deactivated", "user-recreated"]);
        assert_eq!(codes(diff), ["lost-column"]);
    });
    let two = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true\n\
               a,arn:aws:iam::222222222222:user/a,2020-01-01,true";
    assert_eq!(refused((SHORT, two), without), Incomparable::NoArn);
}

#[test]
fn a_lost_column_leaves_findings_open() {
    let header = "user,arn,user_creation_time,password_enabled,mfa_active";
    let old = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true,false\n\
               b,arn:aws:iam::111111111111:user/b,2020-01-01,true,false";
    let new = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true";
    let shorter = "user,arn,user_creation_time,password_enabled";
    compare((header, old), (shorter, new), |diff| {
        assert_eq!(kinds(diff), ["user-deleted"]);
        assert!(codes(diff).contains(&"lost-column"));
        assert_eq!(moved(diff, Move::Resolved).len(), 1, "the deleted user's");
        let open = moved(diff, Move::Open);
        let [open] = &open[..] else { panic!("{open:?}") };
        assert_eq!(open.after, Some(Status::Undetermined));
    });
    compare((shorter, new), (header, old), |diff| {
        assert_eq!(kinds(diff), ["user-created"]);
        let before = [Move::Unveiled, Move::Opened].map(|which| {
            let moved = moved(diff, which);
            moved.iter().map(|moved| moved.before).collect::<Vec<_>>()
        });
        assert_eq!(before, [[Some(Status::Undetermined)], [None]]);
    });
}

#[test]
fn a_repeated_user_counts_once() {
    let old = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true\n\
               a,arn:aws:iam::111111111111:user/a,2020-01-01,false\n\
               b,arn:aws:iam::111111111111:user/b,2020-01-01,true\n\
               b,arn:aws:iam::111111111111:user/b,2021-01-01,true";
    let new = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true\n\
               b,arn:aws:iam::111111111111:user/b,2021-01-01,true";
    compare((SHORT, old), (SHORT, new), |diff| {
        assert!(kinds(diff).is_empty(), "{:?}", diff.events);
        assert_eq!(codes(diff), ["duplicate-user"]);
        assert_eq!(diff.diagnostics[0].row, Some(2));
    });
}

const KEYS: &str = "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,\
    access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";
const USER: &str = "a,arn:aws:iam::111111111111:user/a,2020-01-01,";

#[test]
fn keys_of_the_same_second_get_a_diagnostic() {
    let old = format!("{USER}true,2024-12-01,2024-12-30,true,2024-12-01,N/A");
    let new = format!("{USER}true,2024-12-01,N/A,false,2024-12-01,2024-12-30");
    compare((KEYS, &old), (KEYS, &new), |diff| {
        assert_eq!(kinds(diff), ["key-deactivated"]);
        assert_eq!(codes(diff), ["same-second-keys"]);
    });
}

#[test]
fn a_key_with_unknown_creation_time_is_neither_created_nor_deleted() {
    let old = format!("{USER}true,2020-06-01,N/A,false,N/A,N/A");
    let new = format!("{USER}true,garbage,N/A,false,N/A,N/A");
    compare((KEYS, &old), (KEYS, &new), |diff| {
        assert!(kinds(diff).is_empty(), "{:?}", diff.events);
        assert_eq!(codes(diff), ["unclear-keys"]);
        assert_eq!(moved(diff, Move::Resolved), []);
        assert_ne!(moved(diff, Move::Open), []);
    });
}

#[test]
fn events_are_the_causes_of_resolved_findings() {
    let old = format!("{USER}true,2020-06-01,2020-07-01,false,N/A,N/A");
    let used = format!("{USER}true,2020-06-01,2025-01-01T10:00:00Z,false,N/A,N/A");
    compare((KEYS, &old), (KEYS, &used), |diff| {
        assert_eq!(kinds(diff), ["key-used-after-idle"]);
        let by = causes(diff);
        assert!(
            !by.is_empty() && by.iter().all(|cause| matches!(cause, Cause::Event(_))),
            "{by:?}"
        );
    });
}

const USES: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,\
    access_key_2_last_rotated,access_key_2_last_used_date,cert_1_active,cert_1_last_rotated,cert_2_active,\
    cert_2_last_rotated";

/// A credential whose last use is unreadable now may still be unused.
#[test]
fn an_unreadable_last_use_leaves_findings_open() {
    let user = |password: &str, key: &str| {
        format!("{USER}true,{password},2024-12-01,true,2024-12-01,{key},false,N/A,N/A,false,N/A,false,N/A")
    };
    let (old, new) = (user("2024-11-05", "2024-11-05"), user("garbage", "2025-01-01"));
    compare((USES, &old), (USES, &new), |diff| {
        assert_eq!(kinds(diff), [""; 0]);
        let open: Vec<_> = moved(diff, Move::Open).iter().map(|moved| moved.after).collect();
        assert_eq!(open, [Some(Status::Undetermined)]);
        assert_eq!(causes(diff), [Cause::Used]);
    });
}

#[test]
fn findings_resolved_by_time_alone_have_another_cause() {
    let root = "<root_account>,arn:aws:iam::111111111111:root,2020-01-01,not_supported,2024-10-03T12:00:00Z,\
        not_supported,false,N/A,N/A,false,N/A,N/A,false,N/A,false,N/A";
    compare((USES, root), (USES, root), |diff| {
        assert_eq!(causes(diff), [Cause::Other]);
    });
}

/// A missing column that only a rule reads does not change the users.
#[test]
fn a_missing_column_leaves_findings_of_unchanged_users_undetermined() {
    let mut catalogue = Catalogue::builtin();
    let logic = "IamAccessKey should not have lastUsedService='sts'";
    let added = catalogue.add("service.gsl", logic).unwrap();
    let selection = Selection {
        rules: added,
        ..Selection::default()
    };
    let program = Program::new(select(&catalogue, &selection).unwrap().rules);
    let row = format!(
        "{USER}true,2025-01-01,2024-12-01,true,2024-12-01,2025-01-01,false,N/A,N/A,false,N/A,false,N/A"
    );
    let (with, extended) = (
        format!("{USES},access_key_1_last_used_service,access_key_2_last_used_service"),
        row.clone() + ",sts,N/A",
    );
    compare_by(&program, (&with, &extended), (USES, &row), |diff| {
        let open: Vec<_> = moved(diff, Move::Open).iter().map(|moved| moved.after).collect();
        assert_eq!(open, [Some(Status::Undetermined)]);
    });
    compare_by(&program, (USES, &row), (&with, &extended), |diff| {
        let unveiled: Vec<_> = moved(diff, Move::Unveiled)
            .iter()
            .map(|moved| moved.before)
            .collect();
        assert_eq!(unveiled, [Some(Status::Undetermined)]);
    });
}

#[test]
fn swapped_reports_get_a_diagnostic() {
    let records = "a,arn:aws:iam::111111111111:user/a,2020-01-01,true";
    let program = program();
    let (old, new) = pair(&program, (SHORT, records), (SHORT, records));
    let diff = diff_of(&program, [&new, &old]).unwrap();
    assert_eq!(codes(&diff), ["order"]);
}

/// Findings belong to the right users, whatever rows of which blocks are left out.
#[test]
fn findings_after_rows_that_are_left_out() {
    let user = |name: &str| format!("{name},arn:aws:iam::1:user/{name},2020-01-01,true,false\n");
    let left_out = "x\n".repeat(10_003);
    let blocks = vec![
        user("a") + &left_out + &user("b"),
        left_out.clone() + &user("c"),
        user("d"),
    ];
    let header = format!("{SHORT},password_enabled")
        .replace("mfa_active,password_enabled", "password_enabled,mfa_active");
    let mut snapshot = None;
    let options = engine::AssessOptions {
        threads: 2,
        ..engine::AssessOptions::default()
    };
    let source = memory(&[(&header, blocks)]);
    engine::assess(
        &program(),
        source,
        &Collector::new(|read| snapshot = Some(read)),
        options,
    )
    .unwrap();
    let snapshot: Snapshot = snapshot.unwrap();
    let rows = 0..u32::try_from(snapshot.users().len()).unwrap();
    let fails = |&row: &u32| {
        let mut found = snapshot.found_of(row).iter();
        found.any(|found| found.status == Status::Fail)
    };
    let users: Vec<_> = rows
        .filter(fails)
        .map(|row| snapshot.users().name(row as usize))
        .collect();
    assert_eq!(users, [b"a", b"b", b"c", b"d"]);
}

/// Of the rows of one user the one created last counts; an unknown creation time is before all others.
#[test]
fn a_repeated_row_with_unknown_creation_time_does_not_count() {
    let dated = "a,arn:aws:iam::1:user/a,2020-01-01,true";
    let undated = "a,arn:aws:iam::1:user/a,garbage,false";
    for new in [[dated, undated], [undated, dated]] {
        compare((SHORT, dated), (SHORT, &new.join("\n")), |diff| {
            assert_eq!(kinds(diff), [""; 0]);
            assert_eq!(codes(diff), ["duplicate-user"]);
        });
    }
}

/// Times far away, which do not fit into the usual 32 bits, are compared too.
#[test]
fn times_of_any_year_are_compared() {
    let header = "user,arn,user_creation_time,password_enabled,password_last_used,access_key_1_active,\
        access_key_1_last_rotated,access_key_2_active,access_key_2_last_rotated,cert_1_active,cert_1_last_rotated,\
        cert_2_active,cert_2_last_rotated";
    let user = |used: &str| {
        format!("a,arn:aws:iam::1:user/a,2020-01-01,true,{used},false,N/A,false,N/A,false,N/A,false,N/A")
    };
    let (old, new) = (user("0002-01-01"), user("1890-01-01"));
    compare((header, &old), (header, &new), |diff| {
        assert_eq!(kinds(diff), ["password-used-after-idle"]);
    });
    compare((header, &new), (header, &new), |diff| {
        assert_eq!(kinds(diff), [""; 0]);
    });
}

/// Comparing while reading identifies users in the same way: by name and ARN, or by name alone.
#[test]
fn users_are_identified_in_the_same_way_while_read() {
    let header: Vec<&str> = HEADER.split(',').map(str::trim).collect();
    let header = header.join(",");
    let without_arn = header.replace(",arn", "");
    let rest = |created: &str| {
        format!(
            "{created},false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
        )
    };
    let arn = "arn:aws:iam::111122223333:user/a";
    let renamed = |name: &str| format!("{name},{arn},{}", rest("2020-01-01"));
    compare((&header, &renamed("c")), (&header, &renamed("a")), |diff| {
        assert_eq!(kinds(diff), [""; 0]);
        let row = usize::try_from(moved(diff, Move::Opened).first().map_or(0, |moved| moved.row)).unwrap();
        assert_eq!(diff.new.users().name(row), b"a");
    });
    let twice = format!("a,{arn},{}a,N/A,{}", rest("2020-01-01"), rest("2019-01-01"));
    let once = format!("a,{}", rest("2019-01-01"));
    compare((&header, &twice), (&without_arn, &once), |diff| {
        assert_eq!(kinds(diff), ["user-recreated"]);
    });
    let bob = format!("bob,arn:aws:iam::111122223333:user/bob,{}", rest("2020-01-01"));
    let other = format!("x,arn:aws:iam::999999999999:user/x,{}", rest("2020-01-01"));
    let named_so = format!("arn:aws:iam::999999999999:user/x,N/A,{}", rest("2020-01-01"));
    compare(
        (&header, &(other + &bob)),
        (&header, &(named_so + &bob)),
        |diff| {
            assert_eq!(kinds(diff), ["user-created"]);
            assert_eq!(codes(diff), ["account-not-compared"]);
        },
    );
}
