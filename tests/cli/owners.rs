//! `--owners`: who owns a user, in findings, lists and the ranking by owner.

use serde_json::Value;

use super::Workspace;

const REPORT: &str = "user,arn,user_creation_time,password_enabled,mfa_active\n\
    <root_account>,arn:aws:iam::111122223333:root,2019-01-01T00:00:00Z,false,true\n\
    alice,arn:aws:iam::111122223333:user/team-a/alice,2019-01-01T00:00:00Z,true,false\n\
    bob,arn:aws:iam::111122223333:user/team-a/bob,2019-01-01T00:00:00Z,true,false\n\
    carol,arn:aws:iam::111122223333:user/carol,2019-01-01T00:00:00Z,true,false\n";

fn place() -> Workspace {
    Workspace::new().file("r-2026-05-01.csv", REPORT).file(
        "owners.csv",
        "user,path,account,owner\nalice,,,alice@example.com\n,/team-a/*,1111*,\"=team a, of prod\"\n",
    )
}

const SCAN: &str = "scan r-2026-05-01.csv --rule console-user-without-mfa --owners owners.csv";

#[test]
fn findings_name_the_owner() {
    let run = place().run(&*format!("{SCAN} --format ndjson"));
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let owners: Vec<Value> = lines.map(|line| line["owner"].clone()).collect();
    assert_eq!(
        owners,
        [
            Value::from("alice@example.com"),
            "=team a, of prod".into(),
            Value::Null
        ]
    );
    place()
        .run(SCAN)
        .says("alice  account 111122223333, owner alice@example.com, line 3");
    // A formula stays text.
    place()
        .run(&*format!("{SCAN} --format csv"))
        .says(",\"'=team a, of prod\",,\r\n");
}

#[test]
fn the_ranking_by_owner() {
    place()
        .run(&*format!("{SCAN} --by owner"))
        .says("owners, worst first\n")
        .says("alice@example.com     1         1 of 1")
        .says("=team a, of prod      1         1 of 1")
        .says("no owner known        1         1 of 2");
    place()
        .run(&*format!("{SCAN} --by owner --format csv"))
        .says("rank,owner,critical,")
        .says("\r\n1,,0,1,");
    let run = place().run(&*format!("{SCAN} --by owner --format json"));
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["ranking"]["entries"][2]["owner"], "alice@example.com");
}

#[test]
fn lists_have_the_owner_and_sort_by_it() {
    place()
        .run("list users r-2026-05-01.csv --owners owners.csv --sort owner --format ndjson")
        .says("\"owner\":\"alice@example.com\"");
    place()
        .file("credlens.toml", "owners = \"owners.csv\"\n")
        .run("list users r-2026-05-01.csv")
        .says("alice@example.com");
}

#[test]
fn a_wrong_file_is_an_error() {
    let place = place().file("bad.csv", "user,owner\nalice,\n");
    place
        .run("scan r-2026-05-01.csv --owners bad.csv")
        .ends(2, "bad.csv: line 2: there is no owner");
    place
        .run("scan r-2026-05-01.csv --owners none.csv")
        .ends(2, "cannot read the file of owners none.csv");
    // No output replaces it.
    place
        .run("scan r-2026-05-01.csv --owners owners.csv --format csv=owners.csv")
        .ends(2, "owners.csv");
}

#[test]
fn users_without_an_owner_are_not_those_of_an_owner_named_unknown() {
    let place = place().file("unknown.csv", "user;owner\nalice;unknown\n");
    let by_owner = "scan r-2026-05-01.csv --rule console-user-without-mfa --owners unknown.csv --by owner";
    place
        .run(by_owner)
        .says("unknown            1         1 of 1")
        .says("no owner known     2         2 of 3");
    place
        .run(&*format!("{by_owner} --format markdown"))
        .says("| `unknown` | 1 |")
        .says("| no owner known | 2 |");
}

#[test]
fn lines_for_no_user_are_reported() {
    // carol has no finding of the rule, but she is evaluated.
    let file = "user,owner\ncarol,x\nzoe,y\nalice,z\n";
    let place = place().file("unused.csv", file);
    let rule = "--rule console-user-without-mfa --exclude-user nobody --owners unused.csv";
    let scan = "scan r-2026-05-01.csv --rule root-without-mfa --owners unused.csv";
    place
        .run(scan)
        .ends(0, "")
        .says("note: unused.csv: line 3 names the owner of no user here [owner-unused]");
    place
        .run("list users r-2026-05-01.csv --where name='alice' --owners unused.csv")
        .says("line 3 names the owner of no user here");
    // The user may be one that the filters leave out.
    place
        .run(&*format!("scan r-2026-05-01.csv {rule}"))
        .hides("owner-unused");
}

#[test]
fn markdown_names_owners() {
    let markdown = place().run(&*format!("{SCAN} --format markdown"));
    markdown
        .says("| User | Account | Owner | Status |")
        .says("| `alice` | `111122223333` | alice&#64;example.com | fail |");
    place()
        .run("scan r-2026-05-01.csv --rule console-user-without-mfa --format markdown")
        .hides("Owner");
}

#[test]
fn a_ranking_of_several_things_is_an_error() {
    place().run(&*format!("{SCAN} --by owner,user")).ends(
        2,
        "unknown ranking 'owner,user'; one of account, user, rule, path, owner",
    );
}
