//! Every refusal is JSON that names what is wrong, and the connection goes on.

use crate::server::{Home, TestServer, agent};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// Sends raw bytes and reads until `wanted` answers have come, or the server closes.
fn raw(server: &TestServer, request: &str, wanted: usize) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(crate::server::DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answers = String::new();
    let mut piece = [0; 4096];
    while answers.matches("HTTP/1.1 ").count() < wanted || !answers.ends_with('}') {
        let n = stream.read(&mut piece).unwrap();
        if n == 0 {
            break;
        }
        answers.push_str(std::str::from_utf8(&piece[..n]).unwrap());
    }
    answers
}

/// The JSON error of a raw answer, whose status has to be this.
fn error_of(answer: &str, status: u16) -> String {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

fn post(server: &TestServer, media_type: &str, body: &str) -> (u16, Value) {
    let request = agent().post(server.url("/api/messages")).header("content-type", media_type);
    let mut answer = request.send(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

#[test]
fn bodies_that_cannot_be_taken_are_refused_by_what_is_wrong() {
    let home = Arc::new(Home::new());
    home.configure("[limits]\nbody_bytes = 2000\nbody_seconds = 1\n");
    let server = TestServer::start_in(home, &[]);
    for (media_type, body, status, named) in [
        ("text/plain", "{}", 415, "Content-Type"),
        ("application/json", &*"x".repeat(3000), 413, "2000 bytes"),
        ("application/json", "{bad", 400, "is not valid"),
        ("application/json", "", 400, "is not valid"),
        ("application/json", "[]", 400, "is not valid"),
        ("application/json; charset=utf-8", "{}", 400, "recipient"),
        ("application/json", r#"{"recipient":"g"}"#, 400, "message_type"),
        ("application/json", r#"{"recipient":"g","message_type":"Text"}"#, 400, "content"),
        ("application/json", r#"{"recipient":"g","segments":[]}"#, 400, "`segments`"),
        ("application/json", r#"{"recipient":"g","segments":[{"type":"x"}]}"#, 400, "x"),
        ("application/json", r#"{"recipient":"g","segments":[["text","x"]]}"#, 400, "an object"),
        (
            "application/json",
            r#"{"recipient":"g","segments":[{"type":"image"}]}"#,
            400,
            "segments[0].url",
        ),
    ] {
        let (answered, error) = post(&server, media_type, body);
        let text = error["error"].as_str().unwrap();
        assert!(answered == status && text.contains(named), "{body:.20}: {answered} {text}");
    }
    let head =
        "POST /api/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let slow = raw(&server, &format!("{head}Content-Length: 50\r\n\r\n{{\"a"), 1);
    assert!(error_of(&slow, 408).contains("1 s"));
}

/// One of them may have been checked before us, and another taken.
#[test]
fn a_request_with_two_hosts_is_refused() {
    let server = TestServer::start();
    for hosts in [["localhost", "evil.example"], ["evil.example", "localhost"], ["localhost"; 2]] {
        let [first, second] = hosts;
        let request = format!("GET /api/stats HTTP/1.1\r\nHost: {first}\r\nHost: {second}\r\n\r\n");
        assert!(error_of(&raw(&server, &request, 1), 400).contains("`Host`"), "{hosts:?}");
    }
}

#[test]
fn heads_that_are_too_large_are_refused() {
    let server = TestServer::start();
    let many = (0..90).map(|i| format!("X-{i}: y\r\n")).collect::<Vec<_>>().concat();
    for fields in [format!("X-Big: {}\r\n", "x".repeat(80_000)), many] {
        let request = format!("GET /api/stats HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
        assert!(error_of(&raw(&server, &request, 1), 431).contains("head"));
    }
}

#[test]
fn unknown_paths_and_methods_are_told_what_there_is() {
    let server = TestServer::start();
    let (status, error) = server.get("/api/nothing");
    assert!(status == 404 && error["error"].as_str().unwrap().contains("/api/nothing"));
    let request = "PUT /api/stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    let answer = raw(&server, request, 1);
    assert!(answer.contains("allow: GET, HEAD"), "{answer}");
    assert!(error_of(&answer, 405).contains("GET"));
}

#[test]
fn what_is_no_http_is_told_so_in_json() {
    let server = TestServer::start();
    for request in [
        "GARBAGE\r\n\r\n",
        "GET /api/health HTTP/9.9\r\n\r\n",
        "GET /api/health HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    ] {
        let answer = raw(&server, request, 1);
        assert!(error_of(&answer, 400).contains("no HTTP request"), "{request}: {answer}");
        assert!(answer.contains("content-type: application/json"), "{answer}");
    }
    let good = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answers = raw(&server, &format!("{good}GARBAGE\r\n\r\n"), 2);
    let second = answers.rfind("HTTP/1.1 400").unwrap_or_else(|| panic!("{answers}"));
    assert!(error_of(&answers[second..], 400).contains("no HTTP request"));
}

#[test]
fn fields_that_decide_about_a_request_stand_in_it_once() {
    let server = TestServer::start();
    for path in ["/api/health", "/api/stats", "/", "/onebot/v11/ws", "/nowhere"] {
        let without = raw(&server, &format!("GET {path} HTTP/1.1\r\n\r\n"), 1);
        assert!(error_of(&without, 400).contains("no `Host`"), "{path}: {without}");
        for (field, value) in [
            ("Host", "localhost"),
            ("Origin", "http://localhost"),
            ("Authorization", "Bearer x"),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
            ("Idempotency-Key", "a"),
            ("Last-Event-ID", "1"),
            ("Sec-Fetch-Site", "none"),
        ] {
            let twice = format!("{field}: {value}\r\n").repeat(2);
            let host = if field == "Host" { "" } else { "Host: localhost\r\n" };
            let answer = raw(&server, &format!("GET {path} HTTP/1.1\r\n{host}{twice}\r\n"), 1);
            let text = format!("more than one `{field}`");
            assert!(error_of(&answer, 400).contains(&text), "{path}: {answer}");
        }
    }
    // HTTP/1.0 has no `Host`.
    let old = raw(&server, "GET /api/health HTTP/1.0\r\n\r\n", 1);
    assert!(old.starts_with("HTTP/1.0 200 ") || old.starts_with("HTTP/1.1 200 "), "{old}");
}

#[test]
fn a_websocket_of_another_version_is_told_the_one_that_is_spoken() {
    let server = TestServer::start();
    for path in ["/ws/client", "/onebot/v11/ws"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n"
        );
        let answer = raw(&server, &request, 1);
        assert!(error_of(&answer, 426).contains("version 13"), "{answer}");
        assert!(answer.contains("sec-websocket-version: 13\r\n"), "{answer}");
        let plain = raw(&server, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 1);
        assert!(error_of(&plain, 426).contains("WebSocket"), "{plain}");
    }
}

#[test]
fn bodies_are_read_as_programs_write_them() {
    let server = TestServer::start();
    for (content, kept) in
        [(r#""half \ud83d pair""#, "half \u{fffd} pair"), (r#""first", "content": "last""#, "last")]
    {
        let body = format!(
            "\u{feff}{{\"message_type\": \"Text\", \"recipient\": \"group_1\", \"content\": {content}}}"
        );
        let (status, message) = post(&server, "application/json", &body);
        assert_eq!((status, &message["content"]), (201, &Value::from(kept)), "{message}");
    }
    let (status, error) = post(&server, "application/json", "\u{feff}{\"message_type\": 5}");
    assert!(status == 400 && error["error"].as_str().unwrap().contains("message_type"), "{error}");
}

#[test]
fn one_connection_serves_many_requests_also_at_once() {
    let server = TestServer::start();
    let request = "GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answers = raw(&server, &request.repeat(3), 3);
    assert_eq!(answers.matches("{\"status\":\"ok\"}").count(), 3);
}

#[test]
fn strangers_and_foreign_pages_are_kept_out() {
    let server = TestServer::start_with(&["--token", "secret"]);
    let ask = |fields: &str| {
        let request = format!("GET /api/stats HTTP/1.1\r\n{fields}\r\n");
        raw(&server, &request, 1)
    };
    let token = "Authorization: Bearer secret\r\n";
    assert!(error_of(&ask("Host: localhost\r\n"), 401).contains("token"));
    let wrong = ask("Host: localhost\r\nAuthorization: Bearer wrong\r\n");
    assert!(wrong.contains("www-authenticate: Bearer"), "{wrong}");
    assert!(error_of(&ask(&format!("Host: evil.example\r\n{token}")), 421).contains("Host"));
    let foreign = format!("Host: localhost\r\nOrigin: http://evil.example\r\n{token}");
    assert!(error_of(&ask(&foreign), 403).contains("Origin"));
    let own = format!("Host: localhost:80\r\nOrigin: http://localhost:80\r\n{token}");
    assert!(ask(&own).starts_with("HTTP/1.1 200 "));
    assert_eq!(server.get("/api/health").0, 200);
    assert_eq!(server.get("/api/stats?access_token=secret").0, 401);
    assert!(!server.log().contains("secret"));
}
