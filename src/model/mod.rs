//! The domain: messages, what happens to them, and who is interested in them.
//!
//! Pure values and rules. Nothing here knows HTTP, a chat protocol or the disk.

pub mod change;
pub mod cursor;
pub mod event;
pub mod id_prefix;
pub mod inline;
pub mod message;
pub mod routing;
pub mod subscription;
