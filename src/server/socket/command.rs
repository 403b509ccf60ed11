//! What a client says on the WebSocket, and how it is answered (contract, Part 2, items 9 to 16).

use crate::model::message::{Draft, MessageType};
use crate::model::subscription::Names;
use crate::protocol::http::NewMessage;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// A command that can be carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    #[allow(missing_docs)]
    Subscribe { platforms: Names, conversations: Names, since: Option<Since>, with_status: bool },
    /// `ends_pairs` is false where only events are named: the pairs stay then.
    #[allow(missing_docs)]
    Unsubscribe { platforms: Names, conversations: Names, ends_pairs: bool, ends_status: bool },
    #[allow(missing_docs)]
    SendMessage(Draft),
}

/// From where on messages are to be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    #[allow(missing_docs)]
    Seq(u64),
    #[allow(missing_docs)]
    Id(Uuid),
}

/// What a frame was read as, with the `request_id` to send back where there was one.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    #[allow(missing_docs)]
    pub request_id: Option<Value>,
    /// The command, or what is wrong with it.
    pub command: Result<Command, String>,
}

/// What the server says to a command.
#[derive(Debug, Default, Serialize)]
pub struct Reply {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Value>,
}

impl Reply {
    /// It is done.
    pub fn ack(status: &'static str) -> Self {
        Self { kind: "ack", status: Some(status), ..Self::default() }
    }

    /// It is not done, and why.
    pub fn error(text: impl Into<String>) -> Self {
        Self { kind: "error", error: Some(text.into()), ..Self::default() }
    }

    /// Names the session.
    #[must_use]
    pub fn in_session(self, session: Uuid) -> Self {
        Self { session_id: Some(session), ..self }
    }

    /// Names the message, and its state where it was asked for.
    #[must_use]
    pub fn of_message(self, id: Uuid, status: Option<&'static str>) -> Self {
        Self { message_id: Some(id), message_status: status, ..self }
    }

    /// As the answer to this request.
    #[must_use]
    pub fn to(self, request_id: Option<Value>) -> Self {
        Self { request_id, ..self }
    }

    /// The frame.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Parsed {
    /// Reads a text frame; whatever it says, the connection survives it.
    pub fn read(text: &str) -> Self {
        let object = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Self::wrong(None, "a command is a JSON object with a `type`"),
            Err(error) => return Self::wrong(None, format!("the frame is not JSON: {error}")),
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

fn command(mut object: Map<String, Value>) -> Result<Command, String> {
    match object.get("type") {
        Some(Value::String(kind)) => match kind.as_str() {
            "subscribe" => Ok(Command::Subscribe {
                platforms: names(&mut object, "platforms")?,
                conversations: names(&mut object, "conversations")?,
                since: since(&object)?,
                with_status: names_status(&object)?,
            }),
            "unsubscribe" => {
                let platforms = names(&mut object, "platforms")?;
                let conversations = names(&mut object, "conversations")?;
                let ends_status = names_status(&object)?;
                let ends_pairs =
                    !ends_status || !platforms.is_absent() || !conversations.is_absent();
                Ok(Command::Unsubscribe { platforms, conversations, ends_pairs, ends_status })
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

fn send_message(mut object: Map<String, Value>) -> Result<Command, String> {
    let mut data = match object.remove("data") {
        Some(Value::Object(data)) => data,
        // Spelled by the contract.
        None | Some(Value::Null) => return Err("Missing data field".into()),
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
    let content = required("content", text("content")?)?;
    let message_type = text("message_type")?.unwrap_or_else(|| MessageType::Text.to_string());
    let message =
        NewMessage { message_type, content, recipient: conversation, platform: Some(platform) };
    let draft =
        message.into_draft().map_err(|text| text.replace("`recipient`", "`data.conversation`"))?;
    Ok(Command::SendMessage(draft))
}

fn names(object: &mut Map<String, Value>, field: &str) -> Result<Names, String> {
    match object.remove(field) {
        None | Some(Value::Null) => Ok(Names::absent()),
        Some(Value::String(any)) if any == "*" => Ok(Names::listed([any])),
        Some(Value::Array(list)) => {
            let mut names = Vec::with_capacity(list.len());
            for item in list {
                match item {
                    Value::String(name) if !name.is_empty() => names.push(name),
                    Value::String(_) => return Err(format!("`{field}` has an empty name in it")),
                    _ => return Err(format!("`{field}` must be a list of strings")),
                }
            }
            Ok(Names::listed(names))
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

/// Whether `events` names `message_status`, the only one there is to ask for.
fn names_status(object: &Map<String, Value>) -> Result<bool, String> {
    let events = match object.get("events") {
        None | Some(Value::Null) => return Ok(false),
        Some(Value::Array(events)) => events,
        Some(_) => return Err("`events` must be a list".into()),
    };
    match events.iter().find(|event| event.as_str() != Some("message_status")) {
        Some(other) => {
            Err(format!("`events` has {other}, which is unknown; use \"message_status\""))
        }
        None => Ok(!events.is_empty()),
    }
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
        let reply = Reply::error(parsed.command.unwrap_err()).to(parsed.request_id).text();
        assert!(reply.ends_with(r#""request_id":"r1"}"#), "{reply}");
    }

    proptest! {
        #[test]
        fn no_frame_is_a_panic(text in ".*") {
            let _ = Parsed::read(&text);
        }

        #[test]
        fn no_odd_field_is_a_panic(kind in "subscribe|unsubscribe|send_message", field in "platforms|conversations|since|events|data|request_id", value in r#"null|1|-1|"x"|"\*"|\[\]|\["\*"\]|\[1\]|\{\}|\{"platform":1\}"#) {
            let _ = Parsed::read(&format!(r#"{{"type":"{kind}","{field}":{value}}}"#));
        }
    }
}
