//! jemalloc, the allocator of the program on x86-64 Linux with glibc; elsewhere it is the system's.

use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long after the start jemalloc's threads begin. They return memory some seconds late, and those of the start, such
/// as the tables with which the page is compressed, are returned earlier without them.
const AFTER_START: Duration = Duration::from_secs(15);

/// Has free memory returned to the system also while the server does nothing. Without threads of its own jemalloc
/// returns it only while memory is allocated.
pub async fn return_memory_when_idle(stop: CancellationToken) {
    if stop.run_until_cancelled(sleep(AFTER_START)).await.is_some() {
        start_threads();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn start_threads() {
    if let Err(error) = tikv_jemalloc_ctl::background_thread::write(true) {
        tracing::warn!("free memory is returned late, because jemalloc has no threads: {error}");
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
fn start_threads() {}
