//! A connection as its requests see it.

use crate::server::limit::Permit;
use crate::server::peer::Peer;
use std::sync::Arc;
use tokio::net::tcp::OwnedWriteHalf;

/// Facts of a connection that its requests need.
pub(super) struct ConnectionFacts {
    pub(super) peer: Peer,
    pub(super) permit: Option<Permit>,
    /// The socket, if its bytes are those of the connection, without TLS between them.
    pub(super) socket: Option<Arc<OwnedWriteHalf>>,
}

impl ConnectionFacts {
    /// Of a connection to the Unix socket.
    pub(super) fn of_this_host() -> Self {
        Self { peer: Peer::Unix, permit: None, socket: None }
    }
}
