//! `credlens frameworks`: list and show.

mod args;

use credlens::output::catalogue as tables;
use credlens::output::page::for_terminal_page;
use credlens::rule::{Catalogue, Framework, framework_page};

use super::PageFormat;
use super::failure::{Exit, Failure};
use super::outputs::print;
use super::terminal::list_options;

pub(super) use args::FrameworksArgs;
use args::FrameworksCommand;

pub(super) fn run(args: FrameworksArgs) -> Result<Exit, Failure> {
    let catalogue = Catalogue::builtin();
    match args.command {
        FrameworksCommand::List { format } => {
            let names = Catalogue::framework_names();
            let frameworks: Result<Vec<Framework>, _> = names.map(|name| catalogue.framework(name)).collect();
            let frameworks = frameworks?;
            format.print(
                "the list",
                || tables::frameworks_table(&frameworks, list_options()),
                || tables::frameworks_json(&frameworks),
            )?;
        }
        FrameworksCommand::Show { framework, format } => {
            let page = framework_page(&catalogue.framework(&framework)?);
            let page = match PageFormat::or_default(format) {
                PageFormat::Markdown => page,
                PageFormat::Text => for_terminal_page(&page, list_options()),
            };
            print("the page", page)?;
        }
    }
    Ok(Exit::Clean)
}
