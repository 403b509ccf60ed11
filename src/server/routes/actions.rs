//! Routes of actions that a platform carries out (contract, item 26).

use super::route::{READ, Route, SEND, now};
use super::schema::{count, id};
use crate::model::message::Message;
use crate::protocol::http::{OpenedForward, Request, RequestAnswer, Requests};
use crate::server::actions;
use crate::server::operation::{Description, Operation};
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) fn routes() -> [Route; 5] {
    [
        Route::new("/api/messages/{id}/recall", [recall()]),
        Route::new("/api/messages/{id}/reactions/{emoji}", [set_reaction(), remove_reaction()]),
        Route::new("/api/messages/{id}/forward", [forward()]),
        Route::new("/api/requests", [requests()]),
        Route::new("/api/requests/{id}", [answer_request()]),
    ]
}

fn recall() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(actions::recall(call))).by_leader().described(
        |d| {
            not_carried_out(d.named("recall_message", "Take a sent message back on its platform"))
                .path("id", &id(), "The message's ID")
                .answers::<Message>(StatusCode::OK, "The message as it now is")
        },
    )
}

fn set_reaction() -> Operation {
    Operation::of(Method::PUT, SEND, |call| Box::pin(actions::react(call, true)))
        .by_leader()
        .described(|d| reaction(d.named("set_reaction", "React to a message with an emoji")))
}

fn remove_reaction() -> Operation {
    Operation::of(Method::DELETE, SEND, |call| Box::pin(actions::react(call, false)))
        .by_leader()
        .described(|d| reaction(d.named("remove_reaction", "Take a reaction of ours back")))
}

fn reaction(description: Description) -> Description {
    not_carried_out(description)
        .path("id", &id(), "The message's ID")
        .path("emoji", &json!({"type": "string", "minLength": 1}), "The emoji")
        .answers::<Message>(StatusCode::OK, "The message as it now is")
        .error(400, "The emoji is none")
}

fn forward() -> Operation {
    Operation::get(READ, |call| Box::pin(actions::open_forward(call))).by_leader().described(|d| {
        not_carried_out(d.named("open_forward", "The messages of a forward in a message"))
            .path("id", &id(), "The message's ID")
            .query(
                "forward",
                &json!({"type": "string", "minLength": 1, "maxLength": 1024}),
                "The platform's ID of the forward, where it is not the first one in the message",
            )
            .answers::<OpenedForward>(StatusCode::OK, "The messages, in their order")
            .error(400, "`forward` is no ID")
    })
}

fn requests() -> Operation {
    Operation::get(READ, |call| now(actions::requests(&call))).described(|d| {
        d.named("list_requests", "Requests of people to be a friend or to join a group")
            .answers::<Requests>(StatusCode::OK, "The requests, the newest first")
    })
}

fn answer_request() -> Operation {
    Operation::of(Method::POST, SEND, |call| Box::pin(actions::answer_request(call)))
        .by_leader()
        .described(|d| {
            not_carried_out(d.named("answer_request", "Approve or refuse a request"))
                .path("id", &count(), "The request's ID")
                .takes::<RequestAnswer>()
                .answers::<Request>(StatusCode::OK, "The request as it now is")
        })
}

/// The errors of an action on a platform (contract, item 26).
pub(super) fn not_carried_out(description: Description) -> Description {
    description
        .error(404, "There is no such message")
        .error(
            409,
            "`unsupported`, `not_sent`, `in_flight` or `other_status`: nothing was changed here",
        )
        .error(502, "`refused`: the platform's words")
        .error(503, "`not_connected`: the account is not connected")
        .error(504, "`unknown`: the platform did not answer; it may have been done")
}
