//! Transport of a request.

use std::net::IpAddr;

/// The transport of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// TCP from this address; needs a token if tokens are set.
    Tcp(IpAddr),
    /// The Unix socket, whose file mode is the permission.
    Unix,
}
