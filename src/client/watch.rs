//! Watching everything over the WebSocket, across restarts of the server: nothing is missing
//! afterwards and nothing comes twice.

use super::Server;
use crate::error::{Error, Result};
use crate::model::message::{Direction, LOCAL, Message, MessageType, Sender, Status};
use crate::protocol::http::State;
use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc::Sender as Queue;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

/// How long to wait before asking again for a server that has gone, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// How long the upgrade and the answer to `subscribe` may take.
const ANSWER: Duration = Duration::from_secs(20);

/// After this silence the server is asked whether it is there; after as much again it is not.
const SILENCE: Duration = Duration::from_secs(45);

type Socket = WebSocketStream<super::address::Stream>;

/// What is told to the one who watches.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The server is there. Every message after this `seq` is going to be told.
    Here {
        /// Where it begins; the newest `seq` that was told before, unless the store is another.
        since: u64,
    },
    /// The server is not there, and why; it is asked for again and again.
    Away(String),
    /// A message was made.
    Message(Box<Message>),
    /// A message has another status.
    Status(StatusChange),
    /// An adapter's connection has another state.
    Adapter(AdapterChange),
}

/// What `message_status` tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct StatusChange {
    pub id: Uuid,
    pub status: Status,
    pub retry_count: u32,
    pub updated_at: u64,
    pub platform: String,
    pub conversation: String,
    pub seq: u64,
    pub last_error: Option<String>,
}

/// What `adapter_status` tells.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[allow(missing_docs)]
pub struct AdapterChange {
    pub platform: String,
    pub status: State,
    pub account: Option<String>,
    pub reason: Option<String>,
}

/// What `new_message` tells.
#[derive(Deserialize)]
struct NewMessage {
    id: Uuid,
    platform: String,
    conversation: String,
    conversation_name: Option<String>,
    content: String,
    message_type: MessageType,
    sender: Option<Sender>,
    created_at: u64,
    seq: u64,
    #[serde(default)]
    direction: Direction,
    account: Option<String>,
}

/// A frame of the server.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    NewMessage {
        data: Box<NewMessage>,
    },
    MessageStatus {
        data: StatusChange,
    },
    AdapterStatus {
        data: AdapterChange,
    },
    Ack,
    Error {
        error: String,
    },
    #[serde(other)]
    Unknown,
}

impl From<NewMessage> for Message {
    fn from(new: NewMessage) -> Self {
        // What came in, and what the owner wrote elsewhere, is out already; the rest is told.
        let is_done = new.direction == Direction::Inbound || new.sender.is_some();
        Self {
            seq: new.seq,
            id: new.id,
            message_type: new.message_type,
            content: new.content,
            recipient: new.conversation,
            status: if is_done { Status::Sent } else { Status::Pending },
            created_at: new.created_at,
            updated_at: new.created_at,
            retry_count: 0,
            platform: Some(new.platform).filter(|name| name != LOCAL),
            direction: new.direction,
            conversation_name: new.conversation_name,
            sender: new.sender,
            account: new.account,
            last_error: None,
            waiting: None,
            external_id: None,
            original: None,
            is_uncertain: false,
            owner: None,
        }
    }
}

/// Why one connection ended.
enum End {
    /// Nobody listens any more.
    Unheard,
    /// It did not come about.
    Refused(Error),
    /// It broke, or the server ended it.
    Lost(Error),
    /// The store is not the one that was watched before: its journal is shorter.
    OtherStore,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Tells everything that happens, until nobody listens any more.
pub async fn watch(mut server: Server, events: Queue<Event>) {
    let mut cursor = None;
    let mut pauses = pauses();
    loop {
        let error = match connection(&mut server, &mut cursor, &events).await {
            End::Unheard => return,
            End::OtherStore => {
                cursor = None;
                continue;
            }
            End::Refused(error) => error,
            End::Lost(error) => {
                // It was there: it is worth to ask soon.
                pauses = self::pauses();
                error
            }
        };
        if events.send(Event::Away(error.to_string())).await.is_err() {
            return;
        }
        sleep(pauses.next().unwrap_or(PAUSE_MOST)).await;
    }
}

fn pauses() -> backon::ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(PAUSE_FIRST)
        .with_max_delay(PAUSE_MOST)
        .with_jitter()
        .without_max_times()
        .build()
}

