//! Requests that only the leader of a cluster can carry out: the others pass them on to it, and
//! its answer back. A client need not know which node leads.
//!
//! A request that makes a message goes with an `Idempotency-Key`, the client's or a new one, so that
//! it can be asked again where an answer does not come: it makes one message.

mod answering;
mod connection;
mod envelope;
mod messages;
mod request;

pub use answering::{answerer, too_many_passed};
pub(super) use connection::relay;
pub(super) use messages::{adapters, has_adapter, make, make_once};
pub(super) use request::pass_on;
