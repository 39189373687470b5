//! Who owns a user: as a file says that is given with the report, else as a tag of the user says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::filter::UserToFilter;
use super::glob::Glob;
use super::owners_file;
use crate::finding::{Code, Diagnostic};
use crate::report::details::UserDetails;

/// The tag that names the owner unless another one is chosen.
pub const OWNER_TAG: &str = "owner";

/// How many unused lines are listed.
const UNUSED: usize = 10;

/// Where owners come from.
#[derive(Debug)]
pub struct Owners {
    tag: String,
    lines: Vec<Line>,
    /// The positions of the lines for one user alone, by name.
    of_user: HashMap<String, Vec<usize>>,
    /// The positions of all other lines.
    others: Vec<usize>,
}

/// A line of the file; what it does not give does not matter.
#[derive(Debug)]
pub(super) struct Line {
    /// Its number in the file.
    pub(super) number: u64,
    pub(super) user: Option<Glob>,
    pub(super) path: Option<Glob>,
    pub(super) account: Option<Glob>,
    pub(super) owner: String,
    /// Whether it named the owner of a user.
    pub(super) is_used: AtomicBool,
}

impl Default for Owners {
    fn default() -> Self {
        Self::of_tag(OWNER_TAG)
    }
}

impl Owners {
    /// As a tag of the user says, of this key.
    pub fn of_tag(tag: &str) -> Self {
        Self {
            tag: tag.to_owned(),
            lines: Vec::new(),
            of_user: HashMap::new(),
            others: Vec::new(),
        }
    }

    /// The same, and first as a CSV file says: a header with `owner` and one or more of `user`, `path` and `account`, and
    /// lines of which the first that matches counts.
    ///
    /// # Errors
    /// What is wrong with the file, and on which line.
    pub fn with_file(mut self, text: &[u8]) -> Result<Self, String> {
        for line in owners_file::read(text)? {
            self.add(line);
        }
        Ok(self)
    }

    fn add(&mut self, line: Line) {
        let position = self.lines.len();
        match line.user.as_ref().and_then(Glob::exact) {
            Some(user) => self.of_user.entry(user.to_owned()).or_default().push(position),
            None => self.others.push(position),
        }
        self.lines.push(line);
    }

    /// Whether there is no file, so that only tags name owners.
    pub fn is_of_tags_only(&self) -> bool {
        self.lines.is_empty()
    }

    /// The owner of a user, if one is known.
    pub fn owner_of<'a>(
        &'a self,
        user: &UserToFilter<'_>,
        details: Option<&'a UserDetails>,
    ) -> Option<&'a str> {
        let of_file = if self.lines.is_empty() {
            None
        } else {
            self.in_file(user)
        };
        of_file.or_else(|| details?.tag(&self.tag))
    }

    fn in_file(&self, user: &UserToFilter<'_>) -> Option<&str> {
        let name = user.user.and_then(|name| str::from_utf8(name).ok());
        let named = name.and_then(|name| self.of_user.get(name));
        let first = |positions: &[usize]| {
            let mut positions = positions.iter().copied();
            positions.find(|&position| self.lines[position].is_of(user))
        };
        let found = [named.and_then(|named| first(named)), first(&self.others)];
        let line = &self.lines[found.into_iter().flatten().min()?];
        // Workers share the line; few of them write to it.
        if !line.is_used.load(Ordering::Relaxed) {
            line.is_used.store(true, Ordering::Relaxed);
        }
        Some(&line.owner)
    }

    /// After a run over all users: the lines of the file that named the owner of none.
    pub fn unused(&self, path: &str) -> Option<Diagnostic> {
        let unused = self
            .lines
            .iter()
            .filter(|line| !line.is_used.load(Ordering::Relaxed));
        let numbers: Vec<String> = unused.map(|line| line.number.to_string()).collect();
        let (listed, others) = numbers.split_at(numbers.len().min(UNUSED));
        let (what, names) = match listed {
            [] => return None,
            [number] => (format!("line {number}"), "names"),
            _ if others.is_empty() => (format!("lines {}", listed.join(", ")), "name"),
            _ => (
                format!("lines {} and {} more", listed.join(", "), others.len()),
                "name",
            ),
        };
        let message = format!("{what} {names} the owner of no user here");
        Some(Diagnostic::new(Code::OwnerUnused, message).in_path(path))
    }
}

