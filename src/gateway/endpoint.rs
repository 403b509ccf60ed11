//! The paths at which frameworks dial in.

use super::bot::Bot;
use std::sync::Arc;

/// A path at which a framework dials in.
pub struct Endpoint {
    pub(super) bot: Arc<Bot>,
    /// The path behind the bot's own.
    pub(super) rest: String,
}

impl Endpoint {
    pub(super) fn new(bot: Arc<Bot>, rest: &str) -> Self {
        Self { bot, rest: rest.trim_end_matches('/').to_owned() }
    }

    /// The token that is wanted here in place of the server's own.
    pub fn token(&self) -> Option<String> {
        self.bot.config.load().token.clone()
    }
}
