//! Uploads that go on after a break, addresses for browsers, and the list of files.

use crate::media::{PNG, bytes, request, upload, with};
use crate::server::{Home, TestServer, agent, eventually};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Fields<'a> = &'a [(&'a str, &'a str)];

const PART: &str = "application/offset+octet-stream";

#[allow(clippy::format_collect, reason = "a short text")]
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn metadata(name: &str, sha256: &str) -> String {
    let encoded = |text: &str| BASE64_STANDARD.encode(text);
    format!("filename {},sha256 {}", encoded(name), encoded(sha256))
}

/// The status, the header fields of tus, and the JSON of an answer.
fn tus(
    server: &TestServer,
    method: &str,
    path: &str,
    fields: Fields<'_>,
    body: &[u8],
) -> (u16, [Option<String>; 2], Value) {
    let mut request = ureq::http::Request::builder().method(method).uri(server.url(path));
    for (name, value) in [("tus-resumable", "1.0.0")].iter().chain(fields) {
        request = request.header(*name, *value);
    }
    let mut answer = if ["POST", "PATCH"].contains(&method) {
        agent().run(request.body(body).unwrap()).unwrap()
    } else {
        agent().run(request.body(()).unwrap()).unwrap()
    };
    let field = |name: &str| Some(answer.headers().get(name)?.to_str().unwrap().to_owned());
    let told = ["location", "upload-offset"].map(field);
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), told, serde_json::from_str(&text).unwrap_or_default())
}

/// The path of a new upload.
fn begun(server: &TestServer, fields: Fields<'_>) -> String {
    let (status, [place, _], state) = tus(server, "POST", "/api/uploads", fields, b"");
    assert_eq!(status, 201, "{state}");
    format!("/api/{}", place.unwrap())
}

fn append(server: &TestServer, path: &str, offset: u64, part: &[u8]) -> (u16, Value) {
    let fields = [("content-type", PART), ("upload-offset", &*offset.to_string())];
    let (status, _, told) = tus(server, "PATCH", path, &fields, part);
    (status, told)
}

#[test]
fn an_upload_goes_on_after_a_break_and_a_kill() {
    let mut server = with("");
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(3_000_000).collect();
    let path = begun(&server, &[("upload-length", "3000000")]);
    assert_eq!(append(&server, &path, 0, &all[..1_000_000]).0, 204);
    // The connection breaks in the middle of the next part.
    let mut socket = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nhost: localhost\r\ntus-resumable: 1.0.0\r\n\
         content-type: {PART}\r\nupload-offset: 1000000\r\ncontent-length: 2000000\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&all[1_000_000..1_500_000]).unwrap();
    drop(socket);
    let there = |server: &TestServer| server.get(&path).1["offset"].as_u64().unwrap();
    eventually("what came is kept", || (there(&server) == 1_500_000).then_some(()));
    server.kill();
    server.start_again();
    assert_eq!(there(&server), 1_500_000);
    let (status, wrong) = append(&server, &path, 1_000_000, &all[1_000_000..]);
    assert_eq!((status, &wrong["code"]), (409, &json!("wrong_offset")));
    let (status, [_, offset], _) = tus(&server, "HEAD", &path, &[], b"");
    assert_eq!((status, offset.as_deref()), (200, Some("1500000")));
    assert_eq!(append(&server, &path, 1_500_000, &all[1_500_000..]).0, 204);
    let (_, done) = server.get(&path);
    assert_eq!(done["media"], hash(&all), "{done}");
    let media = format!("/api/media/{}", hash(&all));
    assert_eq!(bytes(request(&server, "GET", &media, &[])), all);
    assert_eq!(tus(&server, "DELETE", &path, &[], b"").0, 204);
    assert_eq!(server.get(&path).0, 404);
    assert_eq!(server.get("/api/media").1["count"], 1, "the file stays");
}

