//! A region of AWS, for formats that name one.

use std::str::FromStr;

use crate::report::partition::{Partition, is_region_name};

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

impl Region {
    /// Its name.
    pub fn name(&self) -> &str {
        str::from_utf8(&self.name[..self.length]).expect("invariant: a region is ASCII")
    }

    /// The partition that it is in.
    pub fn partition(&self) -> &'static str {
        Partition::of_region(self.name()).name
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        if text.len() > LONGEST || !text.contains('-') || !is_region_name(text) {
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
}
