//! The OneBot standard: version 11 and version 12, and what both share.

mod common;
pub(super) mod v11;
pub(super) mod v12;

pub use v11::{BotMessage, cq_of_segments, segments_of_cq};
