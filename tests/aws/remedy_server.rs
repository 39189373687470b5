//! IAM with state on 127.0.0.1: users with keys, which answers, fails, hangs, or ends the program that asks.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::answers::{assumed, role_account};
use super::server::{CALLER, Call, read};
use super::{error, result};

/// What happens at a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused with this code.
    Refused(&'static str),
    /// It is answered by this text.
    Says(String),
    /// It is not answered.
    Silent,
    /// It has its effect, and the connection breaks before the answer.
    Lost,
    /// The program gets this signal before it has its effect.
    SignalBefore(&'static str),
    /// The program gets this signal after its effect, and the answer a little later.
    SignalAfter(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) id: String,
    pub(super) created: String,
    pub(super) active: bool,
    pub(super) used: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct User {
    pub(super) keys: Vec<Key>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) groups: Vec<String>,
}

/// The users of accounts, by account and name.
pub(super) type Users = BTreeMap<(String, String), User>;

#[derive(Debug, Default)]
struct State {
    users: Users,
    calls: Vec<Call>,
    /// At a call of this action, and of this user if one is named; for so many calls.
    faults: Vec<(String, Option<String>, usize, Fault)>,
    /// At the n-th call from the beginning.
    at: Option<(usize, Fault)>,
    /// The program that asks.
    pid: u32,
}

#[derive(Clone)]
pub(super) struct Iam {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Iam {
    pub(super) fn start(users: Users) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State {
            users,
            ..State::default()
        };
        let iam = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::new(Mutex::new(state)),
        };
        let shared = iam.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        iam
    }

    pub(super) fn users(&self) -> Users {
        self.state.lock().unwrap().users.clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Users)) {
        change(&mut self.state.lock().unwrap().users);
    }

    /// The calls since the last call of this.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state.lock().unwrap().calls)
    }

    /// From now on, calls of this action fail so, of all users or of one.
    pub(super) fn fail(&self, action: &str, user: Option<&str>, fault: Fault) {
        self.fail_times(action, user, usize::MAX, fault);
    }

    pub(super) fn fail_times(&self, action: &str, user: Option<&str>, times: usize, fault: Fault) {
        let fault = (action.to_owned(), user.map(str::to_owned), times, fault);
        self.state.lock().unwrap().faults.push(fault);
    }

    /// The call with this number from now on fails so.
    pub(super) fn fail_at(&self, number: usize, fault: Fault) {
        self.state.lock().unwrap().at = Some((number, fault));
    }

    pub(super) fn heal(&self) {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        state.at = None;
    }

    /// The program that signals are for.
    pub(super) fn watch(&self, pid: u32) {
        self.state.lock().unwrap().pid = pid;
    }

    fn signal(&self, name: &str) {
        // The pid is known a moment after the program starts.
        let pid = loop {
            match self.state.lock().unwrap().pid {
                0 => std::thread::sleep(Duration::from_millis(1)),
                pid => break pid,
            }
        };
        let kill = std::process::Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status();
        assert!(kill.unwrap().success());
    }

    fn fault(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(call.clone());
        if let Some((left, fault)) = &mut state.at {
            let is_now = *left == 0;
            *left = left.wrapping_sub(1);
            if is_now {
                return Some(fault.clone());
            }
        }
        let user = call.parameter("UserName");
        let is_meant = |(action, of, times, _): &&mut (String, Option<String>, usize, Fault)| {
            *action == call.action && (of.is_none() || *of == user) && *times > 0
        };
        let (_, _, times, fault) = state.faults.iter_mut().find(is_meant)?;
        *times -= 1;
        Some(fault.clone())
    }

    fn serve(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(call) = read(&mut reader) {
            let fault = self.fault(&call);
            let (status, body) = match &fault {
                Some(Fault::Refused(code)) => {
                    let status = if *code == "ServiceFailure" { 500 } else { 400 };
                    (status, error(code))
                }
                Some(Fault::Says(body)) => (200, body.clone()),
                Some(Fault::Silent) => {
                    std::thread::sleep(Duration::from_mins(1));
                    return;
                }
                Some(Fault::SignalBefore(name)) => {
                    self.signal(name);
                    std::thread::sleep(Duration::from_millis(300));
                    self.answer(&call)
                }
                Some(Fault::Lost | Fault::SignalAfter(_)) | None => self.answer(&call),
            };
            match &fault {
                Some(Fault::Lost) => return,
                Some(Fault::SignalAfter(name)) => {
                    self.signal(name);
                    std::thread::sleep(Duration::from_millis(300));
                }
                Some(_) | None => {}
            }
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
            if stream.write_all((head + &body).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, call: &Call) -> (u16, String) {
        let mut state = self.state.lock().unwrap();
        let user = call.parameter("UserName").unwrap_or_default();
        let place = (call.account.clone(), user.clone());
        let unknown = || (404, error("NoSuchEntity"));
        match call.action.as_str() {
            "GetCallerIdentity" => (200, identity(&call.account)),
            "AssumeRole" => (200, assumed(&role_account(&call.body))),
            "ListAccessKeys" => state.users.get(&place).map_or_else(unknown, |of| (200, keys(&user, of))),
            "ListUserTags" => state.users.get(&place).map_or_else(unknown, |of| {
                let members = of.tags.iter().map(|(key, value)| {
                    format!("<member><Key>{key}</Key><Value>{value}</Value></member>")
                });
                let members: String = members.collect();
                (200, list("ListUserTags", "Tags", &members))
            }),
            "ListGroupsForUser" => state.users.get(&place).map_or_else(unknown, |of| {
                let members = of.groups.iter().map(|name| {
                    format!(
                        "<member><Path>/</Path><GroupName>{name}</GroupName><GroupId>AGPA</GroupId><Arn>x</Arn>\
                         <CreateDate>2020-01-01T00:00:00Z</CreateDate></member>"
                    )
                });
                let members: String = members.collect();
                (200, list("ListGroupsForUser", "Groups", &members))
            }),
            "GetAccessKeyLastUsed" => {
                let id = call.parameter("AccessKeyId").unwrap_or_default();
                let mut keys = state.users.iter().flat_map(|((_, user), of)| of.keys.iter().map(move |key| (user, key)));
                keys.find(|(_, key)| key.id == id)
                    .map_or_else(unknown, |(user, key)| (200, last_used(user, key)))
            }
            "UpdateAccessKey" => {
                let id = call.parameter("AccessKeyId").unwrap_or_default();
                let keys = state.users.get_mut(&place).map(|of| &mut of.keys);
                let Some(key) = keys.and_then(|keys| keys.iter_mut().find(|key| key.id == id)) else {
                    return unknown();
                };
                key.active = call.parameter("Status").as_deref() == Some("Active");
                (200, result("UpdateAccessKey", ""))
            }
            _ => (400, error("InvalidAction")),
        }
    }
}

fn identity(account: &str) -> String {
    let arn = if account == CALLER {
        format!("arn:aws:iam::{CALLER}:user/hub")
    } else {
        format!("arn:aws:sts::{account}:assumed-role/Remedy/session")
    };
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>A</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

fn list(action: &str, name: &str, members: &str) -> String {
    result(
        action,
        &format!("<{name}>{members}</{name}><IsTruncated>false</IsTruncated>"),
    )
}

pub(super) fn keys(user: &str, of: &User) -> String {
    let members = of.keys.iter().map(|key| {
        let status = if key.active { "Active" } else { "Inactive" };
        format!(
            "<member><UserName>{user}</UserName><AccessKeyId>{}</AccessKeyId><Status>{status}</Status>\
             <CreateDate>{}</CreateDate></member>",
            key.id, key.created
        )
    });
    let members: String = members.collect();
    list("ListAccessKeys", "AccessKeyMetadata", &members)
}

fn last_used(user: &str, key: &Key) -> String {
    let used = key.used.as_ref().map_or_else(
        || "<ServiceName>N/A</ServiceName><Region>N/A</Region>".to_owned(),
        |time| {
            format!(
                "<LastUsedDate>{time}</LastUsedDate><ServiceName>s3</ServiceName><Region>eu-west-1</Region>"
            )
        },
    );
    result(
        "GetAccessKeyLastUsed",
        &format!("<UserName>{user}</UserName><AccessKeyLastUsed>{used}</AccessKeyLastUsed>"),
    )
}
