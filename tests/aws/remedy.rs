//! `credlens remedy apply`, `undo` and `record` as programs, against IAM with state: what fails, ends or comes in between.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use credlens::remedy::{JournalText, Recorded, Replay};
use credlens::report::time::Timestamp;
use serde_json::Value;

use super::remedy_server::{Fault, Iam, Key, User, Users};
use super::server::CALLER;
use crate::support::schemas;

const DAY: i64 = 86_400;

fn ago(seconds: i64) -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp(i64::try_from(now).unwrap() - seconds)
}

/// Users with an idle key each, one of them with a second key that is in use.
pub(super) fn users(account: &str, names: &[&str]) -> Users {
    let users = names.iter().enumerate().map(|(number, name)| {
        let number = i64::try_from(number).unwrap();
        let idle = Key {
            id: format!("AKIA{}{name}", account.trim_start_matches('0')),
            created: ago((400 + number) * DAY).to_string(),
            active: true,
            used: (number % 2 == 0).then(|| ago((200 + number) * DAY).to_string()),
        };
        let in_use = Key {
            id: format!("AKIAUSED{name}"),
            created: ago(20 * DAY).to_string(),
            active: true,
            used: Some(ago(DAY).to_string()),
        };
        let keys = if number == 0 {
            vec![in_use, idle]
        } else {
            vec![idle]
        };
        let user = User {
            keys,
            ..User::default()
        };
        ((account.to_owned(), (*name).to_owned()), user)
    });
    users.collect()
}

/// The report of these users.
fn report(users: &Users) -> String {
    let header = super::report(CALLER);
    let mut out = header.lines().next().unwrap().to_owned() + "\n";
    let accounts: BTreeSet<&String> = users.keys().map(|(account, _)| account).collect();
    for account in accounts {
        writeln!(
            out,
            "<root_account>,arn:aws:iam::{account}:root,2019-01-01T00:00:00Z,not_supported,N/A,not_supported,not_supported,true,\
             false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
        )
        .unwrap();
    }
    for ((account, name), user) in users {
        let key = |slot: usize| match user.keys.get(slot) {
            Some(key) => {
                let used = key.used.as_deref().unwrap_or("N/A");
                let place = if key.used.is_some() {
                    "eu-west-1,s3"
                } else {
                    "N/A,N/A"
                };
                format!("{},{},{used},{place}", key.active, key.created)
            }
            None => "false,N/A,N/A,N/A,N/A".to_owned(),
        };
        writeln!(
            out,
            "{name},arn:aws:iam::{account}:user/{name},2019-01-01T00:00:00Z,false,N/A,N/A,N/A,false,{},{},false,N/A,false,N/A",
            key(0),
            key(1)
        )
        .unwrap();
    }
    out
}

/// IAM, a folder with a plan, and the program.
struct Place {
    folder: tempfile::TempDir,
    iam: Iam,
    /// The users as they were.
    before: Users,
}

