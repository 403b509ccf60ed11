//! Where a command finds the messages.

use crate::cli::SourceArgs;
use crate::client::Client;
use crate::error::Result;
use crate::store::Access;
use std::path::PathBuf;

/// Opens a place for reading.
pub(super) async fn reader(source: &SourceArgs, config: Option<PathBuf>) -> Result<Client> {
    Client::open(source, config, Access::Read).await
}

/// Opens a place for reading and writing.
pub(super) async fn writer(source: &SourceArgs, config: Option<PathBuf>) -> Result<Client> {
    Client::open(source, config, Access::Write).await
}
