//! Segments, mentions and answers over a real socket.

use crate::onebot::{Peer, Reply, Script};
use crate::onebot11::{group_message, headers, willing};
use crate::onebot12;
use crate::rechat::Rechat;
use rechat::adapter::{ActionError, AdapterEvent, Delivery, ForwardOf, Outbound, PlatformState};
use rechat::model::content::{Content, Media, Segment};
use rechat::model::message::ReplyTo;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

async fn v11(script: Script) -> (Rechat, Peer) {
    let mut rechat = Rechat::start(&["kind = 'onebot11'".into()]).await;
    let url = rechat.url("/onebot/v11/ws");
    let peer = Peer::dial(&url, &headers("1", "Universal"), script).await.unwrap();
    rechat.until("1", PlatformState::Connected).await;
    (rechat, peer)
}

fn saying(id: i64, segments: &Value) -> Value {
    let mut event = group_message(1, 77, id, "");
    event["message"] = segments.clone();
    event
}

fn outbound(conversation: &str, segments: Vec<Segment>) -> Outbound {
    Outbound {
        id: Uuid::new_v4(),
        conversation: conversation.into(),
        content: Content::of(segments),
        reply_to: None,
        created_at: 1_700_000_000,
        original: None,
    }
}

fn text(text: &str) -> Segment {
    Segment::Text { text: text.into() }
}

fn at(url: &str) -> Media {
    Media { url: Some(url.into()), ..Media::default() }
}

fn knows_people() -> Script {
    let willing = willing();
    Arc::new(move |action| match action["action"].as_str().unwrap() {
        "get_group_member_info" => {
            let user = &action["params"]["user_id"];
            Reply::ok(json!({"user_id": user, "card": " ", "nickname": format!("Member {user}")}))
        }
        "get_msg" => Reply::ok(json!({
            "message_id": action["params"]["message_id"], "real_id": 1, "time": 1_699_999_000,
            "message_type": "group", "sender": {"user_id": 6, "nickname": "Bo"},
            "message": [{"type": "text", "data": {"text": "谁来？"}}]
        })),
        _ => willing(action),
    })
}

#[tokio::test]
async fn a_mention_without_a_name_is_named_once_it_is_known() {
    let (mut rechat, peer) = v11(knows_people()).await;
    let mention =
        json!([{"type": "at", "data": {"qq": "55"}}, {"type": "text", "data": {"text": " hi"}}]);
    peer.push(&saying(1, &mention));
    assert_eq!(rechat.message().await.content.readable(), "@55 hi");
    let AdapterEvent::MentionNamed { message, user, name } = rechat.event().await else { panic!() };
    assert_eq!((message.conversation.as_str(), message.external_id.as_str()), ("group_77", "1"));
    assert_eq!((user.as_str(), name.as_str()), ("55", "Member 55"));
    peer.push(&saying(2, &mention));
    assert_eq!(rechat.message().await.content.readable(), "@Member 55 hi");
    // The sender of a message is known by it.
    peer.push(&saying(3, &json!([{"type": "at", "data": {"qq": 4242}}])));
    assert_eq!(rechat.message().await.content.readable(), "@Card");
    let asked = peer.actions();
    let asked = asked.iter().filter(|action| action["action"] == "get_group_member_info");
    assert_eq!(
        asked.map(|action| action["params"].clone()).collect::<Vec<_>>(),
        [json!({"group_id": 77, "user_id": 55})]
    );
}

