//! The source of the messages that agents ask for.

use crate::error::Result;
use crate::media::Hash;
use crate::model::message::Message;
use crate::protocol::http::{AdapterStatus, Conversation, NewMessage};
use crate::search::Conditions;
use crate::store::{Access, ConversationQuery, MessageFilter};
use bytes::Bytes;
use uuid::Uuid;

/// Access to the messages, opened anew for each call.
pub trait Source: Send + Sync + 'static {
    /// The messages, as a call reads them.
    type Chats: Chats;
    /// A watch for new messages.
    type Watch: Watch;

    /// Opens the messages for one call.
    fn open(&self, access: Access) -> impl Future<Output = Result<Self::Chats>> + Send;

    /// Begins to watch for messages of a platform or conversation.
    fn watch(&self, filter: &MessageFilter) -> impl Future<Output = Result<Self::Watch>> + Send;
}

/// The messages, for one call. Positions in the history are IDs of messages, or a `seq`.
pub trait Chats: Send {
    /// Whether a server runs.
    fn is_served(&self) -> bool;

    /// Conversations that have messages, the latest first.
    fn conversations(
        &mut self,
        query: &ConversationQuery,
    ) -> impl Future<Output = Result<Vec<Conversation>>> + Send;

    /// A conversation; `None` if it has no messages.
    fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> impl Future<Output = Result<Option<Conversation>>> + Send;

    /// Messages before a position that match, the newest first.
    fn list(
        &mut self,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> impl Future<Output = Result<Vec<Message>>> + Send;

    /// Messages after a position that match, the oldest first.
    fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Message>>> + Send;

    /// Messages before a position that match and meet conditions, the newest first.
    fn search(
        &mut self,
        conditions: &Conditions,
        filter: &MessageFilter,
        limit: usize,
        before: Option<&str>,
    ) -> impl Future<Output = Result<Vec<Message>>> + Send;

    /// A message; `None` if there is none with this ID.
    fn find(&mut self, id: Uuid) -> impl Future<Output = Result<Option<Message>>> + Send;

    /// The bytes of a file; `None` if it is not stored.
    ///
    /// # Errors
    /// It has more than `most` bytes, or cannot be read.
    fn media(
        &mut self,
        media: Hash,
        most: u64,
    ) -> impl Future<Output = Result<Option<Bytes>>> + Send;

    /// Every adapter, and its state; none without a server.
    fn platforms(&mut self) -> impl Future<Output = Result<Vec<AdapterStatus>>> + Send;

    /// Makes a message, once for each key.
    fn create(
        &mut self,
        message: NewMessage,
        key: &str,
    ) -> impl Future<Output = Result<Message>> + Send;
}

/// Signals of new messages.
pub trait Watch: Send {
    /// Waits until a message may have come since the last call, or since the watch began.
    fn changed(&mut self) -> impl Future<Output = Result<()>> + Send;
}
