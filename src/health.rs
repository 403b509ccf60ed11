//! Health of the running server: the parts that do not work, and the reasons.
//!
//! `GET /api/health` and `rechat doctor` show it. Background tasks run under [`supervise`].

use crate::backoff::Backoff;
use crate::metrics::METRICS;
use futures_util::FutureExt as _;
use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Health of this process.
pub static HEALTH: LazyLock<PartHealth> = LazyLock::new(PartHealth::default);

/// Pause before a task that panicked starts anew; it doubles with each panic, up to the longest one.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// The reason for each part that does not work.
type Faults = BTreeMap<Cow<'static, str>, String>;

/// Parts that do not work, each with the reason.
#[derive(Debug, Default)]
pub struct PartHealth {
    faults: Mutex<Faults>,
}

impl PartHealth {
    /// Marks a part as not working; `reason` is for people and says what to do.
    pub fn degrade(&self, part: impl Into<Cow<'static, str>>, reason: impl Into<String>) {
        self.faults().insert(part.into(), reason.into());
    }

    /// Marks a part as working again.
    pub fn recover(&self, part: &str) {
        self.faults().remove(part);
    }

    /// Forgets all faults, for a server that begins again.
    pub fn clear(&self) {
        self.faults().clear();
    }

    /// All reasons in one line; `None` if everything works.
    pub fn reason(&self) -> Option<String> {
        let faults = self.faults();
        let reasons: Vec<_> =
            faults.iter().map(|(part, reason)| format!("{part}: {reason}")).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a background task until it ends, and starts it anew after a panic.
///
/// A panic is an error in the log, a count in the metrics and a fault in [`HEALTH`], which stays
/// until the process ends, so that an operator sees it. A task that panics again and again waits longer
/// each time.
pub async fn supervise<Task>(
    name: &'static str,
    stop: CancellationToken,
    mut start: impl FnMut() -> Task,
) where
    Task: Future<Output = ()> + Send + 'static,
{
    let mut backoff = Backoff::new(RESTART_PAUSE, LONGEST_PAUSE);
    loop {
        let began = Instant::now();
        let Err(error) = tokio::spawn(start()).await else { return };
        log_panic(name, &error);
        if began.elapsed() > LONGEST_PAUSE {
            backoff = Backoff::new(RESTART_PAUSE, LONGEST_PAUSE);
        }
        if stop.run_until_cancelled(tokio::time::sleep(backoff.pause())).await.is_none() {
            return;
        }
    }
}

/// Runs one of many tasks, such as a connection or a request. `None` if it panicked, which is reported
/// like a panic of a supervised task; what it held is dropped, and the others go on.
pub fn watched<T>(
    name: &'static str,
    work: impl Future<Output = T>,
) -> impl Future<Output = Option<T>> {
    // Not `async`: such a function would have the future twice, as its argument and while it runs.
    let told = move |panic: &Box<dyn Any + Send>| log_panic(name, &reason_of(&**panic));
    AssertUnwindSafe(work).catch_unwind().map(move |done| done.inspect_err(told).ok())
}

fn reason_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason").to_owned()
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
        ended.inspect_err(|error| log_panic(name, error))
    };
    tasks.spawn(watched).await.flatten()
}

/// Begins work that blocks on a thread of its own; it goes on even if nobody waits for it. A panic is
/// reported like one of a supervised task.
pub fn blocking<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn_blocking(move || {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            log_panic(name, &reason_of(&*panic));
            resume_unwind(panic)
        })
    })
}

/// Reports a panic: in the log, in the metrics and in [`HEALTH`].
pub fn log_panic(name: &'static str, error: &dyn fmt::Display) {
    METRICS.task_panics.inc();
    tracing::error!(task = name, "a part of the server panicked: {error}");
    HEALTH.degrade(name, "it panicked and goes on; the log has the details");
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

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_again_and_again_waits_longer_each_time() {
        static STARTS: AtomicU32 = AtomicU32::new(0);
        let began = Instant::now();
        let task = || async {
            assert!(STARTS.fetch_add(1, Ordering::Relaxed) > 8, "nine starts panic");
        };
        supervise("again", CancellationToken::new(), task).await;
        let seconds = 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60;
        assert_eq!(began.elapsed().as_secs(), seconds);
        HEALTH.recover("again");
    }

    #[tokio::test]
    async fn work_that_panics_is_told_and_counted_and_gives_nothing() {
        let before = METRICS.task_panics.get();
        assert_eq!(watched("one of many", async { 5 }).await, Some(5));
        let broken =
            async { assert!(HEALTH.reason().is_none_or(|text| text.is_empty()), "it breaks") };
        HEALTH.degrade("one of many", "so that the next one breaks");
        assert_eq!(watched("one of many", broken).await, None);
        assert!(METRICS.task_panics.get() > before);
        assert!(HEALTH.reason().is_some_and(|reason| reason.contains("one of many: it panicked")));
        HEALTH.recover("one of many");
    }

    #[tokio::test]
    async fn work_on_a_thread_that_panics_is_told_though_nobody_waits_for_it() {
        assert_eq!(blocking("a thread", || 5).await.ok(), Some(5));
        HEALTH.degrade("a thread", "so that the next one breaks");
        let breaks = || assert!(HEALTH.reason().is_none(), "it breaks");
        let before = METRICS.task_panics.get();
        drop(blocking("a thread", breaks));
        let is_told = || {
            HEALTH.reason().is_some_and(|reason| reason.contains("a thread: it panicked"))
                && METRICS.task_panics.get() > before
        };
        while !is_told() {
            tokio::task::yield_now().await;
        }
        HEALTH.recover("a thread");
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
