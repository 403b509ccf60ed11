//! Reports of adapters to the core.

use crate::model::change::Inbound;
use crate::model::content::Content;
use crate::model::event::AdapterState;
use crate::model::message::Sender;
use crate::model::notice::Notice;
use crate::model::reaction::ReactionChange;
use tokio::sync::oneshot;
use uuid::Uuid;

/// A message as a platform names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct MessageOf {
    pub platform: String,
    pub conversation: String,
    /// The platform's own ID of it.
    pub external_id: String,
}

/// A report of an adapter to the core.
#[derive(Debug)]
pub enum Event {
    /// A message came in.
    Message(Box<Inbound>),
    /// Messages, and what the adapter is to remember with them: all in one commit, or nothing.
    Batch {
        /// The oldest first.
        messages: Vec<Inbound>,
        #[allow(missing_docs)]
        state: Vec<AdapterState>,
        /// Told once it is on disk.
        stored: oneshot::Sender<()>,
    },
    /// A question: what does this adapter remember? Dropped unanswered while the store is away.
    Remembered {
        /// The adapter's kind.
        adapter: &'static str,
        /// Values by the adapter's names.
        answer: oneshot::Sender<Vec<(String, Vec<u8>)>>,
    },
    /// A platform confirmed a message after the time limit of the attempt.
    ConfirmedLate {
        #[allow(missing_docs)]
        message: Uuid,
        /// The account it left by.
        account: Option<String>,
        /// The platform's own ID of the message.
        external_id: Option<String>,
    },
    /// A message was taken back.
    Recalled {
        #[allow(missing_docs)]
        message: MessageOf,
        /// The person who took it back, where the platform tells.
        by: Option<Sender>,
    },
    /// A message has other content now.
    #[allow(missing_docs)]
    Edited { message: MessageOf, content: Content },
    /// Somebody reacted to a message, or took a reaction back.
    #[allow(missing_docs)]
    Reacted { message: MessageOf, change: ReactionChange },
    /// Something else happened on the platform.
    Noticed {
        #[allow(missing_docs)]
        notice: Box<Notice>,
        /// For a request that can be answered: what the adapter needs for it, in words of its own.
        request: Option<String>,
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
