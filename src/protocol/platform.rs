//! The state of an adapter, for HTTP and the WebSocket.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The state of an adapter's connection, with the names of the contract (Part 2, item 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub enum PlatformState {
    Connecting,
    Connected,
    Disconnected,
    Error,
}

/// One adapter as `GET /api/platforms` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct AdapterStatus {
    pub kind: Cow<'static, str>,
    pub platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub state: PlatformState,
    /// Reason of this state, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Unix seconds at which this state began.
    pub since: u64,
    pub sent: u64,
    pub received: u64,
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// A change of one adapter's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterStatusChange {
    #[allow(missing_docs)]
    pub platform: String,
    /// The account, where one is known.
    pub account: Option<String>,
    #[allow(missing_docs)]
    pub state: PlatformState,
    /// Reason of the change, if there is one.
    pub reason: Option<String>,
}
