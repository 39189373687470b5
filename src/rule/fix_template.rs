//! The instructions of a rule, filled in for one finding.

use std::collections::BTreeMap;

use super::definition::{Remedy, Rule};
use super::instruction_text::{Block, Line, blocks};
use super::instructions::Section;
use super::placeholder::{ListedId, Placeholder};
use super::suppression::Subject;
use super::suppression_entry::suppression_entry;
use super::user_kind::{OF_API_KEY, OF_SES_SMTP, UserKind};
use crate::finding::{Command, Fix, FixStep};
use crate::report::cell::is_account_id;
use crate::report::partition::Partition;
use crate::report::schema::{BySlot, Credential};
use crate::report::time::Timestamp;

/// The instructions of a rule, read once for all its findings.
#[derive(Clone, Debug)]
pub struct FixTemplate {
    rule: String,
    /// Risks and checks that come first.
    before: Vec<Block>,
    /// The change in commands; empty if the rule has none.
    commands: Vec<Block>,
    /// The change in words.
    words: Vec<Block>,
    /// How to undo it.
    after: Vec<Block>,
    /// What takes the place of all these for users of SES SMTP; empty unless the rule rotates or deactivates keys.
    of_ses_smtp: Vec<Block>,
    /// What takes their place for users made for API keys; empty if the rule is about these.
    of_api_key: Vec<Block>,
}

/// What is known of the user and credential of a finding.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixSubject<'a> {
    /// As suppressions see it.
    pub subject: Subject<'a>,
    /// Whether the other key or certificate was created in the same second.
    pub same_second: bool,
    /// Which kind of user it is.
    pub kind: UserKind,
    /// The user's name as the report has it; what is not UTF-8 is replaced.
    pub name: &'a str,
    /// The account's id, as the report has it.
    pub account: Option<&'a str>,
    /// The partition of the user's ARN, such as `aws-cn`.
    pub partition: Option<&'a str>,
    /// Whether the report says that the user has no password.
    pub without_password: bool,
    /// The access keys that exist, by slot.
    pub keys: BySlot<Option<KeyFacts<'a>>>,
    /// The signing certificates that exist, by slot.
    pub certificates: BySlot<Option<KeyFacts<'a>>>,
    /// The service-specific credential that it is about.
    pub service_credential: Option<KeyFacts<'a>>,
}

/// What is known of a key, certificate or service-specific credential.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFacts<'a> {
    /// Its id, if it is known.
    pub id: Option<&'a str>,
    /// When it was created, if the report says so.
    pub created: Option<Timestamp>,
    /// Whether the report says that it is inactive.
    pub is_inactive: bool,
}

impl FixTemplate {
    /// Reads the instructions of a rule with these parameters.
    pub fn new(rule: &Rule, parameters: &BTreeMap<String, i64>) -> Self {
        let read = |sections: &[Section]| -> Vec<Block> {
            let texts = sections.iter().filter_map(|section| rule.fix.get(section));
            texts.flat_map(|text| blocks(text, parameters)).collect()
        };
        Self {
            rule: rule.id.clone(),
            before: read(&[Section::Caution, Section::Prerequisites, Section::Test]),
            commands: read(&[Section::Cli]),
            words: read(&[Section::Implementation, Section::Console]),
            after: read(&[Section::Backout]),
            of_ses_smtp: if changes_keys(rule) {
                blocks(OF_SES_SMTP, parameters)
            } else {
                Vec::new()
            },
            of_api_key: if is_about_api_keys(rule) {
                Vec::new()
            } else {
                blocks(OF_API_KEY, parameters)
            },
        }
    }

    /// Words and commands that belong to no rule.
    pub fn of_text(text: &str) -> Self {
        Self {
            rule: String::new(),
            before: Vec::new(),
            commands: blocks(text, &BTreeMap::new()),
            words: Vec::new(),
            after: Vec::new(),
            of_ses_smtp: Vec::new(),
            of_api_key: Vec::new(),
        }
    }

