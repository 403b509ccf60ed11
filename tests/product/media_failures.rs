//! Media that cannot be fetched: the message shows this, the reason, and whether another attempt
//! may help.

use crate::media::{Host, PNG, PRIVATE, bytes, dialled, inbound, picture, request, with};
use crate::server::{TestServer, eventually};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The only segment of the newest message, once it is as wanted.
fn segment(server: &TestServer, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || {
        let segment = inbound(server).first()?["segments"][0].clone();
        is_it(&segment).then_some(segment)
    })
}

/// A host that answers "busy" until a switch is set; its address.
fn busy_host() -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/cat.png", listener.local_addr().unwrap());
    let is_busy = Arc::new(AtomicBool::new(true));
    let busy = is_busy.clone();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let _ = socket.read(&mut [0; 4096]);
            let is_busy = busy.load(Ordering::SeqCst);
            let (status, body) =
                if is_busy { ("503 Busy", &b"later"[..]) } else { ("200 OK", PNG) };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = socket.write_all(&[head.as_bytes(), body].concat());
        }
    });
    (url, is_busy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_stands_on_the_segment_until_the_picture_is_here() {
    let (mut server, (url, is_busy)) = (with(PRIVATE), busy_host());
    let mut client = crate::socket::Client::connect(&server).await;
    client.ask(&json!({"type": "subscribe", "events": ["message_updated"]})).await;
    let peer = dialled(&server).await;
    peer.push(&picture(1, &url));
    client.event("adapter_status").await;
    client.message().await;
    let told = client.event("message_updated").await["segments"][0].clone();
    assert_eq!(told["failure"]["retryable"], true, "{told}");
    assert!(told["failure"]["reason"].as_str().unwrap().contains("503"), "{told}");
    assert!(told["failure"]["at"].is_u64() && told["media"].is_null(), "{told}");
    // It is on the disk.
    server.kill();
    server.start_again();
    assert!(inbound(&server)[0]["segments"][0]["failure"]["reason"].is_string());
    let id = inbound(&server)[0]["id"].as_str().unwrap().to_owned();
    let shown = server.home.ok(&["get", &id]);
    assert!(shown.contains("not here") && shown.contains("another attempt may help"), "{shown}");
    is_busy.store(false, Ordering::SeqCst);
    let (status, message) = server.ask("POST", &format!("/api/messages/{id}/media"), None);
    assert_eq!(status, 200, "{message}");
    let here = segment(&server, "it is here", |segment| segment["media"].is_string());
    assert!(here["failure"].is_null(), "{here}");
    let path = format!("/api/media/{}", here["media"].as_str().unwrap());
    assert_eq!(bytes(request(&server, "GET", &path, &[])), PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_for_good_is_not_asked_for_again_by_itself() {
    let (mut server, host) = (with(PRIVATE), Host::new());
    let peer = dialled(&server).await;
    peer.push(&picture(1, &host.url("gone.png")));
    let gone = segment(&server, "the failure is told", |segment| !segment["failure"].is_null());
    assert!(gone["failure"]["retryable"].is_null(), "{gone}");
    assert!(gone["failure"]["reason"].as_str().unwrap().contains("404"), "{gone}");
    server.kill();
    server.start_again();
    let peer = dialled(&server).await;
    peer.push(&picture(2, &host.url("a.png")));
    segment(&server, "the next one is here", |segment| segment["media"].is_string());
    assert_eq!(host.requests(), 2, "the first one was asked for once");
    // Somebody may ask all the same, and is told as before.
    let id = inbound(&server)[1]["id"].as_str().unwrap().to_owned();
    let (status, failed) = server.ask("POST", &format!("/api/messages/{id}/media"), None);
    assert_eq!((status, &failed["code"]), (502, &json!("not_fetched")));
    assert_eq!(host.requests(), 3);
}

#[test]
fn a_client_cannot_make_a_failure_up() {
    let server = with("");
    let failure = json!({"reason": "made up", "at": 1, "retryable": true});
    let image = json!({"type": "image", "url": "https://a.test/b.png", "failure": failure});
    let item = json!({"sender": {"id": "1", "name": "A"}, "created_at": 1, "segments": [image]});
    let segments = json!([image, {"type": "forward", "items": [item]}]);
    let body = json!({"segments": segments, "recipient": "group_1", "platform": "loopback"});
    let (status, made) = server.post(&body);
    assert_eq!(status, 201, "{made}");
    let (_, message) = server.get(&format!("/api/messages/{}", made["id"].as_str().unwrap()));
    assert!(!message.to_string().contains("made up"), "{message}");
}
