//! The paths at which frameworks dial in.

use super::bot::ConfiguredBot;
use std::sync::Arc;

/// A path at which a framework dials in.
pub struct BotEndpoint {
    pub(super) bot: Arc<ConfiguredBot>,
    /// The path behind the bot's own.
    pub(super) rest: String,
}

impl BotEndpoint {
    pub(super) fn new(bot: Arc<ConfiguredBot>, rest: &str) -> Self {
        Self { bot, rest: rest.trim_end_matches('/').to_owned() }
    }

    /// The token that is wanted here in place of the server's own.
    pub fn token(&self) -> Option<String> {
        self.bot.config.load().token.clone()
    }
}
