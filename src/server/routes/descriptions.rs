//! Routes of the metrics and of the descriptions of the API.

use super::route::{READ, Route, now};
use crate::server::operation::Operation;
use crate::server::{metrics, openapi};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::new(
            "/metrics",
            [Operation::get(READ, |call| Box::pin(metrics::scrape(call))).described(|d| {
                d.named("get_metrics", "Counts for Prometheus").answers_text(
                    &[metrics::OPENMETRICS, metrics::CLASSIC],
                    "The metrics, in the format that `Accept` prefers",
                )
            })],
        ),
        Route::new(
            "/api/openapi.json",
            [Operation::get(READ, |call| now(Ok(openapi::openapi(&call)))).described(|d| {
                d.named("get_openapi", "This description").answers_object("OpenAPI 3.1")
            })],
        ),
        Route::new(
            "/api/asyncapi.json",
            [Operation::get(READ, |_| now(Ok(openapi::asyncapi()))).described(|d| {
                d.named("get_asyncapi", "The description of the WebSocket")
                    .answers_object("AsyncAPI 3.0")
            })],
        ),
    ]
}
