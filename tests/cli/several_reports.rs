//! Several reports in one input, one after another, and inputs that only look like a report.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::snapshots::{A, B, HEADER, report, root, users};
use super::{Outcome, Workspace};

/// `as_of users` of each input, and `user@row` of each finding.
fn reports(run: &Outcome) -> (Vec<String>, Vec<String>) {
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let list = |key: &str| json[key].as_array().unwrap().clone();
    let input = |it: &Value| format!("{} {}", it["as_of"].as_str().unwrap(), it["users"]);
    let finding = |it: &Value| format!("{}@{}", it["user"].as_str().unwrap_or("?"), it["source"]["row"]);
    (
        list("inputs").iter().map(input).collect(),
        list("findings").iter().map(finding).collect(),
    )
}

#[track_caller]
fn scan(name: &str, text: impl AsRef<[u8]>) -> Outcome {
    let place = Workspace::new().file(name, text);
    place.run(&*format!(
        "scan {name} --rule console-user-without-mfa --format json --as-of 2026-06-01"
    ))
}

fn answer(csv: &str, generated: &str) -> String {
    json!({"Content": STANDARD.encode(csv), "GeneratedTime": generated, "ReportFormat": "text/csv"})
        .to_string()
}

#[test]
fn envelopes_one_after_another() {
    let (one, two) = (report(A, &["alice"]), report(B, &["bob", "carol"]));
    let (first, second) = ("2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z");
    let json = [answer(&one, first), answer(&two, second)];
    let text = |csv: &str, time: &str| format!("{}\t{time}\ttext/csv\n", STANDARD.encode(csv));
    let yaml =
        |csv: &str, time: &str| format!("Content: {}\nGeneratedTime: '{time}'\n", STANDARD.encode(csv));
    for (name, input) in [
        ("lines.json", json.join("\n")),
        ("glued.json", json.concat()),
        ("marked.json", json.join("\n\u{feff}")),
        ("array.json", format!("[{}]", json.join(","))),
        ("lines.txt", text(&one, first) + &text(&two, second)),
        (
            "documents.yaml",
            yaml(&one, first) + "---\n" + &yaml(&two, second),
        ),
        ("repeated.yaml", yaml(&one, first) + &yaml(&two, second)),
    ] {
        let place = Workspace::new().file(name, input);
        let run = place.run(&*format!(
            "scan {name} --rule console-user-without-mfa --format json"
        ));
        run.ends(1, "");
        let (inputs, findings) = reports(&run);
        assert_eq!(inputs, [format!("{first} 2"), format!("{second} 3")], "{name}");
        assert_eq!(findings, ["alice@2", "bob@4", "carol@5"], "{name}");
    }
    let base64 = format!("{}\n{}\n", STANDARD.encode(&one), STANDARD.encode(&two));
    let run = scan("lines.b64", base64);
    assert_eq!(reports(&run).1, ["alice@2", "bob@4", "carol@5"]);
}

#[test]
fn text_after_an_envelope_is_an_error() {
    let one = answer(&report(A, &["alice"]), "2026-05-01T00:00:00Z");
    for (name, rest) in [
        ("a.json", "garbage"),
        ("b.json", "{\"Content\":"),
        ("c.json", "[1,2"),
        ("d.json", "user,arn"),
    ] {
        let run = scan(name, format!("{one}\n{rest}"));
        run.ends(4, name);
        assert_eq!(reports(&run).1, ["alice@2"], "{rest}");
    }
    let yaml = format!(
        "Content: {}\n---\nnot yaml\n",
        STANDARD.encode(report(A, &["alice"]))
    );
    assert_eq!(scan("a.yaml", yaml).status, 4);
}

