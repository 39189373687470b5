//! One step: the questions that are asked of AWS before a key is changed, and what follows from each answer. All of it is in one
//! table, [`next()`].

use crate::remedy::skip::SkipReason;

/// What is asked of AWS, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Whose credentials are these?
    Account,
    /// Which keys does the user have, and which one is meant?
    Key,
    /// Do the user's tags exempt it?
    Tags,
    /// Do the user's groups?
    Groups,
    /// When was the key used last? Asked at last, since it may be used at any time.
    LastUse,
    /// Will you deactivate it?
    Change,
}

/// What an answer means for the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing stands against the step.
    GoOn,
    /// It is not done.
    Skip(SkipReason),
    /// The key is inactive now.
    Changed,
    /// AWS did not change it.
    Rejected,
    /// AWS may have changed it.
    Unknown,
    /// A signal ended the run before AWS was asked, or answered what changes nothing.
    Interrupted,
}

/// How a step ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The key is inactive.
    Done,
    /// It was found inactive, after AWS was asked in an earlier run.
    FoundDone,
    /// Nothing was changed.
    Skipped(SkipReason),
    /// AWS may have changed it when an earlier run asked, and is not asked again, for this reason. What IAM says about the key may
    /// be older than that change.
    Doubtful(SkipReason),
    /// AWS did not change it.
    Failed,
    /// AWS may have changed it.
    Unknown,
    /// A signal ended the run: nothing was changed.
    Interrupted,
}

impl Ending {
    /// Whether it counts as an error: what decides about the step is not known, or its change is not certain.
    pub fn is_error(self) -> bool {
        match self {
            Self::Skipped(reason) => !reason.is_settled(),
            Self::Doubtful(_) | Self::Failed | Self::Unknown => true,
            Self::Done | Self::FoundDone | Self::Interrupted => false,
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Ask(Question),
    End(Ending),
}

/// The table: what follows from an answer. `may_be_done` is whether an earlier run asked AWS for the change and its answer is not
/// known. What cannot be an answer to a question lets nothing through.
pub(crate) fn next(question: Question, meaning: Meaning, may_be_done: bool) -> Next {
    use Meaning::{Changed, GoOn, Interrupted, Rejected, Skip, Unknown};
    use Question::{Account, Change, Groups, Key, LastUse, Tags};
    match (question, meaning) {
        (Account, GoOn) => Next::Ask(Key),
        (Key, GoOn) => Next::Ask(Tags),
        (Tags, GoOn) => Next::Ask(Groups),
        (Groups, GoOn) => Next::Ask(LastUse),
        (LastUse, GoOn) => Next::Ask(Change),
        // It is as the earlier run wanted it.
        (Key, Skip(SkipReason::AlreadyInactive)) if may_be_done => Next::End(Ending::FoundDone),
        (_, Skip(reason)) if may_be_done && reason.is_settled() && reason != SkipReason::Gone => {
            Next::End(Ending::Doubtful(reason))
        }
        (_, Skip(reason)) => Next::End(Ending::Skipped(reason)),
        (_, Interrupted) => Next::End(Ending::Interrupted),
        (Change, Changed) => Next::End(Ending::Done),
        (Change, Rejected) => Next::End(Ending::Failed),
        (Change, Unknown | GoOn) => Next::End(Ending::Unknown),
        (Account | Key | Tags | Groups | LastUse, Changed | Rejected | Unknown) => {
            Next::End(Ending::Skipped(SkipReason::Unreadable))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTIONS: [Question; 6] = [
        Question::Account,
        Question::Key,
        Question::Tags,
        Question::Groups,
        Question::LastUse,
        Question::Change,
    ];

    fn meanings() -> Vec<Meaning> {
        let others = [
            Meaning::GoOn,
            Meaning::Changed,
            Meaning::Rejected,
            Meaning::Unknown,
            Meaning::Interrupted,
        ];
        let skips = SkipReason::ALL.map(Meaning::Skip);
        others.into_iter().chain(skips).collect()
    }

    /// Every answer to every question.
    #[test]
    fn only_answers_that_let_the_step_through_lead_to_the_change() {
        for may_be_done in [false, true] {
            for (position, question) in QUESTIONS.into_iter().enumerate() {
                for meaning in meanings() {
                    let next = next(question, meaning, may_be_done);
                    let follows = QUESTIONS.get(position + 1);
                    let expected = match (meaning, follows) {
                        (Meaning::GoOn, Some(&follows)) => Next::Ask(follows),
                        (Meaning::Changed, None) => Next::End(Ending::Done),
                        (Meaning::Rejected, None) => Next::End(Ending::Failed),
                        // To go on says nothing about a change.
                        (Meaning::Unknown | Meaning::GoOn, None) => Next::End(Ending::Unknown),
                        (Meaning::Changed | Meaning::Rejected | Meaning::Unknown, Some(_)) => {
                            Next::End(Ending::Skipped(SkipReason::Unreadable))
                        }
                        (Meaning::Interrupted, _) => Next::End(Ending::Interrupted),
                        (Meaning::Skip(SkipReason::AlreadyInactive), _)
                            if may_be_done && question == Question::Key =>
                        {
                            Next::End(Ending::FoundDone)
                        }
                        (Meaning::Skip(reason), _)
                            if may_be_done && reason.is_settled() && reason != SkipReason::Gone =>
                        {
                            Next::End(Ending::Doubtful(reason))
                        }
                        (Meaning::Skip(reason), _) => Next::End(Ending::Skipped(reason)),
                    };
                    assert_eq!(next, expected, "{question:?} {meaning:?} {may_be_done}");
                }
            }
        }
    }

    /// A step is done by the one way through all questions, and by no other.
    #[test]
    fn there_is_one_way_to_a_change() {
        let (mut question, mut asked) = (Question::Account, Vec::new());
        loop {
            asked.push(question);
            let meaning = if question == Question::Change {
                Meaning::Changed
            } else {
                Meaning::GoOn
            };
            match next(question, meaning, false) {
                Next::Ask(follows) => question = follows,
                Next::End(ending) => {
                    assert_eq!((ending, asked), (Ending::Done, QUESTIONS.to_vec()));
                    return;
                }
            }
        }
    }
}
