//! Routes of the events that were set aside.

use super::route::{ADMIN, Route};
use crate::protocol::http::{SetAsideEvents, StoredAgain};
use crate::server::operation::Operation;
use crate::server::set_aside;
use hyper::{Method, StatusCode};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::new(
            "/api/set-aside",
            [Operation::get(ADMIN, |call| Box::pin(set_aside::list(call))).described(|d| {
                d.named("list_set_aside", "Events of platforms that could not be stored, and why")
                    .answers::<SetAsideEvents>(StatusCode::OK, "The events")
            })],
        ),
        Route::new(
            "/api/set-aside/retry",
            [Operation::of(Method::POST, ADMIN, |call| Box::pin(set_aside::retry(call)))
                .by_leader()
                .described(|d| {
                    d.named(
                        "retry_set_aside",
                        "Try again to store what was set aside; what cannot be stored stays",
                    )
                    .answers::<StoredAgain>(
                        StatusCode::OK,
                        "How many are stored now, and how many are left",
                    )
                })],
        ),
    ]
}
