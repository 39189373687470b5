//! Generates credential reports that look like real ones from a seed: the same seed gives the same bytes.
//!
//! | what | how many |
//! |---|---|
//! | bytes per user | about 255 |
//! | users with a path in their ARN | 4 in 5 |
//! | users with a console password | 3 in 5; of them without MFA 1 in 6, never signed in 1 in 8, last signed in more than 90 days ago 1 in 8 |
//! | users with a key in slot 1; in slot 2 | 3 in 5; 1 in 7 |
//! | of the keys: inactive; older than 90 days; never used; last used more than 90 days ago | 1 in 7; 1 in 3; 1 in 6; 1 in 20 |
//! | users with a signing certificate | 1 in 100 |
//! | names that need quotes | 1 in 1,000 |
//! | root rows | one per account; 1 in 25 of them with an active key, 1 in 10 without MFA |
//!
//! Nothing is used or changed before it was created, no credential is older than its user, and no time is after the
//! report's.

use std::fmt;
use std::io::{self, Write};

/// The time of every generated report: 2026-06-01T00:00:00Z.
pub(crate) const GENERATED: i64 = 1_780_272_000;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

const DAY: u64 = 86_400;
const WORDS: [&str; 24] = [
    "aleksandra",
    "benjamin",
    "caroline",
    "dominique",
    "elisabeth",
    "frederick",
    "gabriela",
    "hannelore",
    "ignatius",
    "josephine",
    "katharina",
    "leonardo",
    "margarethe",
    "nathaniel",
    "octavia",
    "penelope",
    "quentin",
    "rosalinde",
    "sebastian",
    "theodora",
    "ulrich",
    "valentina",
    "wilhelmina",
    "yasmin",
];
const PATHS: [&str; 5] = [
    "",
    "people/",
    "service/deploy/",
    "division/platform/",
    "division/research/",
];
const REGIONS: [&str; 4] = ["us-east-1", "eu-central-1", "eu-west-1", "ap-southeast-2"];
const SERVICES: [&str; 6] = ["s3", "ec2", "sts", "iam", "ecr", "cloudwatch"];

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Synth {
    /// Data rows, root rows included.
    pub(crate) users: u64,
    /// Rows of one account; its first is root.
    pub(crate) users_per_account: u64,
    /// Decides everything else.
    pub(crate) seed: u64,
}

impl Synth {
    /// Writes the report.
    pub(crate) fn write(self, out: &mut dyn Write) -> io::Result<()> {
        let mut random = Random(self.seed ^ 0x9e37_79b9_7f4a_7c15);
        write!(out, "{HEADER}")?;
        let mut account = 0;
        for row in 0..self.users {
            let in_account = row % self.users_per_account;
            if in_account == 0 {
                account = 100_000_000_000 + random.below(900_000_000_000);
                write_root(out, &mut random, account)?;
            } else {
                write_user(out, &mut random, account, in_account)?;
            }
        }
        Ok(())
    }

    /// The report as bytes.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)
            .expect("invariant: writing to memory cannot fail");
        bytes
    }
}

/// Seconds before the time of the report.
#[derive(Clone, Copy)]
struct Ago(u64);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(0);
        credlens::report::time::Timestamp(GENERATED - seconds).fmt(f)
    }
}

/// A time, or another text in its place.
struct OrElse(Option<Ago>, &'static str);

impl fmt::Display for OrElse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ago) => ago.fmt(f),
            None => f.write_str(self.1),
        }
    }
}

fn write_root(out: &mut dyn Write, random: &mut Random, account: u64) -> io::Result<()> {
    let created = random.days_ago(2_000, 4_000);
    let used = random.maybe(30, |random| random.days_ago(0, 700));
    let key = random.maybe(4, |random| random.days_ago(100, 2_000));
    write!(
        out,
        "\n<root_account>,arn:aws:iam::{account}:root,{created},true,{},{created},not_supported,{},{},{},N/A,N/A,N/A,\
         false,N/A,N/A,N/A,N/A,false,N/A,false,N/A",
        OrElse(used, "no_information"),
        random.percent(90),
        key.is_some(),
        OrElse(key, "N/A"),
    )
}

fn write_user(out: &mut dyn Write, random: &mut Random, account: u64, number: u64) -> io::Result<()> {
    let first = WORDS[random.index(WORDS.len())];
    let second = WORDS[random.index(WORDS.len())];
    let path = PATHS[random.index(PATHS.len())];
    let quote = if random.below(1_000) == 0 { "\"" } else { "" };
    let ops = if quote.is_empty() { "" } else { ",ops" };
    let user = random.days_ago(20, 1_500);
    write!(
        out,
        "\n{quote}{first}.{second}-{number}{ops}{quote},\
         {quote}arn:aws:iam::{account}:user/{path}{first}.{second}-{number}{ops}{quote},{user},"
    )?;
    write_password(out, random, user)?;
    write_key(out, random, user, 60)?;
    write_key(out, random, user, 14)?;
    match random.maybe(1, |random| random.days_ago(10, 1_200).at_most(user)) {
        Some(created) => write!(out, "true,{created},false,N/A"),
        None => write!(out, "false,N/A,false,N/A"),
    }
}

fn write_password(out: &mut dyn Write, random: &mut Random, user: Ago) -> io::Result<()> {
    if !random.percent(60) {
        return write!(out, "false,N/A,N/A,N/A,{},", random.percent(5));
    }
    let changed = random.days_ago(0, 400).at_most(user);
    let used = random.maybe(88, |random| random.used_since(user));
    let mfa = random.percent(84);
    write!(
        out,
        "true,{},{changed},N/A,{mfa},",
        OrElse(used, "no_information")
    )
}

fn write_key(out: &mut dyn Write, random: &mut Random, user: Ago, percent: u64) -> io::Result<()> {
    if !random.percent(percent) {
        return write!(out, "false,N/A,N/A,N/A,N/A,");
    }
    let active = random.percent(85);
    let created = if random.percent(64) {
        random.days_ago(0, 90)
    } else {
        random.days_ago(90, 1_000)
    };
    let created = created.at_most(user);
    match random.maybe(83, |random| random.used_since(created)) {
        None => write!(out, "{active},{created},N/A,N/A,N/A,"),
        Some(used) => {
            let region = REGIONS[random.index(REGIONS.len())];
            let service = SERVICES[random.index(SERVICES.len())];
            write!(out, "{active},{created},{used},{region},{service},")
        }
    }
}

impl Ago {
    /// No longer ago than the other.
    fn at_most(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

/// `SplitMix64`: small, seeded, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn maybe<T>(&mut self, percent: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.percent(percent).then(|| make(self))
    }

    /// A time that is from `from` to `to` days before the report's.
    fn days_ago(&mut self, from: u64, to: u64) -> Ago {
        Ago(from * DAY + self.below((to - from) * DAY))
    }

    /// The last use of a credential created then: mostly within the last month, else at any time.
    fn used_since(&mut self, created: Ago) -> Ago {
        let since = if self.percent(80) {
            created.at_most(Ago(30 * DAY))
        } else {
            created
        };
        Ago(self.below(since.0 + 1))
    }
}
