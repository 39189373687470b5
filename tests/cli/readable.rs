//! What people read in a table: the line of the file, ages that do not contradict messages, a layout that does not depend
//! on a wide terminal, limits that hold, and lists that fit.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date";

/// A console user without MFA, who never signed in.
fn user(account: &str, name: &str) -> String {
    format!(
        "{name},arn:aws:iam::{account}:user/{name},2026-01-01T00:00:00Z,true,no_information,2026-05-01T00:00:00Z,false,false,N/A,N/A"
    )
}

fn lines_of(bytes: &[u8]) -> Vec<(String, String)> {
    let place = Workspace::new().file("2026-05-02.csv", bytes);
    let run = place.run("scan 2026-05-02.csv --rule console-user-without-mfa");
    let heads = run.stdout.lines().filter(|line| line.contains("  account "));
    let heads = heads.map(|head| {
        let (user, about) = head.split_once("  account ").unwrap();
        (
            user.to_owned(),
            about
                .split_once(", ")
                .unwrap()
                .1
                .replace(" in 2026-05-02.csv", ""),
        )
    });
    heads.collect()
}

fn at<const N: usize>(lines: [(&str, &str); N]) -> Vec<(String, String)> {
    lines
        .map(|(user, line)| (user.to_owned(), line.to_owned()))
        .to_vec()
}

#[test]
fn a_user_is_on_the_line_of_the_file() {
    let [a, b, c] = ["a", "b", "c"].map(|name| user("111122223333", name));
    for end in ["\n", "\r\n", "\r"] {
        let text = [HEADER, &a, &b, &c].join(end);
        assert_eq!(
            lines_of(text.as_bytes()),
            at([("a", "line 2"), ("b", "line 3"), ("c", "line 4")]),
            "{end:?}"
        );
    }
    let empty_lines = format!("\n{HEADER}\n\n{a}\n\n\n{b}\n");
    assert_eq!(
        lines_of(empty_lines.as_bytes()),
        at([("a", "line 4"), ("b", "line 7")])
    );
}

#[test]
fn a_quoted_cell_may_have_lines_of_its_own() {
    let [a, b, c] = ["a", "b", "c"].map(|name| user("111122223333", name));
    let quoted = b.replace("no_information", "\"no_\r\ninformation\n\n\"");
    let text = format!("{HEADER}\r\n{a}\r\n{quoted}\r\n{c}\r\n");
    assert_eq!(
        lines_of(text.as_bytes()),
        at([("a", "line 2"), ("b", "line 3"), ("c", "line 7")])
    );
}

#[test]
fn lines_go_on_through_reports_and_blocks_of_a_file() {
    let [a, b, c] = ["a", "b", "c"].map(|name| user("111122223333", name));
    let other = user("444455556666", "d");
    let text = format!("{HEADER}\n{a}\n{b}\n\n{HEADER}\n{other}\n{c}\n");
    assert_eq!(
        lines_of(text.as_bytes()),
        at([("a", "line 2"), ("b", "line 3"), ("d", "line 6"), ("c", "line 7")])
    );
    // A file of many blocks, with lines that are cut between the two bytes of their ends.
    let mut text = format!("{HEADER}\r\n");
    for number in 0..20_000 {
        let mfa = user("111122223333", &format!("user-{number:05}")).replace(",false,false,", ",true,false,");
        write!(text, "{mfa}\r\n").unwrap();
    }
    write!(text, "{a}\r\n").unwrap();
    assert_eq!(lines_of(text.as_bytes()), at([("a", "line 20002")]));
}

#[test]
fn diagnostics_name_the_same_line() {
    let text = format!(
        "{HEADER}\n{}\n{},one,two\n{}\n",
        user("111122223333", "a").replace("no_information", "\"no_\ninformation\""),
        user("111122223333", "b"),
        user("111122223333", "c").replace("2026-01-01", "soon")
    );
    let place = Workspace::new().file("r.csv", text);
    place
        .run("scan r.csv")
        .says("warning: r.csv, line 4: ")
        .says("r.csv, line 5, user_creation_time 'soonT00:00:00Z'");
    // Beside findings that have rows, diagnostics have them, too.
    place
        .run("scan r.csv --format ndjson")
        .ends(1, "r.csv, row 3, user_creation_time");
}

#[test]
fn where_lines_are_not_those_of_the_file_the_row_is_named() {
    let text = format!("{HEADER}\n{}\n", user("111122223333", "a"));
    let json = serde_json::json!({ "Content": text, "GeneratedTime": "2026-05-02T00:00:00Z" });
    assert_eq!(lines_of(json.to_string().as_bytes()), at([("a", "row 1")]));
    // Programs get the data row.
    let place = Workspace::new().file("r.csv", &text);
    place
        .run("scan r.csv --rule console-user-without-mfa --format ndjson")
        .says("\"source\":{\"path\":\"r.csv\",\"row\":1}");
}

