//! A WebSocket session with a server: the handshake, the subscription, and the events.

use super::Server;
use crate::error::{Error, Result};
use crate::protocol::command::Subscribe;
use crate::protocol::event::{Ack, CURSOR_GONE, ServerEvent};
use crate::protocol::json;
use futures_util::{SinkExt, StreamExt};
use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderValue};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message as Frame};
use tokio_tungstenite::{WebSocketStream, client_async};

/// The longest time for the handshake and the answer to `subscribe`.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// After this silence the server gets a ping; after the same time again, it counts as gone.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// An open session.
pub(super) struct ClientSession {
    socket: WebSocketStream<super::address::ServerStream>,
    name: String,
}

/// Reason why a session could not be opened, or ended.
pub(super) enum SessionFault {
    /// It could not be opened.
    Refused(Error),
    /// The connection broke, or the server ended it.
    Lost(Error),
    /// The position to continue from does not belong to this store, or the events after it are not
    /// kept any more.
    CursorGone,
}

impl From<Error> for SessionFault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl ClientSession {
    /// Opens a session and subscribes; returns the server's answer.
    pub(super) async fn open(
        server: &Server,
        subscribe: &Subscribe,
    ) -> std::result::Result<(Self, Ack), SessionFault> {
        let late = || Error::failed(format!("{} does not answer", server.name()));
        let asked = timeout(ANSWER_TIMEOUT, Self::ask(server, subscribe)).await;
        asked.unwrap_or_else(|_| Err(late().into()))
    }

    async fn ask(
        server: &Server,
        subscribe: &Subscribe,
    ) -> std::result::Result<(Self, Ack), SessionFault> {
        let stream = server.address.connect().await.map_err(|error| server.address.away(&error))?;
        let request = request(server)?;
        let (socket, _) =
            client_async(request, stream).await.map_err(|error| not_opened(server, &error))?;
        let mut session = Self { socket, name: server.name() };
        let text = serde_json::to_string(subscribe)
            .map_err(|error| Error::failed(format!("the command cannot be written: {error}")))?;
        let sent = session.socket.send(Frame::text(text)).await;
        sent.map_err(|error| lost(&session.name, &error))?;
        // The answer comes before all events, because a new session has no subscription.
        match session.next().await? {
            ServerEvent::Ack(ack) => Ok((session, ack)),
            ServerEvent::Error(error) => Err(Error::failed(error.error).into()),
            _ => Err(Error::failed(format!("{} does not answer `subscribe`", session.name)).into()),
        }
    }

    /// The next event; unknown events of a newer server are ignored.
    pub(super) async fn next(&mut self) -> std::result::Result<ServerEvent<'static>, SessionFault> {
        loop {
            let text = match self.text().await {
                Ok(text) => text,
                Err(error) => return Err(SessionFault::Lost(lost(&self.name, &error))),
            };
            match json::from_slice_lenient(text.as_bytes()) {
                Ok(ServerEvent::Error(error)) if error.code.as_deref() == Some(CURSOR_GONE) => {
                    return Err(SessionFault::CursorGone);
                }
                Ok(ServerEvent::Unknown) | Err(_) => {}
                Ok(event) => return Ok(event),
            }
        }
    }

    async fn text(&mut self) -> std::result::Result<tungstenite::Utf8Bytes, tungstenite::Error> {
        let mut asked = false;
        loop {
            let Ok(next) = timeout(IDLE_TIMEOUT, self.socket.next()).await else {
                if asked {
                    return Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
                }
                asked = true;
                self.socket.send(Frame::Ping(Vec::new().into())).await?;
                continue;
            };
            asked = false;
            match next.unwrap_or(Err(tungstenite::Error::ConnectionClosed))? {
                Frame::Text(text) => return Ok(text),
                Frame::Close(_) => return Err(tungstenite::Error::ConnectionClosed),
                _ => {}
            }
        }
    }
}

fn request(server: &Server) -> Result<tungstenite::handshake::client::Request> {
    // With HTTPS the stream is encrypted already, so `ws` is right in both cases.
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

fn not_opened(server: &Server, error: &tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::Http(answer) if answer.status() == StatusCode::UNAUTHORIZED => {
            Error::failed(format!("{} wants the right token", server.name()))
                .hint("give it with --token, or in RECHAT_TOKEN")
        }
        error => lost(&server.name(), error),
    }
}

fn lost(name: &str, error: &tungstenite::Error) -> Error {
    match error {
        tungstenite::Error::ConnectionClosed
        | tungstenite::Error::AlreadyClosed
        | tungstenite::Error::Protocol(_) => Error::failed(format!("{name} has gone")),
        error => Error::failed(format!("{name}: {error}")),
    }
}
