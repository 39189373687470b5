//! Checks the aliases of rules: a row gets the verdict of the other tool, as far as that is a matter of parameters.

use credlens::engine::examples::verdict;
use credlens::finding::Verdict;
use credlens::rule::{Catalogue, Example, Selection, select};

use super::peers::{Cells, DAY, ago, key, password};

/// Whether a rule that the alias selects fails the row.
fn fails(alias: &str, root: bool, cells: Cells) -> bool {
    let selection = Selection {
        rules: vec![alias.to_owned()],
        ..Selection::default()
    };
    let selected = select(&Catalogue::builtin(), &selection).expect("a known alias");
    let cells: Vec<_> = cells
        .into_iter()
        .map(|(column, text)| (column.to_owned(), text))
        .collect();
    selected.rules.into_iter().any(|bound| {
        let example = Example {
            name: alias.to_owned(),
            verdict: Verdict::Fail,
            root,
            cells: cells.iter().cloned().collect(),
            without: Vec::new(),
            parameters: bound.parameters,
        };
        verdict(&bound.rule, &example).expect("a verdict") == Verdict::Fail
    })
}

/// A row that passes, and the same row a second or a day later, which fails.
fn assert_boundary(alias: &str, root: bool, passes: Cells, late: Cells) {
    assert!(!fails(alias, root, passes), "{alias} fails too early");
    assert!(fails(alias, root, late), "{alias} passes too late");
}

#[test]
fn keys_are_old_at_the_age_of_the_other_tool() {
    for (alias, days) in [
        ("iam_rotate_access_key_90_days", 90),
        ("iam_user_access_key_age_90", 90),
        ("iam_user_access_key_age_365", 365),
        ("accessKeysRotated", 90),
        ("iam-user-no-key-rotation", 90),
        ("iam_access_keys_rotated_more_than_90_days", 90),
        ("IAM_ACCESS_KEY_ROTATED", 90),
        ("old_access_keys", 90),
        ("IAM.3", 90),
        ("access-keys-rotated", 90),
        (
            "aws-iam-user-access-keys-should-be-rotated-every-90-days-or-less",
            90,
        ),
    ] {
        let old = |age| key(2, true, age, Some(DAY));
        assert_boundary(alias, false, old(days * DAY), old(days * DAY + 1));
    }
    // These do not ask whether the key is active.
    for (alias, days) in [("iam_user_access_key_age_365", 365), ("old_access_keys", 90)] {
        let inactive = |age| key(1, false, age, None);
        assert_boundary(alias, false, inactive(days * DAY), inactive(days * DAY + 1));
    }
    assert!(!fails("IAM.3", false, key(1, false, 1000 * DAY, None)));
}

#[test]
fn credentials_are_unused_after_the_days_of_the_other_tool() {
    for (alias, days) in [
        ("IAM.22", 45),
        ("IAM.8", 90),
        ("iam_user_unused_credentials_45", 45),
        ("iam_user_unused_credentials_90", 90),
        ("unused_creds_disabled_45_days", 45),
        ("unused_creds_disabled", 90),
        ("iam-unused-credentials-not-disabled", 90),
        ("iam-user-unused-credentials-check", 90),
        ("credentials-last-used", 90),
        ("7h6-fp7-pc3", 45),
    ] {
        let key = |idle| key(1, true, 400 * DAY, Some(idle));
        let password = |idle| password(400 * DAY, Some(idle));
        assert_boundary(alias, false, key(days * DAY - 1), key(days * DAY));
        assert_boundary(alias, false, password(days * DAY - 1), password(days * DAY));
    }
    for (alias, days) in [
        ("iam_user_accesskey_unused", 45),
        ("iam_user_access_key_unused_45", 45),
        ("iam_user_deactivate_unused_access_key", 90),
        ("accessKeysLastUsed", 90),
        ("iam_access_keys_unused_more_than_90_days", 90),
    ] {
        let key = |idle| key(1, true, 400 * DAY, Some(idle));
        assert_boundary(alias, false, key(days * DAY - 1), key(days * DAY));
    }
    let password = |idle| password(400 * DAY, Some(idle));
    for (alias, days) in [
        ("iam_user_console_access_unused", 45),
        ("iam_user_console_access_unused_45", 45),
        ("usersPasswordLastUsed", 90),
    ] {
        assert_boundary(alias, false, password(days * DAY - 1), password(days * DAY));
    }
}

