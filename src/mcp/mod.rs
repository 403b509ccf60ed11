//! Agents that speak the Model Context Protocol (contract, item 37). Tools and resources let them read
//! conversations, and write if that is allowed.
//!
//! The SDK (`rmcp`) implements the protocol. A [`Source`] has the messages: `rechat mcp` asks a server or
//! the store, and `/mcp` of a server asks its store.

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
