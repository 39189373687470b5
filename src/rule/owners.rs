//! Who owns a user: as a file says that is given with the report, else as a tag of the user says.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use super::filter::UserToFilter;
use super::glob::Glob;
use crate::report::details::UserDetails;

/// The tag that names the owner unless another one is chosen.
pub const OWNER_TAG: &str = "owner";

/// Where owners come from.
#[derive(Clone, Debug)]
pub struct Owners {
    tag: String,
    lines: Vec<Line>,
    /// The positions of the lines for one user alone, by name.
    of_user: HashMap<String, Vec<usize>>,
    /// The positions of all other lines.
    others: Vec<usize>,
}

/// A line of the file; what it does not give does not matter.
#[derive(Clone, Debug)]
struct Line {
    user: Option<Glob>,
    path: Option<Glob>,
    account: Option<Glob>,
    owner: String,
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
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let columns = Columns::find(&header)?;
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let number = record.position().map_or(0, csv::Position::line);
            let line = columns
                .line(&record)
                .map_err(|error| format!("line {number}: {error}"))?;
            if let Some(line) = line {
                self.add(line);
            }
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
        let position = found.into_iter().flatten().min()?;
        Some(&self.lines[position].owner)
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

/// The positions of the columns in a file of owners.
struct Columns {
    owner: usize,
    user: Option<usize>,
    path: Option<usize>,
    account: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        let find = |name: &str| {
            header
                .iter()
                .position(|column| column.trim().eq_ignore_ascii_case(name))
        };
        let known = ["user", "path", "account", "owner"];
        let is_unknown = |column: &&str| {
            !known
                .iter()
                .any(|known| column.trim().eq_ignore_ascii_case(known))
        };
        if let Some(unknown) = header.iter().find(is_unknown) {
            return Err(format!(
                "line 1: unknown column '{unknown}'; the columns are user, path, account and owner"
            ));
        }
        let columns = Self {
            owner: find("owner").ok_or("line 1: the column 'owner' is missing")?,
            user: find("user"),
            path: find("path"),
            account: find("account"),
        };
        match columns {
            Self {
                user: None,
                path: None,
                account: None,
                ..
            } => {
                Err("line 1: besides 'owner', one of the columns user, path and account is needed".to_owned())
            }
            columns => Ok(columns),
        }
    }

    /// What a line says; nothing if it is blank.
    fn line(&self, record: &StringRecord) -> Result<Option<Line>, String> {
        let cell = |position: usize| record.get(position).unwrap_or_default().trim();
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let glob = |name: &str, position: Option<usize>| {
            let pattern = position.map(cell).filter(|pattern| !pattern.is_empty());
            let compiled = pattern.map(Glob::new).transpose();
            compiled.map_err(|error| format!("the {name} is not a valid pattern: {error}"))
        };
        let line = Line {
            user: glob("user", self.user)?,
            path: glob("path", self.path)?,
            account: glob("account", self.account)?,
            owner: cell(self.owner).to_owned(),
        };
        if line.owner.is_empty() {
            return Err("there is no owner".to_owned());
        }
        if line.user.is_none() && line.path.is_none() && line.account.is_none() {
            return Err(
                "this is no one's owner: name a user, path or account, or * for all users".to_owned(),
            );
        }
        Ok(Some(line))
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
                "line 1: unknown column 'team'; the columns are user, path, account and owner",
            ),
            ("user,owner\nalice,\n", "line 2: there is no owner"),
            (
                "user,owner\nalice,x\n,y\n",
                "line 3: this is no one's owner: name a user, path or account, or * for all users",
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
}
