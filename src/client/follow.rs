//! Watching for new messages, across restarts of the server.

use super::remote::Remote;
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::store::Filter;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use std::time::Duration;
use uuid::Uuid;

/// How long to wait before asking again for a server that has gone, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// New messages that match a filter, one after the other.
pub struct Following {
    /// Asks for the whole message, which an event does not carry.
    messages: Remote,
    stream: Incoming,
    buffer: BytesMut,
    filter: Filter,
    /// The newest message that was seen, if any: where to go on after a break.
    since: Option<String>,
}

/// What is needed of an event.
#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: Uuid,
    seq: u64,
}

impl Following {
    pub(super) async fn begin(
        messages: Remote,
        filter: &Filter,
        since: Option<&str>,
    ) -> Result<Self> {
        let stream = messages.again().await?.stream(filter, since).await?;
        let (filter, since) = (filter.clone(), since.map(str::to_owned));
        Ok(Self { messages, stream, buffer: BytesMut::new(), filter, since })
    }

    /// The next message; waits for it, and for the server where that has gone.
    pub async fn next(&mut self) -> Result<Message> {
        loop {
            let event = self.next_event().await?;
            // Before the message is asked for: a break then goes on behind it.
            self.since = Some(event.seq.to_string());
            let Some(message) = self.whole(event.id).await else { continue };
            let filter = &self.filter;
            let is_wanted = filter.status.is_none_or(|status| status == message.status)
                && filter.direction.is_none_or(|direction| direction == message.direction);
            if is_wanted {
                return Ok(message);
            }
        }
    }

    async fn whole(&mut self, id: Uuid) -> Option<Message> {
        loop {
            match self.messages.find(id).await {
                Ok(found) => return found,
                Err(_) => self.reconnect().await,
            }
        }
    }

    async fn next_event(&mut self) -> Result<Data> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                if line.is_empty() {
                    continue;
                }
                let event: Event = serde_json::from_slice(&line).map_err(|error| {
                    Error::failed(format!("the server's stream cannot be read: {error}"))
                })?;
                return Ok(event.data);
            }
            match self.stream.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) | None => self.reconnect().await,
            }
        }
    }

    async fn reconnect(&mut self) {
        let mut pause = PAUSE_FIRST;
        loop {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MOST);
            let Ok(mut remote) = self.messages.again().await else { continue };
            let Ok(messages) = remote.again().await else { continue };
            if let Ok(stream) = remote.stream(&self.filter, self.since.as_deref()).await {
                self.messages = messages;
                self.stream = stream;
                self.buffer.clear();
                return;
            }
        }
    }
}