/// What a run printed.
#[derive(Debug)]
struct Ran {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new(users: Users) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made: String = ago(3_600).to_string().replace(['-', ':'], "");
        fs::write(folder.path().join(format!("r-{made}.csv")), report(&users)).unwrap();
        let place = Self {
            folder,
            iam: Iam::start(users.clone()),
            before: users,
        };
        let report = format!("r-{made}.csv");
        let plan = place.run(&[
            "remedy",
            "plan",
            &report,
            "--rule",
            "access-key-unused",
            "--rule",
            "access-key-never-used",
            "--format",
            "json=plan.json",
        ]);
        assert_eq!(plan.exit, Some(0), "{plan:?}");
        assert!(place.iam.calls().is_empty());
        place
    }

    /// With three users.
    fn three() -> Self {
        Self::new(users(CALLER, &["alice", "bob", "carol"]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_credlens"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("COLUMNS", "300")
            .env("HOME", self.folder.path())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL", &self.iam.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.iam.watch(0);
        let child = self.command().args(arguments).spawn().unwrap();
        self.iam.watch(child.id());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran {
            exit: status.code(),
            out: text(stdout),
            err: text(stderr),
        }
    }

    fn apply(&self, more: &[&str]) -> Ran {
        self.run(
            &[
                &[
                    "remedy",
                    "apply",
                    "plan.json",
                    "--yes",
                    "--journal",
                    "j",
                    "--max-share",
                    "100",
                ],
                more,
            ]
            .concat(),
        )
    }

    fn resume(&self) -> Ran {
        self.run(&["remedy", "apply", "--resume", "j", "--yes"])
    }

    fn undo(&self) -> Ran {
        self.run(&["remedy", "undo", "j", "--yes"])
    }

    fn replay(&self) -> Replay {
        let text = fs::read_to_string(self.path("j")).unwrap();
        for line in text.lines().filter(|line| line.ends_with('}')) {
            schemas::assert_document("journal.v1", line);
        }
        Replay::of(&JournalText::whole(&text).unwrap())
    }

    fn states(&self) -> Vec<(String, Recorded)> {
        let keys = self.replay().keys.into_iter();
        let mut states: Vec<_> = keys.map(|key| (key.key.user, key.state)).collect();
        states.sort();
        states
    }

    /// The users with an inactive key.
    fn inactive(&self) -> Vec<String> {
        let users = self.iam.users().into_iter();
        let inactive = users.filter(|(_, user)| user.keys.iter().any(|key| !key.active));
        inactive.map(|((_, name), _)| name).collect()
    }

    /// Nothing is inactive that the journal does not know, or that is not in the plan.
    fn is_whole(&self) {
        let recorded: BTreeSet<String> = if self.path("j").exists() {
            let keys = self
                .replay()
                .keys
                .into_iter()
                .filter(|key| key.state.needs_undo());
            keys.filter_map(|key| key.key.access_key_id).collect()
        } else {
            BTreeSet::new()
        };
        for user in self.iam.users().into_values() {
            for key in user.keys.into_iter().filter(|key| !key.active) {
                assert!(recorded.contains(&key.id), "{} is not recorded", key.id);
                assert!(!key.id.starts_with("AKIAUSED"), "{}", key.id);
            }
        }
    }
}

const THREE: [&str; 3] = ["alice", "bob", "carol"];

#[test]
fn a_plan_is_shown_applied_undone_and_recorded() {
    let place = Place::three();
    let shown = place.run(&["remedy", "apply", "plan.json", "--max-share", "100"]);
    assert_eq!(shown.exit, Some(0), "{shown:?}");
    assert_eq!(shown.out.matches("would deactivate").count(), 3, "{shown:?}");
    assert!(shown.out.ends_with(
        "3 keys would be deactivated, 0 skipped, 0 not decided; nothing was changed: --yes applies the plan\n"
    ));
    assert_eq!(place.iam.users(), place.before);
    let files = fs::read_dir(place.folder.path()).unwrap().count();
    assert_eq!(files, 2, "no journal");
    assert!(
        place
            .iam
            .calls()
            .iter()
            .all(|call| call.action != "UpdateAccessKey")
    );

    let applied = place.apply(&[]);
    assert_eq!(applied.exit, Some(0), "{applied:?}");
    assert_eq!(place.inactive(), THREE);
    place.is_whole();
    assert!(
        applied.out.contains("undo:    credlens remedy undo --yes j\n"),
        "{applied:?}"
    );
    let id = place.replay().begin.unwrap().1.journal;
    let calls = place.iam.calls();
    assert!(
        calls
            .iter()
            .all(|call| call.user_agent.contains(&format!("app/credlens-{id}"))),
        "{calls:?}"
    );
    // The last use is asked directly before the change.
    let actions: Vec<&str> = calls.iter().map(|call| call.action.as_str()).collect();
    let changes = actions.windows(2).filter(|pair| pair[1] == "UpdateAccessKey");
    assert!(
        changes.clone().count() == 3 && changes.into_iter().all(|pair| pair[0] == "GetAccessKeyLastUsed")
    );

    let again = place.apply(&[]);
    assert_eq!(again.exit, Some(2), "{again:?}");
    assert!(again.err.contains("j exists already"), "{again:?}");
    assert_eq!(place.resume().exit, Some(0));

    let record = place.run(&[
        "remedy",
        "record",
        "j",
        "--format",
        "json=record.json",
        "--format",
        "markdown",
    ]);
    assert_eq!(record.exit, Some(0), "{record:?}");
    let text = fs::read_to_string(place.path("record.json")).unwrap();
    schemas::assert_document("record.v1", &text);
    let json: Value = serde_json::from_str(&text).unwrap();
    let checks: Vec<&str> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["check"].as_str().unwrap())
        .collect();
    assert_eq!(checks, ["as-intended"; 3]);
    assert!(
        record.out.contains("Nothing: every key is as it was left."),
        "{record:?}"
    );

    let shown = place.run(&["remedy", "undo", "j"]);
    assert_eq!(shown.exit, Some(0));
    assert_eq!(shown.out.matches("would activate").count(), 3, "{shown:?}");
    assert_eq!(place.inactive(), THREE);
    let undone = place.undo();
    assert_eq!(undone.exit, Some(0), "{undone:?}");
    assert_eq!(place.iam.users(), place.before);
    let last = undone.out.lines().last().unwrap();
    assert!(
        last.starts_with("3 keys active again (") && last.ends_with("0 not (none)"),
        "{last}"
    );
    assert!(THREE.iter().all(|name| last.contains(name)), "{last}");
    let again = place.undo();
    assert_eq!(again.exit, Some(0), "{again:?}");
    assert!(again.err.contains("nothing is left to undo"), "{again:?}");
    // What was undone is not done again.
    assert_eq!(place.resume().exit, Some(2));
    assert_eq!(place.iam.users(), place.before);
}

