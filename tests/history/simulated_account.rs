//! Simulates an account for a year: users come and go, keys are created, rotated and deleted. Users and keys have identities
//! that no report contains, so that the tests know what happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use credlens::report::time::Timestamp;

pub(crate) const DAY: i64 = 86_400;
/// 2025-01-01T00:00:00Z
pub(crate) const START: i64 = 1_735_689_600;

pub(crate) const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
    password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
    access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
    access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,\
    access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// xorshift64*: the same seed gives the same year.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// An access key or a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its access key id: random. AWS fills the slots in the order of these ids.
    pub(crate) id: u64,
    pub(crate) created: i64,
    pub(crate) active: bool,
    pub(crate) used: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Password {
    pub(crate) changed: i64,
    pub(crate) used: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) created: i64,
    pub(crate) password: Option<Password>,
    pub(crate) mfa: bool,
    pub(crate) keys: Vec<Key>,
    pub(crate) certificates: Vec<Key>,
}

/// The account at one instant; users by an identity, which is new for a recreated user.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) now: i64,
    pub(crate) users: BTreeMap<u64, User>,
    next: u64,
    next_name: u64,
    pub(crate) random: Random,
}

impl Clone for Random {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Random({})", self.0)
    }
}

/// Root's identity.
pub(crate) const ROOT: u64 = 0;

impl Account {
    pub(crate) fn new(seed: u64, users: u64) -> Self {
        let mut account = Self {
            id: format!("{:012}", 100 + seed),
            now: START - 400 * DAY,
            users: BTreeMap::new(),
            next: 0,
            next_name: 0,
            random: Random::new(seed),
        };
        account.add_user("<root_account>".to_owned());
        account.set_password(ROOT);
        for _ in 0..users {
            let span = account.random.below(390) * 1_000;
            account.now = START - 400 * DAY + i64::try_from(span).unwrap();
            account.hire();
        }
        account.now = START;
        account
    }

    /// Simulates until this instant, with an action every few hours.
    pub(crate) fn live_until(&mut self, until: i64) {
        while self.now < until {
            self.now += i64::try_from(60 + self.random.below(30_000)).unwrap();
            if self.now < until {
                self.act();
            }
        }
        self.now = until;
    }

    fn add_user(&mut self, name: String) -> u64 {
        let id = self.next;
        self.next += 1;
        let user = User {
            name,
            created: self.now,
            password: None,
            mfa: false,
            keys: Vec::new(),
            certificates: Vec::new(),
        };
        self.users.insert(id, user);
        id
    }

    fn hire(&mut self) {
        // Names that are difficult in CSV or when sorted.
        let decoration = ["", "Z", "a,", "=", "é", "-"][usize::try_from(self.random.below(6)).unwrap()];
        let name = format!("{decoration}user{}", self.next_name);
        self.next_name += 1;
        let user = self.add_user(name);
        if self.random.one_in(2) {
            self.set_password(user);
        }
        if self.random.one_in(2) {
            self.make_key(user);
        }
    }

    fn set_password(&mut self, user: u64) {
        let changed = self.now;
        self.user(user).password = Some(Password { changed, used: None });
    }

    fn user(&mut self, id: u64) -> &mut User {
        self.users.get_mut(&id).expect("a user")
    }

    fn new_key(&mut self) -> Key {
        Key {
            id: self.random.below(u64::MAX),
            created: self.now,
            active: true,
            used: None,
        }
    }

    fn make_key(&mut self, user: u64) {
        let key = self.new_key();
        let keys = &mut self.user(user).keys;
        // IAM allows two. Two keys created in the same second cannot be distinguished; another test has them.
        if keys.len() < 2 && keys.iter().all(|other| other.created != key.created) {
            keys.push(key);
        }
    }

    fn act(&mut self) {
        let ids: Vec<u64> = self.users.keys().copied().collect();
        let id = ids[usize::try_from(self.random.below(ids.len() as u64)).unwrap()];
        match self.random.below(100) {
            0..3 => self.hire(),
            3..5 if id != ROOT => drop(self.users.remove(&id)),
            5..7 if id != ROOT => {
                let name = self.users.remove(&id).expect("a user").name;
                let again = self.add_user(name);
                self.make_key(again);
            }
            7..14 => self.set_password(id),
            14..18 => self.user(id).password = None,
            18..23 => self.user(id).mfa = true,
            23..27 => self.user(id).mfa = false,
            27..37 => self.make_key(id),
            37..43 => self.rotate(id),
            43..60 => self.on_key(id),
            60..66 => self.on_certificate(id),
            66..76 => self.sign_in(id),
            _ => self.use_key(id),
        }
    }

