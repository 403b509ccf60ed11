use super::*;
use crate::model::message::{MessageType, Status};
use serde_json::json;
use uuid::Uuid;

#[test]
fn a_new_message_reads_back_as_the_message_it_told_of() {
    let text = json!({"type": "new_message", "data": {
        "id": "6f0a0c1e-8f5c-4c8e-9a54-7b1e43a8a5b0", "platform": "qq", "conversation": "group_1",
        "content": "hi", "message_type": "Text", "sender": {"id": "1", "name": "A"},
        "created_at": 7, "seq": 3, "direction": "Inbound"}});
    let Ok(ServerEvent::NewMessage { cursor: None, data }) = serde_json::from_value(text.clone())
    else {
        panic!("no new_message")
    };
    let message = data.into_message();
    assert_eq!((message.seq, message.status), (3, Status::Sent));
    let told = ServerEvent::NewMessage { cursor: None, data: NewMessageData::of(&message) };
    assert_eq!(serde_json::to_value(&told).unwrap(), text);
}

#[test]
fn an_update_of_a_message_without_a_platform_names_local_and_reads_back_without_one() {
    let draft = crate::model::message::Draft::new(MessageType::Text, "x".into(), "g".into(), None);
    let message = draft.unwrap().into_message(5, Uuid::nil(), 1);
    let told = serde_json::to_value(MessageUpdated::of(&message)).unwrap();
    assert_eq!((&told["platform"], &told["conversation"]), (&json!("local"), &json!("g")));
    let read: MessageUpdated = serde_json::from_value(told).unwrap();
    assert_eq!(read.into_message(), message);
}

#[test]
fn what_a_newer_server_tells_is_passed_over() {
    let event: ServerEvent = serde_json::from_str(r#"{"type":"dance","data":{"x":1}}"#).unwrap();
    assert_eq!(event, ServerEvent::Unknown);
}

#[test]
fn events_are_named_one_by_one_or_all_together() {
    let two = EventKinds::named(["message_status", "notice"]).unwrap();
    assert!(two.has(EventKind::Notice) && !two.has(EventKind::MessageDeleted));
    assert_eq!(EventKinds::named(["*"]), Ok(EventKinds::all()));
    let error = EventKinds::named(["rain"]).unwrap_err().to_string();
    assert!(error.contains("rain") && error.contains("message_deleted"), "{error}");
}
