//! Reports of adapters to the core.

use crate::model::change::Inbound;
use tokio::sync::{mpsc, oneshot};

/// A report of an adapter to the core.
#[derive(Debug)]
pub enum Event {
    /// A message came in.
    Message(Box<Inbound>),
    /// A conversation's name became known.
    Named {
        #[allow(missing_docs)]
        platform: String,
        #[allow(missing_docs)]
        conversation: String,
        #[allow(missing_docs)]
        name: String,
    },
    /// A question: which conversations does this account have? Asked after a reconnect, to fetch
    /// what was missed.
    Conversations {
        #[allow(missing_docs)]
        platform: String,
        #[allow(missing_docs)]
        account: String,
        /// At most so many, the newest first.
        limit: usize,
        #[allow(missing_docs)]
        answer: oneshot::Sender<Vec<String>>,
    },
}

/// The core as adapters see it: a bounded queue, so that a flood waits at its socket.
#[derive(Clone, Debug)]
pub struct EventSink {
    /// Where events go.
    pub events: mpsc::Sender<Event>,
}

impl EventSink {
    /// Reports an event and waits while the queue is full; false once the core has stopped.
    pub async fn report(&self, event: Event) -> bool {
        self.events.send(event).await.is_ok()
    }
}
