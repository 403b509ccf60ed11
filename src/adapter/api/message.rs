//! A message on its way to a platform, and how an attempt to send it ended.

use crate::model::content::Content;
use crate::model::inbound::Inbound;
use crate::model::message::ReplyTo;
use uuid::Uuid;

/// A message on its way to a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Its ID in rechat.
    pub id: Uuid,
    /// The conversation it goes to, as the adapter addresses it.
    pub conversation: String,
    /// The content, from which the adapter makes its own form.
    pub content: Content,
    /// The message it answers.
    pub reply_to: Option<Box<ReplyTo>>,
    /// The platform's own IDs of its parts that this account has sent in earlier attempts, where it goes
    /// out as several; an empty one where the platform told none.
    pub parts: Vec<String>,
    /// The platform's own ID with which it was sent before, where somebody sends it again; an empty one
    /// where the platform told none.
    pub sent_as: Option<String>,
    /// Unix seconds from which on an attempt may have sent it; a search in a history begins there.
    pub may_be_sent_since: u64,
    /// Unix seconds of its last change. Every attempt that is in doubt had ended by then.
    pub changed_at: u64,
    /// The message as a bot wrote it, in the form of the account's protocol, as JSON; `None` if a bot did not
    /// write it in that form.
    pub original: Option<String>,
}

impl Outbound {
    /// A message that was never tried, in the form for the adapter.
    pub fn new(id: Uuid, conversation: &str, content: Content) -> Self {
        Self {
            id,
            conversation: conversation.to_owned(),
            content,
            reply_to: None,
            parts: Vec::new(),
            sent_as: None,
            may_be_sent_since: 0,
            changed_at: 0,
            original: None,
        }
    }
}

/// How an attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The platform confirmed it.
    Sent {
        /// The platform's own ID of the message, where it told one.
        external_id: Option<String>,
        /// The platform took it without a proof that it arrived.
        is_unconfirmed: bool,
    },
    /// It was not taken, and may be later: the account's [`Window`](super::Window) says when.
    Closed,
    /// The platform refused it.
    Refused {
        /// The platform's words.
        reason: String,
        /// Whether another attempt can help.
        retryable: bool,
    },
    /// The outcome is unknown: no answer came in time, or the connection was lost.
    Unknown {
        /// The reason.
        reason: String,
    },
}

/// History of a platform, asked about an attempt whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The platform has a history.
    History {
        /// Messages of the account since the first attempt that say the same, the oldest first; the core knows
        /// which of them are other messages.
        candidates: Vec<Inbound>,
        /// The account's other messages that may be the one all the same: those since the first attempt, because the
        /// form in which a platform tells a message is not always known, and earlier ones that say the same,
        /// because the clock may have been set. Unless the core knows all as other messages, nothing is proved.
        others: Vec<Inbound>,
        /// The history reaches back to before the first attempt.
        is_complete: bool,
    },
    /// It goes out in parts. The part in doubt was sent, as the adapter has reported, and those after it were
    /// not.
    RestUnsent,
    /// The platform has no history to ask, or it proves nothing.
    CannotTell,
}
