//! Commands as typed argument vectors, and the one writer that spells them for a shell.

use std::borrow::Cow;

/// A command: a program and its arguments, each as the program gets it. Only [`Command::shell`] and [`Command::lines`]
/// spell it for a shell, so that no text is quoted twice or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    argv: Vec<String>,
}

/// The beginning of a line that continues a command.
const CONTINUED: &str = "  ";
/// The end of a line that is continued.
const CONTINUES: &str = " \\";

impl Command {
    /// The program and its arguments. Values of options are given as `--option=VALUE`, since a value may begin with `-`.
    pub fn new<W: Into<String>>(argv: impl IntoIterator<Item = W>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
        }
    }

    /// The program and its arguments.
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// One line for a POSIX shell. What PowerShell would read differently is quoted, too.
    pub fn shell(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|word| quoted(word)).collect();
        words.join(" ")
    }

    /// The same in lines of at most this many columns where its words allow it, continued before options.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for part in self.parts() {
            let is_too_long = line.len() + 1 + part.len() + CONTINUES.len() > width;
            if line.is_empty() {
                line = part;
            } else if is_too_long {
                lines.push(line + CONTINUES);
                line = format!("{CONTINUED}{part}");
            } else {
                line.push(' ');
                line.push_str(&part);
            }
        }
        lines.push(line);
        lines
    }

    /// The words, each option with the values that follow it: a line is not broken between them.
    fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = Vec::new();
        for word in &self.argv {
            let shown = quoted(word);
            match parts.last_mut() {
                Some(part) if !word.starts_with("--") => {
                    part.push(' ');
                    part.push_str(&shown);
                }
                _ => parts.push(shown.into_owned()),
            }
        }
        parts
    }
}

/// The word as a shell reads it back: as it is, or in single quotes.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_safe = |char: char| char.is_ascii_alphanumeric() || "_./:=+-".contains(char);
    // zsh replaces a word that begins with `=` by the path of a program.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(is_safe) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_a_shell_would_change_are_quoted() {
        let command = Command::new(["aws", "iam", "get-user", "--user-name=-rf"]);
        assert_eq!(command.shell(), "aws iam get-user --user-name=-rf");
        for (word, shown) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("$(id)", "'$(id)'"),
            ("it's", r"'it'\''s'"),
            ("=ls", "'=ls'"),
            ("--user-name=a,b@c.example", "'--user-name=a,b@c.example'"),
            ("~root", "'~root'"),
            ("東京", "'東京'"),
            ("a\nb", "'a\nb'"),
        ] {
            assert_eq!(Command::new([word]).shell(), shown);
        }
    }

    #[test]
    fn long_commands_are_continued_before_options() {
        let command = Command::new([
            "aws",
            "iam",
            "update-access-key",
            "--user-name=alice",
            "--access-key-id=KEY_ID",
            "--status=Inactive",
        ]);
        assert_eq!(command.lines(100), [command.shell()]);
        assert_eq!(
            command.lines(60),
            [
                r"aws iam update-access-key --user-name=alice \",
                "  --access-key-id=KEY_ID --status=Inactive"
            ]
        );
        assert_eq!(command.lines(1).len(), 4);
    }

    #[cfg(unix)]
    mod shells {
        use proptest::prelude::*;

        use super::Command;

        /// What `sh` makes of the words.
        fn read_back(script: &str) -> Vec<String> {
            let run = std::process::Command::new("sh")
                .args(["-c", script])
                .output()
                .expect("a shell");
            let text = String::from_utf8(run.stdout).expect("UTF-8");
            text.split_terminator('\0').map(str::to_owned).collect()
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(64))]
            #[test]
            fn a_shell_reads_back_every_word(
                words in prop::collection::vec("(--)?[ -~\\n\\t\u{80}-\u{2100}]{0,12}", 1..5),
                width in 1_usize..60,
            ) {
                let command = Command::new(["printf", r"%s\0", "--"].map(str::to_owned).into_iter().chain(words.clone()));
                let expected = [vec!["--".to_owned()], words].concat();
                prop_assert_eq!(read_back(&command.shell()), expected.as_slice());
                prop_assert_eq!(read_back(&command.lines(width).join("\n")), expected.as_slice());
            }
        }
    }
}
