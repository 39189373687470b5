//! Reports as other tools write them: other names of columns, rows as JSON, columns that reports by AWS do not have.

use super::Workspace;

const AWS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
const ROWS: [&str; 3] = [
    "<root_account>,arn:aws:iam::111122223333:root,2019-03-01T08:00:00Z,true,2019-03-02T08:00:00Z,\
     2019-03-01T08:00:00Z,,false,false,,,,,false,,,,,false,,false,",
    "alice,arn:aws:iam::111122223333:user/alice,2024-01-10T09:00:00Z,true,2026-11-18T08:12:33Z,2024-01-10T09:00:00Z,,\
     false,true,2024-10-01T09:00:00Z,2026-11-19T10:05:00Z,eu-west-1,s3,false,,,,,false,,false,",
    "bob,arn:aws:iam::111122223333:user/t/bob,2024-01-10T09:00:00Z,false,,,,true,false,2025-02-01T09:00:00Z,,,,\
     true,2026-11-19T09:00:00Z,,,,false,,true,2024-05-01T09:00:00Z",
];

/// How other tools name a column.
type Naming = fn(&str) -> String;

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |joined, part| {
        let (head, tail) = part.split_at(1);
        joined + &head.to_ascii_uppercase() + tail
    })
}

fn steampipe(name: &str) -> String {
    match name {
        "user" | "arn" => format!("user_{}", name.replace("user", "name")),
        other => other.to_owned(),
    }
}

fn cloudquery(name: &str) -> String {
    let name = name.replace("access_key_", "access_key").replace("cert_", "cert");
    name.replace("password_enabled", "password_status")
}

const NAMINGS: [Naming; 5] = [str::to_owned, camel, steampipe, cloudquery, |name| {
    name.replace('_', " ").to_uppercase()
}];

/// Standard output of a scan, without what names the input.
fn verdicts(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    let place = Workspace::new().file(name, content);
    let run =
        place.run(format!("scan {name} --as-of 2026-11-20 --status fail,undetermined --format csv").as_str());
    assert_eq!(run.status, 1, "{run:#?}");
    assert!(!run.stderr.contains("error"), "{run:#?}");
    let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
    let wanted = [0, 1, 5, 6, 8, 9, 10, 14];
    let rows = rows.records().map(|row| {
        let row = row.unwrap();
        wanted.map(|at| row[at].to_owned()).join("|")
    });
    rows.collect()
}

fn csv_of(naming: Naming) -> String {
    let names: Vec<String> = AWS.split(',').map(naming).collect();
    [&*names.join(","), ROWS[0], ROWS[1], ROWS[2], ""].join("\n")
}

/// The rows as JSON objects, with booleans and nulls.
fn rows(naming: Naming) -> Vec<serde_json::Value> {
    let rows = ROWS.iter().map(|row| {
        let cells = AWS.split(',').zip(row.split(',')).map(|(name, cell)| {
            let cell = match cell {
                "true" => serde_json::json!(true),
                "false" => serde_json::json!(false),
                "" => serde_json::Value::Null,
                cell => serde_json::json!(cell),
            };
            (naming(name), cell)
        });
        serde_json::Value::Object(cells.collect())
    });
    rows.collect()
}

#[test]
fn names_of_other_tools_give_the_same_verdicts() {
    let expected = verdicts("r.csv", csv_of(str::to_owned));
    assert!(expected.len() > 6, "{expected:?}");
    for naming in NAMINGS {
        let csv = csv_of(naming);
        assert_eq!(verdicts("r.csv", &csv), expected, "{csv}");
        assert_eq!(verdicts("r.csv", csv.replace(',', ";")), expected, "{csv}");
        let json = serde_json::json!(rows(naming)).to_string();
        assert_eq!(verdicts("r.json", &json), expected, "{json}");
    }
}

#[test]
fn rows_as_json_give_the_same_verdicts() {
    let expected = verdicts("r.csv", csv_of(str::to_owned));
    let rows = rows(str::to_owned);
    let columns: serde_json::Map<_, _> = AWS
        .split(',')
        .map(|name| {
            let cells = rows.iter().enumerate();
            let cells = cells.map(|(at, row)| (at.to_string(), row[name].clone()));
            (name.to_owned(), serde_json::Value::Object(cells.collect()))
        })
        .collect();
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    for json in [
        lines.join("\n"),
        serde_json::json!({ "data": rows }).to_string(),
        serde_json::json!({ "columns": [{"name": "user"}], "rows": rows }).to_string(),
        serde_json::Value::Object(columns).to_string(),
    ] {
        assert_eq!(verdicts("r.json", &json), expected, "{json}");
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, lines.join("\n").as_bytes()).unwrap();
    assert_eq!(verdicts("r.ndjson.gz", packed.finish().unwrap()), expected);
}

