//! `/api/set-aside`: events of platforms that could not be stored.

use super::body::{HttpResponse, json};
use super::error::Result;
use super::list::on_a_thread;
use super::operation::Call;
use crate::ingest::{TriedAgain, tell_set_aside, try_again};
use crate::model::change::Inbound;
use crate::protocol::http::{MAX_LIMIT, SetAsideEvent, SetAsideEvents, StoredAgain};
use crate::store::SetAside;
use hyper::StatusCode;

/// `GET /api/set-aside`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let view = call.context.store.view()?;
    let all = on_a_thread(move || view.quarantine()).await?;
    let total = all.len();
    let events = all.into_iter().take(MAX_LIMIT).map(shown).collect();
    Ok(json(StatusCode::OK, &SetAsideEvents { events, total }))
}

/// `POST /api/set-aside/retry`
pub async fn retry(call: Call<'_>) -> Result<HttpResponse> {
    let store = &call.context.store;
    let tried = try_again(store).await;
    tell_set_aside(store);
    let TriedAgain { stored, left } = tried?;
    Ok(json(StatusCode::OK, &StoredAgain { stored, left }))
}

fn shown(event: SetAside) -> SetAsideEvent {
    let SetAside { at, reason, inbound, .. } = event;
    let Inbound { platform, account, conversation, sender, content, time, .. } = inbound;
    let content = content.readable().into_owned();
    SetAsideEvent { at, reason, platform, account, conversation, sender, content, created_at: time }
}
