//! Routes of messages.

use super::actions::not_carried_out;
use super::route::{ADMIN, READ, Route, SEND, WATCH};
use super::schema::{count, id, key, name, position, prefix};
use crate::model::message::{Direction, Message, MessageType, Status};
use crate::protocol::http::{Deleted, Listing, MessageChange, NewMessage};
use crate::server::body::LINES;
use crate::server::operation::Operation;
use crate::server::{list, messages, stream};
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 3] {
    [
        Route::new("/api/messages", [list(), create()]),
        Route::new("/api/messages/{id}", [read(), change(), delete()]),
        Route::new("/api/stream", [stream()]),
    ]
}

fn create() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(messages::create(call)))
        .by_leader()
        .described(|d| {
            d.named(
                "create_message",
                "Make a message, which is stored and sent as soon as it can be",
            )
            .header(
                "Idempotency-Key",
                &key(),
                "The same key and body within 24 h give the same message",
            )
            .takes::<NewMessage>()
            .with_rule("NewMessage", NewMessage::rule())
            .answers::<Message>(StatusCode::CREATED, "The message, stored")
            .error(409, "The key was used with another body")
        })
}

fn list() -> Operation {
    Operation::get(READ, |call| Box::pin(list::list(call))).described(|d| {
        d.named("list_messages", "Messages, the newest first")
            .query("offset", &count(), "How many to leave out")
            .query("limit", &count(), "At most so many: 50, and no more than 200")
            .query(
                "before",
                &position(),
                "Only messages older than this one, given by its ID or `seq`",
            )
            .query(
                "after",
                &position(),
                "Only messages newer than this one, given by its ID or `seq`, the oldest first; together only with `limit`, `status`, `direction`, `platform` and `conversation`",
            )
            .query(
                "order",
                &json!({"enum": ["seq", "time"]}),
                "By `seq`, or by `created_at` and then `seq`",
            )
            .query(
                "id_prefix",
                &prefix(),
                "Only those whose ID begins so; together only with `before`, `limit`, `newest`, `status`, `direction`, `platform` and `conversation`",
            )
            .query(
                "newest",
                &count(),
                "Only so many of the newest messages are looked at; only with `id_prefix`",
            )
            .query_of::<Status>("status", "Only those with this status; may be repeated")
            .query_of::<Direction>("direction", "Only those of this direction")
            .query("platform", &name(), "Only those of this platform")
            .query("conversation", &name(), "Only those of this conversation")
            .query(
                "sender",
                &json!({"type": "string"}),
                "Only those of this sender, by ID or by the name as it is shown",
            )
            .query("since", &count(), "Only those made at this time or later, in Unix seconds")
            .query("until", &count(), "Only those made before this time, in Unix seconds")
            .query_of::<MessageType>("message_type", "Only those of this type")
            .query("q", &json!({"type": "string"}), "Text in the content, the sender's or a file's name, or on a card")
            .answers::<Listing>(StatusCode::OK, "A page of messages")
            .error(400, "A parameter cannot be read, or `before` is an unknown ID")
    })
}

fn read() -> Operation {
    Operation::get(READ, |call| Box::pin(messages::read(call))).described(|d| {
        d.named("get_message", "One message")
            .path("id", &id(), "The message's ID")
            .query("raw", &json!({"type": "boolean"}), "Add the platform's own form as `raw`")
            .answers::<Message>(StatusCode::OK, "The message")
            .error(400, "`raw` is neither `true` nor `false`")
            .error(404, "There is no such message")
    })
}

fn change() -> Operation {
    Operation::of(Method::PATCH, SEND, |call| Box::pin(messages::change(call)))
        .by_leader()
        .described(|d| {
            let what = "Set a message's status (`Canceled` keeps one that waits from being sent, \
                    `Pending` sends it again), or edit its content";
            not_carried_out(d.named("change_message", what))
                .path("id", &id(), "The message's ID")
                .takes::<MessageChange>()
                .answers::<Message>(StatusCode::OK, "The message as it now is")
        })
}

fn delete() -> Operation {
    Operation::of(Method::DELETE, ADMIN, |call| Box::pin(messages::delete(call)))
        .by_leader()
        .described(|d| {
            d.named("delete_message", "Delete a message for good")
                .path("id", &id(), "The message's ID")
                .answers::<Deleted>(StatusCode::OK, "It is deleted")
                .error(404, "There is no such message")
        })
}

fn stream() -> Operation {
    Operation::of(Method::GET, WATCH, |call| Box::pin(stream::open(call))).described(|d| {
        d.named("stream_messages", "Messages as they come, as Server-Sent Events or lines of JSON")
            .query(
                "platform",
                &json!({"type": "string"}),
                "Only those of this platform; may be repeated",
            )
            .query(
                "conversation",
                &json!({"type": "string"}),
                "Only those of this conversation; may be repeated",
            )
            .query("since", &position(), "First those after this one, given by its ID or `seq`")
            .query("cursor", &json!({"type": "string"}), "First the events after this cursor")
            .query(
                "events",
                &json!({"type": "string"}),
                "Other kinds of events to tell of, with commas between them; `*` is all",
            )
            .header(
                "Last-Event-ID",
                &json!({"type": "string"}),
                "The `id` of the last event that came",
            )
            .answers_text(&["text/event-stream", LINES], "Events, without an end")
            .error(400, "A parameter cannot be read")
    })
}
