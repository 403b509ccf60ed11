//! Following new messages, across restarts of the server.

use super::remote::Remote;
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::protocol::event::{Event, NewMessage};
use crate::store::Filter;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use uuid::Uuid;

/// How long to wait before asking again for a server that has gone, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The longest line of the stream.
const MAX_LINE: usize = 64 << 20;

/// New messages that match a filter, one after the other.
pub struct Following {
    /// Asks for the whole message, which an event does not carry.
    messages: Remote,
    stream: Incoming,
    buffer: BytesMut,
    filter: Filter,
    /// Where to go on after a break: the message that was given at the beginning (an ID or a `seq`),
    /// then the cursor of the last event.
    place: Option<String>,
}

/// Where a stream begins.
#[derive(Clone, Copy)]
pub(super) enum Begin<'a> {
    /// After this message, given by its ID or `seq`; with what comes from now on without one.
    Since(Option<&'a str>),
    /// Where another stream broke off; a store that does not know the place begins with `reset`.
    After(&'a str),
}

/// Why a stream was not opened.
pub(super) enum NotOpened {
    /// The server does not give it, now and later.
    Refused(Error),
    /// It may be there again soon.
    Away(Error),
}

impl From<NotOpened> for Error {
    fn from(why: NotOpened) -> Self {
        match why {
            NotOpened::Refused(error) | NotOpened::Away(error) => error,
        }
    }
}

/// The next thing that happened.
pub enum Followed {
    /// A message was made.
    Message(Box<Message>),
    /// The store is another one, or an older copy; from here on its new messages come.
    StoreReplaced,
}

impl Following {
    pub(super) async fn begin(
        messages: Remote,
        filter: &Filter,
        since: Option<&str>,
    ) -> Result<Self> {
        let mut streaming = messages.again().await?;
        let stream = streaming.stream(filter, Begin::Since(since)).await?;
        let (filter, place) = (filter.clone(), since.map(str::to_owned));
        Ok(Self { messages, stream, buffer: BytesMut::new(), filter, place })
    }

    /// The next message; waits for it, and for the server where that has gone.
    ///
    /// # Errors
    /// Where the server refuses to go on: the token was revoked, or it is no rechat any more.
    pub async fn next(&mut self) -> Result<Followed> {
        loop {
            let (cursor, data) = match self.next_event().await? {
                Event::NewMessage { cursor, data } => (cursor, Some(data)),
                Event::Reset { cursor } => (cursor, None),
                _ => continue,
            };
            // Before the message is asked for: a break then goes on behind it.
            if let Some(cursor) = cursor {
                self.place = Some(cursor.into_owned());
            }
            let Some(NewMessage { id, .. }) = data else { return Ok(Followed::StoreReplaced) };
            let Some(message) = self.whole(id).await? else { continue };
            let filter = &self.filter;
            let is_wanted = filter.status.is_none_or(|status| status == message.status)
                && filter.direction.is_none_or(|direction| direction == message.direction);
            if is_wanted {
                return Ok(Followed::Message(Box::new(message)));
            }
        }
    }

    async fn whole(&mut self, id: Uuid) -> Result<Option<Message>> {
        loop {
            match self.messages.find(id).await {
                Ok(found) => return Ok(found),
                Err(_) => self.reconnect().await?,
            }
        }
    }

    async fn next_event(&mut self) -> Result<Event<'static>> {
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
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
            let Ok(mut remote) = self.messages.again().await else { continue };
            let Ok(messages) = remote.again().await else { continue };
            let begin = self.place.as_deref().map_or(Begin::Since(None), Begin::After);
            match remote.stream(&self.filter, begin).await {
                Ok(stream) => {
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
