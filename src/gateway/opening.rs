//! Connections that requests of frameworks open, for each protocol.

use super::endpoint::{BotEndpoint, DialInRequest, TokenSource};
use super::onebot11::{self, ActionOpening, SocketOpening};
use super::satori::{self, CallOpening, EventsOpening};
use super::settings::BotKind;
use hyper::StatusCode;

/// The connection for a request.
pub enum Opening {
    /// A WebSocket.
    Socket(SocketOpening),
    /// An action over HTTP.
    Action(ActionOpening),
    /// A WebSocket with the token in its first frame.
    Events(EventsOpening),
    /// A call over HTTP, with a body.
    Call(CallOpening),
    /// A file, served at this path and query.
    File(String),
}

impl BotEndpoint {
    /// Position of the token in a request.
    pub fn token_source(&self, is_upgrade: bool) -> TokenSource {
        match self.kind() {
            BotKind::OneBot11 => TokenSource::Head,
            BotKind::Satori => satori::token_source(&self.rest, is_upgrade),
        }
    }

    /// The connection for a request; the error is the status and a text for people.
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
