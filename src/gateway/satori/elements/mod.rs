//! Messages as elements (protocol/message.md, protocol/elements.md).

mod read;
mod token;
mod write;

pub(super) use read::{ElementTargets, OutgoingMessage, read};
pub(super) use write::{escape_attribute, write};
