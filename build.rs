//! Embeds `rules/*.toml` and `frameworks/*.toml`: adding a file adds the rule or the framework.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo passes parameters to build scripts in the environment"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut code = String::new();
    for (name, folder) in [("RULES", "rules"), ("FRAMEWORKS", "frameworks")] {
        code += &embed(name, &root.join(folder))?;
        println!("cargo::rerun-if-changed={folder}");
    }
    fs::write(out.join("catalogue.rs"), code)
}

/// The code of a constant with (file stem, text) pairs, sorted by file name.
fn embed(name: &str, folder: &Path) -> io::Result<String> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut code = format!("const {name}: &[(&str, &str)] = &[\n");
    for path in files {
        println!("cargo::rerun-if-changed={}", path.display());
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(
            code,
            "    ({stem:?}, include_str!({:?})),",
            path.display().to_string()
        );
    }
    Ok(code + "];\n")
}
