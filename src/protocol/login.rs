//! Logging in to a platform by a QR code, as HTTP tells it (contract, item 36).

use serde::{Deserialize, Serialize};

/// How a login goes (contract, item 36).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoginStatus {
    /// By which it is asked about.
    pub id: String,
    #[allow(missing_docs)]
    pub state: LoginState,
    /// The text of the QR code that is to be scanned; renewed when it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qrcode: Option<String>,
    /// The QR code as lines of modules, `1` being dark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// The account, once it is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Words for people, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The state of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoginState {
    /// The code is to be scanned.
    Wait,
    /// It was scanned, and is to be confirmed on the phone.
    Scanned,
    /// The phone shows digits, which are to be given.
    Digits,
    /// The code expired, and a new one is on its way.
    Expired,
    /// The account is logged in.
    Done,
    /// It did not come about.
    Failed,
}

/// Body of `POST /api/login/{platform}/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoginDigits {
    /// The digits that the phone shows.
    #[schema(pattern = "^[0-9]+$")]
    pub digits: String,
}

/// Answer of `DELETE /api/login/{platform}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoggedOut {
    /// The account that was logged out.
    pub account: String,
}
