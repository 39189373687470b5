//! Filters: which users are evaluated, by name, path and account.

use std::borrow::Cow;

use super::glob::Glob;
use crate::finding::GivenFilters;
use crate::report::cell::is_account_id;
use crate::report::chunk::ROOT;
use crate::report::word::{distance, nearest};

/// The filters of a run. A user is evaluated if every kind of filter admits it.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    kinds: [Filter; FilterKind::ALL.len()],
}

/// What a filter goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FilterKind {
    /// The name of the user; `<root_account>` for root.
    User,
    /// The IAM path, such as `/team-a/`. Root has none.
    Path,
    /// The id or the name of the account.
    Account,
}

/// How people call root where its name is asked for.
const ROOT_WORDS: [&str; 4] = ["root", "root_account", "root-account", "<root>"];

/// The patterns of one kind: a text is admitted if it matches one of `only` (or there are none), and none of `except`.
#[derive(Clone, Debug, Default)]
struct Filter {
    only: Vec<Glob>,
    except: Vec<Glob>,
}

/// What filters go by of one user. A text that is not known is matched by no pattern.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserToFilter<'a> {
    /// The name.
    pub user: Option<&'a [u8]>,
    /// The path; none for root.
    pub path: Option<&'a [u8]>,
    /// The id of the account.
    pub account: Option<&'a [u8]>,
    /// The name of the account.
    pub account_name: Option<&'a [u8]>,
}

impl FilterKind {
    const ALL: [Self; 3] = [Self::User, Self::Path, Self::Account];

    /// The word in options and messages.
    const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Path => "path",
            Self::Account => "account",
        }
    }
}

fn globs(option: &str, patterns: &[String]) -> Result<Vec<Glob>, String> {
    let glob = |pattern: &String| {
        Glob::new(pattern).map_err(|error| format!("{option} '{pattern}' is not a valid pattern: {error}"))
    };
    patterns.iter().map(glob).collect()
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// Whether one of these texts, which stand for the same thing, is admitted.
    fn admits(&self, texts: &[Option<&[u8]>]) -> bool {
        let matches = |globs: &[Glob]| {
            let mut texts = texts.iter().flatten();
            texts.any(|text| globs.iter().any(|glob| glob.matches(text)))
        };
        (self.only.is_empty() || matches(&self.only)) && !matches(&self.except)
    }
}

impl Filters {
    /// Compiles the patterns; the error names the option and says what is wrong with it.
    pub fn new(given: &GivenFilters) -> Result<Self, String> {
        let filter = |kind: FilterKind, only: &[String], except: &[String]| {
            Ok::<_, String>(Filter {
                only: globs(&format!("--{}", kind.name()), only)?,
                except: globs(&format!("--exclude-{}", kind.name()), except)?,
            })
        };
        Ok(Self {
            kinds: [
                filter(FilterKind::User, &given.user, &given.exclude_user)?,
                filter(FilterKind::Path, &given.path, &given.exclude_path)?,
                filter(FilterKind::Account, &given.account, &given.exclude_account)?,
            ],
        })
    }

    /// The patterns that choose accounts and users, and those that leave users out.
    pub fn split(self) -> (Self, Self) {
        let mut excluding = Self::default();
        let mut only = self;
        for kind in [FilterKind::User, FilterKind::Path] {
            let except = &mut only.kinds[kind as usize].except;
            excluding.kinds[kind as usize].except = std::mem::take(except);
        }
        (only, excluding)
    }

    /// Whether every user is admitted.
    pub fn is_empty(&self) -> bool {
        self.kinds.iter().all(Filter::is_empty)
    }

    /// Whether users of one account may be admitted and others not: then root is not missed.
    pub fn is_partial(&self) -> bool {
        [FilterKind::User, FilterKind::Path]
            .into_iter()
            .any(|kind| !self.of(kind).is_empty())
    }

    /// Whether a user is evaluated.
    pub fn admits(&self, user: &UserToFilter<'_>) -> bool {
        self.admits_account(user.account, user.account_name) && self.admits_user(user.user, user.path)
    }

    /// Whether a user with this name and path is evaluated, as far as the account admits it.
    pub fn admits_user(&self, user: Option<&[u8]>, path: Option<&[u8]>) -> bool {
        self.of(FilterKind::User).admits(&[user]) && self.of(FilterKind::Path).admits(&[path])
    }

