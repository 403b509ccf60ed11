//! `/api/messages`: make, read, list, change, delete.

use super::body::{json, json_of_about, read_json};
use super::description::{BodyRefusals, Refusals};
use super::error::{Refusal, Result};
use super::{Answer, Context, Incoming};
use crate::activity::{MAX_MINUTES, Minutes};
use crate::clock::now;
use crate::model::message::{Direction, Message, MessageType, Status};
use crate::protocol::http::{
    Activity, DEFAULT_LIMIT, Deleted, ErrorBody, INVALID_STATUS, INVALID_TYPE, Listing, MAX_LIMIT,
    NewMessage, NewStatus,
};
use crate::store::{self, Command, Filter, Found, Idempotency, Page, Search, View};
use hyper::{HeaderMap, StatusCode};
use std::str::FromStr;
use uuid::Uuid;

/// The most bytes of an `Idempotency-Key`.
const KEY_BYTES: usize = 256;

/// Offsets from which a list is looked for aside.
const DEEP: u64 = 100_000;

/// Make a message, which is stored and sent as soon as it can be.
#[utoipa::path(
    post,
    path = "/api/messages",
    request_body = NewMessage,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 256, pattern = r"^[\t\x20-\x7e]*[\x21-\x7e][\t\x20-\x7e]*$", description = "The same key and body within 24 h give the same message")),
    responses(
        (status = 201, body = Message),
        (status = 409, body = ErrorBody, description = "The key was used with another body"),
        BodyRefusals,
        Refusals
    )
)]
pub async fn create(context: &Context, request: Incoming) -> Result<Answer> {
    let key = idempotency_key(request.headers())?;
    let body: NewMessage = read_json(request, &context.config.limits).await?;
    let draft = body.into_draft().map_err(Refusal::bad)?;
    let idempotency = key.map(|key| Idempotency::new(&key, &draft.fingerprint()));
    let (recipient, platform) = (draft.recipient().to_owned(), draft.platform().map(str::to_owned));
    let facts = context.routing_facts(&recipient);
    match context.write(Command::Create { draft, at: now(), idempotency, facts }).await? {
        store::Answer::Done(message) | store::Answer::Repeated(message) => {
            // Exactly what was given (contract, item 1), also where more is known by now.
            let given = Message {
                recipient,
                platform,
                account: None,
                conversation_name: None,
                last_error: None,
                ..message
            };
            Ok(json(StatusCode::CREATED, &given))
        }
        _ => Err(Refusal::new(
            StatusCode::CONFLICT,
            "this `Idempotency-Key` was used with another body within the last 24 h; take a new one",
        )),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=KEY_BYTES).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(Refusal::bad(format!(
            "`Idempotency-Key` must be 1 to {KEY_BYTES} characters of ASCII"
        ))),
    }
}

/// One message.
#[utoipa::path(
    get,
    path = "/api/messages/{id}",
    params(("id" = String, Path, format = Uuid, description = "The message's ID")),
    responses((status = 200, body = Message), (status = 404, body = ErrorBody), Refusals)
)]
pub fn read(context: &Context, id: &str) -> Result<Answer> {
    let view = context.store.view()?;
    let mut found = view.by_id(parse_id(id)?)?.ok_or_else(Refusal::no_message)?;
    found.waiting = context.waiting(&found, &view);
    Ok(json(StatusCode::OK, &found))
}

/// Set a message's status: `Canceled` takes back one that waits, `Pending` sends it again.
#[utoipa::path(
    patch,
    path = "/api/messages/{id}",
    params(("id" = String, Path, format = Uuid, description = "The message's ID")),
    request_body = NewStatus,
    responses((status = 200, body = Message), (status = 404, body = ErrorBody), BodyRefusals, Refusals)
)]
pub async fn set_status(context: &Context, id: &str, request: Incoming) -> Result<Answer> {
    let id = parse_id(id);
    let body: NewStatus = read_json(request, &context.config.limits).await?;
    let status = body.status.parse().map_err(|_| Refusal::bad(INVALID_STATUS))?;
    match context.write(Command::SetStatus { id: id?, status, at: now() }).await? {
        store::Answer::Done(message) => Ok(json(StatusCode::OK, &message)),
        _ => Err(Refusal::no_message()),
    }
}

/// Delete a message for good.
#[utoipa::path(
    delete,
    path = "/api/messages/{id}",
    params(("id" = String, Path, format = Uuid, description = "The message's ID")),
    responses((status = 200, body = Deleted), (status = 404, body = ErrorBody), Refusals)
)]
pub async fn delete(context: &Context, id: &str) -> Result<Answer> {
    match context.write(Command::Delete { id: parse_id(id)? }).await? {
        store::Answer::Deleted => Ok(json(StatusCode::OK, &Deleted { deleted: true })),
        _ => Err(Refusal::no_message()),
    }
}

