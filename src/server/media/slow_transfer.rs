//! The lowest speed of an incoming file.

use crate::server::context::ServerContext;
use crate::server::error::{ErrorResponse, Result};
use hyper::StatusCode;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// The lowest average in bytes a second, so that slow clients cannot block uploads.
const MIN_RATE: u64 = 1 << 10;

/// How long a file may take as a whole.
const MAX_TRANSFER_TIME: Duration = Duration::from_hours(1);

/// Speed of an incoming file.
#[derive(Debug)]
pub struct SlowTransferLimit {
    /// Total time spent waiting for its bytes; the time of our own disk does not count.
    waited: Duration,
    /// The longest time without any bytes.
    patience: Duration,
    /// Bytes so far.
    received: u64,
}

impl SlowTransferLimit {
    /// The limit for a file that begins now.
    pub fn new(context: &ServerContext) -> Self {
        Self::with_patience(Duration::from_secs(context.config.limits.body_seconds))
    }

    fn with_patience(patience: Duration) -> Self {
        Self { waited: Duration::ZERO, patience, received: 0 }
    }

    /// Waits for the next bytes as long as the limit allows; 408 after that.
    pub async fn wait<T>(&mut self, next: impl Future<Output = T>) -> Result<T> {
        let began = Instant::now();
        let came = timeout(self.left(), next).await;
        self.waited += began.elapsed();
        came.map_err(|_| self.too_slow())
    }

    /// Counts received bytes.
    pub fn count(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
    }

    fn left(&self) -> Duration {
        let on_the_whole = self.patience + Duration::from_secs(self.received / MIN_RATE);
        self.patience.min(on_the_whole.min(MAX_TRANSFER_TIME).saturating_sub(self.waited))
    }

    fn too_slow(&self) -> ErrorResponse {
        let text = format!(
            "the file comes too slowly: it needs {MIN_RATE} bytes a second, no pause of {} s, and an \
             end within an hour",
            self.patience.as_secs()
        );
        ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    /// The seconds after which a file that sends bytes at this rate is ended, with tokio's paused
    /// clock.
    async fn lasts(bytes: usize, every: Duration) -> u64 {
        let mut pace = SlowTransferLimit::with_patience(Duration::from_secs(30));
        let began = Instant::now();
        while pace.wait(sleep(every)).await.is_ok() {
            pace.count(bytes);
        }
        began.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_drips_ends_and_one_that_flows_has_an_hour() {
        assert_eq!(lasts(1, Duration::from_secs(29)).await, 30);
        assert_eq!(lasts(1 << 20, Duration::from_secs(31)).await, 30);
        assert_eq!(lasts(1 << 20, Duration::from_secs(29)).await, 60 * 60);
        let slow = lasts(MIN_RATE as usize / 2, Duration::from_secs(1)).await;
        assert!((55..65).contains(&slow), "{slow}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_disk_is_not_the_fault_of_the_client() {
        let mut pace = SlowTransferLimit::with_patience(Duration::from_secs(30));
        for _ in 0..100 {
            pace.wait(sleep(Duration::from_millis(1))).await.unwrap();
            pace.count(1);
            sleep(Duration::from_secs(1)).await;
        }
    }
}