/// What is not a flag in a report is not one in JSON.
#[test]
fn numbers_and_words_in_flags_stay_unknown() {
    for cell in ["0", "1", "\"yes\"", "null", "\"\""] {
        let row = format!(r#"[{{"user": "a", "password_enabled": true, "mfa_active": {cell}}}]"#);
        let place = Workspace::new().file("r.json", row);
        let run = place.run("scan r.json --rule console-user-without-mfa --as-of 2026-11-20 --format csv --status undetermined");
        run.says("cannot be determined");
    }
}

#[test]
fn rows_without_a_flag_are_not_a_report() {
    let users = r#"{"Users": [{"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a",
        "CreateDate": "2024-01-10T09:00:00Z", "PasswordLastUsed": "2026-11-18T08:12:33Z"}]}"#;
    let place = Workspace::new().file("users.json", users).file(
        "users.csv",
        "user_name,user_arn,password_last_used\na,arn:aws:iam::111122223333:user/a,N/A\n",
    );
    place.run("scan users.json").ends(3, "JSON without a report");
    place.run("scan users.csv").ends(3, "a part of the header");
}

#[test]
fn the_time_of_generation_in_a_column_is_the_as_of() {
    let report = |times: [&str; 2]| {
        format!(
            "user_name,user_arn,generated_time,mfa_active,password_enabled\n\
             <root_account>,arn:aws:iam::111122223333:root,{},true,true\n\
             a,arn:aws:iam::111122223333:user/a,{},false,true\n",
            times[0], times[1]
        )
    };
    let time = "2026-11-20T03:01:45Z";
    let place = Workspace::new()
        .file("2020-01-01.csv", report([time, time]))
        .file("two.csv", report([time, "2026-11-20T04:00:00Z"]));
    let run = place.run("scan 2020-01-01.csv --format json");
    run.says("\"as_of\":\"2026-11-20T03:01:45Z\",\"as_of_source\":\"generated\"");
    assert!(!run.stderr.contains("several-times"), "{run:#?}");
    let run = place.run("scan two.csv --format json");
    run.says("\"as_of\":\"2026-11-20T03:01:45Z\"");
    run.ends(
        1,
        "two.csv: its rows were generated between 2026-11-20T03:01:45Z and 2026-11-20T04:00:00Z, and all ages are counted to \
         2026-11-20T03:01:45Z",
    );
    let run = place.run("scan two.csv --as-of 2026-11-21 --format json");
    assert!(!run.stderr.contains("several-times"), "{run:#?}");
}

#[test]
fn columns_of_merged_and_enriched_reports() {
    let report = "AccountId,account_name,user,arn,password_enabled,mfa_active,access_key_1_active,\
        access_key_1_last_rotated,access_key_1_id,access_key_2_active,access_key_2_last_rotated,AccessKey2Id\n\
        111122223333,prod,alice,arn:aws:iam::111122223333:user/alice,true,false,true,2020-01-01,AKIAEXAMPLE1,true,\
        2020-01-01T00:00:01Z,AKIAEXAMPLE2\n\
        444455556666,dev,bob,,true,false,false,N/A,,false,N/A,\n";
    let place = Workspace::new().file("merged.csv", report);
    let args = "scan merged.csv --as-of 2026-11-20 --rule console-user-without-mfa --rule access-key-not-rotated --format csv";
    let run = place.run(args);
    let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
    let found: Vec<[String; 5]> = rows
        .records()
        .map(|row| {
            let row = row.unwrap();
            [1, 6, 7, 8, 11].map(|at| row[at].to_owned())
        })
        .collect();
    assert_eq!(
        found,
        [
            [
                "access-key-not-rotated",
                "111122223333",
                "prod",
                "alice",
                "AKIAEXAMPLE1"
            ],
            [
                "access-key-not-rotated",
                "111122223333",
                "prod",
                "alice",
                "AKIAEXAMPLE2"
            ],
            ["console-user-without-mfa", "111122223333", "prod", "alice", ""],
            ["console-user-without-mfa", "444455556666", "dev", "bob", ""],
        ]
    );
    assert!(!run.stderr.contains("unknown-columns"), "{run:#?}");
}

