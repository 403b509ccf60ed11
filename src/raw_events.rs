//! Raw events: what platforms sent, byte for byte. They are kept for bots.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// How long raw events are kept, and a signal for each commit that may hold new ones.
#[derive(Debug, Default)]
pub struct RawEventRetention {
    /// Seconds for which raw events are kept; 0 keeps none.
    keep_seconds: AtomicU64,
    stored: watch::Sender<()>,
}

impl RawEventRetention {
    /// Keeps raw events for so many seconds from now on; 0 keeps none.
    pub fn keep(&self, seconds: u64) {
        self.keep_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Unix time in seconds before which raw events are not needed; `None` where none are kept.
    pub fn needed_from(&self, now: u64) -> Option<u64> {
        let seconds = self.keep_seconds.load(Ordering::Relaxed);
        (seconds > 0).then(|| now.saturating_sub(seconds))
    }

    /// Signals that something new is stored that bots may be told.
    pub fn stored(&self) {
        self.stored.send_replace(());
    }

    /// Changes whenever something is stored.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.stored.subscribe()
    }
}