/// Messages, the newest first.
#[utoipa::path(
    get,
    path = "/api/messages",
    params(
        ("offset" = Option<u64>, Query, format = "uint64", minimum = 0, maximum = 18_446_744_073_709_551_615_usize, description = "How many to pass over"),
        ("limit" = Option<usize>, Query, format = "uint64", minimum = 0, maximum = 18_446_744_073_709_551_615_usize, description = "At most so many: 50, and no more than 200"),
        ("before" = Option<u64>, Query, format = "uint64", minimum = 0, maximum = 18_446_744_073_709_551_615_usize, description = "Only messages older than this `seq`; a known message's ID will do as well"),
        ("status" = Option<Status>, Query),
        ("direction" = Option<Direction>, Query),
        ("platform" = Option<String>, Query, min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$"),
        ("conversation" = Option<String>, Query, min_length = 1, max_length = 256, pattern = r"^(?!\*$)[^\x00-\x1f\x7f-\x9f]+$"),
        ("message_type" = Option<MessageType>, Query),
        ("q" = Option<String>, Query, description = "Text in the content or the sender's name")
    ),
    responses((status = 200, body = Listing), (status = 400, body = ErrorBody), Refusals)
)]
pub async fn list(context: &Context, query: &str) -> Result<Answer> {
    let view = context.store.view()?;
    let Query { filter, search, page } = Query::parse(query, &view)?;
    let read = view.clone();
    let found = match search {
        Some(search) => aside(move || read.search(&filter, &search, page)).await?,
        None if page.offset < DEEP => indexed(&view, &filter, page)?,
        None => aside(move || indexed(&read, &filter, page)).await?,
    };
    let Found { mut messages, searched_to } = found;
    for message in &mut messages {
        message.waiting = context.waiting(message, &view);
    }
    let listing = Listing { messages, offset: page.offset, limit: page.limit, searched_to };
    let bytes = 512 * (listing.messages.len() + 1);
    Ok(json_of_about(bytes, StatusCode::OK, &listing))
}

fn indexed(view: &View, filter: &Filter, page: Page) -> store::Result<Found> {
    Ok(Found { messages: view.list(filter, page)?, searched_to: None })
}

/// How many messages came and went in each of the last minutes.
#[utoipa::path(
    get,
    path = "/api/activity",
    params(("minutes" = Option<usize>, Query, minimum = 1, maximum = 1440, description = "60 unless said")),
    responses((status = 200, body = Activity), (status = 400, body = ErrorBody), Refusals)
)]
pub fn activity(context: &Context, query: &str) -> Result<Answer> {
    let mut minutes = 60;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "minutes" {
            minutes = number("minutes", &value)?;
        }
    }
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(Refusal::bad(format!("`minutes` must be 1 to {MAX_MINUTES}")));
    }
    let Minutes { from, inbound, outbound } = context.activity.last(minutes, now());
    Ok(json(StatusCode::OK, &Activity { from, inbound, outbound }))
}

/// Does what takes its time on a thread of its own, to hold up nobody.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> store::Result<T> + Send + 'static,
) -> store::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| store::Error::Read(error.to_string()))?
}

/// An ID that is no UUID is a message that does not exist.
fn parse_id(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| Refusal::no_message())
}

/// What a list's query asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    filter: Filter,
    search: Option<Search>,
    page: Page,
}

impl Query {
    /// Which messages, whatever the page.
    pub fn into_filter(self) -> Filter {
        self.filter
    }

    /// Reads a query string; parameters that are not known are passed over.
    pub fn parse(query: &str, view: &View) -> Result<Self> {
        let mut filter = Filter::default();
        let (mut text, mut message_type) = (None, None);
        let mut page = Page { offset: 0, limit: DEFAULT_LIMIT, before: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "offset" => page.offset = number("offset", &value)?,
                "limit" => page.limit = number::<usize>("limit", &value)?.min(MAX_LIMIT),
                "before" => page.before = Some(place_in_journal("before", &value, view)?),
                "status" => filter.status = Some(word(&value, INVALID_STATUS)?),
                "direction" => {
                    filter.direction =
                        Some(word(&value, "`direction` must be Inbound or Outbound")?);
                }
                "message_type" => message_type = Some(word(&value, INVALID_TYPE)?),
                "q" => text = Some(value),
                "platform" => filter.platform = Some(name_of("platform", &value)?),
                "conversation" => filter.conversation = Some(name_of("conversation", &value)?),
                _ => {}
            }
        }
        let search = Search::new(text.as_deref(), message_type);
        Ok(Self { filter, search, page })
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T> {
    value.parse().map_err(|_| Refusal::bad(format!("`{name}` must be a number from 0 on")))
}

fn word<T: FromStr>(value: &str, otherwise: &str) -> Result<T> {
    value.parse().map_err(|_| Refusal::bad(otherwise))
}

fn name_of(field: &str, value: &str) -> Result<String> {
    crate::model::message::check_name(field, value).map_err(Refusal::bad)?;
    Ok(value.to_owned())
}

/// A `seq`, or the ID of a message that stands for its own.
pub fn place_in_journal(name: &str, value: &str, view: &View) -> Result<u64> {
    if let Ok(seq) = value.parse() {
        return Ok(seq);
    }
    let unknown =
        || Refusal::bad(format!("`{name}` must be the `seq` or the ID of a message that is known"));
    let id = value.parse().map_err(|_| unknown())?;
    view.seq_of(id)?.ok_or_else(unknown)
}
