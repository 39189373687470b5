//! A stub of AWS on 127.0.0.1: an organization whose accounts answer as the test says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::answers::{assumed, assumed_by_token, caller, keys, role_account, service_credentials, tags};
use super::{error, generated, got, large_report, report};

/// The account of the tests' credentials.
pub(super) const CALLER: &str = "000000000001";
/// The generation time of every report.
pub(super) const GENERATED: &str = "2026-11-21T08:00:00Z";

/// How an account answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// With a report.
    Answers,
    /// With a report of very many users.
    Large,
    /// Its role cannot be assumed.
    Closed,
    /// Its report may not be read.
    Denied,
    /// Its report ends in the middle of the transfer.
    CutOff,
    /// With a web page instead of a report.
    Page,
    /// Its report is never sent.
    Mute,
    /// The session of its role has expired.
    Expired,
    /// It is listed as suspended.
    Suspended,
    /// It is listed as closing, in the older form.
    Closing,
}

/// A running stub; it ends with the test.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    accounts: Arc<Mutex<BTreeMap<String, Account>>>,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Calls that are never answered.
    silent: Arc<Mutex<BTreeSet<String>>>,
    /// Calls whose connection is closed instead of an answer.
    hanging_up: Arc<Mutex<BTreeSet<String>>>,
    /// Calls that get another answer: status and body.
    instead: Arc<Mutex<BTreeMap<String, (u16, String)>>>,
    /// Answers to calls of one action with this value of a parameter, or without the parameter.
    special: Arc<Mutex<Vec<SpecialAnswer>>>,
    /// How many calls with the caller's credentials are answered before they have ended, and the code then.
    caller_ends: Arc<Mutex<Option<(usize, String)>>>,
    partition: Arc<Mutex<&'static str>>,
    /// When reports were generated.
    generated: Arc<Mutex<String>>,
    /// The reports of accounts that have another one than [`report`].
    reports: Arc<Mutex<BTreeMap<String, String>>>,
}

/// In place of a parameter: the account of the credentials that signed a call.
pub(super) const ACCOUNT: &str = "the account";

/// An answer to calls with one value of a parameter.
#[derive(Clone, Debug)]
struct SpecialAnswer {
    action: String,
    parameter: String,
    value: Option<String>,
    answer: (u16, String),
}

/// A call that was received.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The action, or method and path for services without actions, such as instance metadata.
    pub(super) action: String,
    /// The account of the credentials that signed it.
    pub(super) account: String,
    pub(super) body: String,
    pub(super) user_agent: String,
}

impl Call {
    /// A parameter of the query protocol.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let (_, value) = pairs.find(|(found, _)| *found == name)?;
        Some(value.replace("%3A", ":").replace("%2F", "/"))
    }
}

