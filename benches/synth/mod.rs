//! Credential reports that look like real ones, from a seed: the same seed gives the same bytes.
//!
//! Proportions are those of accounts that people describe: three users in five with a console password, of
//! whom one in six has no MFA device; half of all users with an access key, a tenth of them with two; one
//! key in three older than 90 days. One name in a thousand needs quotes.

use std::io::{self, Write};

/// The instant at which a generated report was made: 2026-06-01T00:00:00Z.
pub(crate) const GENERATED: i64 = 1_780_272_000;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

const DAY: u64 = 86_400;
const WORDS: [&str; 24] = [
    "alba", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "juniper", "krill",
    "larch", "maple", "nimbus", "onyx", "pine", "quartz", "raven", "sable", "tern", "umber", "vale",
    "willow", "yarrow",
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

fn write_root(out: &mut dyn Write, random: &mut Random, account: u64) -> io::Result<()> {
    let created = random.days_ago(2_000, 4_000);
    let used = random.maybe(30, |random| random.days_ago(0, 700));
    let key = random.maybe(4, |random| random.days_ago(100, 2_000));
    write!(
        out,
        "\n<root_account>,arn:aws:iam::{account}:root,{created},true,{},{created},not_supported,{},{},{},N/A,N/A,N/A,\
         false,N/A,N/A,N/A,N/A,false,N/A,false,N/A",
        used.unwrap_or_else(|| "no_information".to_owned()),
        random.percent(90),
        key.is_some(),
        key.unwrap_or_else(|| "N/A".to_owned()),
    )
}

fn write_user(out: &mut dyn Write, random: &mut Random, account: u64, number: u64) -> io::Result<()> {
    let first = WORDS[random.index(WORDS.len())];
    let second = WORDS[random.index(WORDS.len())];
    let name = format!("{first}.{second}-{number}");
    let created = random.days_ago(100, 1_500);
    if random.below(1_000) == 0 {
        write!(
            out,
            "\n\"{name},ops\",\"arn:aws:iam::{account}:user/{name},ops\",{created},"
        )?;
    } else {
        write!(out, "\n{name},arn:aws:iam::{account}:user/{name},{created},")?;
    }
    write_password(out, random)?;
    write_key(out, random, 50)?;
    write_key(out, random, 8)?;
    let certificate = random.maybe(1, |random| random.days_ago(10, 1_200));
    match certificate {
        Some(made) => write!(out, "true,{made},false,N/A"),
        None => write!(out, "false,N/A,false,N/A"),
    }
}

fn write_password(out: &mut dyn Write, random: &mut Random) -> io::Result<()> {
    if !random.percent(60) {
        return write!(out, "false,N/A,N/A,N/A,{},", random.percent(5));
    }
    let used = random.maybe(88, |random| random.days_ago(0, 120));
    let changed = random.days_ago(0, 200);
    let mfa = random.percent(84);
    let used = used.unwrap_or_else(|| "no_information".to_owned());
    write!(out, "true,{used},{changed},N/A,{mfa},")
}

fn write_key(out: &mut dyn Write, random: &mut Random, percent: u64) -> io::Result<()> {
    if !random.percent(percent) {
        return write!(out, "false,N/A,N/A,N/A,N/A,");
    }
    let active = random.percent(85);
    let made = random.days_ago(0, 140);
    match random.maybe(80, |random| random.days_ago(0, 70)) {
        None => write!(out, "{active},{made},N/A,N/A,N/A,"),
        Some(used) => {
            let region = REGIONS[random.index(REGIONS.len())];
            let service = SERVICES[random.index(SERVICES.len())];
            write!(out, "{active},{made},{used},{region},{service},")
        }
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

    /// A time that lies between these many days before the report was made.
    fn days_ago(&mut self, from: u64, to: u64) -> String {
        let seconds = from * DAY + self.below((to - from) * DAY);
        let seconds = i64::try_from(seconds).unwrap_or(0);
        credlens::report::time::Timestamp(GENERATED - seconds).to_string()
    }
}
