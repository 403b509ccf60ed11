//! Agents that speak the Model Context Protocol (contract, item 37): tools and resources by which
//! they read conversations, and write where that is allowed.
//!
//! The protocol itself is the SDK's (`rmcp`). A [`Source`] says where the messages are: `rechat mcp`
//! asks a server or the store, and a server's `/mcp` asks its own store.

mod address;
mod agent;
mod answers;
mod arguments;
mod audit;
mod bounds;
mod context;
mod data;
mod lines;
mod media;
mod position;
mod reading;
mod resources;
mod sending;
mod source;
mod tools;
mod waiting;

pub use agent::Agent;
pub use bounds::AgentBounds;
pub use context::AgentContext;
pub use lines::{MessageLines, read_message};
pub use source::{Chats, Source, Watch};
