//! The table of routes: every path, its methods, what they need, what answers them, and what they
//! are. The router, `Allow`, the scopes, the metrics and OpenAPI come from it.

use super::body::LINES;
use super::operation::{Access, Answering, Description, Operation};
use super::{
    actions, assets, bots, conversations, list, login, media, messages, metrics, openapi, overview,
    socket, stream, transfer,
};
use crate::activity::MAX_MINUTES;
use crate::config::Need;
use crate::model::message::{Direction, Message, MessageType, Status};
use crate::protocol::bots::Bots;
use crate::protocol::http::{
    Activity, Backup, BackupDone, Conversation, Conversations, Deleted, Health, Imported, Listing,
    MediaList, MediaRemoved, MessageChange, NewMessage, Platforms, Request, RequestAnswer,
    Requests, SetConversation, Stats, Uploaded,
};
use crate::protocol::login::{LoggedOut, LoginDigits, LoginStatus};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::future::ready;

/// A path and its methods.
pub struct Route {
    #[allow(missing_docs)]
    pub path: &'static str,
    #[allow(missing_docs)]
    pub operations: Vec<Operation>,
}

impl Route {
    fn new(path: &'static str, operations: impl Into<Vec<Operation>>) -> Self {
        Self { path, operations: operations.into() }
    }

    /// The methods for `Allow`.
    pub fn allowed(&self) -> String {
        let mut methods = Vec::new();
        for operation in &self.operations {
            methods.push(operation.method.as_str());
            methods.extend(operation.also_head.then_some("HEAD"));
        }
        methods.join(", ")
    }
}

const READ: Access = Access::Token(Need::Read);
const SEND: Access = Access::Token(Need::Send);
const ADMIN: Access = Access::Token(Need::Admin);
/// The scope for reading opens a WebSocket, where each command is checked by itself.
const WATCH: Access = Access::TokenInQuery(Need::Read);

/// An answer that is there at once.
fn now<'a>(answer: super::error::Result<super::body::Answer>) -> Answering<'a> {
    Box::pin(ready(answer))
}

/// Every route.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::new("/", [Operation::get(Access::Open, |call| now(assets::index(&call.request)))]),
        Route::new(
            "/page/{version}/{*file}",
            [Operation::get(Access::Open, |call| now(assets::part(&call)))],
        ),
        Route::new(
            "/ws/client",
            [Operation::of(Method::GET, WATCH, |call| now(socket::open(call)))],
        ),
        Route::new("/api/messages", [list(), create()]),
        Route::new("/api/messages/{id}", [read(), change(), delete()]),
        Route::new("/api/messages/{id}/recall", [recall()]),
        Route::new("/api/messages/{id}/reactions/{emoji}", [set_reaction(), remove_reaction()]),
        Route::new("/api/requests", [requests()]),
        Route::new("/api/requests/{id}", [answer_request()]),
        Route::new("/api/messages/{id}/media", [fetch_media()]),
        Route::new("/api/media", [list_media(), upload()]),
        Route::new("/api/media/{media}", [serve(), remove_media()]),
        Route::new("/api/media/{media}/thumbnail", [thumbnail()]),
        Route::new(media::SIGNED, [serve_signed()]),
        Route::new("/api/stream", [stream()]),
    ];
    routes.extend(overviews());
    routes.extend(conversations());
    routes.extend(transfers());
    routes.extend(logins());
    routes.extend(descriptions());
    routes
}

fn create() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(messages::create(call))).described(|d| {
        d.named("create_message", "Make a message, which is stored and sent as soon as it can be")
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
                &place(),
                "Only messages older than this one, given by its ID or `seq`",
            )
            .query(
                "order",
                &json!({"enum": ["seq", "time"]}),
                "By `seq`, or by `created_at` and then `seq`",
            )
            .query(
                "id_prefix",
                &prefix(),
                "Only those whose ID begins so; together only with `before`, `limit`, `status`, `direction`, `platform` and `conversation`",
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
            .query("q", &json!({"type": "string"}), "Text in the content or the sender's name")
            .answers::<Listing>(StatusCode::OK, "A page of messages")
            .error(400, "A parameter cannot be read, or `before` is an unknown ID")
    })
}

