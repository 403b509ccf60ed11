//! Satori with webhooks: events are posted one after the other, and again until they are accepted.

use crate::account::{implementation, said, server_with};
use crate::onebot11::willing;
use crate::server::{TestServer, eventually};
use crate::socket::in_time;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

/// A framework with a webhook.
struct Hook(TcpListener);

/// A post that is not answered yet.
struct Post {
    stream: TcpStream,
    head: String,
    body: Value,
}

impl Hook {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn entry(&self) -> String {
        let address = self.0.local_addr().unwrap();
        format!(
            "[[bot]]\nname = 'hook'\nkind = 'satori'\ntoken = 'secret'\n\
             url = 'http://{address}/events?key=hidden'\n"
        )
    }

    /// The next post.
    async fn next(&self) -> Post {
        let read = async {
            let (mut stream, _) = self.0.accept().await.unwrap();
            let mut bytes = Vec::new();
            loop {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let head = head.to_lowercase();
                    let length = head.split("content-length: ").nth(1).unwrap();
                    let length: usize = length.lines().next().unwrap().parse().unwrap();
                    if body.len() >= length {
                        let body = serde_json::from_str(body).unwrap();
                        return Post { stream, head, body };
                    }
                }
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "{text}");
            }
        };
        in_time("a post", Box::pin(read)).await
    }

    /// The contents of the next messages, each of which is taken.
    async fn texts(&self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            let post = self.next().await;
            let text = post.body["message"]["content"].as_str().map(str::to_owned);
            post.answer(204).await;
            texts.extend(text);
        }
        texts
    }
}

impl Post {
    async fn answer(mut self, status: u16) {
        let answer =
            format!("HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn bot(server: &TestServer) -> Value {
    server.get("/api/bots").1["bots"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_posted_in_order_and_again_until_they_are_taken() {
    let hook = Hook::new().await;
    let mut server = server_with(&hook.entry());
    let peer = implementation(&server, willing()).await;
    let added = hook.next().await;
    assert!(added.head.starts_with("post /events?key=hidden http/1.1"), "{}", added.head);
    assert!(added.head.contains("satori-opcode: 0"), "{}", added.head);
    assert!(added.head.contains("authorization: bearer secret"), "{}", added.head);
    assert_eq!(added.body["type"], "login-added", "{}", added.body);
    added.answer(200).await;
    peer.push(&said(1, "one"));
    peer.push(&said(2, "two"));
    let refused = hook.next().await;
    assert_eq!(refused.body["message"]["content"], "one");
    refused.answer(500).await;
    let told = eventually("it is told", || {
        let told = bot(&server);
        (told["state"] == "Error").then_some(told)
    });
    let error = told["last_error"].as_str().unwrap();
    assert!(error.contains("500") && !told.to_string().contains("hidden"), "{told}");
    assert_eq!(hook.texts(2).await, ["one", "two"]);
    eventually("both are read", || (bot(&server)["delivered"] == 2).then_some(()));
    assert_eq!(bot(&server)["state"], "Connected");
    // An event that was posted and not taken before a kill comes again.
    peer.push(&said(3, "three"));
    let cut = hook.next().await;
    assert_eq!(cut.body["message"]["content"], "three");
    server.kill();
    drop(cut);
    server.start_again();
    // Before it may come what was read just before the kill.
    let again = async {
        loop {
            let text = hook.texts(1).await.remove(0);
            if text == "three" {
                return;
            }
            assert!(["one", "two"].contains(&&*text), "{text}");
        }
    };
    in_time("the third", Box::pin(again)).await;
    eventually("it is read", || (bot(&server)["delivered"] == 3).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_before_an_event_that_fails_does_not_come_again() {
    let hook = Hook::new().await;
    let server = server_with(&hook.entry());
    let peer = implementation(&server, willing()).await;
    let added = hook.next().await;
    for (id, text) in [(1, "one"), (2, "two"), (3, "three")] {
        peer.push(&said(id, text));
    }
    eventually("all have come in", || {
        let (_, page) = server.get("/api/messages?direction=Inbound");
        (page["messages"].as_array().unwrap().len() == 3).then_some(())
    });
    added.answer(204).await;
    let mut seen = Vec::new();
    for status in [204, 500, 500, 204, 204] {
        let post = hook.next().await;
        let content = &post.body["message"]["content"];
        seen.push(content.as_str().map_or_else(|| post.body["type"].to_string(), str::to_owned));
        post.answer(status).await;
    }
    assert_eq!(seen, ["one", "two", "two", "two", "three"]);
    eventually("all are read", || (bot(&server)["delivered"] == 3).then_some(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_was_not_taken_comes_again() {
    let hook = Hook::new().await;
    let server = server_with(&hook.entry());
    let _peer = implementation(&server, willing()).await;
    for status in [500, 204] {
        let added = hook.next().await;
        assert_eq!(added.body["type"], "login-added", "{}", added.body);
        added.answer(status).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_with_a_webhook_has_no_websocket_beside_it() {
    let hook = Hook::new().await;
    let server = server_with(&hook.entry());
    let url = format!("ws://{}/bots/hook/satori/v1/events", server.address);
    let Err(Error::Http(refused)) = connect_async(url).await else { panic!("it was let in") };
    assert_eq!(refused.status(), 409);
}
