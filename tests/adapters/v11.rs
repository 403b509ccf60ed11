use crate::onebot::{Peer, Reply};
use crate::onebot11::{
    group_message, headers, heartbeat, lifecycle, nameless_group_message, own_message,
    private_message, willing, willing_but,
};
use crate::rechat::{Rechat, outbound, text_to};
use rechat::adapter::{Delivery, Found, PlatformState};
use rechat::model::message::MessageType;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const WS: &str = "/onebot/v11/ws";
/// Short, for what is never answered.
const HASTY: &str = "kind = 'onebot11'\nanswer_timeout = 0.05";

async fn rechat() -> Rechat {
    Rechat::start(&["kind = 'onebot11'".into()]).await
}

async fn dial(rechat: &Rechat, account: &str, script: crate::onebot::Script) -> Peer {
    Peer::dial(&rechat.url(WS), &headers(account, "Universal"), script).await.unwrap()
}

fn sent(id: &str) -> Delivery {
    Delivery::Sent { external_id: Some(id.into()), is_unconfirmed: false }
}

#[tokio::test]
async fn messages_go_both_ways() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    assert_eq!(rechat.change().await, ("1".into(), PlatformState::Connected, String::new()));
    peer.push(&lifecycle(1));
    peer.push(&group_message(1, 77, -5, "hello"));
    let message = rechat.message().await;
    assert_eq!(message.conversation, "group_77");
    assert_eq!(message.conversation_name.as_deref(), Some("Group 77"));
    assert_eq!((message.sender.id.as_str(), message.sender.name.as_str()), ("4242", "Card"));
    assert_eq!((message.external_id.as_str(), message.account.as_str()), ("-5", "1"));
    assert_eq!(rechat.send("qq", "group_77", "[CQ:face] & co").await, sent("101"));
    let action = peer.action("send_group_msg").await;
    let segment = json!({"type": "text", "data": {"text": "[CQ:face] & co"}});
    assert_eq!(action["params"], json!({"group_id": 77, "message": [segment]}));
    assert_eq!(rechat.send("qq", "private_5", "hi").await, sent("102"));
    assert_eq!(peer.action("send_private_msg").await["params"]["user_id"], 5);
    rechat.stop().await;
    peer.ended().await;
}

#[tokio::test]
async fn every_mount_and_platform_parameter() {
    let mut rechat = rechat().await;
    for (path, account) in [("/onebot/v11", "1"), ("/onebot/v11/", "2")] {
        let _peer = Peer::dial(&rechat.url(path), &headers(account, "Universal"), willing()).await;
        rechat.until(account, PlatformState::Connected).await;
    }
    let url = rechat.url("/onebot/v11/ws?platform=qq2");
    let _peer = Peer::dial(&url, &headers("3", "Universal"), willing()).await.unwrap();
    rechat.handle("qq2").await;
}

#[tokio::test]
async fn an_api_and_an_event_connection_are_one_account() {
    let mut rechat = rechat().await;
    let event = Peer::dial(&rechat.url(WS), &headers("1", "Event"), willing()).await.unwrap();
    assert_eq!(rechat.change().await.1, PlatformState::Connected);
    assert!(rechat.registry.handle("qq", None).is_none(), "an Event connection takes no actions");
    let api = Peer::dial(&rechat.url(WS), &headers("1", "API"), willing()).await.unwrap();
    assert_eq!(rechat.send("qq", "group_77", "hi").await, sent("101"));
    api.action("send_group_msg").await;
    event.push(&nameless_group_message(1, 78, 102, "hello"));
    assert_eq!(rechat.message().await.content.readable(), "hello");
    assert_eq!(rechat.named("group_78").await, "Asked 78");
    api.action("get_group_info").await;
    assert_eq!(rechat.registry.platforms().len(), 1, "the account stands for the entry");
    api.drop_connection();
    api.ended().await;
    event.drop_connection();
    assert_eq!(rechat.change().await.1, PlatformState::Disconnected);
}