fn read() -> Operation {
    Operation::get(READ, |call| now(messages::read(&call))).described(|d| {
        d.named("get_message", "One message")
            .path("id", &id(), "The message's ID")
            .query("raw", &json!({"type": "boolean"}), "Add the platform's own form as `raw`")
            .answers::<Message>(StatusCode::OK, "The message")
            .error(400, "`raw` is neither `true` nor `false`")
            .error(404, "There is no such message")
    })
}

fn change() -> Operation {
    Operation::of(Method::PATCH, SEND, |call| Box::pin(messages::change(call))).described(|d| {
        let what = "Set a message's status (`Canceled` keeps one that waits from being sent, \
                    `Pending` sends it again), or edit its content";
        not_carried_out(d.named("change_message", what))
            .path("id", &id(), "The message's ID")
            .takes::<MessageChange>()
            .answers::<Message>(StatusCode::OK, "The message as it now is")
    })
}

fn recall() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(actions::recall(call))).described(|d| {
        not_carried_out(d.named("recall_message", "Take a sent message back on its platform"))
            .path("id", &id(), "The message's ID")
            .answers::<Message>(StatusCode::OK, "The message as it now is")
    })
}

fn set_reaction() -> Operation {
    Operation::of(Method::PUT, SEND, |call| Box::pin(actions::react(call, true)))
        .described(|d| reaction(d.named("set_reaction", "React to a message with an emoji")))
}

fn remove_reaction() -> Operation {
    Operation::of(Method::DELETE, SEND, |call| Box::pin(actions::react(call, false)))
        .described(|d| reaction(d.named("remove_reaction", "Take a reaction of ours back")))
}

fn reaction(description: Description) -> Description {
    not_carried_out(description)
        .path("id", &id(), "The message's ID")
        .path("emoji", &json!({"type": "string", "minLength": 1}), "The emoji")
        .answers::<Message>(StatusCode::OK, "The message as it now is")
        .error(400, "The emoji is none")
}

/// The errors of an action on a platform (contract, item 26).
fn not_carried_out(description: Description) -> Description {
    description
        .error(404, "There is no such message")
        .error(409, "`unsupported`, `not_sent` or `in_flight`: nothing was changed")
        .error(502, "`refused`: the platform's words")
        .error(503, "`not_connected`: the account is not connected")
        .error(504, "`unknown`: the platform did not answer; it may have been done")
}

fn requests() -> Operation {
    Operation::get(READ, |call| now(actions::requests(&call))).described(|d| {
        d.named("list_requests", "Requests of people to be a friend or to join a group")
            .answers::<Requests>(StatusCode::OK, "The requests, the newest first")
    })
}

fn answer_request() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(actions::answer_request(call))).described(
        |d| {
            not_carried_out(d.named("answer_request", "Approve or refuse a request"))
                .path("id", &count(), "The request's ID")
                .takes::<RequestAnswer>()
                .answers::<Request>(StatusCode::OK, "The request as it now is")
        },
    )
}

fn delete() -> Operation {
    Operation::of(Method::DELETE, ADMIN, |call| Box::pin(messages::delete(call))).described(|d| {
        d.named("delete_message", "Delete a message for good")
            .path("id", &id(), "The message's ID")
            .answers::<Deleted>(StatusCode::OK, "It is deleted")
            .error(404, "There is no such message")
    })
}

fn fetch_media() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::fetch(call))).described(|d| {
        d.named("fetch_media", "Fetch what is not here of a message's pictures, sounds and files")
            .path("id", &id(), "The message's ID")
            .answers::<Message>(StatusCode::OK, "The message; all its media are here")
            .error(404, "There is no such message")
            .error(409, "The message has none, or the platform tells no address of them")
            .error(502, "The platform's host refuses them, or sends something else")
            .error(507, "There is no room for more media")
    })
}

