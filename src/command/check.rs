//! `rechat check`

use super::output::Output;
use crate::cli::Check;
use crate::config::{self, Sources};
use crate::error::{Error, Result};
use crate::store::{Access, check};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

pub(super) fn run(command: Check, config: Option<PathBuf>) -> Result<()> {
    let mut sources = Sources::of_process(config)?;
    if let Some(db) = command.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    let config = config::load(&sources)?.config;
    if UnixStream::connect(config::socket_beside(&config.db)).is_ok() {
        return Err(Error::failed(format!("a server has {} open", config.db.display()))
            .hint("stop it first, or make a copy with `rechat backup FILE` and check that"));
    }
    let report = check::check_file(&config.store_options(Access::Read))?;
    let mut out = Output::new();
    for finding in &report.findings {
        out.line(finding)?;
    }
    out.line(format_args!(
        "{}: {} messages and {} index rows read, {} findings",
        config.db.display(),
        report.messages,
        report.rows,
        report.findings.len()
    ))?;
    out.finish()?;
    if report.findings.is_empty() {
        return Ok(());
    }
    Err(Error::failed("the store is damaged")
        .hint("restore a backup, and please report what was found"))
}
