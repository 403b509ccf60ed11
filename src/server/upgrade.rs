//! Requests that ask for a WebSocket (RFC 6455, section 4.2).

use super::context::Incoming;
use super::error::{ErrorResponse, Result};
use hyper::header::SEC_WEBSOCKET_VERSION;

/// Checks that a request asks for a WebSocket of the supported version; otherwise 426 with the
/// version (section 4.2.2).
pub fn check_upgrade(request: &Incoming) -> Result<()> {
    let version = request.headers().get(SEC_WEBSOCKET_VERSION);
    let is_known = version.is_none_or(|version| version == "13");
    if is_known && hyper_tungstenite::is_upgrade_request(request) {
        return Ok(());
    }
    Err(ErrorResponse::upgrade_required())
}
