//! A WebSocket client for tests, on another library: it sends commands, keeps frames in the order
//! in which they came, and uses no code of the server.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::server::{DEADLINE, TestServer};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::future::Future;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Size of the system's buffer for a slow client; with the smallest one that is allowed, tests
/// would wait for its timers.
const SMALL_BUFFER: u32 = 16 << 10;

/// Commands that may be unanswered when many messages are made.
const WINDOW: usize = 256;

/// Waits for a future; fails the test if it takes too long.
pub async fn in_time<F: Future>(what: &str, future: F) -> F::Output {
    let late = || panic!("never came about: {what}");
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| late())
}

/// A session of a server.
pub struct Client {
    /// `X-Session-Id` of the upgrade's answer.
    pub session: String,
    stream: WebSocketStream<TcpStream>,
    /// Events that came while an answer was waited for.
    waiting: VecDeque<Value>,
}

impl Client {
    pub async fn connect(server: &TestServer) -> Self {
        Self::connect_to(&server.address).await
    }

    pub async fn connect_to(address: &str) -> Self {
        Self::on(TcpSocket::new_v4().unwrap(), address).await.unwrap()
    }

    /// A client for which the system buffers few bytes, so that the server soon has to wait.
    pub async fn connect_small(server: &TestServer) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(SMALL_BUFFER).unwrap();
        Self::on(socket, &server.address).await.unwrap()
    }

    async fn on(socket: TcpSocket, address: &str) -> Result<Self, Error> {
        let connect = async {
            let stream = socket.connect(address.parse().unwrap()).await?;
            stream.set_nodelay(true)?;
            let request = format!("ws://{address}/ws/client").into_client_request()?;
            let (stream, answer) = client_async(request, stream).await?;
            let session = answer.headers()["x-session-id"].to_str().unwrap().to_owned();
            Ok(Self { session, stream, waiting: VecDeque::new() })
        };
        in_time("a connection", connect).await
    }

    /// Sends a frame that may not be a command.
    pub async fn say_frame(&mut self, frame: Message) {
        in_time("a frame goes out", self.stream.send(frame)).await.unwrap();
    }

    pub async fn say(&mut self, command: &Value) {
        self.say_frame(Message::text(command.to_string())).await;
    }

    /// The next frame with content, or the end of the connection.
    async fn hear(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match in_time("a frame comes", self.stream.next()).await {
                Some(Ok(Message::Text(text))) => {
                    return Ok(serde_json::from_str(&text).expect("a frame is JSON"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(other)) => panic!("a strange frame: {other:?}"),
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next frame.
    pub async fn next(&mut self) -> Value {
        if let Some(event) = self.waiting.pop_front() {
            return event;
        }
        self.hear().await.expect("the connection lives")
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn next_or_end(&mut self) -> Option<Value> {
        match self.waiting.pop_front() {
            Some(event) => Some(event),
            None => self.hear().await.ok(),
        }
    }

    /// Sends a command and returns its answer; events before the answer are kept for later.
    pub async fn ask(&mut self, command: &Value) -> Value {
        self.say(command).await;
        self.answer().await
    }

    /// The next answer.
    pub async fn answer(&mut self) -> Value {
        loop {
            let frame = self.hear().await.expect("the connection lives");
            if frame["type"] == "ack" || frame["type"] == "error" {
                return frame;
            }
            self.waiting.push_back(frame);
        }
    }

    /// Sends a command that has to succeed.
    pub async fn done(&mut self, command: &Value) -> Value {
        let answer = self.ask(command).await;
        assert_eq!(answer["type"], "ack", "{command}: {answer}");
        answer
    }

    /// Sends a command that has to fail, and returns the error's text.
    pub async fn fails(&mut self, command: &Value) -> String {
        let answer = self.ask(command).await;
        assert_eq!(answer["type"], "error", "{command}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// Subscribes to everything from now on.
    pub async fn subscribe(&mut self) {
        self.done(&json!({"type": "subscribe"})).await;
    }

    /// Subscribes to everything after a place in the journal.
    pub async fn subscribe_since(&mut self, since: impl Into<Value>) {
        self.done(&json!({"type": "subscribe", "since": since.into()})).await;
    }

    /// Makes a message, and gives the ack.
    pub async fn send(&mut self, platform: &str, conversation: &str, content: &str) -> Value {
        self.done(&send_message(platform, conversation, content)).await
    }

    /// The `data` of the next frame, which has to be of this type.
    pub async fn event(&mut self, kind: &str) -> Value {
        let mut frame = self.next().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame["data"].take()
    }

    /// The next message.
    pub async fn message(&mut self) -> Value {
        self.event("new_message").await
    }

    /// The contents of the next messages.
    pub async fn contents(&mut self, count: usize) -> Vec<String> {
        let mut contents = Vec::with_capacity(count);
        for _ in 0..count {
            contents.push(self.message().await["content"].as_str().unwrap().to_owned());
        }
        contents
    }

    /// Every frame up to the message with this content, which is left out. Frames of a session
    /// are in the order of what happened, so nothing before it can still come.
    pub async fn until(&mut self, content: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["data"]["content"] == content {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Answers this number of pings, and drops all frames between them.
    pub async fn pings(&mut self, count: usize) {
        let mut seen = 0;
        while seen < count {
            let frame = in_time("a ping comes", self.stream.next()).await;
            let frame = frame.expect("the connection lives").unwrap();
            seen += usize::from(frame.is_ping());
        }
    }

    /// Reads to the end; returns the server's close code and reason, if there are any.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            match self.hear().await {
                Ok(frame) => self.waiting.push_back(frame),
                Err(frame) => return frame.map(|f| (f.code.into(), f.reason.to_string())),
            }
        }
    }

    /// Closes the connection and waits until the server has closed it, too.
    pub async fn leave(mut self) {
        let _ = self.stream.close(None).await;
        self.closed().await;
    }

    /// Makes many messages as fast as possible; returns the acknowledged IDs.
    pub async fn send_all(self, commands: impl IntoIterator<Item = Value>) -> Vec<String> {
        let (mut sink, mut stream) = self.stream.split();
        let mut ids = Vec::new();
        let mut on_their_way = 0;
        for command in commands {
            if on_their_way == WINDOW {
                ids.push(acked(&mut stream).await);
                on_their_way -= 1;
            }
            feed(&mut sink, command).await;
            on_their_way += 1;
        }
        in_time("the commands go out", sink.flush()).await.unwrap();
        for _ in 0..on_their_way {
            ids.push(acked(&mut stream).await);
        }
        ids
    }
}

async fn feed(sink: &mut SplitSink<WebSocketStream<TcpStream>, Message>, command: Value) {
    let frame = Message::text(command.to_string());
    in_time("a command goes out", sink.send(frame)).await.unwrap();
}

async fn acked(stream: &mut SplitStream<WebSocketStream<TcpStream>>) -> String {
    loop {
        if let Message::Text(text) = in_time("an ack", stream.next()).await.unwrap().unwrap() {
            let ack: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(ack["type"], "ack", "{ack}");
            return ack["message_id"].as_str().unwrap().to_owned();
        }
    }
}

/// The command that makes a text message.
pub fn send_message(platform: &str, conversation: &str, content: &str) -> Value {
    let data = json!({"platform": platform, "conversation": conversation, "content": content});
    json!({"type": "send_message", "data": data})
}