#[test]
fn what_cannot_be_read_stops_its_step_alone() {
    let questions = ["ListAccessKeys", "ListUserTags", "ListGroupsForUser"];
    for action in questions {
        for fault in [
            Fault::Refused("Throttling"),
            Fault::Refused("AccessDenied"),
            Fault::Refused("ServiceFailure"),
            Fault::Silent,
        ] {
            let place = Place::three();
            place.iam.fail(action, Some("bob"), fault.clone());
            let run = place.apply(&["--timeout", "1s", "--exempt-group", "break-glass"]);
            assert_eq!(run.exit, Some(4), "{action} {fault:?} {run:?}");
            assert_eq!(place.inactive(), ["alice", "carol"], "{action} {fault:?}");
            assert!(run.out.contains("not decided"), "{run:?}");
            if fault == Fault::Refused("AccessDenied") {
                assert!(run.err.contains("iam:UpdateAccessKey"), "the policy: {run:?}");
            }
            place.iam.heal();
            let go_on = place.resume();
            assert_eq!(
                (go_on.exit, place.inactive()),
                (Some(0), THREE.map(str::to_owned).to_vec()),
                "{go_on:?}"
            );
        }
    }
}

#[test]
fn a_last_use_that_is_not_known_is_not_never() {
    for fault in [
        Fault::Refused("Throttling"),
        Fault::Refused("AccessDenied"),
        Fault::Silent,
    ] {
        let place = Place::three();
        place.iam.fail("GetAccessKeyLastUsed", None, fault);
        let run = place.apply(&["--timeout", "2s"]);
        // Nothing could be read.
        assert_eq!(run.exit, Some(3), "{run:?}");
        assert!(place.inactive().is_empty());
        assert!(
            place
                .iam
                .calls()
                .iter()
                .all(|call| call.action != "UpdateAccessKey")
        );
    }
}

#[test]
fn changes_that_fail_are_not_called_done() {
    let place = Place::three();
    place
        .iam
        .fail("UpdateAccessKey", Some("bob"), Fault::Refused("AccessDenied"));
    let run = place.apply(&[]);
    assert_eq!(run.exit, Some(4), "{run:?}");
    assert_eq!(place.inactive(), ["alice", "carol"]);
    assert_eq!(place.states()[1], ("bob".to_owned(), Recorded::NotDone));
    place.iam.heal();
    assert_eq!(place.undo().exit, Some(0));
    assert_eq!(place.iam.users(), place.before);

    // The answer is lost, whatever was done.
    let place = Place::three();
    place.iam.fail("UpdateAccessKey", Some("bob"), Fault::Lost);
    let run = place.apply(&["--timeout", "2s"]);
    assert_eq!(run.exit, Some(4), "{run:?}");
    assert_eq!(place.states()[1], ("bob".to_owned(), Recorded::MaybeDone));
    place.is_whole();
    place.iam.heal();
    assert_eq!(place.resume().exit, Some(0));
    assert_eq!(place.states()[1], ("bob".to_owned(), Recorded::Done));
    assert_eq!(place.undo().exit, Some(0));
    assert_eq!(place.iam.users(), place.before);

    // It is repeated, and then answered.
    let place = Place::three();
    place
        .iam
        .fail_times("UpdateAccessKey", Some("bob"), 1, Fault::Lost);
    assert_eq!(place.apply(&[]).exit, Some(0));
    assert_eq!(place.inactive(), THREE);
}

