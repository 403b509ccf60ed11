//! A session that is sent much looks at what its client says only when there is something: asking
//! the system's socket, through all the layers on it, costs as much as a good part of a write.

use futures_util::task::AtomicWaker;
use futures_util::{Stream, StreamExt};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Rings when a stream may have something.
pub(super) struct Bell {
    rope: Arc<Rope>,
    waker: Waker,
}

/// What is pulled from afar.
struct Rope {
    has_rung: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl Bell {
    /// One that has rung: nobody has looked yet.
    pub(super) fn new() -> Self {
        let rope = Arc::new(Rope { has_rung: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { waker: rope.clone().into(), rope }
    }

    /// The next of the stream, which is to be asked by this bell alone. May be dropped while it
    /// waits.
    pub(super) async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Option<S::Item> {
        poll_fn(|cx| {
            // First: what rings from here on wakes us.
            self.rope.task.register(cx.waker());
            if !self.rope.has_rung.swap(false, Ordering::AcqRel) {
                return Poll::Pending;
            }
            let came = stream.poll_next_unpin(&mut Context::from_waker(&self.waker));
            if came.is_ready() {
                // There may be more.
                self.rope.has_rung.store(true, Ordering::Release);
            }
            came
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
    async fn it_asks_only_when_there_may_be_something_and_misses_nothing() {
        let (send, mut receive) = unbounded_channel();
        let mut asked = 0;
        let mut stream = futures_util::stream::poll_fn(|cx| {
            asked += 1;
            receive.poll_recv(cx)
        });
        let bell = Bell::new();
        for _ in 0..3 {
            assert_eq!(bell.next(&mut stream).now_or_never(), None);
        }
        send.send(1).unwrap();
        send.send(2).unwrap();
        assert_eq!(bell.next(&mut stream).await, Some(1));
        assert_eq!(bell.next(&mut stream).await, Some(2));
        let later = async {
            tokio::task::yield_now().await;
            send.send(3).unwrap();
        };
        let (came, ()) = tokio::join!(bell.next(&mut stream), later);
        assert_eq!(came, Some(3));
        drop(stream);
        assert_eq!(asked, 5, "once in vain, then for each, and once more for the last");
    }
}
