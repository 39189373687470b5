//! The findings of a diff by account, path or owner, worst first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{DiffFinding, DiffView};
use crate::finding::Severity;
use crate::history::{Move, Moved};
use crate::output::phrases::{self, by_severity, number};
use crate::report::cell::path_of;
use crate::rule::Owners;

/// By what the findings of a diff are grouped.
#[derive(Clone, Copy, Debug)]
pub enum Grouping<'a> {
    /// The user's account.
    Account,
    /// The user's IAM path.
    Path,
    /// The user's owner, as these say.
    Owner(&'a Owners),
}

/// The findings of one account, path or owner.
#[derive(Debug)]
pub(super) struct Group {
    /// None where it is not known.
    pub(super) name: Option<String>,
    /// The name of the account, where the group is one.
    pub(super) account_name: Option<String>,
    counts: Counts,
}

/// The number of findings, by [`Move`] and severity.
#[derive(Clone, Copy, Debug, Default)]
struct Counts([[u64; Severity::ALL.len()]; Move::ALL.len()]);

impl Counts {
    fn add(&mut self, which: Move, severity: Severity) {
        self.0[which as usize][severity as usize] += 1;
    }

    fn of(&self, which: Move) -> u64 {
        self.0[which as usize].iter().sum()
    }

    /// What makes one group worse than another: what was opened, from critical to informational, then what only shows now,
    /// what is still open and what was resolved.
    fn badness(&self) -> [[u64; Severity::ALL.len()]; Move::ALL.len()] {
        [Move::Opened, Move::Unveiled, Move::Open, Move::Resolved].map(|which| {
            let mut counts = self.0[which as usize];
            counts.reverse();
            counts
        })
    }
}

impl Grouping<'_> {
    /// `owner`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Path => "path",
            Self::Owner(_) => "owner",
        }
    }

    /// What is said of users whose group is not known; no name of one.
    pub(super) fn unknown(self) -> &'static str {
        match self {
            Self::Account => phrases::NO_ACCOUNT,
            Self::Path => phrases::NO_PATH,
            Self::Owner(_) => phrases::NO_OWNER,
        }
    }
}

impl Group {
    /// How many findings there are; of those that are new here, also how severe: `2 (1 critical, 1 high)`.
    pub(super) fn count(&self, which: Move) -> String {
        let counts = self.counts.0[which as usize];
        if matches!(which, Move::Open | Move::Resolved) {
            return number(self.counts.of(which));
        }
        match by_severity(|severity| counts[severity as usize]).as_str() {
            "" => "0".to_owned(),
            severities => format!("{} ({severities})", number(self.counts.of(which))),
        }
    }

    /// `2 opened, 1 resolved, 4 still open`: what there is.
    pub(super) fn summary(&self) -> String {
        let all = [
            (Move::Opened, "opened"),
            (Move::Unveiled, "unveiled"),
            (Move::Resolved, "resolved"),
            (Move::Open, "still open"),
        ];
        let all = all.map(|(which, words)| (self.counts.of(which), words));
        let all = all.into_iter().filter(|(count, _)| *count > 0);
        let all: Vec<String> = all
            .map(|(count, words)| format!("{} {words}", number(count)))
            .collect();
        all.join(", ")
    }

    fn changed(&self) -> u64 {
        [Move::Opened, Move::Unveiled, Move::Resolved]
            .map(|which| self.counts.of(which))
            .iter()
            .sum()
    }
}

/// The findings that a group shows.
pub(super) type Shown = Vec<(Move, DiffFinding)>;

impl DiffView<'_> {
    /// The groups that have findings, the worst one first, and of those that changed the findings that are shown: as many
    /// as the limit allows in all, worst first.
    pub(super) fn groups(&self, by: Grouping<'_>) -> (Vec<Group>, Vec<(usize, Shown)>) {
        let mut counts: BTreeMap<Option<String>, (Counts, Option<String>)> = BTreeMap::new();
        for which in Move::ALL {
            for moved in self.diff.findings(which).iter() {
                let (name, account_name) = self.group_of(by, &moved);
                let (counts, _) = counts.entry(name).or_insert((Counts::default(), account_name));
                counts.add(which, self.rule(moved.found.rule).severity);
            }
        }
        let groups = counts.into_iter().map(|(name, (counts, account_name))| Group {
            name,
            account_name,
            counts,
        });
        let mut groups: Vec<Group> = groups.collect();
        groups.sort_by_key(|group| Reverse(group.counts.badness()));
        let shown = self.shown_by_group(by, &groups);
        (groups, shown)
    }

    /// The account, path or owner of the user of a finding, and the account's name.
    fn group_of(&self, by: Grouping<'_>, moved: &Moved) -> (Option<String>, Option<String>) {
        let (snapshot, _) = self.subject(moved);
        let (users, row) = (snapshot.users(), moved.row as usize);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match by {
            Grouping::Account => {
                let account = users.account_or_name(row);
                let name = account.and_then(|account| self.name_of(account));
                (account.map(text), name.map(str::to_owned))
            }
            Grouping::Path => (path_of(users.arn(row)).map(text), None),
            Grouping::Owner(owners) => {
                let owner = owners.owner_of(&users.to_filter(row), None);
                (owner.map(str::to_owned), None)
            }
        }
    }

    fn shown_by_group(&self, by: Grouping<'_>, groups: &[Group]) -> Vec<(usize, Shown)> {
        let positions: BTreeMap<&Option<String>, usize> =
            groups.iter().map(|group| &group.name).zip(0..).collect();
        let mut room = self.options.limit;
        // The groups that have room, each with how many of its findings.
        let rooms: Vec<usize> = groups
            .iter()
            .map(|group| {
                let of_group = room.min(usize::try_from(group.changed()).unwrap_or(usize::MAX));
                room -= of_group;
                of_group
            })
            .collect();
        let mut shown: Vec<Shown> = groups.iter().map(|_| Vec::new()).collect();
        for which in [Move::Opened, Move::Unveiled, Move::Resolved] {
            for moved in self.worst_moved(self.diff.findings(which)) {
                let position = positions[&self.group_of(by, &moved).0];
                if shown[position].len() < rooms[position] {
                    shown[position].push((which, self.finding(&moved)));
                }
            }
        }
        let shown = shown.into_iter().enumerate();
        shown.filter(|(_, findings)| !findings.is_empty()).collect()
    }
}
