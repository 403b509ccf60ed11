//! Work that waits for the disk or takes long, on threads that serve no requests.

use super::error::{ErrorResponse, Result};
use crate::health;
use hyper::StatusCode;

/// Runs the work on a thread of its own.
///
/// # Errors
///
/// The work panicked.
pub async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    on_thread_with((), work).await
}

/// Like [`on_thread`], with a permit that is returned when the work ends. The work may end after
/// its request, when the client disconnects.
///
/// # Errors
///
/// The work panicked.
pub async fn on_thread_with<T: Send + 'static>(
    permit: impl Send + 'static,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let done = health::blocking("blocking request", move || {
        let done = work();
        drop(permit);
        done
    });
    done.await
        .map_err(|error| ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};
    use tokio::sync::{Semaphore, oneshot};

    #[tokio::test]
    async fn work_whose_request_has_ended_still_has_its_permit() {
        let limit = Arc::new(Semaphore::new(1));
        let permit = limit.clone().acquire_owned().await.unwrap();
        let ((tell, has_begun), (end, wait)) = (oneshot::channel(), mpsc::channel::<()>());
        let request = tokio::spawn(on_thread_with(permit, move || {
            tell.send(()).unwrap();
            let _ = wait.recv();
        }));
        has_begun.await.unwrap();
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
        assert_eq!(limit.available_permits(), 0);
        drop(end);
        // Waits until the work has returned the permit.
        drop(limit.acquire().await.unwrap());
    }
}
