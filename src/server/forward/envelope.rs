//! Requests and answers as nodes pass them to each other: a head in JSON, and a body.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A request on its way to the leader; its body follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PassedRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    /// Milliseconds for which the node that asks waits for the answer.
    pub(super) patience_ms: u64,
}

/// Its answer; the body follows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PassedAnswer {
    pub(super) status: u16,
    pub(super) media_type: Option<String>,
    pub(super) retry_after: Option<String>,
    /// The stream sequence that the node which answered had reached.
    pub(super) stream_seq: u64,
}

/// A head in JSON on a line, and a body.
pub(super) fn joined<T: Serialize>(head: &T, body: &[u8]) -> Bytes {
    // Texts and numbers always serialise.
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend(body);
    bytes.into()
}

pub(super) fn split<'a, T: Deserialize<'a>>(message: &'a [u8]) -> Option<(T, &'a [u8])> {
    let end = message.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = message.split_at(end);
    Some((serde_json::from_slice(head).ok()?, &body[1..]))
}
