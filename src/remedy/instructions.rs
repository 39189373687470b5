//! The words and commands of each action, filled in for a user and a key by the writer that fills the fixes of rules.

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
# its last use: later than the report says, something needs it
aws iam get-access-key-last-used --access-key-id={key_id}
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Inactive
```
";

const CHECK: &str = "\
Watch the owner's applications for one whole period of their least frequent job; monthly jobs exist. Calls with an inactive key \
fail with InvalidClientTokenId or AccessDenied, and CloudTrail does not record all of them.

```sh
aws iam list-access-keys --user-name={user}
```
";

const UNDO: &str = "\
```sh
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Active
# the status; get-access-key-last-used does not show it
aws iam list-access-keys --user-name={user}
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

3. Deactivate the old key. Wait; if something breaks, activate it again.

```sh
aws iam update-access-key --user-name={user} --access-key-id={key_id} --status=Inactive
# if something breaks, run the same command with --status=Active
```

4. Delete the old key once it has been inactive for 30 days. This cannot be undone.

```sh
aws iam delete-access-key --user-name={user} --access-key-id={key_id}
```
";

const NEXT_RUN: &str = "The next plan lists the old key under `deactivate` once it has been idle for the quiet days, and under `delete` \
    once snapshots show that it was inactive for 30 days.";

const DELETE: &str = "\
This cannot be undone: a key with the same id and secret cannot be created again.

```sh
# inactive, and not used since
aws iam list-access-keys --user-name={user}
aws iam get-access-key-last-used --access-key-id={key_id}
aws iam delete-access-key --user-name={user} --access-key-id={key_id}
```
";

const BEFORE_DELETING_A_USER: &str = "\
If the user is to be deleted: IAM refuses while anything is attached, and a deletion that stops half-way leaves a user who cannot be \
restored. List what is there first, and record it.

```sh
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

impl Instructions {
    /// Those of an action on a credential. `fixes` are the steps of the rules that call for it.
    pub(super) fn of(
        user: &User,
        credential: Option<Credential>,
        action: Action,
        fixes: &[(&str, &[FixStep])],
    ) -> Self {
        let fill = |text: &str| filled(user, credential, text);
        match action {
            Action::Deactivate => Self {
                todo: fill(DEACTIVATE),
                check: fill(CHECK),
                undo: fill(UNDO),
            },
            Action::Rotate => match slot_of(credential) {
                Some(slot) => Self::rotating(user, credential, slot),
                None => Self::of_rules(fixes),
            },
            Action::Delete => Self {
                todo: fill(DELETE),
                ..Self::default()
            },
            Action::Manual => {
                let mut manual = Self::of_rules(fixes);
                if credential.is_none() {
                    manual.todo.extend(fill(BEFORE_DELETING_A_USER));
                }
                manual
            }
        }
    }

    fn rotating(user: &User, credential: Option<Credential>, slot: Slot) -> Self {
        let fill = |text: &str| filled(user, credential, text);
        let mut todo: Vec<FixStep> = user.other_key(slot).map(taken).into_iter().collect();
        todo.extend(fill(CREATE));
        todo.extend(fill(SWITCH));
        todo.push(FixStep::text(NEXT_RUN));
        Self {
            todo,
            check: Vec::new(),
            undo: Vec::new(),
        }
    }

    /// Those of the rules, each with its name.
    fn of_rules(fixes: &[(&str, &[FixStep])]) -> Self {
        let mut todo = Vec::new();
        for (rule, steps) in fixes {
            if fixes.len() > 1 {
                todo.push(FixStep::text(format!("For `{rule}`:")));
            }
            todo.extend(steps.iter().cloned());
        }
        Self {
            todo,
            ..Self::default()
        }
    }
}

/// What to do first where a user has two keys, the most that IAM allows.
fn taken(other: &Key) -> FixStep {
    let created = other
        .created
        .map_or("at an unknown time".to_owned(), |time| time.to_string());
    FixStep::text(match (other.active, other.last_used) {
        (Some(false), _) => format!(
            "The user has two keys, the most that IAM allows. The other one, created {created}, is inactive: delete it first, once \
             nothing needs it."
        ),
        (_, LastUse::Never) => format!(
            "The user has two keys, the most that IAM allows. The other one, created {created}, was never used: if it is the new key \
             of a rotation, go on with step 2; else deactivate and delete it first."
        ),
        (_, LastUse::At(_) | LastUse::EmptyCell | LastUse::Unknown) => format!(
            "The user has two keys, the most that IAM allows, and both are or may be in use. The other one was created {created}. \
             Move the uses of one key to the other before you create a new one."
        ),
    })
}

/// A text with its commands filled in.
fn filled(user: &User, credential: Option<Credential>, text: &str) -> Vec<FixStep> {
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
    FixTemplate::of_text(text).fill(&subject).steps
}
