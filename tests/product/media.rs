//! Media: stored, served so that no script runs, fetched from hosts that lie, sent, and removed.

use crate::onebot::Peer;
use crate::onebot11::{group_message, headers, willing};
use crate::server::{Home, TestServer, agent, eventually};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The smallest picture that a browser shows: one pixel.
pub const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\
    \0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

type Answer = ureq::http::Response<ureq::Body>;

pub fn request(server: &TestServer, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(server.url(path));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    agent().run(request.body(()).unwrap()).unwrap()
}

pub fn upload(server: &TestServer, name: &str, bytes: &[u8]) -> (u16, Value) {
    let uri = server.url(&format!("/api/media{name}"));
    let request = ureq::http::Request::builder().method("POST").uri(uri);
    let mut answer = agent().run(request.body(bytes).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

fn field(answer: &Answer, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

pub fn bytes(mut answer: Answer) -> Vec<u8> {
    answer.body_mut().with_config().limit(256 << 20).read_to_vec().unwrap()
}

/// The files in the folder of media.
pub fn kept(home: &Home) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(home.db().with_extension("redb-media"));
    let folders = folders.into_iter().flatten().flatten().map(|folder| folder.path());
    folders
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().flatten())
        .map(|f| f.path())
        .collect()
}

pub fn with(configuration: &str) -> TestServer {
    let home = Arc::new(Home::new());
    home.configure(configuration);
    TestServer::start_in(home, &["--loopback"])
}

#[test]
fn the_same_bytes_are_kept_once_and_come_back() {
    let server = TestServer::start();
    let (status, one) = upload(&server, "?name=..%2Fa%20b.png", PNG);
    assert_eq!((status, &one["mime"], &one["size"]), (201, &json!("image/png"), &json!(PNG.len())));
    assert_eq!(one["name"], "a b.png");
    let (_, again) = upload(&server, "", PNG);
    assert_eq!((&again["media"], &again["name"]), (&one["media"], &Value::Null));
    assert_eq!(kept(&server.home).len(), 1);
    let path = format!("/api/media/{}", one["media"].as_str().unwrap());
    let answer = request(&server, "GET", &path, &[("accept-encoding", "gzip")]);
    assert_eq!(field(&answer, "content-type"), "image/png");
    assert_eq!(field(&answer, "content-disposition"), "inline");
    assert_eq!(field(&answer, "x-content-type-options"), "nosniff");
    assert!(field(&answer, "content-security-policy").contains("sandbox"));
    assert_eq!(field(&answer, "content-length"), PNG.len().to_string());
    assert_eq!(field(&answer, "cache-control"), "private, max-age=31536000, immutable");
    let etag = field(&answer, "etag");
    assert_eq!(bytes(answer), PNG);
    assert_eq!(request(&server, "GET", &path, &[("if-none-match", &etag)]).status(), 304);
    let head = request(&server, "HEAD", &path, &[]);
    assert_eq!(
        (head.status().as_u16(), field(&head, "content-length")),
        (200, PNG.len().to_string())
    );
    assert_eq!(
        upload(&server, "", b""),
        (400, json!({"error": "the file is empty", "code": "empty"}))
    );
    for unknown in ["0".repeat(64), "..%2F..%2Fetc%2Fpasswd".into(), "x".into()] {
        assert_eq!(server.get(&format!("/api/media/{unknown}")).0, 404, "{unknown}");
    }
}

#[test]
fn a_part_is_given_by_range() {
    let server = TestServer::start();
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(200_000).collect();
    let (_, kept) = upload(&server, "", &all);
    let path = format!("/api/media/{}", kept["media"].as_str().unwrap());
    let part = request(&server, "GET", &path, &[("range", "bytes=70000-150000")]);
    assert_eq!(part.status(), 206);
    assert_eq!(field(&part, "content-range"), "bytes 70000-150000/200000");
    assert_eq!(bytes(part), &all[70_000..=150_000]);
    let other = [("range", "bytes=1-2"), ("if-range", "\"other\"")];
    assert_eq!(bytes(request(&server, "GET", &path, &other)), all);
    let behind = request(&server, "GET", &path, &[("range", "bytes=200000-")]);
    assert_eq!(
        (behind.status().as_u16(), field(&behind, "content-range")),
        (416, "bytes */200000".into())
    );
}

#[test]
fn nothing_that_a_browser_would_run_is_served_as_what_it_is() {
    let server = TestServer::start();
    let svg =
        "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let html = "<!DOCTYPE html><html><script>alert(1)</script></html>";
    for file in [svg, html, "%PDF-1.7\n/JS", "<svg onload=alert(1)>", "GIF89a/*<script>"] {
        let (_, kept) = upload(&server, "?name=a.html", file.as_bytes());
        let path = format!("/api/media/{}?name=a%22%0d.html", kept["media"].as_str().unwrap());
        assert_eq!(request(&server, "GET", &path, &[]).status(), 400);
        let path = path.replace("%22%0d", "%22");
        let answer = request(&server, "GET", &path, &[]);
        let (kind, place) = (field(&answer, "content-type"), field(&answer, "content-disposition"));
        let is_safe = ["application/octet-stream", "text/plain; charset=utf-8", "image/gif"];
        assert!(is_safe.contains(&&*kind), "{file}: {kind}");
        assert!(place.starts_with("attachment") || kind == "image/gif", "{file}: {place}");
        assert!(place.ends_with("; filename*=UTF-8''a%22.html"), "{place}");
        assert!(field(&answer, "content-security-policy").contains("default-src 'none'"));
    }
}

#[test]
fn an_upload_has_its_own_limit_and_a_quota() {
    let server = with("[media]\nmax_bytes = 3000000\nquota_bytes = 5000000\n");
    let (status, refused) = upload(&server, "", &vec![0; 3_000_001]);
    assert_eq!((status, &refused["code"]), (413, &json!("too_large")));
    // More than a body may have elsewhere.
    assert_eq!(upload(&server, "", &vec![1; 3_000_000]).0, 201);
    let (status, refused) = upload(&server, "", &vec![2; 3_000_000]);
    assert_eq!((status, &refused["code"]), (507, &json!("media_full")));
    assert_eq!(kept(&server.home).len(), 1);
    let (_, list) = server.get("/api/media");
    assert_eq!((&list["count"], &list["bytes"]), (&json!(1), &json!(3_000_000)));
}

#[test]
fn an_upload_that_is_cut_or_killed_leaves_nothing() {
    let mut server = TestServer::start();
    let begin = |server: &TestServer| {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        let head = "POST /api/media HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&vec![7; 1_000_000]).unwrap();
        let home = server.home.clone();
        eventually("the upload is on the disk", || (kept(&home).len() == 1).then_some(()));
        socket
    };
    drop(begin(&server));
    eventually("it is gone", || kept(&server.home).is_empty().then_some(()));
    let socket = begin(&server);
    server.kill();
    drop(socket);
    assert_eq!(kept(&server.home).len(), 1);
    server.start_again();
    assert!(kept(&server.home).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_in_a_message_become_media_and_go_out_as_bytes() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    let body = json!({"message_type": "File", "content": "data:x/y;name=a%20b.txt;base64,aGk=",
        "recipient": "group_7", "platform": "qq"});
    let (status, made) = server.post(&body);
    assert_eq!((status, &made["content"]), (201, &json!("a b.txt")));
    let sent = server.until(made["id"].as_str().unwrap(), "Sent");
    let segment = &sent["segments"][0];
    assert_eq!((&segment["size"], &segment["mime"]), (&json!(2), &json!("text/plain")));
    assert_eq!(segment["url"], Value::Null);
    let data = peer.action("send_group_msg").await["params"]["message"][0]["data"].clone();
    assert_eq!((&data["file"], &data["name"]), (&json!("base64://aGk="), &json!("a b.txt")));
    // A file that was uploaded goes the same way.
    let (_, kept) = upload(&server, "", PNG);
    let segments = json!([{"type": "image", "media": kept["media"], "mime": "text/html"}]);
    let (status, made) =
        server.post(&json!({"segments": segments, "recipient": "group_7", "platform": "qq"}));
    assert_eq!(status, 201, "{made}");
    let sent = server.until(made["id"].as_str().unwrap(), "Sent");
    let expected = json!({"type": "image", "media": kept["media"], "mime": "image/png",
        "size": PNG.len(), "width": 1, "height": 1});
    assert_eq!(sent["segments"][0], expected);
    let file = peer.action("send_group_msg").await["params"]["message"][0]["data"]["file"].clone();
    assert!(file.as_str().unwrap().starts_with("base64://iVBORw0KGgo"), "{file}");
    let unknown = json!([{"type": "image", "media": "0".repeat(64)}]);
    let (status, refused) = server.post(&json!({"segments": unknown, "recipient": "group_7"}));
    assert_eq!((status, &refused["code"]), (400, &json!("unknown_media")));
}

/// A host of pictures: answers each path as its name says, and counts the requests.
pub struct Host {
    port: u16,
    requests: Arc<AtomicUsize>,
}

impl Host {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let count = count.clone();
                std::thread::spawn(move || answer(socket, port, &count));
            }
        });
        Self { port, requests }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn answer(mut socket: TcpStream, port: u16, count: &AtomicUsize) {
    let mut head = [0; 4096];
    let read = socket.read(&mut head).unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    assert!(!head.to_lowercase().contains("cookie"), "{head}");
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let before = count.fetch_add(1, Ordering::SeqCst);
    let whole = |status: &str, kind: &str, body: &[u8]| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
             set-cookie: a=b\r\nconnection: close\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let redirect = |to: String| {
        format!(
            "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        .into_bytes()
    };
    let bytes = match &*path {
        "late.png" if before < 1 => whole("503 Busy", "text/plain", b"later"),
        "expired.png" => whole("200 OK", "image/png", b"{\"retcode\":-5503007}"),
        "gone.png" => whole("404 Not Found", "text/plain", b"gone"),
        "huge.png" => whole("200 OK", "image/png", &vec![0; 200_000]),
        "endless.png" => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
            let zeros = vec![0; 65_536];
            while socket.write_all(&zeros).is_ok() {}
            return;
        }
        "short.png" => {
            b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\nconnection: close\r\n\r\nabc".to_vec()
        }
        "stalls.png" => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\nabc");
            let _ = socket.read(&mut [0]);
            return;
        }
        "inside.png" => redirect("http://127.0.0.2:1/".into()),
        "metadata.png" => redirect("http://169.254.169.254/latest/meta-data".into()),
        "round.png" => redirect(format!("http://127.0.0.1:{port}/round.png")),
        // Other bytes for each path.
        path if path.starts_with("own/") => {
            whole("200 OK", "image/png", &[PNG, path.as_bytes()].concat())
        }
        _ => whole("200 OK", "text/html", PNG),
    };
    let _ = socket.write_all(&bytes);
}

