//! The order of calls that gets a credential report: what to do next, given the last answer. Pure; the calls
//! and the waiting are [`super::fetch`]'s.
//!
//! Get comes first. What it gives is used if it is young enough; otherwise Generate is asked until the report
//! is complete, and Get once more, whose report is used whatever its age: AWS makes none younger, and asking
//! again would give the same.

use std::time::Duration;

use super::retry::{Failure, Next, Pauses};

/// How old a report may be, and how long one is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A report younger than this is used as it is.
    pub max_report_age: Duration,
    /// How long it may take in all.
    pub timeout: Duration,
}

/// A call to IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `GetCredentialReport`
    Get,
    /// `GenerateCredentialReport`
    Generate,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Get: a report of this age.
    Report { age: Duration },
    /// Get: there is none, or it has expired.
    NotPresent,
    /// Get: it is being made.
    NotReady,
    /// Generate: it is being made.
    Running,
    /// Generate: it can be got.
    Complete,
    /// Either: an error.
    Failed(Failure),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Make this call at once.
    Ask(Call),
    /// Make this call after a pause.
    Wait { pause: Duration, then: Call },
    /// The last answer's report is the one.
    Use,
    /// The last answer's error is the end of it.
    Fail,
    /// There is no time left for another call.
    TimedOut,
}

/// What has been asked and answered so far.
#[derive(Clone, Debug)]
pub(super) struct Protocol {
    max_report_age: Duration,
    call: Call,
    completed: bool,
    pauses: Pauses,
}

impl Protocol {
    /// The call that comes first.
    pub(super) const FIRST: Call = Call::Get;

    pub(super) fn new(patience: Patience) -> Self {
        Self {
            max_report_age: patience.max_report_age,
            call: Self::FIRST,
            completed: false,
            pauses: Pauses::new(patience.timeout),
        }
    }

