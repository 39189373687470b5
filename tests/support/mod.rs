//! Helpers that several tests share.

pub(crate) mod hostile;
pub(crate) mod naive;
pub(crate) mod pipeline;
pub(crate) mod schemas;
pub(crate) mod typed;

use assert_cmd::Command;

/// Runs a command: its exit status, standard output and standard error.
pub(crate) fn ended(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}
