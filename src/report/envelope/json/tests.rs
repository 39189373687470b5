use serde_json::json;

use super::*;

const CSV: &str = "user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,false";

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// The reports in a text, and what is wrong with it.
fn opened(text: &str) -> (Vec<String>, Option<NotAReport>) {
    let Reports { reports, error } = open(text.as_bytes());
    let reports = reports
        .into_iter()
        .map(|report| String::from_utf8(report.csv).unwrap());
    (reports.collect(), error)
}

fn reads(text: &str, expected: &[&str]) {
    let (reports, error) = opened(text);
    assert_eq!(error, None, "{text}");
    assert_eq!(reports, expected, "{text}");
}

#[test]
fn rows_in_all_their_forms() {
    let csv = "user,arn,mfa_active,password_last_used\n\
        <root_account>,arn:aws:iam::111122223333:root,true,\n\
        alice,arn:aws:iam::111122223333:user/alice,false,2026-11-20T00:00:00Z\n";
    let root = json!({"user": "<root_account>", "arn": "arn:aws:iam::111122223333:root", "mfa_active": true,
        "password_last_used": null});
    let alice = json!({"user": "alice", "arn": "arn:aws:iam::111122223333:user/alice", "mfa_active": false,
        "password_last_used": "2026-11-20T00:00:00Z"});
    let column = |name: &str| json!({"0": root[name], "1": alice[name]});
    let array = |name: &str| json!([root[name], alice[name]]);
    let names = ["user", "arn", "mfa_active", "password_last_used"];
    let row = |row: &serde_json::Value| names.map(|name| row[name].clone());
    for text in [
        json!([root, alice]).to_string(),
        format!("{root}\n{alice}\n"),
        json!({"data": [root, alice]}).to_string(),
        json!({"columns": [{"name": "user"}], "rows": [root, alice], "metadata": {"x": [1]}}).to_string(),
        json!({"iam": {"report": {"us-east-1": {"err": null, "data": [root, alice]}}}}).to_string(),
        json!({"0": root, "1": alice}).to_string(),
        json!({"user": column("user"), "arn": column("arn"), "mfa_active": column("mfa_active"),
            "password_last_used": column("password_last_used")})
        .to_string(),
        json!({"user": array("user"), "arn": array("arn"), "mfa_active": array("mfa_active"),
            "password_last_used": array("password_last_used")})
        .to_string(),
        json!({"columns": names, "index": [0, 1], "data": [row(&root), row(&alice)]}).to_string(),
    ] {
        // The names of members may be sorted.
        let (reports, error) = opened(&text);
        assert_eq!(error, None, "{text}");
        let [report] = &*reports else {
            panic!("{text}: {reports:?}")
        };
        let sorted = |csv: &str| {
            let mut columns: Vec<Vec<String>> = Vec::new();
            for record in csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(csv.as_bytes())
                .records()
            {
                for (at, cell) in record.unwrap().iter().enumerate() {
                    columns.resize(columns.len().max(at + 1), Vec::new());
                    columns[at].push(cell.to_owned());
                }
            }
            columns.sort();
            columns
        };
        assert_eq!(sorted(report), sorted(csv), "{text}");
    }
}

#[test]
fn cells_of_rows() {
    reads(
        r#"[{"user": "a,\"b\"\n", "mfa_active": 1, "password_last_used": 1700000000,
            "password_last_changed": 1700000000999, "user_creation_time": 17000000000, "owner": {"x": 1},
            "access_key_1_last_rotated": 1700000000.0, "cert_1_active": [true], "n": 1.5},
           {"user": "b", "mfa_active": "yes", "extra": true}]"#,
        &[
            "user,mfa_active,password_last_used,password_last_changed,user_creation_time,owner,access_key_1_last_rotated,\
             cert_1_active,n,extra\n\
             \"a,\"\"b\"\"\n\",1,2023-11-14T22:13:20Z,2023-11-14T22:13:20Z,17000000000,,2023-11-14T22:13:20Z,(a list),1.5,\n\
             b,yes,,,,,,,,true\n",
        ],
    );
}

