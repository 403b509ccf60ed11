//! `/api/messages`: makes, reads, changes and deletes messages.

use super::body::{HttpResponse, json};
use super::context::ServerContext;
use super::error::{ErrorResponse, Result};
use super::media;
use super::operation::Call;
use super::request::read_json;
use super::waiting;
use crate::clock::now;
use crate::model::message::Message;
use crate::protocol::http::{
    Deleted, MessageChange, NO_REPLY_TARGET, NewMessage, ParsedChange, other_status,
};
use crate::protocol::message::{Created, MessageWithRaw};
use crate::store::{self, Command, Idempotency};
use hyper::{HeaderMap, StatusCode};
use std::time::Duration;
use uuid::Uuid;

/// The most bytes of an `Idempotency-Key`.
pub const MAX_KEY_BYTES: usize = 256;

/// `POST /api/messages`
pub async fn create(call: Call<'_>) -> Result<HttpResponse> {
    let key = idempotency_key(call.request.headers())?;
    let body: NewMessage = read_json(call.context, call.request).await?;
    let has_segments = body.segments.is_some();
    let draft = body.into_draft().map_err(ErrorResponse::bad_request)?;
    let idempotency = key.map(|key| Idempotency::new(&key, &draft.fingerprint()));
    let draft = media::keep(call.context, draft).await?;
    let (recipient, platform) = (draft.recipient().to_owned(), draft.platform().map(str::to_owned));
    let facts = call.context.routing_facts();
    match write(call.context, Command::Create { draft, at: now(), idempotency, facts }).await? {
        store::Answer::Message(message) | store::Answer::Repeated(message) => {
            // The fields that were given (contract, item 1), even if more is known by now.
            let given = Message {
                recipient,
                platform,
                account: None,
                conversation_name: None,
                last_error: None,
                ..message
            };
            Ok(json(StatusCode::CREATED, &Created { message: &given, has_segments }))
        }
        store::Answer::NoReplyTarget => {
            Err(ErrorResponse::bad_request(NO_REPLY_TARGET).named(Some("unknown_reply")))
        }
        _ => Err(ErrorResponse::new(
            StatusCode::CONFLICT,
            "this `Idempotency-Key` was used with another body within the last 24 h; take a new one",
        )),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(ErrorResponse::bad_request(format!(
            "`Idempotency-Key` must be 1 to {MAX_KEY_BYTES} characters of ASCII"
        ))),
    }
}

/// `GET /api/messages/{id}`
pub async fn read(call: Call<'_>) -> Result<HttpResponse> {
    let id = id_of(&call)?;
    // Another node may have told the client of it already.
    call.context.store.catch_up_with_message(id).await;
    let view = call.context.store.view()?;
    let mut found = view.by_id(id)?.ok_or_else(ErrorResponse::no_message)?;
    waiting::fill(call.context, [&mut found], &view).await;
    if wants_raw(&call)? {
        return Ok(json(StatusCode::OK, &MessageWithRaw::of(&found)));
    }
    Ok(json(StatusCode::OK, &found))
}

fn wants_raw(call: &Call<'_>) -> Result<bool> {
    let query = call.request.uri().query().unwrap_or_default();
    let mut fields = form_urlencoded::parse(query.as_bytes());
    match fields.find(|(name, _)| name == "raw").as_ref().map(|(_, value)| &**value) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ErrorResponse::bad_request("`raw` is `true` or `false`")),
    }
}

/// `PATCH /api/messages/{id}`: sets the status, or edits the content.
pub async fn change(call: Call<'_>) -> Result<HttpResponse> {
    let (context, id) = (call.context, id_of(&call));
    let body: MessageChange = read_json(context, call.request).await?;
    let (status, from) = match body.parse().map_err(ErrorResponse::bad_request)? {
        ParsedChange::Status { status, from } => (status, from),
        ParsedChange::Content(content) => {
            let content = media::keep_content(context, content).await?;
            let message = context.actions.edit(id?, content).await?;
            return Ok(json(StatusCode::OK, &message));
        }
    };
    let (id, at) = (id?, now());
    let command = match from.clone() {
        Some(from) => Command::SetStatusOf { id, from, status, at },
        None => Command::SetStatus { id, status, at },
    };
    match write(context, command).await? {
        store::Answer::Message(message) => Ok(json(StatusCode::OK, &message)),
        store::Answer::OtherStatus(message) => {
            let text = other_status(&message, &from.unwrap_or_default());
            Err(ErrorResponse::new(StatusCode::CONFLICT, text).named(Some("other_status")))
        }
        _ => Err(ErrorResponse::no_message()),
    }
}

/// `DELETE /api/messages/{id}`
pub async fn delete(call: Call<'_>) -> Result<HttpResponse> {
    match write(call.context, Command::Delete { id: id_of(&call)? }).await? {
        store::Answer::Deleted => Ok(json(StatusCode::OK, &Deleted { deleted: true })),
        _ => Err(ErrorResponse::no_message()),
    }
}

/// Has a command carried out; 503 if the disk does not answer in time.
pub fn write(
    context: &ServerContext,
    command: Command,
) -> impl Future<Output = Result<store::Answer>> {
    let limit = Duration::from_secs(context.config.limits.answer_seconds);
    let written = tokio::time::timeout(limit, context.store.write(command));
    async move {
        match written.await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(disk_is_slow(limit)),
        }
    }
}

/// The disk did not answer within this time.
pub fn disk_is_slow(limit: Duration) -> ErrorResponse {
    let seconds = limit.as_secs();
    let text =
        format!("the disk did not answer within {seconds} s; whether it was stored is unknown");
    ErrorResponse::unavailable(text, limit)
}

/// The message's ID in the path; a text that is not a UUID is a message that does not exist.
pub(super) fn id_of(call: &Call<'_>) -> Result<Uuid> {
    let id = call.parameters.get("id").unwrap_or_default();
    id.parse().map_err(|_| ErrorResponse::no_message())
}