#[test]
fn an_upload_ends_with_the_file_that_was_told_or_with_none() {
    let server = with("[media]\nmax_bytes = 100\nquota_bytes = 150\n");
    let told = metadata("..\\a b.bin", &hash(b"hello"));
    let fields = [("upload-length", "5"), ("upload-metadata", &*told)];
    let path = begun(&server, &fields);
    assert_eq!(server.get(&path).1["name"], "a b.bin");
    assert_eq!(append(&server, &path, 0, b"he").0, 204);
    assert_eq!(begun(&server, &fields), path, "the same file goes on");
    let (status, other) = append(&server, &path, 2, b"LLO");
    assert_eq!((status, &other["code"]), (422, &json!("other_bytes")));
    assert_eq!((server.get(&path).0, &server.get("/api/media").1["count"]), (404, &json!(0)));
    let path = begun(&server, &fields);
    let (status, long) = append(&server, &path, 0, b"hello!");
    assert_eq!((status, &long["code"]), (413, &json!("too_large")));
    assert_eq!(append(&server, &path, 0, b"hello").0, 204);
    // The bytes are here: nothing has to go up, even where there is no room.
    assert_eq!(upload(&server, "", &[7; 100]).0, 201);
    assert_eq!(upload(&server, "", &[8; 50]).1["code"], "media_full");
    assert_eq!(upload(&server, "", &[7; 100]).0, 201);
    let again = begun(&server, &fields);
    assert_eq!(server.get(&again).1["media"], hash(b"hello"));
    for (fields, status) in [
        (&[("upload-length", "101")][..], 413),
        (&[("upload-length", "0")], 400),
        (&[("upload-length", "+5")], 400),
        (&[], 400),
        (&[("upload-length", "5"), ("upload-metadata", "sha256 !")], 400),
        (&[("upload-length", "60")], 507),
    ] {
        assert_eq!(tus(&server, "POST", "/api/uploads", fields, b"").0, status, "{fields:?}");
    }
    let other = [("tus-resumable", "0.2.2"), ("upload-length", "5")];
    let mut request = ureq::http::Request::builder().method("POST").uri(server.url("/api/uploads"));
    for (name, value) in other {
        request = request.header(name, value);
    }
    assert_eq!(agent().run(request.body(()).unwrap()).unwrap().status(), 412);
    let fields = [("content-type", "text/plain"), ("upload-offset", "0")];
    assert_eq!(tus(&server, "PATCH", &again, &fields, b"").0, 415);
    for path in ["/api/uploads/x", &format!("/api/uploads/{}", uuid::Uuid::nil())] {
        assert_eq!(append(&server, path, 0, b"x").0, 404, "{path}");
    }
}

