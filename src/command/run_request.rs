//! Runs a command that sends requests and then ends.

use crate::error::{Error, Result};

/// Runs a command in an event loop with one thread: it starts quickly, and is enough for requests.
pub(super) fn on_one_thread(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::failed(format!("cannot start the event loop: {error}")))?
        .block_on(work)
}
