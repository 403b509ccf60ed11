//! AsyncAPI description of the WebSocket, made from the types of its frames.

use super::event::{
    Ack, AdapterStatusData, CURSOR_GONE, ErrorAnswer, EventKind, MessageDeleted, MessageStatus,
    MessageUpdated, NewMessageData, request_id,
};
use super::http::NewMessage;
use super::overview::Conversation;
use crate::model::notice::Notice;
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// Frames of a client: the name of the message, and a summary.
const COMMANDS: [(&str, &str); 3] = [
    ("subscribe", "Adds the product of both lists, and kinds of events"),
    ("unsubscribe", "Removes topics by either list, or all, or ends kinds of events"),
    ("send_message", "Stores a message and has it sent"),
];

/// Answers of the server.
const ANSWERS: [(&str, &str); 2] = [
    ("ack", "The command was carried out"),
    ("error", "Something in a command was wrong; the connection stays open"),
];

/// A change of an adapter, which every session gets.
const ADAPTER_STATUS: (&str, &str) = ("adapter_status", "An adapter's state changed");

/// Events of the server: every kind that can be asked for, and changes of adapters.
fn events() -> impl Iterator<Item = (&'static str, &'static str)> {
    let summary = |kind| match kind {
        EventKind::NewMessage => {
            "Once for each message, in the order of `seq`, right after it is on disk"
        }
        EventKind::MessageStatus => "A message's status changed; only for sessions that asked",
        EventKind::MessageUpdated => {
            "Something else of a message changed; only for sessions that asked"
        }
        EventKind::MessageDeleted => "A message was deleted; only for sessions that asked",
        EventKind::Notice => {
            "Something happened that is no message, as a person who joins; only for sessions that asked"
        }
        EventKind::ConversationUpdated => "A conversation changed; only for sessions that asked",
    };
    EventKind::ALL
        .into_iter()
        .map(move |kind| (kind.as_str(), summary(kind)))
        .chain([ADAPTER_STATUS])
}

/// The whole description.
pub fn description() -> Value {
    let all = || COMMANDS.into_iter().chain(ANSWERS).chain(events());
    let references = |under: &str, names: &mut dyn Iterator<Item = (&'static str, &str)>| {
        let reference = |(name, _): (&str, _)| json!({"$ref": format!("{under}/{name}")});
        names.map(reference).collect::<Vec<_>>()
    };
    let channel = "#/channels/client/messages";
    let channel_messages: Map<String, Value> = all()
        .map(|(name, _)| (name.into(), json!({"$ref": format!("#/components/messages/{name}")})))
        .collect();
    let messages: Map<String, Value> = all()
        .map(|(name, summary)| {
            let payload = json!({"$ref": format!("#/components/schemas/{name}")});
            (name.into(), json!({"summary": summary, "payload": payload}))
        })
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "rechat",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The WebSocket of rechat: JSON text frames, told apart by `type`. A new connection is subscribed to nothing.",
        },
        "channels": {"client": {
            "address": "/ws/client",
            "messages": channel_messages,
            "bindings": {"ws": {"query": {"type": "object", "properties": {"access_token": {
                "type": "string",
                "description": "The token, where one is needed and no header can be sent",
            }}}}},
        }},
        "operations": {
            "command": {
                "action": "receive",
                "channel": {"$ref": "#/channels/client"},
                "messages": references(channel, &mut COMMANDS.into_iter()),
                "reply": {
                    "channel": {"$ref": "#/channels/client"},
                    "messages": references(channel, &mut ANSWERS.into_iter()),
                },
            },
            "event": {
                "action": "send",
                "channel": {"$ref": "#/channels/client"},
                "messages": references(channel, &mut events().chain([ANSWERS[1]])),
            },
        },
        "components": {"messages": messages, "schemas": schemas()},
    })
}

