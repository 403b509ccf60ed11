//! Pages in forward direction from a message. Lists only go backwards. The stream of new messages
//! goes forwards from any message, so it shows where such a page ends. These pages are in the order
//! of `seq`.

use super::history::{HistoryPage, HistoryQuery, PageStart};
use super::opening::Begin;
use super::remote::Remote;
use crate::error::{Error, Result};
use crate::protocol::event::ServerEvent;
use crate::store::MessageFilter;
use bytes::{Buf, BytesMut};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time::timeout;

/// How long to wait for the next message, because the stream does not end but goes on live.
const NEXT_EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest line of the stream.
const MAX_LINE: usize = 64 << 20;

/// A message and those after it, at most `query.limit`, the newest first. `newest` is the `seq` of
/// the newest message.
pub(super) async fn page(
    remote: &mut Remote,
    query: &HistoryQuery,
    start: &PageStart,
    newest: u64,
) -> Result<HistoryPage> {
    let plain = HistoryQuery { from: None, before: None, by_time: false, ..query.clone() };
    let id = match start {
        PageStart::Message(id) => id.clone(),
        PageStart::Unread(count) => {
            let found = remote.inbound_at(&plain, count.saturating_sub(1)).await?;
            match found {
                Some(message) => message.id.to_string(),
                // They were read elsewhere, or deleted.
                None => return last_page(remote, &plain).await,
            }
        }
    };
    let last = seq_after(remote, query, &id, newest).await?;
    let Some(last) = last else {
        let parsed = id.parse().map_err(|_| Error::failed(format!("{id} is no message's ID")))?;
        let messages = remote.find(parsed).await?.into_iter().collect();
        return Ok(HistoryPage { messages, searched_to: None, reaches_newest: true });
    };
    let before = Some((last + 1).to_string());
    let mut found = remote.page(&HistoryQuery { before, limit: query.limit + 1, ..plain }).await?;
    // The page may go further back.
    if let Some(position) = found.messages.iter().position(|message| message.id.to_string() == id) {
        found.messages.truncate(position + 1);
    }
    found.reaches_newest = last >= newest;
    Ok(found)
}

async fn last_page(remote: &mut Remote, query: &HistoryQuery) -> Result<HistoryPage> {
    let found = remote.page(query).await?;
    Ok(HistoryPage { reaches_newest: true, ..found })
}

/// The `seq` of the message that is this number of messages after another one, or else of the last
/// one; `None` if there is none after it.
async fn seq_after(
    remote: &Remote,
    query: &HistoryQuery,
    id: &str,
    newest: u64,
) -> Result<Option<u64>> {
    let filter = MessageFilter {
        platform: query.platform.clone(),
        conversation: query.conversation.clone(),
        ..MessageFilter::default()
    };
    let mut streaming = remote.reconnected().await?;
    let (mut body, _) = streaming.stream(&filter, Begin::Since(Some(id)), &[]).await?;
    let mut buffer = BytesMut::new();
    let (mut last, mut count) = (None, 0);
    while count < query.limit && last.is_none_or(|last| last < newest) && buffer.len() < MAX_LINE {
        let Ok(Some(Ok(frame))) = timeout(NEXT_EVENT_TIMEOUT, body.frame()).await else { break };
        let Ok(data) = frame.into_data() else { continue };
        buffer.extend_from_slice(&data);
        while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
            let line = buffer.split_to(end);
            buffer.advance(1);
            if count < query.limit
                && let Ok(ServerEvent::NewMessage { data, .. }) = serde_json::from_slice(&line)
            {
                (last, count) = (Some(data.seq), count + 1);
            }
        }
    }
    Ok(last)
}
