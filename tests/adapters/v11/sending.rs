//! Sending, and the reported outcomes.

use super::{dial, rechat, sent};
use crate::onebot::Reply;
use crate::onebot11::{group_message, own_message, private_message, willing, willing_but};
use crate::rechat::{Rechat, outbound, text_to};
use rechat::adapter::{ActionError, Delivery, Found, PlatformState};
use rechat::model::message::MessageType;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::sync::Arc;

/// A short limit, for actions that are never answered.
const HASTY: &str = "kind = 'onebot11'\nanswer_timeout = 0.05";

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
async fn a_message_that_may_have_gone_out_is_looked_for() {
    let mut rechat = rechat().await;
    let script = willing();
    let history = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("get_group_msg_history") => Reply::ok(json!({"messages": [
            {"time": 1_600_000_000, "message_id": 1, "user_id": 5, "message": "old"},
            own_message(1, 77, 44, "hi"),
        ]})),
        _ => script(action),
    });
    let peer = dial(&rechat, "1", history).await;
    // By a live message the clock of the history is known.
    let mut live = group_message(1, 77, 10, "live");
    live["time"] = json!(rechat::clock::now());
    peer.push(&live);
    assert_eq!(rechat.message().await.content.readable(), "live");
    let handle = rechat.handle("qq").await;
    let Found::History { candidates, is_complete, .. } =
        handle.find(text_to("group_77", "hi")).await
    else {
        panic!("there is a history");
    };
    let told: Vec<_> =
        candidates.iter().map(|c| (c.external_id.as_str(), c.from_history)).collect();
    assert_eq!((told, is_complete), (vec![("44", true)], true));
    let Found::History { candidates, others, is_complete } =
        handle.find(text_to("group_77", "other")).await
    else {
        panic!("there is a history");
    };
    assert!(candidates.is_empty() && is_complete);
    assert_eq!(others.len(), 1, "it may be told in another form");
    assert_eq!(handle.find(text_to("private_5", "hi")).await, Found::CannotTell);
}

#[tokio::test]
async fn a_message_is_looked_for_behind_newer_ones() {
    let rechat = rechat().await;
    let script = willing();
    let history = Arc::new(move |action: &Value| {
        if action["action"] != "get_group_msg_history" {
            return script(action);
        }
        let count = usize::try_from(action["params"]["count"].as_u64().unwrap()).unwrap();
        let newer = (2..60).map(|id| group_message(1, 77, id, "newer"));
        let all: Vec<_> = std::iter::once(own_message(1, 77, 1, "hi")).chain(newer).collect();
        Reply::ok(json!({"messages": all[all.len().saturating_sub(count)..]}))
    });
    let _peer = dial(&rechat, "1", history).await;
    let found = rechat.handle("qq").await.find(text_to("group_77", "hi")).await;
    let Found::History { candidates, .. } = found else { panic!("there is a history") };
    let told: Vec<_> = candidates.iter().map(|one| one.external_id.as_str()).collect();
    assert_eq!(told, ["1"]);
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
async fn a_message_is_not_refused_for_a_call_of_a_bot_that_is_too_large() {
    let rechat = rechat().await;
    let script = willing();
    let strict = Arc::new(move |action: &Value| match action["action"].as_str() {
        Some("send_group_msg") => Reply::Silent,
        Some("set_group_name") => Reply::Close(1009),
        _ => script(action),
    });
    let peer = dial(&rechat, "1", strict).await;
    let handle = rechat.handle("qq").await;
    let message = text_to("group_77", "hello");
    let sending = handle.send(message);
    let calling = async {
        peer.action("send_group_msg").await;
        let params = json!({"group_name": "x".repeat(1000)}).to_string();
        handle.call("set_group_name".into(), RawValue::from_string(params).unwrap()).await
    };
    let (delivery, called) = tokio::join!(sending, calling);
    assert!(matches!(delivery, Delivery::Unknown { .. }), "it may have gone out: {delivery:?}");
    assert!(matches!(&called, Err(ActionError::Refused(_))), "{called:?}");
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
    peer.drop_connection();
    rechat.until("1", PlatformState::Disconnected).await;
    let peer = dial(&rechat, "1", willing()).await;
    rechat.until("1", PlatformState::Connected).await;
    rechat.send("qq", "private_5", "hello again").await;
    let params = &peer.action("send_private_msg").await["params"];
    assert_eq!(params["group_id"], json!(77), "also by the next connection");
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