fn list_media() -> Operation {
    Operation::get(READ, |call| Box::pin(media::list(call))).described(|d| {
        d.named("list_media", "The media that are kept, the newest first")
            .query("limit", &count(), "At most so many: 100, and no more than 1000")
            .answers::<MediaList>(StatusCode::OK, "The newest media, and how much there is in all")
            .error(400, "`limit` is no number")
    })
}

fn upload() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(media::upload(call))).described(|d| {
        d.named("upload_media", "Keep a file, which segments then name by its `media`")
            .query("name", &file_name(), "The file's name")
            .takes_text("application/octet-stream")
            .answers::<Uploaded>(StatusCode::CREATED, "The file is kept; the same bytes are one")
            .error(400, "The file is empty, or `name` is no name")
            .error(507, "There is no room for more media")
    })
}

fn serve() -> Operation {
    Operation::get(READ, |call| Box::pin(media::serve(call))).described(|d| {
        d.named("get_media", "A file, or a part of it by `Range`")
            .path("media", &hash(), "Its SHA-256 in hex")
            .query("name", &file_name(), "The name to save it under")
            .answers_text(
                &["application/octet-stream", "image/*", "audio/*", "video/*"],
                "The file",
            )
            .error(400, "`name` is no name")
            .error(404, "There is no such file")
            .error(416, "`Range` begins behind the end of the file")
    })
}

fn thumbnail() -> Operation {
    Operation::get(READ, |call| Box::pin(media::small(call))).described(|d| {
        d.named("get_thumbnail", "A picture, at most 320 pixels wide and high")
            .path("media", &hash(), "Its SHA-256 in hex")
            .answers_text(&["image/webp"], "The small picture")
            .error(404, "There is no such file")
            .error(409, "It is no picture that can be read, or too large a one")
    })
}

fn serve_signed() -> Operation {
    Operation::get(Access::Open, |call| Box::pin(media::serve_signed(call))).described(|d| {
        d.named("get_signed_media", "A file, by an address that was given to an implementation")
            .path("media", &hash(), "Its SHA-256 in hex")
            .query("until", &count(), "Unix seconds until which the address holds")
            .query("sig", &json!({"type": "string"}), "The signature")
            .answers_text(
                &["application/octet-stream", "image/*", "audio/*", "video/*"],
                "The file",
            )
            .error(403, "The address does not hold, or not any more")
            .error(404, "There is no such file")
            .error(416, "`Range` begins behind the end of the file")
    })
}

