//! A settings file (credlens.toml): parsed once; each part is read by the code that knows its keys.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::catalogue::Catalogue;
use super::error::Error;
use super::select::Setting;
use super::suppression::Suppressions;
use super::toml_reader::{File, parse, toml_error};

/// A TOML file that holds settings, `[set]` and `[[suppress]]`.
#[derive(Debug)]
pub struct Document<'a> {
    origin: &'a str,
    text: &'a str,
    table: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses the text; `origin` is its path, for errors.
    pub fn parse(origin: &'a str, text: &'a str) -> Result<Self, Error> {
        let table = parse(origin, text)?;
        Ok(Self { origin, text, table })
    }

    /// All of it as serde reads it, or the first value that the type does not take, with its position. The type must skip
    /// `set` and `suppress` itself.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let root = Spanned::new(0..self.text.len(), self.table.clone());
        T::deserialize(Deserializer::from(root))
            .map_err(|error| Error::text(self.origin, 1, self.text, vec![toml_error(&error)]))
    }

    /// The parameters in the `[set]` table; each is a parameter of a rule of the catalogue.
    pub fn parameters(&self, catalogue: &Catalogue) -> Result<Vec<Setting>, Error> {
        File::read_table(self.origin, self.text, self.table.clone(), |mut table| {
            Setting::read(&mut table, catalogue)
        })
    }

    /// The `[[suppress]]` entries.
    pub fn suppressions(&self, catalogue: &Catalogue) -> Result<Suppressions, Error> {
        File::read_table(self.origin, self.text, self.table.clone(), |mut table| {
            Suppressions::read(&mut table, catalogue)
        })
    }
}
