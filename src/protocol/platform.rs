//! The state of an adapter, for HTTP and the WebSocket.

use crate::model::reason::Reason;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The state of an adapter's connection, with the names of the contract (Part 2, item 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum PlatformState {
    /// A connection is being made.
    Connecting,
    /// The account can send and receive.
    Connected,
    /// There is no connection, or the account is logged out.
    Disconnected,
    /// The adapter cannot connect until somebody does something; the reason says what.
    Error,
}

/// One adapter as `GET /api/platforms` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AdapterStatus {
    /// Kind of the adapter, as in the configuration.
    pub kind: Cow<'static, str>,
    /// The platform of the adapter.
    pub platform: String,
    /// The account, once the adapter has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The state of the connection.
    pub state: PlatformState,
    /// Reason of this state, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Unix seconds at which this state began.
    pub since: u64,
    /// Messages sent since the adapter was started.
    pub sent: u64,
    /// Messages received since the adapter was started.
    pub received: u64,
    /// Messages that failed since the adapter was started.
    pub failed: u64,
    /// The last failure, for people; it stays until the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The reasons as codes, for programs.
    #[serde(flatten)]
    pub codes: ConnectionCodes,
}

/// The reasons of an adapter or a bot for programs, where they have names: a stable code, and what
/// others said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConnectionCodes {
    /// Code of `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<Cow<'static, str>>,
    /// The part of `reason` that others wrote, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_detail: Option<String>,
    /// Code of `last_error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_code: Option<Cow<'static, str>>,
    /// The part of `last_error` that others wrote, if there is one.
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
    /// The platform of the adapter.
    pub platform: String,
    /// The account, where one is known.
    pub account: Option<String>,
    /// The state of the connection.
    pub state: PlatformState,
    /// Reason of the change, if there is one.
    pub reason: Option<String>,
}