    /// Whether users of this account are evaluated, as far as the account is concerned.
    pub fn admits_account(&self, id: Option<&[u8]>, name: Option<&[u8]>) -> bool {
        self.of(FilterKind::Account).admits(&[id, name])
    }

    /// Whether only some accounts are asked for, and this is one of them.
    pub fn asks_for_account(&self, id: &str, name: Option<&str>) -> bool {
        let only = &self.of(FilterKind::Account).only;
        [Some(id), name]
            .into_iter()
            .flatten()
            .any(|text| only.iter().any(|glob| glob.matches(text.as_bytes())))
    }

    /// Whether only some accounts are asked for.
    pub fn asks_for_accounts(&self) -> bool {
        !self.of(FilterKind::Account).only.is_empty()
    }

    /// What to say of the first pattern for accounts that matches none of these, which are all there are. A misspelled
    /// exclusion would take in what it is to leave out.
    pub fn unmatched_account<'a>(
        &self,
        accounts: &(impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone),
    ) -> Option<String> {
        let Filter { only, except } = self.of(FilterKind::Account);
        let texts = || accounts.clone().flat_map(|(id, name)| [Some(id), name]).flatten();
        let mut all = only
            .iter()
            .map(|glob| (glob, "--account"))
            .chain(except.iter().map(|glob| (glob, "--exclude-account")));
        all.find_map(|(glob, option)| {
            let mut seen = NearMiss::default();
            texts().for_each(|text| seen.add(glob, FilterKind::Account, text.as_bytes()));
            seen.message(glob, FilterKind::Account, option)
        })
    }

    /// As they were given.
    pub fn given(&self) -> GivenFilters {
        let [user, path, account] = &self.kinds;
        let patterns = |globs: &[Glob]| globs.iter().map(|glob| glob.pattern().to_owned()).collect();
        GivenFilters {
            user: patterns(&user.only),
            exclude_user: patterns(&user.except),
            path: patterns(&path.only),
            exclude_path: patterns(&path.except),
            account: patterns(&account.only),
            exclude_account: patterns(&account.except),
        }
    }

    /// ` of --user 'ext-*' without --exclude-path '/service/*'`, behind users or reports in messages; empty without
    /// filters.
    pub fn phrase(&self) -> String {
        match self.options() {
            [only, except] if only.is_empty() && except.is_empty() => String::new(),
            [only, except] if except.is_empty() => format!(" of {only}"),
            [only, except] if only.is_empty() => format!(" without {except}"),
            [only, except] => format!(" of {only} without {except}"),
        }
    }

    /// What to say if every pattern matches users, and still no user is admitted.
    fn nothing_left(&self) -> String {
        match self.options() {
            [only, except] if except.is_empty() => format!("no user matches {only} at once"),
            [only, except] if only.is_empty() => format!("no user is left without {except}"),
            [only, except] => format!("no user matches {only} without {except}"),
        }
    }

    /// `--user 'ext-*'` and `--exclude-path '/service/*'`: for messages, not for shells.
    fn options(&self) -> [String; 2] {
        let options = |prefix: &str, patterns: fn(&Filter) -> &[Glob]| {
            let kinds = FilterKind::ALL.into_iter();
            let options = kinds.flat_map(|kind| patterns(self.of(kind)).iter().map(move |glob| (kind, glob)));
            let options =
                options.map(|(kind, glob)| format!("--{prefix}{} '{}'", kind.name(), glob.pattern()));
            options.collect::<Vec<_>>().join(" ")
        };
        [
            options("", |filter| &filter.only),
            options("exclude-", |filter| &filter.except),
        ]
    }

    fn of(&self, kind: FilterKind) -> &Filter {
        &self.kinds[kind as usize]
    }
}

/// What patterns without a match may have meant, among the texts that were seen.
#[derive(Clone, Debug, Default)]
pub struct NearMisses {
    /// By kind, one for each of its patterns `only`; none before the first text.
    kinds: [Vec<NearMiss>; FilterKind::ALL.len()],
}