    /// The instructions for one finding. Root gets words: most commands of IAM do not reach it.
    pub fn fill(&self, subject: &FixSubject<'_>) -> Fix {
        let mut filling = Filling {
            subject,
            steps: Vec::new(),
            listed: Vec::new(),
            identified: Vec::new(),
        };
        if subject.kind == UserKind::ApiKey && !self.of_api_key.is_empty() {
            filling.add(&self.of_api_key);
            return self.fix(filling.steps, subject);
        }
        if subject.kind == UserKind::SesSmtp
            && !self.of_ses_smtp.is_empty()
            && subject.without_commands().is_none()
        {
            filling.credentials();
            filling.add(&self.of_ses_smtp);
            return self.fix(filling.steps, subject);
        }
        filling.add(&self.before);
        match subject.without_commands() {
            None if !self.commands.is_empty() => {
                filling.credentials();
                filling.add(&self.commands);
            }
            why => {
                filling.steps.extend(why.map(FixStep::text));
                filling.add(&self.words);
            }
        }
        filling.add(&self.after);
        self.fix(filling.steps, subject)
    }

    fn fix(&self, steps: Vec<FixStep>, subject: &FixSubject<'_>) -> Fix {
        Fix {
            steps,
            suppression: suppression_entry(&self.rule, &subject.subject, subject.same_second),
        }
    }
}

/// Whether a rule is about users made for API keys, or about service-specific credentials such as these keys.
fn is_about_api_keys(rule: &Rule) -> bool {
    rule.id.starts_with("api-key-user") || rule.is_about_service_credentials()
}

/// Whether the instructions of a rule take an access key out of use.
fn changes_keys(rule: &Rule) -> bool {
    let commands = rule.fix.get(&Section::Cli);
    let of_keys = commands.is_some_and(|commands| commands.contains("update-access-key"));
    of_keys && matches!(rule.remedy, Remedy::Rotate | Remedy::Deactivate)
}

impl FixSubject<'_> {
    /// Why there can be no commands, if there cannot.
    fn without_commands(&self) -> Option<String> {
        if self.kind == UserKind::Root {
            return Some("Root is not an IAM user: no command with a user's name reaches it.".to_owned());
        }
        let rules = "IAM allows only 1 to 64 letters, digits and `+=,.@_-` in the name of a user";
        match self.name {
            "" => Some(format!(
                "No commands, because the report has no name here: {rules}."
            )),
            name if !is_user_name(name) => Some(format!(
                "No commands, because \"{name}\" cannot be the name of a user: {rules}. \
                 Look for the user in IAM, and check where the report comes from."
            )),
            _ => None,
        }
    }

    /// The id, if it is one.
    fn id_of<'a>(facts: &KeyFacts<'a>) -> Option<&'a str> {
        facts.id.filter(|id| is_id(id))
    }

    /// The keys or certificates that a placeholder may stand for: the one that the finding is about, else all.
    fn candidates(&self, placeholder: Placeholder) -> Vec<(Credential, KeyFacts<'_>)> {
        let all: Vec<(Credential, KeyFacts<'_>)> = Credential::ALL
            .into_iter()
            .filter_map(|credential| {
                let (own, facts) = match credential {
                    Credential::Password => return None,
                    Credential::AccessKey(slot) => (Placeholder::KeyId, self.keys[slot as usize]),
                    Credential::Certificate(slot) => {
                        (Placeholder::CertificateId, self.certificates[slot as usize])
                    }
                    Credential::ServiceCredential => {
                        (Placeholder::ServiceCredentialId, self.service_credential)
                    }
                };
                Some((credential, facts?)).filter(|_| own == placeholder)
            })
            .collect();
        let own = |(credential, _): &&_| Some(*credential) == self.subject.credential;
        match all.iter().find(own) {
            Some(own) => vec![*own],
            None => all,
        }
    }
}

/// A fix while it is filled in.
struct Filling<'s> {
    subject: &'s FixSubject<'s>,
    steps: Vec<FixStep>,
    /// The placeholders whose values a command lists.
    listed: Vec<Placeholder>,
    /// The placeholders that were explained.
    identified: Vec<Placeholder>,
}

