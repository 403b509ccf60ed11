//! Where a command finds the messages.

use crate::cli::Place;
use crate::client::Client;
use crate::error::Result;
use crate::store::Access;
use std::path::PathBuf;

/// Opens a place for reading.
pub(super) async fn reader(place: &Place, config: Option<PathBuf>) -> Result<Client> {
    Client::open(place, config, Access::Read).await
}

/// Opens a place for reading and writing.
pub(super) async fn writer(place: &Place, config: Option<PathBuf>) -> Result<Client> {
    Client::open(place, config, Access::Write).await
}