/// What one pattern may have meant. It does not depend on the order of the texts.
#[derive(Clone, Debug, Default)]
struct NearMiss {
    is_matched: bool,
    /// The nearest text and how far it is from the pattern, unless the pattern is matched.
    nearest: Option<(usize, String)>,
}

impl NearMisses {
    /// Looks at a user that was not admitted.
    pub fn add(&mut self, filters: &Filters, user: &UserToFilter<'_>) {
        self.add_account(filters, user.account, user.account_name);
        self.add_user(filters, user.user, user.path);
    }

    /// Looks at an account with a user that was not admitted.
    pub fn add_account(&mut self, filters: &Filters, id: Option<&[u8]>, name: Option<&[u8]>) {
        self.add_texts(filters, FilterKind::Account, &[id, name]);
    }

    /// Looks at the name and the path of a user that was not admitted.
    pub fn add_user(&mut self, filters: &Filters, user: Option<&[u8]>, path: Option<&[u8]>) {
        self.add_texts(filters, FilterKind::User, &[user]);
        self.add_texts(filters, FilterKind::Path, &[path]);
    }

    fn add_texts(&mut self, filters: &Filters, kind: FilterKind, texts: &[Option<&[u8]>]) {
        let (patterns, misses) = (&filters.of(kind).only, &mut self.kinds[kind as usize]);
        misses.resize_with(patterns.len(), NearMiss::default);
        for (glob, miss) in patterns.iter().zip(misses) {
            texts.iter().flatten().for_each(|text| miss.add(glob, kind, text));
        }
    }

    /// Adds what was seen of other users with the same filters.
    pub fn append(&mut self, other: Self) {
        for (misses, others) in self.kinds.iter_mut().zip(other.kinds) {
            misses.resize_with(misses.len().max(others.len()), NearMiss::default);
            misses
                .iter_mut()
                .zip(others)
                .for_each(|(miss, other)| miss.append(other));
        }
    }

    /// What to say of filters that admit no user: the patterns that match nothing, and what they may have meant.
    pub fn message(&self, filters: &Filters) -> String {
        let unmatched = FilterKind::ALL.into_iter().flat_map(|kind| {
            let (misses, option) = (&self.kinds[kind as usize], format!("--{}", kind.name()));
            let patterns = filters.of(kind).only.iter().enumerate();
            patterns.filter_map(move |(at, glob)| {
                let unseen = NearMiss::default();
                misses.get(at).unwrap_or(&unseen).message(glob, kind, &option)
            })
        });
        let unmatched: Vec<String> = unmatched.collect();
        if unmatched.is_empty() {
            return filters.nothing_left();
        }
        unmatched.join("; ")
    }
}

impl NearMiss {
    /// Looks at a text.
    fn add(&mut self, glob: &Glob, kind: FilterKind, text: &[u8]) {
        if self.is_matched {
            return;
        }
        if glob.matches(text) {
            self.is_matched = true;
            self.nearest = None;
        } else if let Some(meant) = near(glob, kind, text) {
            let known = self.nearest.as_ref().map(|(distance, text)| (*distance, &**text));
            let found = (distance(glob.pattern(), &meant), &*meant);
            if known.is_none_or(|known| found < known) {
                self.nearest = Some((found.0, meant.into_owned()));
            }
        }
    }

    /// Adds what was seen of other texts.
    fn append(&mut self, other: Self) {
        self.is_matched |= other.is_matched;
        let both = [self.nearest.take(), other.nearest];
        self.nearest = both.into_iter().flatten().min().filter(|_| !self.is_matched);
    }

    /// What to say of the pattern, unless it is matched.
    fn message(&self, glob: &Glob, kind: FilterKind, option: &str) -> Option<String> {
        let meant = self.nearest.as_ref();
        let meant = meant.map(|(_, meant)| format!("; did you mean '{meant}'?"));
        let hint = hint(glob, kind).unwrap_or_default();
        let what = match kind {
            FilterKind::User => "no user",
            FilterKind::Path => "no user's path",
            FilterKind::Account => "no account",
        };
        let (pattern, meant) = (glob.pattern(), meant.unwrap_or_default());
        (!self.is_matched).then(|| format!("{what} matches {option} '{pattern}'{hint}{meant}"))
    }
}