#[tokio::test]
async fn a_group_name_is_asked_for_once_and_remembered() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&nameless_group_message(1, 77, 1, "a"));
    assert_eq!(rechat.message().await.conversation_name, None);
    assert_eq!(rechat.named("group_77").await, "Asked 77");
    peer.push(&nameless_group_message(1, 77, 2, "b"));
    assert_eq!(rechat.message().await.conversation_name.as_deref(), Some("Asked 77"));
    let asked = peer.actions().iter().filter(|action| action["action"] == "get_group_info").count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn refusals_say_whether_they_mend() {
    for (retcode, retryable) in [(1400, false), (1404, false), (100, true)] {
        let rechat = rechat().await;
        let _peer =
            dial(&rechat, "1", willing_but("send_group_msg", Reply::refused(retcode, "no"))).await;
        let delivery = rechat.send("qq", "group_77", "hi").await;
        let Delivery::Refused { reason, retryable: told } = delivery else {
            panic!("{delivery:?}")
        };
        assert_eq!(told, retryable, "{retcode}");
        assert!(reason.contains(&retcode.to_string()) && reason.contains("no"), "{reason}");
    }
    let rechat = rechat().await;
    let _peer = dial(&rechat, "1", willing()).await;
    let delivery = rechat.send("qq", "nobody", "hi").await;
    assert!(matches!(delivery, Delivery::Refused { retryable: false, .. }), "{delivery:?}");
}

#[tokio::test]
async fn silence_and_loss_leave_it_unknown() {
    let rechat = Rechat::start(&[HASTY.into()]).await;
    let peer = dial(&rechat, "1", willing_but("send_group_msg", Reply::Silent)).await;
    let delivery = rechat.send("qq", "group_77", "hi").await;
    assert!(matches!(&delivery, Delivery::Unknown { reason } if reason.contains("no answer")));
    peer.drop_connection();
    peer.ended().await;

    let rechat = self::rechat().await;
    let _peer = dial(&rechat, "1", willing_but("send_group_msg", Reply::Drop)).await;
    let delivery = rechat.send("qq", "group_77", "hi").await;
    assert!(
        matches!(&delivery, Delivery::Unknown { reason } if reason.contains("lost")),
        "{delivery:?}"
    );
    let timed_out = willing_but("send_group_msg", Reply::refused(1200, "timeout"));
    let _again = dial(&rechat, "1", timed_out).await;
    assert!(matches!(rechat.send("qq", "group_77", "hi").await, Delivery::Unknown { .. }));
}

#[tokio::test]
async fn a_stuck_conversation_holds_up_no_other() {
    let rechat = rechat().await;
    let script = willing();
    let stuck =
        Arc::new(
            move |action: &Value| {
                if action["params"]["group_id"] == 1 { Reply::Silent } else { script(action) }
            },
        );
    let peer = dial(&rechat, "1", stuck).await;
    let handle = rechat.handle("qq").await;
    let waiting = tokio::spawn({
        let handle = handle.clone();
        async move { handle.send(text_to("group_1", "stuck")).await }
    });
    peer.action("send_group_msg").await;
    assert_eq!(rechat.send("qq", "group_2", "hi").await, sent("101"));
    peer.drop_connection();
    assert!(matches!(waiting.await.unwrap(), Delivery::Unknown { .. }));
    let late = handle.send(text_to("group_2", "late")).await;
    assert!(matches!(late, Delivery::Refused { retryable: true, .. }), "never sent: {late:?}");
}

#[tokio::test]
async fn the_first_answer_counts_and_async_is_accepted() {
    let rechat = rechat().await;
    let answer = |id: i64| json!({"status": "ok", "retcode": 0, "data": {"message_id": id}});
    let twice = Reply::Frames(vec![answer(7), answer(8)]);
    let _peer = dial(&rechat, "1", willing_but("send_group_msg", twice)).await;
    assert_eq!(rechat.send("qq", "group_77", "hi").await, sent("7"));
    let later = Reply::Frames(vec![json!({"status": "async", "retcode": 1, "data": null})]);
    let _other = dial(&rechat, "1", willing_but("send_group_msg", later)).await;
    let delivery = loop {
        // The newer connection takes over as soon as it is registered.
        match rechat.send("qq", "group_77", "hi").await {
            Delivery::Sent { external_id: Some(_), .. } => {}
            other => break other,
        }
    };
    assert_eq!(delivery, Delivery::Sent { external_id: None, is_unconfirmed: true });
}

