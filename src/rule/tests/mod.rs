//! Tests of the built-in rule files, and of reading, selecting, adding and suppressing rules.

mod catalogue;
mod files;
mod fixes;
mod frameworks;
mod select;
mod suppression;

use std::sync::LazyLock;

use super::{Catalogue, Error};

/// Shared, so that each rule is parsed once.
fn catalogue() -> Catalogue {
    static BUILTIN: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
    BUILTIN.clone()
}

fn rendered(errors: &[Error]) -> String {
    errors.iter().map(|error| error.render(false) + "\n").collect()
}
