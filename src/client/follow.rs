//! Following new messages, across restarts of the server.

use super::event_filter::EventFilter;
use super::followed::Followed;
use super::opening::{Begin, NotOpened, StreamCursor};
use super::remote::Remote;
use crate::backoff::Backoff;
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::protocol::event::{EventKind, ResetReason, ServerEvent};
use crate::protocol::http::Conversation;
use crate::search::Conditions;
use crate::store::MessageFilter;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use uuid::Uuid;

/// The first and the longest pause before reconnecting to a server.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The longest line of the stream.
const MAX_LINE: usize = 64 << 20;

/// New messages that meet conditions, one after the other.
pub struct MessageFollower {
    /// Requests whole messages, which events do not contain.
    messages: Remote,
    stream: Incoming,
    buffer: BytesMut,
    wanted: EventFilter,
    events: &'static [EventKind],
    /// The cursor at which to continue after a broken connection.
    cursor: Option<StreamCursor>,
}

impl MessageFollower {
    pub(super) async fn begin(
        messages: Remote,
        (filter, conditions): (&MessageFilter, &Conditions),
        begin: Begin<'_>,
        events: &'static [EventKind],
    ) -> Result<Self> {
        let mut streaming = messages.reconnected().await?;
        let (stream, begins_at) = streaming.stream(filter, begin, events).await?;
        let wanted = EventFilter::new(filter, conditions);
        let cursor =
            begins_at.map_or_else(|| begin.cursor(), |cursor| Some(begin.cursor_at(cursor)));
        Ok(Self { messages, stream, buffer: BytesMut::new(), wanted, events, cursor })
    }

    /// The next message. Waits for it, and for the server if the connection is broken.
    ///
    /// # Errors
    /// Where the server refuses to go on: the token was revoked, or it is no rechat any more.
    pub async fn next(&mut self) -> Result<Followed> {
        loop {
            let event = self.next_event().await?;
            if let ServerEvent::Reset { reason: Some(ResetReason::TooOld), .. } = &event
                && let Some(newest) = self.cursor.as_ref().and_then(|cursor| cursor.newest)
            {
                self.cursor = Some(StreamCursor::after_message(&newest.to_string()));
                self.reconnect().await?;
                return Ok(Followed::EventsGone { with_messages: false });
            }
            // Before the whole message is requested: after a broken connection, the stream
            // continues after it.
            self.move_on(&event);
            let followed = match event {
                ServerEvent::NewMessage { data, .. } => {
                    self.whole(data.id).await?.map(|message| Followed::Message(Box::new(message)))
                }
                ServerEvent::MessageStatus { data, .. } => {
                    self.concerns(data.id).await?.then_some(Followed::Status(data))
                }
                ServerEvent::MessageUpdated { data, .. } => {
                    Some(Followed::Updated(Box::new(data.into_message())))
                }
                ServerEvent::MessageDeleted { data, .. } => Some(Followed::Deleted(data)),
                ServerEvent::Reset { reason: Some(ResetReason::TooOld), .. } => {
                    Some(Followed::EventsGone { with_messages: true })
                }
                ServerEvent::Reset { .. } => Some(Followed::StoreReplaced),
                _ => None,
            };
            if let Some(followed) = followed.filter(|followed| self.wanted.takes(followed)) {
                return Ok(followed);
            }
        }
    }

    /// Gives a message the present name of its conversation, if the server can be asked.
    pub async fn fill_name(&mut self, message: &mut Message) {
        let platform = message.platform_or_local();
        let known = self.messages.conversation(platform, &message.recipient).await;
        if let Ok(Some(Conversation { name: Some(name), .. })) = known {
            message.conversation_name = Some(name);
        }
    }

    /// Remembers messages that were shown before, so that their deletion is shown too.
    pub fn remember(&mut self, shown: impl IntoIterator<Item = Uuid>) {
        shown.into_iter().for_each(|id| self.wanted.remember(id));
    }

    /// The cursor after the last returned event; `None` before the first one.
    pub fn cursor(&self) -> Option<&StreamCursor> {
        self.cursor.as_ref()
    }

    /// Moves to the cursor of an event.
    fn move_on(&mut self, event: &ServerEvent<'_>) {
        let Some(cursor) = cursor_of(event) else { return };
        let known = self.cursor.take().and_then(|cursor| cursor.newest);
        let newest = match event {
            ServerEvent::NewMessage { data, .. } => known.max(Some(data.seq)),
            // The cursor belongs to another store, or is unknown.
            ServerEvent::Reset { .. } => None,
            _ => known,
        };
        self.cursor = Some(StreamCursor { after: cursor.to_owned(), newest });
    }

    /// Whether a change of this message's status passes the filter.
    async fn concerns(&mut self, id: Uuid) -> Result<bool> {
        if !self.wanted.needs_whole() {
            return Ok(true);
        }
        let message = self.whole(id).await?;
        Ok(message.is_some_and(|message| self.wanted.wants(&message)))
    }

    async fn whole(&mut self, id: Uuid) -> Result<Option<Message>> {
        loop {
            match self.messages.find(id).await {
                Ok(found) => return Ok(found),
                Err(_) => self.reconnect().await?,
            }
        }
    }

    async fn next_event(&mut self) -> Result<ServerEvent<'static>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                if line.is_empty() {
                    continue;
                }
                return serde_json::from_slice(&line).map_err(|error| {
                    Error::failed(format!("the server's stream cannot be read: {error}"))
                });
            }
            if self.buffer.len() > MAX_LINE {
                let text = "a line of the server's stream is longer than 64 MiB; is it rechat?";
                return Err(Error::failed(text));
            }
            match self.stream.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) | None => self.reconnect().await?,
            }
        }
    }

    async fn reconnect(&mut self) -> Result<()> {
        let mut backoff = Backoff::new(FIRST_PAUSE, MAX_PAUSE);
        loop {
            tokio::time::sleep(backoff.pause()).await;
            let Ok(mut remote) = self.messages.reconnected().await else { continue };
            let Ok(messages) = remote.reconnected().await else { continue };
            let begin = self.cursor.as_ref().map_or(Begin::Since(None), Begin::After);
            match remote.stream(&self.wanted.filter, begin, self.events).await {
                Ok((stream, begins_at)) => {
                    // It may have gone on after a message, which another store can have too.
                    let cursor = begins_at.map(|cursor| begin.cursor_at(cursor));
                    self.cursor = cursor.or_else(|| self.cursor.take());
                    self.messages = messages;
                    self.stream = stream;
                    self.buffer.clear();
                    return Ok(());
                }
                Err(NotOpened::Refused(error)) => return Err(error),
                Err(NotOpened::Away(_)) => {}
            }
        }
    }
}

fn cursor_of<'e>(event: &'e ServerEvent<'_>) -> Option<&'e str> {
    match event {
        ServerEvent::NewMessage { cursor, .. }
        | ServerEvent::MessageStatus { cursor, .. }
        | ServerEvent::MessageUpdated { cursor, .. }
        | ServerEvent::MessageDeleted { cursor, .. }
        | ServerEvent::Reset { cursor, .. } => cursor.as_deref(),
        _ => None,
    }
}