pub fn picture(id: i64, url: &str) -> Value {
    let mut event = group_message(1, 7, id, "");
    event["message"] = json!([{"type": "image", "data": {"file": "x.png", "url": url}}]);
    event
}

pub async fn dialled(server: &TestServer) -> Peer {
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap()
}

pub fn inbound(server: &TestServer) -> Vec<Value> {
    let (_, page) = server.get("/api/messages?direction=Inbound&limit=200");
    page["messages"].as_array().unwrap().clone()
}

pub const PRIVATE: &str = "[media]\nallow_private = ['127.0.0.1']\nmax_bytes = 100000\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_comes_in_is_fetched_and_told() {
    let (server, host) = (with(PRIVATE), Host::new());
    let mut client = crate::socket::Client::connect(&server).await;
    client.ask(&json!({"type": "subscribe", "events": ["message_updated"]})).await;
    let peer = dialled(&server).await;
    peer.push(&picture(1, &host.url("a.png")));
    client.event("adapter_status").await;
    client.message().await;
    let told = client.event("message_updated").await;
    let segment = told["segments"][0].clone();
    assert_eq!((&segment["mime"], &segment["width"]), (&json!("image/png"), &json!(1)));
    assert_eq!(segment["url"], host.url("a.png"));
    let path = format!("/api/media/{}", segment["media"].as_str().unwrap());
    assert_eq!(bytes(request(&server, "GET", &path, &[])), PNG);
    assert_eq!(inbound(&server)[0]["segments"][0], segment);
    assert_eq!(host.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_lie_get_nothing_kept_and_hold_nothing_up() {
    let (server, host) = (with(PRIVATE), Host::new());
    let peer = dialled(&server).await;
    let lies = ["expired", "gone", "huge", "endless", "short", "inside", "metadata", "round"];
    for (id, name) in (1..).zip(lies) {
        peer.push(&picture(id, &host.url(&format!("{name}.png"))));
    }
    for (id, url) in (20..).zip(["http://localhost:1/", "file:///etc/passwd", "http://[::1]:1/"]) {
        peer.push(&picture(id, url));
    }
    peer.push(&picture(30, &host.url("stalls.png")));
    peer.push(&picture(31, &host.url("a.png")));
    eventually("the honest one is here", || {
        let found = inbound(&server);
        found.iter().any(|one| one["segments"][0]["media"].is_string()).then_some(())
    });
    let found = inbound(&server);
    assert_eq!(found.len(), lies.len() + 5);
    assert_eq!(found.iter().filter(|one| one["segments"][0]["media"].is_string()).count(), 1);
    let of = |name: &str| {
        let is_it = |one: &&Value| one["segments"][0]["url"] == host.url(&format!("{name}.png"));
        format!("/api/messages/{}/media", found.iter().find(is_it).unwrap()["id"].as_str().unwrap())
    };
    for (name, part, code) in [
        ("expired", "text/plain where a picture should be", "not_a_picture"),
        ("gone", "404", "host_refused"),
        ("huge", "more than 100000 bytes", "too_large"),
        ("endless", "more than 100000 bytes", "too_large"),
        ("inside", "private network", "private_host"),
        ("metadata", "private network", "private_host"),
        ("round", "redirects", ""),
    ] {
        let (status, failed) = server.ask("POST", &of(name), None);
        assert_eq!((status, &failed["code"]), (502, &json!("not_fetched")), "{name}");
        assert!(failed["error"].as_str().unwrap().contains(part), "{name}: {failed}");
        let (_, message) = server.ask("GET", of(name).trim_end_matches("/media"), None);
        let failure = &message["segments"][0]["failure"];
        assert_eq!(failure["code"].as_str().unwrap_or_default(), code, "{name}: {message}");
        assert_eq!(failure["detail"], failed["detail"], "{name}: {failed}");
    }
    assert_eq!(server.get("/api/media").1["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_media_are_fetched_when_somebody_asks() {
    let (server, host) = (with(PRIVATE), Host::new());
    let peer = dialled(&server).await;
    let mut event = picture(1, "");
    event["message"] =
        json!([{"type": "video", "data": {"file": "v.mp4", "url": host.url("late.png")}}]);
    peer.push(&event);
    let id = eventually("it came in", || {
        inbound(&server).first().map(|one| one["id"].as_str().unwrap().to_owned())
    });
    let path = format!("/api/messages/{id}/media");
    let (status, failed) = server.ask("POST", &path, None);
    assert_eq!((status, &failed["code"]), (502, &json!("not_fetched")));
    assert_eq!(host.requests(), 1, "nobody asked for it before");
    let (status, message) = server.ask("POST", &path, None);
    assert_eq!(status, 200, "{message}");
    assert!(message["segments"][0]["media"].is_string());
    assert_eq!(server.ask("POST", &path, None).0, 200);
    assert_eq!(host.requests(), 2, "what is here is not fetched again");
    let text = server.make("group_7", "text");
    let (status, none) = server.ask("POST", &format!("/api/messages/{text}/media"), None);
    assert_eq!((status, &none["code"]), (409, &json!("unsupported")));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pictures_at_once_stay_within_bounds() {
    let (server, host) = (with(PRIVATE), Host::new());
    let peer = dialled(&server).await;
    let before = server.descriptors();
    for id in 1..=1000 {
        peer.push(&picture(id, &host.url(&format!("{id}.png"))));
    }
    let (mut most, mut here) = (0, 0);
    while here < 1000 {
        eventually("some more are here", || {
            most = most.max(server.descriptors());
            let (_, metrics) = server.get("/metrics");
            let mut lines = metrics.as_str()?.lines();
            let count = lines.find_map(|line| line.strip_prefix("rechat_media_fetched_total "))?;
            let count: usize = count.parse().unwrap();
            (count > here).then(|| here = count)
        });
    }
    assert!(most < before + 60, "{before} descriptors before, {most} meanwhile");
    assert_eq!(server.get("/api/media").1["count"], 1);
}

/// The most memory that a server had, in MiB.
fn most_memory(server: &TestServer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn ten_thousand_pictures_at_once() {
    const PICTURES: usize = 10_000;
    let (server, host) = (with(PRIVATE), Host::new());
    let peer = dialled(&server).await;
    let (before, memory) = (server.descriptors(), most_memory(&server));
    let began = std::time::Instant::now();
    for id in 0..PICTURES {
        let url = host.url(&format!("own/{id}.png"));
        peer.push(&picture(i64::try_from(id).unwrap() + 1, &url));
    }
    let (mut most, mut here) = (0, 0);
    while here < PICTURES {
        eventually("some more are here", || {
            most = most.max(server.descriptors());
            let count =
                usize::try_from(server.get("/api/media?limit=0").1["count"].as_u64()?).unwrap();
            (count > here || count == PICTURES).then(|| here = count)
        });
    }
    assert!(most < before + 60, "{before} descriptors before, {most} meanwhile");
    let now = most_memory(&server);
    assert!(now < memory + 100, "{memory} MiB before, {now} at most");
    eprintln!(
        "{PICTURES} pictures in {:?}: at most {now} MiB ({memory} before) and {most} descriptors \
         ({before} before)",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_media_are_fetched_leaves_no_reference_without_a_file() {
    let (mut server, host) = (with(PRIVATE), Host::new());
    for round in 0..4 {
        let peer = dialled(&server).await;
        let requests = host.requests();
        for id in 1..=40 {
            peer.push(&picture(round * 100 + id, &host.url(&format!("{round}-{id}.png"))));
        }
        eventually("some are asked for", || (host.requests() > requests + 5).then_some(()));
        server.kill();
        server.start_again();
        for message in inbound(&server) {
            let Some(media) = message["segments"][0]["media"].as_str() else { continue };
            let answer = request(&server, "GET", &format!("/api/media/{media}"), &[]);
            assert_eq!(bytes(answer), PNG);
        }
    }
    // Media that were not fetched before a kill are fetched after the start.
    eventually("all are here", || {
        inbound(&server).iter().all(|one| one["segments"][0]["media"].is_string()).then_some(())
    });
}

#[test]
fn a_file_that_is_removed_is_taken_out_of_its_messages() {
    let server = TestServer::start();
    let (_, kept_one) = upload(&server, "", PNG);
    let segments = json!([{"type": "image", "name": "a.png", "media": kept_one["media"]}]);
    let (_, made) = server.post(&json!({"segments": segments, "recipient": "group_1"}));
    let path = format!("/api/media/{}", kept_one["media"].as_str().unwrap());
    let (status, refused) = server.ask("DELETE", &path, None);
    assert_eq!((status, &refused["code"]), (409, &json!("in_use")), "it waits to be sent");
    let message = format!("/api/messages/{}", made["id"].as_str().unwrap());
    assert_eq!(server.ask("PATCH", &message, Some(&json!({"status": "Sent"}))).0, 200);
    let (status, removed) = server.ask("DELETE", &path, None);
    assert_eq!((status, removed), (200, json!({"deleted": true, "messages": 1})));
    assert_eq!(server.get(&path).0, 404);
    let (_, message) = server.get(&message);
    assert_eq!(
        (&message["content"], &message["segments"][0]["media"]),
        (&json!("a.png"), &Value::Null)
    );
    assert_eq!(server.ask("DELETE", &path, None).0, 404);
    assert!(kept(&server.home).is_empty());
}

/// A message with a file, in a store of its own; the name of the file.
fn with_a_file() -> (Home, String) {
    let home = Home::new();
    let file = home.path("a.png");
    std::fs::write(&file, PNG).unwrap();
    let sent = home.ok(&["send", "-r", "group_1", "-t", "image", file.to_str().unwrap()]);
    home.ok(&["set-status", sent.split_whitespace().next().unwrap(), "sent"]);
    let media = kept(&home)[0].file_name().unwrap().to_str().unwrap().to_owned();
    (home, media)
}

#[test]
fn an_export_with_its_media_is_taken_in_elsewhere() {
    for is_served in [false, true] {
        let (home, media) = with_a_file();
        let home = Arc::new(home);
        let server = is_served.then(|| TestServer::start_in(home.clone(), &[]));
        let lines = home.path("all.jsonl");
        home.ok(&["export", "--media", lines.to_str().unwrap()]);
        assert!(home.path(&format!("all.jsonl-media/{}/{media}", &media[..2])).exists());
        drop(server);
        let other = Arc::new(Home::new());
        let server = is_served.then(|| TestServer::start_in(other.clone(), &[]));
        other.ok(&["import", lines.to_str().unwrap()]);
        assert_eq!(std::fs::read(&kept(&other)[0]).unwrap(), PNG);
        let listed = other.ok(&["media"]);
        let fields: Vec<_> = listed.trim_end().split('\t').collect();
        assert_eq!((fields[0], fields[2]), (&*media, &*PNG.len().to_string()), "{listed}");
        other.ok(&["media", "--remove", &media[..4]]);
        assert!(kept(&other).is_empty());
        assert!(other.fails(1, &["media", "--remove", &media]).contains("there is no file"));
        drop(server);
    }
    assert!(Home::new().fails(2, &["export", "--media"]).contains("FILE"));
}

#[test]
fn a_backup_has_the_media_and_a_check_finds_what_is_wrong_with_them() {
    for is_served in [false, true] {
        let (home, media) = with_a_file();
        let home = Arc::new(home);
        let server = is_served.then(|| TestServer::start_in(home.clone(), &[]));
        let copy = home.path("copy.redb");
        let copy = copy.to_str().unwrap();
        let told = home.run(&["backup", copy]).stderr;
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains("1 file of messages") && told.contains("copy.redb-media"), "{told}");
        home.ok(&["backup", "--force", copy]);
        drop(server);
        let file = home.path(&format!("copy.redb-media/{}/{media}", &media[..2]));
        assert_eq!(std::fs::read(&file).unwrap(), PNG);
        assert!(!home.path("copy.redb.part-media").exists());
        let sound = home.ok(&["check", "--db", copy]);
        assert!(sound.contains("1 file, none is damaged or missing"), "{sound}");
        std::fs::write(&file, "x").unwrap();
        let output = home.run(&["check", "--db", copy]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("{media}: its bytes are not those of its name")), "{told}");
        std::fs::remove_file(&file).unwrap();
        let missing = home.ok(&["check", "--db", copy]);
        assert!(missing.contains(&format!("its file {media} is missing")), "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_too_large_for_a_frame_is_fetched_here_by_a_signed_address() {
    let server = with("token = 'secret-of-this-test'\n[media]\nurl = 'http://bridge:8080/'\n");
    let bearer = [("authorization", "Bearer secret-of-this-test")];
    let bytes_of_it = vec![7; (32 << 20) + 1];
    let mut post = ureq::http::Request::builder().method("POST").uri(server.url("/api/media"));
    post = post.header(bearer[0].0, bearer[0].1);
    let mut answer = agent().run(post.body(&*bytes_of_it).unwrap()).unwrap();
    let kept: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let url = format!("ws://{}/onebot/v11/ws?access_token=secret-of-this-test", server.address);
    let peer = Peer::dial(&url, &headers("1", "Universal"), willing()).await.unwrap();
    let body = json!({"segments": [{"type": "video", "media": kept["media"]}],
        "recipient": "group_7", "platform": "qq"});
    let mut post = ureq::http::Request::builder().method("POST").uri(server.url("/api/messages"));
    post = post.header(bearer[0].0, bearer[0].1).header("content-type", "application/json");
    assert_eq!(agent().run(post.body(body.to_string()).unwrap()).unwrap().status(), 201);
    let sent = peer.action("send_group_msg").await;
    let file = sent["params"]["message"][0]["data"]["file"].as_str().unwrap().to_owned();
    let path = file.strip_prefix("http://bridge:8080").unwrap();
    // No token, and a name of this host that only the implementation knows.
    let fetched = request(&server, "GET", path, &[("host", "bridge:8080")]);
    assert_eq!(field(&fetched, "x-content-type-options"), "nosniff");
    assert_eq!(bytes(fetched), bytes_of_it);
    for wrong in
        [path.replace("until=", "until=9"), path.replace("sig=", "sig=0"), path[..71].into()]
    {
        assert_eq!(request(&server, "GET", &wrong, &[]).status(), 403, "{wrong}");
    }
    assert_eq!(request(&server, "GET", &path.replace("/media/", "/api/media/"), &[]).status(), 401);
}

#[test]
fn a_picture_is_made_small() {
    let server = TestServer::start();
    let mut large = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(1200, 900).write_to(&mut large, image::ImageFormat::Png).unwrap();
    let (_, kept) = upload(&server, "", &large.into_inner());
    let path = format!("/api/media/{}/thumbnail", kept["media"].as_str().unwrap());
    let answer = request(&server, "GET", &path, &[]);
    assert_eq!(field(&answer, "content-type"), "image/webp");
    let small = image::load_from_memory(&bytes(answer)).unwrap();
    assert_eq!((small.width(), small.height()), (320, 240));
    let (_, text) = upload(&server, "", b"text");
    let path = format!("/api/media/{}/thumbnail", text["media"].as_str().unwrap());
    assert_eq!(server.get(&path).1["code"], "unsupported");
}
