//! Commands of a client on the WebSocket (contract, Part 1, "WebSocket", and items 9 to 16 and 29).

use super::event::{EventKinds, UnknownEvent};
use super::http::{MISSING_DATA, NewMessage};
use super::json;
use crate::model::message::{Draft, MessageType};
use crate::model::subscription::NameList;
use crate::text::error_of_json;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A valid command.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientCommand {
    /// Adds topics and kinds of events.
    Subscribe(Subscribe),
    /// `ends_topics` is false if the command names only events: the topics then stay.
    Unsubscribe {
        /// Platforms; absent, empty or `*` is any.
        platforms: NameList,
        /// Conversations; absent, empty or `*` is any.
        conversations: NameList,
        /// The topics end, too.
        ends_topics: bool,
        /// Kinds of events that end.
        events: EventKinds,
    },
    /// Stores a message and has it sent.
    SendMessage(Draft),
}

/// `subscribe`
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename = "subscribe")]
pub struct Subscribe {
    /// Platforms; absent, empty or `*` is any.
    #[serde(skip_serializing_if = "NameList::is_absent")]
    pub platforms: NameList,
    /// Conversations; absent, empty or `*` is any.
    #[serde(skip_serializing_if = "NameList::is_absent")]
    pub conversations: NameList,
    /// Position after which messages are replayed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Position after which every asked event is replayed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Kinds of events that the session asks for. A session with a list, even an empty one, has
    /// cursors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<EventKinds>,
}

/// Position after which messages are to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Since {
    /// The `seq` of a message.
    Seq(u64),
    /// The ID of a message.
    Id(Uuid),
}

/// A frame that was read, with the `request_id` for the answer, if it has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The value that the answer repeats, if the client gave one.
    pub request_id: Option<Value>,
    /// The command, or the error in it.
    pub command: Result<ClientCommand, String>,
}

impl Parsed {
    /// Reads a text frame. Whatever is in it, the connection stays open.
    pub fn read(text: &str) -> Self {
        let object = match json::from_slice_lenient(text.as_bytes()) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Self::wrong(None, "a command is a JSON object with a `type`"),
            Err(error) => {
                return Self::wrong(
                    None,
                    format!("the frame is not JSON: {}", error_of_json(&error)),
                );
            }
        };
        let request_id = match object.get("request_id") {
            None | Some(Value::Null) => None,
            Some(id @ (Value::String(_) | Value::Number(_))) => Some(id.clone()),
            Some(_) => return Self::wrong(None, "`request_id` must be a string or a number"),
        };
        Self { command: command(object), request_id }
    }

    fn wrong(request_id: Option<Value>, text: impl Into<String>) -> Self {
        Self { request_id, command: Err(text.into()) }
    }
}

fn command(mut object: Map<String, Value>) -> Result<ClientCommand, String> {
    match object.get("type") {
        Some(Value::String(kind)) => match kind.as_str() {
            "subscribe" => subscribe(object),
            "unsubscribe" => {
                let platforms = names(&mut object, "platforms")?;
                let conversations = names(&mut object, "conversations")?;
                let events = events(&object)?.unwrap_or_default();
                let ends_topics =
                    events.is_empty() || !platforms.is_absent() || !conversations.is_absent();
                Ok(ClientCommand::Unsubscribe { platforms, conversations, ends_topics, events })
            }
            "send_message" => send_message(object),
            other => {
                Err(format!("unknown `type` {other:?}; use subscribe, unsubscribe or send_message"))
            }
        },
        Some(_) => Err("`type` must be a string".into()),
        None => Err("`type` is missing; use subscribe, unsubscribe or send_message".into()),
    }
}

fn subscribe(mut object: Map<String, Value>) -> Result<ClientCommand, String> {
    let subscribe = Subscribe {
        platforms: names(&mut object, "platforms")?,
        conversations: names(&mut object, "conversations")?,
        since: since(&object)?,
        cursor: cursor(&object)?,
        events: events(&object)?,
    };
    if subscribe.since.is_some() && subscribe.cursor.is_some() {
        return Err("`since` and `cursor` exclude each other; give one".into());
    }
    Ok(ClientCommand::Subscribe(subscribe))
}

