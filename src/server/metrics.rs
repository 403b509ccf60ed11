//! `GET /metrics`: what is counted, and what the store and the registry know at this moment.

use super::body::whole;
use super::error::Result;
use super::{Answer, Context};
use crate::clock::now;
use crate::metrics::{AdapterLabels, METRICS, StatusLabels};
use crate::model::message::Status;
use hyper::StatusCode;
use hyper::header::HeaderValue;

const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Everything, as Prometheus reads it.
pub fn scrape(context: &Context) -> Result<Answer> {
    let view = context.store.view()?;
    let stats = view.stats();
    for (status, count) in [
        ("pending", stats.pending),
        ("sending", stats.sending),
        ("sent", stats.sent),
        ("failed", stats.failed),
        ("canceled", stats.canceled),
    ] {
        METRICS.stored.get_or_create(&StatusLabels { status }).set(count.cast_signed());
    }
    let oldest = view.outbound(Status::Pending)?.next().transpose()?;
    let age = oldest.map_or(0, |message| now().saturating_sub(message.created_at));
    METRICS.outbox_oldest.set(age.cast_signed());
    METRICS.adapters.clear();
    for adapter in context.registry.platforms() {
        let labels = AdapterLabels {
            platform: adapter.platform,
            account: adapter.account.unwrap_or_default(),
            state: format!("{:?}", adapter.state),
        };
        METRICS.adapters.get_or_create(&labels).set(1);
    }
    Ok(whole(StatusCode::OK, OPENMETRICS, METRICS.text().into()))
}