impl Filling<'_> {
    /// Whose credentials the commands need.
    fn credentials(&mut self) {
        let Some(account) = self.subject.account.filter(|account| is_account_id(account)) else {
            return;
        };
        let region = self.subject.partition.and_then(region_of);
        let region = region.map(|region| format!(" and a region of its partition, such as {region}"));
        let region = region.unwrap_or_default();
        self.steps.push(FixStep::text(format!(
            "With credentials of account {account}{region} (`aws sts get-caller-identity` shows whose are used):"
        )));
    }

    fn add(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Words(words) => {
                    let items = items(words).into_iter();
                    let steps = items.map(|item| FixStep::text(self.filled(&item)));
                    self.steps.extend(steps.collect::<Vec<_>>());
                }
                Block::Code(code) => self.steps.push(FixStep::text(code.clone())),
                Block::Commands(lines) => self.add_commands(lines),
            }
        }
    }

    /// Adds the commands that apply to this user, and the comments before them.
    fn add_commands(&mut self, lines: &[Line]) {
        let mut comments: Vec<&str> = Vec::new();
        for line in lines {
            match line {
                Line::Comment(comment) => comments.push(comment),
                Line::Command(argv) if self.applies(argv) => {
                    self.identify_used(argv);
                    for comment in comments.drain(..) {
                        self.add_comment(comment);
                    }
                    self.add_command(argv);
                    self.identify_listed(argv, lines);
                }
                Line::Command(_) => comments.clear(),
            }
        }
        for comment in comments {
            self.add_comment(comment);
        }
    }

    /// Adds a comment as a sentence.
    fn add_comment(&mut self, comment: &str) {
        let mut chars = comment.chars();
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        let sentence: String = first.into_iter().chain(chars).collect();
        self.steps
            .push(FixStep::text(self.filled(sentence.trim_end_matches('.')) + "."));
    }

    /// Whether the report leaves the command something to act on.
    fn applies(&self, argv: &[String]) -> bool {
        let mut used = ListedId::ALL.into_iter().filter(|id| id.placeholder.is_in(argv));
        let exists = used.all(|id| !self.subject.candidates(id.placeholder).is_empty());
        let on_password = [
            "get-login-profile",
            "update-login-profile",
            "delete-login-profile",
        ];
        let is_on_password = on_password.iter().any(|operation| is_operation(argv, operation));
        exists && !(is_on_password && self.subject.without_password)
    }

    /// Before a command with an id: which one it is.
    fn identify_used(&mut self, argv: &[String]) {
        for id in ListedId::ALL {
            if id.placeholder.is_in(argv) {
                self.identify(id);
            }
        }
    }

    /// After a command that lists ids: which one is used in these lines, if one is.
    fn identify_listed(&mut self, argv: &[String], lines: &[Line]) {
        let is_used = |placeholder: Placeholder| {
            lines.iter().any(|line| match line {
                Line::Command(argv) => placeholder.is_in(argv),
                Line::Comment(_) => false,
            })
        };
        for id in ListedId::ALL {
            let exists = !self.subject.candidates(id.placeholder).is_empty();
            if is_operation(argv, id.listing) && is_used(id.placeholder) && exists {
                self.listed.push(id.placeholder);
                self.identify(id);
            }
        }
    }

    fn add_command(&mut self, argv: &[String]) {
        let has_two_keys = self.subject.keys.iter().all(Option::is_some);
        if is_operation(argv, "create-access-key") && has_two_keys {
            self.steps.push(FixStep::text(
                "The user has two keys, the most that IAM allows: the next command fails until the other one is deleted, \
                 once it is no longer needed.",
            ));
        }
        let open = Placeholder::ALL
            .into_iter()
            .filter(|placeholder| placeholder.is_in(argv) && self.value(*placeholder).is_none())
            .map(|placeholder| placeholder.word().to_owned());
        let command = Command::new(argv.iter().map(|word| self.filled(word)));
        self.steps.push(FixStep::command(&command, open.collect()));
    }

    /// Says once which key or certificate is meant, and how to find its id.
    fn identify(&mut self, id: ListedId) {
        let ListedId {
            placeholder,
            listing,
            created,
        } = id;
        if self.identified.contains(&placeholder) {
            return;
        }
        self.identified.push(placeholder);
        let candidates = self.subject.candidates(placeholder);
        if let (Some(id), [(credential, facts)]) = (self.value(placeholder), &*candidates) {
            let one = describe(&(*credential, KeyFacts { id: None, ..*facts }));
            return self.steps.push(FixStep::text(format!("{id} is {one}.")));
        }
        let described: Vec<String> = candidates.iter().map(describe).collect();
        if !self.listed.contains(&placeholder) {
            let option = format!("--user-name={}", self.subject.name);
            let command = Command::new(["aws", "iam", listing, &option]);
            self.steps.push(FixStep::command(&command, Vec::new()));
        }
        let which = match &*described {
            [one] => one.clone(),
            [one, other] => format!("either {one} or {other}"),
            several => format!("one of {}", several.join(", ")),
        };
        // Service-specific credentials have ids and no slots.
        let slots = if placeholder == Placeholder::ServiceCredentialId {
            ""
        } else {
            " Slots may have changed since the report."
        };
        self.steps.push(FixStep::text(format!(
            "{} is {which}: compare {created} in the answer of `{listing}`.{slots}",
            placeholder.word()
        )));
    }

    /// The value of a placeholder, if it is known.
    fn value(&self, placeholder: Placeholder) -> Option<&str> {
        match placeholder {
            Placeholder::User => Some(self.subject.name),
            Placeholder::Account => self.subject.account.filter(|account| is_account_id(account)),
            Placeholder::KeyId | Placeholder::CertificateId | Placeholder::ServiceCredentialId => {
                match &*self.subject.candidates(placeholder) {
                    [(_, facts)] => FixSubject::id_of(facts),
                    _ => None,
                }
            }
            Placeholder::DeviceArn
            | Placeholder::FirstCode
            | Placeholder::SecondCode
            | Placeholder::Password => None,
        }
    }

    fn filled(&self, text: &str) -> String {
        Placeholder::filled(text, |placeholder| {
            self.value(placeholder).unwrap_or(placeholder.word())
        })
    }
}

