//! Work of each second: notices end, and stale lists are asked for again.

use super::effect::ServerRequest;
use super::{ConnectionState, Model};
use crate::model::message::Status;

/// Seconds between two questions what messages on the screen wait for.
pub(super) const WAITING: u64 = 3;

/// Waiting messages that are asked for at once.
const MAX_WAITING: usize = 5;

impl Model {
    pub(super) fn tick(&mut self, now: u64) {
        self.now = now;
        self.rate.forget(now);
        self.stream.end_rest();
        if self.notice.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.notice = None;
        }
        if self.held_until <= now {
            self.conversations.release();
        }
        if self.connection != ConnectionState::Connected {
            return;
        }
        let stale = std::mem::take(&mut self.stale);
        if stale.conversations {
            self.ask(ServerRequest::Conversations);
        }
        if stale.adapters {
            self.ask(ServerRequest::Platforms);
        }
        if stale.stats {
            self.ask(ServerRequest::Stats);
        }
        if stale.requests {
            self.ask(ServerRequest::Requests);
        }
        if stale.stream && self.stream.follows() {
            self.reload();
        }
        if now.is_multiple_of(WAITING) {
            self.ask_what_waits();
        }
    }

    /// Asks what the waiting messages on the screen wait for.
    fn ask_what_waits(&mut self) {
        let shown = self.stream.visible();
        let messages = shown.iter().filter_map(|shown| self.stream.window().at(shown.position));
        let waits = messages.filter(|message| message.status == Status::Pending);
        let ids: Vec<_> = waits.map(|message| message.id).take(MAX_WAITING).collect();
        for id in ids {
            self.ask(ServerRequest::Message(id));
        }
    }
}
