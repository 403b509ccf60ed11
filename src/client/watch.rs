//! Watching all events over the WebSocket, across restarts of the server: nothing is missed and
//! nothing comes twice.

use super::Server;
use super::session::{ClientSession, SessionFault};
use crate::backoff::Backoff;
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::model::notice::Notice;
use crate::protocol::command::{Since, Subscribe};
use crate::protocol::event::{self, EventKind, MessageDeleted, MessageStatus};
use crate::protocol::http::Conversation;
use crate::store::ConversationQuery;
use std::time::Duration;
use tokio::sync::mpsc::Sender as Queue;
use tokio::time::sleep;

/// The first and the longest pause before reconnecting to a server.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Kinds of events that are requested in addition to new messages.
const EVENTS: [EventKind; 5] = [
    EventKind::MessageStatus,
    EventKind::MessageUpdated,
    EventKind::MessageDeleted,
    EventKind::ConversationUpdated,
    EventKind::Notice,
];

/// The new status of a message.
pub type StatusChange = MessageStatus<'static>;

/// The new state of an adapter.
pub type AdapterChange = event::AdapterStatusData<'static>;

/// Something that happened at the server.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "handled one at a time")]
pub enum WatchEvent {
    /// The server is connected. Every message after this `seq` follows.
    Here {
        /// The newest `seq` of the session before; for a new position, the newest `seq` of the server.
        since: u64,
    },
    /// The store is another one, or an older copy: data from before may be wrong. `Here` follows.
    StoreReplaced,
    /// The server is not connected, with the reason; the client keeps trying.
    Away(String),
    /// A message was made.
    Message(Box<Message>),
    /// The status of a message changed.
    Status(StatusChange),
    /// Something else of a message changed; this is the message after it.
    Updated(Box<Message>),
    /// A message was deleted.
    Deleted(MessageDeleted<'static>),
    /// A conversation changed; this is its new state.
    Conversation(Conversation),
    /// A platform reported something that is not a message.
    Notice(Box<Notice>),
    /// The state of an adapter's connection changed.
    Adapter(AdapterChange),
}

/// The position at which to continue after a broken connection.
#[derive(Default)]
struct WatchPosition {
    /// The cursor of the last event.
    cursor: Option<String>,
    /// The newest message so far.
    seq: u64,
}

/// Reason why a connection ended.
enum ConnectionBreak {
    /// The receiver of the events was dropped.
    NoReceiver,
    Fault(SessionFault),
}

impl From<SessionFault> for ConnectionBreak {
    fn from(fault: SessionFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for ConnectionBreak {
    fn from(error: Error) -> Self {
        Self::Fault(error.into())
    }
}

/// Sends all events, until their receiver is dropped.
pub async fn watch(mut server: Server, events: Queue<WatchEvent>) {
    let mut position = WatchPosition::default();
    let mut backoff = self::backoff();
    loop {
        let Err(end) = connection(&mut server, &mut position, &events).await;
        let event = match end {
            ConnectionBreak::NoReceiver => return,
            ConnectionBreak::Fault(SessionFault::CursorGone) => {
                position = WatchPosition::default();
                WatchEvent::StoreReplaced
            }
            ConnectionBreak::Fault(SessionFault::Refused(error)) => {
                WatchEvent::Away(error.to_string())
            }
            ConnectionBreak::Fault(SessionFault::Lost(error)) => {
                // It was connected, so it may be back soon.
                backoff = self::backoff();
                WatchEvent::Away(error.to_string())
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
        sleep(backoff.pause()).await;
    }
}

fn backoff() -> Backoff {
    Backoff::with_jitter(FIRST_PAUSE, MAX_PAUSE)
}

/// One connection, from the handshake to its end.
async fn connection(
    server: &mut Server,
    position: &mut WatchPosition,
    events: &Queue<WatchEvent>,
) -> std::result::Result<std::convert::Infallible, ConnectionBreak> {
    let mut subscribe =
        Subscribe { events: Some(EVENTS.into_iter().collect()), ..Subscribe::default() };
    subscribe.cursor.clone_from(&position.cursor);
    if position.cursor.is_none() {
        position.seq = newest(server).await?;
        subscribe.since = Some(Since::Seq(position.seq));
    }
    let (mut session, ack) = ClientSession::open(server, &subscribe).await?;
    position.cursor = ack.cursor;
    let told = async |event| events.send(event).await.map_err(|_| ConnectionBreak::NoReceiver);
    told(WatchEvent::Here { since: position.seq }).await?;
    loop {
        let (cursor, event) = match session.next().await? {
            event::ServerEvent::NewMessage { cursor, data } => {
                position.seq = position.seq.max(data.seq);
                (cursor, WatchEvent::Message(Box::new(data.into_message())))
            }
            event::ServerEvent::MessageStatus { cursor, data } => {
                (cursor, WatchEvent::Status(data))
            }
            event::ServerEvent::MessageUpdated { cursor, data } => {
                (cursor, WatchEvent::Updated(Box::new(data.into_message())))
            }
            event::ServerEvent::MessageDeleted { cursor, data } => {
                (cursor, WatchEvent::Deleted(data))
            }
            event::ServerEvent::ConversationUpdated { cursor, data } => {
                (cursor, WatchEvent::Conversation(data.into_owned()))
            }
            event::ServerEvent::AdapterStatus { cursor, data } => {
                (cursor, WatchEvent::Adapter(data))
            }
            event::ServerEvent::Notice { cursor, data } => {
                (cursor, WatchEvent::Notice(Box::new(data.into_owned())))
            }
            event::ServerEvent::Reset { .. }
            | event::ServerEvent::Ack(_)
            | event::ServerEvent::Error(_)
            | event::ServerEvent::Unknown => continue,
        };
        told(event).await?;
        if let Some(cursor) = cursor {
            position.cursor = Some(cursor.into_owned());
        }
    }
}

/// The `seq` of the newest message.
async fn newest(server: &mut Server) -> Result<u64> {
    let one = ConversationQuery { limit: Some(1), ..ConversationQuery::default() };
    let newest = server.conversations(&one).await?;
    Ok(newest.first().map_or(0, |conversation| conversation.last_seq))
}
