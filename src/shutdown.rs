//! Stopping: the first signal lets every part end its work, the second ends the process at once.

use crate::error::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// SIGHUP: read the configuration again.
///
/// # Errors
///
/// The system gives no signals.
pub fn hangups() -> Result<Signal> {
    signal(SignalKind::hangup())
        .map_err(|error| Error::failed(format!("signals cannot be received: {error}")))
}

/// A token that SIGTERM or SIGINT cancels. A second signal ends the process at once.
///
/// # Errors
///
/// The system gives no signals.
pub fn on_signal() -> Result<CancellationToken> {
    let cannot = |error| Error::failed(format!("signals cannot be received: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        for times in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if times > 0 {
                tracing::warn!(
                    "a second signal: ending at once; acknowledged messages are on disk"
                );
                std::process::exit(1);
            }
            tracing::info!("stopping");
            asked.cancel();
        }
    });
    Ok(stop)
}
