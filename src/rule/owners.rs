//! Who owns a user: as a file says that is given with the report, else as a tag of the user says.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use super::filter::UserToFilter;
use super::glob::Glob;
use crate::report::details::UserDetails;
use crate::report::escape::escape;

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
        let (text, delimiter, before) = opened(text)?;
        let mut reader = ReaderBuilder::new();
        let mut reader = reader
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let first = before + 1;
        let columns = Columns::find(&header).map_err(|error| format!("line {first}: {error}"))?;
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let number = || before + line_of(text, record.position());
            let line = columns
                .line(&record)
                .map_err(|error| format!("line {}: {error}", number()))?;
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

/// The text of a file of owners, its delimiter, and how many lines were before the header: spreadsheets write semicolons
/// or tabs where the comma is part of numbers, and some say so in a first line `sep=;`.
fn opened(file: &[u8]) -> Result<(&str, u8, u64), String> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let text = str::from_utf8(file).map_err(|error| {
        let before = &file[..error.valid_up_to()];
        let line = before.split(|&byte| byte == b'\n').count();
        format!("line {line}: not UTF-8: save the file as CSV UTF-8")
    })?;
    if text.contains('\0') {
        return Err("not UTF-8: save the file as CSV UTF-8".to_owned());
    }
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let is_separator = |first: &str| Some(first.trim_end_matches('\r').strip_prefix("sep=")?.bytes().next());
    if let Some(Some(delimiter)) = is_separator(first) {
        return Ok((rest, delimiter, 1));
    }
    let columns = |delimiter: u8| {
        let cells = first.split(char::from(delimiter));
        let known = cells.filter(|cell| {
            KNOWN
                .iter()
                .any(|name| is_column(cell.trim().trim_matches('"'), name))
        });
        known.count()
    };
    // Of equal ones the first: the comma.
    let best = DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|&delimiter| columns(delimiter));
    Ok((text, best.unwrap_or(b','), 0))
}

/// The line of a record, which begins behind the blank lines at its position.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let start = position.map_or(0, csv::Position::byte);
    let start = usize::try_from(start).map_or(0, |start| start.min(text.len()));
    let blank = text.as_bytes()[start..]
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let lines = text.as_bytes()[..start + blank]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count();
    1 + lines as u64
}

const DELIMITERS: [u8; 3] = *b",;\t";

/// The columns of a file of owners.
const KNOWN: [&str; 4] = ["user", "path", "account", "owner"];

fn is_column(head: &str, name: &str) -> bool {
    head.trim().eq_ignore_ascii_case(name)
}

/// The positions of the columns in a file of owners.
struct Columns {
    /// How many columns there are.
    width: usize,
    owner: usize,
    user: Option<usize>,
    path: Option<usize>,
    account: Option<usize>,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        if let Some(unknown) = header
            .iter()
            .find(|head| !KNOWN.iter().any(|name| is_column(head, name)))
        {
            return Err(format!(
                "unknown column '{}'; the columns are user, path, account and owner, separated by commas, semicolons or tabs",
                escape(unknown)
            ));
        }
        let find = |name: &str| header.iter().position(|head| is_column(head, name));
        if let Some(twice) = KNOWN
            .iter()
            .find(|name| header.iter().filter(|head| is_column(head, name)).count() > 1)
        {
            return Err(format!("the column '{twice}' is there twice"));
        }
        let columns = Self {
            width: header.len(),
            owner: find("owner").ok_or("the column 'owner' is missing")?,
            user: find("user"),
            path: find("path"),
            account: find("account"),
        };
        if columns.user.is_none() && columns.path.is_none() && columns.account.is_none() {
            return Err("besides 'owner', one of the columns user, path and account is needed".to_owned());
        }
        Ok(columns)
    }

    /// What a line says; nothing if it is blank.
    fn line(&self, record: &StringRecord) -> Result<Option<Line>, String> {
        let cell = |position: usize| record.get(position).unwrap_or_default().trim();
        if record.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        // A spreadsheet may pad lines with empty cells.
        if record.iter().skip(self.width).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "it has {} cells, but the header has {}: put a cell that contains the separator in double quotes",
                record.len(),
                self.width
            ));
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
            return Err("this line names no user, path or account; write * for all users".to_owned());
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
}
