//! Routes of conversations.

use super::actions::not_carried_out;
use super::route::{READ, Route, SEND};
use super::schema::{count, name, position};
use crate::protocol::http::{Conversation, Conversations, GroupMembers, SetConversation, Typing};
use crate::server::conversations;
use crate::server::operation::{Description, Operation};
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 4] {
    [
        Route::new(
            "/api/conversations",
            [Operation::get(READ, |call| Box::pin(conversations::list(call))).described(|d| {
                d.named("list_conversations", "Conversations that have messages, the latest first")
                    .query("platform", &name(), "Only those of this platform")
                    .query("q", &json!({"type": "string"}), "Text in the name or the ID")
                    .query("limit", &count(), "At most so many: 200 without it, and no more")
                    .query("before", &position(), "Only those whose `last_seq` is less than this")
                    .query(
                        "brief",
                        &json!({"type": "boolean"}),
                        "Leave out `last_message`, and tell nothing of what is unread",
                    )
                    .answers::<Conversations>(StatusCode::OK, "The conversations")
                    .error(400, "A parameter cannot be read, or `before` is an unknown ID")
            })],
        ),
        Route::new(
            "/api/conversations/{platform}/{conversation}",
            [
                Operation::get(READ, |call| Box::pin(conversations::read(call))).described(|d| {
                    in_path(d.named("get_conversation", "One conversation"))
                        .answers::<Conversation>(StatusCode::OK, "The conversation")
                }),
                Operation::of(Method::PATCH, SEND, |call| Box::pin(conversations::set(call)))
                    .by_leader()
                    .described(|d| {
                        in_path(d.named(
                            "set_conversation",
                            "Mark a conversation as read or unread, mute it or pin it",
                        ))
                        .takes::<SetConversation>()
                        .answers::<Conversation>(StatusCode::OK, "The conversation as it now is")
                    }),
            ],
        ),
        Route::new(
            "/api/conversations/{platform}/{conversation}/members",
            [Operation::get(READ, |call| Box::pin(conversations::members(call)))
                .by_leader()
                .described(|d| {
                    let d = not_carried_out(d.named("list_members", "The members of a group"));
                    in_path(d).answers::<GroupMembers>(
                        StatusCode::OK,
                        "The members as the platform lists them, at most five minutes old",
                    )
                })],
        ),
        Route::new(
            "/api/conversations/{platform}/{conversation}/typing",
            [Operation::of(Method::POST, SEND, |call| Box::pin(conversations::show_typing(call)))
                .by_leader()
                .described(|d| {
                    let d = not_carried_out(d.named("show_typing", "Show that somebody types"));
                    in_path(d).takes::<Typing>().answers::<Typing>(StatusCode::OK, "It is shown")
                })],
        ),
    ]
}

/// The names of a conversation in the path.
fn in_path(description: Description) -> Description {
    description
        .path("platform", &name(), "The platform, percent-encoded")
        .path("conversation", &name(), "The conversation, percent-encoded")
        .error(400, "A field or a name in the path is wrong")
        .error(404, "It has no messages")
}
