//! Words in rules and rule files, on the command line and in outputs: enums whose members are words.

use super::escape::escape;

/// A word that is not a member of its enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} '{}'; one of {known}", escape(word))]
pub struct UnknownWord {
    /// What it should be one of: `format`.
    pub(crate) what: String,
    pub(crate) word: String,
    pub(crate) known: String,
}

/// The member of this type with this name, or an error that lists the names.
pub(crate) fn find<T: Copy>(
    kind: &str,
    word: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownWord> {
    let member = all.iter().copied().find(|&member| name(member) == word);
    member.ok_or_else(|| UnknownWord {
        what: kind.to_lowercase(),
        word: word.to_owned(),
        known: all
            .iter()
            .map(|&member| name(member))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

/// The word most similar to this one: different in case only, or in a few letters.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    words
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= tolerance(candidate))
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= tolerance(candidate))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters may differ from a similar word.
const fn tolerance(word: &str) -> usize {
    word.len() / 4
}

/// In how many letters two words differ, case aside; exchanged neighbours count as one.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    strsim::osa_distance(&one.to_ascii_lowercase(), &other.to_ascii_lowercase())
}

/// Declares an enum with a word for each member: `ALL` in the order of declaration, `name`, `Display`, `FromStr` and
/// serde by that word. Errors call a member what follows `as`, else by the name of the enum.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident $(as $what:literal)? {
            $($(#[$member_meta:meta])* $member:ident = $word:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub enum $enum {
            $($(#[$member_meta])* #[serde(rename = $word)] $member,)*
        }

        impl $enum {
            /// All members, in order.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$member),*];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $enum {
            type Err = $crate::report::word::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let what = [$($what,)? stringify!($enum)][0];
                $crate::report::word::find(what, word, &Self::ALL, Self::name)
            }
        }
    };
}

pub(crate) use word_enum;