/// One connection, from the upgrade to its end. `cursor` is the newest `seq` that was told.
async fn connection(server: &mut Server, cursor: &mut Option<u64>, events: &Queue<Event>) -> End {
    let opened = async {
        let since = match *cursor {
            Some(seq) => seq,
            None => newest(server).await?,
        };
        Ok::<_, End>((open(server, since).await?, since))
    };
    let (mut socket, since) = match opened.await {
        Ok(opened) => opened,
        Err(end) => return end,
    };
    *cursor = Some(since);
    if events.send(Event::Here { since }).await.is_err() {
        return End::Unheard;
    }
    loop {
        let said = match hear(&mut socket).await {
            Ok(said) => said,
            Err(error) => return End::Lost(lost(server, &error)),
        };
        let event = match said {
            Said::NewMessage { data } if cursor.is_some_and(|seq| seq >= data.seq) => continue,
            Said::NewMessage { data } => {
                *cursor = Some(data.seq);
                Event::Message(Box::new((*data).into()))
            }
            Said::MessageStatus { data } => Event::Status(data),
            Said::AdapterStatus { data } => Event::Adapter(data),
            Said::Ack | Said::Error { .. } | Said::Unknown => continue,
        };
        if events.send(event).await.is_err() {
            return End::Unheard;
        }
    }
}

/// The `seq` of the newest message there is.
async fn newest(server: &mut Server) -> Result<u64> {
    let all = server.conversations().await?;
    Ok(all.iter().map(|conversation| conversation.last_seq).max().unwrap_or_default())
}

async fn open(server: &Server, since: u64) -> std::result::Result<Socket, End> {
    let asked = async {
        let stream = server.address.connect().await.map_err(|error| server.address.away(&error))?;
        let request = request(server)?;
        let (mut socket, _) =
            client_async(request, stream).await.map_err(|error| refusal(server, &error))?;
        let subscribe = json!({"type": "subscribe", "since": since, "events": ["message_status"]});
        let sent = socket.send(Frame::text(subscribe.to_string())).await;
        sent.map_err(|error| lost(server, &error))?;
        // The answer comes before any event, for a new session is subscribed to nothing.
        match hear(&mut socket).await.map_err(|error| lost(server, &error))? {
            Said::Error { error } if error.contains("beyond") => Err(End::OtherStore),
            Said::Error { error } => Err(Error::failed(error).into()),
            _ => Ok(socket),
        }
    };
    let late = || Error::failed(format!("{} does not answer", server.name()));
    timeout(ANSWER, asked).await.unwrap_or_else(|_| Err(late().into()))
}

fn request(server: &Server) -> Result<tungstenite::handshake::client::Request> {
    // Over HTTPS the stream is encrypted already, so that this is all the same.
    let url = format!("ws://{}{}/ws/client", server.address.host(), server.address.prefix());
    let mut request = url
        .into_client_request()
        .map_err(|error| Error::failed(format!("{}: {error}", server.name())))?;
    if let Some(token) = &server.token {
        let value = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Error::usage("the token has characters that HTTP does not allow"))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn refusal(server: &Server, error: &tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            Error::failed(format!("{} wants the right token", server.name()))
                .hint("give it with --token, or in RECHAT_TOKEN")
        }
        error => lost(server, error),
    }
}

fn lost(server: &Server, error: &tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(_) => Error::failed(format!("{} has gone", server.name())),
        error => Error::failed(format!("{}: {error}", server.name())),
    }
}

/// The next frame with something in it.
async fn hear(socket: &mut Socket) -> std::result::Result<Said, tungstenite::Error> {
    let mut asked = false;
    loop {
        let Ok(came) = timeout(SILENCE, socket.next()).await else {
            if asked {
                return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
            }
            asked = true;
            socket.send(Frame::Ping(Vec::new().into())).await?;
            continue;
        };
        asked = false;
        match came.unwrap_or(Err(tungstenite::Error::ConnectionClosed))? {
            // What a newer server says that we do not know is passed over.
            Frame::Text(text) => return Ok(serde_json::from_str(&text).unwrap_or(Said::Unknown)),
            Frame::Close(_) => return Err(tungstenite::Error::ConnectionClosed),
            _ => {}
        }
    }
}
