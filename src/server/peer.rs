//! Where a request comes from.

use std::net::IpAddr;

/// The transport of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// TCP, from this address: with a token, where one is set.
    Tcp(IpAddr),
    /// The Unix socket, whose file mode is the permission.
    Unix,
}
