//! The partitions of AWS, and the form of the names of their regions.

/// A partition: regions that share accounts and ARNs.
#[derive(Debug)]
pub struct Partition {
    /// As ARNs name it, such as `aws-cn`.
    pub name: &'static str,
    /// How the names of its regions begin, before a place and a number, as in the SDK's partitions.json. New regions of
    /// a known kind are known.
    pub prefixes: &'static [&'static str],
    /// The region to name where a service wants one and the user names none.
    pub usual_region: &'static str,
}

const AWS: Partition = Partition {
    name: "aws",
    prefixes: &["us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-"],
    usual_region: "us-east-1",
};

/// The known partitions. `us-gov-` also begins with `us-`, so `aws` is the last.
pub const PARTITIONS: [Partition; 8] = [
    partition("aws-cn", &["cn-"], "cn-north-1"),
    partition("aws-us-gov", &["us-gov-"], "us-gov-west-1"),
    partition("aws-iso", &["us-iso-"], "us-iso-east-1"),
    partition("aws-iso-b", &["us-isob-"], "us-isob-east-1"),
    partition("aws-iso-e", &["eu-isoe-"], "eu-isoe-west-1"),
    partition("aws-iso-f", &["us-isof-"], "us-isof-south-1"),
    partition("aws-eusc", &["eusc-"], "eusc-de-east-1"),
    AWS,
];

const fn partition(
    name: &'static str,
    prefixes: &'static [&'static str],
    usual_region: &'static str,
) -> Partition {
    Partition {
        name,
        prefixes,
        usual_region,
    }
}

impl Partition {
    /// The partition with this name, if it is known.
    pub fn named(name: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.name == name)
    }

    /// The partition of a region, by how its name begins; `aws` for all others.
    pub fn of_region(region: &str) -> &'static Self {
        let is_in = |partition: &&Self| partition.prefixes.iter().any(|prefix| region.starts_with(prefix));
        PARTITIONS.iter().find(is_in).unwrap_or(&AWS)
    }

    /// Whether a region's whole name is as this partition names its regions.
    pub fn has(&self, region: &str) -> bool {
        let is_global = region.strip_suffix("-global") == Some(self.name);
        // A region of eusc- also has a country.
        let words = if self.name == "aws-eusc" { 2 } else { 1 };
        let mut rests = self
            .prefixes
            .iter()
            .filter_map(|prefix| region.strip_prefix(prefix));
        is_global || rests.any(|rest| is_place(rest, words))
    }
}

/// Whether it is this many words and a number, such as `east-1`.
fn is_place(text: &str, words: usize) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &&str| part.starts_with(|char: char| char.is_ascii_lowercase());
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == words + 1 && parts[..words].iter().all(is_word) && parts.last().is_some_and(is_number)
}

/// Whether it is words of lower-case letters and digits with hyphens between them, as in all names of regions.
pub fn is_region_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(is_allowed);
    text.split('-').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_of_the_partition_that_their_names_begin_with() {
        for (region, name) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("eusc-de-east-1", "aws-eusc"),
            ("mars-east-1", "aws"),
        ] {
            assert_eq!(Partition::of_region(region).name, name);
        }
    }

    #[test]
    fn the_usual_region_of_a_partition_is_in_it() {
        for partition in &PARTITIONS {
            let region = partition.usual_region;
            assert!(partition.has(region) && is_region_name(region), "{region}");
            assert_eq!(Partition::of_region(region).name, partition.name);
            let named = Partition::named(partition.name).unwrap();
            assert_eq!(named.usual_region, region);
        }
        assert!(Partition::named("aws-new").is_none());
    }
}
