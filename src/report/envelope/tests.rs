use super::*;
use crate::report::time::Timestamp;

const CSV: &[u8] = b"user,arn,mfa_active\nalice,arn:aws:iam::111122223333:user/alice,true";
const BASE64: &str =
    "dXNlcixhcm4sbWZhX2FjdGl2ZQphbGljZSxhcm46YXdzOmlhbTo6MTExMTIyMjIzMzMzOnVzZXIvYWxpY2UsdHJ1ZQ==";

fn opened(text: &[u8]) -> Result<(Envelope, Option<String>), NotAReport> {
    let report = open(sniff(text), text)?;
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
    let generated = |text: &str| open(sniff(text.as_bytes()), text.as_bytes()).unwrap().generated;
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
    soon?
    -1
    1e300
    18446744073709551615
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
        ("{}", "JSON without a report (it has no Content)"),
        ("[1]", "JSON without a report (invalid type"),
        (r#"{"Content":5}"#, "JSON without a report (invalid type"),
        (r#"{"Content":""}"#, "an empty file"),
        (
            r#"{"State":"STARTED","Description":"x"}"#,
            "the response of 'aws iam generate",
        ),
        ("ReportFormat: text/csv\n", "YAML without a Content"),
        ("dXNlcixhcm4sbWZhX2FjdGl2ZQ===x", "its base64 is damaged"),
        ("dXNlcixhcm4sbWZhX2FjdGl2ZQ \u{1b}", "its base64 is damaged"),
    ] {
        let message = open(sniff(text.as_bytes()), text.as_bytes())
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
        let result = open(sniff(utf16), utf16);
        assert!(result.is_err() || utf16.len() == 2, "{utf16:?}");
    }
}

#[test]
fn deep_json_is_refused() {
    let deep = r#"{"data":"#.repeat(100_000);
    assert!(open(Shape::Json, deep.as_bytes()).is_err());
    let deep = format!(r#"{{"x":{}"#, "[".repeat(100_000));
    assert!(open(Shape::Json, deep.as_bytes()).is_err());
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