/// A proxy in front of a server that cuts connections: each but the last few after some bytes.
fn cutting(address: &str, cuts: usize, after: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (address, count) = (address.to_owned(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&address).unwrap();
            let left = if count.fetch_add(1, Ordering::SeqCst) < cuts { after } else { usize::MAX };
            let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut to));
            std::thread::spawn(move || {
                let (mut client, mut server) = (client, server);
                let _ = std::io::copy(&mut (&mut client).take(left as u64), &mut server);
                let _ = client.shutdown(std::net::Shutdown::Both);
                let _ = server.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (port, counted)
}

fn large_file(home: &Home, bytes: &[u8]) -> PathBuf {
    let path = home.path("large.bin");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_command_goes_on_with_a_large_file_over_connections_that_break() {
    let server = with("");
    let all: Vec<u8> =
        (0..20_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let path = large_file(&server.home, &all);
    let (port, connections) = cutting(&server.address, 3, 6_000_000);
    let url = format!("http://127.0.0.1:{port}");
    let file = path.to_str().unwrap();
    let sent =
        ["send", "--server", &url, "-r", "group_1", "--platform", "loopback", "--file", file];
    server.home.ok(&sent);
    assert!(connections.load(Ordering::SeqCst) > 3, "it went on over other connections");
    let (_, page) = server.get("/api/messages?limit=1");
    let segment = &page["messages"][0]["segments"][0];
    assert_eq!((&segment["media"], &segment["name"]), (&json!(hash(&all)), &json!("large.bin")));
    let media = format!("/api/media/{}", hash(&all));
    assert_eq!(hash(&bytes(request(&server, "GET", &media, &[]))), hash(&all));
}

#[test]
fn an_address_for_a_browser_holds_for_one_file_and_needs_no_token() {
    let home = Arc::new(Home::new());
    let mut server = TestServer::start_in(home, &["--token", "secret-of-this-test"]);
    let bearer = ("authorization", "Bearer secret-of-this-test");
    let mut post = ureq::http::Request::builder().method("POST").uri(server.url("/api/media"));
    post = post.header(bearer.0, bearer.1);
    let mut answer = agent().run(post.body(PNG).unwrap()).unwrap();
    let kept: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let media = kept["media"].as_str().unwrap();
    let address = format!("/api/media/{media}/address");
    assert_eq!(request(&server, "GET", &address, &[]).status(), 401);
    let told = bytes(request(&server, "GET", &address, &[bearer]));
    let told: Value = serde_json::from_slice(&told).unwrap();
    let path = format!("/{}", told["path"].as_str().unwrap());
    assert!(told["until"].as_u64().unwrap() > 0 && !path.contains("secret"), "{told}");
    let part = request(&server, "GET", &path, &[("range", "bytes=0-3")]);
    assert_eq!((part.status().as_u16(), bytes(part)), (206, PNG[..4].to_vec()));
    let elsewhere = [("sec-fetch-site", "cross-site")];
    assert_eq!(request(&server, "GET", &path, &elsewhere).status(), 403);
    let other = path.replace(media, &"0".repeat(64));
    for wrong in [path.replace("until=", "until=9"), path.replace("sig=", "sig=0"), other] {
        assert_eq!(request(&server, "GET", &wrong, &[]).status(), 403, "{wrong}");
    }
    let unknown = format!("/api/media/{}/address", "0".repeat(64));
    assert_eq!(request(&server, "GET", &unknown, &[bearer]).status(), 404);
    // The key does not outlive the server.
    server.kill();
    server.start_again();
    assert_eq!(request(&server, "GET", &path, &[]).status(), 403);
}

#[test]
fn files_are_listed_by_the_names_that_messages_give_them() {
    let server = with("");
    let (_, named) = upload(&server, "?name=kept.png", PNG);
    let (_, unnamed) = upload(&server, "", b"nobody has it");
    let before = server.get("/api/media").1;
    let segments = json!([{"type": "image", "name": "cat\u{1b}.png", "media": named["media"]}]);
    let body = json!({"segments": segments, "recipient": "group_1", "platform": "loopback"});
    assert_eq!(server.post(&body).0, 201);
    let (_, list) = server.get("/api/media");
    let of = |list: &Value, media: &Value| {
        let found = list["media"].as_array().unwrap().iter().find(|one| one["media"] == *media);
        found.unwrap().clone()
    };
    assert_eq!(of(&list, &named["media"])["name"], "cat\u{1b}.png");
    assert!(of(&list, &unnamed["media"])["name"].is_null(), "{list}");
    for one in [&named["media"], &unnamed["media"]] {
        let times = [&before, &list].map(|list| of(list, one)["stored_at"].clone());
        assert_eq!(times[0], times[1], "making a message of a file does not change its time");
    }
    let used_in = &of(&list, &named["media"])["used_in"];
    assert_eq!(
        (&used_in["platform"], &used_in["conversation"]),
        (&json!("loopback"), &json!("group_1"))
    );
    assert!(of(&list, &unnamed["media"])["used_in"].is_null(), "{list}");
    let id = used_in["message"].as_str().unwrap();
    let shown = server.home.ok(&["get", id]);
    let line = shown.lines().find(|line| line.starts_with("image ")).expect("a line for the file");
    let expected = format!(", image/png, 1 × 1, {} bytes, {}", PNG.len(), hash(PNG));
    assert!(line.contains("cat\\u{1b}.png") && line.ends_with(&expected), "{line}");
    let shown = server.home.ok(&["media"]);
    let line = shown.lines().find(|line| line.contains(&hash(PNG))).unwrap();
    assert!(line.ends_with("\tgroup_1"), "{line}");
    assert!(shown.contains("cat\\u{1b}.png") || shown.contains("cat\\x1b.png"), "{shown}");
}