#[test]
fn a_second_header_of_any_order_begins_a_report() {
    let one = report(A, &["alice"]);
    let other_order =
        format!("mfa_active,password_enabled,arn,user\nfalse,true,arn:aws:iam::{B}:user/bob,bob\n");
    let other_width = format!(
        "user,arn,user_creation_time,password_enabled,mfa_active\nbob,arn:aws:iam::{B}:user/bob,N/A,true,false\n"
    );
    let other_delimiter =
        format!("user;arn;password_enabled;mfa_active\nbob;arn:aws:iam::{B}:user/bob;true;false\n");
    for second in [report(B, &["bob"]), other_order, other_width, other_delimiter] {
        for between in ["", "\u{feff}", "\n", "\r\n"] {
            let run = scan("all.csv", format!("{one}{between}{second}"));
            run.ends(1, "");
            let (inputs, findings) = reports(&run);
            assert_eq!(inputs.len(), 2, "{second}");
            assert_eq!(findings.len(), 2, "{second}");
            assert!(findings[1].starts_with("bob@"), "{findings:?}");
        }
        // AWS ends a report without a line break, so the next header is glued to the last row.
        let run = scan("glued.csv", format!("{}{second}", one.trim_end()));
        assert_eq!(reports(&run).1.len(), 2, "{second}");
    }
}

#[test]
fn blocks_of_any_size_give_the_same_reports() {
    let one = |number: u32| {
        format!(
            "{HEADER}u{number},arn:aws:iam::{:012}:user/u{number},true,false\n",
            number + 1
        )
    };
    let many = (0..300).map(one).collect::<Vec<_>>().concat();
    let big = report(A, &["alice"]) + &users(A, &["x"]).repeat(20_000);
    let place = Workspace::new().file("all.csv", format!("{many}{big}{many}"));
    let run = |threads: &str| {
        let arguments =
            "scan all.csv --rule console-user-without-mfa --format json --as-of 2026-06-01 --threads";
        place.run(&*format!("{arguments} {threads}"))
    };
    let one = run("1");
    let (inputs, findings) = reports(&one);
    assert_eq!((inputs.len(), findings.len()), (601, 20_601));
    assert_eq!(findings[300], "alice@302");
    assert_eq!(findings.last().unwrap(), &format!("u299@{}", 300 + 20_002 + 300));
    assert_eq!(run("7").stdout, one.stdout);
}

#[test]
fn an_account_twice_in_one_file_gets_a_warning() {
    let twice = report(A, &["alice"]) + &report(A, &["alice"]);
    let run = scan("all.csv", &twice);
    run.ends(
        1,
        "all.csv, row 3: account 111122223333 appears twice in this file",
    );
    let run = scan("all.csv", format!("{}{}", report(A, &["alice"]), root(A)));
    run.ends(1, "appears twice in this file");
    let run = scan("all.csv", report(A, &["alice"]) + &report(B, &["alice"]));
    assert!(!run.stderr.contains("twice"), "{}", run.stderr);
    let place = Workspace::new()
        .file("all.csv", &twice)
        .file("one.csv", report(A, &["alice"]));
    place
        .run("diff all.csv one.csv")
        .ends(3, "all.csv has two reports of one account");
}

#[test]
fn a_report_without_users_is_not_a_report() {
    let place = Workspace::new()
        .file("header.csv", HEADER)
        .file("blank.csv", format!("{HEADER}\n\r\n  \n"))
        .file("header.json", answer(HEADER, "2026-05-01T00:00:00Z"))
        .file("good.csv", report(A, &["alice"]));
    for name in ["header.csv", "blank.csv", "header.json"] {
        place
            .run(&*format!("scan {name}"))
            .ends(3, "without a single user");
        place
            .run(&*format!("diff {name} good.csv"))
            .ends(3, "without a single user");
        place
            .run(&*format!("diff good.csv {name}"))
            .ends(3, "without a single user");
        place
            .run(&*format!("trend {name}"))
            .ends(3, "without a single user");
        place
            .run(&*format!("scan {name} good.csv"))
            .ends(4, "without a single user");
    }
    // The rest of the input is read.
    let run = scan(
        "middle.csv",
        report(A, &["alice"]) + HEADER + &report(B, &["bob"]),
    );
    run.ends(4, "without a single user");
    assert_eq!(reports(&run).1, ["alice@2", "bob@4"]);
}

#[test]
fn an_input_that_determines_nothing_counts_as_not_evaluated() {
    let nothing = format!("user,arn,password_enabled,mfa_active\nalice,arn:aws:iam::{A}:user/alice,1,2\n");
    let place = Workspace::new()
        .file("nothing.csv", &nothing)
        .file("good.csv", report(B, &["bob"]));
    let scan = |arguments: &str| place.run(&*format!("scan {arguments} --rule console-user-without-mfa"));
    scan("nothing.csv").ends(3, "every verdict on this report is undetermined");
    scan("good.csv nothing.csv").ends(4, "every verdict");
    scan("good.csv --fail-on never").ends(0, "");
}

