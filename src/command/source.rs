//! Where a command finds the messages.

use super::progress::of_migration;
use crate::cli::{GlobalOptions, SourceArgs};
use crate::client::Client;
use crate::error::Result;
use crate::store::Access;

/// Opens a place for reading.
pub(super) async fn reader(source: &SourceArgs, globals: &GlobalOptions) -> Result<Client> {
    Client::open(source, globals.config.clone(), Access::Read, Some(of_migration())).await
}

/// Opens a place for reading and writing.
pub(super) async fn writer(source: &SourceArgs, globals: &GlobalOptions) -> Result<Client> {
    Client::open(source, globals.config.clone(), Access::Write, Some(of_migration())).await
}