fn remove_media() -> Operation {
    Operation::of(Method::DELETE, ADMIN, |call| Box::pin(media::remove(call))).described(|d| {
        d.named("remove_media", "Remove a file, and take it out of the messages that have it")
            .path("media", &hash(), "Its SHA-256 in hex")
            .answers::<MediaRemoved>(StatusCode::OK, "It is gone")
            .error(404, "There is no such file")
            .error(409, "A message was made of it just now")
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
            .query("since", &place(), "First those after this one, given by its ID or `seq`")
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

fn overviews() -> [Route; 5] {
    [
        Route::new(
            "/api/stats",
            [Operation::get(READ, |call| now(overview::stats(&call))).described(|d| {
                d.named("get_stats", "How many messages are in each state")
                    .query("platform", &name(), "Only those of this platform")
                    .query("conversation", &name(), "Only those of this conversation")
                    .error(400, "A parameter cannot be read")
                    .answers::<Stats>(StatusCode::OK, "The counts")
            })],
        ),
        Route::new(
            "/api/activity",
            [Operation::get(READ, |call| now(overview::activity(&call))).described(|d| {
                let minutes = json!({"type": "integer", "minimum": 1, "maximum": MAX_MINUTES});
                d.named(
                    "get_activity",
                    "How many messages came and went in each of the last minutes",
                )
                .query("minutes", &minutes, "How many minutes; 60 without it")
                .answers::<Activity>(StatusCode::OK, "Counts, the oldest minute first")
                .error(400, "`minutes` is no number from 1 to 1440")
            })],
        ),
        Route::new(
            "/api/platforms",
            [Operation::get(READ, |call| now(Ok(overview::platforms(&call)))).described(|d| {
                d.named("list_platforms", "Every adapter, and how it is connected")
                    .answers::<Platforms>(StatusCode::OK, "The adapters")
            })],
        ),
        Route::new(
            "/api/bots",
            [Operation::get(READ, |call| now(Ok(bots::list(&call)))).described(|d| {
                d.named("list_bots", "Every configured bot, and how it is connected")
                    .answers::<Bots>(StatusCode::OK, "The bots")
            })],
        ),
        Route::new(
            "/api/health",
            [Operation::get(Access::Open, |call| now(Ok(overview::health(&call)))).described(
                |d| {
                    d.named("get_health", "Whether everything works; needs no token")
                        .answers::<Health>(StatusCode::OK, "`ok`, or `degraded` and the reason")
                        .error(403, "A page of another origin asks")
                },
            )],
        ),
    ]
}

fn conversations() -> [Route; 2] {
    [
        Route::new(
            "/api/conversations",
            [Operation::get(READ, |call| Box::pin(conversations::list(call))).described(|d| {
                d.named("list_conversations", "Conversations that have messages, the latest first")
                    .query("platform", &name(), "Only those of this platform")
                    .query("q", &json!({"type": "string"}), "Text in the name or the ID")
                    .query("limit", &count(), "At most so many: 200 without it, and no more")
                    .query("before", &place(), "Only those whose `last_seq` is less than this")
                    .answers::<Conversations>(StatusCode::OK, "The conversations")
                    .error(400, "A parameter cannot be read, or `before` is an unknown ID")
            })],
        ),
        Route::new(
            "/api/conversations/{platform}/{conversation}",
            [
                Operation::get(READ, |call| now(conversations::read(&call))).described(|d| {
                    in_path(d.named("get_conversation", "One conversation"))
                        .answers::<Conversation>(StatusCode::OK, "The conversation")
                }),
                Operation::of(Method::PATCH, SEND, |call| Box::pin(conversations::set(call)))
                    .described(|d| {
                        in_path(d.named(
                            "set_conversation",
                            "Mark a conversation as read, mute it or pin it",
                        ))
                        .takes::<SetConversation>()
                        .answers::<Conversation>(StatusCode::OK, "The conversation as it now is")
                    }),
            ],
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

fn transfers() -> [Route; 3] {
    [
        Route::new("/api/export", [Operation::of(Method::GET, READ, |call| now(transfer::export(&call))).described(|d| {
            d.named("export_messages", "Every message that matches as a line of JSON, the oldest first")
                .query_of::<Status>("status", "Only those with this status")
                .query_of::<Direction>("direction", "Only those of this direction")
                .query("platform", &name(), "Only those of this platform")
                .query("conversation", &name(), "Only those of this conversation")
                .answers_text(&[LINES], "The messages as one commit had them")
                .error(400, "A parameter cannot be read")
        })]),
        Route::new("/api/import", [Operation::of(Method::POST, ADMIN, |call| Box::pin(transfer::import(call))).described(|d| {
            d.named("import_messages", "Take in lines of an export, in one commit; known messages stay as they are")
                .takes_text(LINES)
                .answers::<Imported>(StatusCode::OK, "How many were new")
        })]),
        Route::new("/api/backup", [Operation::of(Method::POST, ADMIN, |call| Box::pin(transfer::backup(call))).described(|d| {
            d.named("backup_store", "Copy the store into a new file of the server's host; only over its Unix socket")
                .takes::<Backup>()
                .answers::<BackupDone>(StatusCode::OK, "The copy is there")
                .error(403, "It was asked over the network")
        })]),
    ]
}

fn logins() -> [Route; 2] {
    [
        Route::new(
            "/api/login/{platform}",
            [
                Operation::of(Method::POST, ADMIN, |call| Box::pin(login::begin(call))).described(
                    |d| {
                        d.named("begin_login", "Begin to log in to a platform by a QR code")
                            .path("platform", &name(), "The platform, such as `wechat`")
                            .answers::<LoginStatus>(StatusCode::CREATED, "The code to be scanned")
                            .error(409, "Nobody logs in to this platform, or too many do")
                            .error(502, "The platform gives no code")
                    },
                ),
                Operation::of(Method::DELETE, ADMIN, |call| Box::pin(login::log_out(call)))
                    .described(|d| {
                        d.named("log_out", "Log an account out, and forget its token")
                            .path("platform", &name(), "The platform")
                            .query(
                                "account",
                                &name(),
                                "The account; needed where there are several",
                            )
                            .answers::<LoggedOut>(StatusCode::OK, "It is logged out")
                            .error(404, "No such account is logged in")
                            .error(409, "Nobody logs in to this platform, or several accounts did")
                    }),
            ],
        ),
        Route::new(
            "/api/login/{platform}/{id}",
            [
                Operation::get(ADMIN, |call| Box::pin(login::look(call))).described(|d| {
                    d.named("get_login", "How a login goes, and its code, which is renewed")
                        .path("platform", &name(), "The platform")
                        .path("id", &json!({"type": "string"}), "The login's ID")
                        .answers::<LoginStatus>(StatusCode::OK, "How it goes")
                        .error(404, "There is no such login")
                        .error(409, "Nobody logs in to this platform")
                }),
                Operation::of(Method::POST, ADMIN, |call| Box::pin(login::digits(call))).described(
                    |d| {
                        d.named("give_login_digits", "Give the digits that the phone shows")
                            .path("platform", &name(), "The platform")
                            .path("id", &json!({"type": "string"}), "The login's ID")
                            .takes::<LoginDigits>()
                            .answers::<LoginStatus>(StatusCode::OK, "How it goes")
                            .error(404, "There is no such login")
                            .error(409, "No digits are asked for")
                    },
                ),
            ],
        ),
    ]
}

fn descriptions() -> [Route; 3] {
    [
        Route::new(
            "/metrics",
            [Operation::get(READ, |call| now(metrics::scrape(&call))).described(|d| {
                d.named("get_metrics", "Counts for Prometheus").answers_text(
                    &[metrics::OPENMETRICS, metrics::CLASSIC],
                    "The metrics, in the format that `Accept` prefers",
                )
            })],
        ),
        Route::new(
            "/api/openapi.json",
            [Operation::get(READ, |call| now(Ok(openapi::openapi(&call)))).described(|d| {
                d.named("get_openapi", "This description").answers_object("OpenAPI 3.1")
            })],
        ),
        Route::new(
            "/api/asyncapi.json",
            [Operation::get(READ, |_| now(Ok(openapi::asyncapi()))).described(|d| {
                d.named("get_asyncapi", "The description of the WebSocket")
                    .answers_object("AsyncAPI 3.0")
            })],
        ),
    ]
}

fn id() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// The first digits of an ID, with its hyphens or without.
fn prefix() -> Value {
    json!({"type": "string", "pattern": "^([0-9A-Fa-f]-*){4,32}$"})
}

/// A number from 0 on, in 64 bits.
fn count() -> Value {
    json!({"type": "integer", "format": "uint64", "minimum": 0, "maximum": u64::MAX})
}

fn hash() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-fA-F]{64}$"})
}

fn file_name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 255})
}

fn place() -> Value {
    json!({"oneOf": [id(), count()]})
}

fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$"})
}

fn key() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": messages::MAX_KEY_BYTES,
        "pattern": r"^[\t\x20-\x7e]*[\x21-\x7e][\t\x20-\x7e]*$",
    })
}
