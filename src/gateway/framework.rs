//! The other side of a connection: one implementation for each protocol.

use crate::store::{BotEvent, Result, View};
use std::future::pending;

/// The other side of a connection.
pub(super) trait BotPeer: Sync {
    /// Answers a frame of the framework.
    fn answer(&self, frame: &str) -> impl Future<Output = Option<String>> + Send;

    /// The frames for an entry of the log; none if the framework does not get it.
    fn tell(
        &self,
        view: &View,
        entry: &BotEvent,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Frames that are due now and are about no event of the log; everything up to `offset` was sent.
    fn frames_without_event(&self, _view: &View, _offset: u64) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Waits until such frames may be due.
    fn wait_for_frames_without_event(&self) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// The first frame, if the protocol has one.
    fn hello(&self) -> Option<String>;

    /// A heartbeat, if the protocol has one.
    fn heartbeat(&self) -> Option<String>;
}
