//! `/api/quarantine`: events of platforms that could not be stored.

use super::body::{HttpResponse, json};
use super::error::Result;
use super::list::on_a_thread;
use super::operation::Call;
use crate::ingest::{TriedAgain, report_quarantine, try_again};
use crate::protocol::http::{MAX_LIMIT, QuarantinedEvent, QuarantinedEvents, StoredAgain};
use crate::store::Quarantined;
use hyper::StatusCode;

/// Bytes of events that are shown at once; one event may have more.
const MAX_BYTES: usize = 1 << 20;

/// `GET /api/quarantine`
pub async fn list(call: Call<'_>) -> Result<HttpResponse> {
    let view = call.context.store.view()?;
    let read = move || Ok((view.quarantined_after(0, MAX_LIMIT, MAX_BYTES)?, view.quarantined()?));
    let (some, total) = on_a_thread(read).await?;
    let (events, total) = (some.into_iter().map(shown).collect(), total as usize);
    Ok(json(StatusCode::OK, &QuarantinedEvents { events, total }))
}

/// `POST /api/quarantine/retry`
pub async fn retry(call: Call<'_>) -> Result<HttpResponse> {
    let store = &call.context.store;
    let tried = try_again(store).await;
    report_quarantine(store);
    let TriedAgain { stored, left } = tried?;
    Ok(json(StatusCode::OK, &StoredAgain { stored, left }))
}

fn shown(event: Quarantined) -> QuarantinedEvent {
    let Quarantined { at, reason, event, .. } = event;
    let summary = event.summary(at);
    QuarantinedEvent {
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
