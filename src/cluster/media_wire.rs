//! Requests of nodes for files, and the answers.

use serde::{Deserialize, Serialize};

/// Bytes of a piece, if NATS takes as many.
pub(super) const PIECE_BYTES: usize = 256 << 10;

/// A request to every node.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToAll {
    /// Asks which node has a file.
    Find(String),
    /// Reports that a file was removed.
    Forget(String),
}

/// The answer of a node that has a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Offer {
    /// The node that has it, as one start of its process.
    pub(super) instance: String,
    pub(super) size: u64,
}

/// A request for a piece of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PieceRequest {
    pub(super) media: String,
    pub(super) from: u64,
    pub(super) bytes: usize,
}
