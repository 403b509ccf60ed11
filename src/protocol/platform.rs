//! The state of an adapter, as HTTP and the WebSocket tell it.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The state of an adapter's connection, as the contract spells it (Part 2, item 11).
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
    /// Why it is in this state, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Unix seconds of when it came into this state.
    pub since: u64,
    pub sent: u64,
    pub received: u64,
    pub failed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// A change of one adapter's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterStatusChange {
    #[allow(missing_docs)]
    pub platform: String,
    /// The account, where one is known.
    pub account: Option<String>,
    #[allow(missing_docs)]
    pub state: PlatformState,
    /// Why, where there is something to say.
    pub reason: Option<String>,
}
