//! What holds for every rule file, and how rules are selected, added and suppressed.

mod catalogue;
mod files;
mod select;
mod suppression;

use std::sync::LazyLock;

use super::{Catalogue, Error};

/// Read once: a copy is cheap.
fn catalogue() -> Catalogue {
    static BUILTIN: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
    BUILTIN.clone()
}

fn rendered(errors: &[Error]) -> String {
    errors.iter().map(|error| error.render(false) + "\n").collect()
}
