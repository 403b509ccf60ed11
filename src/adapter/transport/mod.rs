//! WebSocket connections to implementations: dialled, or accepted at an endpoint.

mod connection;
mod dial;
mod endpoint;
mod socket;

pub(super) use connection::{Connection, ConnectionEnd, Running, ServeConnection};
pub(super) use dial::{Dialled, keep_connected};
pub(super) use socket::{Reader, SocketClosed, TextFrame, Writer, limit_for};

pub use connection::Handshake;
pub use endpoint::Endpoint;
pub use socket::{Socket, socket_config};
