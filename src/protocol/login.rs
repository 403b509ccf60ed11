//! Login to a platform with a QR code, over HTTP (contract, item 36).

use crate::model::reason::Reason;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Progress of a login (contract, item 36).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LoginStatus {
    /// ID for requests about this login.
    pub id: String,
    /// How far the login is.
    pub state: LoginState,
    /// The text of the QR code to scan; replaced when it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qrcode: Option<String>,
    /// The QR code as lines of modules, `1` being dark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// The account, once it is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Text for people, if there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The reason for programs: a stable code, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<Cow<'static, str>>,
    /// The platform's own part of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_detail: Option<String>,
}

impl LoginStatus {
    /// Sets the state, and the reason with its code.
    pub fn set(&mut self, state: LoginState, reason: Option<&str>) {
        let coded = reason.and_then(Reason::of_login);
        (self.state, self.reason) = (state, reason.map(str::to_owned));
        self.reason_code = coded.map(|coded| coded.code.into());
        self.reason_detail = coded.and_then(|coded| coded.detail).map(str::to_owned);
    }
}

/// The state of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoginState {
    /// Waits until the code is scanned.
    Wait,
    /// The code was scanned; the login has to be confirmed on the phone.
    Scanned,
    /// The phone shows digits, which have to be entered here.
    Digits,
    /// The code expired, and a new one will follow.
    Expired,
    /// The account is logged in.
    Done,
    /// The login failed.
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
