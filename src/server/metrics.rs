//! `GET /metrics`: counters, and present values from the store and the registry.

use super::body::{HttpResponse, whole};
use super::context::ServerContext;
use super::error::Result;
use super::list::on_a_thread;
use super::operation::Call;
use crate::clock::now;
use crate::metrics::{AdapterLabels, BotLabels, BotStateLabels, METRICS, StatusLabels, classic};
use crate::model::message::Status;
use crate::store;
use hyper::StatusCode;
use hyper::header::{ACCEPT, HeaderMap, HeaderValue};
use std::sync::LazyLock;

/// The media type of `OpenMetrics`.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The media type of Prometheus's older text format.
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics, in the format that `Accept` prefers: `OpenMetrics` unless it asks for plain text.
pub async fn scrape(call: Call<'_>) -> Result<HttpResponse> {
    LazyLock::force(call.openapi);
    let context = call.context.clone();
    on_a_thread(move || gather(&context)).await?;
    let text = METRICS.text();
    let (media_type, text) = if prefers_classic(call.request.headers()) {
        (CLASSIC, classic(&text))
    } else {
        (OPENMETRICS, text)
    };
    Ok(whole(StatusCode::OK, HeaderValue::from_static(media_type), text.into()))
}

/// Copies the present values of the store, the registry and the bots into the metrics.
fn gather(context: &ServerContext) -> store::Result<()> {
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
        METRICS.know_platform(&adapter.platform);
        let labels = AdapterLabels {
            platform: adapter.platform,
            account: adapter.account.unwrap_or_default(),
            state: format!("{:?}", adapter.state),
        };
        METRICS.adapters.get_or_create(&labels).set(1);
    }
    let bots = context.bots.load().bots();
    METRICS.bot_state.clear();
    METRICS.bot_waiting.clear();
    for bot in bots {
        METRICS.bot_events(&bot.name, 0);
        let waiting = METRICS.bot_waiting.get_or_create_owned(&BotLabels { bot: bot.name.clone() });
        waiting.set(bot.waiting.cast_signed());
        let labels = BotStateLabels { bot: bot.name, state: format!("{:?}", bot.state) };
        METRICS.bot_state.get_or_create(&labels).set(1);
    }
    Ok(())
}

/// Whether `Accept` names plain text, and `OpenMetrics` not or with less weight (RFC 9110, 12.5.1).
fn prefers_classic(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
        let given = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges = given.flat_map(|value| value.split(','));
        ranges
            .filter(|range| range.split(';').next().is_some_and(|name| name.trim() == wanted))
            .map(|range| {
                let weight = range.split(';').find_map(|part| part.trim().strip_prefix("q="));
                weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0)
            })
            .fold(0.0_f32, f32::max)
    };
    weight("text/plain") > weight("application/openmetrics-text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_given_to_those_who_prefer_it() {
        for (accept, wanted) in [
            ("", false),
            ("*/*", false),
            ("text/plain", true),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2",
                false,
            ),
            ("application/openmetrics-text;q=0.2, text/plain", true),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_classic(&headers), wanted, "{accept}");
        }
    }
}
