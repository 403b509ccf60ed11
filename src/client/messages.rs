//! Messages, from a server or from the store.

use super::Client;
use crate::error::Result;
use crate::model::message::{Message, Status};
use crate::protocol::http::{MessageChange, NewMessage};
use crate::search::Conditions;
use crate::store::{ByPrefix, MessageFilter, Order, Page};
use uuid::Uuid;

impl Client {
    /// Changes the content of a message: one that waits also without a server.
    ///
    /// # Errors
    ///
    /// The message was sent and no server runs, it cannot be reached, or it or the platform refuses.
    pub async fn edit(&mut self, id: Uuid, change: MessageChange) -> Result<Message> {
        if let Self::Local(local) = self
            && let Some(edited) = local.edit_waiting(id, &change).await?
        {
            return Ok(edited);
        }
        self.server("edit what was sent")?.change(id, &change).await
    }

    /// Takes a sent message back on its platform.
    ///
    /// # Errors
    ///
    /// No server runs, it cannot be reached, or it or the platform refuses.
    pub async fn recall(&mut self, id: Uuid) -> Result<Message> {
        self.server("recall")?.recall(id).await
    }

    /// Adds an own reaction, or removes it.
    ///
    /// # Errors
    ///
    /// No server runs, it cannot be reached, or it or the platform refuses.
    pub async fn react(&mut self, id: Uuid, emoji: &str, on: bool) -> Result<Message> {
        self.server("react")?.react(id, emoji, on).await
    }

    /// Makes a message.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn create(&mut self, message: NewMessage, key: Option<&str>) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.create(&message, key).await,
            Self::Local(local) => local.create(message, key).await,
        }
    }

    /// Messages that match, newest first; `before` is an ID or a `seq`.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn list(
        &mut self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.list(filter, page, before).await,
            Self::Local(local) => local.list(filter, page, before),
        }
    }

    /// Messages that match and meet conditions, newest first, from the whole history.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn search(
        &mut self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.search(conditions, order, filter, page, before).await,
            Self::Local(local) => local.search(conditions, order, filter, page, before),
        }
    }

    /// Messages after a position (an ID or a `seq`) that match, the oldest first; a server gives at most
    /// [`MAX_LIMIT`](crate::protocol::http::MAX_LIMIT).
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.list_after(filter, after, limit).await,
            Self::Local(local) => local.list_after(filter, after, limit),
        }
    }

    /// A message, or `None` where it was deleted or never was.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        match self {
            Self::Remote(remote) => remote.find(id).await,
            Self::Local(local) => local.find(id),
        }
    }

    /// One message.
    ///
    /// # Errors
    ///
    /// There is no such message, or neither server nor store can tell.
    pub async fn get(&mut self, id: Uuid) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.get(id).await,
            Self::Local(local) => local.get(id),
        }
    }

    /// Sets a status, and gives the message as it then is.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn set_status(&mut self, id: Uuid, status: Status) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.set_status(id, status).await,
            Self::Local(local) => local.set_status(id, status).await,
        }
    }

    /// Sets the status of a message that is in one of these states, and gives it as it then is.
    ///
    /// # Errors
    ///
    /// It is in another state, which the error names; the server refuses or cannot be reached; without
    /// one, the store refuses or cannot be written.
    pub async fn move_status(
        &mut self,
        id: Uuid,
        from: &[Status],
        status: Status,
    ) -> Result<Message> {
        match self {
            Self::Remote(remote) => remote.move_status(id, from, status).await,
            Self::Local(local) => local.move_status(id, from, status).await,
        }
    }

    /// Deletes a message.
    ///
    /// # Errors
    ///
    /// The server refuses or cannot be reached; without one, the store refuses or cannot be
    /// written.
    pub async fn delete(&mut self, id: Uuid) -> Result<()> {
        match self {
            Self::Remote(remote) => remote.delete(id).await,
            Self::Local(local) => local.delete(id).await,
        }
    }

    /// Messages whose ID begins so, the newest first.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or refuses; without one, the store cannot be read.
    pub async fn by_prefix(
        &mut self,
        filter: &MessageFilter,
        wanted: ByPrefix,
    ) -> Result<Vec<Message>> {
        match self {
            Self::Remote(remote) => remote.by_prefix(filter, wanted).await,
            Self::Local(local) => local.by_prefix(filter, wanted),
        }
    }
}
