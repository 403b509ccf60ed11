//! State of the server: counts, activity, platforms, health.

use super::body::{HttpResponse, json};
use super::error::{ErrorResponse, Result};
use super::list::on_a_thread;
use super::operation::Call;
use super::query::{Query, number};
use crate::activity::{MAX_MINUTES, Minutes};
use crate::clock::now;
use crate::health::HEALTH;
use crate::protocol::http::{Activity, Health, Platforms};
use crate::search::Search;
use crate::store::MessageFilter;
use hyper::StatusCode;
use std::time::Duration;

/// After how long a node that does not lead is worth another look.
const LEADER_WAIT: Duration = Duration::from_secs(1);

/// `GET /api/stats`: for all messages, or for a platform, a conversation, a time.
pub async fn stats(call: Call<'_>) -> Result<HttpResponse> {
    let view = call.context.store.view()?;
    let query = Query::parse(call.request.uri().query().unwrap_or_default(), &view)?;
    let since = query.search.as_ref().and_then(Search::since);
    let MessageFilter { platform, conversation, .. } = query.filter;
    let filter = MessageFilter { platform, conversation, ..MessageFilter::default() };
    let count = move || view.stats_of(&filter, since);
    let stats = if since.is_some() { on_a_thread(count).await? } else { count()? };
    Ok(json(StatusCode::OK, &stats))
}

/// `GET /api/activity`
pub fn activity(call: &Call<'_>) -> Result<HttpResponse> {
    let mut minutes = 60;
    let query = call.request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "minutes" {
            minutes = number("minutes", &value)?;
        }
    }
    if !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(ErrorResponse::bad_request(format!("`minutes` must be 1 to {MAX_MINUTES}")));
    }
    let Minutes { from, inbound, outbound } = call.context.activity.last(minutes, now());
    Ok(json(StatusCode::OK, &Activity { from, inbound, outbound }))
}

/// `GET /api/platforms`
pub fn platforms(call: &Call<'_>) -> HttpResponse {
    json(StatusCode::OK, &Platforms { platforms: call.context.registry.platforms() })
}

/// `GET /api/health`: always 200, and never waits for the disk. With `?leads`, for load balancers, 503
/// at a node that does not lead its cluster.
pub fn health(call: &Call<'_>) -> HttpResponse {
    let query = call.request.uri().query().unwrap_or_default();
    let asks_for_leader = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "leads");
    if asks_for_leader && call.context.follows() {
        let text = "this node does not lead the cluster";
        return ErrorResponse::unavailable(text, LEADER_WAIT)
            .named(Some("no_leader"))
            .into_answer();
    }
    let store = call.context.store.view().err().map(|error| format!("store: {error}"));
    json(StatusCode::OK, &health_of(store.into_iter().chain(HEALTH.reason())))
}

fn health_of(faults: impl Iterator<Item = String>) -> Health {
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() {
        return Health { status: "ok".into(), reason: None };
    }
    Health { status: "degraded".into(), reason: Some(faults.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_is_the_literal_or_says_what_is_wrong() {
        let text = |faults: &[&str]| {
            let faults = faults.iter().map(|&fault| fault.to_owned());
            serde_json::to_string(&health_of(faults)).unwrap()
        };
        assert_eq!(text(&[]), r#"{"status":"ok"}"#);
        let wanted =
            r#"{"status":"degraded","reason":"store: it is away; retention: it panicked"}"#;
        assert_eq!(text(&["store: it is away", "retention: it panicked"]), wanted);
    }
}
