//! The requests of platforms, the state of adapters, and the messages that an account sent last.

use super::View;
use crate::model::message::{Direction, Message, Status};
use crate::model::notice::ContactRequest;
use crate::store::damage::{guarded, pass_over};
use crate::store::error::{Result, StoreError};
use crate::store::query::{MessageFilter, Page, is_claimed_by};
use crate::store::tables::{ADAPTER_STATE, REQUESTS, unpack, unpack_request};
use redb::ReadableTable;

/// Messages that an account sent last, at most.
const SENT_LAST: usize = 20;

/// Own messages of a conversation that entries of its history are compared with, at most: the newest. They are more
/// than the entries.
const OWN_LAST: usize = 512;

/// Messages of a conversation that are read of those that wait, and of the others, to find which may have been
/// sent. Those that wait are sent in their order.
const MAX_DOUBTFUL: usize = 64;

impl View {
    /// The platform's IDs of the messages that an account sent last in a conversation, and when they were
    /// sent, in Unix seconds. Messages that its owner wrote elsewhere are left out.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn sent_last(
        &self,
        platform: &str,
        account: &str,
        conversation: &str,
    ) -> Result<Vec<(String, u64)>> {
        let filter = MessageFilter {
            statuses: vec![Status::Sent],
            platform: Some(platform.to_owned()),
            conversation: Some(conversation.to_owned()),
            direction: Some(Direction::Outbound),
        };
        let sent = self.list(&filter, Page { offset: 0, limit: SENT_LAST, before: None })?;
        // If a message changed since it was sent, the time of sending is unknown.
        let is_its = |message: &Message| {
            message.sender.is_none()
                && message.account.as_deref() == Some(account)
                && message.edited_at.is_none()
                && message.recall.is_none()
                && message.reactions.is_empty()
        };
        let its = sent.into_iter().filter(is_its);
        Ok(its.filter_map(|sent| Some((sent.external_id?, sent.updated_at))).collect())
    }

    /// The newest own messages of an account in a conversation.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn own_messages(
        &self,
        platform: &str,
        account: &str,
        conversation: &str,
    ) -> Result<Vec<Message>> {
        let filter = MessageFilter {
            statuses: Vec::new(),
            platform: Some(platform.to_owned()),
            conversation: Some(conversation.to_owned()),
            direction: Some(Direction::Outbound),
        };
        let mut own = self.list(&filter, Page { offset: 0, limit: OWN_LAST, before: None })?;
        own.retain(|message| message.account.as_deref() == Some(account));
        Ok(own)
    }

    /// Messages that an account may have sent to a conversation by an attempt that has ended: the oldest of those
    /// that wait, and the newest of the others. The claims of `interrupted` count as ended attempts.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn doubtful(
        &self,
        platform: &str,
        account: &str,
        conversation: &str,
        interrupted: Option<&str>,
    ) -> Result<Vec<Message>> {
        let was_killed =
            |message: &Message| interrupted.is_some_and(|owner| is_claimed_by(message, owner));
        let mut found = self.pending(Some(platform), conversation, MAX_DOUBTFUL)?;
        let filter = MessageFilter {
            statuses: vec![Status::Sending, Status::Failed, Status::Canceled],
            platform: Some(platform.to_owned()),
            conversation: Some(conversation.to_owned()),
            direction: Some(Direction::Outbound),
        };
        found.extend(self.list(&filter, Page { offset: 0, limit: MAX_DOUBTFUL, before: None })?);
        found.retain(|message| {
            (message.is_uncertain || was_killed(message)) && !message.is_of_other(account)
        });
        Ok(found)
    }

    /// Requests of platforms, the newest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn requests(&self, limit: usize) -> Result<Vec<ContactRequest>> {
        let requests = self.txn.open_table(REQUESTS)?;
        let mut found = Vec::new();
        for row in requests.iter()?.rev().take(limit) {
            let (id, bytes) = row?;
            let request = unpack_request(id.value(), bytes.value()).map_err(StoreError::from);
            found.extend(pass_over(request.map(Some))?);
        }
        Ok(found)
    }

    /// The request with this ID.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn request(&self, id: u64) -> Result<Option<ContactRequest>> {
        let requests = self.txn.open_table(REQUESTS)?;
        let row = requests.get(id)?;
        row.map(|row| Ok(unpack_request(id, row.value())?)).transpose()
    }

    /// All state that an adapter keeps, by the adapter's names for it.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or what is asked for is damaged; `StoreError` says which.
    pub fn adapter_state(&self, adapter: &str) -> Result<Vec<(String, Vec<u8>)>> {
        guarded(|| {
            let table = match self.txn.open_table(ADAPTER_STATE) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
                table => table?,
            };
            let mut kept = Vec::new();
            for row in table.range((adapter, "")..)? {
                let (key, bytes) = row?;
                let (owner, name) = key.value();
                if owner != adapter {
                    break;
                }
                let value = unpack("what is kept for", &[owner, name], bytes.value());
                let value = pass_over(value.map(Some).map_err(StoreError::from))?;
                kept.extend(value.map(|value| (name.to_owned(), value)));
            }
            Ok(kept)
        })
    }
}
