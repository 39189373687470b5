//! Plans that are applied against the moto server, killed and gone on with, and undone; the state is checked by another client. Run by
//! `tests/moto/run`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_sdk_iam::types::StatusType;
use credlens::remedy::{JournalText, Replay};
use serde_json::{Value, json};

use super::moto::{Moto, seed};
use crate::support::schemas;

const HUB: &str = "123456789012";
const REGION: &str = "us-east-1";
/// moto's reports are of 2015.
const OLD: &str = "36500d";

/// By key, whether it is active.
type Keys = BTreeMap<(String, String), bool>;

/// Users of every kind; of those in `planned` a key is to be deactivated.
fn users() -> (Value, Vec<String>) {
    let key = |year: u32, used: Option<&str>, active: bool| json!({"created": format!("{year}-03-04T05:06:07+00:00"), "used": used, "active": active});
    let idle = || key(2013, Some("2014-01-01T00:00:00+00:00"), true);
    let none = json!({});
    let mut planned = Vec::new();
    let users = (0..200).map(|number| {
        let name = format!("user-{number:03}");
        let (keys, tags, groups) = match number % 10 {
            0 => (vec![idle()], json!({"credlens-exempt": "true"}), vec![]),
            1 => (
                vec![idle()],
                json!({"aws:cloudformation:stack-name": "x"}),
                vec![],
            ),
            2 => (vec![idle()], none.clone(), vec!["break-glass"]),
            3 => (
                vec![key(2013, Some("2026-11-01T00:00:00+00:00"), true)],
                none.clone(),
                vec![],
            ),
            4 => (vec![key(2013, None, false)], none.clone(), vec![]),
            5 => {
                planned.push(name.clone());
                (
                    vec![
                        key(2013, None, true),
                        key(2014, Some("2026-11-01T00:00:00+00:00"), true),
                    ],
                    none.clone(),
                    vec![],
                )
            }
            6 => {
                planned.push(name.clone());
                (
                    vec![key(2012, None, true)],
                    json!({"credlens-exempt": "false"}),
                    vec!["staff"],
                )
            }
            _ => {
                planned.push(name.clone());
                (vec![idle()], none.clone(), vec![])
            }
        };
        json!({"name": name, "keys": keys, "tags": tags, "groups": groups})
    });
    let users: Vec<Value> = users.collect();
    (json!({HUB: users}), planned)
}

/// The keys as another client sees them.
fn keys(moto: &Moto) -> Keys {
    seed(async {
        let iam = aws_sdk_iam::Client::new(&moto.hub(REGION));
        let mut keys = Keys::new();
        for number in 0..200 {
            let name = format!("user-{number:03}");
            let listed = iam.list_access_keys().user_name(&name).send().await.unwrap();
            for key in listed.access_key_metadata {
                let is_active = key.status == Some(StatusType::Active);
                keys.insert((name.clone(), key.access_key_id.unwrap()), is_active);
            }
        }
        keys
    })
}

/// The users whose keys differ.
fn changed(before: &Keys, after: &Keys) -> Vec<String> {
    assert_eq!(before.len(), after.len());
    let changed = before.iter().filter(|(key, is_active)| after[key] != **is_active);
    changed.map(|((name, _), _)| name.clone()).collect()
}

fn replay(path: &Path) -> Replay {
    let text = fs::read_to_string(path).unwrap();
    Replay::of(&JournalText::whole(&text).unwrap())
}

