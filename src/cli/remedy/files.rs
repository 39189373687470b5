//! Plans and journals as files.

use std::io::{self, Read as _};
use std::path::Path;

use credlens::finding::digest::sha256;
use credlens::remedy::Plan;

use crate::cli::failure::{Attempt as _, Failure};

/// The most bytes of a plan or journal.
const MOST: u64 = 512 << 20;

/// The bytes of a file, which is `what`; a plan may come from standard input: `-`.
pub(super) fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if what == "plan" && path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        io::stdin().take(MOST).read_to_end(&mut bytes).map(|_| bytes)
    } else {
        of_file(path)
    };
    bytes.attempt(|| format!("cannot read the {what} {}", path.display()))
}

/// The bytes of a regular file: a pipe might never end.
fn of_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.len() > MOST {
        return Err(io::Error::other("it is larger than 512 MiB"));
    }
    std::fs::read(path)
}

/// A plan, and the SHA-256 of its file.
pub(super) fn read_plan(path: &Path) -> Result<(Plan, String), Failure> {
    let bytes = read(path, "plan")?;
    let not_a_plan = |error: serde_json::Error| {
        Failure::Usage(format!(
            "{} is not a plan in JSON ({error}); write one with `credlens remedy plan --format json=PLAN`",
            path.display()
        ))
    };
    let schema = serde_json::from_slice::<WithSchema>(&bytes)
        .map_err(not_a_plan)?
        .schema;
    if schema != Plan::SCHEMA {
        return Err(Failure::Usage(format!(
            "{}: its schema is '{schema}', and this version reads {}",
            path.display(),
            Plan::SCHEMA
        )));
    }
    let plan = serde_json::from_slice(&bytes).map_err(not_a_plan)?;
    Ok((plan, sha256(&bytes)))
}

#[derive(serde::Deserialize)]
struct WithSchema {
    schema: String,
}
