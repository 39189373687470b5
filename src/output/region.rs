//! A region of AWS, for formats that name one.

use std::str::FromStr;

/// The longest name that is accepted. Regions have up to 16 characters (`ap-southeast-10`).
const LONGEST: usize = 32;

/// A region of AWS, such as `us-east-1`: lower-case letters, digits and hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    name: [u8; LONGEST],
    length: usize,
}

/// Text that is not the name of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a region has lower-case letters, digits and hyphens, such as us-east-1, cn-north-1 or us-gov-west-1"
)]
pub struct NotARegion;

/// The region of a partition whose endpoints are global, where the user names none: `aws` stands for all others.
const DEFAULTS: [(&str, &str); 7] = [
    ("aws", "us-east-1"),
    ("aws-cn", "cn-north-1"),
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-iso", "us-iso-east-1"),
    ("aws-iso-b", "us-isob-east-1"),
    ("aws-iso-f", "us-isof-south-1"),
    ("aws-eusc", "eusc-de-east-1"),
];

/// The partition of the regions whose names begin so; `aws` has all others.
const PREFIXES: [(&str, &str); 6] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

impl Region {
    /// Its name.
    pub fn name(&self) -> &str {
        str::from_utf8(&self.name[..self.length]).expect("invariant: a region is ASCII")
    }

    /// The partition that it is in.
    pub fn partition(&self) -> &'static str {
        let of_prefix = PREFIXES
            .iter()
            .find(|(prefix, _)| self.name().starts_with(prefix));
        of_prefix.map_or("aws", |(_, partition)| partition)
    }

    /// The usual region of a partition.
    pub(super) fn usual(partition: &str) -> &'static str {
        let known = DEFAULTS.iter().find(|(name, _)| *name == partition);
        known.unwrap_or(&DEFAULTS[0]).1
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let is_word = |word: &str| {
            let mut chars = word.bytes();
            !word.is_empty() && chars.all(|char| char.is_ascii_lowercase() || char.is_ascii_digit())
        };
        if text.len() > LONGEST || !text.contains('-') || !text.split('-').all(is_word) {
            return Err(NotARegion);
        }
        let mut name = [0; LONGEST];
        name[..text.len()].copy_from_slice(text.as_bytes());
        let length = text.len();
        Ok(Self { name, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_regions_are_accepted() {
        for name in ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
            assert_eq!(
                name.parse::<Region>()
                    .map(|region| region.name().to_owned())
                    .unwrap(),
                name
            );
        }
        let long = "a-".repeat(20) + "1";
        for name in [
            "",
            "useast1",
            "us-East-1",
            "us--1",
            "-",
            "us-east-1\u{1b}",
            "us-east-1:x",
            &long,
        ] {
            assert_eq!(name.parse::<Region>(), Err(NotARegion), "{name}");
        }
    }

    #[test]
    fn the_usual_region_of_a_partition_is_in_it() {
        for (partition, region) in DEFAULTS {
            assert_eq!(region.parse::<Region>().unwrap().partition(), partition);
        }
        assert_eq!(Region::usual("aws-new"), "us-east-1");
    }
}
