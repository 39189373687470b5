//! The findings of a diff by account, path or owner, worst first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{DiffFinding, DiffView};
use crate::finding::Severity;
use crate::history::{Move, Moved, Side};
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

/// The moves that are news. What is still open is only counted.
const CHANGED: [Move; 3] = [Move::Opened, Move::Unveiled, Move::Resolved];

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

    /// `2 opened, 1 resolved`: what changed.
    pub(super) fn summary(&self) -> String {
        let all = CHANGED.map(|which| (self.counts.of(which), which.name()));
        let all = all.into_iter().filter(|(count, _)| *count > 0);
        let all: Vec<String> = all
            .map(|(count, name)| format!("{} {name}", number(count)))
            .collect();
        all.join(", ")
    }

    /// How many of its findings changed.
    pub(super) fn changed(&self) -> u64 {
        CHANGED.map(|which| self.counts.of(which)).iter().sum()
    }
}

/// The findings that groups show, each group with its position.
pub(super) type ShownByGroup = Vec<(usize, Vec<(Move, DiffFinding)>)>;

/// The groups of a diff, the worst one first.
pub(super) struct Groups<'a> {
    view: &'a DiffView<'a>,
    pub(super) all: Vec<Group>,
    /// By user, the position of its group.
    of_user: BTreeMap<(bool, u32), usize>,
}

impl<'a> DiffView<'a> {
    /// The groups that have findings.
    pub(super) fn groups(&'a self, by: Grouping<'_>) -> Groups<'a> {
        let mut positions: BTreeMap<Option<String>, usize> = BTreeMap::new();
        let mut all: Vec<Group> = Vec::new();
        // A user is looked up once, however many findings it has.
        let mut of_user: BTreeMap<(bool, u32), usize> = BTreeMap::new();
        for which in Move::ALL {
            for moved in self.diff.findings(which).iter() {
                let group = *of_user.entry(user_of(&moved)).or_insert_with(|| {
                    let (name, account_name) = self.group_of(by, &moved);
                    *positions.entry(name.clone()).or_insert_with(|| {
                        let counts = Counts::default();
                        all.push(Group {
                            name,
                            account_name,
                            counts,
                        });
                        all.len() - 1
                    })
                });
                all[group].counts.add(which, self.rule(moved.found.rule).severity);
            }
        }
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by(|&one, &other| {
            let badness = |group: usize| (Reverse(all[group].counts.badness()), &all[group].name);
            badness(one).cmp(&badness(other))
        });
        let mut ranks = vec![0; all.len()];
        for (rank, &group) in order.iter().enumerate() {
            ranks[group] = rank;
        }
        for group in of_user.values_mut() {
            *group = ranks[*group];
        }
        let mut all: Vec<Option<Group>> = all.into_iter().map(Some).collect();
        let all = order.into_iter().filter_map(|group| all[group].take()).collect();
        Groups {
            view: self,
            all,
            of_user,
        }
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
}

fn user_of(moved: &Moved) -> (bool, u32) {
    (moved.side == Side::New, moved.row)
}

impl Groups<'_> {
    /// Of the first so many groups that changed, the findings that are shown: as many of each, worst first.
    pub(super) fn shown(&self, groups: usize, findings: usize) -> ShownByGroup {
        let changed = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, group)| group.changed() > 0);
        let mut shown: ShownByGroup = changed
            .take(groups)
            .map(|(position, _)| (position, Vec::new()))
            .collect();
        for which in CHANGED {
            for moved in self.view.worst_moved(self.view.diff.findings(which)) {
                let position = self.of_user[&user_of(&moved)];
                let place = shown.binary_search_by_key(&position, |(position, _)| *position);
                if let Ok(place) = place
                    && shown[place].1.len() < findings
                {
                    shown[place].1.push((which, self.view.finding(&moved)));
                }
            }
        }
        shown
    }
}
