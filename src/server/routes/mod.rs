//! The table of routes: every path with its methods, their access, handlers and descriptions. The
//! router, `Allow`, the scopes, the metrics and OpenAPI use it.

mod actions;
mod conversations;
mod descriptions;
mod logins;
mod media;
mod messages;
mod overviews;
mod quarantine;
mod route;
mod schema;
mod sign_in;
mod transfers;

pub use route::Route;

use super::operation::{Credentials, Operation};
use super::{assets, mcp, socket};
use hyper::Method;
use route::{AGENT, WATCH, now};

/// Every route.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::new(
            "/",
            [Operation::get(Credentials::Open, |call| now(assets::index(&call.request)))],
        ),
        Route::new(
            "/page/{version}/{*file}",
            [Operation::get(Credentials::Open, |call| now(assets::part(&call)))],
        ),
        Route::new(
            "/ws/client",
            [Operation::of(Method::GET, WATCH, |call| now(socket::open(call)))],
        ),
        Route::new(
            "/mcp",
            [Operation::of(Method::POST, AGENT, |call| Box::pin(mcp::answer(call)))],
        ),
    ];
    routes.extend(messages::routes());
    routes.extend(actions::routes());
    routes.extend(media::routes());
    routes.extend(overviews::routes());
    routes.extend(conversations::routes());
    routes.extend(transfers::routes());
    routes.extend(quarantine::routes());
    routes.extend(logins::routes());
    routes.extend(sign_in::routes());
    routes.extend(descriptions::routes());
    routes
}
