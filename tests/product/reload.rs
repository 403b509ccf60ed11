//! SIGHUP: what changes while the server runs.

use crate::server::{Home, TestServer, agent, eventually};
use rustix::process::Signal;
use std::sync::Arc;

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
    assert!(server.log().contains("started anew"), "{}", server.log());
    let sent = server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "--wait", "x"]);
    assert!(sent.contains("Sent"), "{sent}");
    reload(&server, "token = 'third'\n[[adapter]]\nkind = 'none'\n", "stays as it was");
    assert_eq!(status(&server, "second"), 200, "a wrong configuration changes nothing");
    reload(&server, "token = 'second'\nlimits.sessions = 5\n", "log.level");
    let sent = server.home.ok(&["send", "-p", "loopback", "-r", "group_1", "x"]);
    assert!(sent.contains("Pending"), "the adapter is gone: {sent}");
    assert!(!server.log().contains("second"), "tokens are never logged");
}
