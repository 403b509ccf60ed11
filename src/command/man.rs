//! `rechat man`

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
use clap::CommandFactory;
use clap_mangen::Man as Page;
use std::io::Write;

pub(super) fn run(man: &Man) -> Result<()> {
    // Without the commit, for the pages are kept and would change with each.
    let version = env!("CARGO_PKG_VERSION");
    let mut command = Cli::command().version(version).disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &man.out {
        let cannot =
            |error| Error::failed(format!("cannot write to {}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(cannot)?;
        return clap_mangen::generate_to(command, folder).map_err(cannot);
    }
    let chosen = match &man.page {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
            Error::usage(format!("there is no command `{name}`")).hint("`rechat --help` lists them")
        })?,
    };
    let mut text = Vec::new();
    Page::new(chosen).render(&mut text).map_err(|error| Error::failed(error.to_string()))?;
    std::io::stdout().write_all(&text).map_err(|error| Error::of_output(&error))
}
