//! Keys and certificates without a known creation time in one of two reports: their findings follow the slot.

use credlens::history::{Diff, Move};

use super::COLUMNS;
use super::unveiled::{CERTIFICATE, NEW, OLD, OLD_KEY, ROOT_KEY, Row, assert_moved, compare, moved, report};

/// A key that one report does not identify is still the key in its slot: its findings are open, and nothing else.
#[test]
fn creation_times_that_one_report_lacks() {
    let root = [
        ("access_key_1_active", "true"),
        ("access_key_1_last_rotated", "2023-01-01"),
    ];
    let certificate = [("cert_1_active", "true"), ("cert_1_last_rotated", "2023-01-01")];
    let unused = [
        ("access_key_2_active", "true"),
        ("access_key_2_last_rotated", "2023-01-01"),
    ];
    let rows: [Row<'_>; 3] = [("<root_account>", &root), ("a", &unused), ("b", &certificate)];
    let lacks: Vec<&str> = COLUMNS
        .into_iter()
        .filter(|column| column.ends_with("_last_rotated"))
        .collect();
    let still_open = |diff: &Diff<'_>| {
        assert_eq!(diff.events, []);
        for which in [Move::Opened, Move::Resolved] {
            assert_eq!(moved(diff, which), [""; 0], "{which:?}");
        }
        assert_moved(diff, Move::Open, "<root_account>", ROOT_KEY);
        assert_moved(diff, Move::Open, "b", CERTIFICATE);
    };
    compare(report(OLD, &lacks, &rows), &report(NEW, &[], &rows), |diff| {
        still_open(diff);
        assert_moved(diff, Move::Unveiled, "a", OLD_KEY);
    });
    compare(report(OLD, &[], &rows), &report(NEW, &lacks, &rows), |diff| {
        still_open(diff);
        assert_moved(diff, Move::Open, "a", OLD_KEY);
    });
    // The same if the cells are empty, as other tools write them.
    let empty = [("access_key_1_active", "true"), ("access_key_1_last_rotated", "")];
    let emptied: [Row<'_>; 3] = [("<root_account>", &empty), ("a", &unused), ("b", &certificate)];
    compare(report(OLD, &[], &emptied), &report(NEW, &[], &rows), still_open);
    compare(report(OLD, &[], &rows), &report(NEW, &[], &emptied), still_open);
}

/// What is certain needs no creation time: no key of the newer report fails, whichever the older one was.
#[test]
fn a_key_without_creation_time_that_certainly_no_longer_fails() {
    let inactive = [("cert_1_last_rotated", "2023-01-01")];
    let active = [("cert_1_active", "true"), ("cert_1_last_rotated", "2023-01-01")];
    let lacks = ["cert_1_last_rotated", "cert_2_last_rotated"];
    let old = report(OLD, &lacks, &[("a", &active)]);
    compare(old, &report(NEW, &[], &[("a", &inactive)]), |diff| {
        assert_moved(diff, Move::Resolved, "a", CERTIFICATE);
    });
}

/// A key that only the newer report shows may be the one that the older report does not identify, even if both have another
/// key of the same second.
#[test]
fn a_key_of_the_second_of_another_one() {
    let first = [
        ("access_key_1_active", "true"),
        ("access_key_1_last_rotated", "2023-01-01"),
        ("access_key_2_active", "true"),
    ];
    let unclear = [&first[..], &[("access_key_2_last_rotated", "?")]].concat();
    let shown = [&first[..], &[("access_key_2_last_rotated", "2023-01-01")]].concat();
    let rows = |cells| [("<root_account>", cells)];
    let (old, new) = (
        report(OLD, &[], &rows(&unclear[..])),
        report(NEW, &[], &rows(&shown[..])),
    );
    compare(old, &new, |diff| {
        for which in [Move::Opened, Move::Resolved] {
            assert_eq!(moved(diff, which), [""; 0], "{which:?}");
        }
        assert_moved(diff, Move::Open, "<root_account>", ROOT_KEY);
    });
}
