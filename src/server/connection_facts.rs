//! A connection as its requests see it.

use super::context::Incoming;
use super::limit::Permit;
use super::peer::Peer;
use hyper::Version;
use std::sync::Arc;
use tokio::net::tcp::OwnedWriteHalf;

/// Facts of a connection that its requests need.
pub struct ConnectionFacts {
    /// The other end.
    pub peer: Peer,
    /// Its place among the connections of the server and of its address; a session that goes on after the
    /// request keeps it. The Unix socket has no such limit.
    pub permit: Option<Permit>,
    /// The socket, if its bytes are those of the connection, without TLS between them.
    pub socket: Option<Arc<OwnedWriteHalf>>,
}

impl ConnectionFacts {
    /// Of a connection to the Unix socket.
    pub fn of_this_host() -> Self {
        Self { peer: Peer::Unix, permit: None, socket: None }
    }

    /// The socket, if the answer to this request is the only one on it until it ends. HTTP/2 has several at a time.
    pub fn socket_of(&self, request: &Incoming) -> Option<Arc<OwnedWriteHalf>> {
        self.socket.clone().filter(|_| request.version() != Version::HTTP_2)
    }
}
