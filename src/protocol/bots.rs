//! Bots as `GET /api/bots` shows them (contract, item 35).

use super::platform::{ConnectionCodes, PlatformState};
use serde::{Deserialize, Serialize};

/// Answer of `GET /api/bots`: every configured bot.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bots {
    /// All bots of the configuration.
    pub bots: Vec<Bot>,
}

/// One bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Bot {
    /// Name of the bot in the configuration.
    pub name: String,
    /// `onebot11` or `satori`.
    pub kind: String,
    /// `Connected` if any of its connections is.
    pub state: PlatformState,
    /// Unix seconds at which this state began.
    pub since: u64,
    /// Events that it has read.
    pub delivered: u64,
    /// Events that the bot has not read yet, counted up to some thousands.
    pub waiting: u64,
    /// The last failure of its connection, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Reason why it waits, if it is not connected and nothing has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The same reasons as codes, for programs.
    #[serde(flatten)]
    pub codes: ConnectionCodes,
    /// The address that rechat connects to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The accounts that the bot uses.
    pub accounts: Vec<BotAccount>,
}

/// An account that a bot uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BotAccount {
    /// Name of the platform.
    pub platform: String,
    /// The account.
    pub account: String,
    /// The number of the account for the framework.
    pub self_id: i64,
}
