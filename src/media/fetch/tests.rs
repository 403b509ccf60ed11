//! Hosts that are allowed, hosts that are not, and hosts that lie.

use super::*;
use crate::media::bounds::BlobBounds;
use std::io::{Read, Write};
use std::net::TcpListener;

/// A host that gives the next answer to each connection.
fn host(answers: Vec<String>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(answer.as_bytes());
        }
    });
    port
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn redirect(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

async fn fetch(url: &str, allowed: &[&str]) -> Result<u64, FetchFailure> {
    let folder = tempfile::tempdir().unwrap();
    let allowed = Allowed::new(allowed.iter().map(|&host| host.to_owned()));
    let bounds = BlobBounds { max_bytes: 10, ..BlobBounds::NONE };
    let blobs = Blobs::open(folder.path(), bounds).unwrap();
    let fetcher = Fetcher::new(allowed, blobs, Duration::from_mins(1));
    let upload = fetcher.fetch(url).await?;
    let size = upload.size();
    upload.finish()?;
    Ok(size)
}

#[tokio::test]
async fn a_host_that_is_allowed_is_fetched_from() {
    let port = host(vec![ok("hello")]);
    let url = format!(" HTTP://127.0.0.1:{port}/a.png ");
    assert_eq!(fetch(&url, &["127.0.0.1"]).await, Ok(5));
}

#[tokio::test]
async fn private_hosts_are_refused_by_address_by_name_and_behind_a_redirect() {
    for url in ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost:1/", "http://0x7f.1:1/"]
    {
        let failure = fetch(url, &[]).await.unwrap_err();
        assert!(failure.reason.contains("private network"), "{url}: {failure}");
        assert!(!failure.is_passing(), "{url}: another attempt would be refused too");
    }
    for (to, reason) in [
        ("http://127.0.0.2:1/", "private network"),
        ("http://localhost:1/", "private network"),
        ("file:///etc/passwd", "`file:` is not fetched"),
    ] {
        let port = host(vec![redirect(to)]);
        let url = format!("http://127.0.0.1:{port}/");
        let failure = fetch(&url, &["127.0.0.1"]).await.unwrap_err();
        assert!(failure.reason.contains(reason) && !failure.is_passing(), "{to}: {failure}");
    }
}

#[tokio::test]
async fn schemes_and_passwords_are_refused() {
    for url in ["file:///etc/passwd", "ftp://example.org/", "base64://AAAA", "no address"] {
        assert!(!fetch(url, &[]).await.unwrap_err().is_passing(), "{url}");
    }
    assert!(fetch("http://a:b@example.org/", &[]).await.unwrap_err().reason.contains("password"));
}

#[tokio::test]
async fn redirects_and_bytes_are_bounded() {
    let port = host(vec![redirect("/again"); 20]);
    let failure = fetch(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await.unwrap_err();
    assert!(failure.reason.contains("redirects"), "{failure}");
    for body in ["more than ten", "no length, and more than ten"] {
        let with_length = ok(body);
        let answer = if body.starts_with("no") {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}")
        } else {
            with_length
        };
        let port = host(vec![answer]);
        let failure = fetch(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await;
        assert!(failure.unwrap_err().reason.contains("more than 10 bytes"));
    }
}

#[tokio::test]
async fn what_a_host_answers_tells_whether_to_try_again() {
    for (status, is_passing) in [("404 Not Found", false), ("503 Busy", true)] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let port = host(vec![answer]);
        let failure = fetch(&format!("http://127.0.0.1:{port}/"), &["127.0.0.1"]).await;
        assert_eq!(failure.unwrap_err().is_passing(), is_passing, "{status}");
    }
}
