//! People who want to be a friend or to join a group: seen from everywhere, and answered.

use crate::browser::{Person, READER, Tab};
use crate::looks::findings;
use crate::onebot::{Peer, Reply};
use crate::onebot11;
use crate::server::{TestServer, eventually};
use crate::tools;
use serde_json::{Value, json};

/// A request (event/request.md).
fn request(kind: &str, flag: &str, user: i64, comment: &str) -> Value {
    json!({
        "time": 1_700_000_000, "self_id": 10_001_000, "post_type": "request",
        "request_type": kind, "sub_type": "add", "group_id": 7, "user_id": user,
        "comment": comment, "flag": flag
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium and axe: tests/run"]
async fn requests_are_seen_from_everywhere_and_answered() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let headers = onebot11::headers("10001000", "Universal");
    let script = onebot11::willing_but("set_friend_add_request", Reply::ok(Value::Null));
    let peer = Peer::dial(&url, &headers, script).await.unwrap();
    let tab = Tab::open(&server.url("/#dashboard")).await;
    tab.sees(".connection", "Live").await;
    let hidden = "return document.querySelector('.requests').hidden";
    assert_eq!(tab.run(hidden).await, json!(true), "nothing waits");
    peer.push(&request("group", "flag of the group", 21, "may I?"));
    tab.sees(".requests .badge", "1").await;
    let mut friend = request("friend", "flag of the friend", 22, "Nia, from <b>work</b>");
    friend.as_object_mut().unwrap().remove("group_id");
    peer.push(&friend);
    tab.sees(".requests .badge", "2").await;
    tab.click(".requests").await;
    let shown = tab.texts(".request-list li", 2).await;
    assert!(shown[0].contains("22 wants to be your friend"), "{shown:?}");
    assert!(shown[0].contains("Nia, from <b>work</b>"), "{shown:?}");
    assert!(shown[1].contains("21 wants to join group_7"), "{shown:?}");
    let axe = std::fs::read_to_string(tools::node_modules().join("axe-core/axe.min.js")).unwrap();
    assert_eq!(findings(&tab, &axe).await, json!([]));
    tab.press("Approve").await;
    let action = peer.action("set_friend_add_request").await;
    assert_eq!(action["params"]["flag"], "flag of the friend");
    assert_eq!(action["params"]["approve"], true);
    tab.sees(".request-list li", "Approved").await;
    tab.sees(".requests .badge", "1").await;
    eventually("the server knows", || {
        let (_, told) = server.get("/api/requests");
        (told["requests"][0]["approved"] == true).then_some(())
    });
    // One that the platform does not take stays as it is.
    tab.press("Refuse").await;
    tab.sees(".toast", "The platform cannot do this.").await;
    tab.sees(".requests .badge", "1").await;
    assert_eq!(tab.complaints(&["409"]).await, Vec::<String>::new());
    let chinese = Person { language: "zh-CN", ..READER };
    let other = Tab::open_as(chinese, &server.url("/#platforms")).await;
    other.click(".requests").await;
    other.sees(".request-list li", "21 申请加入 group_7").await;
    other.sees(".request-list li", "已同意").await;
    other.was_quiet().await;
}