    /// What follows this answer, which came `elapsed` after the first call was made; `jitter` is as in [`Pauses`].
    pub(super) fn next(&mut self, answer: Answer, elapsed: Duration, jitter: f64) -> Step {
        if !matches!(answer, Answer::Failed(_)) {
            self.pauses.forget_misses();
        }
        let mut wait = |then| match self.pauses.next(elapsed, jitter) {
            Next::After(pause) => Step::Wait { pause, then },
            Next::Fail | Next::TimedOut => Step::TimedOut,
        };
        let step = match answer {
            Answer::Report { age } if self.completed || age < self.max_report_age => Step::Use,
            Answer::NotPresent if self.completed => wait(Call::Generate),
            Answer::Report { .. } | Answer::NotPresent => Step::Ask(Call::Generate),
            Answer::NotReady if self.completed => wait(Call::Get),
            Answer::NotReady | Answer::Running => wait(Call::Generate),
            Answer::Complete => {
                self.completed = true;
                Step::Ask(Call::Get)
            }
            Answer::Failed(failure) => match self.pauses.after(failure, elapsed, jitter) {
                Next::After(pause) => Step::Wait {
                    pause,
                    then: self.call,
                },
                Next::Fail => Step::Fail,
                Next::TimedOut => Step::TimedOut,
            },
        };
        if let Step::Ask(call) | Step::Wait { then: call, .. } = step {
            self.call = call;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::super::retry::LONGEST_PAUSE;
    use super::*;

    const PATIENCE: Patience = Patience {
        max_report_age: Duration::from_secs(100),
        timeout: Duration::from_mins(1),
    };
    const YOUNG: Answer = Answer::Report {
        age: Duration::from_secs(99),
    };
    const OLD: Answer = Answer::Report {
        age: Duration::from_secs(100),
    };
    const BUSY: Answer = Answer::Failed(Failure::Busy);
    const UNAVAILABLE: Answer = Answer::Failed(Failure::Unavailable);
    const REFUSED: Answer = Answer::Failed(Failure::Refused);

    /// The calls that these answers lead to, pauses as whole seconds, and the end.
    fn run(answers: &[Answer]) -> String {
        let mut protocol = Protocol::new(PATIENCE);
        let mut told = vec!["get".to_owned()];
        let mut elapsed = Duration::ZERO;
        let name = |call| match call {
            Call::Get => "get",
            Call::Generate => "generate",
        };
        for &answer in answers {
            match protocol.next(answer, elapsed, 0.5) {
                Step::Ask(call) => told.push(name(call).to_owned()),
                Step::Wait { pause, then } => {
                    elapsed += pause;
                    told.push(format!("{} {}", pause.as_secs(), name(then)));
                }
                Step::Use => told.push("use".to_owned()),
                Step::Fail => told.push("fail".to_owned()),
                Step::TimedOut => told.push("timed out".to_owned()),
            }
        }
        told.join(", ")
    }

    #[test]
    fn sequences_that_aws_gives() {
        use Answer::{Complete, NotPresent, NotReady, Running};
        let check = |answers: &[Answer], told: &str| assert_eq!(run(answers), told, "{answers:?}");
        check(&[YOUNG], "get, use");
        check(&[OLD, Complete, OLD], "get, generate, get, use");
        check(
            &[NotPresent, Running, Running, Complete, YOUNG],
            "get, generate, 1 generate, 2 generate, get, use",
        );
        check(&[NotReady, Complete, OLD], "get, 1 generate, get, use");
        check(
            &[Complete, NotReady, NotReady, OLD],
            "get, get, 1 get, 2 get, use",
        );
        check(
            &[OLD, Complete, NotPresent, Complete, OLD],
            "get, generate, get, 1 generate, get, use",
        );
        check(
            &[BUSY, NotPresent, BUSY, BUSY, Complete, YOUNG],
            "get, 1 get, generate, 2 generate, 4 generate, get, use",
        );
        check(&[UNAVAILABLE, UNAVAILABLE, YOUNG], "get, 1 get, 2 get, use");
        check(
            &[UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE],
            "get, 1 get, 2 get, 4 get, fail",
        );
        check(&[REFUSED], "get, fail");
        check(&[NotPresent, REFUSED], "get, generate, fail");
        check(
            &[[NotPresent].as_slice(), &[Running; 10]].concat(),
            "get, generate, 1 generate, 2 generate, 4 generate, 8 generate, 8 generate, 8 generate, \
             8 generate, 8 generate, 8 generate, timed out",
        );
    }

    /// Answers that this call can have.
    fn possible(call: Call) -> Vec<Answer> {
        let own = match call {
            Call::Get => vec![YOUNG, OLD, Answer::NotPresent, Answer::NotReady],
            Call::Generate => vec![Answer::Running, Answer::Complete],
        };
        [own, vec![BUSY, UNAVAILABLE, REFUSED]].concat()
    }

    /// Holds every sequence of answers, up to this many more, against what must always be so.
    fn explore(
        protocol: &Protocol,
        call: Call,
        elapsed: Duration,
        completed: bool,
        depth: u32,
        seen: &mut u64,
    ) {
        for answer in possible(call) {
            *seen += 1;
            let mut protocol = protocol.clone();
            let step = protocol.next(answer, elapsed, 1.0);
            let completed = completed || answer == Answer::Complete;
            let is_report = matches!(answer, Answer::Report { .. });
            assert_eq!(
                step == Step::Use,
                is_report && (completed || answer == YOUNG),
                "{answer:?}"
            );
            assert!(step != Step::Fail || matches!(answer, REFUSED | UNAVAILABLE));
            let longest = LONGEST_PAUSE.mul_f64(1.25);
            assert!(step != Step::TimedOut || elapsed + longest >= PATIENCE.timeout);
            let next = match step {
                Step::Ask(next) => {
                    assert_ne!(next, call, "the same call is made again only after a pause");
                    (next, elapsed)
                }
                Step::Wait { pause, then } => {
                    assert!(pause > Duration::ZERO && elapsed + pause < PATIENCE.timeout);
                    assert!(pause <= longest);
                    (then, elapsed + pause)
                }
                Step::Use | Step::Fail | Step::TimedOut => continue,
            };
            if depth > 1 {
                explore(&protocol, next.0, next.1, completed, depth - 1, seen);
            }
        }
    }

    #[test]
    fn every_sequence_ends_well() {
        let mut seen = 0;
        explore(
            &Protocol::new(PATIENCE),
            Protocol::FIRST,
            Duration::ZERO,
            false,
            8,
            &mut seen,
        );
        assert!(seen > 100_000, "{seen}");
    }
}
