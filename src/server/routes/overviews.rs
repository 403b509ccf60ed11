//! Routes of counts, of the state of adapters, and of the health of the server.

use super::route::{READ, Route, now};
use super::schema::{count, name};
use crate::activity::MAX_MINUTES;
use crate::protocol::bots::Bots;
use crate::protocol::http::{Activity, Health, Platforms, Stats};
use crate::server::bots;
use crate::server::operation::{Credentials, Operation};
use crate::server::overview;
use hyper::StatusCode;
use serde_json::json;

pub(super) fn routes() -> [Route; 5] {
    [
        Route::new(
            "/api/stats",
            [Operation::get(READ, |call| Box::pin(overview::stats(call))).described(|d| {
                d.named("get_stats", "How many messages are in each state")
                    .query("platform", &name(), "Only those of this platform")
                    .query("conversation", &name(), "Only those of this conversation")
                    .query(
                        "since",
                        &count(),
                        "Only those that were said at this time (Unix seconds) or later",
                    )
                    .error(400, "A parameter cannot be read")
                    .answers::<Stats>(StatusCode::OK, "The counts")
            })],
        ),
        Route::new(
            "/api/activity",
            [Operation::get(READ, |call| now(overview::activity(&call))).described(|d| {
                let minutes = json!({"type": "integer", "minimum": 1, "maximum": MAX_MINUTES});
                d.named(
                    "get_activity",
                    "How many messages came and went in each of the last minutes",
                )
                .query("minutes", &minutes, "How many minutes; 60 without it")
                .answers::<Activity>(StatusCode::OK, "Counts, the oldest minute first")
                .error(400, "`minutes` is no number from 1 to 1440")
            })],
        ),
        Route::new(
            "/api/platforms",
            [Operation::get(READ, |call| now(Ok(overview::platforms(&call))))
                .by_leader()
                .described(|d| {
                    d.named("list_platforms", "Every adapter, and how it is connected")
                        .answers::<Platforms>(StatusCode::OK, "The adapters")
                })],
        ),
        Route::new(
            "/api/bots",
            [Operation::get(READ, |call| Box::pin(bots::list(call))).by_leader().described(|d| {
                d.named("list_bots", "Every configured bot, and how it is connected")
                    .answers::<Bots>(StatusCode::OK, "The bots")
            })],
        ),
        Route::new(
            "/api/health",
            [Operation::get(Credentials::Open, |call| now(Ok(overview::health(&call)))).described(
                |d| {
                    d.named("get_health", "Whether everything works; needs no token")
                        .query(
                            "leads",
                            &json!({"type": "string"}),
                            "Any value: 503 at a node that does not lead its cluster",
                        )
                        .answers::<Health>(StatusCode::OK, "`ok`, or `degraded` and the reason")
                        .error(503, "With `leads`: this node does not lead its cluster")
                        .error(403, "A page of another origin asks")
                },
            )],
        ),
    ]
}
