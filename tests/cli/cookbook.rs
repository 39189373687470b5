//! `docs/cookbook.md` and `docs/remedy.md`: runs every command of the pages in a copy of `fixtures/cookbook`, and compares what
//! it prints and writes with the blocks that follow it. `UPDATE=1 cargo test` rewrites these blocks.
//!
//! The first word after a fence is the language. Of the words behind it, a feature (`archive`) says what a command needs, a
//! file name whose content a block shows (standard output, if there is none), and `first 9` that these are its first lines.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::{Outcome, Workspace, fixture};

/// What stands between two headings: one question, its command and the answer.
#[derive(Debug, Default)]
struct Recipe {
    title: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Prose(String),
    Block { info: String, text: String },
}

impl Recipe {
    fn blocks(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Block { info, text } => Some((info.as_str(), text.as_str())),
            Part::Prose(_) => None,
        })
    }

    /// The words behind `sh`, and the command.
    fn command(&self) -> (&str, &str) {
        let commands = self
            .blocks()
            .filter_map(|(info, text)| Some((info.strip_prefix("sh")?, text)));
        let [(features, command)] = commands.collect::<Vec<_>>()[..] else {
            panic!("{}: not one command", self.title)
        };
        (features.trim(), command)
    }

    /// The exit status that the page states: a line that begins with `Exit status 1`, else 0.
    fn status(&self) -> i32 {
        let stated = self.parts.iter().find_map(|part| match part {
            Part::Prose(line) => line.strip_prefix("Exit status "),
            Part::Block { .. } => None,
        });
        stated.map_or(0, |rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().expect("an exit status")
        })
    }
}

/// The chapter whose commands need AWS.
const NEEDS_AWS: &str = "## Applying a plan";

/// The pages whose commands are run.
const PAGES: [&str; 2] = ["docs/cookbook.md", "docs/remedy.md"];

fn path_of(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(page)
}

/// The text before the first question, the questions, and the chapter that needs AWS: `aws/moto_remedy.rs` runs that one.
fn parse(text: &str) -> (Vec<Part>, Vec<Recipe>, Vec<Part>) {
    let (mut before, mut recipes, mut after) = (Vec::new(), Vec::<Recipe>::new(), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let part = match line.strip_prefix("```") {
            Some(info) => {
                let shown: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
                Part::Block {
                    info: info.to_owned(),
                    text: shown.iter().flat_map(|line| [line, "\n"]).collect(),
                }
            }
            None => Part::Prose(line.to_owned()),
        };
        if let Some(title) = line.strip_prefix("### ").filter(|_| after.is_empty()) {
            let title = title.to_owned();
            recipes.push(Recipe {
                title,
                parts: Vec::new(),
            });
        }
        let is_chapter = line == NEEDS_AWS;
        match recipes.last_mut() {
            Some(_) if is_chapter || !after.is_empty() => after.push(part),
            Some(recipe) => recipe.parts.push(part),
            None => before.push(part),
        }
    }
    (before, recipes, after)
}

fn render<'a>(parts: impl Iterator<Item = &'a Part>) -> String {
    let shown = parts.map(|part| match part {
        Part::Prose(line) => format!("{line}\n"),
        Part::Block { info, text } => format!("```{info}\n{text}```\n"),
    });
    shown.collect()
}

/// A copy of the files that the page is about.
fn files() -> Workspace {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let place = Workspace::new();
    copy(&fixture("cookbook"), place.0.path());
    place
}

