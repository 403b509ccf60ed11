//! WebSocket connections to implementations: dialled, or accepted at an endpoint.

mod connection;
mod dial;
mod endpoint;
mod socket;

pub(super) use connection::{Connection, End, Running, ServeConnection};
pub(super) use dial::{Dialled, keep_connected};
pub(super) use socket::{Closed, Frame, Reader, Writer};

pub use connection::Handshake;
pub use endpoint::Endpoint;
pub use socket::{Socket, socket_config};
