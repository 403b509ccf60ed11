//! Segments, mentions and answers over a real socket.

use crate::onebot::{DEADLINE, Peer, Reply, Script};
use crate::onebot11::{group_message, headers, willing, willing_but};
use crate::onebot12;
use crate::rechat::Rechat;
use rechat::adapter::{
    Action, ActionError, AdapterEvent, Delivery, ForwardOf, Outbound, PlatformState,
};
use rechat::model::content::{Content, Media, Segment};
use rechat::model::message::ReplyTo;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::timeout;
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
        may_be_sent_since: 1_700_000_000,
        ..Outbound::new(Uuid::new_v4(), conversation, Content::of(segments))
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
    // Now the name of the message's sender is known.
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
    // Another answer to it has the text at once.
    peer.push(&saying(5, &answer("-8")));
    let told = rechat.message().await.reply_to.unwrap();
    assert_eq!(
        (told.external_id.as_deref(), told.content.as_deref()),
        (Some("-8"), Some("谁来？"))
    );
    // Messages are known that came in, that were requested, or that were sent.
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
async fn everybody_whom_a_message_mentions_is_named() {
    let (mut rechat, peer) = v11(knows_people()).await;
    let people: Vec<_> = (51..57).collect();
    let mention = |user: &i32| json!({"type": "at", "data": {"qq": user.to_string()}});
    peer.push(&saying(1, &people.iter().map(mention).collect()));
    peer.push(&saying(2, &json!([mention(&56)])));
    rechat.message().await;
    let second = rechat.message().await;
    let mut named = Vec::new();
    // The second message may come before the name is known, or after it.
    let waits = second.content.readable() == "@56";
    for _ in 0..people.len() + usize::from(waits) {
        let AdapterEvent::MentionNamed { message, user, name } = rechat.event().await else {
            panic!()
        };
        assert_eq!(name, format!("Member {user}"));
        named.push((message.external_id, user));
    }
    named.sort();
    let mut all: Vec<_> = people.iter().map(|user| ("1".to_owned(), user.to_string())).collect();
    all.extend(waits.then(|| ("2".to_owned(), "56".to_owned())));
    assert_eq!(named, all);
}

