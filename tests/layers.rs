//! Checks the layers of ARCHITECTURE.md: what each part of `src/` may name. Test code may name anything.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use credlens::report::schema::Column;

/// From the layer that names no other to the one that may name all. Some may not exist yet.
const LAYERS: [&str; 13] = [
    "report", "gsl", "finding", "rule", "engine", "history", "remedy", "output", "io", "aws", "archive",
    "api", "cli",
];

/// The layers that may use files, the environment and the clock.
const OUTER: [&str; 4] = ["io", "aws", "archive", "cli"];

/// The modules of `report` that `gsl` may name: the rule language never sees a table.
const REPORT_FOR_GSL: [&str; 4] = ["escape", "schema", "time", "word"];

/// The text before the name of a test module.
const TESTS: &str = "#[cfg(test)]\nmod ";

/// A file of `src/` without its comments and its tests.
struct Source {
    /// Its path below `src/`, without the extension and without `mod`.
    module: Vec<String>,
    path: PathBuf,
    code: String,
}

impl Source {
    fn layer(&self) -> &str {
        &self.module[0]
    }

    /// The path after each mention of `prefix::`, as head and tail: `report::time` gives `report` and `time`.
    fn names_after(&self, prefix: &str) -> Vec<(&str, &str)> {
        let prefix = format!("{prefix}::");
        let mentions = self.code.match_indices(&prefix).filter(|(at, _)| {
            let before = self.code[..*at].chars().next_back();
            before.is_none_or(|char| !is_of_word(char) && char != ':')
        });
        mentions
            .flat_map(|(at, _)| heads(&self.code[at + prefix.len()..]))
            .collect()
    }

    /// The first name of every path from the root of the library, and the rest of the path.
    fn names_of_crate(&self) -> Vec<(&str, &str)> {
        let root = if self.layer() == "cli" {
            "credlens"
        } else {
            "crate"
        };
        let to_root = vec!["super"; self.module.len()].join("::");
        let mut names = self.names_after(root);
        names.extend(self.names_after(&to_root));
        names
    }

    fn names_std(&self, module: &str) -> bool {
        let names = self.names_after("std").into_iter();
        names.map(|(name, _)| name).any(|name| name == module)
    }

    fn has_word(&self, word: &str) -> bool {
        self.code
            .split(|char| !is_of_word(char))
            .any(|found| found == word)
    }
}

fn is_of_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

/// The first name of each path in a path or a group of paths (`{a::b, c}`), and the rest of the path.
fn heads(path: &str) -> Vec<(&str, &str)> {
    if let Some(group) = path.strip_prefix('{') {
        return elements(group).into_iter().flat_map(heads).collect();
    }
    let end = path.find(|char| !is_of_word(char));
    let (head, tail) = path.split_at(end.unwrap_or(path.len()));
    vec![(head, tail.strip_prefix("::").unwrap_or_default())]
}

/// The elements of a group of paths; `group` begins after its opening brace.
fn elements(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut elements) = (0, 0, Vec::new());
    for (at, char) in group.char_indices() {
        let ends = depth == 0 && matches!(char, ',' | '}');
        if ends {
            elements.push(group[start..at].trim());
            start = at + 1;
        }
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    elements
}

/// Every file of `src/` except those with tests only.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    let of_tests: BTreeSet<PathBuf> = paths.iter().flat_map(|path| test_modules(path)).collect();
    let is_test = |path: &Path| {
        path.ancestors()
            .any(|above| of_tests.contains(&above.with_extension("")))
    };
    let sources = paths.into_iter().filter(|path| !is_test(path)).map(|path| {
        let below = path.strip_prefix(&root).unwrap().with_extension("");
        let parts = below.iter().map(|part| part.to_str().unwrap().to_owned());
        let module = parts.filter(|part| part != "mod").collect();
        let code = code(&fs::read_to_string(&path).unwrap());
        Source { module, path, code }
    });
    let sources: Vec<Source> = sources.collect();
    assert!(sources.len() > 50, "src/ was not found");
    sources
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a `mod.rs` declares for tests only, as paths without extension.
fn test_modules(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let folder = path.parent().unwrap();
    let declared = text.split(TESTS).skip(1).filter_map(|rest| rest.split_once(';'));
    let declared = declared.filter(|(name, _)| name.chars().all(is_of_word));
    declared.map(|(name, _)| folder.join(name)).collect()
}