/// A column of accounts may have their names.
#[test]
fn a_column_of_accounts_has_ids_or_names() {
    let report = "Account,user,password_enabled,mfa_active\nprod,alice,true,false\n123456789012,bob,true,false\n12,c,true,false\n";
    let place = Workspace::new().file("merged.csv", report);
    let run = place.run("scan merged.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
    let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
    let found: Vec<[String; 2]> = rows
        .records()
        .map(|row| [6, 7].map(|at| row.as_ref().unwrap()[at].to_owned()))
        .collect();
    assert_eq!(found, [["", "prod"], ["123456789012", ""], ["", ""]]);
}

/// The newest snapshot of an account counts, also where only a column names the account.
#[test]
fn accounts_in_columns_are_chosen_and_left_out() {
    let report = |mfa: &str| {
        format!(
            "account_id,user,password_enabled,mfa_active\n111122223333,alice,true,{mfa}\n444455556666,bob,true,true\n"
        )
    };
    let place = Workspace::new()
        .file("in/2026-11-19.csv", report("false"))
        .file("in/2026-11-20.csv", report("true"));
    let run = place.run("scan in --rule console-user-without-mfa --format json");
    run.ends(0, "2 snapshots of 2 accounts left out (2 older)");
}

#[test]
fn a_misspelled_column_is_named_before_what_follows() {
    let report =
        "user,arn,password_enabled,mfa_actve\nalice,arn:aws:iam::111122223333:user/alice,true,false\n";
    let place = Workspace::new().file("r.csv", report);
    let run = place.run("scan r.csv --as-of 2026-11-20 --format csv");
    let [meant, missing] = ["did you mean 'mfa_active'?", "missing columns"].map(|words| {
        run.stderr
            .find(words)
            .unwrap_or_else(|| panic!("{words}: {run:#?}"))
    });
    assert!(meant < missing, "{run:#?}");
}

#[test]
fn lines_for_programs_before_the_header() {
    let expected = verdicts("r.csv", csv_of(str::to_owned));
    for before in ["#TYPE System.Management.Automation.PSCustomObject\r\n", "sep=,\n"] {
        assert_eq!(
            verdicts("r.csv", format!("{before}{}", csv_of(str::to_owned))),
            expected
        );
    }
}

#[test]
fn wrappers_are_refused_by_their_name() {
    let coloured = "\u{1b}[1;39m{\n  \u{1b}[0m\u{1b}[34;1m\"Content\"\u{1b}[0m: \"dXNlcixhcm4s\"}";
    let workbook = b"PK\x03\x04\x14\0\0\0[Content_Types].xml xl/workbook.xml".to_vec();
    let place = Workspace::new()
        .file("c.json", coloured)
        .file("w.xlsx", &workbook)
        .file("b.txt", "b'user,arn,mfa_active\\nalice,x,true'");
    place.run("scan c.json").ends(3, "the colours of a terminal");
    place
        .run("scan w.xlsx")
        .ends(3, "save the sheet with the report as CSV");
    place.run("scan b.txt").ends(3, "a Python bytes literal");
}

/// Spreadsheets and programs change ids: what is left of one still distinguishes accounts, and a warning says so.
#[test]
fn account_ids_that_programs_changed() {
    let scan = |id: &str| {
        let report = format!("account_id,user,password_enabled,mfa_active\n{id},alice,true,false\n");
        let place = Workspace::new().file("r.csv", report);
        let run = place.run("scan r.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
        let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
        let row = rows.records().next().unwrap().unwrap();
        (
            row[6].to_owned(),
            row[7].to_owned(),
            run.stderr.contains("[unclear-account]"),
        )
    };
    let found = |account: &str, name: &str, is_unclear| (account.to_owned(), name.to_owned(), is_unclear);
    assert_eq!(scan("111122223333"), found("111122223333", "", false));
    assert_eq!(scan("111122223333.0"), found("111122223333", "", false));
    assert_eq!(scan("'111122223333"), found("111122223333", "", false));
    assert_eq!(scan("11122223333"), found("11122223333", "", true));
    assert_eq!(scan("1.11E+11"), found("", "", true));
    let other = "account_id,user,arn,password_enabled,mfa_active\n\
        444455556666,alice,arn:aws:iam::111122223333:user/alice,true,false\n";
    let place = Workspace::new().file("r.csv", other);
    let run = place.run("scan r.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
    run.says("111122223333").ends(
        1,
        "the account of 1 row is another one in its column than in the ARN, which counts",
    );
}

#[test]
fn a_column_of_accounts_beside_one_of_ids_has_names() {
    for header in ["account_id,Account", "Account,account_id"] {
        let mut cells = ["111122223333", "prod"];
        if header.starts_with('A') {
            cells.reverse();
        }
        let report = format!(
            "{header},user,password_enabled,mfa_active\n{},alice,true,false\n",
            cells.join(",")
        );
        let place = Workspace::new().file("r.csv", report);
        let run = place.run("scan r.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
        run.says(",111122223333,prod,alice,");
    }
}

/// Without an ARN the account is a part of who a user is.
#[test]
fn findings_of_two_accounts_have_ids_of_their_own() {
    let report =
        "account_name,user,password_enabled,mfa_active\nprod,alice,true,false\ndev,alice,true,false\n";
    let place = Workspace::new().file("r.csv", report);
    let run = place.run("scan r.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
    let mut rows = csv::Reader::from_reader(run.stdout.as_bytes());
    let ids: std::collections::BTreeSet<String> =
        rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(ids.len(), 2, "{run:#?}");
}

#[test]
fn reports_whose_accounts_only_a_column_tells_apart_are_not_compared() {
    let report = "account_id,user,password_enabled,mfa_active\n111122223333,alice,true,false\n";
    let place = Workspace::new()
        .file("2026-11-19.csv", report)
        .file("2026-11-20.csv", report);
    place
        .run("diff 2026-11-19.csv 2026-11-20.csv")
        .ends(3, "add the column 'arn'");
    place
        .run("trend 2026-11-19.csv 2026-11-20.csv")
        .ends(3, "add the column 'arn'");
    assert_eq!(
        place
            .run("scan 2026-11-19.csv --rule console-user-without-mfa")
            .status,
        1
    );
}

/// Beside another input, no page of a report is taken for an older snapshot.
#[test]
fn pages_of_one_report_count_together() {
    let row = |user: &str, arn: &str, password: bool| {
        format!(
            r#"{{"user":"{user}","arn":"arn:aws:iam::111122223333:{arn}","password_enabled":{password},"mfa_active":false}}"#
        )
    };
    let rows = [
        row("<root_account>", "root", false),
        row("a", "user/a", true),
        row("b", "user/b", true),
    ];
    let header = "user,arn,password_enabled,mfa_active";
    let other = format!("{header}\n<root_account>,arn:aws:iam::444455556666:root,false,true\n");
    let page = |rows: &str| format!("{header}\n{rows}\n");
    let csv = [
        page(
            "<root_account>,arn:aws:iam::111122223333:root,false,true\na,arn:aws:iam::111122223333:user/a,true,false",
        ),
        page("b,arn:aws:iam::111122223333:user/b,true,false"),
    ];
    for (name, content) in [
        ("p.json", format!("[[{}],[{},{}]]", rows[0], rows[1], rows[2])),
        (
            "p.json",
            rows.iter()
                .map(|row| format!(r#"{{"result":{row}}}"#))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        (
            "p.json",
            format!(
                r#"{{"hits":[{{"_source":{}}},{{"_source":{}}},{{"_source":{}}}]}}"#,
                rows[0], rows[1], rows[2]
            ),
        ),
        ("p.csv", csv.concat()),
    ] {
        let place = Workspace::new().file(name, &content).file("other.csv", &other);
        let args =
            format!("scan {name} other.csv --as-of 2026-11-20 --rule console-user-without-mfa --format csv");
        let run = place.run(args.as_str());
        let users = csv::Reader::from_reader(run.stdout.as_bytes()).records().count();
        assert_eq!(users, 2, "{content}: {run:#?}");
        assert!(!run.stderr.contains("doubtful"), "{content}: {run:#?}");
    }
}

#[test]
fn rows_that_were_generated_earlier_displace_no_newer_snapshot() {
    let header = "user,arn,generated_time,password_enabled,mfa_active";
    let merged = format!(
        "{header}\n<root_account>,arn:aws:iam::111122223333:root,2026-11-20T00:00:00Z,true,true\n\
         <root_account>,arn:aws:iam::444455556666:root,2026-11-10T00:00:00Z,true,true\n"
    );
    let newer =
        "user,arn,password_enabled,mfa_active\n<root_account>,arn:aws:iam::444455556666:root,true,false\n";
    let place = Workspace::new()
        .file("m.csv", merged)
        .file("b-2026-11-15.csv", newer);
    let run = place.run("scan m.csv b-2026-11-15.csv --rule root-without-mfa --format json");
    assert_eq!(run.status, 1, "{run:#?}");
}

#[test]
fn zero_times_of_generation_are_none() {
    for time in ["", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "N/A"] {
        let report = format!("user,generated_time,mfa_active\nalice,{time},true\n");
        let place = Workspace::new().file("2026-11-19.csv", report);
        let run = place.run("scan 2026-11-19.csv --format json");
        run.says("\"as_of\":\"2026-11-19T23:59:59Z\",\"as_of_source\":\"file-name\"");
    }
}

#[test]
fn a_second_header_in_other_words_begins_a_report() {
    let report = "User,Arn,Password Enabled,MFA Active\na,arn:aws:iam::111122223333:user/a,true,true\n\
        User,Arn,MFA Active,Password Enabled\nb,arn:aws:iam::444455556666:user/b,false,false\n\
        user,arn,mfaActive,passwordEnabled\nc,arn:aws:iam::777788889999:user/c,true,false\n";
    let place = Workspace::new().file("r.csv", report);
    let run = place.run("scan r.csv --as-of 2026-11-20 --rule console-user-without-mfa --format json");
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(run.stdout.matches("\"users\":1").count(), 3, "{run:#?}");
}
