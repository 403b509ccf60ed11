//! The questions of nodes about files, and the answers.

use serde::{Deserialize, Serialize};

/// Bytes of a piece, where NATS takes as many.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// A question to every node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToAll {
    /// Asks which node has a file.
    Find(String),
    /// Tells that somebody removed a file.
    Forget(String),
}

/// The answer of a node that has a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Offer {
    /// The node that has it, as one start of its process.
    pub(super) instance: String,
    pub(super) size: u64,
}

/// A question for a piece of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PieceRequest {
    pub(super) media: String,
    pub(super) from: u64,
    pub(super) bytes: usize,
}
