//! The time limit of a request's head. The runtime's timer takes a lock that all connections share, twice for each
//! request; here hyper only notes the limit, and the connection's task looks at it now and then.

use hyper::rt::{Sleep, Timer};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The time until which the head that a connection awaits has to come; none while a request runs.
#[derive(Clone, Default)]
pub struct HeadTimer {
    until: Arc<Mutex<Option<Instant>>>,
}

impl HeadTimer {
    /// Waits until a head is late. It may be noticed later, by up to `pause`.
    pub async fn late(&self, pause: Duration) {
        loop {
            let now = Instant::now();
            match self.until() {
                Some(until) if until <= now => return,
                until => sleep_until(until.unwrap_or(now + pause)).await,
            }
        }
    }

    fn until(&self) -> Option<Instant> {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        self.set(Some(deadline.into()));
        Box::pin(AwaitedHead(self.clone()))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }

    fn reset(&self, _: &mut Pin<Box<dyn Sleep>>, deadline: std::time::Instant) {
        self.set(Some(deadline.into()));
    }
}

/// A head that hyper awaits. It never ends by itself: the connection's task ends the connection.
struct AwaitedHead(HeadTimer);

impl Sleep for AwaitedHead {}

impl Future for AwaitedHead {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Drop for AwaitedHead {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_head_is_late_once_its_time_is_over_and_never_if_it_has_come() {
        let timer = HeadTimer::default();
        let late = |timer: &HeadTimer| {
            let timer = timer.clone();
            async move { tokio::time::timeout(20 * LIMIT, timer.late(LIMIT)).await.is_ok() }
        };
        assert!(!late(&timer).await, "none is awaited");
        let head = timer.sleep(Duration::ZERO);
        assert!(late(&timer).await);
        drop(head);
        assert!(!late(&timer).await, "it has come");
    }
}
