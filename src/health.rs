//! Health of the running server: the parts that do not work, and the reasons.
//!
//! `GET /api/health` and `rechat doctor` show it. Background tasks run under [`supervise`].

use crate::metrics::METRICS;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Health of this process.
pub static HEALTH: LazyLock<PartHealth> = LazyLock::new(PartHealth::default);

/// Pause before a task that panicked starts anew.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Parts that do not work, each with the reason.
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

    /// All reasons in one line; `None` if everything works.
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
        tell_panic(name, &error);
        if stop.run_until_cancelled(tokio::time::sleep(RESTART_PAUSE)).await.is_none() {
            return;
        }
    }
}

/// Runs a task to its end, even if the caller stops waiting for it.
///
/// # Errors
///
/// It panicked, which is logged and counted as by [`supervise`]; how far it came is unknown.
pub async fn run_to_end<T: Send + 'static>(
    name: &'static str,
    tasks: &TaskTracker,
    task: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    let watched = async move {
        let ended = tokio::spawn(task).await;
        ended.inspect_err(|error| tell_panic(name, error))
    };
    tasks.spawn(watched).await.flatten()
}

fn tell_panic(name: &'static str, error: &JoinError) {
    METRICS.task_panics.inc();
    tracing::error!(task = name, "a background task panicked: {error}");
    HEALTH.degrade(name, "it panicked and was restarted; the log has the details");
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
        assert!(!HEALTH.reason().is_some_and(|reason| reason.contains("test:")));
    }

    #[tokio::test]
    async fn a_task_that_runs_once_ends_without_its_caller_and_its_panic_is_told() {
        let tasks = TaskTracker::new();
        assert_eq!(run_to_end("once", &tasks, async { 5 }).await.ok(), Some(5));
        let (done, waits) = tokio::sync::oneshot::channel();
        let abandoned = run_to_end("once", &tasks, async { done.send(()) });
        // The task is polled once, and then its caller drops the future.
        drop(tokio::time::timeout(std::time::Duration::ZERO, abandoned).await);
        assert_eq!(waits.await, Ok(()));
        let closed = tasks.clone();
        let panics = async move { assert!(closed.is_closed(), "it panics") };
        assert!(run_to_end("once", &tasks, panics).await.is_err());
        assert!(HEALTH.reason().is_some_and(|reason| reason.contains("once: it panicked")));
        HEALTH.recover("once");
    }
}
