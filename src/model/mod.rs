//! The domain: messages, what happens to them, and who is interested in them.
//!
//! Pure values and rules. Nothing here knows HTTP, a chat protocol or the disk.

pub mod attempts;
pub mod change;
pub mod content;
pub mod cursor;
pub mod doubt;
pub mod draft;
pub mod event;
pub mod id_prefix;
pub mod inbound;
pub mod inline;
pub mod json_object;
pub mod message;
pub mod message_fields;
mod message_type;
mod name;
mod named;
pub mod notice;
pub mod platform_event;
pub mod reaction;
pub mod reason;
pub mod routing;
mod sender;
mod status;
pub mod status_rules;
pub mod subscription;
pub mod wait_reason;