#[test]
fn an_age_does_not_contradict_its_message() {
    let row = "a,arn:aws:iam::111122223333:user/a,2026-01-01T00:00:00Z,false,N/A,N/A,false,true,2026-01-01T00:00:00Z,N/A";
    let place = Workspace::new().file("r.csv", format!("{HEADER}\n{row}\n"));
    let run = |as_of: &str| {
        place.run(&*format!(
            "scan r.csv --rule access-key-not-rotated --as-of {as_of}"
        ))
    };
    run("2026-04-01T05:00:00Z")
        .says("this key was created more than 90 days ago and is still active\n")
        .says("last rotated 2026-01-01 (90 days and 5 hours)\n");
    run("2026-04-02T00:00:00Z").says("last rotated 2026-01-01 (91 days)\n");
    // Exactly 90 days are not more than 90 days.
    run("2026-04-01T00:00:00Z").ends(0, "").says("nothing failed");
}

#[test]
fn of_one_who_never_signed_in_it_says_so() {
    let text = format!("{HEADER}\n{}\n", user("111122223333", "a"));
    let place = Workspace::new().file("r.csv", text);
    let run = place.run("scan r.csv --as-of 2026-11-21");
    run.says("this user can sign in with only a password\n")
        .says("last changed 2026-05-01 (204 days), never used\n")
        .hides("no_information");
}

