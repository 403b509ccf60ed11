//! Kinds of refusals of implementations and bots that connect; each needs another remedy.

use hyper::StatusCode;

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// No adapter is served at the path.
    WrongPath,
    /// The request has no token.
    NoToken,
    /// The token is unknown.
    WrongToken,
    /// Anything else: a scope, a platform or an account that does not fit, a limit.
    Other,
}

impl RefusalKind {
    /// The kind of a refusal of a handshake at an adapter's path.
    pub fn of(status: StatusCode, shows_token: bool) -> Self {
        match (status, shows_token) {
            (StatusCode::UNAUTHORIZED, false) => Self::NoToken,
            (StatusCode::UNAUTHORIZED, true) => Self::WrongToken,
            _ => Self::Other,
        }
    }
}