#[tokio::test]
async fn a_message_of_the_accounts_owner_is_reported_as_own() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&own_message(1, 77, 55, "written on the phone"));
    let message = rechat.message().await;
    assert_eq!((message.content.readable().as_ref(), message.own), ("written on the phone", true));
    assert_eq!(message.sender.id, "1");
}

#[tokio::test]
async fn an_answer_after_the_time_limit_is_reported_with_its_message() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nanswer_timeout = 0.05".into()]).await;
    let peer = dial(&rechat, "1", willing_but("send_group_msg", Reply::Silent)).await;
    let (sent, refused) = (text_to("group_77", "hi"), text_to("group_77", "ho"));
    for (message, status) in [(&refused, "failed"), (&sent, "ok")] {
        let delivery = rechat.handle("qq").await.send(message.clone()).await;
        assert!(matches!(delivery, Delivery::Unknown { .. }), "{delivery:?}");
        let echo = peer.action("send_group_msg").await["echo"].clone();
        let answer =
            json!({"status": status, "retcode": 0, "data": {"message_id": 9}, "echo": echo});
        peer.push(&answer);
        peer.push(&answer);
    }
    peer.push(&group_message(1, 77, 10, "what comes after them"));
    assert_eq!(rechat.message().await.content.readable(), "what comes after them");
    assert_eq!(rechat.confirmed_late, [sent.id], "a confirmation counts, once; a refusal does not");
}

#[tokio::test]
async fn an_answer_to_an_earlier_connection_belongs_to_none() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nanswer_timeout = 0.05".into()]).await;
    let silent = || willing_but("send_group_msg", Reply::Silent);
    let first = dial(&rechat, "1", silent()).await;
    rechat.send("qq", "group_77", "hi").await;
    let echo = first.action("send_group_msg").await["echo"].clone();
    first.drop_connection();
    let second = dial(&rechat, "1", silent()).await;
    rechat.send("qq", "group_77", "ho").await;
    second.action("send_group_msg").await;
    second.push(&json!({"status": "ok", "retcode": 0, "data": {"message_id": 9}, "echo": echo}));
    second.push(&group_message(1, 77, 10, "what comes after it"));
    assert_eq!(rechat.message().await.content.readable(), "what comes after it");
    assert!(rechat.confirmed_late.is_empty());
}

#[tokio::test]
async fn what_was_missed_is_fetched_after_a_reconnect() {
    let mut rechat = rechat().await;
    rechat.conversations = vec!["private_5".into(), "group_77".into()];
    let script = willing();
    let history = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("get_group_msg_history") => Reply::ok(json!({"messages": [
            group_message(1, 77, 2, "second"), "garbage", group_message(1, 77, 1, "first"),
            own_message(1, 77, 3, "mine"),
        ]})),
        Some("get_friend_msg_history") => Reply::refused(1200, "no messages"),
        _ => script(action),
    });
    let peer = dial(&rechat, "1", history).await;
    let mut fetched = Vec::new();
    for _ in 0..3 {
        let message = rechat.message().await;
        fetched.push((message.external_id, message.own));
    }
    fetched.sort();
    assert_eq!(fetched, [("1".into(), false), ("2".into(), false), ("3".into(), true)]);
    let asked = peer.action("get_friend_msg_history").await;
    assert_eq!(asked["params"], json!({"user_id": 5, "count": 20}));
}

