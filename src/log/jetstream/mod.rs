//! The log of a cluster: one stream of NATS JetStream. A message that names no batch is none of ours, and
//! counts for nothing.

mod append;
mod lease;
mod parts;
mod reader;
mod stream;

pub use append::{JetStreamLog, NO_ROOM};
pub use lease::LeaseEnd;
pub use reader::BatchReader;
pub use stream::EventStream;
