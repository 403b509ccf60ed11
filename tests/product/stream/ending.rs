//! How streams and sessions end.

use super::{EVENTS, LINES, Stream};
use crate::server::{TestServer, eventually};
use crate::socket::{Client, send_message};
use rustix::process::Signal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_ends_sessions_with_1001_and_streams_at_their_end() {
    let mut server = TestServer::start();
    let mut sessions = Vec::new();
    for i in 0..20 {
        let mut client = Client::connect(&server).await;
        if i % 2 == 0 {
            client.subscribe().await;
        }
        sessions.push(client);
    }
    let mut events = Stream::open(&server, "", &[], EVENTS);
    let mut lines = Stream::open(&server, "", &[], LINES);
    server.make("group_1", "the last");
    assert_eq!(events.contents(1), ["the last"]);
    assert_eq!(lines.json()["data"]["content"], "the last");
    server.signal(Signal::TERM);
    for client in &mut sessions {
        let (code, reason) = client.closed().await.expect("a close frame");
        assert_eq!(code, 1001);
        assert!(!reason.is_empty());
    }
    while events.line().is_some() {}
    while lines.line().is_some() {}
    assert_eq!(server.wait(), Some(0));
    assert!(!server.log().contains("are cut"), "everything ended in time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reads_nothing_does_not_hold_up_the_end() {
    let mut server = TestServer::start();
    let mut suspended = Client::connect_small(&server).await;
    suspended.subscribe().await;
    let mut fast = Client::connect(&server).await;
    fast.subscribe().await;
    let content = "x".repeat(4000);
    let commands = (0..3000).map(|_| send_message("qq", "group_1", &content));
    let writer = Client::connect(&server).await;
    let reading = tokio::spawn(async move {
        fast.contents(3000).await;
        fast
    });
    writer.send_all(commands).await;
    let mut fast = reading.await.unwrap();
    server.signal(Signal::TERM);
    assert_eq!(fast.closed().await.expect("a close frame").0, 1001);
    assert_eq!(server.wait(), Some(0));
    eventually("the log is read", || server.log().contains("stopping").then_some(()));
    assert!(!server.log().contains("are cut"), "{}", server.log());
}
