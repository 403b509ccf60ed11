//! How long messages have waited, also if the clock was set while no server ran.

use crate::clock::{Clock, now};
use crate::model::message::Message;
use crate::store::{Result, Store};
use std::sync::Arc;

/// Ages of messages that wait.
pub(super) struct WaitingTimes {
    clock: Arc<Clock>,
    /// When the server started, in Unix seconds.
    started: u64,
    /// The age of the newest message at that time, in seconds.
    newest_age: u64,
    /// The log was told that the clock is doubted.
    is_told: bool,
}

impl WaitingTimes {
    /// Begins at the start of the server.
    pub(super) fn begin(clock: Arc<Clock>, store: &Store) -> Result<Self> {
        let newest_age = clock.age(store.view()?.newest_time()?).unwrap_or_default();
        Ok(Self { clock, started: now(), newest_age, is_told: false })
    }

    /// Seconds for which a message has waited. If even the newest message of the store was older at the
    /// start than its time to live, the clock may be wrong: then the message counts from the start.
    pub(super) fn of(&mut self, message: &Message, time_to_live: u64) -> u64 {
        let watched = self.clock.watched();
        let age = self.clock.age(message.updated_at).unwrap_or(watched);
        let is_doubted = message.updated_at <= self.started && self.newest_age >= time_to_live;
        if !is_doubted || age < time_to_live {
            return age;
        }
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                "even the newest message is older than a message may wait: is the clock right? Messages \
                 that wait are given up only once the server has run for as long (`outbox.time_to_live_seconds`)"
            );
        }
        watched
    }
}
