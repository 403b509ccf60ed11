//! Health of the running server: which parts do not work as they should, and why.
//!
//! `GET /api/health` and `rechat doctor` tell it. Background tasks run under [`supervise`].

use crate::metrics::METRICS;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Health of this process.
pub static HEALTH: LazyLock<PartHealth> = LazyLock::new(PartHealth::default);

/// Pause before a task that panicked starts anew.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Parts that do not work, each with its reason.
#[derive(Debug, Default)]
pub struct PartHealth {
    faults: Mutex<BTreeMap<&'static str, String>>,
}

impl PartHealth {
    /// Marks a part as not working; `reason` is for people and says what to do.
    pub fn degrade(&self, part: &'static str, reason: impl Into<String>) {
        self.faults().insert(part, reason.into());
    }

    /// Marks a part as working again.
    pub fn recover(&self, part: &'static str) {
        self.faults().remove(part);
    }

    /// All reasons in one line; `None` while everything works.
    pub fn reason(&self) -> Option<String> {
        let faults = self.faults();
        let reasons: Vec<_> =
            faults.iter().map(|(part, reason)| format!("{part}: {reason}")).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn faults(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a background task until it ends, and starts it anew after a panic.
///
/// A panic is an error in the log, a count in the metrics and a fault in [`HEALTH`], which stays
/// until the process ends, so that an operator sees it.
pub async fn supervise<Task>(
    name: &'static str,
    stop: CancellationToken,
    mut start: impl FnMut() -> Task,
) where
    Task: Future<Output = ()> + Send + 'static,
{
    while let Err(error) = tokio::spawn(start()).await {
        METRICS.task_panics.inc();
        tracing::error!(task = name, "a background task panicked and starts anew: {error}");
        HEALTH.degrade(name, "it panicked and was started anew; the log has the details");
        if stop.run_until_cancelled(tokio::time::sleep(RESTART_PAUSE)).await.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_starts_anew() {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let task = || async {
            assert!(STARTS.fetch_add(1, Ordering::Relaxed) > 1, "the first two starts panic");
        };
        supervise("test", CancellationToken::new(), task).await;
        assert_eq!(STARTS.load(Ordering::Relaxed), 3);
        assert!(HEALTH.reason().is_some_and(|reason| reason.contains("test: it panicked")));
        HEALTH.recover("test");
        assert_eq!(HEALTH.reason(), None);
    }
}
