//! Where a stream opens: at the first unread message, or around one message.

use super::{Anchor, Goal, Stream};
use crate::model::message::{Direction, Message};
use uuid::Uuid;

/// Rows of what was read before that stay above the first unread message.
const READ_ROWS: usize = 3;

impl Stream {
    pub(super) fn reach_goal(&mut self) {
        match self.goal.take() {
            None => {}
            Some(Goal::Unread(unread)) => self.open_at_unread(unread),
            Some(Goal::Message(id)) => self.is_missing = !self.jump(id),
        }
    }

    fn open_at_unread(&mut self, unread: u64) {
        let inbound = (self.window.first()..=self.window.last())
            .rev()
            .filter(|&position| self.window.at(position).is_some_and(is_inbound));
        // Newer ones may not be loaded: then the first unread one was loaded as the oldest.
        let place = if self.newer.is_some() { usize::MAX } else { unread.max(1) as usize - 1 };
        let inbound: Vec<_> = inbound.collect();
        let Some(&first) = inbound.get(place).or(inbound.last()) else { return };
        self.first_unread = self.window.at(first).map(|message| message.id);
        self.put_at_top(first, READ_ROWS);
        let is_at_end = self.anchor == Anchor::At { position: self.window.last(), hidden: 0 };
        if is_at_end && self.newer.is_none() {
            self.anchor = Anchor::Newest;
        }
    }

    /// Goes to a message and selects it; false where it is not loaded.
    pub fn jump(&mut self, id: Uuid) -> bool {
        let Some(position) = self.window.position(id) else { return false };
        self.selected = Some(position);
        self.put_at_top(position, self.height() / 3);
        true
    }

    /// Whether the message that was to be shown was not found, once.
    pub fn take_missing(&mut self) -> bool {
        std::mem::take(&mut self.is_missing)
    }

    /// Whether a message is the first that was not read before.
    pub(super) fn is_first_unread(&self, message: &Message) -> bool {
        self.first_unread == Some(message.id)
    }

    /// From now on, what comes is not read before; a mark that is there stays.
    pub fn look_away(&mut self) {
        self.first_unread = None;
    }

    /// The first message that came while nobody looked.
    pub fn mark_unread(&mut self, id: Uuid) {
        self.first_unread.get_or_insert(id);
    }

    /// The newest message that is wholly on the screen, where it was not told as read yet.
    pub fn seen(&mut self) -> Option<Uuid> {
        if !self.is_begun || self.height() == 0 {
            return None;
        }
        let (position, hidden) = self.edge();
        let seen = if hidden > 0 { position - 1 } else { position };
        let message = self.window.at(seen)?;
        if self.read_to.is_some_and(|read| read >= seen) {
            return None;
        }
        let id = message.id;
        self.read_to = Some(seen);
        Some(id)
    }

    /// Whether the newest message was told as read, and the screen follows what comes.
    pub fn is_seen(&self) -> bool {
        self.height() > 0 && self.follows() && self.read_to == Some(self.window.last())
    }

    /// The server did not take a read mark; it is told again.
    pub fn forget_read(&mut self) {
        self.read_to = None;
    }
}

fn is_inbound(message: &Message) -> bool {
    message.direction == Direction::Inbound
}
