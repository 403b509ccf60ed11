//! Stopping: the first signal lets every part end its work, the second ends the process at once.

use crate::error::{Error, Result};
use std::io::{self, IsTerminal};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A meaning of SIGHUP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// Read the configuration again.
    Reload,
    /// The terminal of the process was closed.
    TerminalClosed,
}

/// The SIGHUPs that the process gets.
#[derive(Debug)]
pub struct Hangups {
    signal: Signal,
    /// Standard input was a terminal.
    had_terminal: bool,
}

impl Hangups {
    /// Waits for the next one; `None` if there are no more.
    pub async fn next(&mut self) -> Option<Hangup> {
        self.signal.recv().await?;
        // The system takes the terminal away before it sends the signal.
        let is_closed = self.had_terminal && !io::stdin().is_terminal();
        Some(if is_closed { Hangup::TerminalClosed } else { Hangup::Reload })
    }
}

/// The SIGHUPs from now on.
///
/// # Errors
///
/// The system gives no signals.
pub fn hangups() -> Result<Hangups> {
    let signal = signal(SignalKind::hangup())
        .map_err(|error| Error::failed(format!("signals cannot be received: {error}")))?;
    Ok(Hangups { signal, had_terminal: io::stdin().is_terminal() })
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
