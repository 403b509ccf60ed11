//! Messages of the store: made, read, searched and changed.

use super::{Local, position};
use crate::adapter::configured_facts;
use crate::client::missing::no_message;
use crate::clock::now;
use crate::error::{Error, Result};
use crate::media::content;
use crate::model::message::{Message, Status};
use crate::protocol::http::{
    MessageChange, NO_REPLY_TARGET, NewMessage, ParsedChange, other_status,
};
use crate::search::{Conditions, Index, Search, folder_beside};
use crate::store::{Answer, ByPrefix, Command, Idempotency, MessageFilter, Order, Page};
use uuid::Uuid;

impl Local {
    pub(in crate::client) async fn create(
        &self,
        message: NewMessage,
        key: Option<&str>,
    ) -> Result<Message> {
        let draft = message.into_draft().map_err(Error::failed)?;
        let idempotency = key.map(|key| Idempotency::new(key, &draft.fingerprint()));
        let kept = content::keep(&self.blobs, draft.content());
        let draft = draft.with_content(kept.map_err(|problem| Error::failed(problem.to_string()))?);
        let default_platform = self.default_platform.as_deref();
        let facts = configured_facts(default_platform, &self.adapters);
        match self.store.write(Command::Create { draft, at: now(), idempotency, facts }).await? {
            Answer::Message(message) | Answer::Repeated(message) => Ok(message),
            Answer::NoReplyTarget => Err(Error::failed(NO_REPLY_TARGET)),
            _ => Err(Error::failed(
                "this idempotency key was used with another message within the last 24 h",
            )
            .hint("use another `idempotency_key`")),
        }
    }

    pub(in crate::client) fn list(
        &self,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let before = position(&view, before)?;
        let mut messages = view.list(filter, Page { before, ..page })?;
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    /// Messages after a position, the oldest first.
    pub(in crate::client) fn list_after(
        &self,
        filter: &MessageFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let after = position(&view, Some(after))?.unwrap_or_default();
        let mut messages = view.list_after(filter, after, limit)?;
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    pub(in crate::client) fn by_prefix(
        &self,
        filter: &MessageFilter,
        wanted: ByPrefix,
    ) -> Result<Vec<Message>> {
        Ok(self.store.view()?.by_prefix(filter, wanted)?)
    }

    /// Searches with the index that a server left; messages that it does not tell of are read.
    pub(in crate::client) fn search(
        &self,
        conditions: &Conditions,
        order: Order,
        filter: &MessageFilter,
        page: Page,
        before: Option<&str>,
    ) -> Result<Vec<Message>> {
        let view = self.store.view()?;
        let search = Search::of(conditions.clone());
        if search.is_none() && order == Order::Seq {
            return self.list(filter, page, before);
        }
        let open = || Index::open(folder_beside(&self.db), &view);
        let unused = Index::new(folder_beside(&self.db));
        let index = if search.is_some() { self.index.get_or_init(open) } else { &unused };
        let mut before = position(&view, before)?;
        let mut messages = Vec::new();
        let all = page.limit.saturating_add(page.offset as usize);
        while messages.len() < all {
            let rest = Page { offset: 0, limit: all - messages.len(), before };
            let found = match (&search, order) {
                (Some(search), Order::Seq) => index.search(&self.store, filter, search, rest)?,
                (search, _) => index.by_time(&self.store, filter, search.as_ref(), rest)?,
            };
            messages.extend(found.messages);
            if found.searched_to.is_none() {
                break;
            }
            before = found.searched_to;
        }
        messages.drain(..messages.len().min(page.offset as usize));
        for message in &mut messages {
            self.set_waiting(message, &view);
        }
        Ok(messages)
    }

    pub(in crate::client) fn get(&self, id: Uuid) -> Result<Message> {
        self.find(id)?.ok_or_else(|| no_message(id))
    }

    /// A message, or `None` where it was deleted or never was.
    pub(in crate::client) fn find(&self, id: Uuid) -> Result<Option<Message>> {
        let view = self.store.view()?;
        let mut found = view.by_id(id)?;
        if let Some(message) = &mut found {
            self.set_waiting(message, &view);
        }
        Ok(found)
    }

    pub(in crate::client) async fn set_status(&self, id: Uuid, status: Status) -> Result<Message> {
        match self.store.write(Command::SetStatus { id, status, at: now() }).await? {
            Answer::Message(message) => Ok(message),
            _ => Err(no_message(id)),
        }
    }

    /// Changes the content of a message that waits; `None` where it does not wait any more.
    pub(in crate::client) async fn edit_waiting(
        &self,
        id: Uuid,
        change: &MessageChange,
    ) -> Result<Option<Message>> {
        let ParsedChange::Content(content) = change.clone().parse().map_err(Error::failed)? else {
            return Err(Error::failed("an edit needs a content"));
        };
        let kept = content::keep(&self.blobs, &content);
        let content = kept.map_err(|problem| Error::failed(problem.to_string()))?;
        match self.store.write(Command::EditWaiting { id, content, at: now() }).await? {
            Answer::Noted => self.get(id).map(Some),
            Answer::NotWaiting => Ok(None),
            _ => Err(no_message(id)),
        }
    }

    /// Sets the status of a message that is in one of these states.
    pub(in crate::client) async fn move_status(
        &self,
        id: Uuid,
        from: &[Status],
        status: Status,
    ) -> Result<Message> {
        let command = Command::SetStatusOf { id, from: from.to_vec(), status, at: now() };
        match self.store.write(command).await? {
            Answer::Message(message) => Ok(message),
            Answer::OtherStatus(message) => Err(Error::failed(other_status(&message, from))),
            _ => Err(no_message(id)),
        }
    }

    pub(in crate::client) async fn delete(&self, id: Uuid) -> Result<()> {
        match self.store.write(Command::Delete { id }).await? {
            Answer::Deleted => Ok(()),
            _ => Err(no_message(id)),
        }
    }
}
