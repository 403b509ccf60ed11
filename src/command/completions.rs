//! `rechat completions`

use crate::cli::{Cli, Completions};
use crate::error::{Error, Result};
use clap::CommandFactory;
use std::io::Write;

pub(super) fn run(completions: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Cli::command(), "rechat", &mut script);
    std::io::stdout().write_all(&script).map_err(|error| Error::of_output(&error))
}
