//! Limits of content.

/// Segments that a message may have, forwards counted with their items.
pub const MAX_SEGMENTS: usize = 1000;

/// Segments of a message that are read from a platform; what lies behind them stays in its own form.
pub const MAX_READ: usize = 20_000;

/// Characters of the excerpt of a message that another one answers.
pub const MAX_EXCERPT: usize = 200;

/// Bytes of the emoji of a reaction; some are made of many characters.
pub const MAX_EMOJI_BYTES: usize = 64;

/// How deep forwards may lie inside forwards.
pub const MAX_FORWARD_DEPTH: usize = 8;
