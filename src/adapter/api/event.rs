//! Reports of adapters to the core.

use crate::model::change::Inbound;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A report of an adapter to the core.
#[derive(Debug)]
pub enum Event {
    /// A message came in.
    Message(Box<Inbound>),
    /// A platform confirmed a message after the time limit of the attempt.
    ConfirmedLate {
        #[allow(missing_docs)]
        message: Uuid,
        /// The account it left by.
        account: Option<String>,
        /// The platform's own ID of the message.
        external_id: Option<String>,
    },
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