#[tokio::test]
async fn an_answer_to_an_unknown_message_is_asked_about_once() {
    let (mut rechat, peer) = v11(knows_people()).await;
    let answer = |target: &str| json!([{"type": "reply", "data": {"id": target}}, {"type": "text", "data": {"text": "我"}}]);
    peer.push(&saying(1, &answer("-8")));
    assert_eq!(rechat.message().await.reply_to.unwrap().external_id.as_deref(), Some("-8"));
    let AdapterEvent::ReplyFound { message, reply_to } = rechat.event().await else { panic!() };
    assert_eq!(message.external_id, "1");
    assert_eq!(reply_to.content.as_deref(), Some("谁来？"));
    assert_eq!(reply_to.sender.unwrap().name, "Bo");
    // One that came in, one that was asked about, and one that was sent are known.
    let Delivery::Sent { external_id, .. } = rechat.send("qq", "group_77", "hi").await else {
        panic!()
    };
    for (id, target) in [(2, "1"), (3, "-8"), (4, external_id.unwrap().as_str())] {
        peer.push(&saying(id, &answer(target)));
        rechat.message().await;
    }
    let asked = peer.actions().iter().filter(|action| action["action"] == "get_msg").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_answer_brings_no_words_of_another_conversation() {
    let willing = willing();
    let (mut rechat, peer) = v11(Arc::new(move |action| {
        let target = action["params"]["message_id"].to_string();
        let group = if target.contains("elsewhere") { 78 } else { 77 };
        match action["action"].as_str().unwrap() {
            "get_msg" => Reply::ok(json!({
                "message_id": 1, "message_type": "group", "group_id": group,
                "sender": {"user_id": 6, "nickname": "Bo"},
                "message": [{"type": "text", "data": {"text": format!("words of {group}")}}],
            })),
            _ => willing(action),
        }
    }))
    .await;
    for (id, target) in [(1, "elsewhere"), (2, "here")] {
        let answer = json!([
            {"type": "reply", "data": {"id": target}}, {"type": "text", "data": {"text": "我"}},
        ]);
        peer.push(&saying(id, &answer));
        rechat.message().await;
        peer.action("get_msg").await;
    }
    let AdapterEvent::ReplyFound { message, reply_to } = rechat.event().await else { panic!() };
    assert_eq!(message.external_id, "2");
    assert_eq!(reply_to.content.as_deref(), Some("words of 77"));
}

#[tokio::test]
async fn a_message_of_several_parts_goes_on_where_it_failed() {
    let refuses = Arc::new(AtomicBool::new(true));
    let (willing, refusing) = (willing(), Arc::clone(&refuses));
    let (mut rechat, peer) = v11(Arc::new(move |action| {
        let is_file = action["params"]["message"][0]["type"] == "file";
        if is_file && refusing.swap(false, Ordering::Relaxed) {
            return Reply::refused(100, "busy");
        }
        willing(action)
    }))
    .await;
    let handle = rechat.handle("qq").await;
    let file = Media { name: Some("季度.pdf".into()), ..at("https://x/a") };
    let message = outbound("group_77", vec![text("看"), Segment::File(file)]);
    let refused = handle.send(message.clone()).await;
    let Delivery::Refused { reason, retryable: true } = refused else { panic!("{refused:?}") };
    assert!(reason.contains("part 2 of 2") && reason.contains("busy"), "{reason}");
    let sent = Delivery::Sent { external_id: Some("101".into()), is_unconfirmed: false };
    assert_eq!(handle.send(message).await, sent);
    let texts = peer.actions();
    let texts = texts.iter().filter(|action| action["params"]["message"][0]["type"] == "text");
    assert_eq!(texts.count(), 1, "what has gone is not sent again");
    // The report of the second part is no message of its own.
    let mut echo = crate::onebot11::own_message(1, 77, 102, "");
    echo["message"] = json!([{"type": "file", "data": {"file": "季度.pdf"}}]);
    peer.push(&echo);
    peer.push(&group_message(1, 77, 5, "next"));
    assert_eq!(rechat.message().await.content.readable(), "next");
}

#[tokio::test]
async fn onebot_12_takes_everything_in_one_message() {
    let mut rechat = Rechat::start(&[]).await;
    let url = rechat.url("/onebot/v12/ws");
    let peer = Peer::dial(&url, &onebot12::HEADERS, onebot12::willing()).await.unwrap();
    peer.push(&onebot12::status_update(&[("wechat", "wxid_me", true)]));
    rechat.until("wxid_me", PlatformState::Connected).await;
    let mention = Segment::Mention { user: "u5".into(), name: Some("Ann".into()), me: false };
    let image = Segment::Image(Media { name: Some("图.png".into()), ..at("https://x/a.png") });
    let reply_to = ReplyTo { external_id: Some("m0".into()), ..ReplyTo::default() };
    let message = Outbound {
        reply_to: Some(Box::new(reply_to)),
        ..outbound("group_g", vec![mention, text("看"), image])
    };
    let handle = rechat.handle("wechat").await;
    assert!(matches!(handle.send(message).await, Delivery::Sent { .. }));
    assert_eq!(peer.action("upload_file").await["params"]["name"], "图.png");
    let segments = json!([
        {"type": "reply", "data": {"message_id": "m0"}},
        {"type": "mention", "data": {"user_id": "u5"}},
        {"type": "text", "data": {"text": "看"}},
        {"type": "image", "data": {"file_id": "file-1"}},
    ]);
    assert_eq!(peer.action("send_message").await["params"]["message"], segments);
}

#[tokio::test]
async fn a_mention_on_onebot_12_is_named_once_it_is_known() {
    let mut rechat = Rechat::start(&[]).await;
    let url = rechat.url("/onebot/v12/ws");
    let peer = Peer::dial(&url, &onebot12::HEADERS, onebot12::willing()).await.unwrap();
    let mut event = onebot12::group_message(("wechat", "wxid_me"), "g", "m1", "");
    event["message"] = json!([{"type": "mention", "data": {"user_id": "u5"}}]);
    peer.push(&event);
    assert_eq!(rechat.message().await.content.readable(), "@u5");
    let AdapterEvent::MentionNamed { message, user, name } = rechat.event().await else { panic!() };
    assert_eq!((message.external_id, user, name), ("m1".into(), "u5".into(), "Card".into()));
}

#[tokio::test]
async fn a_forward_is_opened_when_it_is_asked_for() {
    let willing = willing();
    let (rechat, peer) = v11(Arc::new(move |action| {
        let text = |text: &str| json!([{"type": "text", "data": {"text": text}}]);
        match (action["action"].as_str().unwrap(), action["params"]["id"].as_str()) {
            // As NapCat answers, and as the specification has it.
            ("get_forward_msg", Some("f1")) => Reply::ok(json!({"messages": [{
                "time": 1_699_999_000, "message": text("早"),
                "sender": {"user_id": 6, "nickname": "Bo", "card": ""}
            }]})),
            ("get_forward_msg", Some("f2")) => Reply::ok(json!({"message": [{
                "type": "node",
                "data": {"user_id": "6", "nickname": "Bo", "content": text("早")}
            }]})),
            ("get_forward_msg", Some("f3")) => Reply::refused(1404, "no such action"),
            ("get_forward_msg", _) => Reply::ok(json!({"messages": []})),
            _ => willing(action),
        }
    }))
    .await;
    let handle = rechat.handle("qq").await;
    let open = |id: &str| {
        handle.open_forward(ForwardOf { conversation: "group_77".into(), id: id.into() })
    };
    for (id, created_at) in [("f1", 1_699_999_000), ("f2", 0)] {
        let items = open(id).await.unwrap();
        let [item] = &items[..] else { panic!("{items:?}") };
        assert_eq!((item.sender.name.as_str(), item.created_at), ("Bo", created_at));
        assert_eq!(item.segments, [text("早")]);
    }
    assert_eq!(open("f3").await, Err(ActionError::Unsupported));
    assert!(matches!(open("f4").await, Err(ActionError::Refused(_))));
    assert_eq!(peer.action("get_forward_msg").await["params"]["message_id"], "f1");
}