fn send_message(mut object: Map<String, Value>) -> Result<ClientCommand, String> {
    let mut data = match object.remove("data") {
        Some(Value::Object(data)) => data,
        // Fixed by the contract.
        None | Some(Value::Null) => return Err(MISSING_DATA.into()),
        Some(_) => return Err("`data` must be an object".into()),
    };
    let mut text = |field: &str| match data.remove(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(Value::String(_)) => Err(format!("`data.{field}` is empty")),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(format!("`data.{field}` must be a string")),
    };
    let required =
        |field: &str, value: Option<String>| value.ok_or(format!("`data.{field}` is missing"));
    let platform = required("platform", text("platform")?)?;
    let conversation = required("conversation", text("conversation")?)?;
    let content = text("content")?;
    let message_type = text("message_type")?.unwrap_or_else(|| MessageType::Text.to_string());
    let reply_to = text("reply_to")?;
    let segments = data.remove("segments").filter(|value| !value.is_null());
    let segments = segments.map(serde_json::from_value).transpose();
    let segments =
        segments.map_err(|error| format!("`data.segments`: {}", error_of_json(&error)))?;
    let content = if segments.is_some() { content } else { Some(required("content", content)?) };
    let message = NewMessage {
        message_type: Some(message_type),
        content,
        recipient: conversation,
        platform: Some(platform),
        segments,
        reply_to,
    };
    let draft =
        message.into_draft().map_err(|text| text.replace("`recipient`", "`data.conversation`"))?;
    Ok(ClientCommand::SendMessage(draft))
}

fn names(object: &mut Map<String, Value>, field: &str) -> Result<NameList, String> {
    match object.remove(field) {
        None | Some(Value::Null) => Ok(NameList::absent()),
        Some(Value::String(any)) if any == "*" => Ok(NameList::listed([any])),
        Some(Value::Array(list)) => {
            let mut names = Vec::with_capacity(list.len());
            for item in list {
                match item {
                    Value::String(name) if !name.is_empty() => names.push(name),
                    Value::String(_) => return Err(format!("`{field}` has an empty name in it")),
                    _ => return Err(format!("`{field}` must be a list of strings")),
                }
            }
            Ok(NameList::listed(names))
        }
        Some(_) => Err(format!("`{field}` must be a list of strings, or \"*\"")),
    }
}

fn since(object: &Map<String, Value>) -> Result<Option<Since>, String> {
    let wrong = || "`since` must be a `seq` (a number from 0 on) or a message's ID".to_owned();
    match object.get("since") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(seq)) => seq.as_u64().map(|seq| Some(Since::Seq(seq))).ok_or_else(wrong),
        Some(Value::String(text)) => match (text.parse(), text.parse()) {
            (Ok(seq), _) => Ok(Some(Since::Seq(seq))),
            (_, Ok(id)) => Ok(Some(Since::Id(id))),
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

/// The position that `cursor` names. Whether this store has the position is checked later.
fn cursor(object: &Map<String, Value>) -> Result<Option<String>, String> {
    match object.get("cursor") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(cursor)) => Ok(Some(cursor.clone())),
        Some(_) => Err("`cursor` must be a string, as an event or an ack had it".into()),
    }
}

