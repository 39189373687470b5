//! How one finding is fixed: steps in words and commands, and the suppression that would accept it instead.

use serde::{Deserialize, Serialize};

use super::command::Command;

/// How one finding is fixed, filled in for its user and credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fix {
    /// The steps, in order; none if the rule has no instructions.
    pub steps: Vec<FixStep>,
    /// The `[[suppress]]` entry that would accept the finding instead, as TOML; its reason is to be written. Null if no
    /// entry can name the user.
    pub suppression: Option<String>,
}

/// A step of a fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum FixStep {
    /// In words.
    Text {
        /// A sentence or more, in which code is between backticks.
        text: String,
    },
    /// A command.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
        /// The same as a line for a shell.
        shell: String,
        /// The words in it that stand for what the report does not say, such as `KEY_ID`: replace them first.
        fill_in: Vec<String>,
    },
}

impl FixStep {
    /// A step in words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }

    /// A command, with the words in it that stand for what is not known.
    pub fn command(command: &Command, fill_in: Vec<String>) -> Self {
        Self::Command {
            argv: command.argv().to_vec(),
            shell: command.shell(),
            fill_in,
        }
    }
}
