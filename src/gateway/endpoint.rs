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

impl BotEndpoint {
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
