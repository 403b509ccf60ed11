//! Own words of platforms: whether they are kept for bots, and who waits for more of them.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// Own words of platforms.
#[derive(Debug, Default)]
pub struct Words {
    /// Seconds for which they are kept; 0 keeps none.
    keep_seconds: AtomicU64,
    stored: watch::Sender<()>,
}

impl Words {
    /// Keeps words for so many seconds from now on; 0 keeps none.
    pub fn keep(&self, seconds: u64) {
        self.keep_seconds.store(seconds, Ordering::Relaxed);
    }

    /// The time (Unix seconds) before which words are not needed any more; `None` where none are kept.
    pub fn needed_from(&self, now: u64) -> Option<u64> {
        let seconds = self.keep_seconds.load(Ordering::Relaxed);
        (seconds > 0).then(|| now.saturating_sub(seconds))
    }

    /// Something new is stored that bots may be told.
    pub fn stored(&self) {
        self.stored.send_replace(());
    }

    /// Changes whenever something is stored.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.stored.subscribe()
    }
}