#[tokio::test]
async fn a_message_that_may_have_gone_out_is_looked_for() {
    let rechat = rechat().await;
    let script = willing();
    let history = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("get_group_msg_history") => Reply::ok(json!({"messages": [
            {"time": 1_600_000_000, "message_id": 1, "user_id": 5, "message": "old"},
            own_message(1, 77, 44, "hi"),
        ]})),
        _ => script(action),
    });
    let _peer = dial(&rechat, "1", history).await;
    let handle = rechat.handle("qq").await;
    let Found::History { candidates, is_complete } = handle.find(text_to("group_77", "hi")).await
    else {
        panic!("there is a history");
    };
    let told: Vec<_> =
        candidates.iter().map(|c| (c.external_id.as_str(), c.from_history)).collect();
    assert_eq!((told, is_complete), (vec![("44", true)], true));
    let nothing = Found::History { candidates: vec![], is_complete: true };
    assert_eq!(handle.find(text_to("group_77", "other")).await, nothing);
    assert_eq!(handle.find(text_to("private_5", "hi")).await, Found::CannotTell);
}

/// An implementation whose history has as many messages as are asked for, of 200 bytes and more.
fn with_history(size: usize) -> crate::onebot::Script {
    let script = willing();
    Arc::new(move |action: &Value| {
        if action["action"] != "get_group_msg_history" {
            return script(action);
        }
        let count = action["params"]["count"].as_i64().unwrap();
        let message = |id| group_message(1, 77, id, &"x".repeat(size));
        Reply::ok(json!({"messages": (1..=count).map(message).collect::<Vec<_>>()}))
    })
}

fn counts_asked(peer: &Peer) -> Vec<i64> {
    let is_history = |action: &&Value| action["action"] == "get_group_msg_history";
    let actions = peer.actions();
    let asked = actions.iter().filter(is_history);
    asked.map(|action| action["params"]["count"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_history_that_is_too_large_is_asked_for_in_part() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 10000".into()]).await;
    rechat.conversations = vec!["group_77".into()];
    let peer = dial(&rechat, "1", with_history(400)).await;
    for id in 1..=5 {
        assert_eq!(rechat.message().await.external_id, id.to_string());
    }
    assert_eq!(counts_asked(&peer), [20, 10, 5]);
    peer.push(&group_message(1, 77, 9, "still connected"));
    assert_eq!(rechat.message().await.content.readable(), "still connected");
}

#[tokio::test]
async fn a_history_that_no_frame_holds_is_not_asked_for_for_ever() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 2000".into()]).await;
    rechat.conversations = vec!["group_77".into()];
    let mut asked = Vec::new();
    // Each message alone is far over the limit: the connection ends, until nothing is asked for.
    for _ in 0..5 {
        let peer = dial(&rechat, "1", with_history(10_000)).await;
        rechat.until("1", PlatformState::Connected).await;
        // Lets the core answer which conversations there are.
        tokio::select! {
            _ = rechat.message() => panic!("nothing fits"),
            reason = async { while !peer.is_finished() { tokio::task::yield_now().await } } => reason,
        }
        asked.extend(counts_asked(&peer));
    }
    assert_eq!(asked, [20, 10, 5, 2, 1]);
    let peer = dial(&rechat, "1", with_history(10_000)).await;
    peer.push(&group_message(1, 77, 9, "at last"));
    assert_eq!(rechat.message().await.content.readable(), "at last");
    assert_eq!(counts_asked(&peer), [0; 0]);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_passed_over() {
    let mut rechat = Rechat::start(&["kind = 'onebot11'\nmax_frame = 2000".into()]).await;
    let peer = dial(&rechat, "1", willing()).await;
    peer.push(&group_message(1, 77, 1, &"x".repeat(3000)));
    peer.push(&group_message(1, 77, 2, "next"));
    assert_eq!(rechat.message().await.content.readable(), "next");
    assert_eq!(rechat.send("qq", "group_77", "still connected").await, sent("101"));
}

#[tokio::test]
async fn what_is_too_large_for_the_implementation_is_refused_for_good() {
    let rechat = rechat().await;
    let script = willing();
    let strict =
        Arc::new(
            move |action: &Value| {
                if action.to_string().len() > 500 { Reply::Close(1009) } else { script(action) }
            },
        );
    let peer = dial(&rechat, "1", strict.clone()).await;
    let delivery = rechat.send("qq", "group_77", &"x".repeat(1000)).await;
    let Delivery::Refused { reason, retryable } = delivery else { panic!("{delivery:?}") };
    assert!(!retryable && reason.contains("1009"), "{reason}");
    peer.ended().await;
    let _again = dial(&rechat, "1", strict).await;
    assert_eq!(rechat.send("qq", "group_77", "the next one").await, sent("101"));
}

#[tokio::test]
async fn an_account_that_is_off_is_not_sent_by() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    peer.push(&json!({"time": 1, "self_id": 1, "post_type": "meta_event",
        "meta_event_type": "heartbeat", "interval": 5000, "status": null}));
    peer.push(&heartbeat(1, 5000, false));
    assert!(rechat.until("1", PlatformState::Error).await.contains("off"));
    assert!(rechat.registry.handle("qq", None).is_none());
    peer.push(&heartbeat(1, 5000, true));
    peer.push(&heartbeat(1, 5000, true));
    rechat.until("1", PlatformState::Connected).await;
    peer.push(
        &json!({"time": 1, "self_id": 1, "post_type": "notice", "notice_type": "bot_offline",
        "user_id": 1, "tag": "被踢下线", "message": "kicked"}),
    );
    assert!(rechat.until("1", PlatformState::Error).await.contains("kicked"));
}

#[tokio::test]
async fn a_status_that_goes_to_and_fro_changes_the_state_once() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    for beat in 0..20 {
        peer.push(&heartbeat(1, 5000, beat % 2 == 1));
    }
    peer.push(&group_message(1, 77, 1, "after them"));
    assert_eq!(rechat.message().await.content.readable(), "after them");
    assert_eq!(rechat.change().await.1, PlatformState::Error);
    peer.push(&heartbeat(1, 5000, true));
    peer.push(&heartbeat(1, 5000, true));
    assert_eq!(rechat.change().await.1, PlatformState::Connected, "no change in between");
}