#[test]
fn undetermined_verdicts_can_fail_the_run() {
    let rows = format!(
        "{HEADER}{}alice,arn:aws:iam::{A}:user/alice,true,maybe\n",
        root(A)
    );
    let place = Workspace::new().file("r.csv", rows);
    let scan = |arguments: &str| {
        place.run(&*format!(
            "scan r.csv --rule console-user-without-mfa {arguments}"
        ))
    };
    scan("").ends(0, "").says("nothing failed, 1 undetermined");
    scan("--fail-on-undetermined").ends(1, "");
    scan("--fail-on-undetermined --fail-on critical").ends(0, "");
    let place = place.file("credlens.toml", "fail-on-undetermined = true\n");
    place
        .run("scan r.csv --rule console-user-without-mfa")
        .ends(1, "");
}

#[test]
fn rows_without_a_line_break_between_them_are_taken_apart() {
    let rows = users(A, &["alice", "bob"]);
    let glued = format!("{HEADER}{}{}", root(A), rows.replace("false\nbob", "falsebob"));
    let run = scan("r.csv", glued);
    run.ends(1, "");
    assert_eq!(reports(&run).1, ["alice@2", "bob@3"]);
    assert!(run.stdout.contains("repaired-row"), "{}", run.stdout);
}

#[test]
fn a_row_that_cannot_be_matched_is_one_diagnostic() {
    let rows = format!(
        "{HEADER}{}x,y,ci-deploy,arn:aws:iam::{A}:user/ci-deploy,true\n{}",
        root(A),
        users(A, &["bob"])
    );
    let place = Workspace::new().file("r.csv", rows);
    let run = place.run("scan r.csv --rule * --format json --as-of 2026-06-01");
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let about = |it: &&Value| it["user"] == "ci-deploy" || it["source"]["row"] == 2;
    assert_eq!(
        json["findings"].as_array().unwrap().iter().filter(about).count(),
        0
    );
    let diagnostics = json["diagnostics"].as_array().unwrap();
    let ragged: Vec<&Value> = diagnostics
        .iter()
        .filter(|it| it["code"] == "ragged-row")
        .collect();
    assert_eq!(ragged.len(), 1);
    let message = ragged[0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("the row of 'ci-deploy' has 5 fields and the header 4"),
        "{message}"
    );
    assert_eq!(ragged[0]["row"], 2);
}

#[test]
fn a_file_that_is_cut_off_says_so() {
    let cut = format!("{}carol,arn:aws:iam::{A}:us", report(A, &["bob"]));
    scan("r.csv", cut).ends(
        1,
        "row 3: the file may be cut off. the row of 'carol' has 2 fields",
    );
}

#[test]
fn root_is_who_the_arn_says() {
    let rows = format!(
        "user,arn,password_enabled,mfa_active,access_key_1_active,access_key_1_last_rotated\n\
         <root_account>,arn:aws:iam::{A}:user/x,true,false,true,2020-01-01\n\
         y,arn:aws:iam::{A}:user/x:root,true,false,true,2020-01-01\n"
    );
    let place = Workspace::new().file("r.csv", rows);
    let run =
        place.run("scan r.csv --rule root-access-key-active --rule console-user-without-mfa --format csv");
    run.ends(1, "")
        .says("user/x")
        .says(",y,")
        .hides("root-access-key-active");
}