#[test]
fn what_has_no_flag_is_no_row() {
    for text in [
        r#"{"Users": [{"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a", "PasswordLastUsed": "x"}]}"#,
        r#"[{"user": "a", "arn": "b"}]"#,
    ] {
        assert_eq!(opened(text), (vec![], Some(NotAReport::OtherJson)), "{text}");
    }
    let (_, error) = opened(r#"[{"name": "a", "mfa_active": true}]"#);
    assert_eq!(error, Some(NotAReport::Json("it has no Content".to_owned())));
}

#[test]
fn what_is_beside_rows_is_an_error() {
    let row = r#"{"user": "a", "mfa_active": true}"#;
    for text in [
        format!("[{row}, 5]"),
        format!("[{row}, {{\"x\": 1}}]"),
        format!("{row}\n{{\"x\": 1}}"),
    ] {
        let (reports, error) = opened(&text);
        assert_eq!(reports.len(), 1, "{text}");
        assert!(
            matches!(error, Some(NotAReport::BehindJson(_))),
            "{text}: {error:?}"
        );
    }
    // A row may lack flags where others have them.
    reads(
        &format!("[{row}, {{\"user\": \"b\"}}]"),
        &["user,mfa_active\na,true\nb,\n"],
    );
}

#[test]
fn reports_are_found_at_any_depth_and_none_is_dropped() {
    let other = CSV.replace("alice", "bob");
    let (one, two) = (base64(CSV), base64(&other));
    let bytes: Vec<u8> = CSV.bytes().collect();
    for text in [
        format!(r#"{{"Response": {{"Content": "{one}"}}}}"#),
        format!(r#"{{"content": "{one}"}}"#),
        format!(r#"{{"CredentialReport": "{one}"}}"#),
        format!(r#"["{one}"]"#),
        json!({"Content": bytes}).to_string(),
        json!({"Content": {"type": "Buffer", "data": bytes}}).to_string(),
    ] {
        reads(&text, &[CSV]);
    }
    for text in [
        format!(r#"{{"Content": "{one}", "data": {{"Content": "{two}"}}}}"#),
        format!(r#"{{"Content": "{one}", "Content": "{two}"}}"#),
        format!(r#"{{"Content": "{one}", "more": [{{"Content": "{two}"}}]}}"#),
    ] {
        reads(&text, &[CSV, &other]);
    }
}

#[test]
fn own_outputs_and_pages_are_not_searched() {
    let ours = json!({"schema": "credlens.finding/v1", "evidence": {"user": "a", "mfa_active": "false"}});
    assert_eq!(opened(&ours.to_string()), (vec![], Some(NotAReport::OwnOutput)));
    let page = r#"{"content": "Hello", "State": {"Name": "running"}}"#;
    assert_eq!(opened(page), (vec![], Some(NotAReport::OtherJson)));
    for (text, what) in [
        (r#"{"Content": null}"#, "its Content is not text"),
        (
            r#"{"message": "denied: iam:GetCredentialReport"}"#,
            "it has no Content",
        ),
    ] {
        assert_eq!(opened(text).1, Some(NotAReport::Json(what.to_owned())));
    }
    let policy = r#"{"Statement": [{"Action": ["iam:GetCredentialReport"]}]}"#;
    assert_eq!(opened(policy).1, Some(NotAReport::OtherJson));
}

#[test]
fn rows_lose_nothing_to_their_neighbours() {
    let row = |more: &str| format!(r#"{{"user": "a", "mfa_active": true{more}}}"#);
    // The first rows lack flags.
    reads(
        &format!(r#"[{{"user": "b"}}, {}]"#, row("")),
        &["user,mfa_active\nb,\na,true\n"],
    );
    // Other rows spell a column otherwise.
    reads(
        &format!(
            r#"[{}, {{"userName": "b", "mfaActive": false, "user": null}}]"#,
            row("")
        ),
        &["user,mfa_active\na,true\nb,false\n"],
    );
    reads(
        &format!(r#"[{}, {{"userName": "b", "mfaActive": false}}]"#, row("")),
        &["user,mfa_active\na,true\nb,false\n"],
    );
    // Search engines wrap each row; pages of one report are one report.
    reads(
        &format!(
            r#"{{"hits": [{{"_id": 1, "_source": {}}}, {{"_id": 2, "_source": {}}}]}}"#,
            row(""),
            row("")
        ),
        &["user,mfa_active\na,true\na,true\n"],
    );
    reads(
        &format!(
            r#"[{{"data": [{}]}}, {{"data": [{}]}}]"#,
            row(""),
            row(r#", "x": 1"#)
        ),
        &["user,mfa_active,x\na,true,\na,true,1\n"],
    );
    let dated = |day: u8| row(&format!(r#", "generated_time": "2026-11-0{day}T00:00:00Z""#));
    let (reports, _) = opened(&format!("[[{}], [{}], [{}]]", dated(1), dated(1), dated(2)));
    assert_eq!(reports.len(), 2, "{reports:?}");
    // Columns may have rows of their own.
    reads(
        r#"{"user": {"0": "a", "2": "b"}, "mfa_active": {"0": true, "1": false}}"#,
        &["user,mfa_active\na,true\nb,\n,false\n"],
    );
    // Types of values are not rows.
    let (_, error) = opened(r#"{"Items": [{"user": {"S": "a"}, "mfa_active": {"BOOL": true}}]}"#);
    assert_eq!(error, Some(NotAReport::Json("it has no Content".to_owned())));
    reads(
        r#"[["user", "mfa_active"], ["a", true], ["b"]]"#,
        &["user,mfa_active\na,true\nb,\n"],
    );
}

#[test]
fn an_error_beside_rows_is_one() {
    let row = r#"{"user": "a", "mfa_active": true}"#;
    for text in [
        format!(r#"{{"data": [{row}], "error": "throttled"}}"#),
        format!(r#"[{{"error": "throttled"}}, {row}]"#),
        format!(r#"[{{"account": 1, "rows": [{row}]}}, {{"account": 2, "error": "AccessDenied"}}]"#),
    ] {
        let (reports, error) = opened(&text);
        assert_eq!(reports.len(), 1, "{text}");
        assert!(
            matches!(error, Some(NotAReport::BehindJson(_))),
            "{text}: {error:?}"
        );
    }
    reads(
        &format!(r#"{{"data": [{row}], "err": null}}"#),
        &["user,mfa_active\na,true\n"],
    );
}

#[test]
fn what_python_writes_for_missing_numbers_is_null() {
    reads(
        r#"[{"user": "NaN\"", "mfa_active": true, "password_last_used": NaN, "n": -Infinity}]"#,
        &["user,mfa_active,password_last_used,n\n\"NaN\"\"\",true,,\n"],
    );
}

#[test]
fn times_of_generation_in_and_around_rows() {
    let time = |text: &str| {
        let reports = open(text.as_bytes()).reports;
        reports[0].generated.time().map(|time| time.to_string())
    };
    let expected = Some("2023-11-14T22:13:20Z".to_owned());
    for text in [
        r#"[{"user": "a", "mfa_active": true, "generated_time": "2023-11-14T22:13:20Z"}]"#,
        r#"[{"user": "a", "mfa_active": true, "generatedTime": null},
            {"user": "b", "mfa_active": true, "generatedTime": 1700000000}]"#,
        r#"{"GeneratedTime": "2023-11-14T22:13:20Z", "rows": [{"user": "a", "mfa_active": true}]}"#,
    ] {
        assert_eq!(time(text), expected, "{text}");
    }
    for zero in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] {
        let rows = format!(r#"[{{"user": "a", "mfa_active": true, "generated_time": "{zero}"}}]"#);
        assert_eq!(time(&rows), None, "{zero}");
        let answer = format!(r#"{{"Content": "{}", "GeneratedTime": "{zero}"}}"#, base64(CSV));
        assert_eq!(time(&answer), None, "{zero}");
    }
}
