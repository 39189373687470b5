use super::*;
use crate::report::time::Timestamp;

const CSV: &[u8] = b"user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,true";
const BASE64: &str =
    "dXNlcixhcm4sbWZhX2FjdGl2ZQphbGljZSxhcm46YXdzOmlhbTo6MTExMTIyMjIzMzMzOnVzZXIvYWxpY2UsdHJ1ZQ==";

/// The one report of a text, or what is wrong with it.
fn one(shape: Shape, text: &[u8]) -> Result<Unwrapped, NotAReport> {
    let Reports { mut reports, error } = open(shape, text);
    if let Some(error) = error {
        return Err(error);
    }
    assert_eq!(reports.len(), 1);
    Ok(reports.remove(0))
}

fn opened(text: &[u8]) -> Result<(Envelope, Option<String>), NotAReport> {
    let report = one(sniff(text), text)?;
    assert_eq!(
        String::from_utf8_lossy(&report.csv),
        String::from_utf8_lossy(CSV),
        "{}",
        String::from_utf8_lossy(text)
    );
    Ok((report.kind, report.generated.time().map(|time| time.to_string())))
}

fn check(text: &str, kind: Envelope, generated: Option<&str>) {
    let expected = Ok((kind, generated.map(str::to_owned)));
    assert_eq!(opened(text.as_bytes()), expected, "{text}");
    assert_eq!(
        opened(format!("\u{feff}{text}").as_bytes()),
        expected,
        "with BOM: {text}"
    );
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let utf16: Vec<u8> = format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(to_bytes)
            .collect();
        assert_eq!(sniff(&utf16), Shape::Utf16);
        assert_eq!(opened(&utf16), expected, "as UTF-16: {text}");
    }
}

#[test]
fn csv_is_unchanged() {
    check(str::from_utf8(CSV).unwrap(), Envelope::Csv, None);
    for header in [
        "\"user\",\"arn\",\"mfa_active\"\n",
        "\"user\";\"arn\"\n",
        "\"user\"\t\"arn\"\n",
        "\"user,arn,mfa_active\"\n\"alice,x,true\"",
        "arn\tuser\tmfa_active\n",
        "user\n",
        "account\tuser\n",
        "access_key_1_active,user\n",
        "",
        "\"",
        "<html>",
    ] {
        let shape = if header == "\"" {
            Shape::JsonString
        } else {
            Shape::Csv
        };
        assert_eq!(sniff(header.as_bytes()), shape, "{header}");
    }
}