#[test]
#[ignore = "needs moto: tests/moto/run"]
fn a_plan_is_applied_killed_gone_on_with_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (users, planned) = users();
    fs::write(at("seed.json"), users.to_string()).unwrap();
    let moto = Moto::seeded(&at("seed.json"));
    let before = keys(&moto);
    let run = |arguments: &[&str]| moto.credlens(folder.path(), REGION, arguments);
    let (exit, _, err) = run(&[
        "remedy",
        "plan",
        "--rule",
        "access-key-unused",
        "--rule",
        "access-key-never-used",
        "--format",
        "json=plan.json",
    ]);
    assert_eq!(exit, 0, "{err}");
    // Nothing above a limit.
    let (exit, _, err) = run(&["remedy", "apply", "plan.json", "--yes", "--max-report-age", OLD]);
    assert_eq!(exit, 2, "{err}");
    let limits = [
        "--max-report-age",
        OLD,
        "--max-changes",
        "1000",
        "--max-share",
        "100",
        "--exempt-group",
        "break-glass",
    ];
    let (exit, out, err) = run(&[&["remedy", "apply", "plan.json"], &limits[..]].concat());
    assert_eq!(exit, 0, "{err}");
    assert_eq!(out.matches("would deactivate").count(), planned.len());
    assert_eq!(keys(&moto), before);

    let first = [
        &["remedy", "apply", "plan.json", "--yes", "--journal", "j"],
        &limits[..],
    ]
    .concat();
    let resume = ["remedy", "apply", "--resume", "j", "--yes"];
    let mut waits = 7_u64;
    for number in 0..40 {
        let arguments = if at("j").exists() { &resume[..] } else { &first };
        let mut command = moto.command(folder.path(), REGION, arguments);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        waits = waits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_millis(60 + (waits >> 33) % 400));
        drop(child.kill());
        child.wait().unwrap();
        if number % 8 == 0 && at("j").exists() {
            check(&before, &keys(&moto), &replay(&at("j")), &planned);
        }
    }
    let (exit, _, err) = run(if at("j").exists() { &resume[..] } else { &first });
    assert_eq!(exit, 0, "{err}");
    let after = keys(&moto);
    assert_eq!(changed(&before, &after), planned);
    check(&before, &after, &replay(&at("j")), &planned);

    let (exit, _, err) = run(&["remedy", "record", "j", "--format", "json=record.json"]);
    assert_eq!(exit, 0, "{err}");
    schemas::assert_document("record.v1", &fs::read_to_string(at("record.json")).unwrap());
    let (exit, out, err) = run(&["remedy", "undo", "j", "--yes"]);
    assert_eq!(exit, 0, "{err}");
    let last = out.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("{} keys active again", planned.len())),
        "{last}"
    );
    assert_eq!(keys(&moto), before);
}

/// The commands of the chapter about applying a plan work as they are printed, one after another.
#[test]
#[ignore = "needs moto: tests/moto/run"]
fn the_walk_through_of_the_docs() {
    let folder = tempfile::tempdir().unwrap();
    let idle = json!({"created": "2013-03-04T05:06:07+00:00", "used": null, "active": true});
    let user = |name: &str| json!({"name": name, "keys": [idle], "tags": {}, "groups": []});
    let users = json!({HUB: [user("user-000"), user("user-001")]});
    fs::write(folder.path().join("seed.json"), users.to_string()).unwrap();
    let moto = Moto::seeded(&folder.path().join("seed.json"));
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/remedy.md");
    let docs = fs::read_to_string(docs).unwrap();
    let chapter = docs.split("## Applying a plan").nth(1).unwrap();
    let commands = chapter
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let mut inactive = Vec::new();
    for command in commands.lines() {
        let command = command.split('#').next().unwrap();
        let mut words: Vec<&str> = command.split_whitespace().skip(1).collect();
        if words[1] == "apply" {
            // The reports of moto are of 2015.
            words.extend(["--max-report-age", OLD]);
        }
        let (exit, _, err) = moto.credlens(folder.path(), REGION, &words);
        assert_eq!(exit, 0, "{command}: {err}");
        let active = seed(async {
            let iam = aws_sdk_iam::Client::new(&moto.hub(REGION));
            let mut active = 0;
            for name in ["user-000", "user-001"] {
                let keys = iam.list_access_keys().user_name(name).send().await.unwrap();
                let keys = keys.access_key_metadata.into_iter();
                active += keys.filter(|key| key.status == Some(StatusType::Active)).count();
            }
            active
        });
        inactive.push(2 - active);
    }
    assert_eq!(inactive, [0, 0, 1, 2, 2, 2, 1]);
    let policy = chapter
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    let ours: Value = serde_json::from_str(&credlens::aws::remedy_policy("aws")).unwrap();
    assert_eq!(policy, ours);
}

/// No key is touched that is not in the plan, and no change is missing from the journal.
fn check(before: &Keys, after: &Keys, replay: &Replay, planned: &[String]) {
    let recorded = replay.keys.iter().filter(|key| key.state.needs_undo());
    let recorded: Vec<&str> = recorded.map(|key| key.key.user.as_str()).collect();
    for name in changed(before, after) {
        assert!(planned.contains(&name), "{name} was not to be changed");
        assert!(recorded.contains(&name.as_str()), "{name} is not in the journal");
    }
}
