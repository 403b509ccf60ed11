//! Messages of a server.

use super::query::{escaped, query, query_of};
use super::{Remote, repeats};
use crate::client::history::{HistoryPage, HistoryQuery};
use crate::client::missing::no_message;
use crate::error::{Error, Result};
use crate::model::message::{Message, Status};
use crate::protocol::http::{Deleted, Listing, MAX_LIMIT, MessageChange, NewMessage};
use crate::search::Conditions;
use crate::store::{ByPrefix, MessageFilter, Order, Page};
use hyper::Method;
use uuid::Uuid;

impl Remote {
    pub(in crate::client) async fn create(
        &mut self,
        message: &NewMessage,
        key: Option<&str>,
    ) -> Result<Message> {
        let mut request = self.0.request(Method::POST, "/api/messages", Some(message))?;
        if let Some(key) = key {
            let value =
                key.parse().map_err(|_| Error::usage("an idempotency key must be plain ASCII"))?;
            request.headers_mut().insert("idempotency-key", value);
        }
        self.0.need(request).await
    }

    /// Asks for page after page, because a server gives at most [`MAX_LIMIT`] at once.
    pub(in crate::client) async fn list(
        &mut self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let mut offset = page.offset;
        loop {
            let limit = (page.limit - messages.len()).min(MAX_LIMIT);
            let path = format!("/api/messages?{}", query(filter, offset, limit, before.as_deref()));
            let listing: Listing = self.0.get(&path).await?;
            let is_last = listing.messages.len() < limit;
            messages.extend(listing.messages);
            if is_last || messages.len() >= page.limit {
                return Ok(messages);
            }
            // From here on by the last message seen, which costs the same however deep it lies.
            let next = messages.last().map(|message| message.id.to_string());
            if next == before {
                return Err(repeats("/api/messages"));
            }
            before = next;
            offset = 0;
        }
    }

    /// Messages after a position, the oldest first, at most [`MAX_LIMIT`].
    pub(in crate::client) async fn list_after(
        &mut self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let after: String = form_urlencoded::byte_serialize(after.as_bytes()).collect();
        let query = query(filter, 0, limit, None);
        let listing: Listing = self.0.get(&format!("/api/messages?{query}&after={after}")).await?;
        Ok(listing.messages)
    }

    /// Messages that meet conditions. A server that had to read many says how far it looked.
    pub(in crate::client) async fn search(
        &mut self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let conditions = query_of(conditions, order);
        let mut messages = Vec::new();
        let mut before = before.map(str::to_owned);
        let all = page.limit.saturating_add(page.offset as usize);
        while messages.len() < all {
            let limit = (all - messages.len()).min(MAX_LIMIT);
            let query = query(filter, 0, limit, before.as_deref());
            let listing: Listing =
                self.0.get(&format!("/api/messages?{query}&{conditions}")).await?;
            let is_full = listing.messages.len() >= limit;
            messages.extend(listing.messages);
            let next = match listing.searched_to {
                Some(seq) => Some(seq.to_string()),
                None if is_full => messages.last().map(|message| message.id.to_string()),
                None => break,
            };
            if next == before {
                return Err(repeats("/api/messages"));
            }
            before = next;
        }
        messages.drain(..messages.len().min(page.offset as usize));
        Ok(messages)
    }

    /// Messages whose ID begins so, the newest first.
    pub(in crate::client) async fn by_prefix(
        &mut self,
        filter: &MessageFilter,
        wanted: ByPrefix,
    ) -> Result<Vec<Message>> {
        let ByPrefix { prefix, before, newest, limit } = wanted;
        let before = before.map(|seq| seq.to_string());
        let query = query(filter, 0, limit, before.as_deref());
        let newest = newest.map(|newest| format!("&newest={newest}")).unwrap_or_default();
        let path = format!("/api/messages?{query}&id_prefix={prefix}{newest}");
        let listing: Listing = self.0.get(&path).await?;
        // A server of before this parameter passes it over.
        let is_one = |message: &Message| prefix.matches(message.id);
        Ok(listing.messages.into_iter().filter(is_one).collect())
    }

    /// One page of the history that goes backwards, the newest first.
    pub(in crate::client) async fn page(&mut self, query: &HistoryQuery) -> Result<HistoryPage> {
        self.0.get(&format!("/api/messages?{}", query.query())).await
    }

    /// The inbound message after which `offset` others came.
    pub(in crate::client) async fn inbound_at(
        &mut self,
        query: &HistoryQuery,
        offset: u64,
    ) -> Result<Option<Message>> {
        let one = HistoryQuery { limit: 1, ..query.clone() }.query();
        let path = format!("/api/messages?{one}&direction=Inbound&offset={offset}");
        let found: HistoryPage = self.0.get(&path).await?;
        Ok(found.messages.into_iter().next())
    }

    pub(in crate::client) async fn get(&mut self, id: Uuid) -> Result<Message> {
        self.find(id).await?.ok_or_else(|| no_message(id))
    }

    /// A message, or `None` where it was deleted or never was.
    pub(in crate::client) async fn find(&mut self, id: Uuid) -> Result<Option<Message>> {
        let request = self.0.request(Method::GET, &format!("/api/messages/{id}"), None::<&()>)?;
        self.0.ask(request).await
    }

    pub(in crate::client) async fn set_status(
        &mut self,
        id: Uuid,
        status: Status,
    ) -> Result<Message> {
        let status = Some(status.to_string());
        self.change(id, &MessageChange { status, ..MessageChange::default() }).await
    }

    /// Sets the status of a message that is in one of these states.
    pub(in crate::client) async fn move_status(
        &mut self,
        id: Uuid,
        from: &[Status],
        status: Status,
    ) -> Result<Message> {
        let if_status = Some(from.iter().map(Status::to_string).collect());
        let status = Some(status.to_string());
        self.change(id, &MessageChange { status, if_status, ..MessageChange::default() }).await
    }

    pub(in crate::client) async fn change(
        &mut self,
        id: Uuid,
        change: &MessageChange,
    ) -> Result<Message> {
        let path = format!("/api/messages/{id}");
        let request = self.0.request(Method::PATCH, &path, Some(change))?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(in crate::client) async fn recall(&mut self, id: Uuid) -> Result<Message> {
        let path = format!("/api/messages/{id}/recall");
        let request = self.0.request(Method::POST, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(in crate::client) async fn react(
        &mut self,
        id: Uuid,
        emoji: &str,
        on: bool,
    ) -> Result<Message> {
        let method = if on { Method::PUT } else { Method::DELETE };
        let path = format!("/api/messages/{id}/reactions/{}", escaped(emoji));
        let request = self.0.request(method, &path, None::<&()>)?;
        self.0.ask(request).await?.ok_or_else(|| no_message(id))
    }

    pub(in crate::client) async fn delete(&mut self, id: Uuid) -> Result<()> {
        let request =
            self.0.request(Method::DELETE, &format!("/api/messages/{id}"), None::<&()>)?;
        self.0.ask::<Deleted>(request).await?.map(drop).ok_or_else(|| no_message(id))
    }
}
