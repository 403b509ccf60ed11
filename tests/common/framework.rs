//! A bot framework for tests: listens for rechat or dials it, reads events, and calls actions. Written
//! from the specification of OneBot 11 (communication/ws-reverse.md, ws.md).

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::result_large_err, reason = "the form tungstenite wants")]

use crate::server::{DEADLINE, TestServer};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

/// A framework to which rechat connects.
pub struct Framework {
    socket: TcpListener,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One connection of rechat to a framework.
pub struct Bot {
    stream: WebSocketStream<Box<dyn Stream>>,
    /// Headers of the handshake.
    pub headers: Vec<(String, String)>,
    events: VecDeque<String>,
    last_echo: u64,
}

impl Framework {
    pub async fn new() -> Self {
        Self { socket: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/onebot/v11/ws", self.socket.local_addr().unwrap())
    }

    /// The next connection.
    pub async fn accept(&self) -> Bot {
        let accept = async {
            loop {
                let (stream, _) = self.socket.accept().await.unwrap();
                let mut headers = Vec::new();
                let keep = |request: &Request, response: Response| {
                    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
                    let pairs = request.headers().iter();
                    headers = pairs.map(|(k, v)| (k.to_string(), text(v.as_bytes()))).collect();
                    Ok(response)
                };
                let stream: Box<dyn Stream> = Box::new(stream);
                if let Ok(stream) = accept_hdr_async(stream, keep).await {
                    return Bot { stream, headers, events: VecDeque::new(), last_echo: 0 };
                }
            }
        };
        timeout(DEADLINE, accept).await.expect("rechat did not dial")
    }

    /// Accepts one connection and refuses its handshake.
    pub async fn refuse(&self) {
        let (stream, _) = timeout(DEADLINE, self.socket.accept()).await.unwrap().unwrap();
        let refuse = |_: &Request, _: Response| {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            Err(refusal)
        };
        assert!(accept_hdr_async(stream, refuse).await.is_err());
    }
}

impl Bot {
    /// Connects to a path of rechat.
    pub async fn dial(server: &TestServer, path: &str, token: Option<&str>) -> Result<Self, Error> {
        let mut request = format!("ws://{}{path}", server.address).into_client_request()?;
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let stream: Box<dyn Stream> = Box::new(TcpStream::connect(&server.address).await?);
        let (stream, _) = client_async(request, stream).await?;
        Ok(Self { stream, headers: Vec::new(), events: VecDeque::new(), last_echo: 0 })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The next text frame; `None` once the connection has ended.
    async fn frame(&mut self) -> Option<String> {
        loop {
            match timeout(DEADLINE, self.stream.next()).await.expect("no frame came") {
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next event that is not a meta event, unchanged.
    pub async fn event_text(&mut self) -> String {
        let next = async {
            loop {
                let text = match self.events.pop_front() {
                    Some(text) => text,
                    None => self.frame().await.expect("the connection ended"),
                };
                if !text.contains("\"meta_event\"") {
                    return text;
                }
            }
        };
        timeout(DEADLINE, next).await.expect("no event came")
    }

    pub async fn event(&mut self) -> Value {
        serde_json::from_str(&self.event_text().await).unwrap()
    }

    /// The next meta event.
    pub async fn meta(&mut self) -> Value {
        loop {
            let text = self.frame().await.expect("the connection ended");
            if text.contains("\"meta_event\"") {
                return serde_json::from_str(&text).unwrap();
            }
            self.events.push_back(text);
        }
    }

    /// The texts of the next messages.
    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.event().await["raw_message"].as_str().unwrap().to_owned());
        }
        texts
    }

    /// Calls an action, and returns its answer; events that come before it are kept.
    #[allow(clippy::needless_pass_by_value, reason = "easier on the tests")]
    pub async fn ask(&mut self, action: &str, params: Value) -> Value {
        self.last_echo += 1;
        let echo = json!({"seq": self.last_echo});
        self.call(action, &params, &echo).await;
        self.answer_to(&echo).await
    }

    /// The answer to an action that was called.
    pub async fn answer_to(&mut self, echo: &Value) -> Value {
        loop {
            let text = self.frame().await.expect("the connection ended before the answer");
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["echo"] == *echo {
                return answer;
            }
            self.events.push_back(text);
        }
    }

    /// Calls an action, and does not wait.
    pub async fn call(&mut self, action: &str, params: &Value, echo: &Value) {
        let frame = json!({"action": action, "params": params, "echo": echo});
        self.stream.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// Reads on, so that events are acknowledged, until rechat has counted this number of events.
    pub async fn until_delivered(&mut self, server: &TestServer, bot: &str, delivered: u64) {
        let known = || server.delivered(bot) >= delivered;
        let read = async {
            while !tokio::task::block_in_place(known) {
                if let Ok(Some(Ok(Message::Text(text)))) =
                    timeout(Duration::from_millis(5), self.stream.next()).await
                {
                    self.events.push_back(text.to_string());
                }
            }
        };
        timeout(DEADLINE, read).await.expect("what was read is not known to be");
    }

    /// Reads the connection to its end.
    pub async fn ended(&mut self) {
        while self.frame().await.is_some() {}
    }
}
