//! CSV for spreadsheets: when the credential of a finding was created and last used, and the requirements of a framework.

use super::{Outcome, Workspace};

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active,\
    access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,\
    access_key_2_last_rotated,access_key_2_last_used_date,cert_1_active,cert_1_last_rotated\n";
const ROOT: &str = "<root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,true,2026-05-01T00:00:00Z,\
    2019-01-01T00:00:00Z,false,false,N/A,N/A,false,N/A,N/A,false,N/A\n";
const ALICE: &str = "alice,arn:aws:iam::111122223333:user/=team/a/alice,2024-01-01T00:00:00Z,true,2026-01-01T12:00:00Z,\
    2025-06-01T00:00:00+02:00,false,true,2025-06-01T00:00:01Z,N/A,true,2026-06-02T00:00:00Z,2026-05-31T00:00:00Z,true,\
    2025-06-01T00:00:00Z\n";

fn scan(args: &str) -> Outcome {
    let place = Workspace::new().file("r.csv", format!("{HEADER}{ROOT}{ALICE}"));
    place.run(&*format!("scan r.csv --as-of 2026-06-01 {args}"))
}

/// `user_path`, `created`, `age_days`, `last_used` and `idle_days` of the finding on this credential.
fn ages(rule: &str, credential: &str) -> Vec<String> {
    let run = scan(&format!("--format csv --status all --rule {rule}"));
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let records = reader.records().map(Result::unwrap);
    let mut records =
        records.filter(|it| &it[column("credential")] == credential && &it[column("user")] == "alice");
    let record = records.next().unwrap_or_else(|| panic!("{run:?}"));
    let cells = ["user_path", "created", "age_days", "last_used", "idle_days"]
        .map(|name| record[column(name)].to_owned());
    cells.to_vec()
}

#[test]
fn a_finding_has_the_times_of_its_credential() {
    assert_eq!(
        ages("console-user-without-mfa", "password"),
        [
            "/=team/a/",
            "2025-05-31T22:00:00Z",
            "365",
            "2026-01-01T12:00:00Z",
            "150"
        ]
    );
    // A day counts when it is over: the key is one second short of 365.
    assert_eq!(
        ages("access-key-not-rotated", "access_key_1"),
        ["/=team/a/", "2025-06-01T00:00:01Z", "364", "", ""]
    );
    // What is after the as-of has no age.
    assert_eq!(
        ages("access-key-not-rotated", "access_key_2"),
        [
            "/=team/a/",
            "2026-06-02T00:00:00Z",
            "",
            "2026-05-31T00:00:00Z",
            "1"
        ]
    );
    // AWS does not record the use of certificates.
    assert_eq!(
        ages("signing-certificate-active", "cert_1"),
        ["/=team/a/", "2025-06-01T00:00:00Z", "365", "", ""]
    );
    // A finding on a user is not about one credential.
    assert_eq!(ages("two-active-access-keys", ""), ["/=team/a/", "", "", "", ""]);
}

#[test]
fn root_and_whole_reports_have_no_path() {
    let run = scan("--format csv --rule root-without-mfa");
    assert!(run.stdout.ends_with(",,,,,,,,,,\r\n"), "{run:?}");
    let bare = Workspace::new().file("r.csv", "user,password_enabled\nbob,true\n");
    let run = bare.run("scan r.csv --as-of 2027-06-01 --format csv --rule console-user-without-mfa");
    let columns = run.stdout.lines().map(|line| line.matches(',').count());
    assert_eq!(columns.collect::<Vec<_>>(), [30, 30], "{run:?}");
}

#[test]
fn a_path_that_is_a_formula_stays_text() {
    let other = ALICE
        .replace("user/=team/a/alice", "user/alice")
        .replace(":user/", ":user/-1+1,\"x\"/");
    let row = other.replacen(
        "arn:aws:iam::111122223333:user/-1+1,\"x\"/alice",
        "\"arn:aws:iam::111122223333:user/-1+1,\"\"x\"\"/alice\"",
        1,
    );
    let place = Workspace::new().file("r.csv", format!("{HEADER}{row}"));
    let run = place.run("scan r.csv --as-of 2026-06-01 --format csv --rule two-active-access-keys");
    run.says(",\"/-1+1,\"\"x\"\"/\",,,,,,,\r\n");
}

#[test]
fn requirements_are_a_sheet_of_their_own() {
    let other = [
        ROOT.replace(",false,false,N/A,N/A", ",true,false,N/A,N/A"),
        ALICE.replace("T12:00:00Z,", "T12:00:01Z,"),
    ];
    let other = format!("{HEADER}{}{}", other[0], other[1]).replace("111122223333", "444455556666");
    let place = Workspace::new()
        .file("a.csv", format!("{HEADER}{ROOT}{ALICE}"))
        .file("b.csv", other);
    let run = place.run("scan a.csv b.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format requirements");
    run.ends(1, "");
    let lines: Vec<&str> = run.stdout.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "requirement,title,decided,status,passed,failed,undetermined,accounts_passing,accounts_failing,note"
    );
    assert!(
        lines.contains(&"cis-aws-5.0/1.4,Root has MFA,yes,fail,1,1,0,1,1,"),
        "{run:?}"
    );
    assert!(
        lines.contains(&"cis-aws-5.0/1.7,Passwords have at least 14 characters,no,manual,,,,,,"),
        "{run:?}"
    );
    // Hardware MFA is more than the report shows.
    assert!(
        run.stdout
            .contains("cis-aws-5.0/1.5,Root has hardware MFA,partly,fail,1,1,0,1,1"),
        "{run:?}"
    );
}

/// What passes since nothing exists is not like what passes by its verdicts.
#[test]
fn requirements_say_why_there_is_no_verdict() {
    let place = Workspace::new().file("r.csv", format!("{HEADER}{ROOT}"));
    let run = place.run("scan r.csv --as-of 2026-06-01 --framework cis-aws-5.0 --format requirements");
    let lines: Vec<&str> = run.stdout.split_terminator("\r\n").collect();
    let line = |id: &str| *lines.iter().find(|line| line.starts_with(id)).unwrap();
    assert_eq!(
        line("cis-aws-5.0/1.13,"),
        "cis-aws-5.0/1.13,Access keys are replaced within 90 days,yes,pass,0,0,0,1,0,no access key exists"
    );
    assert!(line("cis-aws-5.0/1.4,").ends_with(",yes,fail,0,1,0,0,1,"));
    scan("--framework cis-aws-5.0 --format requirements --user alice")
        .says(",not-evaluated,0,0,0,0,0,filters leave out root\r\n");
}

#[test]
fn requirements_need_a_framework() {
    scan("--format requirements").ends(2, "give --framework as well");
    scan("--framework soc-2 --by user --format requirements").ends(2, "--by has no effect on requirements");
    scan("--framework soc-2 --format requirements").says("soc-2/");
}
