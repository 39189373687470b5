//! The words and commands of each action, filled in for a user and a key by the writer that fills the fixes of rules.

use std::sync::LazyLock;

use super::decide::slot_of;
use super::facts::{Key, LastUse, User};
use super::step::Action;
use crate::finding::FixStep;
use crate::report::cell::partition_of;
use crate::report::schema::{Credential, Slot};
use crate::rule::{FixSubject, FixTemplate, KeyFacts, Subject, UserKind};

/// What is done, how it is tested, and how it is undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Instructions {
    pub(super) todo: Vec<FixStep>,
    pub(super) check: Vec<FixStep>,
    pub(super) undo: Vec<FixStep>,
}

const DEACTIVATE: &str = "\
```sh
# Check the last use: if it is later than in the report, something needs the key.
aws iam get-access-key-last-used --access-key-id={key_id}
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Inactive
```
";

const CHECK: &str = "\
The status of the key must be `Inactive`:

```sh
aws iam list-access-keys --user-name={user}
```

Watch the owner's applications for one whole period of their least frequent job; monthly jobs exist. Calls with an inactive key \
fail with `InvalidClientTokenId` or `AccessDenied`.
";

const UNDO: &str = "\
```sh
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Active
# The status must be Active again.
aws iam list-access-keys --user-name={user}
```
";

const REVIEW: &str = "\
See when the key was used last, and ask the owner whether it is needed. If it is, move its use to a role where that is possible. If \
it is not, a later plan deactivates it: once it has been idle for the quiet days, or sooner with `--quiet-days`.

```sh
aws iam get-access-key-last-used --access-key-id={key_id}
```
";

const CREATE: &str = "\
1. Create a second key and put it where the old one is used. The secret is shown once.

```sh
aws iam create-access-key --user-name={user}
```
";

const SWITCH: &str = "\
2. Switch every application over, and check that the last use of the old key stands still for one whole period of the least \
frequent job.

```sh
aws iam get-access-key-last-used --access-key-id={key_id}
```

3. Deactivate the old key. The next plan lists it under `deactivate`, with the commands and their undo, once it has been idle for \
the quiet days.
4. Wait, and delete it. The plan lists it under `delete` once snapshots show that it was inactive for 30 days.
";

const DELETE: &str = "\
This cannot be undone: a key with the same id and secret cannot be created again.

```sh
# The status must be Inactive, and the last use must be before the deactivation.
aws iam list-access-keys --user-name={user}
aws iam get-access-key-last-used --access-key-id={key_id}
aws iam delete-access-key --user-name={user} --access-key-id={key_id}
```
";

const BEFORE_DELETING_A_USER: &str = "\
Before a user is deleted: IAM refuses while anything is attached, and a deletion that stops half-way leaves a user that cannot be \
restored. List what is there first, and record it.

```sh
aws iam get-login-profile --user-name={user}
aws iam list-access-keys --user-name={user}
aws iam list-signing-certificates --user-name={user}
aws iam list-ssh-public-keys --user-name={user}
aws iam list-service-specific-credentials --user-name={user}
aws iam list-mfa-devices --user-name={user}
aws iam list-attached-user-policies --user-name={user}
aws iam list-user-policies --user-name={user}
aws iam list-groups-for-user --user-name={user}
```
";

const ALTERNATIVES: &str = "\
These are the ways that the rules know, with what takes them back: choose one, and run its commands one at a time.";

const KEYS_ELSEWHERE: &str = "The user's access keys have steps or reasons of their own in this plan.";

/// Read once for all steps.
static DEACTIVATING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(DEACTIVATE));
static CHECKING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(CHECK));
static UNDOING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(UNDO));
static REVIEWING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(REVIEW));
static CREATING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(CREATE));
static SWITCHING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(SWITCH));
static DELETING: LazyLock<FixTemplate> = LazyLock::new(|| FixTemplate::of_text(DELETE));
static BEFORE_DELETING: LazyLock<FixTemplate> =
    LazyLock::new(|| FixTemplate::of_text(BEFORE_DELETING_A_USER));

impl Instructions {
    /// Those of an action on a credential. `fixes` are the steps of the rules that call for it, and `of_other` is what the plan does
    /// about the user's other key.
    pub(super) fn of(
        user: &User,
        credential: Option<Credential>,
        action: Action,
        fixes: &[(&str, &[FixStep])],
        of_other: Option<Action>,
    ) -> Self {
        let fill = |template: &FixTemplate| filled(user, credential, template);
        match action {
            Action::Deactivate => Self {
                todo: fill(&DEACTIVATING),
                check: fill(&CHECKING),
                undo: fill(&UNDOING),
            },
            Action::Rotate => match slot_of(credential) {
                Some(slot) => Self::rotating(user, credential, slot, of_other),
                None => Self::of_rules(fixes),
            },
            Action::Delete => Self {
                todo: fill(&DELETING),
                ..Self::default()
            },
            Action::Manual => Self::manual(user, credential, fixes),
        }
    }

    /// Those of the rules, but of keys only how to see whether they are needed: what changes them has steps of its own, once they are
    /// idle. A step about the user leaves keys alone, and lists what is attached before a user is deleted.
    fn manual(user: &User, credential: Option<Credential>, fixes: &[(&str, &[FixStep])]) -> Self {
        if slot_of(credential).is_some() {
            return Self {
                todo: filled(user, credential, &REVIEWING),
                ..Self::default()
            };
        }
        let mut manual = Self::of_rules(fixes);
        if credential.is_some() {
            return manual;
        }
        let before = manual.todo.len();
        manual.todo.retain(|step| !is_about_a_key(step));
        if manual.todo.len() < before {
            manual.todo.push(FixStep::text(KEYS_ELSEWHERE));
        }
        let speaks_of_deletion =
            |step: &FixStep| matches!(step, FixStep::Text { text } if text.contains("Delete the user"));
        let rules = ["user-dormant", "user-without-credentials"];
        let is_deleted =
            fixes.iter().any(|(rule, _)| rules.contains(rule)) || manual.todo.iter().any(speaks_of_deletion);
        if is_deleted {
            let mut first = filled(user, credential, &BEFORE_DELETING);
            add_new(&mut first, &manual.todo);
            manual.todo = first;
        }
        manual
    }

    fn rotating(user: &User, credential: Option<Credential>, slot: Slot, of_other: Option<Action>) -> Self {
        let other = user.other_key(slot);
        let mut todo: Vec<FixStep> = other
            .map(|other| taken(user, slot, other, of_other))
            .into_iter()
            .collect();
        todo.extend(filled(user, credential, &CREATING));
        todo.extend(filled(user, credential, &SWITCHING));
        Self {
            todo,
            ..Self::default()
        }
    }

    /// Those of the rules, each with its name.
    fn of_rules(fixes: &[(&str, &[FixStep])]) -> Self {
        let mut todo = Vec::new();
        for (rule, steps) in fixes {
            if fixes.len() > 1 {
                todo.push(FixStep::text(format!("For `{rule}`:")));
            }
            add_new(&mut todo, steps);
        }
        if todo.iter().filter(|step| is_change(step)).count() > 1 {
            todo.insert(0, FixStep::text(ALTERNATIVES));
        }
        Self {
            todo,
            ..Self::default()
        }
    }
}

/// Adds steps, but what is said already is not said again.
fn add_new(todo: &mut Vec<FixStep>, steps: &[FixStep]) {
    for step in steps {
        if !todo.contains(step) {
            todo.push(step.clone());
        }
    }
}

/// Whether a step is a command that changes something.
fn is_change(step: &FixStep) -> bool {
    let FixStep::Command { argv, .. } = step else {
        return false;
    };
    let reads = |word: &String| word.starts_with("list-") || word.starts_with("get-");
    argv.first().is_some_and(|word| word == "aws") && !argv.get(2).is_some_and(reads)
}

/// Whether a step changes or names an access key.
fn is_about_a_key(step: &FixStep) -> bool {
    match step {
        FixStep::Command { argv, .. } => argv.iter().any(|word| word.starts_with("--access-key-id")),
        FixStep::Text { text } => text.contains("access_key_"),
    }
}

/// What to do first where a user has two keys, the most that IAM allows. `planned` is what this plan does about the other one.
fn taken(user: &User, slot: Slot, other: &Key, planned: Option<Action>) -> FixStep {
    let created = other
        .created
        .map_or("at an unknown time".to_owned(), |time| time.to_string());
    let is_newer = other.created > user.key(slot).and_then(|key| key.created);
    let rest = match (other.active, planned) {
        (Some(false), Some(Action::Delete)) => "is inactive and goes first: this plan deletes it.",
        (Some(false), _) => {
            "is inactive, and must be deleted before a new one can be created. Keep it until it has been inactive for 30 days."
        }
        (_, Some(Action::Deactivate)) => {
            "is not used and goes first: this plan deactivates it. Once it has been inactive for 30 days, delete it."
        }
        _ if is_newer && other.last_used == LastUse::Never => {
            "is newer and was never used: if it is the new key of a rotation, go on with stage 2."
        }
        _ if is_newer => {
            "is newer and in use, or may be: if it is the new key of a rotation, go on with stage 2. If not, move all uses to one \
             of the two keys first, and deactivate and delete the other."
        }
        _ => {
            "is in use, too, or may be: move all uses to one of the two keys first, and deactivate and delete the other."
        }
    };
    FixStep::text(format!(
        "The user has two keys, the most that IAM allows. The other one, created {created}, {rest}"
    ))
}

/// A text with its commands filled in.
fn filled(user: &User, credential: Option<Credential>, template: &FixTemplate) -> Vec<FixStep> {
    let facts = |slot: Slot| {
        user.key(slot).map(|key| KeyFacts {
            id: key.id.as_deref(),
            created: key.created,
            is_inactive: key.active == Some(false),
        })
    };
    let created = slot_of(credential).and_then(|slot| user.key(slot)?.created);
    let subject = FixSubject {
        subject: Subject {
            account: user.account.as_deref(),
            user: Some(&user.name),
            path: user.path.as_deref(),
            credential,
            created,
        },
        same_second: user.keys_share_a_second(),
        kind: if user.is_root {
            UserKind::Root
        } else {
            UserKind::User
        },
        name: &user.name,
        account: user.account.as_deref(),
        partition: user
            .arn
            .as_deref()
            .and_then(|arn| str::from_utf8(partition_of(arn.as_bytes())).ok()),
        without_password: user.credentials.without_password,
        keys: Slot::ALL.map(facts),
        certificates: [None, None],
        service_credential: None,
    };
    template.fill(&subject).steps
}