#[test]
fn root_is_used_recently_within_the_days_of_the_other_tool() {
    for (alias, days) in [
        ("iam_avoid_root_usage", 2),
        ("rootAccountInUse", 15),
        ("avoid_root_usage", 30),
        (
            "aws-iam-credential-report-root-account-credentials-should-be-inactive-for-the-previous-30-days",
            30,
        ),
        ("iam-root-account-used-recently", 90),
        ("iam_root_last_used", 90),
    ] {
        let used = |before| password(400 * DAY, Some(before));
        assert_boundary(alias, true, used(days * DAY), used(days * DAY - 1));
    }
}

#[test]
fn keys_at_setup_are_those_of_the_other_tool() {
    let user = |after: i64| {
        let created = vec![("user_creation_time", ago(100 * DAY))];
        let key = key(1, true, 100 * DAY - after, None);
        [created, password(DAY, Some(DAY)), key].concat()
    };
    // Powerpipe: less than 10 seconds. Prowler: never used, whenever it was created.
    let powerpipe = "iam_user_access_keys_and_password_at_setup";
    assert_boundary(powerpipe, false, user(10), user(9));
    // Powerpipe: whether or not the key was used. ScoutSuite: never used, with or without a password.
    let used = [user(9), key(1, true, 100 * DAY - 9, Some(DAY))].concat();
    assert!(fails(powerpipe, false, used.clone()));
    let scout = "iam-user-unused-access-key-initial-setup";
    assert!(fails(scout, false, key(1, true, DAY, None)) && !fails(scout, false, used));
    assert!(fails(
        "iam_user_no_setup_initial_access_key",
        false,
        user(30 * DAY)
    ));
}

#[test]
fn mfa_is_asked_of_those_of_whom_the_other_tool_asks_it() {
    let row = |password: &str, mfa: &str, with_key: bool| {
        let cells = vec![
            ("password_enabled", password.to_owned()),
            ("mfa_active", mfa.to_owned()),
        ];
        let key = if with_key {
            key(1, true, DAY, None)
        } else {
            Cells::new()
        };
        [cells, key].concat()
    };
    // root without MFA: with a password; with a key alone; with neither
    for (alias, expected) in [
        ("IAM.6", [true, true, false]),
        ("IAM.9", [true, true, false]),
        ("iam_root_mfa_enabled", [true, true, false]),
        ("root-account-mfa-enabled", [true, true, false]),
        (
            "iam_root_user_account_console_access_mfa_enabled",
            [true, false, false],
        ),
        ("iam_user_console_access_mfa_enabled", [true, false, false]),
        ("iam_root_user_mfa_enabled", [true, true, true]),
        ("iam_root_user_hardware_mfa_enabled", [true, true, true]),
        ("iam_user_mfa_enabled", [true, true, true]),
        ("D9.AWS.IAM.18", [true, true, true]),
        ("D9.AWS.IAM.19", [true, true, true]),
        ("IAM.19", [false, false, false]),
    ] {
        let rows = [("true", false), ("false", true), ("false", false)];
        let found = rows.map(|(password, with_key)| fails(alias, true, row(password, "false", with_key)));
        assert_eq!(found, expected, "{alias}");
        assert!(!fails(alias, true, row("true", "true", true)), "{alias}");
    }
    // a user without MFA: with a password; without
    for (alias, expected) in [
        ("IAM.5", [true, false]),
        ("iam_user_console_access_mfa_enabled", [true, false]),
        ("IAM.19", [true, true]),
        ("iam_user_hardware_mfa_enabled", [true, true]),
    ] {
        let found = ["true", "false"].map(|password| fails(alias, false, row(password, "false", true)));
        assert_eq!(found, expected, "{alias}");
    }
}

#[test]
fn users_are_dormant_after_the_days_of_the_other_tool() {
    let user = |idle| {
        let created = vec![("user_creation_time", ago(400 * DAY))];
        [created, password(400 * DAY, Some(idle))].concat()
    };
    for alias in ["iamUserNotInUse", "IAM_USER_USED_LAST_90_DAYS"] {
        assert_boundary(alias, false, user(90 * DAY - 1), user(90 * DAY));
    }
}
