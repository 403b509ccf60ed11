//! Polls a stream only after its waker was called: a session that is sent much would otherwise ask
//! the system's socket before each write, which costs as much as a good part of the write. A
//! connection would ask at each request whether the server stops, which takes a lock that all share.

use futures_util::task::AtomicWaker;
use futures_util::{Stream, StreamExt};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Knows whether a stream may have something.
pub struct OnWake {
    signal: Arc<Signal>,
    waker: Waker,
}

/// Set by the stream's waker.
struct Signal {
    is_set: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl OnWake {
    /// For a stream that was not polled yet.
    pub fn new() -> Self {
        let signal = Arc::new(Signal { is_set: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { waker: signal.clone().into(), signal }
    }

    /// The next item of the stream, which is to be polled through this alone. May be dropped while
    /// it waits.
    pub async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Option<S::Item> {
        poll_fn(|cx| {
            // First, so that a wake-up from here on reaches this task.
            self.signal.task.register(cx.waker());
            if !self.signal.is_set.swap(false, Ordering::AcqRel) {
                return Poll::Pending;
            }
            let next = stream.poll_next_unpin(&mut Context::from_waker(&self.waker));
            if next.is_ready() {
                // There may be more.
                self.signal.is_set.store(true, Ordering::Release);
            }
            next
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test]
    async fn it_polls_only_when_there_may_be_something_and_misses_nothing() {
        let (send, mut receive) = unbounded_channel();
        let mut polls = 0;
        let mut stream = futures_util::stream::poll_fn(|cx| {
            polls += 1;
            receive.poll_recv(cx)
        });
        let on_wake = OnWake::new();
        for _ in 0..3 {
            assert_eq!(on_wake.next(&mut stream).now_or_never(), None);
        }
        send.send(1).unwrap();
        send.send(2).unwrap();
        assert_eq!(on_wake.next(&mut stream).await, Some(1));
        assert_eq!(on_wake.next(&mut stream).await, Some(2));
        let later = async {
            tokio::task::yield_now().await;
            send.send(3).unwrap();
        };
        let (next, ()) = tokio::join!(on_wake.next(&mut stream), later);
        assert_eq!(next, Some(3));
        drop(stream);
        assert_eq!(polls, 5, "once in vain, then for each, and once more for the last");
    }
}
