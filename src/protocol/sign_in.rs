//! Sign-in of the page with a code.

use serde::{Deserialize, Serialize};

/// Answer of `POST /api/sign-in/code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignInCode {
    /// Address of the page, as this host reaches it.
    pub page: String,
    /// The code, which works once; left out if the server needs no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Seconds for which the code is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

/// Body of `POST /api/sign-in`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignIn {
    /// The code of `rechat open`.
    #[schema(min_length = 1)]
    pub code: String,
}

/// Answer of `POST /api/sign-in`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// The token of the code.
    pub token: String,
}
