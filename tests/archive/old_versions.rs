//! Archives that earlier versions of credlens wrote: later ones read them.

use std::fs;
use std::path::Path;

use super::csvs;

/// Written by the version that wrote version 1 of archived files, from a report of `fixtures/demo`.
#[test]
fn a_file_of_version_1_is_exported_byte_for_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let csv = fs::read(root.join("fixtures/demo/444455556666_20260601T000000Z.csv")).unwrap();
    assert_eq!(csvs(&root.join("tests/archive/version-1")), [csv]);
}