#[test]
fn a_run_that_is_killed_at_any_call_can_go_on_and_be_undone() {
    let place = Place::three();
    place.apply(&[]);
    let calls = place.iam.calls().len();
    assert!(calls > 12, "{calls}");
    for number in 0..calls {
        for fault in [Fault::SignalBefore("KILL"), Fault::SignalAfter("KILL")] {
            let place = Place::three();
            place.iam.fail_at(number, fault.clone());
            let killed = place.apply(&[]);
            assert_eq!(killed.exit, None, "{number} {fault:?} {killed:?}");
            place.is_whole();
            place.iam.heal();
            if place.path("j").exists() {
                let run = if number % 2 == 0 {
                    place.resume()
                } else {
                    place.undo()
                };
                assert_eq!(run.exit, Some(0), "{number} {fault:?} {run:?}");
                place.is_whole();
                place.undo();
            }
            assert_eq!(place.iam.users(), place.before, "{number} {fault:?}");
        }
    }
}

#[test]
fn an_interrupted_run_records_the_call_in_flight() {
    for (name, exit) in [("INT", 130), ("TERM", 143)] {
        let place = Place::three();
        place
            .iam
            .fail_times("UpdateAccessKey", None, 1, Fault::SignalAfter(name));
        let run = place.apply(&[]);
        assert_eq!(run.exit, Some(exit), "{run:?}");
        assert_eq!(place.inactive().len(), 1);
        let done: Vec<_> = place
            .states()
            .into_iter()
            .filter(|(_, state)| *state == Recorded::Done)
            .collect();
        assert_eq!(done.len(), 1, "{run:?}");
        assert!(run.out.contains("2 not begun"), "{run:?}");
        place.iam.heal();
        assert_eq!(place.resume().exit, Some(0));
        assert_eq!(place.inactive(), THREE);
        // In an undo, too.
        place
            .iam
            .fail_times("UpdateAccessKey", None, 1, Fault::SignalAfter(name));
        let run = place.undo();
        assert_eq!(run.exit, Some(exit), "{run:?}");
        assert_eq!(place.inactive().len(), 2);
        place.iam.heal();
        assert_eq!(place.undo().exit, Some(0));
        assert_eq!(place.iam.users(), place.before);
    }
}

