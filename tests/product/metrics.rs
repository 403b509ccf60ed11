//! What `/metrics` tells.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers};
use crate::server::{TestServer, eventually};
use std::sync::Arc;

fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_messages_attempts_adapters_and_requests() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let refusing: Script = Arc::new(|_| Reply::refused(1404, "no"));
    let peer = Peer::dial(&url, &headers("1", "Universal"), refusing).await.unwrap();
    peer.push(&group_message(1, 7, 1, "hello"));
    peer.push_text("{garbage");
    server.until(&server.make_for(Some("qq"), "group_7", "x"), "Failed");
    server.make_for(Some("nowhere"), "group_7", "waits");
    assert_eq!(server.get("/api/nothing").0, 404);
    let wanted = [
        ("rechat_messages_total{direction=\"Inbound\",platform=\"qq\"}", 1.0),
        ("rechat_messages_total{direction=\"Outbound\",platform=\"nowhere\"}", 1.0),
        ("rechat_attempts_total{platform=\"qq\",outcome=\"refused\"}", 1.0),
        ("rechat_stored{status=\"failed\"}", 1.0),
        ("rechat_stored{status=\"pending\"}", 1.0),
        ("rechat_adapter_state{platform=\"qq\",account=\"1\",state=\"Connected\"}", 1.0),
        ("rechat_http_requests_total{route=\"other\",code=\"404\"}", 1.0),
        ("rechat_http_requests_total{route=\"/api/messages\",code=\"201\"}", 2.0),
        ("rechat_frames_skipped_total", 1.0),
        ("rechat_sessions_behind", 0.0),
    ];
    let text = eventually("all is counted", || {
        let (_, text) = server.get("/metrics");
        let text = text.as_str().unwrap().to_owned();
        wanted.iter().all(|(name, n)| value(&text, name) == Some(*n)).then_some(text)
    });
    assert!(value(&text, "rechat_commit_seconds_count").unwrap() >= 3.0, "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}