#[tokio::test]
async fn two_answers_to_one_unknown_message_both_get_its_words() {
    let (mut rechat, peer) = v11(knows_people()).await;
    let answer =
        json!([{"type": "reply", "data": {"id": "-8"}}, {"type": "text", "data": {"text": "我"}}]);
    for id in [1, 2] {
        peer.push(&saying(id, &answer));
    }
    let mut with_words = Vec::new();
    for _ in [1, 2] {
        let message = rechat.message().await;
        with_words.extend(message.reply_to.unwrap().content.map(|_| message.external_id));
    }
    while with_words.len() < 2 {
        let AdapterEvent::ReplyFound { message, .. } = rechat.event().await else { panic!() };
        with_words.push(message.external_id);
    }
    with_words.sort();
    assert_eq!(with_words, ["1", "2"]);
    let asked = peer.actions().iter().filter(|action| action["action"] == "get_msg").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn what_could_not_be_told_once_is_asked_again() {
    let (people, refused) = (knows_people(), Mutex::new(HashSet::new()));
    let (mut rechat, peer) = v11(Arc::new(move |action| {
        let is_lookup =
            matches!(action["action"].as_str(), Some("get_group_member_info" | "get_msg"));
        if is_lookup && refused.lock().unwrap().insert(action["params"].to_string()) {
            return Reply::refused(100, "busy");
        }
        people(action)
    }))
    .await;
    let both = json!([
        {"type": "reply", "data": {"id": "-8"}}, {"type": "at", "data": {"qq": "55"}},
    ]);
    // The first questions are refused; each message asks again for names that are not known.
    let told = async {
        for id in 1.. {
            peer.push(&saying(id, &both));
            let message = rechat.message().await;
            let is_named = message.content.readable().contains("Member 55");
            if is_named && message.reply_to.unwrap().content.is_some() {
                break;
            }
        }
    };
    timeout(DEADLINE, told).await.expect("it is not asked again");
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
    let file = Segment::File(file);
    let message = outbound("group_77", vec![text("看"), file.clone()]);
    let refused = handle.send(message.clone()).await;
    let Delivery::Refused { reason, retryable: true } = refused else { panic!("{refused:?}") };
    assert!(reason.contains("part 2 of 2") && reason.contains("busy"), "{reason}");
    let sent = Delivery::Sent { external_id: Some("101".into()), is_unconfirmed: false };
    let mut again = message.clone();
    again.parts.push("101".into());
    assert_eq!(handle.send(again).await, sent);
    let parts = [(message.id, 0, Some("101".into())), (message.id, 1, Some("102".into()))];
    assert_eq!(*rechat.parts.lock().unwrap(), parts);
    let texts = peer.actions();
    let texts = texts.iter().filter(|action| action["params"]["message"][0]["type"] == "text");
    assert_eq!(texts.count(), 1, "what has gone is not sent again");
    // The echo of the second part is no message of its own.
    let mut echo = crate::onebot11::own_message(1, 77, 102, "");
    echo["message"] = json!([{"type": "file", "data": {"file": "季度.pdf"}}]);
    peer.push(&echo);
    peer.push(&group_message(1, 77, 5, "next"));
    assert_eq!(rechat.message().await.content.readable(), "next");
    // A message with another text is another message, even with the same ID.
    refuses.store(true, Ordering::Relaxed);
    let message = outbound("group_77", vec![text("first"), file.clone()]);
    assert!(matches!(handle.send(message.clone()).await, Delivery::Refused { .. }));
    let edited = Outbound { content: Content::of(vec![text("edited"), file]), ..message };
    assert!(matches!(handle.send(edited).await, Delivery::Sent { .. }));
    let said = |text: &str| {
        let segment = json!([{"type": "text", "data": {"text": text}}]);
        peer.actions().iter().filter(|action| action["params"]["message"] == segment).count()
    };
    assert_eq!((said("first"), said("edited")), (1, 1));
}

#[tokio::test]
async fn all_parts_of_a_message_are_taken_back_or_none() {
    let willing = willing();
    let (rechat, peer) = v11(Arc::new(move |action| match action["action"].as_str() {
        Some("delete_msg") => Reply::ok(Value::Null),
        _ => willing(action),
    }))
    .await;
    let handle = rechat.handle("qq").await;
    let recall = |parts: &[&str]| {
        handle.act(Action::Recall {
            conversation: "group_77".into(),
            external_id: "101".into(),
            parts: parts.iter().map(|&id| id.into()).collect(),
        })
    };
    let refused = recall(&["101", "", "103"]).await;
    assert!(matches!(refused, Err(ActionError::Refused(_))), "{refused:?}");
    assert_eq!(recall(&["101", "102"]).await, Ok(()));
    assert_eq!(recall(&[]).await, Ok(()));
    let taken_back = |action: &&Value| action["action"] == "delete_msg";
    let taken_back: Vec<_> = peer.actions().iter().filter(taken_back).cloned().collect();
    let ids: Vec<_> = taken_back.iter().map(|action| &action["params"]["message_id"]).collect();
    assert_eq!(ids, [102, 101, 101]);
}

#[tokio::test]
async fn a_reaction_is_set_and_taken_back_in_the_way_of_the_implementation() {
    // Lagrange does not have the action of the others.
    let willing = willing();
    let (rechat, peer) = v11(Arc::new(move |action| match action["action"].as_str() {
        Some("set_group_reaction") => Reply::ok(Value::Null),
        Some("set_msg_emoji_like") => Reply::refused(404, "no such action"),
        _ => willing(action),
    }))
    .await;
    let handle = rechat.handle("qq").await;
    let react = |conversation: &str, on| {
        let (conversation, emoji) = (conversation.into(), "76".into());
        handle.act(Action::React { conversation, external_id: "7".into(), emoji, on })
    };
    assert_eq!(react("group_77", true).await, Ok(()));
    assert_eq!(react("group_77", false).await, Ok(()));
    assert_eq!(react("private_5", true).await, Err(ActionError::Unsupported));
    let told = peer
        .actions()
        .into_iter()
        .map(|mut action| (action["action"].as_str().unwrap().to_owned(), action["params"].take()));
    let told: Vec<_> = told.filter(|(name, _)| name.starts_with("set_")).collect();
    let by_group = |on| {
        let params = json!({"group_id": 77, "message_id": 7, "code": "76", "is_add": on});
        ("set_group_reaction".to_owned(), params)
    };
    let by_like =
        ("set_msg_emoji_like".to_owned(), json!({"message_id": 7, "emoji_id": "76", "set": true}));
    assert_eq!(told, [by_like.clone(), by_group(true), by_group(false), by_like]);
}

#[tokio::test]
async fn a_reaction_is_taken_back_by_the_action_that_set_it() {
    let (rechat, peer) = v11(willing_but("set_msg_emoji_like", Reply::ok(Value::Null))).await;
    let handle = rechat.handle("qq").await;
    for on in [true, false] {
        let (conversation, emoji) = ("group_77".into(), "👍".into());
        let action = Action::React { conversation, external_id: "7".into(), emoji, on };
        assert_eq!(handle.act(action).await, Ok(()));
        let params = json!({"message_id": 7, "emoji_id": "128077", "set": on});
        assert_eq!(peer.action("set_msg_emoji_like").await["params"], params);
    }
}

#[tokio::test]
async fn a_request_is_answered_as_its_kind_wants_it() {
    let willing = willing();
    let (rechat, peer) = v11(Arc::new(move |action| match action["action"].as_str() {
        Some("set_group_add_request" | "set_friend_add_request") => Reply::ok(Value::Null),
        _ => willing(action),
    }))
    .await;
    let handle = rechat.handle("qq").await;
    for (kind, sub_type) in [("join", "add"), ("invitation", "invite")] {
        for approve in [true, false] {
            let request = json!({"kind": kind, "flag": "f1"}).to_string();
            let reason = "not now".into();
            handle.act(Action::AnswerRequest { request, approve, reason }).await.unwrap();
            let params = json!({
                "flag": "f1", "sub_type": sub_type, "approve": approve, "reason": "not now",
            });
            assert_eq!(peer.action("set_group_add_request").await["params"], params);
        }
    }
    let request = json!({"kind": "friend", "flag": "f2"}).to_string();
    let action = Action::AnswerRequest { request, approve: true, reason: String::new() };
    handle.act(action).await.unwrap();
    let params = json!({"flag": "f2", "approve": true});
    assert_eq!(peer.action("set_friend_add_request").await["params"], params);
}

#[tokio::test]
async fn a_forward_known_by_its_id_is_opened_before_it_is_sent_on() {
    let willing = willing();
    let (rechat, peer) = v11(Arc::new(move |action| {
        let text = json!([{"type": "text", "data": {"text": "早"}}]);
        match (action["action"].as_str().unwrap(), action["params"]["id"].as_str()) {
            ("get_forward_msg", Some("f1")) => Reply::ok(json!({"messages": [{
                "time": 1_699_999_000, "message": text,
                "sender": {"user_id": 6, "nickname": "Bo", "card": ""}
            }]})),
            ("get_forward_msg", _) => Reply::refused(100, "it is too old"),
            ("send_group_forward_msg", _) => Reply::ok(json!({"message_id": 7})),
            _ => willing(action),
        }
    }))
    .await;
    let handle = rechat.handle("qq").await;
    let forward = |id: &str| {
        let forward = Segment::Forward { title: None, items: Vec::new(), id: Some(id.into()) };
        handle.send(outbound("group_77", vec![forward]))
    };
    assert!(matches!(forward("f1").await, Delivery::Sent { .. }));
    let nodes = &peer.action("send_group_forward_msg").await["params"]["messages"];
    let content = json!([{"type": "text", "data": {"text": "早"}}]);
    assert_eq!((&nodes[0]["data"]["name"], &nodes[0]["data"]["content"]), (&json!("Bo"), &content));
    // If it is gone, the error has the platform's own text.
    assert!(matches!(forward("f2").await, Delivery::Sent { .. }));
    let said = json!([{"type": "text", "data": {"text": "[forward]"}}]);
    assert_eq!(peer.action("send_group_msg").await["params"]["message"], said);
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
async fn everybody_whom_a_message_on_onebot_12_mentions_is_named() {
    let mut rechat = Rechat::start(&[]).await;
    let url = rechat.url("/onebot/v12/ws");
    let peer = Peer::dial(&url, &onebot12::HEADERS, onebot12::willing()).await.unwrap();
    let mut event = onebot12::group_message(("wechat", "wxid_me"), "g", "m1", "");
    let people: Vec<_> = (1..7).map(|user| format!("u{user}")).collect();
    let mention = |user: &String| json!({"type": "mention", "data": {"user_id": user}});
    event["message"] = people.iter().map(mention).collect();
    peer.push(&event);
    rechat.message().await;
    let mut named = Vec::new();
    while named.len() < people.len() {
        if let AdapterEvent::MentionNamed { user, .. } = rechat.event().await {
            named.push(user);
        }
    }
    named.sort();
    assert_eq!(named, people);
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
