use super::*;

const ROW: &str = "alice,arn:aws:iam::111122223333:user/alice,2021-01-02T03:04:05Z,true,N/A,N/A,N/A,false,true,\
    N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";

fn header() -> String {
    let columns = Column::ALL
        .into_iter()
        .filter(|&column| !Column::OPTIONAL.contains(column));
    columns.map(Column::name).collect::<Vec<_>>().join(",")
}

#[test]
fn messages_say_what_the_input_is() {
    for (bytes, found) in [
        (&b" \n"[..], "an empty file"),
        (b"name,age\nx,1\n", "a CSV with 2 columns ('name', 'age')"),
        (b"# Notes\n- x, y\n", "text that starts with '# Notes', not"),
        (b"<!DOCTYPE html><p>", "an HTML page"),
        (b"<?xml version='1.0'?><project>", "an XML document"),
        (
            b"<?xml version='1.0'?><ErrorResponse>",
            "a response of AWS in XML",
        ),
        (b"PK\x03\x04rest", "a zip archive; unpack it first"),
        (
            b"PK\x03\x04..[Content_Types].xml..xl/workbook.xml",
            "a workbook of a spreadsheet program; open it",
        ),
        (
            b"\x1b[1;39m{\x1b[0m\"Content\": 1}",
            "text with the colours of a terminal",
        ),
        (
            b"\x1b[32muser\x1b[0m,arn,mfa_active,password_enabled",
            "text with the colours of a terminal",
        ),
        (b"BZh9", "bzip2 data; unpack it first"),
        (b"\x89PNG\r\n", "a picture"),
        (b"PAR1....", "Parquet data"),
        (b"\x7fELF\x00\x01\x02", "binary data"),
        (b"u\0s\0e\0r\0", "damaged UTF-16, or UTF-16 without"),
        (
            b"\nAn error occurred (ReportNotPresent) when calling",
            "a message of the AWS CLI",
        ),
        (b"---\n|  GetCredentialReport  |", "a table drawn by the AWS CLI"),
        (
            b"b'user,arn\\nalice'",
            "a report written as a Python bytes literal",
        ),
        (
            b"{'Content': b'user,arn\\nalice'}",
            "a report written as a Python bytes literal",
        ),
        (b"id,rule,parameters,title\n", "an output of credlens"),
    ] {
        let message = recognise(bytes).to_string();
        assert!(message.starts_with(found), "{message}");
    }
}

#[test]
fn messages_are_bounded_and_without_control_characters() {
    let hostile = format!("\x1b[31m\u{202e}{},b,c,d,e", "x".repeat(5_000));
    let message = recognise(hostile.as_bytes()).to_string();
    assert!(message.chars().count() < 250, "{message}");
    assert!(!message.contains(['\x1b', '\u{202e}']), "{message}");
}

#[test]
fn parts_of_a_report_are_not_something_else() {
    let header = header();
    let lines = |parts: &[&str]| parts.join("\n");
    let broken = |text: &str, found: NotAReport| {
        assert_eq!(recognise(text.as_bytes()), found, "{text}");
        assert!(!found.is_other_data());
    };
    for length in [1, 4, 5, 8, 9, 20] {
        broken(&header[..length], NotAReport::PartOfHeader);
    }
    broken("user,arn\nalice,x", NotAReport::PartOfHeader);
    broken(&header.replace(',', "|"), NotAReport::PartOfHeader);
    broken(&header.replace(',', " "), NotAReport::PartOfHeader);
    broken(&format!("\"{header}\\nx\" x"), NotAReport::EscapedLineBreaks);
    broken(&lines(&[ROW, ROW]), NotAReport::Headerless);
    broken(&ROW.replace("alice", ROOT), NotAReport::Headerless);
    broken(&format!("0,{ROW}"), NotAReport::Headerless);
    broken(&ROW.replace(',', "\t"), NotAReport::Headerless);
    broken(&lines(&["04:05Z,false,N/A", ROW]), NotAReport::Headerless);
    let before = lines(&["Report of 2026-11-20", "", &header, ROW, ROW]);
    broken(&before, NotAReport::LinesBefore);
}

#[test]
fn pages_about_reports_are_something_else() {
    let header = header();
    for text in [
        &*format!("# Reports\n```\n{header}\n{ROW}\n```\nThese are the columns.\n"),
        "rule = [\"mfa\", \"key\"]\n# access_key_1_active\n",
        "user,team\nalice,red\n",
        "user\nalice\n",
        "arn:aws:iam::111122223333:user/alice\narn:aws:iam::111122223333:user/bob\n",
        "The column mfa_active, in short.\n",
    ] {
        let found = recognise(text.as_bytes());
        assert!(
            found.is_other_data() || found == NotAReport::Parts,
            "{text}: {found}"
        );
    }
}
