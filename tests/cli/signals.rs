//! Signals during a run on files: the exit status is 128 and the signal's number, no temporary file is left, and an
//! output that was there is as it was.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Workspace;

const HEADER: &str = "user,arn,mfa_active\n";
const ALICE: &str = "alice,arn:aws:iam::111122223333:user/alice,false\n";
const SCAN: &str = "exec \"$0\" scan fifo --rule user-without-mfa --format json=out.json";

/// A run that waits for more of its input, which comes through a named pipe; its output is a file that was there.
struct Run {
    place: Workspace,
    child: Child,
    fifo: File,
}

impl Drop for Run {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Run {
    /// Runs a shell script in which `$0` is the program, and waits until the run writes its output.
    fn start(script: &str) -> Self {
        let place = Workspace::new().file("out.json", "old");
        let fifo = place.path("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let child = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_credlens")])
            .current_dir(place.path("."))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // To open it for reading, too, does not wait for the other side.
        let mut fifo = File::options().read(true).write(true).open(fifo).unwrap();
        fifo.write_all([HEADER, ALICE].concat().as_bytes()).unwrap();
        let run = Self { place, child, fifo };
        wait_until(|| run.files().len() == 3);
        run
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.place.path(".")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn send(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(kill.unwrap().success());
    }

    fn status(&mut self) -> Option<i32> {
        wait_until(|| self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code()
    }
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < end, "it takes too long");
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_leaves_no_temporary_file_and_the_old_output() {
    for (signal, status) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut run = Run::start(SCAN);
        run.send(signal);
        assert_eq!(run.status(), Some(status), "SIG{signal}");
        assert_eq!(run.files(), ["fifo", "out.json"], "SIG{signal}");
        assert_eq!(run.place.read("out.json"), "old", "SIG{signal}");
    }
}

/// `nohup` starts a program with SIGHUP ignored, and shells start background jobs with SIGINT ignored.
#[test]
fn an_ignored_signal_stays_ignored() {
    let mut run = Run::start(&format!("trap '' HUP INT; {SCAN}"));
    run.send("HUP");
    run.send("INT");
    sleep(Duration::from_millis(300));
    assert!(run.child.try_wait().unwrap().is_none());
    run.send("TERM");
    assert_eq!(run.status(), Some(143));
    assert_eq!(run.files(), ["fifo", "out.json"]);
}

#[test]
fn without_a_signal_the_output_is_replaced() {
    let mut run = Run::start(SCAN);
    // More than a pipe holds, so that the run has opened it before its end.
    run.fifo.write_all(ALICE.repeat(3_000).as_bytes()).unwrap();
    run.fifo = File::open("/dev/null").unwrap();
    assert_eq!(run.status(), Some(1));
    assert_eq!(run.files(), ["fifo", "out.json"]);
    assert!(run.place.read("out.json").contains("alice"));
}
