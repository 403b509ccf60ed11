//! Threads that give way to all others, for work that nobody waits for.

use std::io;
use std::thread::{Builder, JoinHandle};

/// The `nice` value (0 to 19) of such a thread, beyond that of the process.
const NICENESS: i32 = 10;

/// Starts a thread with this name.
///
/// # Errors
///
/// The system gives no thread.
pub fn spawn(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.into()).spawn(move || {
        give_way(name);
        work();
    })
}

/// Lowers the priority of the thread. Only Linux has priorities of threads.
fn give_way(name: &str) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(thread = name, "it does not give way: {error}");
    }
}
