//! The server: HTTP over TCP and over the Unix socket beside the store.

mod access;
mod actions;
mod assets;
mod body;
mod bots;
mod bundle;
mod context;
mod conversations;
mod dial_in;
mod error;
mod form;
#[cfg(fuzzing)]
pub mod fuzzing;
mod lifetime;
mod limit;
mod list;
mod listen;
mod login;
mod mcp;
mod media;
mod memory;
mod messages;
mod metrics;
mod openapi;
mod operation;
mod overview;
mod peer;
mod query;
mod request;
mod router;
mod routes;
mod sign_in;
mod socket;
mod stream;
mod tls;
mod transfer;
mod upgrade;
mod wire;

pub use access::AccessControl;
pub use body::{Body, HttpResponse};
pub use context::{Incoming, ServerContext};
pub use limit::{Limit, Permit, UnidentifiedLimit};
pub use listen::{Listeners, serve};
pub use memory::Memory;
pub use operation::Call;
pub use peer::Peer;
