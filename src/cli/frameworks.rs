//! `credlens frameworks`: list and show.

use std::io::{self, Write as _};

use credlens::output::catalogue as tables;
use credlens::rule::{Catalogue, Framework, framework_page};

use super::args::{Color, Frameworks, ListFormat};
use super::{Exit, list_options, refuse};

pub(super) fn run(command: Frameworks) -> anyhow::Result<Exit> {
    let catalogue = Catalogue::builtin();
    let text = match command {
        Frameworks::List { format } => {
            let names = Catalogue::framework_names();
            let frameworks: Result<Vec<Framework>, _> = names.map(|name| catalogue.framework(name)).collect();
            let frameworks = frameworks?;
            match format {
                ListFormat::Table => tables::frameworks_table(&frameworks, list_options()),
                ListFormat::Json => tables::frameworks_json(&frameworks),
            }
        }
        Frameworks::Show { framework } => match catalogue.framework(&framework) {
            Ok(framework) => framework_page(&framework),
            Err(error) => return Ok(refuse(&[error], Color::Auto)),
        },
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}
