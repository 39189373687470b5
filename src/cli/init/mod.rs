//! `credlens init`: the first settings and the first rule of a project.

mod args;

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::failure::{Exit, Failure};
use super::outputs::print;

pub(super) use args::InitArgs;

/// The files, by their path below the directory.
const FILES: [(&str, &str); 2] = [
    ("credlens.toml", include_str!("credlens.toml")),
    (
        "rules/service-user-with-password.toml",
        include_str!("service-user-with-password.toml"),
    ),
];

const NEXT: &str = "
next:
  credlens rules test rules/   runs the examples of the rule
  credlens scan report.csv     uses both files
";

pub(super) fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let directory = args.directory.as_deref().unwrap_or(Path::new(""));
    let files = FILES.map(|(path, text)| (directory.join(path), text));
    // All or none: a second run, or one beside other files, changes nothing.
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(Failure::Usage(format!(
            "{} exists; nothing was written. Move it away, or name another directory: credlens init DIR",
            path.display()
        )));
    }
    let mut lines = String::new();
    for (path, text) in files {
        create(&path, text).map_err(Failure::output(format!("cannot write {}", path.display())))?;
        lines.extend(["wrote ", &path.to_string_lossy(), "\n"]);
    }
    print("what was written", lines + NEXT)?;
    Ok(Exit::Clean)
}

/// Creates a file; one that came to be there meanwhile stays as it is.
fn create(path: &Path, text: &str) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = match std::fs::File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "it exists"));
        }
        created => created?,
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