fn demo(args: &str, columns: &str) -> Outcome {
    let text = format!(
        "{HEADER}\n{}\n{}\n",
        user("111122223333", "a"),
        user("111122223333", "b")
    );
    let place = Workspace::new().file("2026-11-21.csv", text);
    let mut command = place.command();
    let args = format!("scan 2026-11-21.csv {args}");
    command.env("COLUMNS", columns).args(args.split_whitespace());
    let output = command.output().unwrap();
    Outcome {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The findings of a table, from the first user on.
fn findings(run: &Outcome) -> &str {
    let (_, rest) = run.stdout.split_once("UTC\n").unwrap();
    rest.split_once("\n\nwarning").unwrap().0
}

#[test]
fn up_to_160_columns_a_table_is_laid_out_as_at_80() {
    let rules = "--rule console-password-unused --rule console-user-without-mfa";
    let at_80 = demo(rules, "80");
    for columns in ["100", "120", "160"] {
        assert_eq!(findings(&demo(rules, columns)), findings(&at_80), "{columns}");
    }
    for columns in ["80", "120", "160", "161", "200"] {
        demo(rules, columns)
            .says("\n\na  account 111122223333, line 2\n")
            .says("\n\nb  account 111122223333, line 3\n");
    }
}

#[test]
fn a_limit_that_is_given_holds_for_every_list() {
    let mut place = Workspace::new();
    for account in 0..12 {
        let account = format!("1111222233{account:02}");
        let text = format!(
            "{HEADER}\n{}\n",
            user(&account, "a").replace("false,false,N/A", "maybe,false,N/A")
        );
        place = place.file(&format!("{account}-2026-11-21.csv"), text);
    }
    let count = |args: &str, what: &str| {
        let run = place.run(&*format!("scan . --rule console-user-without-mfa {args}"));
        run.stdout.matches(what).count()
    };
    for format in ["table", "summary"] {
        assert_eq!(
            count(&format!("--format {format}"), "\n1111222233"),
            10,
            "{format}"
        );
        for limit in [1, 11] {
            let args = format!("--format {format} --limit {limit}");
            assert_eq!(count(&args, "\n1111222233"), limit, "{args}");
            assert_eq!(count(&args, "\nwarning: "), limit, "{args}");
        }
        assert_eq!(
            count(&format!("--format {format} --limit 0"), "\nwarning: "),
            24,
            "{format}"
        );
    }
    // Twelve errors come before the warnings.
    assert_eq!(count("--format markdown", "\n- warning: "), 8);
    assert_eq!(count("--format markdown --limit 3", "\n- error: "), 3);
    assert_eq!(count("--format markdown --limit 3", "\n- warning: "), 0);
    assert_eq!(count("--format markdown --limit 3", "\n| `1111222233"), 3);
}

#[test]
fn a_summary_shows_failing_rules_and_accounts_and_no_files() {
    let mut place = Workspace::new();
    for (account, day) in [("111122223333", "20"), ("444455556666", "21")] {
        let text = format!("{HEADER}\n{}\n", user(account, "a"));
        place = place.file(
            &format!("some/long/folder/of/reports/{account}-2026-11-{day}.csv"),
            text,
        );
    }
    let run = place
        .run("scan some --rule console-user-without-mfa --rule two-active-access-keys --format summary -q");
    run.says("2 users of 2 accounts in 2 reports, each evaluated as of its own time, 2026-11-20T23:59:59Z to\n2026-11-21T23:59:59Z\n")
        .says("\n111122223333     1         1 of 1\n444455556666     1         1 of 1\n")
        .says("\nhigh      console-user-without-mfa       2")
        .says("1 rule found nothing\n")
        .hides("\n  some/");
}

#[test]
fn an_account_id_is_never_cut() {
    let place = Workspace::new()
        .file(
            "a-2026-11-21.csv",
            format!(
                "{HEADER},account_name\n{},a very long name of an account\n",
                user("111122223333", "a")
            ),
        )
        .file(
            "b-2026-11-21.csv",
            format!("{HEADER}\n{}\n", user("444455556666", "b")),
        );
    for columns in ["40", "60"] {
        let mut command = place.command();
        command
            .env("COLUMNS", columns)
            .args(["scan", ".", "--format", "summary"]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert!(
            text.contains("\n111122223333 ") && text.contains("\n444455556666 "),
            "{text}"
        );
    }
}

#[test]
fn the_list_of_rules_fits_and_ends_with_those_of_vendors() {
    for columns in ["60", "80", "120"] {
        let place = Workspace::new();
        let mut command = place.command();
        command.env("COLUMNS", columns).args(["rules", "list"]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let width: usize = columns.parse().unwrap();
        let long = text.lines().find(|line| line.width() > width);
        assert_eq!(long, None, "{columns}");
        let vendor = text.find("\nD9.AWS.IAM.01").unwrap();
        assert!(vendor > text.find("\nuser-without-mfa").unwrap(), "{text}");
        if width < 100 {
            assert!(
                text.contains("\n  Active access key not rotated (max_age=90 days)\n"),
                "{text}"
            );
        }
    }
}

/// The table of a scan at this width.
fn table_at(place: &Workspace, args: &str, columns: &str) -> String {
    let mut command = place.command();
    command.env("COLUMNS", columns).args(args.split_whitespace());
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// Two accounts with long names; a key whose id is known, and a user made for an API key.
fn long_names() -> Workspace {
    let header = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated,\
        access_key_1_last_used_service,access_key_1_id,account_name";
    let row = |account: &str, user: &str, id: &str| {
        format!(
            "{header}\n<root_account>,arn:aws:iam::{account}:root,2019-01-01T00:00:00Z,true,false,false,N/A,N/A,,\
             Prod workloads of division number 16\n{user},arn:aws:iam::{account}:user/{user},2019-01-01T00:00:00Z,true,\
             false,true,2019-01-01T00:00:00Z,s3,{id},Prod workloads of division number 16\n"
        )
    };
    Workspace::new()
        .file(
            "a-2026-05-01.csv",
            row("111122223333", "BedrockAPIKey-7f3k", "AKIAIOSFODNN7EXAMPLE"),
        )
        .file(
            "b-2026-05-01.csv",
            row("444455556666", "deployment-of-the-web-shop-in-production", ""),
        )
}

#[test]
fn rule_names_and_key_ids_are_never_cut() {
    let place = long_names();
    for columns in ["60", "80", "100", "160", "161", "200"] {
        let text = table_at(&place, "scan a-2026-05-01.csv --limit 50", columns);
        assert!(
            text.contains("  api-key-user-key-used-elsewhere"),
            "{columns}: {text}"
        );
        assert!(text.contains(" AKIAIOSFODNN7EXAMPLE"), "{columns}: {text}");
        assert!(
            text.lines().all(|line| line.width() <= columns.parse().unwrap()),
            "{text}"
        );
    }
    let text = table_at(&place, "scan a-2026-05-01.csv --limit 50", "80");
    assert!(
        text.contains("  api-key-user-key-used-elsewhere\n    access_key_1 AKIAIOSFODNN7EXAMPLE\n"),
        "{text}"
    );
}

#[test]
fn a_long_name_of_an_account_leaves_the_line() {
    let place = long_names();
    for args in ["scan a-2026-05-01.csv", "scan ."] {
        let text = table_at(&place, args, "80");
        let heads: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("  account 1111") && !line.starts_with("all users"))
            .collect();
        assert!(heads.len() >= 2, "{text}");
        for head in heads {
            assert!(head.contains(", line 2") || head.contains(", line 3"), "{head}");
            assert!(args != "scan ." || head.contains("a-2026-05-01.csv"), "{head}");
        }
    }
    // Beside a long user, neither the account nor the line is cut.
    let text = table_at(&place, "scan b-2026-05-01.csv", "60");
    assert!(
        text.contains("\ndeployment-of-the-web-shop-in-production\n  account 444455556666, line 3"),
        "{text}"
    );
}

#[test]
fn long_names_of_accounts_leave_the_counts_of_a_ranking() {
    let text = table_at(&long_names(), "scan . --by user", "80");
    let (_, ranking) = text.split_once("users, worst first\n").unwrap();
    let head = ranking.lines().next().unwrap();
    assert!(!head.contains('…'), "{text}");
    assert!(head.starts_with("user  "), "{text}");
    for word in ["account", "critical", "high"] {
        assert!(head.contains(word), "{text}");
    }
    assert!(ranking.contains("444455556666"), "{text}");
    let wide = table_at(&long_names(), "scan . --by user", "160");
    assert!(wide.contains("Prod workloads of division number 16"), "{wide}");
}
