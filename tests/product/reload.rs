//! SIGHUP: what changes while the server runs.

use crate::onebot::Peer;
use crate::onebot11::{headers, willing};
use crate::server::{Home, TestServer, agent, eventually};
use crate::socket::in_time;
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

fn status(server: &TestServer, token: &str) -> u16 {
    let request = agent().get(server.url("/api/stats"));
    request.header("authorization", format!("Bearer {token}")).call().unwrap().status().as_u16()
}

fn reload(server: &TestServer, text: &str, told: &str) {
    server.home.configure(text);
    server.signal(Signal::HUP);
    eventually(told, || server.log().contains(told).then_some(()));
}

#[test]
fn tokens_adapters_and_the_log_change_at_once_and_the_rest_is_named() {
    let home = Arc::new(Home::new());
    home.configure("token = 'first'\n");
    let server = TestServer::start_in(home, &[]);
    assert_eq!(status(&server, "first"), 200);
    let text = "token = 'second'\nlog.level = 'debug'\nlimits.sessions = 5\n[[adapter]]\nkind = 'loopback'\n";
    reload(&server, text, "these take effect with a restart: limits.sessions");
    assert_eq!((status(&server, "first"), status(&server, "second")), (401, 200));
    server.tells("restarted");
    let log = server.log();
    assert!(log.contains("changed=\"adapter, log.level, tokens\""), "{log}");
    let sent = server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "--wait", "x"]);
    assert!(sent.contains("Sent"), "{sent}");
    reload(&server, "token = 'third'\n[[adapter]]\nkind = 'none'\n", "stays as it was");
    assert_eq!(status(&server, "second"), 200, "a wrong configuration changes nothing");
    reload(&server, "token = 'second'\nlimits.sessions = 5\n", "log.level");
    let sent = server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "x"]);
    assert!(sent.contains("Pending"), "the adapter is gone: {sent}");
    assert!(!server.log().contains("second"), "tokens are never logged");
}

#[test]
fn the_log_says_that_a_token_is_needed_from_now_on() {
    let server = TestServer::start_in(Arc::new(Home::new()), &[]);
    reload(&server, "token = 'first'\n", "every client needs a token now");
    let advice = server.home.run(&["doctor"]).stdout;
    let advice = String::from_utf8(advice).unwrap();
    assert!(advice.contains("the server needs a token, so it has to have one, too"), "{advice}");
}

/// The configuration with these tokens, each named after its scope.
fn tokens(scopes: &[&str]) -> String {
    let entry = |scope: &&str| {
        format!("[[tokens]]\nname = '{scope}'\nscope = '{scope}'\ntoken = '{scope}-token'\n")
    };
    scopes.iter().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_what_it_opened_and_nothing_else() {
    let home = Arc::new(Home::new());
    home.configure(&tokens(&["admin", "read", "send", "adapter"]));
    let server = TestServer::start_in(home, &[]);
    let url = |token: &str| format!("ws://{}/ws/client?access_token={token}-token", server.address);
    let (mut kept, _) = connect_async(url("admin")).await.unwrap();
    let (mut revoked, _) = connect_async(url("send")).await.unwrap();
    let stream = agent().get(server.url("/api/stream?access_token=read-token")).call().unwrap();
    let mut lines = BufReader::new(stream.into_body().into_reader()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "retry: 1000", "the stream has begun");
    let dial = format!("ws://{}/onebot/v11/ws?access_token=adapter-token", server.address);
    let peer = Peer::dial(&dial, &headers("1", "Universal"), willing()).await.unwrap();
    reload(&server, &tokens(&["admin"]), "the configuration was read again");
    let end = in_time("the session ends", revoked.next()).await.unwrap().unwrap();
    let Message::Close(Some(close)) = end else { panic!("{end}") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "the token was revoked"));
    assert!(lines.all(|line| line.is_ok()), "the stream ends as a stream does");
    in_time("the implementation's connection ends", peer.ended()).await;
    eventually("the log tells why", || server.log().contains("or the tokens").then_some(()));
    kept.send(Message::text(r#"{"type":"subscribe"}"#)).await.unwrap();
    let ack = in_time("an answer", kept.next()).await.unwrap().unwrap();
    assert!(ack.to_text().unwrap().contains("subscribed"), "{ack}");
}
