//! The other side of a connection, as its protocol has it.

use crate::store::{FeedEntry, Result, View};
use std::future::pending;

/// The other side of a connection, as its protocol has it.
pub(super) trait BotPeer: Sync {
    /// Answers a frame of the framework.
    fn answer(&self, frame: &str) -> impl Future<Output = Option<String>> + Send;

    /// The frames for something that was told: none where the framework is not to be told of it.
    fn tell(
        &self,
        view: &View,
        entry: &FeedEntry,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Frames that no event of the log stands for, and that are due now: everything up to `offset` was
    /// told.
    fn beside(&self, _view: &View, _offset: u64) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Waits until frames beside the log may be due.
    fn beside_due(&self) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// The first frame, where the protocol has one.
    fn hello(&self) -> Option<String>;

    /// A heartbeat, where the protocol has one.
    fn heartbeat(&self) -> Option<String>;
}