#[tokio::test]
async fn onebot_12_here_is_said_in_the_state() {
    let mut rechat = rechat().await;
    let peer = Peer::dial(&rechat.url(WS), &crate::onebot12::HEADERS, willing()).await.unwrap();
    peer.push(&crate::onebot12::connect());
    let reason = rechat.until("-", PlatformState::Error).await;
    assert!(reason.contains("OneBot 12") && reason.contains("/onebot/v12/ws"), "{reason}");
    let platforms = rechat.registry.platforms();
    assert_eq!(platforms[0].reason.as_deref(), Some(reason.as_str()));
}

#[tokio::test]
async fn an_entry_may_be_bound_to_accounts_and_a_platform() {
    let entry = "kind = 'onebot11'\npath = '/bound'\nplatform = 'qq'\naccount = ['1', 2]";
    let mut rechat = Rechat::start(&[entry.into()]).await;
    for (path, account) in [("/bound", "3"), ("/bound?platform=wechat", "1")] {
        let refused =
            Peer::dial(&rechat.url(path), &headers(account, "Universal"), willing()).await;
        refused.unwrap().ended().await;
    }
    let _allowed =
        Peer::dial(&rechat.url("/bound?platform=qq"), &headers("2", "Universal"), willing())
            .await
            .unwrap();
    assert_eq!(rechat.change().await, ("2".into(), PlatformState::Connected, String::new()));
    // One that tells its account later is refused then.
    let later = Peer::dial(&rechat.url("/bound"), &[], willing()).await.unwrap();
    later.push(&lifecycle(3));
    assert!(rechat.until("-", PlatformState::Error).await.contains("may not connect"));
    later.ended().await;
}

#[tokio::test]
async fn garbage_is_skipped() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    for frame in ["", "{", "[]", "null", "42", "{\"post_type\":{}}", "{\"retcode\":\"x\"}"] {
        peer.push_text(frame);
    }
    peer.push(&group_message(1, 77, 1, "still here"));
    assert_eq!(rechat.message().await.content.readable(), "still here");
}

