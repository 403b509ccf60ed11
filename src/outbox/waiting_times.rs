//! How long messages have waited, also if the clock was set while no server ran.

use crate::clock::{Clock, now};
use crate::model::message::Message;
use crate::store::{Result, Store};
use std::sync::{Arc, OnceLock};

/// The newest message when this process first read the store. It is read only once, because later there are
/// newer messages, and the clock would no longer be doubted.
#[derive(Debug, Default)]
pub(super) struct StoreAtStart(OnceLock<NewestAtStart>);

/// The newest message at the start.
#[derive(Clone, Copy, Debug)]
struct NewestAtStart {
    /// When it was read, in Unix seconds.
    at: u64,
    /// The age of the message at that time, in seconds.
    age: u64,
}

/// Ages of messages that wait.
pub(super) struct WaitingTimes {
    clock: Arc<Clock>,
    newest: NewestAtStart,
    /// The log was told that the clock is doubted.
    is_told: bool,
}

impl WaitingTimes {
    /// Begins, at the start of the server or again.
    pub(super) fn begin(clock: Arc<Clock>, store: &Store, at_start: &StoreAtStart) -> Result<Self> {
        let newest = if let Some(known) = at_start.0.get() {
            *known
        } else {
            let age = clock.age(store.view()?.newest_time()?).unwrap_or_default();
            *at_start.0.get_or_init(|| NewestAtStart { at: now(), age })
        };
        Ok(Self { clock, newest, is_told: false })
    }

    /// Seconds for which a message has waited. If even the newest message of the store was older at the
    /// start than its time to live, the clock may be wrong: then the message counts from the start.
    pub(super) fn of(&mut self, message: &Message, time_to_live: u64) -> u64 {
        let watched = self.clock.watched();
        let age = self.clock.age(message.updated_at).unwrap_or(watched);
        let is_doubted = message.updated_at <= self.newest.at && self.newest.age >= time_to_live;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Draft, MessageType};
    use crate::model::routing::RoutingFacts;
    use crate::store::{Access, Answer, Command, StoreOptions};

    const TIME_TO_LIVE: u64 = 100_000;

    async fn made(store: &Store, age: u64) -> Message {
        let draft = Draft::new(MessageType::Text, "x".into(), "group_1".into(), None).unwrap();
        let (at, facts) = (now() - age, RoutingFacts::default());
        let create = Command::Create { draft, at, idempotency: None, facts };
        let Answer::Message(made) = store.write(create).await.unwrap() else {
            panic!("it is made")
        };
        made
    }

    #[tokio::test]
    async fn a_clock_that_was_ahead_at_the_start_is_doubted_also_when_newer_messages_came() {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(folder.path().join("a.redb"), Access::Write);
        let store = Store::open(&options, Box::new(())).unwrap();
        let old = made(&store, 2 * TIME_TO_LIVE).await;
        let (clock, at_start) = (Arc::new(Clock::start()), StoreAtStart::default());
        let age = |at_start: &StoreAtStart| {
            WaitingTimes::begin(clock.clone(), &store, at_start).unwrap().of(&old, TIME_TO_LIVE)
        };
        assert!(age(&at_start) < TIME_TO_LIVE, "it counts from the start");
        made(&store, 0).await;
        // It begins again after the store could not be read.
        assert!(age(&at_start) < TIME_TO_LIVE, "the store is still that of the start");
        assert!(age(&StoreAtStart::default()) >= TIME_TO_LIVE, "another start does not doubt");
    }
}