/// `access_key_1 (created 2026-01-02T03:04:05Z)`.
fn describe((credential, facts): &(Credential, KeyFacts<'_>)) -> String {
    let id = FixSubject::id_of(facts).map(|id| format!("{id}, "));
    let created = facts
        .created
        .map_or("at an unknown time".to_owned(), |time| time.to_string());
    let inactive = if facts.is_inactive { ", inactive" } else { "" };
    format!(
        "{}{credential} (created {created}{inactive})",
        id.unwrap_or_default()
    )
}

/// Whether it is this operation of an AWS service.
fn is_operation(argv: &[String], operation: &str) -> bool {
    argv.get(2).is_some_and(|word| word == operation)
}

/// The steps of a numbered list, else the whole.
fn items(words: &str) -> Vec<String> {
    let begins_item = |line: &str| {
        let number = line.split_once(". ").map_or("", |(number, _)| number);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut items: Vec<String> = Vec::new();
    for line in words.lines() {
        match items.last_mut() {
            Some(item) if !begins_item(line) => {
                item.push(' ');
                item.push_str(line.trim());
            }
            _ => items.push(line.to_owned()),
        }
    }
    items
}

/// What IAM allows as the name of a user:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>
pub fn is_user_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_allowed)
}

/// What IAM gives as the id of a key or certificate:
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html>
fn is_id(id: &str) -> bool {
    (16..=128).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A region of a partition other than `aws`, whose credentials AWS looks up in a region of the partition.
fn region_of(partition: &str) -> Option<&'static str> {
    let other = Partition::named(partition).filter(|known| known.name != "aws");
    other.map(|known| known.usual_region)
}
