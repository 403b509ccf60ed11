//! Runs a command that sends requests and then ends.

use crate::error::{Error, Result};

/// Runs a command that asks and is done: one thread is enough, and quick to start.
pub(super) fn briefly(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start the event loop: {error}")))?
        .block_on(work)
}