impl Line {
    fn is_of(&self, user: &UserToFilter<'_>) -> bool {
        let matches = |glob: &Option<Glob>, texts: &[Option<&[u8]>]| {
            let Some(glob) = glob else { return true };
            texts.iter().flatten().any(|text| glob.matches(text))
        };
        matches(&self.user, &[user.user])
            && matches(&self.path, &[user.path])
            && matches(&self.account, &[user.account, user.account_name])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user<'a>(user: &'a str, path: &'a str, account: &'a str) -> UserToFilter<'a> {
        UserToFilter {
            user: Some(user.as_bytes()),
            path: Some(path.as_bytes()),
            account: Some(account.as_bytes()),
            account_name: Some(b"prod"),
        }
    }

    #[test]
    fn the_first_line_that_matches_counts() {
        let file = "user,path,account,owner\nsvc-*,,111122223333,one\nalice,,,\"two, three\"\n,/team-a/*,,four\n\
                    alice,,,five\n\n,,prod,six\n";
        let owners = Owners::default().with_file(file.as_bytes()).unwrap();
        let owner = |name, path, account| owners.owner_of(&user(name, path, account), None);
        assert_eq!(owner("svc-x", "/", "111122223333"), Some("one"));
        assert_eq!(owner("svc-x", "/team-a/", "444455556666"), Some("four"));
        assert_eq!(owner("alice", "/team-a/", "444455556666"), Some("two, three"));
        assert_eq!(owner("bob", "/team-a/b/", "444455556666"), Some("four"));
        assert_eq!(owner("bob", "/", "444455556666"), Some("six"));
        assert_eq!(owners.owner_of(&UserToFilter::default(), None), None);
    }

    #[test]
    fn the_file_comes_before_the_tag() {
        let tags = [
            ("Owner".to_owned(), "tag".to_owned()),
            ("Team".to_owned(), "red".to_owned()),
        ];
        let details = UserDetails {
            tags: Some(tags.into()),
            ..UserDetails::default()
        };
        let alice = user("alice", "/", "111122223333");
        let of_tag = |tag: &str| Owners::of_tag(tag);
        assert_eq!(of_tag("owner").owner_of(&alice, Some(&details)), Some("tag"));
        assert_eq!(of_tag("team").owner_of(&alice, Some(&details)), Some("red"));
        assert_eq!(of_tag("cost").owner_of(&alice, Some(&details)), None);
        let with_file = of_tag("owner").with_file(b"owner,user\nfile,al*\n").unwrap();
        assert_eq!(with_file.owner_of(&alice, Some(&details)), Some("file"));
        let bob = user("bob", "/", "111122223333");
        assert_eq!(with_file.owner_of(&bob, Some(&details)), Some("tag"));
    }

    #[test]
    fn errors_name_the_line() {
        for (file, expected) in [
            ("", "line 1: the column 'owner' is missing"),
            ("user\nalice\n", "line 1: the column 'owner' is missing"),
            (
                "owner\nx\n",
                "line 1: besides 'owner', one of the columns user, path and account is needed",
            ),
            (
                "user,owner,team\n",
                "line 1: unknown column 'team'; the columns are user, path, account and owner, separated by commas, \
                 semicolons or tabs",
            ),
            ("user,owner\nalice,\n", "line 2: there is no owner"),
            (
                "user,owner\nalice,x\n,y\n",
                "line 3: this line names no user, path or account; write * for all users",
            ),
            (
                "user,owner\nalice,Müller, Anna\n",
                "line 2: it has 3 cells, but the header has 2: put a cell that contains the separator in double quotes",
            ),
            ("user,owner,User\n", "line 1: the column 'user' is there twice"),
            (
                "sep=;\nuser;owner\n\n;y\n",
                "line 4: this line names no user, path or account; write * for all users",
            ),
            ("user,owner\na[,y\n", "line 2: the user is not a valid pattern: "),
        ] {
            let error = Owners::default().with_file(file.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(
            Owners::default()
                .with_file(b"\xef\xbb\xbfUser ,OWNER\n*,x\n")
                .is_ok()
        );
    }

    #[test]
    fn spreadsheets_separate_by_semicolons_and_tabs() {
        let alice = user("alice", "/", "111122223333");
        for file in [
            "user;owner\nalice;Müller, Anna\n",
            "\u{feff}user;owner\r\nalice;Müller, Anna\r\n",
            "\"user\"\t\"owner\"\nalice\tMüller, Anna\n",
            "sep=;\r\nuser;owner\r\nalice;Müller, Anna\r\n",
            "sep=|\nuser|owner\nalice|Müller, Anna\n",
            "user,owner\nalice,\"Müller, Anna\",\n",
        ] {
            let owners = Owners::default().with_file(file.as_bytes()).unwrap();
            assert_eq!(owners.owner_of(&alice, None), Some("Müller, Anna"), "{file}");
        }
    }

    #[test]
    fn another_encoding_is_named() {
        let utf_16: Vec<u8> = "user,owner\nalice,x\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (file, expected) in [
            (
                b"user,owner\nalice,M\xfcller\n".to_vec(),
                "line 2: not UTF-8: save the file as CSV UTF-8",
            ),
            (
                [b"\xff\xfe", &*utf_16].concat(),
                "line 1: not UTF-8: save the file as CSV UTF-8",
            ),
            (utf_16, "not UTF-8: save the file as CSV UTF-8"),
        ] {
            assert_eq!(Owners::default().with_file(&file).unwrap_err(), expected);
        }
    }

    #[test]
    fn unused_lines_are_listed() {
        let file = "sep=;\nuser;owner\n\nalice;one\nbob;two\n\nal*;three\n";
        let owners = Owners::default().with_file(file.as_bytes()).unwrap();
        let message = |owners: &Owners| owners.unused("o.csv").map(|it| it.message);
        assert_eq!(
            message(&owners).unwrap(),
            "lines 4, 5, 7 name the owner of no user here"
        );
        owners.owner_of(&user("alice", "/", "111122223333"), None);
        owners.owner_of(&user("alan", "/", "111122223333"), None);
        assert_eq!(
            message(&owners).unwrap(),
            "line 5 names the owner of no user here"
        );
        owners.owner_of(&user("bob", "/", "111122223333"), None);
        assert_eq!(message(&owners), None);
    }
}
