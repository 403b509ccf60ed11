//! A cluster: nodes that share the log on a stream of NATS JetStream (`docs/cluster.md`).
//!
//! Each node has its own store and applies the stream to it. One node is the leader: it holds a lease (a
//! key of a bucket that expires unless it is renewed), and only it decides and appends. The lease only
//! finds a leader. The stream ensures that there are never two: a new leader first appends the
//! event that its epoch began, and after that the stream refuses everything from the leader before.

mod announcing;
mod connection;
mod copies;
mod following;
mod init;
mod leading;
mod lease;
mod log_retention;
mod media;
mod media_answers;
mod media_wire;
mod node;
mod presence;
mod requests;
mod running;
mod snapshot;
mod starting;
mod state;
mod status;
mod status_feed;
mod tunnel;
mod tunnel_stream;
mod wait_reasons;

pub use copies::{WantedCopies, keep_copies};
pub use init::init;
pub use media::MediaExchange;
pub use node::{ClusterHandle, NodeServices};
pub use presence::MissingNode;
pub use requests::{Answerer, LeaderRequests, LeaderService, NotAnswered};
pub use running::ClusterNode;
pub use starting::{StartedNode, start, take_fetched};
pub use state::ClusterState;
pub use status::{ClusterStatus, NodeStatus, status};
pub use status_feed::StatusFeed;
pub use tunnel::{PassedConnection, Tunnels};
pub use wait_reasons::{MAX_ASKED_REASONS, WaitReasons};
