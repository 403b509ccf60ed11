//! Routes of the events that were quarantined.

use super::route::{ADMIN, Route};
use crate::protocol::http::{QuarantinedEvents, StoredAgain};
use crate::server::operation::Operation;
use crate::server::quarantine;
use hyper::{Method, StatusCode};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::new(
            "/api/quarantine",
            [Operation::get(ADMIN, |call| Box::pin(quarantine::list(call))).described(|d| {
                d.named("list_quarantine", "Events of platforms that could not be stored, and why")
                    .answers::<QuarantinedEvents>(StatusCode::OK, "The events")
            })],
        ),
        Route::new(
            "/api/quarantine/retry",
            [Operation::of(Method::POST, ADMIN, |call| Box::pin(quarantine::retry(call)))
                .by_leader()
                .described(|d| {
                    d.named(
                        "retry_quarantine",
                        "Try again to store what was quarantined; what cannot be stored stays",
                    )
                    .answers::<StoredAgain>(
                        StatusCode::OK,
                        "How many are stored now, and how many are left",
                    )
                })],
        ),
    ]
}
