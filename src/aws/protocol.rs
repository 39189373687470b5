//! Decides the calls that get a credential report: what to do next, given the last response. Pure; [`super::fetch`]
//! makes the calls and waits.
//!
//! Get comes first, and its report is used if it is young enough. Otherwise Generate is called until the report is
//! complete, then Get once more. That report is used whatever its age: AWS generates none younger, so a second round
//! would give the same.

use std::time::Duration;

use super::retry::{Backoff, FailureKind, RetryDecision};

/// A call to IAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `GetCredentialReport`
    Get,
    /// `GenerateCredentialReport`
    Generate,
}

/// The response to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// Get: a report of this age.
    Report { age: Duration },
    /// Get: there is no report, or it has expired.
    NotPresent,
    /// Get: the report is being generated.
    NotReady,
    /// Generate: the report is being generated.
    Running,
    /// Generate: the report is ready.
    Complete,
    /// Either: an error.
    Failed(FailureKind),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Make this call at once.
    Call(Call),
    /// Make this call after a pause.
    Wait { pause: Duration, then: Call },
    /// Use the report of the last response.
    Use,
    /// Return the error of the last response.
    Fail,
    /// No time is left for another call.
    TimedOut,
}

/// The state of fetching one report.
#[derive(Clone, Debug)]
pub(super) struct Protocol {
    max_report_age: Duration,
    call: Call,
    completed: bool,
    backoff: Backoff,
}

impl Protocol {
    /// The first call.
    pub(super) const FIRST: Call = Call::Get;

    pub(super) fn new(max_report_age: Duration, timeout: Duration) -> Self {
        Self {
            max_report_age,
            call: Self::FIRST,
            completed: false,
            backoff: Backoff::new(timeout),
        }
    }

    /// The step after a response, `elapsed` after the first call; `jitter` as in [`Backoff::after`].
    pub(super) fn next(&mut self, response: Response, elapsed: Duration, jitter: f64) -> Step {
        if !matches!(response, Response::Failed(_)) {
            self.backoff.reset_failures();
        }
        let repeat = |decision, then| match decision {
            RetryDecision::After(pause) => Step::Wait { pause, then },
            RetryDecision::Fail => Step::Fail,
            RetryDecision::TimedOut => Step::TimedOut,
        };
        let mut wait = |then| repeat(self.backoff.next(elapsed, jitter), then);
        let step = match response {
            Response::Report { age } if self.completed || age < self.max_report_age => Step::Use,
            Response::NotPresent if self.completed => wait(Call::Generate),
            Response::Report { .. } | Response::NotPresent => Step::Call(Call::Generate),
            Response::NotReady if self.completed => wait(Call::Get),
            Response::NotReady | Response::Running => wait(Call::Generate),
            Response::Complete => {
                self.completed = true;
                Step::Call(Call::Get)
            }
            Response::Failed(failure) => repeat(self.backoff.after(failure, elapsed, jitter), self.call),
        };
        if let Step::Call(call) | Step::Wait { then: call, .. } = step {
            self.call = call;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::super::retry::LONGEST_PAUSE;
    use super::*;

    const MAX_REPORT_AGE: Duration = Duration::from_secs(100);
    const TIMEOUT: Duration = Duration::from_mins(1);
    const YOUNG: Response = Response::Report {
        age: Duration::from_secs(99),
    };
    const OLD: Response = Response::Report {
        age: Duration::from_secs(100),
    };
    const THROTTLED: Response = Response::Failed(FailureKind::Throttled);
    const TRANSIENT: Response = Response::Failed(FailureKind::Transient);
    const PERMANENT: Response = Response::Failed(FailureKind::Permanent);

    /// The calls after these responses, with pauses in whole seconds, and the end.
    fn run(responses: &[Response]) -> String {
        let mut protocol = Protocol::new(MAX_REPORT_AGE, TIMEOUT);
        let mut steps = vec!["get".to_owned()];
        let mut elapsed = Duration::ZERO;
        let name = |call| match call {
            Call::Get => "get",
            Call::Generate => "generate",
        };
        for &response in responses {
            match protocol.next(response, elapsed, 0.5) {
                Step::Call(call) => steps.push(name(call).to_owned()),
                Step::Wait { pause, then } => {
                    elapsed += pause;
                    steps.push(format!("{} {}", pause.as_secs(), name(then)));
                }
                Step::Use => steps.push("use".to_owned()),
                Step::Fail => steps.push("fail".to_owned()),
                Step::TimedOut => steps.push("timed out".to_owned()),
            }
        }
        steps.join(", ")
    }

    #[test]
    fn calls_after_typical_responses() {
        use Response::{Complete, NotPresent, NotReady, Running};
        let check = |responses: &[Response], steps: &str| assert_eq!(run(responses), steps, "{responses:?}");
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
            &[THROTTLED, NotPresent, THROTTLED, THROTTLED, Complete, YOUNG],
            "get, 1 get, generate, 2 generate, 4 generate, get, use",
        );
        check(&[TRANSIENT, TRANSIENT, YOUNG], "get, 1 get, 2 get, use");
        check(
            &[TRANSIENT, TRANSIENT, TRANSIENT, TRANSIENT],
            "get, 1 get, 2 get, 4 get, fail",
        );
        check(&[PERMANENT], "get, fail");
        check(&[NotPresent, PERMANENT], "get, generate, fail");
        check(
            &[[NotPresent].as_slice(), &[Running; 10]].concat(),
            "get, generate, 1 generate, 2 generate, 4 generate, 8 generate, 8 generate, 8 generate, \
             8 generate, 8 generate, 8 generate, timed out",
        );
    }

    /// The responses that a call can have.
    fn possible(call: Call) -> Vec<Response> {
        let regular = match call {
            Call::Get => vec![YOUNG, OLD, Response::NotPresent, Response::NotReady],
            Call::Generate => vec![Response::Running, Response::Complete],
        };
        [regular, vec![THROTTLED, TRANSIENT, PERMANENT]].concat()
    }

    /// Checks the invariants after every sequence of up to `depth` more responses.
    fn explore(
        protocol: &Protocol,
        call: Call,
        elapsed: Duration,
        completed: bool,
        depth: u32,
        seen: &mut u64,
    ) {
        for response in possible(call) {
            *seen += 1;
            let mut protocol = protocol.clone();
            let step = protocol.next(response, elapsed, 1.0);
            let completed = completed || response == Response::Complete;
            let is_report = matches!(response, Response::Report { .. });
            assert_eq!(
                step == Step::Use,
                is_report && (completed || response == YOUNG),
                "{response:?}"
            );
            assert!(step != Step::Fail || matches!(response, PERMANENT | TRANSIENT));
            let longest = LONGEST_PAUSE.mul_f64(1.25);
            assert!(step != Step::TimedOut || elapsed + longest >= TIMEOUT);
            let next = match step {
                Step::Call(next) => {
                    assert_ne!(next, call, "the same call is made again only after a pause");
                    (next, elapsed)
                }
                Step::Wait { pause, then } => {
                    assert!(pause > Duration::ZERO && elapsed + pause < TIMEOUT);
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
    fn invariants_of_all_sequences() {
        let mut seen = 0;
        explore(
            &Protocol::new(MAX_REPORT_AGE, TIMEOUT),
            Protocol::FIRST,
            Duration::ZERO,
            false,
            8,
            &mut seen,
        );
        assert!(seen > 100_000, "{seen}");
    }
}