#[test]
fn json_in_any_order() {
    let time = "2026-11-21T03:04:05Z";
    for generated in [
        r#""2026-11-21T03:04:05+00:00""#,
        r#""2026-11-21T03:04:05Z""#,
        r#""2026-11-21 03:04:05.678+00:00""#,
        "1795230245",
        "1795230245.678",
        "1795230245678",
        r#"{"__class__":"datetime","year":2026,"month":11,"day":21,"hour":3,"minute":4,"second":5,"microsecond":7}"#,
    ] {
        let inner = format!(r#"{{"GeneratedTime":{generated},"x":[{{}}],"Content":"{BASE64}"}}"#);
        check(&inner, Envelope::Json, Some(time));
        check(
            &format!(r#"{{"status_code":200,"data":{inner}}}"#),
            Envelope::Json,
            Some(time),
        );
        let plain = serde_json::to_string(str::from_utf8(CSV).unwrap()).unwrap();
        check(
            &format!("{{\n \"Content\" : {plain},\n\"GeneratedTime\":{generated}}}\n"),
            Envelope::Json,
            Some(time),
        );
    }
}

#[test]
fn json_opens_whatever_its_time_is() {
    for generated in [
        "null",
        "true",
        "[1]",
        "{}",
        r#"{"year":2026}"#,
        r#""soon""#,
        "-1",
        "1e300",
        "18446744073709551615",
    ] {
        check(
            &format!(r#"{{"Content":"{BASE64}","GeneratedTime":{generated}}}"#),
            Envelope::Json,
            None,
        );
    }
    check(&format!(r#"{{"Content":"{BASE64}"}}"#), Envelope::Json, None);
}

/// Text in place of a time is reported as unreadable; a missing time is not.
#[test]
fn unreadable_and_missing_times() {
    let generated = |text: &str| one(sniff(text.as_bytes()), text.as_bytes()).unwrap().generated;
    let json = |time: &str| generated(&format!(r#"{{"Content":"{BASE64}","GeneratedTime":{time}}}"#));
    let text = |time: &str| generated(&format!("{BASE64}\t{time}\ttext/csv"));
    let yaml = |time: &str| generated(&format!("Content: {BASE64}\nGeneratedTime: {time}\n"));
    let unreadable = [
        json("\"soon\\u001b\""),
        json("-1"),
        json("1e300"),
        json("18446744073709551615"),
        json("true"),
        json("[1]"),
        json("{\"year\":2026}"),
        text("21 Nov 2026"),
        yaml("'21 Nov 2026'"),
    ];
    let written = unreadable.map(|generated| match generated {
        Generated::Unreadable(written) => written,
        other @ (Generated::Missing | Generated::At(_)) => panic!("{other:?}"),
    });
    insta::assert_snapshot!(written.join("\n"), @r"
    soon\x1b
    -1
    1e300
    1.8446744073709552e19
    true
    a list
    an object
    21 Nov 2026
    21 Nov 2026
    ");
    for missing in [
        json("null"),
        json("\"\""),
        text(""),
        text("None"),
        yaml(""),
        yaml("null"),
        yaml("Null # missing"),
        generated(&format!("{BASE64}\ttext/csv")),
        generated(BASE64),
    ] {
        assert_eq!(missing, Generated::Missing);
    }
    for time in [
        "2026-01-01T00:00:00Z # generated",
        "2026-01-01 01:00:00 +01:00",
        "2026-01-01 00:00:00 Z",
    ] {
        assert_eq!(yaml(time), Generated::At(Timestamp(1_767_225_600)), "{time}");
    }
}

#[test]
fn text_output_of_the_cli() {
    let time = Some("2026-11-21T03:04:05Z");
    check(
        &format!("{BASE64}\t2026-11-21T03:04:05+00:00\ttext/csv\n"),
        Envelope::Text,
        time,
    );
    check(&format!("{BASE64}\n"), Envelope::Base64, None);
    check(BASE64.trim_end_matches('='), Envelope::Base64, None);
    check(&format!("\"{BASE64}\"\n"), Envelope::Json, None);
    check(
        &format!("{}\r\n{}\r\n", &BASE64[..64], &BASE64[64..]),
        Envelope::Base64,
        None,
    );
    let plain = serde_json::to_string(str::from_utf8(CSV).unwrap()).unwrap();
    check(&plain, Envelope::Json, None);
}

#[test]
fn yaml_output_of_the_cli() {
    let time = Some("2026-11-21T03:04:05Z");
    for content in [
        BASE64.to_owned(),
        format!("'{BASE64}'"),
        format!("\"{BASE64}\""),
        format!("!!binary |\n  {}\n  {}", &BASE64[..60], &BASE64[60..]),
        format!("|\n  {}", str::from_utf8(CSV).unwrap().replace('\n', "\n  ")),
    ] {
        let rest = "GeneratedTime: '2026-11-21T03:04:05+00:00'\nReportFormat: text/csv\n";
        check(&format!("Content: {content}\n{rest}"), Envelope::Yaml, time);
        check(&format!("---\n{rest}Content: {content}\n"), Envelope::Yaml, time);
    }
}

#[test]
fn envelopes_without_a_report() {
    for (text, found) in [
        ("{", "JSON without a report (EOF"),
        ("{}", "JSON without a report; save"),
        ("[1]", "JSON without a report; save"),
        (
            r#"{"Content":5}"#,
            "JSON without a report (its Content is not text",
        ),
        (r#"{"Content":""}"#, "an empty file"),
        (r#"{"data":[1],"schema":{}}"#, "JSON without a report; save"),
        (
            r#"{"data":[1],"schema":"credlens.x/v1"}"#,
            "an output of credlens",
        ),
        (
            "{\"schema\":\"credlens.x/v1\"}\n{\"schema\":\"credlens.x/v1\"}",
            "an output of credlens",
        ),
        (r#"["111122223333", "x"]"#, "JSON without a report; save"),
        (
            r#"{"mfa_active":1,"data":[1]}"#,
            "JSON without a report (it has no Content)",
        ),
        (
            r#"{"Error":{"Code":"x"}}"#,
            "JSON without a report (an error of AWS)",
        ),
        (r#"{"a":1"#, "JSON without a report (EOF"),
        (r#"{"a":1,}"#, "JSON without a report (trailing comma"),
        (
            "[[suppress]]\nrule = \"x\"\n",
            "text that starts with '[[suppress]]'",
        ),
        ("[default]\n", "text that starts with '[default]'"),
        ("[![a](b)](c)", "text that starts with '[![a](b)](c)'"),
        ("{'a': 1}", "text that starts with"),
        (
            "{'Content': b'user,arn'}",
            "a report written as a Python bytes literal",
        ),
        (
            r#"{"State":"STARTED","Description":"x"}"#,
            "the response of 'aws iam generate",
        ),
        ("ReportFormat: text/csv\n", "YAML without a Content"),
        ("dXNlcixhcm4sbWZhX2FjdGl2ZQ===x", "its base64 is damaged"),
        ("dXNlcixhcm4sbWZhX2FjdGl2ZQ \u{1b}", "its base64 is damaged"),
    ] {
        let message = one(sniff(text.as_bytes()), text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(message.starts_with(found), "{text}: {message}");
    }
    for utf16 in [
        &b"\xff\xfe"[..],
        b"\xff\xfea",
        b"\xff\xfe\x00\xd8",
        b"\xfe\xff\x00a\x00",
    ] {
        let result = one(sniff(utf16), utf16);
        assert!(result.is_err() || utf16.len() == 2, "{utf16:?}");
    }
}

#[test]
fn deep_json_is_refused() {
    let deep = r#"{"data":"#.repeat(100_000);
    assert!(one(Shape::Json, deep.as_bytes()).is_err());
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    assert!(one(Shape::Json, deep.as_bytes()).is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_opened_or_refused(text in "[\"{}:,=|'\\\\a\t\n \u{feff}]{0,30}") {
        for shape in [Shape::Csv, Shape::Json, Shape::JsonString, Shape::Yaml, Shape::Base64, Shape::Utf16] {
            drop(open(shape, text.as_bytes()));
        }
        drop(open(sniff(text.as_bytes()), text.as_bytes()));
    }
}

/// The contents of several reports, their times, and what is wrong behind them.
fn several(text: &str) -> (Vec<String>, Vec<Option<String>>, Option<NotAReport>) {
    let Reports { reports, error } = open(sniff(text.as_bytes()), text.as_bytes());
    let csv = reports
        .iter()
        .map(|report| String::from_utf8_lossy(&report.csv).into_owned());
    let times = reports
        .iter()
        .map(|report| report.generated.time().map(|time| time.to_string()));
    (csv.collect(), times.collect(), error)
}

/// Two reports, of which the second is of another account.
fn two() -> [String; 2] {
    let first = String::from_utf8(CSV.to_vec()).unwrap();
    [first.clone(), first.replace("111122223333", "444455556666")]
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn answers_one_after_another_are_all_read() {
    let [a, b] = two();
    let times = [
        Some("2026-11-01T00:00:00Z".to_owned()),
        Some("2026-11-02T00:00:00Z".to_owned()),
    ];
    let both = (vec![a.clone(), b.clone()], times.to_vec(), None);
    let json = |csv: &str, day: &str| {
        format!(
            r#"{{"Content": "{}", "ReportFormat": "text/csv", "GeneratedTime": "2026-11-{day}T00:00:00Z"}}"#,
            base64(csv)
        )
    };
    let (one, other) = (json(&a, "01"), json(&b, "02"));
    for text in [
        format!("{one}\n{other}\n"),
        format!("{one}{other}"),
        format!("[{one},{other}]"),
        format!("{one}\n\u{feff}{other}"),
        format!(r#"{{"State": "COMPLETE"}}{one}{{"State": "COMPLETE"}}{other}"#),
    ] {
        assert_eq!(several(&text), both, "{text}");
    }
    let text = |csv: &str, day: &str| format!("{}\t2026-11-{day}T00:00:00+00:00\ttext/csv\n", base64(csv));
    assert_eq!(several(&(text(&a, "01") + &text(&b, "02"))), both);
    let yaml = |csv: &str, day: &str| {
        format!(
            "Content: {}\nGeneratedTime: '2026-11-{day}T00:00:00+00:00'\nReportFormat: text/csv\n",
            base64(csv)
        )
    };
    for between in ["", "---\n", "...\n---\n"] {
        assert_eq!(
            several(&format!("{}{between}{}", yaml(&a, "01"), yaml(&b, "02"))),
            both,
            "{between}"
        );
    }
}

#[test]
fn base64_lines_are_one_report_or_several() {
    let [a, b] = two();
    let none = vec![None, None];
    let both = || (vec![a.clone(), b.clone()], none.clone(), None);
    assert_eq!(several(&format!("{}\n{}\n", base64(&a), base64(&b))), both());
    assert_eq!(
        several(&format!("\"{}\"\n\"{}\"\n", base64(&a), base64(&b))),
        both()
    );
    for width in [20, 57, 76] {
        let wrapped = |text: &str| {
            let lines: Vec<String> = base64(text)
                .as_bytes()
                .chunks(width)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            lines.join("\n")
        };
        assert_eq!(
            several(&format!("{}\n{}", wrapped(&a), wrapped(&b))),
            both(),
            "{width}"
        );
        assert_eq!(several(&wrapped(&a)).0, std::slice::from_ref(&a));
    }
}

#[test]
fn text_after_an_envelope_is_an_error() {
    let [a, _] = two();
    let json = format!(r#"{{"Content": "{}"}}"#, base64(&a));
    for (text, found) in [
        (format!("{json} rest"), "behind a report there is something else"),
        (
            format!("{json}{{\"Content\": \"dXNl"),
            "behind a report there is something else",
        ),
        (format!("{}\n-- rest --\n", base64(&a)), "its base64 is damaged"),
        (
            format!("Content: {}\nrest\n", base64(&a)),
            "YAML without a Content",
        ),
    ] {
        let (reports, _, error) = several(&text);
        assert_eq!(reports, std::slice::from_ref(&a), "{text}");
        assert!(
            error.is_some_and(|error| error.to_string().starts_with(found)),
            "{text}"
        );
    }
}

#[test]
fn json_of_something_else_and_what_may_be_a_report() {
    for (text, expected) in [
        (
            r#"{"schema": "credlens.assessment/v1", "findings": [{"evidence": {"mfa_active": "false"}}]}"#,
            NotAReport::OwnOutput,
        ),
        (
            "{\"schema\": \"credlens.finding/v1\"}\n{\"schema\": \"credlens.finding/v1\"}",
            NotAReport::OwnOutput,
        ),
        (r#"{"Users": []}"#, NotAReport::OtherJson),
        ("[1, null, true, [2.5]]", NotAReport::OtherJson),
        (r#"{"State": "COMPLETE"}"#, NotAReport::Generation),
        (
            r#"{"ReportFormat": "text/csv"}"#,
            NotAReport::Json("it has no Content".to_owned()),
        ),
        (
            r#"[{"name": "a", "mfa_active": true}]"#,
            NotAReport::Json("it has no Content".to_owned()),
        ),
        (r#"{"Content": ""}"#, NotAReport::Empty),
    ] {
        assert_eq!(several(text).2, Some(expected), "{text}");
    }
}
