//! Time cells that other tools left empty, or filled with a zero time: one note per column, with the rules that do not fail
//! by the cells of this column.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Workspace;

const COLUMNS: &str = "user,arn,user_creation_time,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";

/// The messages of the notes by column, for reports of users with these cells of keys.
fn notes(keys: &[&str]) -> BTreeMap<String, String> {
    let row = |(number, keys): (usize, &&str)| {
        format!("u{number},arn:aws:iam::111122223333:user/u{number},2020-01-01,{keys}\n")
    };
    let rows: String = keys.iter().enumerate().map(row).collect();
    let place = Workspace::new().file("a.csv", format!("{COLUMNS}\n{rows}"));
    let run = place.run(
        "scan a.csv --as-of 2026-06-01 --format json --rule access-key-unused --rule access-key-created-at-setup",
    );
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let diagnostics = all["diagnostics"].as_array().unwrap().iter();
    let notes = diagnostics.filter(|it| it["code"] == "empty-time");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut by_column = BTreeMap::new();
    for note in notes {
        let before = by_column.insert(text(&note["column"]), text(&note["message"]));
        assert_eq!(before, None, "one note per column");
    }
    by_column
}

#[test]
fn empty_cells_and_zero_times_of_a_column_are_one_note() {
    let used = "true,2026-05-01,2026-05-30,false,N/A,";
    let all = notes(&[
        used,
        &format!("{used}1970-01-01T00:00:00Z"),
        &format!("{used}0001-01-01T00:00:00Z"),
    ]);
    assert_eq!(
        all.into_iter().collect::<Vec<_>>(),
        [(
            "access_key_2_last_used_date".to_owned(),
            "3 cells are read as absent: 1 empty, 2 with a zero time".to_owned()
        )]
    );
}

#[test]
fn a_rule_about_keys_is_named_for_the_column_of_the_key_that_passes_by_it() {
    // Key 1 was created lately and passes although its last use is empty. Key 2 is old and fails, whatever its cell.
    let first = "true,2026-05-30,,true,2020-01-01,N/A";
    let name = |notes: &BTreeMap<String, String>, column: &str, rule: &str| notes[column].contains(rule);
    let all = notes(&[first]);
    assert!(
        name(&all, "access_key_1_last_used_date", "access-key-unused"),
        "{all:?}"
    );
    // The same key in slot 2; the last use of key 1, which is inactive, decides nothing.
    let all = notes(&["false,2020-01-01,,true,2026-05-30,"]);
    assert!(
        name(&all, "access_key_2_last_used_date", "access-key-unused"),
        "{all:?}"
    );
    assert!(
        !name(&all, "access_key_1_last_used_date", "access-key-unused"),
        "{all:?}"
    );
    let all = notes(&["true,2026-05-30,,false,2020-01-01,"]);
    assert!(
        name(&all, "access_key_1_last_used_date", "access-key-unused"),
        "{all:?}"
    );
    assert!(
        !name(&all, "access_key_2_last_used_date", "access-key-unused"),
        "{all:?}"
    );
}

#[test]
fn a_rule_is_named_only_for_the_column_that_decides() {
    // Whatever the last use of a key, it was not created with its user if it was created at no time.
    let all = notes(&["true,,,false,N/A,N/A"]);
    let names = |column: &str| all[column].contains("access-key-created-at-setup");
    assert!(names("access_key_1_last_rotated"), "{all:?}");
    assert!(!names("access_key_1_last_used_date"), "{all:?}");
}