/// What is not a report after one is an error: AWS's own errors, a report in another envelope.
#[test]
fn whatever_follows_a_report_is_read_or_is_an_error() {
    let clean = format!("{HEADER}{}", root(A));
    let (json, base64) = (answer(&clean, "2026-05-01T00:00:00Z"), STANDARD.encode(&clean));
    let other = report(B, &["bob"]);
    let wrapped = format!("{{\"222\":{}}}", answer(&other, "2026-05-01T00:00:00Z"));
    let denied = "An error occurred (AccessDenied) when calling the GetCredentialReport operation: no";
    let text = format!("{}\t2026-05-01T00:00:00Z\ttext/csv", STANDARD.encode(&other));
    let yaml = format!("Content: {base64}\nGeneratedTime: '2026-05-01T00:00:00Z'\nReportFormat: text/csv");
    for (name, first, rests) in [
        (
            "a.json",
            &json,
            vec![
                "{\"Error\":{\"Code\":\"AccessDenied\"}}",
                "{\"Content\":null}",
                "5",
                "null",
            ],
        ),
        ("a.yaml", &yaml, vec![&*text, denied, "Other:\n  Content: abc"]),
        ("a.csv", &clean, vec![&*json, &*text, denied]),
    ] {
        for rest in rests {
            let run = scan(name, format!("{first}\n{rest}\n"));
            assert_eq!(run.status, 4, "{name}: {rest}: {run:#?}");
        }
    }
    let both = scan("a.json", format!("{json}\n{wrapped}\n"));
    both.ends(1, "").says("\"row\":3");
    let state = format!("{{\"State\":\"COMPLETE\"}}\n{json}\n{{\"State\":\"STARTED\"}}");
    scan("state.json", state).ends(0, "");
}

#[test]
fn yaml_with_comments_and_markers() {
    let content = STANDARD.encode(report(A, &["alice"]));
    let yaml = format!(
        "# saved\n--- # one\nContent: {content} # the report\n--- # two\nContent: '{content}'\n...\n"
    );
    assert_eq!(reports(&scan("a.yaml", yaml)).1, ["alice@2", "alice@4"]);
}

#[test]
fn base64_in_many_lines_takes_linear_time() {
    let many = report(A, &["alice"]) + &users(A, &["x"]).repeat(40_000);
    let content = STANDARD.encode(many);
    let lines: Vec<&str> = content
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    let started = std::time::Instant::now();
    assert_eq!(reports(&scan("a.b64", lines.join("\n"))).1.len(), 40_001);
    assert!(
        started.elapsed().as_secs() < 60,
        "quadratic time would be minutes"
    );
}

#[test]
fn a_row_of_empty_cells_is_not_a_user() {
    for row in [",,,", " , ,,", "\"\",\"\",\"\",\"\""] {
        scan("r.csv", format!("{HEADER}{row}\n{row}\n")).ends(3, "without a single user");
        let run = scan("r.csv", format!("{}{row}\n{row}\n", report(A, &["alice"])));
        run.ends(1, "");
        assert_eq!(reports(&run).0, ["2026-06-01T00:00:00Z 2"], "{row}");
    }
}

#[test]
fn a_cut_off_report_is_not_compared() {
    let cut = format!("{}bo", report(A, &["alice"]));
    let place = Workspace::new()
        .file("2026-09-01.csv", report(A, &["alice", "bob"]))
        .file("2026-10-01.csv", cut);
    let why = "2026-10-01.csv: its last row has 1 fields and the header 4";
    place.run("diff 2026-09-01.csv 2026-10-01.csv").ends(3, why);
    place.run("trend .").ends(4, why).hides("to 2026-10-01");
    place.run("trend 2026-10-01.csv").ends(3, why);
}

/// Rows that no rule may hide behind a header: short rows, quoted ones, users named like columns.
#[test]
fn no_row_is_lost_beside_a_header() {
    let second = report(B, &["bob"]);
    for (row, found) in [
        (format!("\"x,y\",arn:aws:iam::{A}:user/x,true,false"), 2),
        (
            format!("x,arn:aws:iam::{A}:user/x,true,falsey,arn:aws:iam::{A}:user/y,true,false"),
            3,
        ),
        (
            format!("mfa_active,arn:aws:iam::{A}:user/mfa_active,true,false"),
            2,
        ),
    ] {
        let run = scan("all.csv", format!("{HEADER}{row}{second}"));
        run.ends(1, "");
        assert_eq!(reports(&run).1.len(), found, "{row}: {run:#?}");
    }
    let tagged = format!(
        "user,arn,password_enabled,mfa_active,tag\n\
         mfa_active,arn:aws:iam::{A}:user/mfa_active,true,false,arn\nevil,arn:aws:iam::{A}:user/evil,true,false,\n"
    );
    assert_eq!(reports(&scan("r.csv", tagged)).1, ["mfa_active@1", "evil@2"]);
}
