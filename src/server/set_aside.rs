//! `/api/set-aside`: events of platforms that could not be stored.

use super::body::{HttpResponse, json};
use super::error::Result;
use super::list::on_a_thread;
use super::operation::Call;
use crate::ingest::{TriedAgain, tell_set_aside, try_again};
use crate::protocol::http::{MAX_LIMIT, SetAsideEvent, SetAsideEvents, StoredAgain};
use crate::store::SetAside;
use hyper::StatusCode;

/// Bytes of events that are shown at once; one event may have more.
const MAX_BYTES: usize = 1 << 20;

/// `GET /api/set-aside`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let view = call.context.store.view()?;
    let read = move || Ok((view.set_aside_after(0, MAX_LIMIT, MAX_BYTES)?, view.set_aside()?));
    let (some, total) = on_a_thread(read).await?;
    let (events, total) = (some.into_iter().map(shown).collect(), total as usize);
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
    let SetAside { at, reason, event, .. } = event;
    let summary = event.summary(at);
    SetAsideEvent {
        at,
        reason,
        kind: summary.kind.into(),
        platform: summary.platform.into(),
        account: summary.account.into(),
        conversation: summary.conversation.into(),
        sender: summary.sender.cloned().unwrap_or_default(),
        content: summary.text,
        created_at: summary.at,
    }
}
