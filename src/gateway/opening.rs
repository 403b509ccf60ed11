//! Connections that requests of frameworks open, by the protocol of their bot.

use super::endpoint::{BotEndpoint, DialInRequest, TokenPlace};
use super::onebot11::{self, ActionOpening, SocketOpening};
use super::satori::{self, CallOpening, EventsOpening};
use super::settings::BotKind;
use hyper::StatusCode;

/// The connection that a request opens.
pub enum Opening {
    /// A WebSocket.
    Socket(SocketOpening),
    /// An action by HTTP.
    Action(ActionOpening),
    /// A WebSocket whose first frame shows the token.
    Events(EventsOpening),
    /// A call by HTTP, with a body.
    Call(CallOpening),
    /// A file, served at this path and query.
    File(String),
}

impl BotEndpoint {
    /// Where a request shows its token.
    pub fn token_place(&self, is_upgrade: bool) -> TokenPlace {
        match self.kind() {
            BotKind::OneBot11 => TokenPlace::Head,
            BotKind::Satori => satori::token_place(&self.rest, is_upgrade),
        }
    }

    /// The connection that a request opens; the error is the status and a text for people.
    ///
    /// # Errors
    ///
    /// The settings of a bot are wrong, or the store cannot be read or written.
    pub fn open(self, request: &DialInRequest<'_>) -> Result<Opening, (StatusCode, String)> {
        match self.kind() {
            BotKind::OneBot11 => Ok(match onebot11::open(self, request)? {
                onebot11::OpenedOneBot11::Socket(socket) => Opening::Socket(socket),
                onebot11::OpenedOneBot11::Action(action) => Opening::Action(action),
            }),
            BotKind::Satori => Ok(match satori::open(self, request)? {
                satori::OpenedSatori::Events(events) => Opening::Events(events),
                satori::OpenedSatori::Call(call) => Opening::Call(call),
                satori::OpenedSatori::File(path) => Opening::File(path),
            }),
        }
    }
}
