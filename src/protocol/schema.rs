//! Schemas of the model's types that go over the wire, for OpenAPI and AsyncAPI. The model itself
//! knows nothing of descriptions; a test holds both together.

use crate::model::content::{ForwardItem, MediaFailure, Segment};
use crate::model::message::{Direction, MessageType, Sender, Status};
use crate::model::notice::{Notice, NoticeKind};
use serde_json::{Value, json};
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

type Schemas = Vec<(String, RefOr<Schema>)>;

macro_rules! named_enum {
    ($($name:ident: $description:literal),* $(,)?) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some($name::ALL.map($name::as_str)))
                    .description(Some($description))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )*};
}
named_enum! {
    MessageType: "Type of a message's content",
    Status: "State of a message",
    Direction: "Whether a message goes out to a platform or came in from one",
    NoticeKind: "Kind of a notice",
}

/// A schema that is written as JSON.
macro_rules! written {
    ($($name:ident = $schema:expr, with $($part:ty),*;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                serde_json::from_value($schema)
                    .map_or_else(|_| Schema::Object(Default::default()).into(), RefOr::T)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(_all: &mut Schemas) {
                $(add::<$part>(_all);)*
            }
        }
    )*};
}
written! {
    Sender = object(&["id", "name"], &json!({
        "id": described("string", "The platform's ID of the user"),
        "name": described("string", "The name shown: the group card, else the nickname"),
    })), with;
    Notice = object(&["platform", "account", "kind", "text", "created_at"], &json!({
        "platform": {"type": "string"},
        "account": described("string", "The account that was told"),
        "conversation": {"type": "string"},
        "kind": reference("NoticeKind"),
        "user": reference("Sender"),
        "operator": reference("Sender"),
        "text": {"type": "string"},
        "created_at": described("integer", "Unix seconds"),
        "request": described("integer", "The ID of the request, where it can be answered"),
    })), with NoticeKind, Sender;
    ForwardItem = object(&["sender", "created_at", "segments"], &json!({
        "sender": reference("Sender"),
        "created_at": described("integer", "Unix seconds"),
        "segments": {"type": "array", "items": reference("Segment")},
    })), with Sender;
    MediaFailure = object(&["reason", "at"], &json!({
        "reason": described("string", "What happened, for people"),
        "code": described("string", "The same for programs, where it has a name"),
        "detail": described("string", "What a host or the platform said, as the reason has it"),
        "retryable": described("boolean", "Another attempt may help"),
        "at": described("integer", "Unix seconds of the attempt"),
    })), with;
    Segment = segment(), with ForwardItem, MediaFailure;
}

/// Adds a schema and those it refers to, each once.
fn add<T: ToSchema>(all: &mut Schemas) {
    let name = T::name().into_owned();
    if all.iter().all(|(known, _)| *known != name) {
        all.push((name, T::schema()));
        T::schemas(all);
    }
}

fn reference(name: &str) -> Value {
    serde_json::to_value(Ref::from_schema_name(name)).unwrap_or_default()
}

fn described(kind: &str, description: &str) -> Value {
    json!({"type": kind, "description": description})
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

/// One part of a message (contract, item 23).
fn segment() -> Value {
    let text = || json!({"type": "string"});
    let number = || json!({"type": "number"});
    let kind = |name: &str, required: &[&str], mut properties: Value| {
        properties["type"] = json!({"type": "string", "enum": [name]});
        let required: Vec<_> = ["type"].iter().chain(required).collect();
        json!({"type": "object", "required": required, "properties": properties})
    };
    let media = |name: &str| {
        kind(
            name,
            &[],
            json!({
                "name": described("string", "The file's name"),
                "size": described("integer", "Bytes"),
                "mime": described("string", "Media type (RFC 6838)"),
                "width": described("integer", "Pixels"),
                "height": described("integer", "Pixels"),
                "duration": described("number", "Seconds"),
                "url": described("string", "The platform's address of it, which may expire"),
                "media": described("string", "SHA-256 in hex, once the bytes are kept here"),
                "summary": described("string", "The platform's word for it"),
                "text": described("string", "The words said in it"),
                "failure": reference("MediaFailure"),
            }),
        )
    };
    json!({
        "description": "One part of a message",
        "oneOf": [
            kind("text", &["text"], json!({"text": text()})),
            kind("mention", &["user"], json!({
                "user": text(),
                "name": text(),
                "me": described("boolean", "The person is the account itself"),
            })),
            kind("mention_all", &[], json!({})),
            kind("emoji", &[], json!({"name": text(), "id": text(), "url": text()})),
            media("image"),
            media("audio"),
            media("video"),
            media("file"),
            kind("location", &["latitude", "longitude"], json!({
                "latitude": number(), "longitude": number(), "title": text(), "address": text(),
            })),
            kind("forward", &[], json!({
                "title": text(),
                "items": {"type": "array", "items": reference("ForwardItem")},
                "id": text(),
            })),
            kind("card", &[], json!({
                "title": text(), "text": text(), "url": text(), "image": text(),
            })),
            kind("other", &["name"], json!({"name": text(), "text": text()})),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::every_segment;
    use std::collections::BTreeSet;

    #[test]
    fn each_segment_has_its_schema_with_all_its_fields() {
        let schema = serde_json::to_value(Segment::schema()).unwrap();
        let kinds = schema["oneOf"].as_array().unwrap();
        let name = |kind: &Value| kind["properties"]["type"]["enum"][0].clone();
        let mut known = BTreeSet::new();
        for segment in every_segment() {
            let json = serde_json::to_value(&segment).unwrap();
            let kind = kinds.iter().find(|kind| name(kind) == json["type"]).unwrap();
            let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect();
            let (told, written): (BTreeSet<String>, BTreeSet<String>) =
                (keys(&kind["properties"]), keys(&json));
            assert_eq!(told, written);
            known.insert(json["type"].to_string());
        }
        assert_eq!(known.len(), kinds.len());
    }

    #[test]
    fn every_schema_can_be_read() {
        let all =
            [Sender::schema(), Notice::schema(), ForwardItem::schema(), MediaFailure::schema()];
        for schema in all {
            let json = serde_json::to_value(schema).unwrap();
            assert!(!json["properties"].as_object().unwrap().is_empty());
        }
    }
}