/// Runs a command in a shell, as a reader would, without any other program.
fn run(place: &Workspace, command: &str) -> Outcome {
    let program = Path::new(env!("CARGO_BIN_EXE_credlens"));
    let mut shell = assert_cmd::Command::new("/bin/sh");
    let output = shell
        .args(["-c", command])
        .current_dir(place.0.path())
        .env_clear()
        .env("PATH", program.parent().unwrap())
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    Outcome {
        status: output.status.code().expect("no signal"),
        stdout: without_hashes(&without_age(&String::from_utf8(output.stdout).unwrap())),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How long ago the as-of was depends on the day.
fn without_age(text: &str) -> String {
    let age = Regex::new(r",\s+[\d,]+\s+(second|minute|hour|day)s?\s+ago\b").unwrap();
    age.replace_all(text, "").into_owned()
}

/// The hash in the name of an archived file depends on the version of the Parquet library, the id of a plan on the time.
fn without_hashes(text: &str) -> String {
    let hash = Regex::new(r"-[0-9a-f]{32}\.parquet").unwrap();
    let plan = Regex::new(r"plan [0-9a-f]{16}").unwrap();
    let text = hash.replace_all(text, "-….parquet");
    plan.replace_all(&text, "plan …").into_owned()
}

/// The first lines of a text, if only these are wanted, and a sign that there are more.
fn excerpt(text: &str, info: &str) -> String {
    let mut words = info.split(' ').skip_while(|word| *word != "first");
    let wanted = words
        .nth(1)
        .map_or(usize::MAX, |count| count.parse().expect("a number"));
    let lines: Vec<_> = text.lines().collect();
    let shown = lines.iter().take(wanted).map(|line| format!("{line}\n"));
    let more = if lines.len() > wanted { "…\n" } else { "" };
    shown.chain([more.to_owned()]).collect()
}

/// The file whose content a block shows.
fn file_of(info: &str) -> Option<&str> {
    info.split(' ').skip(1).find(|word| word.contains('.'))
}

/// The files that a command writes, with their formats.
fn written(command: &str) -> impl Iterator<Item = (&str, &str)> {
    let words = command.split_whitespace();
    words
        .filter_map(|word| word.split_once('='))
        .filter(|(format, _)| ["csv", "json", "html", "requirements"].contains(format))
}

/// Panics unless a file is what its format says.
fn assert_is(format: &str, text: &str) {
    match format {
        "html" => assert!(text.starts_with("<!DOCTYPE html>") && text.trim_end().ends_with("</html>")),
        "json" => {
            let document: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(document["schema"].is_string());
        }
        _ => {
            // The reader refuses records that are not as wide as the header.
            let records = csv::Reader::from_reader(text.as_bytes()).into_records();
            assert!(records.map(Result::unwrap).count() > 0);
        }
    }
}

/// Runs the command of a recipe, and puts what it printed and wrote into its blocks.
fn answer(place: &Workspace, recipe: &mut Recipe) {
    let (_, command) = recipe.command();
    let outcome = run(place, command);
    let (title, status) = (&recipe.title, recipe.status());
    assert_eq!(outcome.status, status, "{title}: {outcome:#?}");
    let is_silent = !outcome.stderr.contains("error") && !outcome.stderr.contains("warning");
    assert!(is_silent, "{title}: {outcome:#?}");
    for (format, path) in written(command) {
        assert_is(format, &place.read(path));
    }
    let shows_output = recipe
        .blocks()
        .any(|(info, _)| !info.starts_with("sh") && file_of(info).is_none());
    assert_eq!(
        shows_output,
        !outcome.stdout.is_empty(),
        "{title}: what it prints is shown"
    );
    for part in &mut recipe.parts {
        if let Part::Block { info, text } = part
            && !info.starts_with("sh")
        {
            let whole = file_of(info).map_or_else(|| outcome.stdout.clone(), |file| place.read(file));
            *text = excerpt(&whole, info);
        }
    }
}

#[test]
fn every_command_prints_what_the_pages_show() {
    for page in PAGES {
        check(page);
    }
}

fn check(page: &str) {
    let committed = fs::read_to_string(path_of(page)).unwrap();
    let (before, mut recipes, after) = parse(&committed);
    let place = files();
    for recipe in &mut recipes {
        let is_possible = match recipe.command().0 {
            "" => true,
            "archive" => cfg!(feature = "archive"),
            other => panic!("no feature {other}"),
        };
        if is_possible {
            answer(&place, recipe);
        }
    }
    let parts = recipes.iter().flat_map(|recipe| &recipe.parts);
    let printed = render(before.iter().chain(parts).chain(&after));
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path_of(page), printed).unwrap();
        return;
    }
    let (committed, printed): (Vec<_>, Vec<_>) = (committed.lines().collect(), printed.lines().collect());
    let differs =
        (0..committed.len().max(printed.len())).find(|&line| committed.get(line) != printed.get(line));
    if let Some(line) = differs {
        panic!(
            "{page}, line {}: {:?}, but it is {:?}; run the tests with UPDATE=1",
            line + 1,
            committed.get(line),
            printed.get(line)
        );
    }
}

/// The text of a command outside of quotes.
fn unquoted(command: &str) -> String {
    let mut open = None;
    let mut out = String::new();
    for char in command.chars() {
        match open {
            Some(quote) if quote == char => open = None,
            Some(_) => {}
            None if matches!(char, '\'' | '"') => open = Some(char),
            None => out.push(char),
        }
    }
    out
}

#[test]
fn each_question_has_one_command_and_needs_no_other_program() {
    let questions = |page: &str| parse(&fs::read_to_string(path_of(page)).unwrap()).1;
    let counts = PAGES.map(|page| questions(page).len());
    assert!(counts[0] >= 25 && counts[1] >= 5, "{counts:?}");
    for recipe in PAGES.iter().flat_map(|page| questions(page)) {
        let (_, command) = recipe.command();
        assert!(command.starts_with("credlens "), "{command}");
        let plain = unquoted(command);
        let is_simple =
            plain.lines().count() == 1 && !plain.contains(['|', ';', '&', '>', '<', '$', '`', '#']);
        assert!(is_simple, "{command}");
        assert!(recipe.title.ends_with('?'), "{}", recipe.title);
    }
}

#[test]
fn ages_and_excerpts() {
    let header = "as of 2026-06-01 (from the file name), 1,179\ndays ago\n\nolder than 90 days ago";
    assert_eq!(
        without_age(header),
        "as of 2026-06-01 (from the file name)\n\nolder than 90 days ago"
    );
    let archived = "archive/20260601T235959Z-0d1df22bb374c30abbddcb8eb9f46071.parquet";
    assert_eq!(without_hashes(archived), "archive/20260601T235959Z-….parquet");
    assert_eq!(excerpt("a\nb\nc\n", "csv old.csv first 2"), "a\nb\n…\n");
    assert_eq!(excerpt("a\nb\n", "text first 2"), "a\nb\n");
    assert_eq!(excerpt("a\nb\n", "text"), "a\nb\n");
    assert_eq!(file_of("csv old.csv first 2"), Some("old.csv"));
    assert_eq!(file_of("text first 2"), None);
    assert_eq!(unquoted("a 'b|c' \"d;e\" f"), "a   f");
}
