//! Pages of other origins.

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// Allows the pages of other origins, if some are configured.
pub(super) fn cors(origins: &[String]) -> Option<CorsLayer> {
    // Each is an origin; the configuration has checked that.
    let origins: Vec<_> =
        origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    let names = [
        "idempotency-key",
        "last-event-id",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "tus-resumable",
        "upload-length",
        "upload-metadata",
        "upload-offset",
    ]
    .map(HeaderName::from_static);
    let told = ["location", "tus-resumable", "upload-length", "upload-offset", "upload-expires"]
        .map(HeaderName::from_static);
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(
                [AUTHORIZATION, CONTENT_TYPE].into_iter().chain(names).collect::<Vec<_>>(),
            )
            .expose_headers(told)
            .max_age(Duration::from_hours(1))
    })
}
