//! The log of a cluster: one stream of NATS JetStream. Messages without the name of a batch are ignored.

mod append;
mod lease;
mod parts;
mod reader;
mod stream;

pub use append::{JetStreamLog, NO_SPACE};
pub use lease::LeaseEnd;
pub use reader::BatchReader;
pub use stream::EventStream;