/// What to say of a pattern that no text could match as it was meant.
fn hint(glob: &Glob, kind: FilterKind) -> Option<&'static str> {
    let is_short_id = kind == FilterKind::Account && is_part_of_id(glob.exact()?);
    is_short_id.then_some("; an account id has twelve digits")
}

/// Whether a pattern is a number, and not the id of an account.
fn is_part_of_id(pattern: &str) -> bool {
    let is_number = !pattern.is_empty() && pattern.bytes().all(|byte| byte.is_ascii_digit());
    is_number && !is_account_id(pattern)
}

/// What a pattern may have meant where this text was seen.
fn near<'a>(glob: &Glob, kind: FilterKind, text: &'a [u8]) -> Option<Cow<'a, str>> {
    let text = str::from_utf8(text).ok()?;
    if glob.matches_in_other_case(text.as_bytes()) {
        return Some(text.into());
    }
    let pattern = glob.exact()?;
    // Root has a name that is not the word for it.
    if kind == FilterKind::User && text == ROOT && ROOT_WORDS.contains(&&*pattern.to_ascii_lowercase()) {
        return Some(ROOT.into());
    }
    if kind == FilterKind::Account && is_part_of_id(pattern) && text.starts_with(pattern) {
        return Some(format!("{pattern}*").into());
    }
    if kind == FilterKind::Path {
        // `team-a` and `/team-a` for `/team-a/`, and for all that is below it.
        let inner = pattern.trim_matches('/');
        let is_below = text.strip_prefix('/').and_then(|path| path.strip_prefix(inner));
        if !inner.is_empty() && is_below.is_some_and(|rest| rest.starts_with('/')) {
            return Some(format!("/{inner}/*").into());
        }
    }
    nearest(pattern, [text]).map(Cow::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(given: &[(&str, &str)]) -> Filters {
        let mut filters = GivenFilters::default();
        for (option, pattern) in given {
            let list = match *option {
                "user" => &mut filters.user,
                "exclude-user" => &mut filters.exclude_user,
                "path" => &mut filters.path,
                "exclude-path" => &mut filters.exclude_path,
                "account" => &mut filters.account,
                _ => &mut filters.exclude_account,
            };
            list.push((*pattern).to_owned());
        }
        Filters::new(&filters).unwrap()
    }

    const ALICE: UserToFilter<'_> = UserToFilter {
        user: Some(b"alice"),
        path: Some(b"/team-a/"),
        account: Some(b"111122223333"),
        account_name: Some(b"prod"),
    };
    const ROOT: UserToFilter<'_> = UserToFilter {
        user: Some(b"<root_account>"),
        path: None,
        ..ALICE
    };

    #[test]
    fn who_is_admitted() {
        let admitted = |given: &[(&str, &str)]| {
            let filters = filters(given);
            [&ALICE, &ROOT, &UserToFilter::default()].map(|user| filters.admits(user))
        };
        assert_eq!(admitted(&[]), [true; 3]);
        assert_eq!(admitted(&[("user", "alice")]), [true, false, false]);
        assert_eq!(admitted(&[("user", "Alice")]), [false; 3]);
        assert_eq!(admitted(&[("user", "bob"), ("user", "a*")]), [true, false, false]);
        assert_eq!(admitted(&[("exclude-user", "a*")]), [false, true, true]);
        assert_eq!(admitted(&[("path", "*")]), [true, false, false]);
        assert_eq!(admitted(&[("exclude-path", "*")]), [false, true, true]);
        assert_eq!(admitted(&[("account", "prod")]), [true, true, false]);
        assert_eq!(admitted(&[("account", "1111*")]), [true, true, false]);
        // Excluded by name or by id.
        for account in ["pr*", "111122223333"] {
            assert_eq!(admitted(&[("exclude-account", account)]), [false, false, true]);
        }
        assert_eq!(admitted(&[("user", "a*"), ("path", "/team-b/")]), [false; 3]);
        assert_eq!(admitted(&[("user", "a*"), ("exclude-user", "alice")]), [false; 3]);
    }

    #[test]
    fn what_was_meant() {
        let message = |given: &[(&str, &str)]| {
            let filters = filters(given);
            let mut misses = NearMisses::default();
            for user in [
                &ALICE,
                &ROOT,
                &UserToFilter {
                    user: Some(b"alicia"),
                    ..ALICE
                },
            ] {
                misses.add(&filters, user);
            }
            misses.message(&filters)
        };
        for (given, right) in [
            (
                (("user"), "alise"),
                "no user matches --user 'alise'; did you mean 'alice'?",
            ),
            (
                ("user", "ALICE"),
                "no user matches --user 'ALICE'; did you mean 'alice'?",
            ),
            (
                ("user", "ALI*"),
                "no user matches --user 'ALI*'; did you mean 'alice'?",
            ),
            (("user", "zebra"), "no user matches --user 'zebra'"),
            (
                ("path", "team-a"),
                "no user's path matches --path 'team-a'; did you mean '/team-a/*'?",
            ),
            (
                ("path", "/team-a"),
                "no user's path matches --path '/team-a'; did you mean '/team-a/*'?",
            ),
            (
                ("account", "Prod"),
                "no account matches --account 'Prod'; did you mean 'prod'?",
            ),
            (
                ("account", "111122223334"),
                "no account matches --account '111122223334'; did you mean '111122223333'?",
            ),
        ] {
            assert_eq!(message(&[given]), right);
        }
        for (given, right) in [
            (
                ("user", "root"),
                "no user matches --user 'root'; did you mean '<root_account>'?",
            ),
            (
                ("account", "1111"),
                "no account matches --account '1111'; an account id has twelve digits; did you mean '1111*'?",
            ),
            (
                ("account", "9999"),
                "no account matches --account '9999'; an account id has twelve digits",
            ),
            (
                ("account", "1111222233334"),
                "no account matches --account '1111222233334'; an account id has twelve digits; did you mean \
                 '111122223333'?",
            ),
        ] {
            assert_eq!(message(&[given]), right);
        }
        assert_eq!(
            message(&[("user", "alice"), ("exclude-user", "alice")]),
            "no user matches --user 'alice' without --exclude-user 'alice'"
        );
        assert_eq!(
            message(&[("exclude-user", "*")]),
            "no user is left without --exclude-user '*'"
        );
        let both = message(&[("user", "alice"), ("path", "/zebra/")]);
        assert_eq!(both, "no user's path matches --path '/zebra/'");
        let both = message(&[("user", "<root_account>"), ("path", "/team-a/")]);
        assert_eq!(
            both,
            "no user matches --user '<root_account>' --path '/team-a/' at once"
        );
    }

    #[test]
    fn in_messages() {
        for (given, right) in [
            (&[][..], ""),
            (&[("user", "a*")], " of --user 'a*'"),
            (&[("exclude-user", "a*")], " without --exclude-user 'a*'"),
            (
                &[
                    ("exclude-path", "/x/"),
                    ("account", "prod"),
                    ("exclude-user", "y"),
                    ("user", "a"),
                    ("user", "b"),
                ],
                " of --user 'a' --user 'b' --account 'prod' without --exclude-user 'y' --exclude-path '/x/'",
            ),
        ] {
            assert_eq!(filters(given).phrase(), right);
        }
    }

    #[test]
    fn what_was_meant_does_not_depend_on_who_saw_it() {
        let filters = filters(&[("user", "alise"), ("user", "bob"), ("account", "prid")]);
        let names = ["alicia", "alize", "alice", "bob", "carol"].map(|name| UserToFilter {
            user: Some(name.as_bytes()),
            ..ALICE
        });
        let whole = "no user matches --user 'alise'; did you mean 'alice'?; \
            no account matches --account 'prid'; did you mean 'prod'?";
        for rotation in 0..names.len() {
            for split in 0..=names.len() {
                let mut names = names;
                names.rotate_left(rotation);
                let (first, second) = names.split_at(split);
                let [mut first, second] = [first, second].map(|users| {
                    let mut misses = NearMisses::default();
                    for user in users {
                        misses.add(&filters, user);
                    }
                    misses
                });
                first.append(second);
                assert_eq!(first.message(&filters), whole);
            }
        }
        let unseen = NearMisses::default().message(&filters);
        assert_eq!(
            unseen,
            "no user matches --user 'alise'; no user matches --user 'bob'; no account matches --account 'prid'"
        );
    }
}