fn events(object: &Map<String, Value>) -> Result<Option<EventKinds>, String> {
    let named = match object.get("events") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(any)) if any == "*" => return Ok(Some(EventKinds::all())),
        Some(Value::Array(named)) => named,
        Some(_) => return Err("`events` must be a list of names, or \"*\"".into()),
    };
    let names: Option<Vec<&str>> = named.iter().map(Value::as_str).collect();
    let names = names.ok_or("`events` must be a list of strings")?;
    EventKinds::named(names).map(Some).map_err(|unknown: UnknownEvent| unknown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error_of(text: &str) -> String {
        Parsed::read(text).command.unwrap_err()
    }

    #[test]
    fn errors_name_the_field() {
        for (frame, named) in [
            ("hello", "not JSON"),
            ("[]", "JSON object"),
            ("{}", "`type`"),
            (r#"{"type":5}"#, "`type`"),
            (r#"{"type":"dance"}"#, "dance"),
            (r#"{"type":"subscribe","platforms":"qq"}"#, "`platforms`"),
            (r#"{"type":"subscribe","conversations":[5]}"#, "`conversations`"),
            (r#"{"type":"subscribe","since":-1}"#, "`since`"),
            (r#"{"type":"subscribe","since":"x"}"#, "`since`"),
            (r#"{"type":"subscribe","events":["rain"]}"#, "rain"),
            (r#"{"type":"subscribe","events":[5]}"#, "`events`"),
            (r#"{"type":"subscribe","events":"rain"}"#, "`events`"),
            (r#"{"type":"subscribe","cursor":5}"#, "`cursor`"),
            (r#"{"type":"subscribe","cursor":"x","since":1}"#, "`since` and `cursor`"),
            (r#"{"type":"send_message","data":5}"#, "`data`"),
            (r#"{"type":"send_message","data":{}}"#, "`data.platform`"),
            (r#"{"type":"send_message","data":{"platform":"qq"}}"#, "`data.conversation`"),
            (
                r#"{"type":"send_message","data":{"platform":"qq","conversation":"g"}}"#,
                "`data.content`",
            ),
            (
                r#"{"type":"send_message","data":{"platform":"qq","conversation":"g","content":""}}"#,
                "`data.content`",
            ),
            (
                r#"{"type":"send_message","data":{"platform":1,"conversation":"g","content":"x"}}"#,
                "`data.platform`",
            ),
            (r#"{"type":"subscribe","request_id":{}}"#, "`request_id`"),
            (
                r#"{"type":"send_message","data":{"platform":"qq","conversation":"g","segments":[["text","x"]]}}"#,
                "`data.segments`: invalid type: list, expected an object",
            ),
        ] {
            assert!(error_of(frame).contains(named), "{frame}: {}", error_of(frame));
        }
        assert_eq!(error_of(r#"{"type":"send_message"}"#), "Missing data field");
        let wrong_type = r#"{"type":"send_message","data":{"platform":"qq","conversation":"g","content":"x","message_type":"text"}}"#;
        assert_eq!(error_of(wrong_type), crate::protocol::http::INVALID_TYPE);
    }

    #[test]
    fn the_request_id_comes_back_with_errors_too() {
        let parsed = Parsed::read(r#"{"type":"dance","request_id":"r1"}"#);
        assert!(parsed.command.is_err());
        assert_eq!(parsed.request_id, Some("r1".into()));
    }

    #[test]
    fn a_subscription_reads_back_as_it_was_written() {
        let names = |name: &str| NameList::listed([name.to_owned()]);
        let kinds = EventKinds::named(["message_status", "message_deleted"]).unwrap();
        for subscribe in [
            Subscribe::default(),
            Subscribe { since: Some(Since::Seq(5)), events: Some(kinds), ..Subscribe::default() },
            Subscribe { since: Some(Since::Id(Uuid::nil())), ..Subscribe::default() },
            Subscribe { platforms: names("qq"), conversations: names("*"), ..Subscribe::default() },
            Subscribe { cursor: Some("x".into()), ..Subscribe::default() },
        ] {
            let text = serde_json::to_string(&subscribe).unwrap();
            assert_eq!(
                Parsed::read(&text).command,
                Ok(ClientCommand::Subscribe(subscribe)),
                "{text}"
            );
        }
    }

    #[test]
    fn text_that_other_readers_refuse_is_read() {
        let frame = "\u{feff}{\"type\":\"unsubscribe\",\"type\":\"send_message\",\"data\":\
                     {\"platform\":\"qq\",\"conversation\":\"g\",\"content\":\"a\\ud83d\"}}";
        let Ok(ClientCommand::SendMessage(draft)) = Parsed::read(frame).command else {
            panic!("the last of two equal keys counts")
        };
        assert_eq!(draft.into_message(1, Uuid::nil(), 0).content.readable(), "a\u{fffd}");
    }

    proptest! {
        #[test]
        fn no_frame_is_a_panic(text in ".*") {
            let _ = Parsed::read(&text);
        }

        #[test]
        fn no_odd_field_is_a_panic(kind in "subscribe|unsubscribe|send_message", field in "platforms|conversations|since|cursor|events|data|request_id", value in r#"null|1|-1|"x"|"\*"|\[\]|\["\*"\]|\[1\]|\{\}|\{"platform":1\}"#) {
            let _ = Parsed::read(&format!(r#"{{"type":"{kind}","{field}":{value}}}"#));
        }
    }
}