#[test]
fn what_happened_meanwhile_stops_a_step() {
    let place = Place::three();
    place.iam.change(|users| {
        let of = |users: &mut Users, name: &str, change: &dyn Fn(&mut User)| {
            change(users.get_mut(&(CALLER.to_owned(), name.to_owned())).unwrap());
        };
        of(users, "alice", &|user| {
            user.keys[1].used = Some(ago(60).to_string());
        });
        of(users, "bob", &|user| {
            user.tags.push(("Credlens-Exempt".to_owned(), "yes".to_owned()));
        });
        users.remove(&(CALLER.to_owned(), "carol".to_owned()));
    });
    let run = place.apply(&[]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    assert!(place.inactive().is_empty());
    for words in [
        "it was used since the report",
        "a tag exempts the user",
        "does not exist any more",
    ] {
        assert!(run.out.contains(words), "{words} {run:?}");
    }
    // Settled: nothing is left to do.
    let again = place.resume();
    assert!(again.err.contains("nothing is left to do"), "{again:?}");
    let record = place.run(&["remedy", "record", "j"]);
    assert!(
        record.out.contains("in-use") && record.out.contains("exempt") && record.out.contains("gone"),
        "{record:?}"
    );
}

#[test]
fn keys_that_are_active_again_are_reported_and_left_alone() {
    let place = Place::three();
    place.apply(&[]);
    place.iam.change(|users| {
        let user = |name: &str| (CALLER.to_owned(), name.to_owned());
        users.get_mut(&user("alice")).unwrap().keys[1].active = true;
        users.get_mut(&user("bob")).unwrap().keys[0].used = Some(ago(-5).to_string());
    });
    let record = place.run(&["remedy", "record", "j", "--format", "json"]);
    assert_eq!(record.exit, Some(0), "{record:?}");
    let json: Value = serde_json::from_str(&record.out).unwrap();
    let mut checks: Vec<(&str, &str)> = json["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["user"].as_str().unwrap(), step["check"].as_str().unwrap()))
        .collect();
    checks.sort_unstable();
    assert_eq!(
        checks,
        [
            ("alice", "reactivated"),
            ("bob", "used-since"),
            ("carol", "as-intended")
        ]
    );
    assert_eq!(place.resume().exit, Some(0));
    assert_eq!(place.inactive(), ["bob", "carol"]);
}

#[test]
fn above_a_limit_nothing_is_done() {
    let names: Vec<String> = (0..26).map(|number| format!("user-{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let place = Place::new(users(CALLER, &names));
    for (arguments, words) in [
        (&["--max-share", "100"][..], "raise --max-changes"),
        (&["--max-changes", "26"], "raise --max-share to 97"),
        (
            &["--max-changes", "26", "--max-share", "96"],
            "raise --max-share to 97",
        ),
        (&["--max-plan-age", "0s"], "--max-plan-age"),
        (&["--max-report-age", "30m"], "--max-report-age"),
        (&["--step", "99"], "no step '99'"),
    ] {
        std::thread::sleep(std::time::Duration::from_millis(
            if arguments[0] == "--max-plan-age" {
                1_100
            } else {
                0
            },
        ));
        let run = place.run(&[&["remedy", "apply", "plan.json", "--yes"], arguments].concat());
        assert_eq!(run.exit, Some(2), "{run:?}");
        assert!(run.err.contains(words), "{words}: {run:?}");
    }
    assert!(place.iam.calls().is_empty());
    let run = place.run(&[
        "remedy",
        "apply",
        "plan.json",
        "--yes",
        "--max-changes",
        "26",
        "--max-share",
        "97",
    ]);
    assert_eq!((run.exit, place.inactive().len()), (Some(0), 26), "{run:?}");
    // The default name has the plan's id.
    let plan: Value = serde_json::from_str(&fs::read_to_string(place.path("plan.json")).unwrap()).unwrap();
    let prefix = format!("credlens-{}-", plan["id"].as_str().unwrap());
    let is_journal = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix);
    let journals = fs::read_dir(place.folder.path())
        .unwrap()
        .filter(|entry| is_journal(&entry.as_ref().unwrap().path()));
    assert_eq!(journals.count(), 1);
}

#[test]
fn a_canary_comes_first() {
    let place = Place::three();
    let run = place.apply(&["--user", "bob"]);
    assert_eq!(
        (run.exit, place.inactive()),
        (Some(0), vec!["bob".to_owned()]),
        "{run:?}"
    );
    let begin = place.replay().begin.unwrap().1;
    assert_eq!(
        (begin.steps.len(), begin.chosen_by),
        (1, vec!["--user 'bob'".to_owned()])
    );
    let none = place.run(&["remedy", "apply", "plan.json", "--yes", "--user", "nobody"]);
    assert_eq!(none.exit, Some(0), "{none:?}");
    assert!(
        none.err
            .contains("nothing to do: no step of the plan is chosen by --user 'nobody'"),
        "{none:?}"
    );
    let rest = place.run(&[
        "remedy",
        "apply",
        "plan.json",
        "--yes",
        "--journal",
        "k",
        "--max-share",
        "100",
    ]);
    assert_eq!(
        (rest.exit, place.inactive()),
        (Some(0), THREE.map(str::to_owned).to_vec()),
        "{rest:?}"
    );
    assert!(rest.out.contains("it is not active any more"), "{rest:?}");
    // The key that was inactive before is not this journal's.
    let undo = place.run(&["remedy", "undo", "k", "--yes"]);
    assert_eq!(
        (undo.exit, place.inactive()),
        (Some(0), vec!["bob".to_owned()]),
        "{undo:?}"
    );
}

#[test]
fn roles_are_assumed_in_other_accounts() {
    let other = "222222222222";
    let mut both = users(CALLER, &["alice", "bob"]);
    both.extend(users(other, &["carol"]));
    let place = Place::new(both);
    let refused = place.apply(&[]);
    assert_eq!(refused.exit, Some(2), "{refused:?}");
    assert!(
        refused.err.contains("the plan has steps in 222222222222"),
        "{refused:?}"
    );
    assert!(place.inactive().is_empty() && !place.path("j").exists());
    place.iam.calls();
    let run = place.apply(&["--role-name", "Remedy"]);
    assert_eq!((run.exit, place.inactive().len()), (Some(0), 3), "{run:?}");
    let id = place.replay().begin.unwrap().1.journal;
    let assumed: Vec<_> = place
        .iam
        .calls()
        .into_iter()
        .filter(|call| call.action == "AssumeRole")
        .collect();
    assert_eq!(assumed.len(), 1);
    assert_eq!(
        assumed[0].parameter("RoleArn").unwrap(),
        format!("arn:aws:iam::{other}:role/Remedy")
    );
    assert_eq!(
        assumed[0].parameter("RoleSessionName").unwrap(),
        format!("credlens-{id}")
    );
    // The journal knows the role.
    assert_eq!(place.undo().exit, Some(0));
    assert_eq!(place.iam.users(), place.before);
}

#[test]
fn nothing_is_done_that_cannot_be_recorded() {
    let place = Place::three();
    let run = |blocks: u32| {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" remedy apply plan.json --yes --journal j --max-share 100"
        );
        let mut command = place.command();
        let program = command.get_program().to_owned();
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &script])
            .arg(program)
            .current_dir(place.folder.path())
            .env_clear();
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        command.stdin(Stdio::null());
        let output = shell.output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    // Not even the first record fits.
    let (exit, err) = run(1);
    assert_eq!(exit, Some(5), "{err}");
    assert!(err.contains("nothing was changed"), "{err}");
    assert!(place.inactive().is_empty() && !place.path("j").exists());
    // It ends somewhere behind it.
    let mut ended = 0;
    for blocks in 4..40 {
        let (exit, err) = run(blocks);
        place.is_whole();
        match exit {
            Some(5) if place.path("j").exists() => {
                ended += 1;
                assert!(err.contains("the run stopped after"), "{err}");
                assert_eq!(place.undo().exit, Some(0));
            }
            Some(5) => {}
            _ => {
                assert_eq!(exit, Some(0), "{err}");
                place.undo();
            }
        }
        assert_eq!(place.iam.users(), place.before);
        drop(fs::remove_file(place.path("j")));
    }
    assert!(ended > 0);
}

#[test]
fn a_journal_has_one_run_at_a_time() {
    let place = Place::three();
    place.iam.fail_times("UpdateAccessKey", None, 1, Fault::Silent);
    let mut first = place
        .command()
        .args([
            "remedy",
            "apply",
            "plan.json",
            "--yes",
            "--journal",
            "j",
            "--max-share",
            "100",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !place.iam.users().is_empty() && !place.path("j").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for run in [place.resume(), place.undo()] {
        assert_eq!(run.exit, Some(2), "{run:?}");
        assert!(run.err.contains("another run is writing to it"), "{run:?}");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    place.iam.heal();
    assert_eq!(place.resume().exit, Some(0));
    assert_eq!(place.inactive(), THREE);
}

#[test]
fn an_undo_needs_little() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::three();
    place.apply(&[]);
    fs::remove_file(place.path("plan.json")).unwrap();
    // A damaged line does not keep other keys inactive.
    let text = fs::read_to_string(place.path("j")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[2] = "{\"sch";
    fs::write(place.path("j"), lines.join("\n") + "\n").unwrap();
    place
        .iam
        .fail("GetCallerIdentity", None, Fault::Refused("AccessDenied"));
    place
        .iam
        .fail("ListAccessKeys", None, Fault::Refused("AccessDenied"));
    fs::set_permissions(place.path("j"), fs::Permissions::from_mode(0o400)).unwrap();
    let undone = place.undo();
    assert!(matches!(undone.exit, Some(4 | 5)), "{undone:?}");
    assert!(undone.err.contains("line 3: not a record"), "{undone:?}");
    assert_eq!(place.iam.users(), place.before);
}

#[test]
fn announced_steps_alone_are_applied() {
    let place = Place::three();
    let text = fs::read_to_string(place.path("plan.json")).unwrap();
    let mut older: Value = serde_json::from_str(&text).unwrap();
    older["created"] = ago(8 * DAY).to_string().into();
    let steps = older["steps"].as_array_mut().unwrap();
    steps.truncate(2);
    for step in steps.iter_mut() {
        step["first_planned"] = ago(8 * DAY).to_string().into();
    }
    let names: Vec<String> = steps
        .iter()
        .map(|step| step["user"].as_str().unwrap().to_owned())
        .collect();
    fs::write(place.path("older.json"), older.to_string()).unwrap();
    let early = place.apply(&["--announced", "plan.json"]);
    assert_eq!(early.exit, Some(0), "{early:?}");
    assert!(
        early.err.contains("3 steps are not announced for long enough") && place.inactive().is_empty(),
        "{early:?}"
    );
    let run = place.apply(&["--announced", "older.json"]);
    assert_eq!(run.exit, Some(0), "{run:?}");
    let inactive = place.inactive();
    assert!(
        inactive.len() == 2 && inactive.iter().all(|name| names.contains(name)),
        "{inactive:?}"
    );
}

/// The commands that are printed work as they are, also with an external id and odd names.
#[test]
fn printed_commands_work() {
    let other = "222222222222";
    let place = Place::new(users(other, &["alice", "bob", "carol"]));
    place
        .iam
        .fail("UpdateAccessKey", Some("bob"), Fault::Refused("AccessDenied"));
    let run = place.run(&[
        "remedy",
        "apply",
        "plan.json",
        "--yes",
        "--journal=-j",
        "--max-share",
        "100",
        "--role-name",
        "Remedy",
        "--external-id",
        "a b'c",
    ]);
    assert_eq!(
        run.exit,
        Some(2),
        "an external id that IAM would not allow: {run:?}"
    );
    let run = place.run(&[
        "remedy",
        "apply",
        "plan.json",
        "--yes",
        "--journal=-j",
        "--max-share",
        "100",
        "--role-name",
        "Remedy",
        "--external-id",
        "a-b",
    ]);
    assert_eq!(run.exit, Some(4), "{run:?}");
    place.iam.heal();
    for (label, inactive) in [("go on:", 3), ("undo:", 0)] {
        let line = run.out.lines().find(|line| line.starts_with(label)).unwrap();
        let command = line[label.len()..]
            .trim()
            .replace("credlens ", &format!("{} ", env!("CARGO_BIN_EXE_credlens")));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &command])
            .current_dir(place.folder.path())
            .env_clear()
            .stdin(Stdio::null());
        for (name, value) in place.command().get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        let output = shell.output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        assert_eq!(place.inactive().len(), inactive, "{command}");
    }
}

/// STS that does not answer is asked once, not for every key.
#[test]
fn an_undo_does_not_wait_for_what_it_does_not_need() {
    let place = Place::three();
    place.apply(&[]);
    place.iam.calls();
    place.iam.fail("GetCallerIdentity", None, Fault::Silent);
    let undone = place.run(&["remedy", "undo", "j", "--yes", "--timeout", "1s"]);
    assert_eq!(undone.exit, Some(0), "{undone:?}");
    assert_eq!(place.iam.users(), place.before);
    let asked = place
        .iam
        .calls()
        .into_iter()
        .filter(|call| call.action == "GetCallerIdentity");
    assert!(asked.count() <= 2);
}

/// An answer that lacks what it must have says nothing.
#[test]
fn answers_that_are_cut_away_let_nothing_through() {
    let cut = |action: &str, inner: &str| super::result(action, inner);
    for (action, body) in [
        ("ListUserTags", cut("ListUserTags", "")),
        (
            "ListUserTags",
            cut("ListUserTags", "<IsTruncated>false</IsTruncated>"),
        ),
        (
            "ListUserTags",
            cut(
                "ListUserTags",
                "<Tags><member><Value>yes</Value></member></Tags><IsTruncated>false</IsTruncated>",
            ),
        ),
        (
            "ListGroupsForUser",
            cut("ListGroupsForUser", "<IsTruncated>false</IsTruncated>"),
        ),
        (
            "ListGroupsForUser",
            cut(
                "ListGroupsForUser",
                "<Groups><member><Path>/</Path></member></Groups><IsTruncated>false</IsTruncated>",
            ),
        ),
        ("GetAccessKeyLastUsed", cut("GetAccessKeyLastUsed", "")),
        (
            "GetAccessKeyLastUsed",
            cut(
                "GetAccessKeyLastUsed",
                "<UserName>alice</UserName><AccessKeyLastUsed></AccessKeyLastUsed>",
            ),
        ),
        (
            "GetAccessKeyLastUsed",
            cut(
                "GetAccessKeyLastUsed",
                "<AccessKeyLastUsed><Region>eu-west-1</Region></AccessKeyLastUsed>",
            ),
        ),
        (
            "ListAccessKeys",
            cut("ListAccessKeys", "<IsTruncated>false</IsTruncated>"),
        ),
        ("ListUserTags", String::new()),
        ("ListUserTags", "<html>Sign in</html>".to_owned()),
    ] {
        let place = Place::three();
        place.iam.fail(action, None, Fault::Says(body.clone()));
        let run = place.apply(&["--timeout", "1s", "--exempt-group", "break-glass"]);
        assert!(place.inactive().is_empty(), "{action} {body}: {run:?}");
        assert_eq!(run.exit, Some(3), "{action} {body}: {run:?}");
    }
}

#[test]
fn edited_plans_and_journals_are_refused() {
    let place = Place::three();
    let plan = fs::read_to_string(place.path("plan.json")).unwrap();
    let edit = |change: &dyn Fn(&mut Value)| {
        let mut edited: Value = serde_json::from_str(&plan).unwrap();
        change(&mut edited);
        fs::write(place.path("plan.json"), edited.to_string()).unwrap();
        place.apply(&[])
    };
    let refuse = |change: &dyn Fn(&mut Value), words: &str| {
        let run = edit(change);
        assert_eq!(run.exit, Some(2), "{words} {run:?}");
        assert!(run.err.contains(words), "{words} {run:?}");
    };
    refuse(
        &|plan| plan["steps"][1]["id"] = plan["steps"][0]["id"].clone(),
        "the same id",
    );
    refuse(
        &|plan| plan["id"] = "../x".into(),
        "its id is not one of credlens",
    );
    refuse(
        &|plan| plan["accounts"] = serde_json::json!([plan["accounts"][0], plan["accounts"][0]]),
        "an account twice",
    );
    refuse(
        &|plan| plan["accounts"][0]["generated"] = "2090-01-01T00:00:00Z".into(),
        "later than this machine's clock",
    );
    refuse(&|plan| plan["steps"][0]["quiet_days"] = (-1).into(), "quiet days");
    refuse(
        &|plan| plan["steps"][0]["user"] = "<root_account>".into(),
        "root's",
    );
    for arguments in [
        ["--exempt-tag", ""],
        ["--exempt-tag", "=x"],
        ["--exempt-group", " "],
    ] {
        fs::write(place.path("plan.json"), &plan).unwrap();
        assert_eq!(place.apply(&arguments).exit, Some(2));
    }
    assert!(place.inactive().is_empty() && !place.path("j").exists());

    // A journal whose first record was edited.
    place
        .iam
        .fail("ListAccessKeys", None, Fault::Refused("AccessDenied"));
    place.apply(&[]);
    place.iam.heal();
    let journal = fs::read_to_string(place.path("j")).unwrap();
    for (from, to) in [
        ("\"action\":\"deactivate\"", "\"action\":\"rotate\""),
        ("\"max_changes\":25", "\"max_changes\":1"),
        ("\"user\":\"alice\"", "\"user\":\"<root_account>\""),
    ] {
        fs::write(place.path("j"), journal.replacen(from, to, 1)).unwrap();
        let run = place.resume();
        assert_eq!(run.exit, Some(2), "{from} {run:?}");
    }
    assert!(place.inactive().is_empty());
}

#[test]
fn a_run_that_was_undone_does_not_go_on() {
    let place = Place::three();
    place
        .iam
        .fail("ListAccessKeys", Some("bob"), Fault::Refused("AccessDenied"));
    assert_eq!(place.apply(&[]).exit, Some(4));
    place.iam.heal();
    assert_eq!(
        place
            .run(&["remedy", "undo", "j", "--yes", "--user", "typo"])
            .exit,
        Some(2)
    );
    assert_eq!(
        place.run(&["remedy", "undo", "j", "--yes", "--step", "1"]).exit,
        Some(2)
    );
    assert_eq!(
        place.run(&["remedy", "undo", "j", "--yes", "--step", "2"]).exit,
        Some(0)
    );
    let resumed = place.resume();
    assert_eq!(resumed.exit, Some(2), "{resumed:?}");
    assert!(resumed.err.contains("this run was undone"), "{resumed:?}");
}

/// What IAM says may be older than the change: a key that may be inactive is never called fine.
#[test]
fn what_may_have_been_done_is_not_forgotten() {
    let place = Place::three();
    place
        .iam
        .fail_times("UpdateAccessKey", None, 1, Fault::SignalAfter("KILL"));
    place.apply(&[]);
    place.iam.heal();
    let user = place.inactive()[0].clone();
    let of_user = (CALLER.to_owned(), user.clone());
    let old = super::remedy_server::keys(&user, &place.before[&of_user]);
    place.iam.fail("ListAccessKeys", Some(&user), Fault::Says(old));
    place.iam.change(|users| {
        let tags = &mut users.get_mut(&of_user).unwrap().tags;
        tags.push(("credlens-exempt".to_owned(), "yes".to_owned()));
    });
    let resumed = place.resume();
    assert_eq!(resumed.exit, Some(4), "{resumed:?}");
    assert!(
        resumed.out.contains("in doubt") && resumed.out.contains("undo:"),
        "{resumed:?}"
    );
    place.iam.heal();
    let record = place.run(&["remedy", "record", "j"]);
    assert!(record.out.contains("in-doubt"), "{record:?}");
    let undone = place.undo();
    assert_eq!(undone.exit, Some(0), "{undone:?}");
    assert!(undone.err.contains("repeat this undo in a minute"), "{undone:?}");
    assert!(place.inactive().is_empty());
}

#[test]
fn an_undo_does_not_need_standard_output() {
    let place = Place::three();
    place.apply(&[]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = place
        .command()
        .args(["remedy", "undo", "j", "--yes"])
        .stdout(full)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(5));
    assert_eq!(place.iam.users(), place.before);
}
