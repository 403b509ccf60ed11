//! The other side of a connection, as its protocol has it.

use crate::store::{FeedEntry, Result, View};
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// The other side of a connection, as its protocol has it.
pub(super) trait BotPeer: Sync {
    /// Answers a frame of the framework.
    fn answer(&self, frame: &str) -> impl Future<Output = Option<String>> + Send;

    /// The frame for something that was told, where the framework is to be told of it.
    fn tell(
        &self,
        view: &View,
        entry: &FeedEntry,
    ) -> impl Future<Output = Result<Option<String>>> + Send;

    /// The first frame, where the protocol has one.
    fn hello(&self) -> Option<String>;

    /// A heartbeat, where the protocol has one.
    fn heartbeat(&self) -> Option<String>;
}

/// The offset that a pong acknowledges.
pub(super) fn offset_of(payload: &[u8]) -> Option<u64> {
    payload.try_into().ok().map(u64::from_be_bytes)
}

/// The ping that asks whether everything up to an offset was read.
pub(super) fn ping(offset: u64) -> Message {
    Message::Ping(Bytes::copy_from_slice(&offset.to_be_bytes()))
}