    /// Creates a key, then deactivates or deletes the old one.
    fn rotate(&mut self, id: u64) {
        self.make_key(id);
        let gone = self.random.one_in(2);
        let keys = &mut self.user(id).keys;
        if keys.len() == 2 {
            keys[0].active = false;
            if gone {
                keys.remove(0);
            }
        }
    }

    fn on_key(&mut self, id: u64) {
        let (which, what) = (self.random.below(2), self.random.below(3));
        let keys = &mut self.user(id).keys;
        let which = usize::try_from(which).unwrap();
        if let Some(key) = keys.get_mut(which) {
            match what {
                0 => key.active = false,
                1 => key.active = true,
                _ => drop(keys.remove(which)),
            }
        }
    }

    fn on_certificate(&mut self, id: u64) {
        let what = self.random.below(4);
        let created = self.new_key();
        let certificates = &mut self.user(id).certificates;
        match what {
            0 | 1 if certificates.len() < 2 => {
                if certificates.iter().all(|other| other.created != created.created) {
                    certificates.push(created);
                }
            }
            2 => drop(certificates.pop()),
            _ => {
                if let Some(certificate) = certificates.first_mut() {
                    certificate.active = !certificate.active;
                }
            }
        }
    }

    fn sign_in(&mut self, id: u64) {
        let now = self.now;
        if let Some(password) = &mut self.user(id).password {
            password.used = Some(now);
        }
    }

    fn use_key(&mut self, id: u64) {
        let (which, now) = (self.random.below(2), self.now);
        let which = usize::try_from(which).unwrap();
        if let Some(key) = self.user(id).keys.get_mut(which).filter(|key| key.active) {
            // AWS reports minutes; the next minute, so that no key is used before it is created.
            key.used = Some(now - now % 60 + 60);
        }
    }

    /// The records of the credential report, without its header.
    pub(crate) fn report(&self) -> String {
        let mut users: Vec<(&u64, &User)> = self.users.iter().collect();
        users.sort_by_key(|(id, user)| (**id != ROOT, user.name.to_lowercase()));
        let mut out = String::new();
        for (&id, user) in users {
            out.push_str(&self.record(id, user));
        }
        out
    }

    fn record(&self, id: u64, user: &User) -> String {
        let name = if user.name.contains(',') {
            format!("\"{}\"", user.name)
        } else {
            user.name.clone()
        };
        let arn = match id {
            ROOT => format!("arn:aws:iam::{}:root", self.id),
            _ => format!("\"arn:aws:iam::{}:user/{}\"", self.id, user.name),
        };
        let password = user.password.as_ref();
        let used = match password {
            None => "N/A".to_owned(),
            Some(password) => password.used.map_or("no_information".to_owned(), text),
        };
        let changed = password.map_or("N/A".to_owned(), |password| text(password.changed));
        let mut out = format!(
            "{name},{arn},{},{},{used},{changed},N/A,{}",
            text(user.created),
            password.is_some(),
            user.mfa
        );
        for key in slots(&user.keys) {
            let (active, created, used) = match key {
                None => (false, "N/A".to_owned(), None),
                Some(key) => (key.active, text(key.created), key.used),
            };
            let region_service = if used.is_some() { "eu-west-1,s3" } else { "N/A,N/A" };
            let used = used.map_or("N/A".to_owned(), text);
            write!(out, ",{active},{created},{used},{region_service}").unwrap();
        }
        for certificate in slots(&user.certificates) {
            let created = certificate.map_or("N/A".to_owned(), |certificate| text(certificate.created));
            write!(out, ",{},{created}", certificate.is_some_and(|key| key.active)).unwrap();
        }
        out + "\n"
    }
}

/// AWS fills the slots by ascending id.
fn slots(keys: &[Key]) -> [Option<&Key>; 2] {
    let mut keys: Vec<&Key> = keys.iter().collect();
    keys.sort_by_key(|key| key.id);
    [keys.first().copied(), keys.get(1).copied()]
}

pub(crate) fn text(time: i64) -> String {
    Timestamp(time).to_string()
}
