//! Clients that send files too slowly or without an end, and interruptions: no space for files, a
//! full disk, a killed process.

use crate::media::{Host, PNG, PRIVATE, dialled, inbound, kept, picture, upload, with};
use crate::media_parts::hash;
use crate::server::{TestServer, agent, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A connection whose request has a head and no body yet.
fn begun(server: &TestServer, head: &str) -> TcpStream {
    let mut socket = TcpStream::connect(&server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket.write_all(format!("{head}\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
    socket
}

/// The first line of the answer, while `more` is sent again and again.
fn answered(socket: &mut TcpStream, more: &[u8]) -> String {
    let mut answer = Vec::new();
    eventually("it is answered", || {
        let _ = socket.write(more);
        let mut piece = [0; 4096];
        match socket.read(&mut piece) {
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        let text = String::from_utf8_lossy(&answer);
        text.split_once("\r\n").map(|(line, _)| line.to_owned())
    })
}

#[test]
fn a_file_that_drips_is_ended_so_that_others_have_its_place() {
    let server = with("[limits]\nbody_seconds = 1\nuploads = 1\n");
    let (status, made) =
        request(&server, "POST", "/api/uploads", &[("upload-length", "900000")], b"")
            .expect("it answers");
    assert_eq!(status, 201, "{made}");
    let part = format!(
        "PATCH /api/uploads/{} HTTP/1.1\r\nupload-offset: 0\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: 900000",
        made["id"].as_str().unwrap()
    );
    for head in ["POST /api/media HTTP/1.1\r\ncontent-length: 900000", &part] {
        let mut socket = begun(&server, head);
        let status = answered(&mut socket, b"x");
        assert!(status.starts_with("HTTP/1.1 408"), "{head}: {status}");
        eventually("there is a place again", || (upload(&server, "", PNG).0 == 201).then_some(()));
    }
    assert_eq!(server.get("/api/media").1["count"], 1);
}

#[test]
fn a_file_without_an_end_is_refused_at_the_limit() {
    let server = with("[media]\nmax_bytes = 100000\n");
    let mut socket = begun(&server, "POST /api/media HTTP/1.1\r\ntransfer-encoding: chunked");
    let chunk = [b"8000\r\n".as_slice(), &vec![7; 0x8000], b"\r\n"].concat();
    socket.write_all(&chunk.repeat(4)).unwrap();
    // The server reads on for a while, so that clients who look at the answer last see it.
    let status = answered(&mut socket, b"");
    assert!(status.starts_with("HTTP/1.1 413"), "{status}");
    eventually("nothing is left", || kept(&server.home).is_empty().then_some(()));
}

#[test]
fn a_disk_that_is_to_keep_room_for_messages_takes_them_and_no_files() {
    let server = with("[media]\nreserve_bytes = 9000000000000000\n");
    let (status, refused) = upload(&server, "", PNG);
    assert_eq!((status, &refused["code"]), (507, &json!("media_full")), "{refused}");
    let length = [("upload-length", "5")];
    let (status, refused) = request(&server, "POST", "/api/uploads", &length, b"").unwrap();
    assert_eq!((status, &refused["code"]), (507, &json!("media_full")), "{refused}");
    assert!(kept(&server.home).is_empty());
    server.make("group_1", "a message");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_finds_no_room_is_fetched_once_there_is_some() {
    let (server, host) = (with(&format!("{PRIVATE}quota_bytes = 100\n")), Host::new());
    let (_, first) = upload(&server, "", &[7; 90]);
    let peer = dialled(&server).await;
    peer.push(&picture(1, &host.url("a.png")));
    let told = eventually("the failure is told", || {
        let segment = inbound(&server).first()?["segments"][0].clone();
        segment["failure"].is_object().then_some(segment)
    });
    assert_eq!((&told["failure"]["retryable"], &told["media"]), (&json!(true), &Value::Null));
    assert!(told["failure"]["reason"].as_str().unwrap().contains("media.quota_bytes"), "{told}");
    let fetch = format!("/api/messages/{}/media", inbound(&server)[0]["id"].as_str().unwrap());
    assert_eq!(server.ask("POST", &fetch, None).0, 507);
    let path = format!("/api/media/{}", first["media"].as_str().unwrap());
    assert_eq!(server.ask("DELETE", &path, None).0, 200);
    let (status, message) = server.ask("POST", &fetch, None);
    assert_eq!((status, &message["segments"][0]["media"]), (200, &json!(hash(PNG))), "{message}");
}

/// A host that answers nothing until it is told to, and then that there is no such picture; the paths that
/// were asked for, in their order.
fn slow_host() -> (String, Arc<AtomicBool>, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (answers, asked): (Arc<AtomicBool>, Arc<Mutex<Vec<_>>>) = Default::default();
    let (may_answer, paths) = (answers.clone(), asked.clone());
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let read = socket.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            paths.lock().unwrap().push(head.split(' ').nth(1).unwrap_or_default().to_owned());
            while !may_answer.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = socket
                .write_all(b"HTTP/1.1 404 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    (url, answers, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_many_pictures_does_not_keep_others_waiting() {
    let server = with("[media]\nallow_private = ['127.0.0.1']\nfetches = 1\n");
    let (url, answers, asked) = slow_host();
    let peer = dialled(&server).await;
    let mut many = picture(1, "");
    let images = (0..12).map(
        |at| json!({"type": "image", "data": {"file": "x.png", "url": format!("{url}/many/{at}")}}),
    );
    many["message"] = images.collect();
    peer.push(&many);
    peer.push(&picture(2, &format!("{url}/other")));
    eventually("both are here", || (inbound(&server).len() == 2).then_some(()));
    answers.store(true, Ordering::SeqCst);
    let paths = eventually("all were asked for", || {
        let paths = asked.lock().unwrap().clone();
        (paths.len() == 13).then_some(paths)
    });
    let other = paths.iter().position(|path| path == "/other").unwrap();
    assert!(other < 12, "{paths:?}");
    let all: std::collections::BTreeSet<_> = paths.iter().collect();
    assert_eq!(all.len(), 13, "each was asked for once: {paths:?}");
}

/// A request that may get no answer, for the server may be killed meanwhile.
fn request(
    server: &TestServer,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Option<(u16, Value)> {
    let mut request = ureq::http::Request::builder().method(method).uri(server.url(path));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut answer = agent().run(request.body(body).unwrap()).ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
}

/// Keeps a file as a whole or in two parts, and makes a message of it; the file's name once the server
/// said that the message is kept.
fn sends(server: &TestServer, number: u32) -> Option<String> {
    let bytes: Vec<u8> = number.to_le_bytes().repeat(20_000);
    if number.is_multiple_of(2) {
        let (status, kept) = request(server, "POST", "/api/media", &[], &bytes)?;
        assert_eq!(status, 201, "{kept}");
    } else {
        let length = bytes.len().to_string();
        let (_, made) =
            request(server, "POST", "/api/uploads", &[("upload-length", &length)], b"")?;
        let path = format!("/api/uploads/{}", made["id"].as_str()?);
        let (first, rest) = bytes.split_at(bytes.len() / 3);
        for (offset, part) in [(0, first), (first.len(), rest)] {
            let offset = offset.to_string();
            let kind = ("content-type", "application/offset+octet-stream");
            let fields = [("upload-offset", &*offset), kind];
            let (status, kept) = request(server, "PATCH", &path, &fields, part)?;
            assert_eq!(status, 204, "{kept}");
        }
    }
    let media = hash(&bytes);
    let segments = json!([{"type": "file", "name": "a.bin", "media": media}]);
    let body = json!({"segments": segments, "recipient": "group_1", "platform": "nowhere"});
    let (status, made) = server.try_ask("POST", "/api/messages", Some(&body)).ok()?;
    assert_eq!(status, 201, "{made}");
    Some(media)
}

#[test]
fn kills_leave_no_half_file_and_no_message_without_its_file() {
    let mut server = with("");
    let (next, done) = (AtomicU32::new(0), Mutex::new(Vec::new()));
    for round in 1..=4 {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some(media) = sends(&server, next.fetch_add(1, Ordering::Relaxed)) {
                        done.lock().unwrap().push(media);
                    }
                });
            }
            let is_enough = || (done.lock().unwrap().len() >= round * 5).then_some(());
            eventually("some files are acknowledged", is_enough);
            server.signal(Signal::KILL);
        });
        server.kill();
        let checked = server.home.ok(&["check"]);
        // A kill may come between a file and its message: such a file is of no message.
        let files = checked.lines().find(|line| line.contains("-media: ")).unwrap();
        let is_whole = !files.contains("damaged") && !files.contains("missing");
        assert!(is_whole || files.ends_with("none is damaged or missing"), "{checked}");
        server.start_again();
        for media in done.lock().unwrap().iter() {
            assert_eq!(server.get(&format!("/api/media/{media}/address")).0, 200, "{media}");
        }
        let half = kept(&server.home).into_iter().filter(|path| {
            // Uploads in parts have an extension, and may go on.
            path.extension().is_none() && path.file_name().unwrap().len() != 64
        });
        assert_eq!(half.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }
}
