//! The state of an adapter, for HTTP and the WebSocket.

use crate::model::reason::Reason;
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
    #[serde(flatten)]
    pub codes: ConnectionCodes,
}

/// The reasons of an adapter or a bot for programs, where they have names: a stable code, and what
/// others said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[allow(missing_docs)]
pub struct ConnectionCodes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_code: Option<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_detail: Option<String>,
}

impl ConnectionCodes {
    /// Those of a reason and of the last error, as they are told to people.
    pub fn of(reason: Option<&str>, last_error: Option<&str>) -> Self {
        let coded = |text: Option<&str>| {
            let found = text.and_then(Reason::of_connection);
            let detail = found.and_then(|reason| reason.detail).map(str::to_owned);
            (found.map(|reason| reason.code.into()), detail)
        };
        let (reason_code, reason_detail) = coded(reason);
        let (last_error_code, last_error_detail) = coded(last_error);
        Self { reason_code, reason_detail, last_error_code, last_error_detail }
    }
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
    /// Reason of the change, if there is one.
    pub reason: Option<String>,
}
