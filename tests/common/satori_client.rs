//! A Satori client for tests: events by a WebSocket, calls by HTTP. Written from the specification
//! (protocol/events.md, protocol/api.md).

#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::server::{DEADLINE, TestServer, agent};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const TOKEN: &str = "secret";

/// A connection for events.
pub struct Satori {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The body of READY.
    pub ready: Value,
    events: VecDeque<Value>,
}

/// A WebSocket of a bot before the first frame.
pub async fn open(address: &str, bot: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let url = format!("ws://{address}/bots/{bot}/satori/v1/events");
    timeout(DEADLINE, connect_async(url)).await.unwrap().unwrap().0
}

/// The close frame that ends a connection: its code and reason.
pub async fn ended(
    stream: &mut WebSocketStream<MaybeTlsStream<TcpStream>>,
) -> Option<(u16, String)> {
    loop {
        match timeout(DEADLINE, stream.next()).await.expect("it does not end") {
            Some(Ok(Message::Close(Some(frame)))) => {
                return Some((frame.code.into(), frame.reason.to_string()));
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

impl Satori {
    /// Connects with the bot's token.
    pub async fn connect(server: &TestServer, bot: &str) -> Self {
        Self::resume(server, bot, &json!(null)).await
    }

    /// Connects again after an event.
    pub async fn resume(server: &TestServer, bot: &str, sn: &Value) -> Self {
        Self::on(open(&server.address, bot).await, sn).await
    }

    /// Sends the token on an open WebSocket.
    pub async fn on(mut stream: WebSocketStream<MaybeTlsStream<TcpStream>>, sn: &Value) -> Self {
        let identify = json!({"op": 3, "body": {"token": TOKEN, "sn": sn}});
        stream.send(Message::text(identify.to_string())).await.unwrap();
        let mut client = Self { stream, ready: Value::Null, events: VecDeque::new() };
        let first = client.frame().await.expect("the connection ended");
        assert_eq!(first["op"], 4, "{first}");
        client.ready = first["body"].clone();
        client
    }

    /// The next frame; `None` once the connection has ended.
    async fn frame(&mut self) -> Option<Value> {
        loop {
            match timeout(DEADLINE, self.stream.next()).await.expect("no frame came") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next event of any kind.
    pub async fn any(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        loop {
            let frame = self.frame().await.expect("the connection ended");
            if frame["op"] == 0 {
                return frame["body"].clone();
            }
        }
    }

    /// The next event that is not about a login.
    pub async fn event(&mut self) -> Value {
        loop {
            let event = self.any().await;
            if !event["type"].as_str().unwrap().starts_with("login-") {
                return event;
            }
        }
    }

    /// The next event of a kind; others before it are skipped.
    pub async fn event_of(&mut self, kind: &str) -> Value {
        let next = async {
            loop {
                let event = self.any().await;
                if event["type"] == kind {
                    return event;
                }
            }
        };
        timeout(DEADLINE, next).await.expect("no such event came")
    }

    /// The contents of the next messages.
    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.event().await["message"]["content"].as_str().unwrap().to_owned());
        }
        texts
    }

    pub async fn ping(&mut self) {
        self.stream.send(Message::text(r#"{"op":1}"#)).await.unwrap();
        loop {
            let frame = self.frame().await.expect("the connection ended");
            if frame["op"] == 2 {
                return;
            }
            self.events.push_back(frame["body"].clone());
        }
    }

    /// Reads on, so that events are acknowledged, until rechat has counted this number of events.
    pub async fn until_delivered(&mut self, server: &TestServer, bot: &str, delivered: u64) {
        let known = || server.delivered(bot) >= delivered;
        let read = async {
            while !tokio::task::block_in_place(known) {
                if let Ok(Some(Ok(Message::Text(text)))) =
                    timeout(Duration::from_millis(5), self.stream.next()).await
                {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    if frame["op"] == 0 {
                        self.events.push_back(frame["body"].clone());
                    }
                }
            }
        };
        timeout(DEADLINE, read).await.expect("what was read is not known to be");
    }

    /// Reads to the end of the connection.
    pub async fn ended(mut self) {
        while self.frame().await.is_some() {}
    }
}

/// Calls of a bot by HTTP.
pub struct Caller {
    base: String,
    headers: Vec<(&'static str, String)>,
}

impl Caller {
    /// Calls for an account of a platform.
    pub fn new(server: &TestServer, bot: &str, platform: &str, account: &str) -> Self {
        let headers = vec![
            ("authorization", format!("Bearer {TOKEN}")),
            ("satori-platform", platform.to_owned()),
            ("satori-user-id", account.to_owned()),
        ];
        Self { base: server.url(&format!("/bots/{bot}/satori/v1/")), headers }
    }

    /// The same with other headers.
    pub fn with_headers(self, headers: &[(&'static str, &str)]) -> Self {
        let headers = headers.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        Self { headers, ..self }
    }

    /// Any request; the status and the answer's JSON, or its text.
    pub fn ask(&self, method: &str, path: &str, body: &[u8], media_type: &str) -> (u16, Value) {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", media_type);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let sent = tokio::task::block_in_place(|| agent().run(request.body(body).unwrap()));
        let mut answer = sent.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (answer.status().as_u16(), json)
    }

    pub fn try_call(&self, method: &str, params: &Value) -> (u16, Value) {
        self.ask("POST", method, params.to_string().as_bytes(), "application/json")
    }

    /// A call that has to succeed.
    pub fn call(&self, method: &str, params: &Value) -> Value {
        let (status, answer) = self.try_call(method, params);
        assert_eq!(status, 200, "{method} {params}: {answer}");
        answer
    }
}
