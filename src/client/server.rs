//! A server by its address, even if it does not answer now: for clients that run for long.

use super::address::ServerAddress;
use super::ascending;
use super::body::FileBody;
use super::connection::MAX_ANSWER_BYTES;
use super::history::{HistoryPage, HistoryQuery};
use super::remote::Remote;
use super::source::{config_here, server_named};
use crate::cli::SourceArgs;
use crate::config;
use crate::error::Result;
use crate::media::Hash;
use crate::model::message::{Message, Status};
use crate::protocol::http::{
    AdapterStatus, Conversation, GroupMembers, MessageChange, NewMessage, Request, RequestAnswer,
    SetConversation, Stats, Uploaded,
};
use crate::store::{ConversationQuery, MessageFilter};
use bytes::Bytes;
use std::path::PathBuf;
use uuid::Uuid;

/// A server, over a connection that is opened again when it is broken.
pub struct Server {
    pub(super) address: ServerAddress,
    pub(super) token: Option<String>,
    remote: Option<Remote>,
}

impl Clone for Server {
    /// The same server, over another connection.
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), token: self.token.clone(), remote: None }
    }
}

impl Server {
    /// The server that the user named, else the one of this host's store.
    ///
    /// # Errors
    ///
    /// Nothing answers there: the server cannot be reached, or the store cannot be opened.
    pub fn find(source: &SourceArgs, config_file: Option<PathBuf>) -> Result<Self> {
        if let Some((address, token)) = server_named(source)? {
            return Ok(Self { address, token, remote: None });
        }
        let socket = config::socket_beside(&config_here(source, config_file)?.db);
        Ok(Self { address: ServerAddress::Unix(socket), token: None, remote: None })
    }

    /// Its name for people.
    pub fn name(&self) -> String {
        self.address.name()
    }

    /// The name of another host; `None` for this one.
    pub fn remote_name(&self) -> Option<&str> {
        self.address.remote_name()
    }

    async fn remote(&mut self) -> Result<&mut Remote> {
        if let Some(standing) = self.remote.take().filter(Remote::is_open) {
            return Ok(self.remote.insert(standing));
        }
        let opened = Remote::at(self.address.clone(), self.token.clone()).await;
        let remote = opened.map_err(|error| self.address.away(&error))?;
        Ok(self.remote.insert(remote))
    }

    /// One page of the history, the newest first.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage> {
        let remote = self.remote().await?;
        match &query.from {
            Some((start, newest)) => ascending::page(remote, query, start, *newest).await,
            None => remote.page(query).await,
        }
    }

    /// One message; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn message(&mut self, id: Uuid) -> Result<Option<Message>> {
        self.remote().await?.find(id).await
    }

    /// Changes the content of a message.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or it or the platform refuses.
    pub async fn edit(&mut self, id: Uuid, change: &MessageChange) -> Result<Message> {
        self.remote().await?.change(id, change).await
    }

    /// Recalls a sent message on its platform.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or it or the platform refuses.
    pub async fn recall(&mut self, id: Uuid) -> Result<Message> {
        self.remote().await?.recall(id).await
    }

    /// Adds an own reaction, or removes it.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or it or the platform refuses.
    pub async fn react(&mut self, id: Uuid, emoji: &str, on: bool) -> Result<Message> {
        self.remote().await?.react(id, emoji, on).await
    }

    /// Stores a file, so that segments can name it.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn upload(&mut self, name: &str, file: FileBody) -> Result<Uploaded> {
        self.remote().await?.upload(Some(name), file).await
    }

    /// The bytes of a file; `None` if it is not stored.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn media_bytes(&mut self, media: Hash) -> Result<Option<Bytes>> {
        self.remote().await?.media_bytes(media, MAX_ANSWER_BYTES).await
    }

    /// Makes the server fetch the missing files of a message.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn fetch_media(&mut self, id: Uuid) -> Result<Message> {
        self.remote().await?.fetch_media(id).await
    }

    /// Requests of people, the newest first.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn requests(&mut self) -> Result<Vec<Request>> {
        self.remote().await?.requests().await
    }

    /// Answers a request; returns its new state.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn answer_request(&mut self, id: u64, answer: &RequestAnswer) -> Result<Request> {
        self.remote().await?.answer_request(id, answer).await
    }

    /// Conversations that have messages, the latest first, in pages up to the query's limit.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn conversations(&mut self, query: &ConversationQuery) -> Result<Vec<Conversation>> {
        self.remote().await?.conversations(query).await
    }

    /// A conversation; `None` if it has no messages.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn conversation(
        &mut self,
        platform: &str,
        conversation: &str,
    ) -> Result<Option<Conversation>> {
        self.remote().await?.conversation(platform, conversation).await
    }

    /// The members of a group.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or the platform lists no members.
    pub async fn members(&mut self, platform: &str, conversation: &str) -> Result<GroupMembers> {
        self.remote().await?.members(platform, conversation).await
    }

    /// Marks a conversation as read, mutes it or pins it, and returns its new state; `None` if it
    /// has no messages.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn set_conversation(
        &mut self,
        platform: &str,
        conversation: &str,
        set: &SetConversation,
    ) -> Result<Option<Conversation>> {
        self.remote().await?.set_conversation(platform, conversation, set).await
    }

    /// Every adapter, and its state.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn platforms(&mut self) -> Result<Vec<AdapterStatus>> {
        self.remote().await?.platforms().await
    }

    /// Counts the messages in each state.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn stats(&mut self) -> Result<Stats> {
        self.remote().await?.stats(&MessageFilter::default(), None).await
    }

    /// Makes a message. With the same `key` it is made only once, even if the request is repeated.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn create(&mut self, message: &NewMessage, key: Uuid) -> Result<Message> {
        let key = key.to_string();
        self.remote().await?.create(message, Some(&key)).await
    }

    /// Sets the status of a message that is in one of these states, and returns its new state.
    ///
    /// # Errors
    ///
    /// It is in another state; the server cannot be reached, or refuses.
    pub async fn move_status(
        &mut self,
        id: Uuid,
        from: &[Status],
        status: Status,
    ) -> Result<Message> {
        self.remote().await?.move_status(id, from, status).await
    }

    /// Deletes a message.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn delete(&mut self, id: Uuid) -> Result<()> {
        self.remote().await?.delete(id).await
    }
}
