//! Pauses between attempts to reach a bot framework.

use crate::backoff::Backoff;
use std::time::Duration;

/// The first pause.
const MIN_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause: a framework that has just been started should not wait long.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// The pauses from the first failed attempt on.
pub(super) fn backoff() -> Backoff {
    Backoff::with_jitter(MIN_PAUSE, MAX_PAUSE)
}
