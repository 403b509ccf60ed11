//! `rechat man`

mod command_page;
mod config_page;
mod page;

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
use clap::CommandFactory;
use page::{CONFIG_PAGE, ManPage, VERSION};
use std::io::Write;

pub(super) fn run(man: &Man) -> Result<()> {
    let pages = pages();
    if let Some(folder) = &man.out {
        return pages.iter().try_for_each(|page| page.write_below(folder));
    }
    let wanted = match man.page.as_deref() {
        None => "rechat".to_owned(),
        Some(CONFIG_PAGE) => CONFIG_PAGE.to_owned(),
        Some(command) => format!("rechat-{command}"),
    };
    let page = pages.iter().find(|page| page.name == wanted).ok_or_else(|| {
        let asked = man.page.as_deref().unwrap_or_default();
        Error::usage(format!("there is no page `{asked}`"))
            .hint(format!("name a command, as `rechat --help` lists them, or `{CONFIG_PAGE}`"))
    })?;
    std::io::stdout().write_all(page.text.as_bytes()).map_err(|error| Error::of_output(&error))
}

/// Every page there is.
fn pages() -> Vec<ManPage> {
    // Without the commit, for the pages are kept and would change with each.
    let mut whole = Cli::command().version(VERSION).disable_help_subcommand(true);
    whole.build();
    let mut commands: Vec<_> = whole.get_subcommands().cloned().collect();
    commands.insert(0, whole);
    let mut pages: Vec<_> = commands.into_iter().map(command_page::page).collect();
    pages.push(config_page::page());
    pages
}