/// The text without its comments and without the module of tests at its end.
fn code(text: &str) -> String {
    let end = text.match_indices(TESTS).map(|(at, _)| at).find(|at| {
        let declaration = text[at + TESTS.len()..].lines().next();
        declaration.is_some_and(|line| line.ends_with('{'))
    });
    let lines = text[..end.unwrap_or(text.len())].lines();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    lines.filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Panics with one line for each file that breaks a rule.
fn assert_none(rule: &str, broken: impl Iterator<Item = (PathBuf, String)>) {
    let broken: BTreeSet<String> = broken
        .map(|(path, what)| format!("{}: {what}", path.display()))
        .collect();
    assert!(broken.is_empty(), "{rule}\n{}", Vec::from_iter(broken).join("\n"));
}

/// The layers, without `main.rs` and `lib.rs`.
fn layered() -> impl Iterator<Item = Source> {
    sources()
        .into_iter()
        .filter(|source| !matches!(source.layer(), "main" | "lib"))
}

fn rank(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

#[test]
fn all_of_src_is_a_layer() {
    let strays = layered().filter(|source| rank(source.layer()).is_none());
    assert_none(
        "a folder or file of src/ is not a layer of ARCHITECTURE.md:",
        strays.map(|source| (source.path.clone(), source.layer().to_owned())),
    );
}

#[test]
fn a_layer_names_only_layers_above_it() {
    let wrong = layered().flat_map(|source| {
        let own = rank(source.layer());
        let names = source.names_of_crate().into_iter();
        let below = names.filter(|(name, _)| rank(name).is_some_and(|named| Some(named) > own));
        let lines =
            below.map(|(name, _)| format!("{} must not name {name}, which is below it", source.layer()));
        lines.map(|what| (source.path.clone(), what)).collect::<Vec<_>>()
    });
    assert_none("a layer names only layers above it:", wrong);
}

#[test]
fn the_rule_language_never_sees_a_table() {
    let wrong = layered()
        .filter(|source| source.layer() == "gsl")
        .flat_map(|source| {
            let of_report = source
                .names_of_crate()
                .into_iter()
                .filter(|(name, _)| *name == "report");
            let parts = of_report.flat_map(|(_, tail)| heads(tail));
            let wrong = parts.filter(|(part, _)| !REPORT_FOR_GSL.contains(part));
            let lines = wrong.map(|(part, _)| (source.path.clone(), format!("names report::{part}")));
            lines.collect::<Vec<_>>()
        });
    assert_none("gsl names only schema, time and word of report:", wrong);
}

#[test]
fn only_the_engine_has_threads() {
    // One thread of the program waits for signals.
    let outside =
        layered().filter(|source| source.layer() != "engine" && !source.path.ends_with("cli/signals.rs"));
    // Sleeping does not start a thread, nor does asking for one's name.
    let names_threads = |source: &Source| {
        let mut names = source.names_after("std").into_iter();
        names.any(|(name, what)| {
            name == "thread" && !what.starts_with("sleep;") && !what.starts_with("current;")
        })
    };
    let wrong = outside.filter(|source| source.has_word("rayon") || names_threads(source));
    assert_none(
        "only src/engine has worker threads:",
        wrong.map(|source| (source.path, "rayon or std::thread".to_owned())),
    );
}

#[test]
fn the_core_touches_no_file_no_environment_and_no_clock() {
    let core = layered().filter(|source| !OUTER.contains(&source.layer()));
    let wrong = core.flat_map(|source| {
        let modules = ["fs", "env", "net", "process"].into_iter();
        let modules = modules.filter(|name| source.names_std(name));
        let clocks = ["SystemTime", "Instant", "Local"].into_iter();
        let clocks = clocks.filter(|name| source.has_word(name));
        let now = source.code.contains("Utc::now").then_some("Utc::now");
        let names = modules.chain(clocks).chain(now);
        names
            .map(|name| (source.path.clone(), name.to_owned()))
            .collect::<Vec<_>>()
    });
    assert_none("only the outer layers use files, environment and clock:", wrong);
}

#[test]
fn only_the_schema_spells_column_names() {
    // `user` and `arn` are words of the output, too.
    let names = Column::ALL
        .map(Column::name)
        .into_iter()
        .filter(|name| name.contains('_'));
    let literals: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    let outside = layered().filter(|source| source.module != ["report", "schema"]);
    let wrong = outside.flat_map(|source| {
        let spelled = literals.iter().filter(|literal| source.code.contains(*literal));
        let lines = spelled.map(|literal| (source.path.clone(), literal.clone()));
        lines.collect::<Vec<_>>()
    });
    assert_none("only src/report/schema.rs spells column names:", wrong);
}

#[test]
fn no_to_do_is_left() {
    let left = ["TODO", "FIXME", "dbg!"];
    let wrong = sources().into_iter().flat_map(|source| {
        let text = fs::read_to_string(&source.path).unwrap();
        let found = left.iter().filter(|word| text.contains(*word));
        found
            .map(|word| (source.path.clone(), (*word).to_owned()))
            .collect::<Vec<_>>()
    });
    assert_none("write an issue instead:", wrong);
}
