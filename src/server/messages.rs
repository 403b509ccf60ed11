//! `/api/messages`: make, read, list, change, delete.

use super::body::{json, read_json};
use super::error::{Refusal, Result};
use super::{Answer, Context, Incoming};
use crate::activity::{MOST_MINUTES, Minutes};
use crate::api::{
    Activity, DEFAULT_LIMIT, Deleted, INVALID_STATUS, INVALID_TYPE, Listing, MOST_LIMIT,
    NewMessage, NewStatus,
};
use crate::clock::now;
use crate::store::{self, Command, Filter, Found, Idempotency, Page, Search, View};
use hyper::{HeaderMap, StatusCode};
use std::str::FromStr;
use uuid::Uuid;

/// The most bytes of an `Idempotency-Key`.
const KEY_BYTES: usize = 256;

/// Offsets from which a list is looked for aside.
const DEEP: u64 = 100_000;

/// `POST /api/messages`
pub async fn create(context: &Context, request: Incoming) -> Result<Answer> {
    let key = idempotency_key(request.headers())?;
    let body: NewMessage = read_json(request, &context.config.limits).await?;
    let draft = body.into_draft().map_err(Refusal::bad)?;
    let idempotency = key.map(|key| Idempotency::new(&key, &draft.fingerprint()));
    match context.write(Command::Create { draft, at: now(), idempotency }).await? {
        store::Answer::Done(message) | store::Answer::Repeated(message) => {
            Ok(json(StatusCode::CREATED, &message))
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

/// `GET /api/messages/{id}`
pub fn read(context: &Context, id: &str) -> Result<Answer> {
    let found = context.store.view()?.by_id(parse_id(id)?)?;
    found.map(|message| json(StatusCode::OK, &message)).ok_or_else(Refusal::no_message)
}

/// `PATCH /api/messages/{id}`
pub async fn set_status(context: &Context, id: &str, request: Incoming) -> Result<Answer> {
    let id = parse_id(id);
    let body: NewStatus = read_json(request, &context.config.limits).await?;
    let status = body.status.parse().map_err(|_| Refusal::bad(INVALID_STATUS))?;
    match context.write(Command::SetStatus { id: id?, status, at: now() }).await? {
        store::Answer::Done(message) => Ok(json(StatusCode::OK, &message)),
        _ => Err(Refusal::no_message()),
    }
}

/// `DELETE /api/messages/{id}`
pub async fn delete(context: &Context, id: &str) -> Result<Answer> {
    match context.write(Command::Delete { id: parse_id(id)? }).await? {
        store::Answer::Deleted => Ok(json(StatusCode::OK, &Deleted { deleted: true })),
        _ => Err(Refusal::no_message()),
    }
}

/// `GET /api/messages`
pub async fn list(context: &Context, query: &str) -> Result<Answer> {
    let view = context.store.view()?;
    let Query { filter, search, page } = Query::parse(query, &view)?;
    let found = match search {
        Some(search) => aside(move || view.search(&filter, &search, page)).await?,
        None if page.offset < DEEP => indexed(&view, &filter, page)?,
        None => aside(move || indexed(&view, &filter, page)).await?,
    };
    let Found { messages, searched_to } = found;
    let listing = Listing { messages, offset: page.offset, limit: page.limit, searched_to };
    Ok(json(StatusCode::OK, &listing))
}

fn indexed(view: &View, filter: &Filter, page: Page) -> store::Result<Found> {
    Ok(Found { messages: view.list(filter, page)?, searched_to: None })
}

/// `GET /api/activity`
pub fn activity(context: &Context, query: &str) -> Result<Answer> {
    let mut minutes = 60;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "minutes" {
            minutes = number("minutes", &value)?;
        }
    }
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(Refusal::bad(format!("`minutes` must be 1 to {MOST_MINUTES}")));
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
    /// Reads a query string; parameters that are not known are passed over.
    pub fn parse(query: &str, view: &View) -> Result<Self> {
        let mut filter = Filter::default();
        let (mut text, mut message_type) = (None, None);
        let mut page = Page { offset: 0, limit: DEFAULT_LIMIT, before: None };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "offset" => page.offset = number("offset", &value)?,
                "limit" => page.limit = number::<usize>("limit", &value)?.min(MOST_LIMIT),
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
    crate::message::check_name(field, value).map_err(Refusal::bad)?;
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