/// The schema of each frame under the frame's `type`, and the types that they use.
fn schemas() -> Map<String, Value> {
    let mut used = Vec::new();
    let mut schemas = Map::new();
    let mut event = |name: &str, data: RefOr<Schema>| {
        schemas.insert(name.into(), frame(name, &data));
    };
    for kind in EventKind::ALL {
        let data = match kind {
            EventKind::NewMessage => of::<NewMessageData>(&mut used),
            EventKind::MessageStatus => of::<MessageStatus>(&mut used),
            EventKind::MessageUpdated => of::<MessageUpdated>(&mut used),
            EventKind::MessageDeleted => of::<MessageDeleted>(&mut used),
            EventKind::Notice => of::<Notice>(&mut used),
            EventKind::ConversationUpdated => of::<Conversation>(&mut used),
        };
        event(kind.as_str(), data);
    }
    event(ADAPTER_STATUS.0, of::<AdapterStatusData>(&mut used));
    schemas.insert("ack".into(), tagged("ack", value(&of::<Ack>(&mut used))));
    let mut error = tagged("error", value(&of::<ErrorAnswer>(&mut used)));
    error["properties"]["code"]["examples"] = json!([CURSOR_GONE]);
    schemas.insert("error".into(), error);
    schemas.extend(commands(&message_to_send(&mut used)));
    schemas.extend(used.iter().map(|(name, schema)| (name.clone(), value(schema))));
    schemas
}

/// The schema of a type; the types that it uses are added to `used`.
fn of<T: ToSchema>(used: &mut Vec<(String, RefOr<Schema>)>) -> RefOr<Schema> {
    T::schemas(used);
    <T as PartialSchema>::schema()
}

fn value(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

/// The frame of an event.
fn frame(name: &str, data: &RefOr<Schema>) -> Value {
    let cursor = json!({
        "type": "string",
        "description": "Where to go on after this event; for sessions that asked for events",
    });
    json!({
        "type": "object",
        "required": ["type", "data"],
        "properties": {"type": {"const": name}, "cursor": cursor, "data": value(data)},
        "additionalProperties": false,
    })
}

/// A schema of an object that has its `type` next to its other fields.
fn tagged(name: &str, mut schema: Value) -> Value {
    schema["properties"]["type"] = json!({"const": name});
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("type".into());
    }
    schema["additionalProperties"] = false.into();
    schema
}

/// The data of `send_message`: a message as `POST /api/messages` takes it, where `recipient` is called
/// `conversation` and the platform is named.
fn message_to_send(used: &mut Vec<(String, RefOr<Schema>)>) -> Value {
    let mut schema = value(&of::<NewMessage>(used));
    if let Some(fields) = schema["properties"].as_object_mut() {
        let conversation = fields.remove("recipient").unwrap_or_default();
        fields.insert("conversation".into(), conversation);
    }
    schema["required"] = json!(["platform", "conversation"]);
    schema["anyOf"] = json!([{"required": ["content"]}, {"required": ["segments"]}]);
    schema
}

/// The commands. Their fields are read one by one, so that errors can name them.
fn commands(message: &Value) -> [(String, Value); 3] {
    let id = serde_json::to_value(request_id()).unwrap_or_default();
    let names = json!({
        "oneOf": [{"type": "array", "items": {"type": "string"}}, {"const": "*"}, {"type": "null"}],
        "description": "Absent, empty or \"*\" is any",
    });
    let kinds: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).chain(["*"]).collect();
    let events = json!({"oneOf": [
        {"type": "array", "items": {"enum": kinds}}, {"const": "*"}, {"type": "null"},
    ]});
    let command = |kind: &str, required: &[&str], mut properties: Value| {
        properties["type"] = json!({"const": kind});
        properties["request_id"] = id.clone();
        (kind.to_owned(), json!({"type": "object", "required": required, "properties": properties}))
    };
    [
        command(
            "subscribe",
            &["type"],
            json!({
                "platforms": names,
                "conversations": names,
                "since": {
                    "type": ["integer", "string"],
                    "description": "A `seq` or a message's ID: messages after it are replayed first",
                },
                "cursor": {
                    "type": "string",
                    "description": "In place of `since`: all asked events after it are replayed first",
                },
                "events": events,
            }),
        ),
        command(
            "unsubscribe",
            &["type"],
            json!({
                "platforms": names,
                "conversations": names,
                "events": events,
            }),
        ),
        command("send_message", &["type", "data"], json!({"data": message})),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of a description.
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let description = description();
        let mut found = Vec::new();
        references(&description, &mut found);
        assert!(found.len() > 30, "{found:?}");
        for reference in found {
            let pointer = reference.trim_start_matches('#');
            assert!(description.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }
}
