//! Limits of content.

/// The most segments of a message, including those inside forwards.
pub const MAX_SEGMENTS: usize = 1000;

/// The most segments that are read from a platform's message; later ones are kept only in the raw
/// form.
pub const MAX_READ: usize = 20_000;

/// Characters of the excerpt of a message that another one answers.
pub const MAX_EXCERPT: usize = 200;

/// Bytes of the emoji of a reaction; some are made of many characters.
pub const MAX_EMOJI_BYTES: usize = 64;

/// How deep forwards may lie inside forwards.
pub const MAX_FORWARD_DEPTH: usize = 8;
