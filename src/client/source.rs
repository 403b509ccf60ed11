//! The server or the store that a client uses, by flags, environment and configuration.

use super::address::ServerAddress;
use crate::cli::SourceArgs;
use crate::config::{self, Config, Sources};
use crate::error::Result;
use std::path::PathBuf;

/// The address and the token of a server that was named, by a flag or in the environment.
pub(super) fn server_named(source: &SourceArgs) -> Result<Option<(ServerAddress, Option<String>)>> {
    let server = source.server.clone().or_else(|| std::env::var("RECHAT_SERVER").ok());
    let Some(url) = server.filter(|_| source.db.is_none()) else { return Ok(None) };
    let ca = source.ca.clone().or_else(|| std::env::var_os("RECHAT_CA").map(PathBuf::from));
    let address = ServerAddress::parse(&url, ca.as_deref())?;
    Ok(Some((address, source.token.clone().or_else(|| std::env::var("RECHAT_TOKEN").ok()))))
}

/// The configuration of this host, which has the path of the store.
pub(super) fn config_here(source: &SourceArgs, config_file: Option<PathBuf>) -> Result<Config> {
    let mut sources = Sources::of_process(config_file)?;
    if let Some(db) = &source.db {
        sources.flags.push(("db", "--db", db.display().to_string().into()));
    }
    Ok(config::load(&sources)?.config)
}

/// The disk of this host's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreHere {
    /// The store's file.
    pub file: PathBuf,
    /// Bytes of that file.
    pub size: u64,
    /// Bytes that are free for more.
    pub free: u64,
}

/// The store that commands use, if it is on this host and exists.
///
/// # Errors
///
/// Nothing answers there: the server cannot be reached, or the store cannot be opened.
pub fn store_here(source: &SourceArgs, config_file: Option<PathBuf>) -> Result<Option<StoreHere>> {
    if server_named(source)?.is_some() {
        return Ok(None);
    }
    let file = config_here(source, config_file)?.db;
    let (Ok(metadata), Ok(disk)) = (file.metadata(), rustix::fs::statvfs(&file)) else {
        return Ok(None);
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    Ok(Some(StoreHere { file, size: metadata.len(), free }))
}

/// The path of this host's store, if commands use it and there is no file yet.
///
/// # Errors
///
/// The address of a server, or the configuration, cannot be read.
pub fn missing_store(source: &SourceArgs, config_file: Option<PathBuf>) -> Result<Option<PathBuf>> {
    if server_named(source)?.is_some() {
        return Ok(None);
    }
    Ok(Some(config_here(source, config_file)?.db).filter(|file| !file.exists()))
}