#[tokio::test]
async fn who_dials_in_without_a_name_is_asked_for_it() {
    let mut rechat = rechat().await;
    let peer = Peer::dial(&rechat.url(WS), &[], willing()).await.unwrap();
    assert_eq!(rechat.change().await, ("-".into(), PlatformState::Connected, String::new()));
    peer.action("get_login_info").await;
    while rechat.handle("qq").await.account.as_deref() != Some("10001000") {
        tokio::task::yield_now().await;
    }
    drop(peer);
    assert_eq!(rechat.change().await.0, "10001000");
}

#[tokio::test]
async fn a_stranger_is_answered_through_the_group() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    let mut stranger = private_message(1, 5, 1, "hi");
    stranger["sub_type"] = json!("group");
    stranger["sender"]["group_id"] = json!(77);
    peer.push(&stranger);
    assert_eq!(rechat.message().await.conversation, "private_5");
    rechat.send("qq", "private_5", "hello").await;
    let params = &peer.action("send_private_msg").await["params"];
    assert_eq!((&params["user_id"], &params["group_id"]), (&json!(5), &json!(77)));
    peer.push(&private_message(1, 5, 2, "friends now"));
    rechat.message().await;
    rechat.send("qq", "private_5", "hello").await;
    assert!(peer.action("send_private_msg").await["params"]["group_id"].is_null());
}

#[tokio::test]
async fn media_are_sent_as_segments() {
    let rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    let image = outbound("group_77", MessageType::Image, "https://x/a.png");
    assert_eq!(rechat.handle("qq").await.send(image).await, sent("101"));
    let segment = json!({"type": "image", "data": {"file": "https://x/a.png"}});
    assert_eq!(peer.action("send_group_msg").await["params"]["message"], json!([segment]));
}

#[tokio::test]
async fn a_thousand_messages_each_way() {
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    for id in 1..=1000 {
        peer.push(&group_message(1, 77, id, &format!("message {id}")));
    }
    for id in 1..=1000 {
        assert_eq!(rechat.message().await.content.readable(), format!("message {id}"));
    }
    let handle = rechat.handle("qq").await;
    let delivered = Arc::new(AtomicUsize::new(0));
    let sending: Vec<_> = (0..1000)
        .map(|number| {
            let (handle, delivered) = (handle.clone(), Arc::clone(&delivered));
            tokio::spawn(async move {
                let delivery = handle.send(text_to("group_77", &number.to_string())).await;
                assert!(matches!(delivery, Delivery::Sent { .. }), "{delivery:?}");
                delivered.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    for sent in sending {
        sent.await.unwrap();
    }
    assert_eq!(delivered.load(Ordering::Relaxed), 1000);
}

#[tokio::test]
async fn two_accounts_are_told_apart() {
    let mut rechat = rechat().await;
    let one = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    let two = dial(&rechat, "2", willing()).await;
    rechat.until("2", PlatformState::Connected).await;
    two.push(&group_message(2, 77, 1, "hi"));
    assert_eq!(rechat.message().await.account, "2");
    let handle = rechat.registry.handle("qq", Some("2")).unwrap();
    assert_eq!(handle.send(text_to("group_77", "to you")).await, sent("101"));
    two.action("send_group_msg").await;
    assert_eq!(one.actions().iter().filter(|a| a["action"] == "send_group_msg").count(), 0);
}

/// `cargo test --release --test adapters -- --ignored --nocapture events_a_second`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn events_a_second() {
    const EVENTS: u32 = 100_000;
    let mut rechat = rechat().await;
    let peer = dial(&rechat, "1", willing()).await;
    let frame = group_message(1, 77, 1, "看看这个，怎么样？").to_string();
    let began = std::time::Instant::now();
    for _ in 0..EVENTS {
        peer.push_text(&frame);
    }
    for _ in 0..EVENTS {
        rechat.message().await;
    }
    let each = began.elapsed() / EVENTS;
    println!("{each:?} an event, {:.0} events a second", 1.0 / each.as_secs_f64());
}
