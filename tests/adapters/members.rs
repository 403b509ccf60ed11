//! The members of groups, as implementations list them.

use crate::onebot::{Peer, Reply};
use crate::rechat::Rechat;
use crate::{onebot11, onebot12};
use rechat::adapter::{ActionError, PlatformState};
use rechat::protocol::http::{GroupMember, MemberRole};
use serde_json::json;

fn member(id: &str, name: &str, role: Option<MemberRole>, title: Option<&str>) -> GroupMember {
    GroupMember { id: id.into(), name: name.into(), role, title: title.map(str::to_owned) }
}

#[tokio::test]
async fn onebot_11_lists_members_with_their_roles_and_titles() {
    let long = "长".repeat(5_000);
    let list = json!([
        {"group_id": 7, "user_id": 5, "nickname": "Ann", "card": "", "role": "member", "title": ""},
        {"user_id": "6", "nickname": "Bo", "card": "小波", "role": "admin", "title": "水王"},
        {"user_id": 8, "nickname": " ", "role": "owner"},
        {"user_id": 9, "nickname": long, "role": 3},
        {"nickname": "without an ID"},
        "no member",
    ]);
    let script = onebot11::willing_but("get_group_member_list", Reply::ok(list));
    let mut rechat = Rechat::start(&["kind = 'onebot11'".into()]).await;
    let url = rechat.url("/onebot/v11/ws");
    let peer = Peer::dial(&url, &onebot11::headers("1", "Universal"), script).await.unwrap();
    rechat.until("1", PlatformState::Connected).await;
    let handle = rechat.handle("qq").await;
    let listed = handle.members("group_7".into()).await.unwrap();
    let [owner, admin, ann, long_name] = &listed.members[..] else { panic!("{listed:?}") };
    assert_eq!(*owner, member("8", "8", Some(MemberRole::Owner), None));
    assert_eq!(*admin, member("6", "小波", Some(MemberRole::Admin), Some("水王")));
    assert_eq!(*ann, member("5", "Ann", None, None));
    assert!(long_name.name.chars().count() < 200, "{} characters", long_name.name.chars().count());
    assert_eq!(listed.total, 6, "as many as the platform listed");
    assert_eq!(peer.action("get_group_member_list").await["params"], json!({"group_id": 7}));
    assert_eq!(handle.members("private_7".into()).await, Err(ActionError::Unsupported));
}

#[tokio::test]
async fn an_implementation_without_a_list_of_members_says_so() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'".into()]).await;
    let url = rechat.url("/onebot/v11/ws");
    let script = onebot11::willing_but("get_group_member_list", Reply::ok(json!({"no": "list"})));
    let first = Peer::dial(&url, &onebot11::headers("1", "Universal"), script).await.unwrap();
    rechat.until("1", PlatformState::Connected).await;
    let handle = rechat.handle("qq").await;
    let refused = handle.members("group_7".into()).await;
    assert!(matches!(refused, Err(ActionError::Refused(_))), "{refused:?}");
    drop(first);
    let headers = onebot11::headers("2", "Universal");
    let _second = Peer::dial(&url, &headers, onebot11::willing()).await.unwrap();
    rechat.until("2", PlatformState::Connected).await;
    let handle = rechat.handle("qq").await;
    assert_eq!(handle.members("group_7".into()).await, Err(ActionError::Unsupported));
}

#[tokio::test]
async fn a_list_that_is_too_large_is_refused_with_the_reason() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 2000".into()]).await;
    let url = rechat.url("/onebot/v11/ws");
    // The second one is not even read, and ends the connection.
    for (account, length) in [("1", 3_000), ("2", 30_000)] {
        let list = json!([{"user_id": 5, "nickname": "n".repeat(length)}]);
        let script = onebot11::willing_but("get_group_member_list", Reply::ok(list));
        let headers = onebot11::headers(account, "Universal");
        let peer = Peer::dial(&url, &headers, script).await.unwrap();
        rechat.until(account, PlatformState::Connected).await;
        match rechat.handle("qq").await.members("group_7".into()).await {
            Err(ActionError::Refused(reason)) => {
                assert!(reason.contains("`max_frame`"), "{length}: {reason}");
            }
            other => panic!("{length}: {other:?}"),
        }
        peer.drop_connection();
        peer.ended().await;
        rechat.until(account, PlatformState::Disconnected).await;
    }
}

#[tokio::test]
async fn onebot_12_lists_the_members_of_groups_and_channels() {
    let mut rechat = Rechat::start(&[]).await;
    let url = rechat.url("/onebot/v12/ws");
    let list = Reply::ok(json!([
        {"user_id": "u1", "user_name": "Ann", "user_displayname": ""},
        {"user_id": "u2", "user_name": "Bo", "user_displayname": "小波"},
    ]));
    let script = onebot12::willing_but("get_group_member_list", list);
    let peer = Peer::dial(&url, &onebot12::HEADERS, script).await.unwrap();
    peer.push(&onebot12::group_message(("wechat", "wxid_me"), "g", "m1", "hello"));
    rechat.message().await;
    let handle = rechat.handle("wechat").await;
    let listed = handle.members("group_g".into()).await.unwrap();
    assert_eq!(listed.members, [member("u1", "Ann", None, None), member("u2", "小波", None, None)]);
    assert_eq!(peer.action("get_group_member_list").await["params"]["group_id"], "g");
    assert_eq!(handle.members("channel_a_b".into()).await, Err(ActionError::Unsupported));
    let asked = peer.action("get_channel_member_list").await;
    assert_eq!(
        (&asked["params"]["guild_id"], &asked["params"]["channel_id"]),
        (&json!("a"), &json!("b"))
    );
}
