//! The members of a group, by the API.

use crate::onebot::{Peer, Reply};
use crate::onebot11::{group_message, headers, private_message, willing_but};
use crate::server::{Home, TestServer, eventually};
use serde_json::json;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_by_their_platform_and_asked_for_once() {
    let server = TestServer::start();
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let list = Reply::ok(json!([
        {"user_id": 5, "nickname": "Ann", "role": "member"},
        {"user_id": 6, "nickname": "Bo", "card": "小波", "role": "owner", "title": "水王"},
    ]));
    let script = willing_but("get_group_member_list", list);
    let peer = Peer::dial(&url, &headers("10001000", "Universal"), script).await.unwrap();
    peer.push(&group_message(10_001_000, 7, 1, "hello"));
    peer.push(&private_message(10_001_000, 5, 2, "hello"));
    eventually("they are stored", || (server.get("/api/stats").1["total"] == 2).then_some(()));
    let members =
        |conversation: &str| server.get(&format!("/api/conversations/qq/{conversation}/members"));
    let expected = json!({
        "members": [
            {"id": "6", "name": "小波", "role": "owner", "title": "水王"},
            {"id": "5", "name": "Ann"},
        ],
        "total": 2,
    });
    for _ in 0..3 {
        assert_eq!(members("group_7"), (200, expected.clone()));
    }
    let asked = peer.actions();
    let asked = asked.iter().filter(|action| action["action"] == "get_group_member_list");
    assert_eq!(asked.count(), 1, "the list is kept for a while");

    let (status, private) = members("private_5");
    assert_eq!((status, &private["code"]), (409, &json!("unsupported")), "{private}");
    let (status, none) = members("group_8");
    assert_eq!((status, &none["code"]), (404, &json!("not_found")), "{none}");
    let url = "/api/conversations/qq/group_7/members";
    assert_eq!(server.ask("POST", url, Some(&json!({}))).0, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_ask_for_a_list_that_does_not_come_share_the_failure() {
    const ASKERS: usize = 6;
    let home = Arc::new(Home::new());
    home.configure("[[adapter]]\nkind = 'onebot11'\nanswer_timeout = 2\n");
    let server = Arc::new(TestServer::start_in(home, &[]));
    let url = format!("ws://{}/onebot/v11/ws", server.address);
    let script = willing_but("get_group_member_list", Reply::Silent);
    let peer = Peer::dial(&url, &headers("1", "Universal"), script).await.unwrap();
    peer.push(&group_message(1, 7, 1, "hello"));
    eventually("it is stored", || (server.get("/api/stats").1["total"] == 1).then_some(()));
    let askers: Vec<_> = (0..ASKERS)
        .map(|_| {
            let server = server.clone();
            tokio::task::spawn_blocking(move || server.get("/api/conversations/qq/group_7/members"))
        })
        .collect();
    for asker in askers {
        let (status, failed) = asker.await.unwrap();
        assert_eq!((status >= 500, &failed["code"]), (true, &json!("unknown")), "{failed}");
    }
    let asked = peer.actions();
    let asked = asked.iter().filter(|action| action["action"] == "get_group_member_list");
    assert_eq!(asked.count(), 1, "they asked at the same time");
}
