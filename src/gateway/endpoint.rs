//! The paths at which frameworks connect to rechat.

use super::bot::ConfiguredBot;
use super::settings::BotKind;
use hyper::{HeaderMap, Method};
use std::sync::Arc;

/// A path at which a framework connects.
pub struct BotEndpoint {
    pub(super) bot: Arc<ConfiguredBot>,
    /// The path after the bot's own path.
    pub(super) rest: String,
}

/// The parts of a request that are read here.
#[derive(Clone, Debug)]
pub struct DialInRequest<'a> {
    /// It asks for a WebSocket.
    pub is_upgrade: bool,
    /// The method of the request.
    pub method: &'a Method,
    /// The headers of the request.
    pub headers: &'a HeaderMap,
    /// The pairs of the query, decoded.
    pub query: &'a [(String, String)],
}

/// Position of the token in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// In the headers.
    Head,
    /// In the first frame of the WebSocket.
    FirstFrame,
    /// None: the address is signed.
    Signature,
}

/// Keeps why requests of a bot's framework were refused, for the status of the bot.
#[derive(Clone)]
pub struct BotRefusals(Arc<ConfiguredBot>);

impl BotRefusals {
    /// Notes why a request was refused; it counts only while the bot has no connection.
    pub fn note(&self, why: &str) {
        self.0.refused(&format!("a request of the framework was refused: {why}"));
    }
}

impl BotEndpoint {
    /// Takes the refusals at this path.
    pub fn refusals(&self) -> BotRefusals {
        BotRefusals(self.bot.clone())
    }

    pub(super) fn new(bot: Arc<ConfiguredBot>, rest: &str) -> Self {
        Self { bot, rest: rest.trim_end_matches('/').to_owned() }
    }

    /// The token that is required here instead of the server's own.
    pub fn token(&self) -> Option<String> {
        self.bot.config.load().token.clone()
    }

    pub(super) fn kind(&self) -> BotKind {
        self.bot.config.load().kind
    }
}
