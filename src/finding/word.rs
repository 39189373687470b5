//! Enums whose members are words, in rule files, on the command line and in outputs.

/// A word that is not a member of its enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown word '{}'; one of {known}", word.escape_debug())]
pub struct UnknownWord {
    pub(crate) word: String,
    pub(crate) known: String,
}

/// Declares an enum with a word for each member: `ALL` in the order of declaration, `name`, `Display`, `FromStr` and
/// serde by that word.
macro_rules! word_enum {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident {
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
            type Err = $crate::finding::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let member = Self::ALL.into_iter().find(|member| member.name() == word);
                member.ok_or_else(|| $crate::finding::UnknownWord {
                    word: word.to_owned(),
                    known: Self::ALL.map(Self::name).join(", "),
                })
            }
        }
    };
}

pub(crate) use word_enum;
