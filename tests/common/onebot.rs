//! The other end of a OneBot connection, for tests: dials in or listens, answers actions as it is
//! told to, pushes events, and keeps what was sent to it. Written from the specifications.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::result_large_err, reason = "the form tungstenite wants")]

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, connect_async};

/// How long a test waits for something before it fails.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Reaction of the implementation to an action.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends these frames back, in order, each with the action's echo.
    Frames(Vec<Value>),
    /// Does not answer.
    Silent,
    /// Drops the connection without a close frame.
    Drop,
    /// Closes the connection with this code.
    Close(u16),
}

impl Reply {
    /// Done, with data.
    #[allow(clippy::needless_pass_by_value, reason = "easier on the tests")]
    pub fn ok(data: Value) -> Self {
        Self::Frames(vec![json!({"status": "ok", "retcode": 0, "data": data, "message": ""})])
    }

    /// Refused.
    pub fn refused(retcode: i64, message: &str) -> Self {
        let answer =
            json!({"status": "failed", "retcode": retcode, "data": null, "message": message});
        Self::Frames(vec![answer])
    }
}

/// Decides what to do with each action.
pub type Script = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

/// One connection of an implementation.
pub struct Peer {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    received: watch::Receiver<Vec<Value>>,
    seen: Mutex<usize>,
    task: JoinHandle<()>,
    /// Headers of the other side in the handshake.
    pub handshake: Vec<(String, String)>,
}

enum Outgoing {
    Frame(Message),
    Drop,
}

impl Peer {
    /// Dials in, with these headers.
    pub async fn dial(url: &str, headers: &[(&str, &str)], script: Script) -> Result<Self, Error> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        let (stream, response) = connect_async(request).await?;
        Ok(Self::on(stream, pairs(response.headers()), script))
    }

    fn on<S>(stream: WebSocketStream<S>, handshake: Vec<(String, String)>, script: Script) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (keep, received) = watch::channel(Vec::new());
        let task = tokio::spawn(serve(stream, queue, keep, script));
        Self { outgoing, received, seen: Mutex::new(0), task, handshake }
    }

    /// Pushes an event.
    pub fn push(&self, event: &Value) {
        self.push_text(&event.to_string());
    }

    /// Pushes a frame with any text.
    pub fn push_text(&self, frame: &str) {
        let _ = self.outgoing.send(Outgoing::Frame(Message::text(frame)));
    }

    /// Pushes a frame that is not even text.
    pub fn push_bytes(&self, frame: &[u8]) {
        let _ = self.outgoing.send(Outgoing::Frame(Message::binary(frame.to_vec())));
    }

    /// Drops the connection without a close frame.
    pub fn drop_connection(&self) {
        let _ = self.outgoing.send(Outgoing::Drop);
    }

    /// The next action with this name that was not returned yet; others before it are skipped.
    pub async fn action(&self, name: &str) -> Value {
        let mut received = self.received.clone();
        let find = async {
            loop {
                let seen = *self.seen.lock().unwrap();
                let found = {
                    let actions = received.borrow_and_update();
                    let place = actions[seen..].iter().position(|action| action["action"] == name);
                    place.map(|place| (seen + place, actions[seen + place].clone()))
                };
                if let Some((place, action)) = found {
                    *self.seen.lock().unwrap() = place + 1;
                    return action;
                }
                received.changed().await.expect("the connection ended before the action came");
            }
        };
        let late = format!("no {name} came");
        tokio::time::timeout(DEADLINE, find).await.expect(&late)
    }

    /// Every action that came so far.
    pub fn actions(&self) -> Vec<Value> {
        self.received.borrow().clone()
    }

    /// Whether the connection has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits until the connection has ended.
    pub async fn ended(mut self) {
        tokio::time::timeout(DEADLINE, &mut self.task)
            .await
            .expect("the connection lives")
            .unwrap();
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: WebSocketStream<S>,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    keep: watch::Sender<Vec<Value>>,
    script: Script,
) {
    loop {
        let incoming = tokio::select! {
            outgoing = queue.recv() => match outgoing {
                Some(Outgoing::Frame(frame)) => {
                    if stream.send(frame).await.is_err() {
                        return;
                    }
                    continue;
                }
                Some(Outgoing::Drop) | None => return,
            },
            incoming = stream.next() => incoming,
        };
        let text = match incoming {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => continue,
        };
        let action: Value = serde_json::from_str(&text).expect("an action is JSON");
        assert!(action["action"].is_string(), "an action has a name: {action}");
        assert!(action["params"].is_object(), "an action has parameters: {action}");
        assert!(action["echo"].is_string(), "an echo is a string: {action}");
        keep.send_modify(|actions| actions.push(action.clone()));
        match script(&action) {
            Reply::Silent => {}
            Reply::Drop => return,
            Reply::Close(code) => {
                let frame = CloseFrame { code: code.into(), reason: "".into() };
                let _ = stream.close(Some(frame)).await;
                // The other side answers, and the connection ends.
                while let Some(Ok(_)) = stream.next().await {}
                return;
            }
            Reply::Frames(frames) => {
                for mut frame in frames {
                    frame["echo"] = action["echo"].clone();
                    if stream.send(Message::text(frame.to_string())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// An implementation to which rechat connects.
pub struct Listener {
    socket: TcpListener,
    token: Option<String>,
}

impl Listener {
    pub async fn new(token: Option<&str>) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { socket, token: token.map(str::to_owned) }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/", self.socket.local_addr().unwrap())
    }

    /// The next connection with the right token; others get a 401.
    pub async fn accept(&self, script: Script) -> Peer {
        let accept = self.accept_some_time(script);
        tokio::time::timeout(DEADLINE, accept).await.expect("nobody dialled")
    }

    /// The same, however long nobody comes.
    pub async fn accept_some_time(&self, script: Script) -> Peer {
        loop {
            let (stream, _) = self.socket.accept().await.unwrap();
            let mut headers = Vec::new();
            let check = |request: &Request, response: Response| {
                headers = pairs(request.headers());
                self.check(request).map(|()| response)
            };
            if let Ok(stream) = accept_hdr_async(stream, check).await {
                return Peer::on(stream, headers, script.clone());
            }
        }
    }

    /// Accepts one connection and refuses its handshake.
    pub async fn refuse(&self) {
        let (stream, _) = self.socket.accept().await.unwrap();
        let check = |request: &Request, response: Response| self.check(request).map(|()| response);
        assert!(accept_hdr_async(stream, check).await.is_err(), "it brought the right token");
    }

    fn check(&self, request: &Request) -> Result<(), ErrorResponse> {
        let wanted = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        if wanted.is_some() && wanted.as_deref() != given {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            return Err(refusal);
        }
        Ok(())
    }
}

fn pairs(headers: &tokio_tungstenite::tungstenite::http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}