impl Server {
    pub(super) fn start(accounts: BTreeMap<String, Account>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            accounts: Arc::new(Mutex::new(accounts)),
            calls: Arc::default(),
            silent: Arc::default(),
            hanging_up: Arc::default(),
            instead: Arc::default(),
            special: Arc::default(),
            caller_ends: Arc::default(),
            partition: Arc::new(Mutex::new("aws")),
            generated: Arc::new(Mutex::new(GENERATED.to_owned())),
            reports: Arc::default(),
        };
        let shared = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        server
    }

    pub(super) fn set(&self, account: &str, answers: Account) {
        self.accounts.lock().unwrap().insert(account.to_owned(), answers);
    }

    /// Never answers this call from now on.
    pub(super) fn silence(&self, action: &str) {
        self.silent.lock().unwrap().insert(action.to_owned());
    }

    /// Closes the connection instead of answering this call from now on.
    pub(super) fn hang_up_at(&self, action: &str) {
        self.hanging_up.lock().unwrap().insert(action.to_owned());
    }

    /// Answers this call with an error from now on.
    pub(super) fn refuse(&self, action: &str, code: &str) {
        let status = if code == "ServiceFailure" { 500 } else { 400 };
        let body = match action {
            "ListAccounts" => format!(r#"{{"__type":"{code}"}}"#),
            _ => error(code),
        };
        self.answer_instead(action, status, &body);
    }

    /// Refuses the caller's credentials with this code after this many calls to assume a role or to get a report.
    pub(super) fn end_caller_after(&self, calls: usize, code: &str) {
        *self.caller_ends.lock().unwrap() = Some((calls, code.to_owned()));
    }

    /// Accepts the caller's credentials again.
    pub(super) fn renew_caller(&self) {
        *self.caller_ends.lock().unwrap() = None;
    }

    /// Whether the caller's credentials signed this call, and have ended; the code.
    fn ended(&self, call: &Call) -> Option<String> {
        let counts = ["AssumeRole", "GetCredentialReport"].contains(&call.action.as_str());
        let mut ends = self.caller_ends.lock().unwrap();
        let (left, code) = ends.as_mut().filter(|_| call.account == CALLER && counts)?;
        if *left > 0 {
            *left -= 1;
            return None;
        }
        Some(code.clone())
    }

    /// Answers this call with a status and body from now on.
    pub(super) fn answer_instead(&self, action: &str, status: u16, body: &str) {
        let answer = (status, body.to_owned());
        self.instead.lock().unwrap().insert(action.to_owned(), answer);
    }

    /// Answers this call with a status and body where a parameter has this value, or is missing.
    pub(super) fn answer_where(
        &self,
        action: &str,
        (parameter, value): (&str, Option<&str>),
        status: u16,
        body: &str,
    ) {
        self.special.lock().unwrap().push(SpecialAnswer {
            action: action.to_owned(),
            parameter: parameter.to_owned(),
            value: value.map(str::to_owned),
            answer: (status, body.to_owned()),
        });
    }

    /// Answers this call as usual again.
    #[cfg(all(unix, feature = "archive"))]
    pub(super) fn answer_again(&self, action: &str) {
        self.instead.lock().unwrap().remove(action);
    }

    /// Reports were generated at this time from now on.
    #[cfg(all(unix, feature = "archive"))]
    pub(super) fn generate_at(&self, time: &str) {
        time.clone_into(&mut self.generated.lock().unwrap());
    }

    /// Answers with this report of the account from now on.
    #[cfg(all(unix, feature = "archive"))]
    pub(super) fn replace_report(&self, account: &str, csv: &str) {
        self.reports
            .lock()
            .unwrap()
            .insert(account.to_owned(), csv.to_owned());
    }

    /// Moves the caller to a partition from now on.
    pub(super) fn move_caller_to(&self, partition: &'static str) {
        *self.partition.lock().unwrap() = partition;
    }

    /// The calls since the last call of this.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().drain(..).collect()
    }

    /// The number of calls of each action since the last call of [`Self::calls`].
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.calls() {
            *counts.entry(call.action).or_default() += 1;
        }
        counts
    }

    fn serve(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(call) = read(&mut reader) {
            self.calls.lock().unwrap().push(call.clone());
            let answers = self.accounts.lock().unwrap().get(&call.account).copied();
            let is_mute = answers == Some(Account::Mute) && call.action == "GetCredentialReport";
            if is_mute || self.silent.lock().unwrap().contains(&call.action) {
                std::thread::sleep(Duration::from_mins(1));
                return;
            }
            if self.hanging_up.lock().unwrap().contains(&call.action) {
                return;
            }
            let (status, body) = self.answer(&call);
            let sent = if answers == Some(Account::CutOff) && call.action == "GetCredentialReport" {
                body.len() / 2
            } else {
                body.len()
            };
            // The header belongs to tokens of instances; other clients ignore it.
            let head = format!(
                "HTTP/1.1 {status} x\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let written = stream
                .write_all(head.as_bytes())
                .and_then(|()| stream.write_all(&body.as_bytes()[..sent]));
            if written.is_err() || sent < body.len() {
                return;
            }
        }
    }

    fn answer(&self, call: &Call) -> (u16, String) {
        let answers = |account: &str| self.accounts.lock().unwrap().get(account).copied();
        if let Some(answer) = self.instead.lock().unwrap().get(&call.action) {
            return answer.clone();
        }
        let is_meant = |special: &&SpecialAnswer| {
            let of_account = (special.parameter == ACCOUNT).then(|| call.account.clone());
            let value = of_account.or_else(|| call.parameter(&special.parameter));
            special.action == call.action && special.value == value
        };
        if let Some(special) = self.special.lock().unwrap().iter().find(is_meant) {
            return special.answer.clone();
        }
        if let Some(code) = self.ended(call) {
            return (403, error(&code));
        }
        match call.action.as_str() {
            "GetCallerIdentity" => (200, caller(*self.partition.lock().unwrap())),
            "ListAccounts" => (200, self.page(&call.body)),
            "AssumeRole" => {
                let account = role_account(&call.body);
                match answers(&account) {
                    Some(Account::Closed) | None => (403, error("AccessDenied")),
                    Some(_) => (200, assumed(&account)),
                }
            }
            "AssumeRoleWithWebIdentity" => match call.parameter("WebIdentityToken").as_deref() {
                Some("GOODTOKEN") => (200, assumed_by_token(&role_account(&call.body))),
                _ => (400, error("InvalidIdentityToken")),
            },
            "GetCredentialReport" => match answers(&call.account) {
                Some(Account::Denied) => (403, error("AccessDenied")),
                Some(Account::Expired) => (403, error("ExpiredToken")),
                Some(Account::Page) => (200, got("<html>Sign in</html>", GENERATED)),
                Some(Account::Large) => (200, got(&large_report(&call.account), GENERATED)),
                Some(_) | None => {
                    let replaced = self.reports.lock().unwrap().get(&call.account).cloned();
                    let csv = replaced.unwrap_or_else(|| report(&call.account));
                    (200, got(&csv, &self.generated.lock().unwrap()))
                }
            },
            "GenerateCredentialReport" => (200, generated("COMPLETE")),
            "ListAccessKeys" => (200, keys(&call.account)),
            "ListServiceSpecificCredentials" => (200, service_credentials(&[], None)),
            "ListUserTags" => {
                let owner = format!("team of {}", call.parameter("UserName").unwrap_or_default());
                (200, tags(&[("Owner", &owner)], None))
            }
            _ => (400, error("InvalidAction")),
        }
    }

    /// At most twenty accounts, as AWS does, and an empty page before the last.
    fn page(&self, body: &str) -> String {
        let accounts = self.accounts.lock().unwrap();
        let token = body
            .split("\"NextToken\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let from: usize = token.map_or(0, |token| token.trim_start_matches('e').parse().unwrap());
        let is_empty = token.is_some_and(|token| token.starts_with('e'));
        let most = if is_empty { 0 } else { 20 };
        let listed: Vec<_> = accounts
            .iter()
            .skip(from)
            .take(most)
            .map(|(id, answers)| {
                let state = if *answers == Account::Suspended {
                    r#""State":"SUSPENDED","Status":"SUSPENDED""#
                } else if *answers == Account::Closing {
                    r#""Status":"PENDING_CLOSURE""#
                } else {
                    r#""State":"ACTIVE""#
                };
                format!(r#"{{"Id":"{id}","Name":"name of {id}",{state}}}"#)
            })
            .collect();
        let next = from + listed.len();
        let token = match next < accounts.len() {
            true if !is_empty && next + 20 >= accounts.len() => format!(r#","NextToken":"e{next}""#),
            true => format!(r#","NextToken":"{next}""#),
            false => String::new(),
        };
        format!(r#"{{"Accounts":[{}]{token}}}"#, listed.join(","))
    }
}

pub(super) fn read(reader: &mut impl std::io::BufRead) -> Option<Call> {
    let (mut length, mut action, mut account) = (0, String::new(), CALLER.to_owned());
    let mut user_agent = String::new();
    let (mut line, mut request) = (String::new(), String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if request.is_empty() {
            // Method and path.
            let end = line.find(['?']).or(line.rfind(' ')).unwrap_or(line.len());
            line[..end].clone_into(&mut request);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "x-amz-user-agent" => value.clone_into(&mut user_agent),
            "x-amz-target" => value.rsplit('.').next()?.clone_into(&mut action),
            "authorization" => {
                // The key ids that this stub issues contain the account.
                let key = value
                    .split("Credential=")
                    .nth(1)
                    .and_then(|rest| rest.split('/').next());
                if let Some(id) = key.and_then(|key| key.strip_prefix("ASIA")) {
                    id.clone_into(&mut account);
                }
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    if let Some(named) = body.split('&').find_map(|pair| pair.strip_prefix("Action=")) {
        named.clone_into(&mut action);
    }
    if action.is_empty() {
        action = request;
    }
    Some(Call {
        action,
        account,
        body,
        user_agent,
    })
}
