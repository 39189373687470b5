//! What holds for every rule file, and how rules are selected, added and suppressed.

mod catalogue;
mod files;
mod select;
mod suppression;

use super::{Catalogue, Error};

fn catalogue() -> Catalogue {
    Catalogue::builtin()
}

fn rendered(errors: &[Error]) -> String {
    errors.iter().map(|error| error.render(false) + "\n").collect()
}
